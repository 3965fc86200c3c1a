package calendargenerate

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func (s student) merged() mergedTimetable {
	s.Helper()
	var all mergedTimetable
	body := answered(s, s.call("GET", "/api/timetable", ""), 200)
	if err := json.Unmarshal([]byte(body), &all); err != nil || all.Uploads == nil || all.Events == nil {
		s.Fatalf("the timetable is %s, %v", body, err)
	}
	return all
}

// TestTimetableIsThatOfTheFeeds: a page that merged uploads by a rule of its own would show something else.
func TestTimetableIsThatOfTheFeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	if got := s.merged(); len(got.Events) != 0 || len(got.Uploads) != 0 {
		t.Errorf("before any upload: got %+v, want nothing", got)
	}
	older, tests := s.uploaded(tabletest.Lectures()), s.uploaded(tabletest.Tests())
	fewer := tabletest.Lectures()
	fewer.Entries = fewer.Entries[:4]
	newer := s.uploaded(fewer)
	got := s.merged()
	if ids := []string{got.Uploads[0].JobID, got.Uploads[1].JobID, got.Uploads[2].JobID}; !slices.Equal(ids, []string{older, tests, newer}) {
		t.Errorf("got uploads %v, want %v", ids, []string{older, tests, newer})
	}
	year := s.f.now().Year()
	total := 0
	for _, u := range got.Uploads {
		total += u.Events
		if u.Filename != "timetable.pdf" || u.CreatedAt.Year() != year {
			t.Errorf("got upload %+v", u)
		}
	}
	if total != len(got.Events) || got.Uploads[1].Events != 3 || got.Uploads[1].PDFType != timetable.Test || got.Uploads[2].Events == 0 {
		t.Errorf("got %+v of %d events, want those of the tests and of the newer lectures", got.Uploads, len(got.Events))
	}
	for _, e := range got.Events {
		if e.Year == 0 || e.Kind == timetable.Lecture && e.Year != year {
			t.Errorf("%s has the year %d", e.ID, e.Year)
		}
	}
	if other := w.student().merged(); len(other.Events) != 0 {
		t.Errorf("another owner's timetable has %d events, want none", len(other.Events))
	}
	refused(t, call(t, w.f, "GET", "/api/timetable", ""), 401, api.Unauthorized)
}

// TestFileOfAllUploadsIsTheFeed holds the file that names neither events nor a job against the feed of the same choices.
func TestFileOfAllUploadsIsTheFeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	const options = `{"year":2026,"title":"module","groups":{"PHY 131":"P02"}}`
	refused(t, s.call("POST", "/api/generate/ics", options), 400, api.ValidationFailed)
	refused(t, call(t, w.f, "POST", "/api/generate/ics", options), 400, api.ValidationFailed)
	s.uploaded(tabletest.Lectures())
	s.uploaded(tabletest.Tests())
	s.uploaded(tabletest.Exams())
	omitted := s.merged().Events[0].ID
	choices := strings.TrimSuffix(options, "}") + `,"omit":["` + omitted + `"]}`
	file := answered(t, s.call("POST", "/api/generate/ics", choices), 200)
	_, feed := w.fetch(s.subscribed(choices))
	for _, name := range []string{"UID:", "SUMMARY:", "DTSTART", "RRULE:"} {
		if got, want := linesOf(file, name), linesOf(feed, name); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s: the file has %q, want the feed's %q", name, got, want)
		}
	}
	if again := answered(t, s.call("POST", "/api/generate/ics", choices), 200); again != file {
		t.Error("the same uploads give another file")
	}
}

// linesOf are a calendar's lines that begin so, in order.
func linesOf(ics, begin string) []string {
	var lines []string
	for line := range strings.Lines(ics) {
		if strings.HasPrefix(line, begin) {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}
