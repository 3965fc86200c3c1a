package calendar_test

import (
	"crypto/rand"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// titled is a weekly event as the first frontend sends it, with another id each time.
func titled(change ...func(*calendar.Event)) calendar.Event {
	e := calendar.Event{
		ID: rand.Text(), Summary: "COS 212 Practical (P02)", Location: "Informatorium Grey Lab", Day: "Wednesday",
		StartTime: "14:30", EndTime: "17:20", IsRecurring: true, ColorID: "3", Notes: "bring the laptop",
	}
	for _, c := range change {
		c(&e)
	}
	return e
}

// dated is a test as the first frontend sends it.
func dated(change ...func(*calendar.Event)) calendar.Event {
	return titled(append([]func(*calendar.Event){func(e *calendar.Event) {
		e.Summary, e.Day, e.Date, e.IsRecurring = "STK 220 PTest 1", "", "2026-08-29", false
	}}, change...)...)
}

// firstSemester is what the first frontend sends of a semester.
func firstSemester(t *testing.T) calendar.Options {
	t.Helper()
	var opts calendar.Options
	opts.UseSemester(mustRange(t, "2026-02-09..2026-05-22"))
	return opts
}

func TestTitledEventSaysWhatItsCallerSays(t *testing.T) {
	t.Parallel()
	c := build(t, firstSemester(t), titled(), dated())
	weekly, once := c.Items[0], c.Items[1]
	if weekly.Summary != "COS 212 Practical (P02)" || weekly.Location() != "Informatorium Grey Lab" || weekly.Color != "darkorchid" ||
		weekly.Description() != "Notes: bring the laptop" || weekly.Start.Format("2006-01-02 15:04") != "2026-02-11 14:30" {
		t.Errorf("the weekly event is %+v", weekly)
	}
	if once.Summary != "STK 220 PTest 1" || once.Event.Kind != timetable.Test || once.Start.Format("2006-01-02 15:04") != "2026-08-29 14:30" {
		t.Errorf("the dated event is %+v", once)
	}
	if len(c.Warnings) > 0 || len(weekly.Warnings) > 0 {
		t.Errorf("it warns: %v %v", c.Warnings, weekly.Warnings)
	}
}

// TestTitledEventKeepsItsUID whatever else of it changes, and whatever stands beside it.
func TestTitledEventKeepsItsUID(t *testing.T) {
	t.Parallel()
	uid := func(e calendar.Event, beside ...calendar.Event) string {
		return build(t, firstSemester(t), append([]calendar.Event{e}, beside...)...).Items[0].UID
	}
	weekly, once := uid(titled()), uid(dated())
	for name, c := range map[string]struct {
		event calendar.Event
		want  string // empty: another UID
	}{
		"again":            {titled(), weekly},
		"another room":     {titled(func(e *calendar.Event) { e.Location = "IT 4-4" }), weekly},
		"another colour":   {titled(func(e *calendar.Event) { e.ColorID = "11" }), weekly},
		"no note":          {titled(func(e *calendar.Event) { e.Notes = "" }), weekly},
		"another end":      {titled(func(e *calendar.Event) { e.EndTime = "16:20" }), weekly},
		"day in capitals":  {titled(func(e *calendar.Event) { e.Day = "WEDNESDAY" }), weekly},
		"spaces":           {titled(func(e *calendar.Event) { e.Summary = "COS 212  Practical (P02)" }), weekly},
		"its term by name": {titled(func(e *calendar.Event) { e.Semester = "S1" }), weekly},
		"another day":      {titled(func(e *calendar.Event) { e.Day = "Friday" }), ""},
		"another start":    {titled(func(e *calendar.Event) { e.StartTime = "15:30" }), ""},
		"another title":    {titled(func(e *calendar.Event) { e.Summary = "COS 212 Practical (P01)" }), ""},
		"a dated one":      {dated(), once},
		"its timestamp":    {dated(func(e *calendar.Event) { e.Date = "2026-08-29T00:00:00.000Z" }), once},
		"local midnight":   {dated(func(e *calendar.Event) { e.Date = "2026-08-28T22:00:00.000Z" }), once},
		"another date":     {dated(func(e *calendar.Event) { e.Date = "2026-08-30" }), ""},
		"a note's date":    {dated(func(e *calendar.Event) { e.Notes = "2026-08-30" }), once},
	} {
		got := uid(c.event, titled(), titled(func(e *calendar.Event) { e.Day = "Monday" }), dated())
		if c.want != "" && got != c.want || c.want == "" && (got == weekly || got == once) {
			t.Errorf("%s: the UID is %s; want %q, of %s and %s", name, got, c.want, weekly, once)
		}
	}
}

// TestTitledEventOfTheOtherSemesterIsAnother: it must not move what is in the calendar.
func TestTitledEventOfTheOtherSemesterIsAnother(t *testing.T) {
	t.Parallel()
	uids := map[string]string{}
	for _, dates := range []string{"2026-02-09..2026-05-22", "2026-02-16..2026-06-05", "2026-07-13..2026-10-16", "2027-02-08..2027-05-21"} {
		var opts calendar.Options
		opts.UseSemester(mustRange(t, dates))
		uids[dates] = build(t, opts, titled()).Items[0].UID
	}
	if uids["2026-02-09..2026-05-22"] != uids["2026-02-16..2026-06-05"] {
		t.Errorf("mended dates of a semester make another event: %v", uids)
	}
	if uids["2026-02-09..2026-05-22"] == uids["2026-07-13..2026-10-16"] || uids["2026-02-09..2026-05-22"] == uids["2027-02-08..2027-05-21"] {
		t.Errorf("two semesters share an event: %v", uids)
	}
}

func TestTitledEventThatComesTwiceIsOne(t *testing.T) {
	t.Parallel()
	other := titled(func(e *calendar.Event) { e.Location = "IT 4-4" })
	longer := titled(func(e *calendar.Event) { e.EndTime = "18:20" })
	events := []calendar.Event{titled(), titled(), other, longer}
	before := slices.Clone(events)
	c := build(t, firstSemester(t), events...)
	if len(c.Items) != 2 || c.Items[0].Location() != "Informatorium Grey Lab; IT 4-4" || c.Items[0].Event.Notes != "bring the laptop" {
		t.Errorf("the items are %+v, want one in two places and one that ends later", c.Items)
	}
	if c.Items[0].UID == c.Items[1].UID || !strings.HasSuffix(c.Items[1].UID, c.Items[0].UID) {
		t.Errorf("the UIDs are %s and %s", c.Items[0].UID, c.Items[1].UID)
	}
	for i := range events {
		if events[i].Location != before[i].Location || events[i].ID != before[i].ID {
			t.Errorf("the caller's event became %+v", events[i])
		}
	}
}

// TestGivenColorsAreOfModules: the colour that a caller gave one event is no module's.
func TestGivenColorsAreOfModules(t *testing.T) {
	t.Parallel()
	c := build(t, firstSemester(t), titled(), titled(func(e *calendar.Event) { e.Summary, e.Module, e.ColorID = "Mine", "COS 212", "" }))
	given := calendar.SavedColors{}.With(c)
	if len(given) != 1 || given["COS 212"] != c.Items[1].Color {
		t.Errorf("the given colours are %v of %+v", given, c.Items)
	}
}
