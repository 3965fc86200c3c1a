package readiness

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestADecisionCountsForItsSystemAndItsTime: nobody decided of another system, for ever, in advance, or of days before the launch.
func TestADecisionCountsForItsSystemAndItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	const here, there = "https://schedgen.example.org", "https://staging.example.org"
	on := func(days int) time.Time { return now.AddDate(0, 0, days) }
	decision := func(when time.Time, target, seen string) Decision {
		return Decision{ID: "day-feedback", Who: "Thandi M.", When: when, Seen: seen, Target: target}
	}
	for name, c := range map[string]struct {
		decisions []Decision
		want      State
		evidence  string
	}{
		"of this system":       {[]Decision{decision(on(-1), here, "ten answers")}, Signed, "Thandi M., 2026-03-09: ten answers"},
		"with a slash":         {[]Decision{decision(on(-1), here+"/", "ten answers")}, Signed, "ten answers"},
		"of another":           {[]Decision{decision(on(-1), there, "x")}, ToDecide, "is of " + there},
		"of none":              {[]Decision{decision(on(-1), "", "x")}, ToDecide, "a system without an address"},
		"of more than a year":  {[]Decision{decision(on(-366), here, "x")}, ToDecide, "more than a year ago"},
		"of before the launch": {[]Decision{decision(on(-5), here, "x")}, ToDecide, "before the launch"},
		"of a day to come":     {[]Decision{decision(on(2), here, "x")}, ToDecide, "still to come"},
		"of both":              {[]Decision{decision(on(-1), here, "mine"), decision(now, there, "another's")}, Signed, "mine"},
		"the newest":           {[]Decision{decision(on(-1), here, "new"), decision(on(-2), here, "old")}, Signed, "new"},
		"of nothing":           {nil, ToDecide, "Collect what students say"},
	} {
		s := newSystem(Options{Target: here + "/", Now: func() time.Time { return now }, Launched: on(-4)})
		list := items(t)
		item := list[slices.IndexFunc(list, func(i Item) bool { return i.ID == "day-feedback" })]
		got := s.look(t.Context(), item, c.decisions)
		if got.State != c.want || !strings.Contains(got.Evidence, c.evidence) || got.State == ToDecide && !strings.HasSuffix(got.How, "--target "+here) {
			t.Errorf("%s: got %+v, want %s with %q", name, got, c.want, c.evidence)
		}
	}
}

// TestSigningAtOnceLosesNothing has many sign in one file.
func TestSigningAtOnceLosesNothing(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.json")
	var signing sync.WaitGroup
	const many = 20
	for n := range many {
		signing.Go(func() {
			if err := Sign(name, Decision{ID: "approve-budget", Who: fmt.Sprint("signer ", n), When: time.Now(), Seen: "the estimate"}); err != nil {
				t.Error(err)
			}
		})
	}
	signing.Wait()
	list, err := decisionsOf(name)
	if err != nil || len(list) != many {
		t.Errorf("got %d decisions (%v), want %d", len(list), err, many)
	}
	if files, err := os.ReadDir(filepath.Dir(name)); err != nil || len(files) != 1 {
		t.Errorf("got %v (%v) in the folder, want the decisions alone", files, err)
	}
}

// TestDecisionsThatOthersMayWriteAreRefused, and those that say nothing.
func TestDecisionsThatOthersMayWriteAreRefused(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "decisions.json")
	const sound = `[{"id":"approve-budget","who":"T.","when":"2026-03-01T00:00:00Z","seen":"the estimate"}]`
	for _, c := range []struct {
		text string
		mode os.FileMode
		want string
	}{
		{sound, 0o600, ""}, {sound, 0o644, ""},
		{sound, 0o666, "others than its owner may write"}, {sound, 0o620, "others than its owner may write"},
		{"", 0o600, "read the decisions"}, {strings.Replace(sound, "the estimate", " ", 1), 0o600, "what was seen"},
		{strings.Replace(sound, "2026-03-01T00:00:00Z", "0001-01-01T00:00:00Z", 1), 0o600, "does not say who, when"},
	} {
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, c.mode); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), Options{Record: name}, Selection{Section: "business-approval"})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%04o %q: got %v, want %q", c.mode, c.text, err, c.want)
		}
	}
}

// TestEachReasonIsTold: two items may be looked at in one way, and have been missed for two reasons.
func TestEachReasonIsTold(t *testing.T) {
	t.Parallel()
	missed := func(id, why string) Result {
		return Result{Item: Item{ID: id}, Finding: Finding{State: NotLooked, Evidence: why, How: "look later"}}
	}
	var report strings.Builder
	if err := Render(&report, []Result{missed("a", "first"), missed("b", "second"), missed("c", "first")}, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"first\n    to look: look later\n    items:   a, c", "second\n    to look: look later\n    items:   b"} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("got %s\nwant %q in it", report.String(), want)
		}
	}
	report.Reset()
	if err := RenderJSON(&report, nil); err != nil || !strings.Contains(report.String(), `"items": []`) || !strings.Contains(report.String(), `"signed": 0`) {
		t.Errorf("got %s (%v), want each count and an empty list", report.String(), err)
	}
}
