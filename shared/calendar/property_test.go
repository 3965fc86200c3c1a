package calendar_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// randomEntry makes a row that may be whole, may lack something, and may equal another's.
func randomEntry(r *rand.Rand, kind timetable.Kind) timetable.Entry {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	e := timetable.Entry{
		Module: pick("COS 212", "COS 216", "PHY 131", "MLB 112"), Group: pick("G01", "P01", "P02", "T01", ""),
		Activity: pick("L1", "L2", "P1", "T1"), StartTime: pick("07:30", "08:30", "09:00", "16:30", ""),
		EndTime: pick("09:20", "17:20", "10:20", "07:30", ""), Venues: []string{pick("IT 4-4", "Centenary 6", "HB 4-1")}, Page: 1,
	}
	if kind == timetable.Lecture {
		e.Offered = pick("S1", "S2", "Q1", "Q4", "Y", "X")
		e.Day = pick("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "")
	} else {
		e.Date = pick("2026-04-27", "2026-05-04", "2026-02-30", "", "2025-11-12")
	}
	return e
}

// TestEveryEventIsShownOrToldOf holds for any rows: an event is an item or in a warning, an item is
// held exactly on its term's days of that weekday that are no days off, and no two share a UID.
func TestEveryEventIsShownOrToldOf(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		kind := []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam}[r.IntN(3)]
		doc := timetable.Document{Kind: kind}
		for range r.IntN(40) {
			doc.Entries = append(doc.Entries, randomEntry(r, kind))
		}
		year := 2026 + r.IntN(2)
		recess := calendar.Range{Start: calendar.Date{Year: year, Month: time.Month(1 + r.IntN(12)), Day: 1 + r.IntN(28)}}
		recess.End = recess.Start.AddDays(r.IntN(40))
		events := calendar.Events(doc)
		c, err := calendar.Build(events, yearOptions(t, year, recess))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		told := map[string]bool{}
		for _, w := range c.Warnings {
			for _, id := range w.Events {
				told[id] = true
			}
		}
		uids := map[string]bool{}
		for _, i := range c.Items {
			if uids[i.UID] {
				t.Errorf("seed %d: UID %s twice", seed, i.UID)
			}
			uids[i.UID] = true
			told[i.Event.ID] = true
			if want := expected(i.Event, year, recess); !slices.Equal(dates(i), want) {
				t.Errorf("seed %d: %+v with recess %s is on %q, want %q", seed, i.Event, recess, dates(i), want)
			}
		}
		for _, e := range events {
			if !told[e.ID] {
				t.Errorf("seed %d: %+v is neither shown nor told of", seed, e)
			}
		}
		if want := clashCount(c); len(c.Clashes) != min(want, 500) {
			t.Errorf("seed %d: %d clashes, want %d", seed, len(c.Clashes), want)
		}
	}
}

// semesters are the first and last days of the years' semesters.
var semesters = map[int][2][2]string{
	2026: {{"2026-02-09", "2026-05-22"}, {"2026-07-13", "2026-10-16"}}, // known
	2027: {{"2027-02-08", "2027-05-21"}, {"2027-07-12", "2027-10-15"}}, // given
}

// yearOptions are those of a year, with the terms of one that is not known.
func yearOptions(t *testing.T, year int, recess calendar.Range) calendar.Options {
	t.Helper()
	opts := calendar.Options{Year: year, Exclude: []calendar.Range{recess}}
	if year != 2026 {
		s := semesters[year]
		opts.Terms = map[string]calendar.Range{"S1": mustRange(t, s[0][0]+".."+s[0][1]), "S2": mustRange(t, s[1][0]+".."+s[1][1])}
	}
	return opts
}

