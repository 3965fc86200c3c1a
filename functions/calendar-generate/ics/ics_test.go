package ics_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTimetablesGiveTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]timetable.Document{"lectures": tabletest.Lectures(), "tests": tabletest.Tests(), "exams": tabletest.Exams()} {
		golden(t, name, write(t, calendar.Options{Year: 2026, Reminders: []int{15}}, calendar.Events(doc)...))
	}
}

func TestFeedGivesTheGoldenFile(t *testing.T) {
	t.Parallel()
	e := calendar.Event{ID: "a000000000000001", Module: "COS 212", Activity: "L1", Group: "G01", Day: "Monday", Semester: "S1", StartTime: "08:30", EndTime: "09:20"}
	c, err := calendar.Build([]calendar.Event{e}, calendar.Options{Year: 2026, Name: "Semester, one; or \\ two"})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	feed := ics.Feed{
		Stamp: stamp, Refresh: 12 * time.Hour,
		Revisions: map[string]ics.Revision{"a000000000000001-2026@schedgen": {Sequence: 3, Modified: stamp.Add(time.Hour)}},
	}
	if err := feed.Write(&out, c); err != nil {
		t.Fatal(err)
	}
	golden(t, "feed", ics.WithSource(out.Bytes(), "https://example.org/api/feeds/abc.ics\r\nEVIL:1"))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".ics")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with: go test ./ics -update)", err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; look at it with: go test ./ics -update && git diff", path)
	}
	checkLines(t, got)
}

// checkLines holds what RFC 5545 section 3.1 asks of every file.
func checkLines(t *testing.T, file []byte) {
	t.Helper()
	if !bytes.HasSuffix(file, []byte("\r\n")) || bytes.Count(file, []byte("\n")) != bytes.Count(file, []byte("\r\n")) ||
		bytes.Count(file, []byte("\r")) != bytes.Count(file, []byte("\r\n")) {
		t.Errorf("a line does not end in CRLF: %q", file)
	}
	for line := range bytes.SplitSeq(file, []byte("\r\n")) {
		if len(line) > 75 {
			t.Errorf("a line has %d octets: %q", len(line), line)
		}
		if !utf8.Valid(line) {
			t.Errorf("a line cuts a character: %q", line)
		}
	}
}

func TestFoldingKeepsCharactersWhole(t *testing.T) {
	t.Parallel()
	for width := range 5 { // push every kind of character over the edge
		text := strings.Repeat("x", 60+width) + strings.Repeat("é€😀", 40)
		file := write(t, calendar.Options{}, test("Test1", text))
		checkLines(t, file)
		if !strings.Contains(unfold(file), "LOCATION:"+text+"\r\n") {
			t.Errorf("unfolded, the location is not %q", text)
		}
	}
}

func TestTextIsEscaped(t *testing.T) {
	t.Parallel()
	file := unfold(write(t, calendar.Options{}, test("Test1", "CBT Labs 1,2;3\\4\r\n5\n6\x00\x07\xff")))
	if want := `LOCATION:CBT Labs 1\,2\;3\\4\n5\n6` + "\uFFFD\r\n"; !strings.Contains(file, want) {
		t.Errorf("want %q in %s", want, file)
	}
}

func TestNobodyCanInjectLines(t *testing.T) {
	t.Parallel()
	evil := "x\r\nEND:VEVENT\r\nBEGIN:VALARM\r\n"
	e := calendar.Event{ID: evil, Kind: timetable.Test, Module: evil, Activity: evil, Group: evil, Date: "2026-05-04", StartTime: "08:30",
		EndTime: "09:20", Venue: evil, Campus: evil, Notes: evil, Status: evil, Semester: evil,
		Warnings: []timetable.Warning{{Message: evil}}}
	file := write(t, calendar.Options{Name: evil}, e)
	checkLines(t, file)
	if got := strings.Count("\r\n"+string(file), "\r\nEND:VEVENT\r\n"); got != 1 {
		t.Errorf("the event ends %d times:\n%s", got, file)
	}
	if bytes.Contains(file, []byte("\r\nBEGIN:VALARM")) {
		t.Errorf("an alarm came in:\n%s", file)
	}
}

func TestDescriptionSaysWhatACalendarHasNoFieldFor(t *testing.T) {
	t.Parallel()
	e := calendar.Event{Kind: timetable.Exam, Module: "COS 212", Activity: "Exam Written", Paper: "2", Status: "PROVISIONAL", Date: "2026-04-27",
		StartTime: "07:30", Venues: []string{"A", "B"}, Campus: "HATFIELD", Lang: "E", Notes: "Bring a pen",
		Warnings: []timetable.Warning{{Code: timetable.VenueWrap, Message: "B may belong to A", Page: 2, Row: 7}}}
	file := unfold(write(t, calendar.Options{}, e))
	for _, want := range []string{
		"Rooms: A\\; B", "Campus: HATFIELD", "Language: E", "Paper: 2", "Notes: Bring a pen", "The end time is an estimate",
		"B may belong to A (page 2\\, row 7)", "2026-04-27 is a public holiday (Freedom Day). Check whether it is held", "STATUS:TENTATIVE", "SUMMARY:COS 212 Exam Written paper 2",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("want %q in:\n%s", want, file)
		}
	}
}

func TestNoRoomLeavesTheCampus(t *testing.T) {
	t.Parallel()
	e := test("Test1", "")
	if file := unfold(write(t, calendar.Options{}, e)); strings.Contains(file, "\r\nLOCATION") {
		t.Errorf("want no location in:\n%s", file)
	}
	e.Campus = "HATFIELD"
	if file := unfold(write(t, calendar.Options{}, e)); !strings.Contains(file, "LOCATION:HATFIELD\r\n") {
		t.Errorf("want the campus as the location in:\n%s", file)
	}
}

