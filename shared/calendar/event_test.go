package calendar_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestRowsInSeveralRoomsAreOneEvent(t *testing.T) {
	t.Parallel()
	e := find(t, calendar.Events(tabletest.Lectures()), "PHY 131", "P03")
	if want := []string{"Optics bench 1", "Optics bench 2", "Annexe 3, 4 and 5"}; !slices.Equal(e.Venues, want) {
		t.Errorf("venues are %q, want %q", e.Venues, want)
	}
	if want := "Optics bench 1; Optics bench 2; Annexe 3, 4 and 5"; e.Venue != want {
		t.Errorf("venue is %q, want %q", e.Venue, want)
	}
}

// TestRoomsOnTwoCampusesKeepWhatEachSays: what differs between the rows of one event is kept from all.
func TestRoomsOnTwoCampusesKeepWhatEachSays(t *testing.T) {
	t.Parallel()
	first := timetable.Entry{Module: "PHY 131", Activity: "Exam Written", Paper: "1", Date: "2026-06-04", StartTime: "07:30", EndTime: "10:30",
		Venues: []string{"Aula North"}, Campus: "HATFIELD", Comments: "Open book"}
	second, third := first, first
	second.Venues, second.Campus, second.Comments, second.EndTimeEstimated = []string{"Hall 2"}, "MAMELODI", "", true
	third.Venues, third.Status = []string{"Aula North", "Hall 3"}, "FINAL"
	events := calendar.Events(timetable.Document{Kind: timetable.Exam, Entries: []timetable.Entry{first, second, third}})
	if len(events) != 1 {
		t.Fatalf("%d events, want one: %+v", len(events), events)
	}
	e := events[0]
	if e.Venue != "Aula North; Hall 2; Hall 3" || e.Campus != "HATFIELD; MAMELODI" || e.Notes != "Open book" || e.Status != "FINAL" || !e.EndTimeEstimated {
		t.Errorf("the event is %+v", e)
	}
}

func TestGroupsAreNeverMerged(t *testing.T) {
	t.Parallel()
	row := timetable.Entry{Module: "COS 212", Offered: "S1", Group: "P01", Activity: "P1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"}
	other := row
	other.Group = "P02"
	if events := calendar.Events(lectures(row, other)); len(events) != 2 {
		t.Errorf("two groups at one time became %d events, want 2", len(events))
	}
}

func TestRowsWithoutATimeAreNotMerged(t *testing.T) {
	t.Parallel()
	row := timetable.Entry{Module: "COS 212", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday",
		Warnings: []timetable.Warning{{Code: timetable.NoTime}}}
	events := calendar.Events(lectures(row, row))
	if len(events) != 2 || events[0].ID == events[1].ID {
		t.Errorf("got %d events, want 2 of different ids: %+v", len(events), events)
	}
}

// TestEveryPrintedRowIsInAnEvent holds for generated and for real timetables: nothing is lost,
// nothing invented, and no event has an id that another has, or another id on the next upload.
func TestEveryPrintedRowIsInAnEvent(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	for n := range uint64(200) {
		holdRows(t, fmt.Sprintf("seed %d", seed+n), tabletest.Generated(t, fixture.Random(seed+n)))
	}
	for _, name := range []string{"UP_MOD_XLS", "UP_TST_PDF", "UP_EXAM_SS"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			holdRows(t, name, tabletest.Real(t, name))
		})
	}
}

func holdRows(t *testing.T, name string, doc timetable.Document) {
	t.Helper()
	events, again := calendar.Events(doc), calendar.Events(doc)
	rooms, printed := 0, 0
	for _, row := range doc.Entries {
		printed += len(row.Venues)
		held := slices.ContainsFunc(events, func(e calendar.Event) bool {
			return e.Module == row.Module && e.Group == row.Group && e.Semester == row.Offered && e.Day == row.Day && e.Date == row.Date &&
				e.StartTime == row.StartTime && e.EndTime == row.EndTime && e.Test == row.Test && e.Paper == row.Paper &&
				!slices.ContainsFunc(row.Venues, func(v string) bool { return !slices.Contains(e.Venues, v) })
		})
		if !held {
			t.Errorf("%s: no event for the row %+v", name, row)
		}
	}
	seen := map[string]bool{}
	for i, e := range events {
		rooms += len(e.Venues)
		if e.ID == "" || seen[e.ID] || e.ID != again[i].ID {
			t.Errorf("%s: %s %s has the id %q, then %q; want one of its own", name, e.Module, e.Activity, e.ID, again[i].ID)
		}
		seen[e.ID] = true
	}
	if rooms > printed {
		t.Errorf("%s: the events have %d rooms, and %d are printed", name, rooms, printed)
	}
}

// TestIDsDoNotChange pins an id: a change of the hash would double every calendar out there.
func TestIDsDoNotChange(t *testing.T) {
	t.Parallel()
	for doc, want := range map[*timetable.Document]string{new(tabletest.Lectures()): "36b16c7b5c707730", new(tabletest.Tests()): "5b58a456ce2a81cf", new(tabletest.Exams()): "7e44a6fa1771baf5"} {
		if e := calendar.Events(*doc)[0]; e.ID != want {
			t.Errorf("the id of %s %s is %q, want %q", e.Module, e.Activity, e.ID, want)
		}
	}
}

