package ics_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// These are what users of timetable-to-calendar tools report again and again.

// year2026 is the year that every installation knows, with a recess in the second semester.
var year2026 = plan{year: 2026, terms: known, recess: []span{{"2026-08-31", "2026-09-04"}}}

// sample is a timetable of lectures and its calendar in that year.
func sample(t *testing.T) (timetable.Document, []byte) {
	t.Helper()
	doc := tabletest.Lectures()
	opts := year2026.options(t)
	opts.Reminders = []int{10}
	return doc, write(t, opts, calendar.Events(doc)...)
}

// faults are what those users' files suffer from.
var faults = map[string]func(string) string{
	"classes on holidays":     replace(`(?m)^EXDATE.*\r\n`, ""),
	"exclusions do not match": replace(`(?m)^(EXDATE;TZID=Africa/Johannesburg:\d{8}T)\d\d(\d\d)`, "${1}23${2}"),
	"an hour off": func(s string) string {
		return strings.NewReplacer("Johannesburg", "Nairobi", "+0200", "+0300").Replace(s)
	},
	"floating times":           replace(`(?m)^(DTSTART|DTEND|EXDATE);TZID=Africa/Johannesburg:`, "${1}:"),
	"local times taken as UTC": replace(`(?m)^(DTSTART|DTEND|EXDATE);TZID=Africa/Johannesburg:(\d{8}T\d{6})`, "${1}:${2}Z"),
	"before the term begins":   replace(`20260713T`, "20260706T"),
	"the last week is lost":    replace(`UNTIL=20261012T`, "UNTIL=20261011T"),
	"it never ends":            replace(`;UNTIL=2026\d{4}`, ";UNTIL=20261231"),
	"a date that is none":      replace(`20260209T`, "20260230T"),
	"all of it twice":          replace(`(?s)(BEGIN:VEVENT.*END:VEVENT\r\n)`, "${1}${1}"),
	"a line that is cut":       replace(`RRULE:FREQ=WEEKLY;UNTIL=\d{8}`, "RRULE:FREQ=WEEKLY;UNT"),
}

