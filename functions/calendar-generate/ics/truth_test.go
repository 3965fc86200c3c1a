package ics_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// What a calendar must show is worked out here the slow way, day by day, from the printed rows and from
// dates written down by hand. None of it is made by the package under test.

// holidays are the public holidays of Schedule 1 of the Public Holidays Act 36 of 1994, with the
// Monday after one that falls on a Sunday (section 2(1)).
var holidays = map[int][]string{
	2017: {
		"2017-01-01", "2017-01-02", "2017-03-21", "2017-04-14", "2017-04-17", "2017-04-27", "2017-05-01", "2017-06-16",
		"2017-08-09", "2017-09-24", "2017-09-25", "2017-12-16", "2017-12-25", "2017-12-26",
	},
	2018: {
		"2018-01-01", "2018-03-21", "2018-03-30", "2018-04-02", "2018-04-27", "2018-05-01", "2018-06-16",
		"2018-08-09", "2018-09-24", "2018-12-16", "2018-12-17", "2018-12-25", "2018-12-26",
	},
	2026: {
		"2026-01-01", "2026-03-21", "2026-04-03", "2026-04-06", "2026-04-27", "2026-05-01", "2026-06-16",
		"2026-08-09", "2026-08-10", "2026-09-24", "2026-12-16", "2026-12-25", "2026-12-26",
	},
	2027: {
		"2027-01-01", "2027-03-21", "2027-03-22", "2027-03-26", "2027-03-29", "2027-04-27", "2027-05-01", "2027-06-16",
		"2027-08-09", "2027-09-24", "2027-12-16", "2027-12-25", "2027-12-26", "2027-12-27",
	},
}

// span is a first and a last day, YYYY-MM-DD.
type span [2]string

func (s span) holds(day string) bool { return s[0] <= day && day <= s[1] }

// known are the terms that every installation knows.
var known = map[string]span{"S1": {"2026-02-09", "2026-05-22"}, "S2": {"2026-07-13", "2026-10-16"}}

// plan is a year as a student gives it, or as the university published it.
type plan struct {
	year   int
	terms  map[string]span // S1 and S2, and what else is given
	recess []span
	swaps  map[string]string // days on which the lectures of another weekday are held
	// published says that the student need give nothing but what lies in the second half of the year.
	published bool
}

// published are the years whose first half the university's calendars tell, with a second semester made up.
var published = map[int]plan{
	2017: {
		year: 2017, published: true,
		terms:  map[string]span{"S1": {"2017-02-06", "2017-05-30"}, "Q1": {"2017-02-06", "2017-03-28"}, "Q2": {"2017-03-29", "2017-05-30"}, "S2": {"2017-07-17", "2017-11-03"}},
		recess: []span{{"2017-04-08", "2017-04-18"}, {"2017-03-20", "2017-03-20"}, {"2017-04-28", "2017-04-28"}},
		swaps:  map[string]string{"2017-04-19": "Monday"},
	},
	2018: {
		year: 2018, published: true,
		terms:  map[string]span{"S1": {"2018-02-05", "2018-05-29"}, "Q1": {"2018-02-05", "2018-03-26"}, "Q2": {"2018-03-27", "2018-05-29"}, "S2": {"2018-07-16", "2018-11-02"}},
		recess: []span{{"2018-03-29", "2018-04-09"}, {"2018-04-30", "2018-04-30"}},
		swaps:  map[string]string{"2018-03-19": "Wednesday", "2018-03-28": "Friday", "2018-04-10": "Monday"},
	},
}

// spans are where a term lies: as it is given, or in its semester, or for a year module in both.
func (p plan) spans(term string) []span {
	if s, ok := p.terms[term]; ok {
		return []span{s}
	}
	switch term {
	case "Q1", "Q2":
		return []span{p.terms["S1"]}
	case "Q3", "Q4":
		return []span{p.terms["S2"]}
	case "Y":
		return []span{p.terms["S1"], p.terms["S2"]}
	}
	return nil
}

