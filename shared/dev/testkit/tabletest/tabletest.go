// Package tabletest gives tests timetables without a PDF: small ones written by hand whose every
// row is known, generated ones of any size, and, where they are at hand, what real printed ones hold.
package tabletest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// LectureEvents is how many events [Lectures] makes: two practicals have a row for each of their rooms.
const LectureEvents = 16

// Lectures is a week of five modules of all terms but quarters, made up. PHY 131 has the practicals
// P01 to P04 of which a student takes one, and P03 sits in three rooms; MLB 112 and EKN 214 meet at
// the same time on Mondays. GTS 161 is a year module.
func Lectures() timetable.Document {
	return document(timetable.Lecture, [][]string{
		{"PHY 131", "S1", "G01", "L1", "Monday", "07:30", "08:20", "Aula North"},
		{"PHY 131", "S1", "G01", "L2", "Wednesday", "10:30", "11:20", "Aula North"},
		{"PHY 131", "S1", "G01", "L3", "Friday", "08:30", "09:20", "Aula South"},
		{"PHY 131", "S1", "P01", "P1", "Tuesday", "14:30", "17:20", "Optics bench 1"},
		{"PHY 131", "S1", "P02", "P1", "Wednesday", "14:30", "17:20", "Optics bench 1"},
		{"PHY 131", "S1", "P03", "P1", "Thursday", "14:30", "17:20", "Optics bench 1"},
		{"PHY 131", "S1", "P03", "P1", "Thursday", "14:30", "17:20", "Optics bench 2"},
		{"PHY 131", "S1", "P03", "P1", "Thursday", "14:30", "17:20", "Annexe 3, 4 and 5"},
		{"PHY 131", "S1", "P04", "P1", "Friday", "14:30", "17:20", "Optics bench 1"},
		{"MLB 112", "S2", "G01", "L1", "Monday", "09:30", "10:20", "Greenhouse 3"},
		{"MLB 112", "S2", "G01", "L2", "Thursday", "09:30", "10:20", "Greenhouse 3"},
		{"MLB 112", "S2", "T01", "T1", "Tuesday", "11:30", "12:20", "Greenhouse 4"},
		{"MLB 112", "S2", "T02", "T1", "Tuesday", "12:30", "13:20", "Greenhouse 4"},
		{"FSK 176", "S2", "G01", "L1", "Tuesday", "07:30", "09:20", "Aula South"},
		{"FSK 176", "S2", "P01", "P1", "Friday", "10:30", "13:20", "Kitchen 1"},
		{"FSK 176", "S2", "P01", "P1", "Friday", "10:30", "13:20", "Kitchen 2"},
		{"EKN 214", "S2", "G01", "L1", "Monday", "10:00", "10:50", "Exchange 2-7"},
		{"EKN 214", "S2", "G01", "L2", "Wednesday", "16:30", "17:20", "Exchange 2-7"},
		{"GTS 161", "Y", "G01", "L1", "Friday", "07:30", "08:20", ""},
	}, func(cell []string, e *timetable.Entry) {
		e.Offered, e.Group, e.Activity, e.Day = cell[1], cell[2], cell[3], cell[4]
		e.StartTime, e.EndTime, e.Campus, e.Lang = cell[5], cell[6], "HATFIELD", "E "+cell[3][:1]
	})
}

// Tests is three made-up semester tests; the last is on Freedom Day.
func Tests() timetable.Document {
	return document(timetable.Test, [][]string{
		{"PHY 131", "Test1", "2026-03-14", "09:00", "10:30", "Aula North"},
		{"MLB 112", "PTest 1", "2026-04-20", "17:30", "19:00", "Greenhouse 3"},
		{"PHY 131", "Test2", "2026-04-27", "09:00", "11:00", "Aula South"},
	}, func(cell []string, e *timetable.Entry) {
		e.Test, e.Date, e.StartTime, e.EndTime, e.Campus = cell[1], cell[2], cell[3], cell[4], "HATFIELD"
		e.Day = dayOf(e.Date)
	})
}

// Exams is two made-up papers; the timetable prints no end.
func Exams() timetable.Document {
	return document(timetable.Exam, [][]string{
		{"PHY 131", "1", "2026-06-04", "07:30", "Aula North"},
		{"PHY 131", "2", "2026-06-05", "15:00", "Aula South"},
	}, func(cell []string, e *timetable.Entry) {
		e.Paper, e.Date, e.StartTime, e.Activity = cell[1], cell[2], cell[3], "Exam Written"
		e.Status, e.Campus = "FINAL", "HATFIELD"
	})
}

// document makes entries of rows of cells, each of which begins with the module and ends with the venue.
func document(kind timetable.Kind, rows [][]string, fill func(cell []string, e *timetable.Entry)) timetable.Document {
	doc := timetable.Document{Kind: kind, Entries: make([]timetable.Entry, 0, len(rows))}
	for _, cell := range rows {
		e := timetable.Entry{Module: cell[0], Venues: []string{}, Page: 1}
		if venue := cell[len(cell)-1]; venue != "" {
			e.Venues = append(e.Venues, venue)
		}
		fill(cell, &e)
		doc.Entries = append(doc.Entries, e)
	}
	return doc
}

func dayOf(date string) string {
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err) // the dates above are dates
	}
	return day.Weekday().String()
}

// Generated is the truth of a generated timetable.
func Generated(t testing.TB, o fixture.Options) timetable.Document {
	t.Helper()
	_, doc, err := fixture.Generate(o)
	if err != nil {
		t.Fatalf("generate %+v: %v", o, err)
	}
	return doc
}

// Seed is a fresh seed, printed with the test so that it can be run again with the same.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return seed
}

// Real gives what the real printed timetable of that name holds. It skips the test where there is none.
func Real(t testing.TB, name string) timetable.Document {
	t.Helper()
	dir := os.Getenv("SCHEDGEN_SAMPLES")
	if dir == "" {
		t.Skip("set SCHEDGEN_SAMPLES to a folder of real PDFs, each with its .truth.json, to hold calendars against them")
	}
	data, err := os.ReadFile(filepath.Join(dir, name+".truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var printed struct {
		Type timetable.Kind
		Rows []row
	}
	if err := json.Unmarshal(data, &printed); err != nil {
		t.Fatalf("read the truth of %s: %v", name, err)
	}
	doc := timetable.Document{Kind: printed.Type}
	for _, r := range printed.Rows {
		doc.Entries = append(doc.Entries, r.entry())
	}
	return doc
}

// row is a printed line as the truth of a real timetable tells it.
type row struct {
	Module, Offered, Group, Lang, Campus, Activity, Day, Date, Start, End, Venue, Test, Paper, Status, Comments string
	Venues                                                                                                      []string
	Page                                                                                                        int
}

func (r row) entry() timetable.Entry {
	venues := r.Venues
	if r.Venue != "" {
		venues = []string{r.Venue}
	}
	return timetable.Entry{
		Module: r.Module, Offered: r.Offered, Group: r.Group, Lang: r.Lang, Campus: r.Campus, Activity: r.Activity,
		Day: r.Day, Date: r.Date, StartTime: r.Start, EndTime: r.End, Venues: venues, Test: r.Test,
		Paper: r.Paper, Status: r.Status, Comments: r.Comments, Page: r.Page,
	}
}