// expected goes through every day of the year the slow way.
func expected(e calendar.Event, year int, recess calendar.Range) []string {
	if e.Kind != timetable.Lecture {
		return []string{e.Date}
	}
	first, second := semesters[year][0], semesters[year][1]
	terms := map[string][][2]string{"S1": {first}, "Q1": {first}, "S2": {second}, "Q4": {second}, "Y": {first, second}}[e.Semester]
	var days []string
	for d := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC); d.Year() == year; d = d.AddDate(0, 0, 1) {
		day := d.Format(time.DateOnly)
		inTerm := slices.ContainsFunc(terms, func(t [2]string) bool { return t[0] <= day && day <= t[1] })
		inRecess := recess.Start.String() <= day && day <= recess.End.String()
		if _, holiday := publicHolidays[year][day]; inTerm && !inRecess && !holiday && d.Weekday().String() == e.Day {
			days = append(days, day)
		}
	}
	return days
}

// clashCount compares every occurrence with every other.
func clashCount(c calendar.Calendar) int {
	count := 0
	for n, a := range c.Items {
		for _, b := range c.Items[n+1:] {
			if overlap(a, b) {
				count++
			}
		}
	}
	return count
}

func overlap(a, b calendar.Item) bool {
	for x := range calendar.Occurrences(a) {
		for y := range calendar.Occurrences(b) {
			if x.Start.Before(y.End) && y.Start.Before(x.End) {
				return true
			}
		}
	}
	return false
}

// FuzzBuild takes any request: whatever it says, the answer is a calendar inside its bounds or an error.
func FuzzBuild(f *testing.F) {
	f.Add(`[{"module":"COS 212","activity":"L1","group":"P01","day":"Monday","startTime":"08:30","endTime":"09:20","semester":"S1"}]`,
		`{"year":2026,"groups":{"COS 212":"P01"},"exclude":["2026-03-30..2026-04-06"],"reminders":[10]}`)
	f.Add(`[{"date":"2026-05-04","activity":"Exam","startTime":"22:00"},{"day":"x"},{}]`, `{"terms":{"Y":"2026-01-01..2026-12-31"}}`)
	f.Fuzz(func(t *testing.T, events, options string) {
		var list []calendar.Event
		var opts calendar.Options
		if json.Unmarshal([]byte(events), &list) != nil || json.Unmarshal([]byte(options), &opts) != nil {
			return // package json refuses it
		}
		c, err := calendar.Build(list, opts)
		if err != nil {
			return
		}
		for _, i := range c.Items {
			count := 0
			for o := range calendar.Occurrences(i) {
				if count++; !o.End.After(o.Start) || count > 200 {
					t.Fatalf("%+v has occurrence %d at %v", i, count, o)
				}
			}
			if count == 0 {
				t.Fatalf("%+v never happens", i)
			}
		}
	})
}

func ExampleBuild() {
	doc := timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "PHY 131", Offered: "S2", Group: "P01", Activity: "P1", Day: "Monday", StartTime: "12:30", EndTime: "14:20", Venues: []string{"Bench 1"}},
		{Module: "PHY 131", Offered: "S2", Group: "P01", Activity: "P1", Day: "Monday", StartTime: "12:30", EndTime: "14:20", Venues: []string{"Bench 2"}},
		{Module: "PHY 131", Offered: "S2", Group: "P02", Activity: "P1", Day: "Wednesday", StartTime: "14:30", EndTime: "17:20", Venues: []string{"Bench 3"}},
	}}
	c, err := calendar.Build(calendar.Events(doc), calendar.Options{
		Year:   2026,
		Groups: map[string]calendar.Choice{"PHY 131": {"P01"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range c.Items {
		fmt.Println(item.Summary, "in", item.Event.Venue)
		fmt.Println("from", item.Start.Format(time.DateTime), "to", item.Until.Format(time.DateTime))
		fmt.Println("but not on", item.Excluded[0].Format(time.DateOnly))
	}
	// Output:
	// PHY 131 P1 (P01) in Bench 1; Bench 2
	// from 2026-07-13 12:30:00 to 2026-10-12 12:30:00
	// but not on 2026-08-10
}
