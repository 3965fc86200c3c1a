package readiness

import (
	"strings"
	"testing"
	"time"
)

func TestWhatIsDueAfterTheLaunch(t *testing.T) {
	t.Parallel()
	johannesburg := time.FixedZone("SAST", 2*60*60)
	launched := time.Date(2026, 2, 1, 0, 0, 0, 0, johannesburg)
	for day, want := range map[int]string{-1: "", 0: "first-day", 1: "first-day", 2: "first-week", 7: "first-week", 8: "", 14: "first-month", 15: "",
		21: "first-month", 28: "first-month", 30: "", 35: "", 400: ""} {
		for _, hour := range []int{0, 7, 23} {
			now := launched.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
			if got := Due(launched, now.UTC()); got != want {
				t.Errorf("day %d at %d:00: got %q, want %q", day, hour, got, want)
			}
		}
	}
}

func TestTheMessageSaysWhatToDo(t *testing.T) {
	t.Parallel()
	red := Result{Item: Item{ID: "a"}, Finding: Finding{State: Failed, Evidence: "seen", Fix: "mend it", Command: "mend"}}
	unseen := Result{Item: Item{ID: "b"}, Finding: Finding{State: NotLooked, Evidence: "nothing", How: "look there"}}
	got := Message("first-week", []Result{red, unseen})
	if got.Subject != "schedgen, first week: 1 red, 1 of 2 not looked at" {
		t.Errorf("got the subject %q", got.Subject)
	}
	for _, want := range []string{"RED a: seen", "mend it", "not looked at b", "look there"} {
		if !strings.Contains(got.Text, want) {
			t.Errorf("got %q, want %q in it", got.Text, want)
		}
	}
	if got := Message("first-week", []Result{unseen}); got.Subject != "schedgen, first week: nothing was looked at, 1 of 1 not looked at" || !strings.Contains(got.Text, "not looked at b") {
		t.Errorf("got %+v", got)
	}
}
