package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// printed is a PDF with what it says.
type printed struct {
	name string
	pdf  []byte
	doc  timetable.Document
}

// generated makes a timetable.
func generated(t testing.TB, o fixture.Options) printed {
	t.Helper()
	pdf, doc, err := fixture.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	return printed{fmt.Sprintf("generated %s %d", o.Kind, o.Seed), pdf, doc}
}

// timetables are one made-up timetable of each kind, and the real ones where they are at hand.
func timetables(t testing.TB) []printed {
	t.Helper()
	all := []printed{
		generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5}),
		semesterLectures(t),
		generated(t, fixture.Options{Kind: timetable.Test, Seed: 8, Modules: 6, Style: fixture.Stroked}),
		generated(t, fixture.Options{Kind: timetable.Exam, Seed: 9, Modules: 6, Style: fixture.Borderless}),
	}
	files, _ := filepath.Glob(filepath.Join(os.Getenv("SCHEDGEN_SAMPLES"), "*.pdf"))
	for _, file := range files {
		all = append(all, sample(t, file))
	}
	return all
}

// semesterLectures is the first made-up timetable whose lectures are all of S1 and S2.
func semesterLectures(t testing.TB) printed {
	t.Helper()
	for seed := uint64(1); ; seed++ {
		if p := generated(t, fixture.Options{Kind: timetable.Lecture, Seed: seed, Modules: 2}); inSemesters(p.doc) {
			return p
		}
	}
}

// inSemesters says that no row is of a quarter or of the year.
func inSemesters(doc timetable.Document) bool {
	return !slices.ContainsFunc(doc.Entries, func(e timetable.Entry) bool {
		return e.Offered != "" && e.Offered != "S1" && e.Offered != "S2"
	})
}

// sample reads a real timetable and the truth beside it.
func sample(t testing.TB, file string) printed {
	t.Helper()
	pdf, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(strings.TrimSuffix(file, ".pdf") + ".truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Type timetable.Kind
		Rows []struct {
			timetable.Entry
			Start, End, Venue string
		}
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	doc := timetable.Document{Kind: truth.Type}
	for _, row := range truth.Rows {
		e := row.Entry
		e.StartTime, e.EndTime = row.Start, row.End
		if row.Venue != "" {
			e.Venues = []string{row.Venue}
		}
		doc.Entries = append(doc.Entries, e)
	}
	return printed{filepath.Base(file), pdf, doc}
}

// meetings are the events that a document's rows make: rows that differ in their room alone are one.
// Each is one line of text, so that two lists can be compared.
func meetings(doc timetable.Document) []string {
	rooms := map[string][]string{}
	for _, e := range doc.Entries {
		key := strings.Join([]string{e.Module, e.Group, e.Day, e.Date, e.StartTime, e.Offered}, " | ")
		if doc.Kind == timetable.Lecture {
			key = strings.Join([]string{e.Module, e.Group, e.Day, e.StartTime, e.EndTime, e.Activity, e.Offered}, " | ")
		}
		rooms[key] = append(rooms[key], e.Venues...)
	}
	return lines(rooms)
}

// told is the same of what the API tells.
func told(kind timetable.Kind, events []event) []string {
	rooms := map[string][]string{}
	for _, e := range events {
		key := strings.Join([]string{e.Module, e.Group, e.Day, e.Date, e.StartTime, e.Semester}, " | ")
		if kind == timetable.Lecture {
			key = strings.Join([]string{e.Module, e.Group, e.Day, e.StartTime, e.EndTime, e.Activity, e.Semester}, " | ")
		}
		rooms[key] = append(rooms[key], e.Venues...)
	}
	return lines(rooms)
}

func lines(rooms map[string][]string) []string {
	var all []string
	for key, venues := range rooms {
		slices.Sort(venues)
		all = append(all, key+" | "+strings.Join(slices.Compact(venues), ", "))
	}
	slices.Sort(all)
	return all
}

// expectSame compares two sorted lists line by line.
func expectSame(t testing.TB, what string, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("%s: line %d of %d, want %d:\n got %s\nwant %s", what, i+1, len(got), len(want), g, w)
			return
		}
	}
}

