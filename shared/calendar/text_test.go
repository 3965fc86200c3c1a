package calendar_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestItemsSayWhatTheyAre in the words that every kind of calendar takes.
func TestItemsSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	cal, err := calendar.Build([]calendar.Event{
		{Kind: timetable.Lecture, Module: "COS 110", Activity: "L1", Day: "Monday", Semester: "S1", StartTime: "08:30", EndTime: "09:20", Venues: []string{"IT 4-4", "IT 4-5"}},
		{Kind: timetable.Exam, Module: "COS 110", Activity: "Exam Written", Date: "2026-06-03", StartTime: "08:00", Campus: "HATFIELD", Status: "DRAFT",
			Warnings: []timetable.Warning{{Message: "it is smudged", Page: 2, Row: 3}}},
	}, calendar.Options{Year: 2026, Exclude: []calendar.Range{{Start: calendar.Date{Year: 2026, Month: 3, Day: 23}, End: calendar.Date{Year: 2026, Month: 3, Day: 29}}}})
	if err != nil {
		t.Fatal(err)
	}
	lecture, exam := cal.Items[0], cal.Items[1]
	lines := lecture.Recurrence()
	if lines[0] != "RRULE:FREQ=WEEKLY;UNTIL=20260518T063000Z" || !slices.Contains(lines, "EXDATE;TZID=Africa/Johannesburg:20260323T083000") || exam.Recurrence() != nil {
		t.Errorf("the lecture recurs as %q, the exam as %q", lines, exam.Recurrence())
	}
	if lecture.Location() != "IT 4-4; IT 4-5" || exam.Location() != "HATFIELD" || lecture.Tentative() || !exam.Tentative() || lecture.Year() != 2026 {
		t.Errorf("the lecture is at %q, the exam at %q, tentative %v and %v", lecture.Location(), exam.Location(), lecture.Tentative(), exam.Tentative())
	}
	for _, want := range []string{"Rooms: IT 4-4; IT 4-5", "Semester: S1"} {
		if !strings.Contains(lecture.Description(), want) {
			t.Errorf("the lecture says %q, want %q in it", lecture.Description(), want)
		}
	}
	for _, want := range []string{"Status: DRAFT", "The end time is an estimate", "it is smudged (page 2, row 3)"} {
		if !strings.Contains(exam.Description(), want) {
			t.Errorf("the exam says %q, want %q in it", exam.Description(), want)
		}
	}
}
