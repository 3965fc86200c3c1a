package ics_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// These are what users of timetable-to-calendar tools report again and again.

// sample is the calendar of the real lectures, in the terms of 2026 and with a recess.
func sample(t *testing.T) ([]row, []byte) {
	t.Helper()
	rows, doc := truth(t, "UP_MOD_XLS")
	recess, err := calendar.ParseRange("2026-08-31..2026-09-04")
	if err != nil {
		t.Fatal(err)
	}
	return rows, write(t, calendar.Options{Year: 2026, Exclude: []calendar.Range{recess}, Reminders: []int{10}}, calendar.Events(doc)...)
}

// s2Days are the days of a weekday on which lectures are held in the second semester of 2026, with
// sample's recess, counted by hand and not by the code under test.
var s2Days = map[string][]string{
	"Monday":    {"07-13", "07-20", "07-27", "08-03", "08-17", "08-24", "09-07", "09-14", "09-21", "09-28", "10-05", "10-12"},
	"Tuesday":   {"07-14", "07-21", "07-28", "08-04", "08-11", "08-18", "08-25", "09-08", "09-15", "09-22", "09-29", "10-06", "10-13"},
	"Wednesday": {"07-15", "07-22", "07-29", "08-05", "08-12", "08-19", "08-26", "09-09", "09-16", "09-23", "09-30", "10-07", "10-14"},
	"Thursday":  {"07-16", "07-23", "07-30", "08-06", "08-13", "08-20", "08-27", "09-10", "09-17", "10-01", "10-08", "10-15"},
	"Friday":    {"07-17", "07-24", "07-31", "08-07", "08-14", "08-21", "08-28", "09-11", "09-18", "09-25", "10-02", "10-09", "10-16"},
}

// wanted lists "summary start end" in UTC of every occurrence that the truth rows ask for.
func wanted(t *testing.T, rows []row) []string {
	t.Helper()
	var all []string
	for _, r := range rows {
		days := []string{r.Date}
		if r.Offered == "S2" {
			days = days[:0]
			for _, d := range s2Days[r.Day] {
				days = append(days, "2026-"+d)
			}
		}
		end := r.End
		if end == "" { // exams print none: three hours
			hour, err := time.Parse("15:04", r.Start)
			if err != nil {
				t.Fatal(err)
			}
			end = hour.Add(3 * time.Hour).Format("15:04")
		}
		for _, day := range days {
			all = append(all, fmt.Sprintf("%s %s %s", r.Module, utc(t, day, r.Start), utc(t, day, end)))
		}
	}
	slices.Sort(all)
	return slices.Compact(all) // rows in several rooms
}

// utc turns South African wall-clock time into UTC: two hours less.
func utc(t *testing.T, day, clock string) string {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", day+" "+clock)
	if err != nil {
		t.Fatal(err)
	}
	return at.Add(-2 * time.Hour).Format(time.RFC3339)
}