func replace(pattern, with string) func(string) string {
	find := regexp.MustCompile(pattern)
	return func(s string) string { return find.ReplaceAllString(s, with) }
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
	if len(events) != tabletest.LectureEvents {
		t.Errorf("%d events, want %d", len(events), tabletest.LectureEvents)
	}
	for _, e := range events {
		for _, once := range []string{"UID:", "DTSTAMP:", "DTSTART;", "DTEND;", "RRULE:", "SUMMARY:", "SEQUENCE:"} {
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
	want := year2026.wanted(t, rows)
	for _, zone := range []string{"America/New_York", "Australia/Adelaide", "Asia/Kolkata"} {
		for _, r := range readers {
			t.Run(zone+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				compare(t, understood(r.taken(t, zone, file)[0]), want)
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
	until := regexp.MustCompile(`UNTIL=(\d{8}T\d{6}Z)\r\n`)
	exdate := regexp.MustCompile(`(?m)^EXDATE(.*?):(\d{8})T(\d{6})\r$`)
	for _, e := range strings.Split(unfold(file), "BEGIN:VEVENT\r\n")[1:] {
		first, last := start.FindStringSubmatch(e), until.FindStringSubmatch(e)
		if got := last[1][9:15]; got != clock(t, first[2][:2]+":"+first[2][2:4]).Add(-2*time.Hour).Format("150405") {
			t.Errorf("UNTIL %s is not the start %s in UTC", last[1], first[2])
		}
		for _, x := range exdate.FindAllStringSubmatch(e, -1) {
			excluded++
			if x[1] != ";TZID=Africa/Johannesburg" || x[3] != first[2] {
				t.Errorf("%s does not have the zone and time of %s", x[0], first[0])
			}
			a, errA := time.Parse("20060102", first[1])
			b, errB := time.Parse("20060102", x[2])
			if errA != nil || errB != nil || int(b.Sub(a).Hours())%(7*24) != 0 || x[2] <= first[1] || x[2] >= last[1][:8] {
				t.Errorf("%s is no occurrence inside a series from %s to %s", x[2], first[1], last[1])
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
	eachReader(t, file, func(t *testing.T, got reading) {
		for _, e := range got.Events {
			for _, o := range e.Occurrences {
				if day := o[0].Format(time.DateOnly); slices.Contains(holidays[2026], day) {
					t.Errorf("%s is held on %s", e.Summary, day)
				}
			}
		}
	})
}

func TestNoEventBeforeTheTermBeginsOrAfterItEnds(t *testing.T) {
	t.Parallel()
	_, file := sample(t)
	eachReader(t, file, func(t *testing.T, got reading) {
		for _, e := range got.Events {
			first, last := e.Occurrences[0][0].Format(time.DateOnly), e.Occurrences[len(e.Occurrences)-1][1].Format(time.DateOnly)
			term := regexp.MustCompile(`Semester: (\w+)`).FindStringSubmatch(e.Description)[1]
			from, to := known["S1"][0], known["S2"][1]
			if term != "Y" {
				from, to = known[term][0], known[term][1]
			}
			if first < from || last > to {
				t.Errorf("%s of %s runs from %s to %s", e.Summary, term, first, last)
			}
		}
	})
}

// TestInvalidDatesNeverReachTheFile: they are told as warnings instead.
func TestInvalidDatesNeverReachTheFile(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"2026-02-29", "2026-06-31", "2026-13-01", "2026-00-10", "0001-01-01", "9999-12-31", "31/06/2026", "Invalid Date"} {
		bad := test("Test1", "A")
		good := bad
		good.Activity, good.Test, good.ID = "Test2", "Test2", "b"
		bad.Date = date
		c, err := calendar.Build([]calendar.Event{bad, good}, calendar.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Items) != 1 || len(c.Warnings) != 1 || c.Warnings[0].Code != calendar.InvalidDate {
			t.Errorf("%s: items %v, warnings %v; want one of each", date, c.Items, c.Warnings)
		}
		file := write(t, calendar.Options{}, bad, good)
		starts := regexp.MustCompile(`(?m)^DT(?:START|END);.*:(.*)\r$`).FindAllSubmatch(file, -1)
		if len(starts) != 2 || string(starts[0][1]) != "20260504T083000" || string(starts[1][1]) != "20260504T092000" {
			t.Errorf("%s: the file has the times %q", date, starts)
		}
	}
}

// uids are the UIDs of a file in their order.
func uids(file []byte) []string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^UID:(.*)\r$`).FindAllSubmatch(file, -1) {
		all = append(all, string(m[1]))
	}
	return all
}

// TestImportingAgainUpdates: UIDs stay, so nothing doubles; and two years do not overwrite each other.
func TestImportingAgainUpdates(t *testing.T) {
	t.Parallel()
	doc := tabletest.Lectures()
	first := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...)
	if again := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...); string(again) != string(first) {
		t.Error("the same timetable gives another file")
	}
	doc.Entries[0].Venues = []string{"Elsewhere"}
	doc.Entries[1].StartTime, doc.Entries[1].EndTime = "15:30", "16:20"
	moved := write(t, calendar.Options{Year: 2026}, calendar.Events(doc)...)
	if !slices.Equal(uids(first), uids(moved)) || len(uids(first)) != tabletest.LectureEvents {
		t.Errorf("UIDs changed with a room and a time:\n%q\n%q", uids(first), uids(moved))
	}
	if all := uids(first); len(slices.Compact(slices.Sorted(slices.Values(all)))) != len(all) {
		t.Error("two events share a UID")
	}
	next := plan{year: 2027, terms: map[string]span{"S1": {"2027-02-08", "2027-05-21"}, "S2": {"2027-07-12", "2027-10-15"}}}
	for _, u := range uids(write(t, next.options(t), calendar.Events(doc)...)) {
		if slices.Contains(uids(first), u) {
			t.Errorf("next year's events would overwrite this year's: %s", u)
		}
	}
}
