package calendar_test

import (
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestScopesOfATimetable(t *testing.T) {
	t.Parallel()
	lecture := func(term string) calendar.Event { return calendar.Event{Kind: timetable.Lecture, Semester: term} }
	test := func(date string) calendar.Event { return calendar.Event{Kind: timetable.Test, Date: date} }
	exam := func(date, activity string) calendar.Event {
		return calendar.Event{Kind: timetable.Exam, Date: date, Activity: activity}
	}
	terms := calendar.Terms{"W2": mustRange(t, "2026-07-20..2026-09-04")}
	for _, c := range []struct {
		event calendar.Event
		want  string
	}{
		{lecture("S1"), "lecture/2026/S1"},
		{lecture("q2 "), "lecture/2026/S1"},
		{lecture("Q3"), "lecture/2026/S2"},
		{lecture("Y"), "lecture/2026/Y"},
		{lecture(""), "lecture/2026/"},
		{lecture("W1"), "lecture/2026/"},
		{lecture("w2"), "lecture/2026/S2"},
		{test("2026-06-30"), "test/2026/S1"},
		{test("2027-07-01"), "test/2027/S2"},
		{exam("2026-05-28", "Exam Written"), "exam/2026/S1"},
		{exam("2026-07-31", "Exam Written"), "exam/2026/S1"},
		{exam("2026-08-01", "Exam Written"), "exam/2026/S2"},
		{exam("2026-12-04", "Exam Oral"), "exam/2026/S2"},
		{exam("2026-06-29", "Supplementary Exam"), "exam/2026/S1-supplementary"},
		{exam("2026-12-04", "Exam SUPP"), "exam/2026/S2-supplementary"},
		{exam("2026-12-04", "Special Exam"), "exam/2026/S2-supplementary"},
	} {
		if s, ok := calendar.ScopeOf(c.event, 2026, terms); !ok || s.String() != c.want {
			t.Errorf("%+v is of %s (%v), want %s", c.event, s, ok, c.want)
		}
	}
	if s, ok := calendar.ScopeOf(exam("soon", ""), 2026, nil); ok {
		t.Errorf("an exam without a date is of %s", s)
	}
}