// The terms and the public holidays of 2026 (Public Holidays Act 36 of 1994), written down here so
// that nothing of what is tested is believed.
var (
	terms2026 = map[string]term{
		"S1": {"2026-02-09", "2026-05-22"}, "S2": {"2026-07-13", "2026-10-16"}, "Y": {"2026-02-09", "2026-10-16"},
		"Q1": {"2026-02-09", "2026-03-20"}, "Q2": {"2026-03-30", "2026-05-22"}, "Q3": {"2026-07-13", "2026-08-28"}, "Q4": {"2026-09-07", "2026-10-16"},
	}
	holidays2026 = []string{
		"2026-01-01", "2026-03-21", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-01", "2026-06-16", "2026-08-09",
		"2026-08-10", "2026-09-24", "2026-12-16", "2026-12-25", "2026-12-26",
	}
)

// term is its first and last day, as the API takes it.
type term struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

// dates are the starts that a 2026 calendar of these lectures must have, in local time, sorted.
func dates(doc timetable.Document) []string {
	seen := map[string]bool{}
	for _, e := range doc.Entries {
		if doc.Kind != timetable.Lecture {
			seen[e.Date+" "+e.StartTime+" "+e.Module] = true
			continue
		}
		term := terms2026[e.Offered]
		day, _ := time.Parse(time.DateOnly, term.Start)
		for ; day.Format(time.DateOnly) <= term.End; day = day.AddDate(0, 0, 1) {
			if day.Weekday().String() == e.Day && !slices.Contains(holidays2026, day.Format(time.DateOnly)) {
				seen[day.Format(time.DateOnly)+" "+e.StartTime+" "+e.Module] = true
			}
		}
	}
	return sorted(seen)
}

// readBack gives the same of a calendar file, as python3-icalendar understands it.
func readBack(t *testing.T, ics string) []string {
	t.Helper()
	seen := map[string]bool{}
	for _, e := range readers[0].read(t, ics) {
		module := strings.Join(strings.Fields(e.Summary)[:2], " ")
		for _, o := range e.Occurrences {
			seen[o[0].In(zone).Format("2006-01-02 15:04 ")+module] = true
		}
	}
	return sorted(seen)
}

var zone = time.FixedZone("SAST", 2*60*60)

// reader is a program that reads calendars, and is not the one that wrote them.
type reader struct {
	name, hint, need string
	argv             []string
}

// readers are beside the tests of what writes calendars.
var readers = []reader{
	{"python3-icalendar", "install Debian's python3-icalendar and python3-dateutil", "/usr/lib/python3/dist-packages/icalendar", []string{"/usr/bin/python3", "read.py"}},
	{"ical.js", "run npm ci in functions/calendar-generate/ics/testdata/readback", "node_modules/ical.js", []string{"node", "read.mjs"}},
}

// readEvent is what a reader understands of an event.
type readEvent struct {
	UID, Summary, Location, Description, Color string
	Occurrences                                [][2]time.Time
}

// read is the events of a calendar file, which the reader must take.
func (r reader) read(t *testing.T, ics string) []readEvent {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "functions", "calendar-generate", "ics", "testdata", "readback")
	need := r.need
	if !filepath.IsAbs(need) {
		need = filepath.Join(dir, need)
	}
	if _, err := os.Stat(need); errors.Is(err, os.ErrNotExist) {
		t.Skipf("to read calendars back with %s, %s (make setup does)", r.name, r.hint)
	}
	files, err := json.Marshal([]string{ics})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), r.argv[0], r.argv[1:]...)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(files)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("run %s: %v", r.name, err)
	}
	var read []struct {
		Refused string
		Events  []readEvent
	}
	if err := json.Unmarshal(out, &read); err != nil || len(read) != 1 || read[0].Refused != "" {
		t.Fatalf("%s refuses the calendar: %v, %.300s\n%.500s", r.name, err, out, ics)
	}
	return read[0].Events
}

func sorted(set map[string]bool) []string {
	var all []string
	for one := range set {
		all = append(all, one)
	}
	slices.Sort(all)
	return all
}
