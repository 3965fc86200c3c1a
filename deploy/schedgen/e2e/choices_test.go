package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
)

// TestOneChoiceServesFileFeedAndGoogle leaves out one event and one module and writes titles in another way. The file, the
// feed and the Google calendar show the same; and they still do once a newer timetable moved a lecture.
func TestOneChoiceServesFileFeedAndGoogle(t *testing.T) {
	t.Parallel()
	w := embedded(t)
	s := w.student(t)
	whole, moved, _ := editions(t)
	s.upload(whole.pdf)
	s.signIn(w.google)
	var timetable struct{ Events []event }
	s.call(http.StatusOK, "GET", "/api/timetable", nil).into(t, &timetable)
	first, last := timetable.Events[0], timetable.Events[len(timetable.Events)-1]
	if first.Module == last.Module {
		t.Fatal("the timetable has one module alone")
	}
	choices := map[string]any{"year": 2026, "terms": terms2026, "title": "group", "omit": []string{first.ID}, "without": []string{last.Module}}
	var feed struct{ URL string }
	s.call(http.StatusCreated, "POST", "/api/feeds", choices).into(t, &feed)
	synced := map[string]any{"calendarId": person, "follow": true}
	for name, value := range choices {
		synced[name] = value
	}
	s.call(http.StatusOK, "POST", "/api/calendars/events", synced)

	expected := func(events []event) (titles []string) {
		for _, e := range events {
			if e.ID != first.ID && e.Module != last.Module {
				titles = append(titles, strings.TrimSpace(e.Module+" "+e.Group))
			}
		}
		slices.Sort(titles)
		return slices.Compact(titles)
	}
	check := func(when string, events []event) {
		t.Helper()
		file := shownIn(string(s.call(http.StatusOK, "POST", "/api/generate/ics", choices).body))
		if got := titlesOf(file); !slices.Equal(got, expected(events)) || len(got) == 0 {
			t.Errorf("%s, the file has %q, want %q", when, got, expected(events))
		}
		expectSame(t, when+", the feed", shownIn(string(s.call(http.StatusOK, "GET", feed.URL, nil).body)), file)
		eventually(t, func() error {
			if got := shownAt(w.google); !slices.Equal(got, file) {
				return fmt.Errorf("%s, Google has %q, want the file's %q", when, got, file)
			}
			return nil
		})
	}
	check("at first", timetable.Events)
	before := shownAt(w.google)
	s.upload(moved.pdf)
	s.call(http.StatusOK, "GET", "/api/timetable", nil).into(t, &timetable)
	eventually(t, func() error {
		if slices.Equal(shownAt(w.google), before) {
			return errors.New("the calendar did not follow the newer timetable")
		}
		return nil
	})
	check("once a lecture was moved", timetable.Events)
}

// shownIn is each event's first start and title in a calendar file.
func shownIn(ics string) (all []string) {
	lines := strings.Split(strings.ReplaceAll(ics, "\r\n ", ""), "\r\n")
	for n, line := range lines {
		if line != "BEGIN:VEVENT" {
			continue
		}
		var start, title string
		for _, line := range lines[n:] {
			name, value, _ := strings.Cut(line, ":")
			switch name, _, _ = strings.Cut(name, ";"); {
			case name == "DTSTART":
				start = value
			case name == "SUMMARY":
				title = value
			}
			if line == "END:VEVENT" {
				all = append(all, start+" "+title)
				break
			}
		}
	}
	slices.Sort(all)
	return all
}

// shownAt is the same of the person's calendar at Google.
func shownAt(google *fakegoogle.Server) (all []string) {
	local := strings.NewReplacer("-", "", ":", "")
	for _, e := range google.Events(person) {
		start, _ := e["start"].(map[string]any)["dateTime"].(string)
		start, _, _ = strings.Cut(start, "+")
		all = append(all, fmt.Sprint(local.Replace(start), " ", e["summary"]))
	}
	slices.Sort(all)
	return all
}

// titlesOf leaves the starts away.
func titlesOf(shown []string) (titles []string) {
	for _, text := range shown {
		_, title, _ := strings.Cut(text, " ")
		titles = append(titles, title)
	}
	slices.Sort(titles)
	return slices.Compact(titles)
}
