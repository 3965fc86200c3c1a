package calendar

import (
	"errors"
	"testing"

	"github.com/schedgen/schedgen/shared/timetable"
)

func practical() Event {
	return Event{ID: "p", Kind: timetable.Lecture, Module: "COS 212", Activity: "P1", Group: "P02", Day: "Monday",
		StartTime: "08:30", EndTime: "10:20", IsRecurring: true, Semester: "S1"}
}

func paper() Event {
	return Event{ID: "x", Kind: timetable.Exam, Module: "COS 212", Activity: "Exam Written", Paper: "2", Date: "2026-06-08",
		StartTime: "08:30", EndTime: "11:30"}
}

func TestTitlesAreWrittenAsAsked(t *testing.T) {
	t.Parallel()
	for title, want := range map[Title]string{
		"": "COS 212 P1 (P02)", TitleFull: "COS 212 P1 (P02)", TitleActivity: "COS 212 P1", TitleGroup: "COS 212 P02",
		TitleKind: "COS 212 Practical", TitleModule: "COS 212",
	} {
		cal, err := Build([]Event{practical(), paper()}, Options{Year: 2026, Title: title})
		if err != nil {
			t.Fatal(err)
		}
		if got := cal.Items[0].Summary; got != want {
			t.Errorf("title %q: got %q, want %q", title, got, want)
		}
		if got, want := cal.Items[1].Summary, "COS 212 Exam Written paper 2"; got != want {
			t.Errorf("title %q changed an exam's: got %q, want %q", title, got, want)
		}
	}
}

func TestUnknownTitleIsRefused(t *testing.T) {
	t.Parallel()
	var refused *Error
	if _, err := Build([]Event{practical()}, Options{Year: 2026, Title: "loud"}); !errors.As(err, &refused) || refused.Code != InvalidOptions {
		t.Errorf("got %v, want an Error of code %s", err, InvalidOptions)
	}
}

func TestOmittedEventsAreLeftOut(t *testing.T) {
	t.Parallel()
	cal, err := Build([]Event{practical(), paper()}, Options{Year: 2026, Omit: []string{"p", "gone since"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(cal.Items) != 1 || cal.Items[0].Event.ID != "x" || len(cal.Warnings) != 0 {
		t.Errorf("got %d items and warnings %v, want the exam alone and no warning", len(cal.Items), cal.Warnings)
	}
}

func TestModulesLeftOut(t *testing.T) {
	t.Parallel()
	later := practical()
	later.ID, later.Module = "later", "COS 314"
	cal, err := Build([]Event{practical(), later}, Options{Year: 2026, Without: []string{"cos212", "PHY 999"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(cal.Items) != 1 || cal.Items[0].Event.ID != "later" || len(cal.Warnings) != 0 {
		t.Errorf("got %d items and warnings %v, want that of COS 314 alone and no warning", len(cal.Items), cal.Warnings)
	}
	many := make([]string, maxChoices+1)
	if _, err := Build([]Event{later}, Options{Year: 2026, Without: many}); err == nil {
		t.Errorf("%d modules left out are no error", len(many))
	}
}
