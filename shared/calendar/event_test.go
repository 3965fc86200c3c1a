package calendar_test

import (
	"slices"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestRowsInSeveralRoomsAreOneEvent(t *testing.T) {
	t.Parallel()
	events := calendar.Events(truth(t, "UP_MOD_XLS"))
	e := find(t, events, "COS 284", "P01")
	want := []string{"Informatorium Brown Lab", "Informatorium Green Lab", "Informatorium Grey Lab", "Informatorium Purple Lab"}
	if !slices.Equal(e.Venues, want) {
		t.Errorf("venues are %q, want %q", e.Venues, want)
	}
	if want := "Informatorium Brown Lab; Informatorium Green Lab; Informatorium Grey Lab; Informatorium Purple Lab"; e.Venue != want {
		t.Errorf("venue is %q, want %q", e.Venue, want)
	}
	across := find(t, events, "STK 220", "P03") // its rows break across two pages
	if len(across.Venues) != 3 {
		t.Errorf("STK 220 P03 is in %q, want three rooms", across.Venues)
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

// TestEveryPrintedRowIsInAnEvent holds for each sample: nothing is lost and nothing invented.
func TestEveryPrintedRowIsInAnEvent(t *testing.T) {
	t.Parallel()
	for sample, count := range map[string]int{"UP_MOD_XLS": 30, "UP_TST_PDF": 12, "UP_EXAM_SS": 5} {
		doc := truth(t, sample)
		events := calendar.Events(doc)
		if len(events) != count {
			t.Errorf("%s: %d events, want %d", sample, len(events), count)
		}
		for _, row := range doc.Entries {
			held := slices.ContainsFunc(events, func(e calendar.Event) bool {
				return e.Module == row.Module && e.Group == row.Group && e.Day == row.Day && e.Date == row.Date &&
					e.StartTime == row.StartTime && !slices.ContainsFunc(row.Venues, func(v string) bool { return !slices.Contains(e.Venues, v) })
			})
			if !held {
				t.Errorf("%s: no event for the row %+v", sample, row)
			}
		}
	}
}

func TestIDsAreUniqueAndTheSameOnEveryUpload(t *testing.T) {
	t.Parallel()
	for _, sample := range []string{"UP_MOD_XLS", "UP_TST_PDF", "UP_EXAM_SS"} {
		first, second := calendar.Events(truth(t, sample)), calendar.Events(truth(t, sample))
		seen := map[string]bool{}
		for i := range first {
			if first[i].ID == "" || first[i].ID != second[i].ID {
				t.Errorf("%s: ids %q and %q of one row", sample, first[i].ID, second[i].ID)
			}
			if seen[first[i].ID] {
				t.Errorf("%s: id %q twice", sample, first[i].ID)
			}
			seen[first[i].ID] = true
		}
	}
}

// TestIDsDoNotChange pins an id: a change of the hash would double every calendar out there.
func TestIDsDoNotChange(t *testing.T) {
	t.Parallel()
	events := calendar.Events(truth(t, "UP_MOD_XLS"))
	if got, want := events[0].ID, "98699f80e4ac0c89"; got != want {
		t.Errorf("the id of COS 214 L1 is %q, want %q", got, want)
	}
}

func TestMovedLectureKeepsItsID(t *testing.T) {
	t.Parallel()
	doc := truth(t, "UP_MOD_XLS")
	before := calendar.Events(doc)
	doc.Entries[0].Day, doc.Entries[0].StartTime, doc.Entries[0].EndTime = "Wednesday", "16:30", "17:20"
	doc.Entries[0].Venues = []string{"Elsewhere"}
	after := calendar.Events(doc)
	for i := range before {
		if before[i].ID != after[i].ID {
			t.Errorf("%s %s %s has a new id after COS 214 L1 moved", before[i].Module, before[i].Group, before[i].Activity)
		}
	}
}

func TestSameNameIsToldApartByDayThenTimeThenOrder(t *testing.T) {
	t.Parallel()
	row := func(day, start, end string) timetable.Entry {
		return timetable.Entry{Module: "COS 212", Offered: "S1", Group: "G01", Activity: "L1", Day: day, StartTime: start, EndTime: end}
	}
	alone := calendar.Events(lectures(row("Monday", "07:30", "08:20")))[0].ID
	events := calendar.Events(lectures(row("Monday", "07:30", "08:20"), row("Tuesday", "07:30", "08:20"),
		row("Tuesday", "09:30", "10:20"), row("Friday", "", ""), row("Friday", "", "")))
	seen := map[string]bool{alone: true}
	for _, e := range events {
		if seen[e.ID] {
			t.Errorf("%s %s has an id that another has", e.Day, e.StartTime)
		}
		seen[e.ID] = true
	}
	moved := calendar.Events(lectures(row("Monday", "10:30", "11:20"), row("Tuesday", "07:30", "08:20")))
	if moved[0].ID != events[0].ID {
		t.Error("a lecture that is told apart by its day got a new id when its time moved")
	}
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
