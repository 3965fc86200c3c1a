package calendargenerate

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestMyCalendarHasAllTimetables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, other := w.student(), w.student()
	refused(t, s.call("GET", "/api/me/calendar.ics", ""), 404, api.NotFound)
	s.uploaded(tabletest.Lectures())
	s.uploaded(tabletest.Tests())
	// Of a term that no year knows: the rest is there all the same.
	s.uploaded(timetable.Document{Kind: timetable.Exam, Entries: tabletest.Exams().Entries})
	other.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{{Module: "STK 999", Offered: "S1", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"}}})
	file := answered(t, s.call("GET", "/api/me/calendar.ics", ""), 200)
	for _, want := range []string{"PHY 131", "BEGIN:VEVENT"} {
		if !strings.Contains(file, want) {
			t.Errorf("%q is missing in the calendar", want)
		}
	}
	if strings.Contains(file, "STK 999") {
		t.Error("another's lecture is in the calendar")
	}
	if again := answered(t, s.call("GET", "/api/me/calendar.ics", ""), 200); again != file {
		t.Error("the same uploads give another file")
	}
	refused(t, call(t, w.f, "GET", "/api/me/calendar.ics", ""), 401, api.Unauthorized)
}

// TestMyCalendarLeavesOutWhatHasNoDates: lectures of a term without dates are no reason to give nothing.
func TestMyCalendarLeavesOutWhatHasNoDates(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "COS 212", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
	}})
	if _, err := s.f.pool.Exec(t.Context(), "update jobs set created_at = '2035-03-01'"); err != nil {
		t.Fatal(err)
	}
	file := answered(t, s.call("GET", "/api/me/calendar.ics", ""), 200)
	if !strings.Contains(file, "BEGIN:VEVENT") || strings.Contains(file, "(G01)") {
		t.Errorf("want the tests without the lecture, got:\n%s", file)
	}
}

// TestMyCalendarHasWhatTheStudentTyped: of two terms that nobody entered, the one whose dates the student typed is there.
func TestMyCalendarHasWhatTheStudentTyped(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	next := time.Now().In(calendar.Zone).Year() + 1
	uploadedThen := fmt.Sprintf("update jobs set created_at = '%d-02-01'", next)
	row := func(module, term string) timetable.Entry {
		return timetable.Entry{Module: module, Offered: term, Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"}
	}
	id := s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{row("COS 212", "S1")}})
	s.exec(uploadedThen)
	answered(t, s.call("POST", "/api/generate/ics", fmt.Sprintf(`{"jobId":%q,"terms":{"S1":"%d-02-08..%d-05-21"}}`, id, next, next)), 200)
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{row("COS 226", "S2")}})
	s.exec(uploadedThen)
	file := answered(t, s.call("GET", "/api/me/calendar.ics", ""), 200)
	if !strings.Contains(file, "SUMMARY:COS 212") || strings.Contains(file, "SUMMARY:COS 226") {
		t.Errorf("want the lecture of the term whose dates were typed alone, got:\n%s", file)
	}
	for what, want := range map[string]float64{"asked": 0, "typed": 1, "kept": 1} {
		if got := testutil.ToFloat64(s.f.typed.Counter(next, what)); got != want {
			t.Errorf("%s is counted %v times, want %v", what, got, want)
		}
	}
}
