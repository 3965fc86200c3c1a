package googlesync

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// lectureDays are the days of a first semester, worked out by hand from what the university published.
type lectureDays struct {
	first, last string
	quarters    [2]string         // the last day of the first, the first day of the second
	free        []string          // public holidays and days without lectures
	recess      [2]string         // first and last day
	swaps       map[string]string // days on which another weekday's lectures are held
}

var semesters = map[int]lectureDays{
	2017: {"2017-02-06", "2017-05-30", [2]string{"2017-03-28", "2017-03-29"},
		[]string{"2017-03-20", "2017-03-21", "2017-04-27", "2017-04-28", "2017-05-01"}, [2]string{"2017-04-08", "2017-04-18"},
		map[string]string{"2017-04-19": "Monday"}},
	2018: {"2018-02-05", "2018-05-29", [2]string{"2018-03-26", "2018-03-27"},
		[]string{"2018-03-21", "2018-04-27", "2018-04-30", "2018-05-01"}, [2]string{"2018-03-29", "2018-04-09"},
		map[string]string{"2018-03-19": "Wednesday", "2018-03-28": "Friday", "2018-04-10": "Monday"}},
}

// held are the days of a term on which lectures of that weekday are held.
func (s lectureDays) held(term, weekday string) []string {
	first, last := s.first, s.last
	switch term {
	case "Q1":
		last = s.quarters[0]
	case "Q2":
		first = s.quarters[1]
	}
	var days []string
	start, _ := time.Parse(time.DateOnly, first)
	for d := start; d.Format(time.DateOnly) <= last; d = d.AddDate(0, 0, 1) {
		day, name := d.Format(time.DateOnly), d.Weekday().String()
		if other, ok := s.swaps[day]; ok {
			name = other
		}
		if name == weekday && !slices.Contains(s.free, day) && (day < s.recess[0] || day > s.recess[1]) {
			days = append(days, day)
		}
	}
	return days
}

// firstSemester is a generated timetable without what lies in the second half of the year.
func firstSemester(t *testing.T, seed uint64) timetable.Document {
	t.Helper()
	doc := tabletest.Generated(t, fixture.Options{Kind: timetable.Lecture, Seed: seed, Modules: 8})
	doc.Entries = slices.DeleteFunc(doc.Entries, func(e timetable.Entry) bool { return !slices.Contains([]string{"S1", "Q1", "Q2"}, e.Offered) })
	return doc
}

// shown lists what Google shows of a calendar: title, start and end.
func (w *world) shown(id string) []string {
	var all []string
	for _, e := range w.google.Instances(id) {
		at := func(name string) string {
			text, _ := e[name].(map[string]any)["dateTime"].(string)
			return strings.TrimSuffix(text, ":00+02:00")
		}
		title, _, _ := strings.Cut(fmt.Sprint(e["summary"]), " (")
		all = append(all, title+" "+at("start")+" "+at("end"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestGoogleShowsPublishedYears day by day: recess, days without lectures, and days that follow another weekday.
func TestGoogleShowsPublishedYears(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	for year, semester := range semesters {
		for n := range uint64(3) {
			t.Run(fmt.Sprint(year, " ", seed+n), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				b := w.browser()
				b.signIn(student)
				id := b.calendar()
				doc := firstSemester(t, seed+n)
				w.upload(b.owner(), doc)
				if len(doc.Entries) == 0 {
					return
				}
				b.sync(id, map[string]any{"year": year})
				var want []string
				for _, e := range doc.Entries {
					for _, day := range semester.held(e.Offered, e.Day) {
						want = append(want, fmt.Sprintf("%s %s %sT%s %sT%s", e.Module, e.Activity, day, e.StartTime, day, e.EndTime))
					}
				}
				slices.Sort(want)
				want = slices.Compact(want)
				if got := w.shown(id); !slices.Equal(got, want) {
					t.Errorf("Google shows %d dates, want %d:\n%s\nwant\n%s", len(got), len(want), strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				if wrong := w.google.Violations(); len(wrong) > 0 {
					t.Errorf("requests that Google's description does not allow: %q", wrong)
				}
			})
		}
	}
}

// TestAStudentsOwnChangesAtGoogle: one class gets another room, one is cancelled, one is added; that is one update
// and two new events. They stay with newer uploads that follow, and go when they are withdrawn.
func TestAStudentsOwnChangesAtGoogle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	id := b.calendar()
	w.upload(b.owner(), lectures(2))
	b.counts(b.sync(id, map[string]any{"year": 2018, "follow": true}), 9, 0, 0, 0) // three are beside their series
	first := eventIDs(lectures(2))[0]
	own := map[string]any{"year": 2018, "changes": []map[string]any{
		{"event": first, "date": "2018-02-12", "venue": "Elsewhere"}, {"event": first, "date": "2018-02-19", "cancelled": true},
	}, "extra": []map[string]any{{"module": "COS 100", "date": "2018-05-31", "startTime": "08:30", "endTime": "10:20", "venue": "Revision room"}}}
	b.counts(b.sync(id, own), 2, 1, 0, 8)
	places := func() string {
		var all []string
		for _, e := range w.google.Instances(id) {
			if at, _ := e["start"].(map[string]any)["dateTime"].(string); strings.HasPrefix(at, "2018-02-12") || strings.HasPrefix(at, "2018-02-19") || strings.HasPrefix(at, "2018-05-31") {
				if strings.HasPrefix(fmt.Sprint(e["summary"]), "COS 100") {
					all = append(all, fmt.Sprint(at[:10], " ", e["summary"], " ", e["location"]))
				}
			}
		}
		slices.Sort(all)
		return strings.Join(all, ", ")
	}
	want := "2018-02-12 COS 100 L1 Elsewhere, 2018-05-31 COS 100 Extra class Revision room"
	if got := places(); got != want {
		t.Errorf("Google shows %s, want %s", got, want)
	}
	newer := lectures(2)
	newer.Entries[1].Venues = []string{"Moved"}
	b.want(b.parsedEvent(w.upload(b.owner(), newer)), 204, nil)
	w.sweep()
	if got := places(); got != want || len(w.google.Events(id)) != 11 {
		t.Errorf("after a newer upload Google shows %s of %d events, want %s of 11", got, len(w.google.Events(id)), want)
	}
	b.counts(b.sync(id, map[string]any{"year": 2018}), 0, 1, 2, 8)
}