func TestFingerprintChangesWithTheEvent(t *testing.T) {
	t.Parallel()
	item := func(e calendar.Event, opts calendar.Options) []byte {
		c, err := calendar.Build([]calendar.Event{e}, opts)
		if err != nil {
			t.Fatal(err)
		}
		return ics.Fingerprint(c.Items[0], c.Reminders)
	}
	base := item(test("Test1", "A"), calendar.Options{})
	if !bytes.Equal(base, item(test("Test1", "A"), calendar.Options{})) {
		t.Error("one event has two fingerprints")
	}
	if bytes.Equal(base, item(test("Test1", "B"), calendar.Options{})) {
		t.Error("a moved event has the same fingerprint")
	}
	if bytes.Equal(base, item(test("Test1", "A"), calendar.Options{Reminders: []int{5}})) {
		t.Error("an event with a reminder has the fingerprint of one without")
	}
}

func TestDurationsAreWholeMinutes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Hour: "PT1H", 90 * time.Minute: "PT90M", time.Second: "PT1M", 24 * time.Hour: "PT24H"} {
		var out bytes.Buffer
		if err := (ics.Feed{Stamp: stamp, Refresh: d}).Write(&out, calendar.Calendar{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "REFRESH-INTERVAL;VALUE=DURATION:"+want+"\r\n") {
			t.Errorf("%v: want %s in:\n%s", d, want, out.String())
		}
	}
}

// TestCalendarSaysWhatAStudentShouldKnow: a file may be all that a student sees of the calendar.
func TestCalendarSaysWhatAStudentShouldKnow(t *testing.T) {
	t.Parallel()
	lost := test("Test3", "A")
	lost.ID, lost.Date = "c000000000000003", "2026-06-31"
	first, second := test("Test1", "A"), test("Test2", "B")
	second.ID = "b000000000000002"
	file := write(t, calendar.Options{}, first, second, lost)
	want := `Please check: COS 212 Test3 is not in the calendar. "2026-06-31" is not a date. Write dates as in 2026-02-09.` + "\n" +
		"Clash: COS 212 Test1 and COS 212 Test2, Monday 08:30-09:20, first on 2026-05-04"
	for _, name := range []string{"DESCRIPTION", "X-WR-CALDESC"} {
		if got := values(file, name)[0]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	eachReader(t, file, func(t *testing.T, got reading) {
		if got.Description != want || len(got.Events) != 2 {
			t.Errorf("the calendar of %d events says %q, want %q", len(got.Events), got.Description, want)
		}
	})
	if file := write(t, calendar.Options{}, first); len(values(file, "X-WR-CALDESC")) != 0 {
		t.Errorf("a calendar without faults has remarks:\n%s", file)
	}
}

func TestRemarksAreBounded(t *testing.T) {
	t.Parallel()
	var events []calendar.Event
	for n := range 60 {
		e := test("Test1", "A")
		if e.ID = fmt.Sprint(n); n >= 30 {
			e.Date = "2026-06-31"
		}
		events = append(events, e)
	}
	remarks := values(write(t, calendar.Options{}, events...), "X-WR-CALDESC")[0]
	if got := strings.Count(remarks, "\n") + 1; got != 42 || !strings.Contains(remarks, "there are 10 more remarks") || !strings.Contains(remarks, "there are 415 more clashes") {
		t.Errorf("%d lines of remarks, want 42 that tell how many are left out:\n%s", got, remarks)
	}
}

func TestOnlyOurFilesGetASource(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"} {
		if got := string(ics.WithSource([]byte(file), "https://example.org/x.ics")); got != file {
			t.Errorf("%q became %q", file, got)
		}
	}
}

func TestWriteTellsWhenItCannot(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk full")
	if err := ics.Write(failing{broken}, calendar.Calendar{}, stamp); !errors.Is(err, broken) {
		t.Errorf("error is %v, want %v", err, broken)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// test is a semester test in a room.
func test(name, venue string) calendar.Event {
	return calendar.Event{ID: "a000000000000001", Kind: timetable.Test, Module: "COS 212", Activity: name, Test: name, Date: "2026-05-04",
		StartTime: "08:30", EndTime: "09:20", Venue: venue}
}

func ExampleWrite() {
	events := []calendar.Event{{
		ID: "a000000000000001", Module: "COS 212", Activity: "L1", Group: "G01", Semester: "S1", Day: "Monday",
		StartTime: "08:30", EndTime: "09:20", Venue: "IT 4-4",
	}}
	c, err := calendar.Build(events, calendar.Options{Year: 2026})
	if err != nil {
		fmt.Println(err)
		return
	}
	var file bytes.Buffer
	if err := ics.Write(&file, c, time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)); err != nil {
		fmt.Println(err)
		return
	}
	lines := strings.Split(file.String(), "\r\n")
	begin := slices.Index(lines, "BEGIN:VEVENT")
	fmt.Println(strings.Join(lines[begin:begin+8], "\n"))
	// Output:
	// BEGIN:VEVENT
	// UID:a000000000000001-2026@schedgen
	// DTSTAMP:20260201T120000Z
	// LAST-MODIFIED:20260201T120000Z
	// SEQUENCE:0
	// DTSTART;TZID=Africa/Johannesburg:20260209T083000
	// DTEND;TZID=Africa/Johannesburg:20260209T092000
	// RRULE:FREQ=WEEKLY;UNTIL=20260518T063000Z
}