func TestMovedLectureKeepsItsID(t *testing.T) {
	t.Parallel()
	doc := tabletest.Lectures()
	before := calendar.Events(doc)
	doc.Entries[0].Day, doc.Entries[0].StartTime, doc.Entries[0].EndTime = "Wednesday", "16:30", "17:20"
	doc.Entries[0].Venues = []string{"Elsewhere"}
	after := calendar.Events(doc)
	for i := range before {
		if before[i].ID != after[i].ID {
			t.Errorf("%s %s %s has a new id after PHY 131 L1 moved", before[i].Module, before[i].Group, before[i].Activity)
		}
	}
}

func TestSameNameIsToldApartByDayThenTimeThenOrder(t *testing.T) {
	t.Parallel()
	row := func(day, start, end string) timetable.Entry {
		return timetable.Entry{Module: "COS 212", Offered: "S1", Group: "G01", Activity: "L1", Day: day, StartTime: start, EndTime: end}
	}
	alone := calendar.Events(lectures(row("Monday", "07:30", "08:20")))[0].ID
	rows := []timetable.Entry{row("Monday", "07:30", "08:20"), row("Tuesday", "07:30", "08:20"),
		row("Tuesday", "09:30", "10:20"), row("Friday", "", ""), row("Friday", "", "")}
	events := calendar.Events(lectures(rows...))
	if events[0].ID != alone {
		t.Errorf("the first slot has the id %s, and had %s before there were others", events[0].ID, alone)
	}
	seen := map[string]bool{}
	for _, e := range events {
		if seen[e.ID] {
			t.Errorf("%s %s has an id that another has", e.Day, e.StartTime)
		}
		seen[e.ID] = true
	}
	if moved := calendar.Events(lectures(row("Monday", "10:30", "11:20"), rows[1])); moved[0].ID != events[0].ID || moved[1].ID != events[1].ID {
		t.Error("a lecture of several got a new id when the time of one moved")
	}
	for n := range rows { // what comes later in the week changes nothing
		for i, e := range calendar.Events(lectures(rows[:n+1]...)) {
			if e.ID != events[i].ID {
				t.Errorf("%s %s has another id beside %d slots", e.Day, e.StartTime, n+1)
			}
		}
	}
}

// TestOrderAndOthersChangeNoID holds for generated timetables: an event's id depends neither on the order of
// the rows nor on events of other names.
func TestOrderAndOthersChangeNoID(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	for n := range uint64(100) {
		doc := tabletest.Generated(t, fixture.Random(seed+n))
		random := rand.New(rand.NewPCG(seed+n, 1))
		ids := idsOf(calendar.Events(doc))
		shuffled := timetable.Document{Kind: doc.Kind, Entries: slices.Clone(doc.Entries)}
		random.Shuffle(len(shuffled.Entries), func(i, j int) {
			shuffled.Entries[i], shuffled.Entries[j] = shuffled.Entries[j], shuffled.Entries[i]
		})
		if got := idsOf(calendar.Events(shuffled)); !maps.Equal(got, ids) {
			t.Errorf("seed %d: rows in another order give\n%v, want\n%v", seed+n, got, ids)
		}
		gone := doc.Entries[random.IntN(len(doc.Entries))].Module
		rest := timetable.Document{Kind: doc.Kind, Entries: slices.DeleteFunc(slices.Clone(doc.Entries), func(e timetable.Entry) bool { return e.Module == gone })}
		for what, id := range idsOf(calendar.Events(rest)) {
			if ids[what] != id {
				t.Errorf("seed %d: without %s, %s has the id %s, want %s", seed+n, gone, what, id, ids[what])
			}
		}
	}
}

// idsOf gives ids by all that events say of what, when and, as the first to tell equals apart, where.
func idsOf(events []calendar.Event) map[string]string {
	ids := make(map[string]string, len(events))
	for _, e := range events {
		slices.Sort(e.Venues)
		ids[fmt.Sprint(e.Module, e.Semester, e.Group, e.Activity, e.Paper, e.Day, e.Date, e.StartTime, e.EndTime, e.Venues)] = e.ID
	}
	return ids
}

func TestJuneAndNovemberPapersAreTwoThings(t *testing.T) {
	t.Parallel()
	exam := func(date string) string {
		doc := timetable.Document{Kind: timetable.Exam, Entries: []timetable.Entry{{Module: "WTW 114", Activity: "Exam Written", Paper: "1", Date: date, StartTime: "07:30"}}}
		return calendar.Events(doc)[0].ID
	}
	if exam("2026-06-08") == exam("2026-11-08") {
		t.Error("the June and the November paper have one id")
	}
	if exam("2026-06-08") != exam("2026-06-10") {
		t.Error("a moved paper got a new id")
	}
}

func find(t *testing.T, events []calendar.Event, module, group string) calendar.Event {
	t.Helper()
	for _, e := range events {
		if e.Module == module && e.Group == group {
			return e
		}
	}
	t.Fatalf("no event of %s %s", module, group)
	return calendar.Event{}
}

func lectures(rows ...timetable.Entry) timetable.Document {
	return timetable.Document{Kind: timetable.Lecture, Entries: rows}
}
