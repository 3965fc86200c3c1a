package calendargenerate

import (
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
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
