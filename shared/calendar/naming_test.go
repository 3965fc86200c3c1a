package calendar_test

import (
	"crypto/rand"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestColorsAreStable(t *testing.T) {
	t.Parallel()
	events := calendar.Events(tabletest.Lectures())
	all := build(t, calendar.Options{Year: 2026, Colors: map[string]string{"phy 131": "Tomato"}}, events...)
	one := build(t, calendar.Options{Year: 2026, Modules: []string{"EKN 214"}}, events...)
	seen := map[string]string{}
	for _, i := range all.Items {
		if i.Event.Module == "PHY 131" && i.Color != "tomato" {
			t.Errorf("PHY 131 is %s, want the chosen colour", i.Color)
		}
		if module, ok := seen[i.Color]; ok && module != i.Event.Module {
			t.Errorf("%s and %s are both %s", module, i.Event.Module, i.Color)
		}
		seen[i.Color] = i.Event.Module
	}
	if seen[one.Items[0].Color] != "EKN 214" {
		t.Errorf("EKN 214 alone is %s, which is not its colour among others", one.Items[0].Color)
	}
}

// TestNewModulesKeepColorsThatAreChosen is what a feed relies on.
func TestNewModulesKeepColorsThatAreChosen(t *testing.T) {
	t.Parallel()
	names := []string{"AAA 100", "BBB 100", "CCC 100", "DDD 100", "EEE 100", "FFF 100", "GGG 100", "HHH 100", "III 100", "JJJ 100", "KKK 100", "LLL 100"}
	chosen := map[string]string{}
	for n := range names { // each comes before those that are there
		var events []calendar.Event
		for _, name := range names[len(names)-1-n:] {
			e := lecture("S1", "Monday")
			e.Module = name
			events = append(events, e)
		}
		seen := map[string]bool{}
		for _, i := range build(t, calendar.Options{Year: 2026, Colors: chosen}, events...).Items {
			if before, ok := chosen[i.Event.Module]; ok && before != i.Color || seen[i.Color] {
				t.Errorf("of %d modules %s is %s, want %q and no other's", n+1, i.Event.Module, i.Color, before)
			}
			seen[i.Color] = true
			chosen[i.Event.Module] = i.Color
		}
	}
}

func TestTitleTellsGroupsApart(t *testing.T) {
	t.Parallel()
	g1, g2, p1 := lecture("S1", "Monday"), lecture("S1", "Tuesday"), lecture("S1", "Friday")
	g2.Group, p1.Group, p1.Activity = "G02", "P01", "P1"
	for _, test := range []struct {
		events []calendar.Event
		want   []string
	}{
		{[]calendar.Event{g1, p1}, []string{"COS 212 L1", "COS 212 P1 (P01)"}},
		{[]calendar.Event{g1, g2, p1}, []string{"COS 212 L1 (G01)", "COS 212 L1 (G02)", "COS 212 P1 (P01)"}},
	} {
		var got []string
		for _, i := range build(t, calendar.Options{Year: 2026}, test.events...).Items {
			got = append(got, i.Summary)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("titles are %q, want %q", got, test.want)
		}
	}
}

func TestCallersEventsAreNotChanged(t *testing.T) {
	t.Parallel()
	events := []calendar.Event{{Module: "COS 212", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Venue: "IT 4-4"}}
	before := events[0]
	opts := calendar.Options{}
	opts.UseSemester(mustRange(t, "2026-02-09..2026-05-22"))
	c := build(t, opts, events...)
	if !reflect.DeepEqual(events[0], before) {
		t.Errorf("the event became %+v", events[0])
	}
	if e := c.Items[0].Event; e.Kind != timetable.Lecture || !e.IsRecurring || e.ID == "" || !slices.Equal(e.Venues, []string{"IT 4-4"}) {
		t.Errorf("the item's event is %+v, want it completed", e)
	}
}

// TestKindIsToldFromWhatIsGiven: the first frontend's events have none.
func TestKindIsToldFromWhatIsGiven(t *testing.T) {
	t.Parallel()
	for want, e := range map[timetable.Kind]calendar.Event{
		timetable.Lecture: {Module: "PHY 131", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Semester: "S1"},
		timetable.Test:    {Module: "PHY 131", Activity: "Test1", Date: "2026-03-14", StartTime: "08:30", EndTime: "09:20"},
		timetable.Exam:    {Module: "PHY 131", Activity: "EXAM Written", Date: "2026-06-04", StartTime: "07:30"},
	} {
		if got := build(t, calendar.Options{Year: 2026}, e).Items[0].Event.Kind; got != want {
			t.Errorf("%s is a %s, want a %s", e.Activity, got, want)
		}
	}
}

// TestNoTwoItemsShareAUID, whatever a caller sends.
func TestNoTwoItemsShareAUID(t *testing.T) {
	t.Parallel()
	alone := build(t, calendar.Options{Year: 2026}, lecture("S1", "Monday")).Items[0]
	ours, foreign, same := lecture("S1", "Monday"), lecture("S1", "Monday"), lecture("S1", "Monday")
	ours.ID, foreign.ID, same.ID = alone.Event.ID, "foreign", alone.Event.ID
	seen := map[string]bool{}
	for _, i := range build(t, calendar.Options{Year: 2026}, ours, foreign, same).Items {
		if seen[i.UID] || seen[i.Event.ID] {
			t.Errorf("UID %s or id %s comes twice", i.UID, i.Event.ID)
		}
		seen[i.UID], seen[i.Event.ID] = true, true
	}
	if !seen[alone.UID] {
		t.Errorf("none of %v is the UID %s that the event has alone", seen, alone.UID)
	}
}

// TestIDsFromElsewhereDoubleNothing: another id on every upload gives the same UID, one id in two
// timetables gives two, and the events keep the ids that their sender knows.
func TestIDsFromElsewhereDoubleNothing(t *testing.T) {
	t.Parallel()
	lectures, tests := calendar.Events(tabletest.Lectures()), calendar.Events(tabletest.Tests())
	opts := calendar.Options{Year: 2026}
	uids := func(events []calendar.Event, id func(n int) string) []string {
		events = slices.Clone(events)
		for n := range events {
			if id != nil {
				events[n].ID = id(n)
			}
		}
		var all []string
		for n, i := range build(t, opts, events...).Items {
			if i.Event.ID != events[n].ID {
				t.Errorf("the id %q became %q", events[n].ID, i.Event.ID)
			}
			all = append(all, i.UID)
		}
		return all
	}
	numbered := func(n int) string { return fmt.Sprint("event ", n) }
	ours := uids(lectures, nil)
	for name, id := range map[string]func(int) string{
		"numbers": numbered, "random": func(int) string { return rand.Text() }, "with what needs escaping": func(n int) string { return fmt.Sprint(n, ";\r\n,") },
	} {
		if got := uids(lectures, id); !slices.Equal(got, ours) {
			t.Errorf("%s: UIDs are\n%q, want\n%q", name, got, ours)
		}
	}
	for _, uid := range uids(tests, numbered) {
		if slices.Contains(ours, uid) {
			t.Errorf("a test's UID %s is a lecture's", uid)
		}
	}
	some := slices.Concat(lectures[:1], lectures[9:10])
	if got, want := uids(some, nil), []string{ours[0], ours[9]}; !slices.Equal(got, want) {
		t.Errorf("two of the events alone have the UIDs %q, want %q", got, want)
	}
}

func TestCalendarIsNamedAfterItsKind(t *testing.T) {
	t.Parallel()
	lectures, tests, exams := calendar.Events(tabletest.Lectures()), calendar.Events(tabletest.Tests()), calendar.Events(tabletest.Exams())
	for want, events := range map[string][]calendar.Event{
		"UP lectures": lectures, "UP tests": tests, "UP exams": exams, "UP timetable": slices.Concat(tests, exams),
	} {
		if got := build(t, calendar.Options{Year: 2026}, events...).Name; got != want {
			t.Errorf("the calendar is named %q, want %q", got, want)
		}
	}
	if got := build(t, calendar.Options{Name: "Mine"}, tests...).Name; got != "Mine" {
		t.Errorf("a given name became %q", got)
	}
}