// days are the dates on which a printed row happens.
func (p plan) days(kind timetable.Kind, row timetable.Entry) []string {
	if kind != timetable.Lecture {
		return []string{row.Date}
	}
	var days []string
	for d := time.Date(p.year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == p.year; d = d.AddDate(0, 0, 1) {
		day := d.Format(time.DateOnly)
		on := func(s span) bool { return s.holds(day) }
		if cmp.Or(p.swaps[day], d.Weekday().String()) == row.Day && slices.ContainsFunc(p.spans(row.Offered), on) &&
			!slices.ContainsFunc(p.recess, on) && !slices.Contains(holidays[p.year], day) {
			days = append(days, day)
		}
	}
	return days
}

// wanted lists every occurrence that a timetable's rows ask for, in UTC, once for each of its rooms.
func (p plan) wanted(t *testing.T, doc timetable.Document) []string {
	t.Helper()
	var all []string
	for _, row := range doc.Entries {
		if row.StartTime == "" || row.EndTime == "" && doc.Kind != timetable.Exam || doc.Kind != timetable.Lecture && row.Date == "" {
			continue // it cannot be in a calendar
		}
		if row.EndTime == "" { // exams print none: three hours
			row.EndTime = clock(t, row.StartTime).Add(3 * time.Hour).Format("15:04")
		}
		if row.EndTime <= row.StartTime {
			continue // neither can what ends before it starts
		}
		rooms := row.Venues
		if len(rooms) == 0 {
			rooms = []string{row.Campus}
		}
		for _, day := range p.days(doc.Kind, row) {
			for _, room := range rooms {
				all = append(all, occurrence(row.Module, row.Group, row.Activity+row.Test, row.Paper,
					utc(t, day, row.StartTime), utc(t, day, row.EndTime), room))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func occurrence(parts ...string) string { return strings.Join(parts, " | ") }

func clock(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
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
	var all []string
	for _, e := range got.Events {
		fields := make(map[string]string)
		for line := range strings.SplitSeq(e.Description, "\n") {
			if name, value, ok := strings.Cut(line, ": "); ok {
				fields[name] = value
			}
		}
		for _, o := range e.Occurrences {
			for room := range strings.SplitSeq(e.Location, "; ") {
				all = append(all, occurrence(fields["Module"], fields["Group"], fields["Activity"], fields["Paper"],
					o[0].Format(time.RFC3339), o[1].Format(time.RFC3339), room))
			}
		}
	}
	slices.Sort(all)
	return all
}

// difference tells what is in one list alone, and what comes twice.
func difference(got, want []string) []string {
	var all []string
	for n, o := range got {
		if _, found := slices.BinarySearch(want, o); !found {
			all = append(all, "not in the timetable: "+o)
		}
		if n > 0 && got[n-1] == o {
			all = append(all, "twice: "+o)
		}
	}
	for _, o := range want {
		if _, found := slices.BinarySearch(got, o); !found {
			all = append(all, "lost: "+o)
		}
	}
	return all
}

// compare reports what differs, as far as anybody would read it.
func compare(t *testing.T, got, want []string) {
	t.Helper()
	all := difference(got, want)
	for _, d := range all[:min(20, len(all))] {
		t.Error(d)
	}
	if len(all) > 20 {
		t.Errorf("and %d more of %d occurrences", len(all)-20, len(want))
	}
}

// options are the plan as the product takes it.
func (p plan) options(t *testing.T) calendar.Options {
	t.Helper()
	opts := calendar.Options{Year: p.year, Terms: make(map[string]calendar.Range)}
	for name, s := range p.terms {
		if (p.year != 2026 || s != known[name]) && (!p.published || name == "S2") {
			opts.Terms[name] = parseRange(t, s)
		}
	}
	for _, s := range p.recess {
		if !p.published {
			opts.Exclude = append(opts.Exclude, parseRange(t, s))
		}
	}
	return opts
}

func parseRange(t *testing.T, s span) calendar.Range {
	t.Helper()
	r, err := calendar.ParseRange(s[0] + ".." + s[1])
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (p plan) String() string {
	return fmt.Sprintf("%d with terms %v and recess %v", p.year, p.terms, p.recess)
}

var stamp = time.Date(2026, 7, 1, 9, 30, 0, 0, time.UTC)

// write builds and writes the calendar of events.
func write(t testing.TB, opts calendar.Options, events ...calendar.Event) []byte {
	t.Helper()
	c, err := calendar.Build(events, opts)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	var file bytes.Buffer
	if err := ics.Write(&file, c, stamp); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}