// understood lists the same of what another program read.
func understood(got reading) []string {
	module := regexp.MustCompile(`^[A-Z]{3} \d{3}`)
	var all []string
	for _, e := range got.Events {
		for _, o := range e.Occurrences {
			all = append(all, fmt.Sprintf("%s %s %s", module.FindString(e.Summary), o[0].Format(time.RFC3339), o[1].Format(time.RFC3339)))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestReadBackIsTheTruth expands every occurrence with two other parsers.
func TestReadBackIsTheTruth(t *testing.T) {
	t.Parallel()
	rows, lectures := sample(t)
	eachReader(t, lectures, func(t *testing.T, got reading) {
		if len(got.Events) != 30 || got.Name != "UP lectures" {
			t.Errorf("%d events in %q, want 30 in UP lectures", len(got.Events), got.Name)
		}
		compare(t, understood(got), wanted(t, rows))
		for _, e := range got.Events {
			if e.Sequence != 0 || !slices.Equal(e.Alarms, []int{-10}) || len(e.Categories) != 2 || e.Categories[1] != "Lecture" {
				t.Errorf("%s is read as %+v", e.Summary, e)
			}
		}
	})
	for _, name := range []string{"UP_TST_PDF", "UP_EXAM_SS"} {
		rows, doc := truth(t, name)
		file := write(t, calendar.Options{}, calendar.Events(doc)...)
		eachReader(t, file, func(t *testing.T, got reading) {
			if len(got.Events) != len(rows) {
				t.Errorf("%d events, want %d", len(got.Events), len(rows))
			}
			compare(t, understood(got), wanted(t, rows))
			for n, e := range got.Events {
				rooms := strings.Join(append(rows[n].Venues, rows[n].Venue), "; ")
				if rooms = strings.TrimSuffix(rooms, "; "); e.Location != rooms {
					t.Errorf("%s is in %q, want %q", e.Summary, e.Location, rooms)
				}
			}
		})
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for _, o := range got {
		if !slices.Contains(want, o) {
			t.Errorf("not in the timetable: %s", o)
		}
	}
	for _, o := range want {
		if !slices.Contains(got, o) {
			t.Errorf("lost: %s", o)
		}
	}
}

// TestGoogleTakesTheFile holds what Google Calendar's import is known to refuse files for.
func TestGoogleTakesTheFile(t *testing.T) {
	t.Parallel()
	_, file := sample(t)
	checkLines(t, file)
	text := unfold(file)
	if !strings.HasPrefix(text, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:") || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Error("it does not begin with VCALENDAR, VERSION and PRODID, or does not end with VCALENDAR")
	}
	events := strings.Split(text, "BEGIN:VEVENT\r\n")[1:]
	for _, e := range events {
		for _, once := range []string{"UID:", "DTSTAMP:", "DTSTART;", "DTEND;", "SUMMARY:", "SEQUENCE:"} {
			if strings.Count("\r\n"+e, "\r\n"+once) != 1 {
				t.Errorf("%s is not there exactly once:\n%s", once, e)
			}
		}
		if strings.Contains(e, "METHOD") || regexp.MustCompile(`(?m)^[A-Z-]+[;:]\r$`).MatchString(e) {
			t.Errorf("an empty property:\n%s", e)
		}
	}
	begin, end := regexp.MustCompile(`(?m)^BEGIN:`), regexp.MustCompile(`(?m)^END:`)
	if b, e := len(begin.FindAllString(text, -1)), len(end.FindAllString(text, -1)); b != e {
		t.Errorf("%d components begin and %d end", b, e)
	}
}

// TestTimesAreRightInEveryZone: a phone in New York, Adelaide or Kolkata shows the same moments.
func TestTimesAreRightInEveryZone(t *testing.T) {
	t.Parallel()
	rows, file := sample(t)
	if !strings.Contains(string(file), "BEGIN:VTIMEZONE\r\nTZID:Africa/Johannesburg\r\n") {
		t.Error("the file does not define the zone that it uses")
	}
	if n := regexp.MustCompile(`(?m)^(DTSTART|DTEND|EXDATE):`).FindAll(file, -1); len(n) > 1 { // the zone's own DTSTART
		t.Errorf("%d times are floating", len(n)-1)
	}
	want := wanted(t, rows)
	for _, zone := range []string{"America/New_York", "Australia/Adelaide", "Asia/Kolkata"} {
		for _, r := range readers {
			t.Run(zone+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				compare(t, understood(r.read(t, file, zone)), want)
			})
		}
	}
}

// TestExcludedDatesMatchTheSeries: an EXDATE excludes nothing unless it is exactly an occurrence.
func TestExcludedDatesMatchTheSeries(t *testing.T) {
	t.Parallel()
	_, file := sample(t)
	excluded := 0
	start := regexp.MustCompile(`DTSTART;TZID=Africa/Johannesburg:(\d{8})T(\d{6})\r\n`)
	exdate := regexp.MustCompile(`(?m)^EXDATE(.*?):(\d{8})T(\d{6})\r$`)
	for _, e := range strings.Split(unfold(file), "BEGIN:VEVENT\r\n")[1:] {
		first := start.FindStringSubmatch(e)
		for _, x := range exdate.FindAllStringSubmatch(e, -1) {
			excluded++
			if x[1] != ";TZID=Africa/Johannesburg" || x[3] != first[2] {
				t.Errorf("%s does not have the zone and time of %s", x[0], first[0])
			}
			a, errA := time.Parse("20060102", first[1])
			b, errB := time.Parse("20060102", x[2])
			if errA != nil || errB != nil || int(b.Sub(a).Hours())%(7*24) != 0 {
				t.Errorf("%s is no occurrence of a series from %s", x[2], first[1])
			}
		}
	}
	if excluded == 0 {
		t.Error("nothing is excluded, so nothing was tested")
	}
}

func TestNoClassesOnPublicHolidays(t *testing.T) {
	t.Parallel()
	_, file := sample(t)
	holidays := []string{"2026-08-09", "2026-08-10", "2026-09-24"}
	eachReader(t, file, func(t *testing.T, got reading) {
		for _, e := range got.Events {
			for _, o := range e.Occurrences {
				if day := o[0].Format(time.DateOnly); slices.Contains(holidays, day) {
					t.Errorf("%s is held on %s", e.Summary, day)
				}
			}
		}
	})
}

func TestNoEventBeforeTheTermBegins(t *testing.T) {
	t.Parallel()
	_, file := sample(t)
	eachReader(t, file, func(t *testing.T, got reading) {
		for _, e := range got.Events {
			first, last := e.Occurrences[0][0].Format(time.DateOnly), e.Occurrences[len(e.Occurrences)-1][1].Format(time.DateOnly)
			if first < "2026-07-13" || last > "2026-10-16" {
				t.Errorf("%s runs from %s to %s", e.Summary, first, last)
			}
		}
	})
}

// TestInvalidDatesNeverReachTheFile: they are told as warnings instead.
func TestInvalidDatesNeverReachTheFile(t *testing.T) {
	t.Parallel()
	bad := test("Test1", "A")
	good := bad
	good.Activity, good.Test, good.ID = "Test2", "Test2", "b"
	bad.Date = "2026-02-30"
	c, err := calendar.Build([]calendar.Event{bad, good}, calendar.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Items) != 1 || len(c.Warnings) != 1 || c.Warnings[0].Code != calendar.InvalidDate {
		t.Errorf("items %v, warnings %v; want one of each", c.Items, c.Warnings)
	}
	for _, word := range []string{"Invalid", "NaN", "00000000", "0001", "20260230"} {
		if strings.Contains(string(write(t, calendar.Options{}, bad, good)), word) {
			t.Errorf("%q is in the file", word)
		}
	}
}

// TestImportingAgainUpdates: UIDs stay, so nothing doubles; and two years do not overwrite each other.
func TestImportingAgainUpdates(t *testing.T) {
	t.Parallel()
	uid := regexp.MustCompile(`(?m)^UID:(.*)\r$`)
	uids := func(file []byte) []string {
		var all []string
		for _, m := range uid.FindAllSubmatch(file, -1) {
			all = append(all, string(m[1]))
		}
		return all
	}
	_, doc := truth(t, "UP_MOD_XLS")
	first := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...)
	if again := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...); string(again) != string(first) {
		t.Error("the same timetable gives another file")
	}
	doc.Entries[0].Venues = []string{"Elsewhere"}
	doc.Entries[1].StartTime, doc.Entries[1].EndTime = "15:30", "16:20"
	moved := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...)
	if !slices.Equal(uids(first), uids(moved)) || len(uids(first)) != 30 {
		t.Errorf("UIDs changed with a room and a time:\n%q\n%q", uids(first), uids(moved))
	}
	if all := uids(first); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Error("two events share a UID")
	}
	next := calendar.Options{Year: 2027}
	next.Terms = map[string]calendar.Range{"S2": {Start: calendar.Date{Year: 2027, Month: 7, Day: 12}, End: calendar.Date{Year: 2027, Month: 10, Day: 15}}}
	for _, u := range uids(write(t, next, calendar.Events(doc)...)) {
		if slices.Contains(uids(first), u) {
			t.Errorf("next year's events would overwrite this year's: %s", u)
		}
	}
}
