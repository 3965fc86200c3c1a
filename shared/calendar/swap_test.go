package calendar_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

func day(t *testing.T, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// yearOf2018 is the first half of 2018 with the given days that follow another weekday.
func yearOf2018(t *testing.T, swaps map[string]time.Weekday) calendar.Years {
	t.Helper()
	period := func(s string) calendar.Period {
		r := mustRange(t, s)
		return calendar.Period{Start: r.Start, End: r.End}
	}
	y := calendar.AcademicYear{
		Year: 2018, Covers: mustRange(t, "2018-01-01..2018-06-30"), Terms: map[string]calendar.Period{"S1": period("2018-02-05..2018-05-29")},
		Recess:     []calendar.Period{period("2018-03-29..2018-04-09")},
		NoLectures: []calendar.Period{period("2018-04-30..2018-04-30")}, Follows: []calendar.Swap{},
	}
	for date, weekday := range swaps {
		y.Follows = append(y.Follows, calendar.Swap{Date: day(t, date), Weekday: weekday})
	}
	return calendar.Years{2018: y}
}

func TestRecessAndDaysWithoutLecturesOfTheYearAreExcluded(t *testing.T) {
	t.Parallel()
	years := yearOf2018(t, nil)
	c := build(t, calendar.Options{Year: 2018, Years: years}, lecture("S1", "Monday"))
	for _, free := range []string{"2018-04-02", "2018-04-09", "2018-04-30"} {
		if slices.Contains(dates(c.Items[0]), free) {
			t.Errorf("there is a lecture on %s", free)
		}
	}
	if len(c.Notes) != 0 || len(dates(c.Items[0])) != 14 {
		t.Errorf("%d lectures, and the notes %q; want 14 and none", len(dates(c.Items[0])), c.Notes)
	}
	own := calendar.Days{mustRange(t, "2018-04-16..2018-04-16")}
	c = build(t, calendar.Options{Year: 2018, Years: years, Recess: &own}, lecture("S1", "Monday"))
	if got := dates(c.Items[0]); slices.Contains(got, "2018-04-16") || !slices.Contains(got, "2018-04-09") || slices.Contains(got, "2018-04-30") {
		t.Errorf("with another recess, lectures are on %q", got)
	}
	c = build(t, calendar.Options{Year: 2018, Years: years, Recess: &calendar.Days{}}, lecture("S1", "Monday"))
	if got := dates(c.Items[0]); !slices.Contains(got, "2018-04-09") || slices.Contains(got, "2018-04-30") {
		t.Errorf("without a recess, lectures are on %q", got)
	}
	elsewhen := calendar.Days{mustRange(t, "2019-04-01..2019-04-08")}
	c = build(t, calendar.Options{Year: 2018, Years: years, Recess: &elsewhen}, lecture("S1", "Monday"))
	if got := dates(c.Items[0]); slices.Contains(got, "2018-04-09") {
		t.Errorf("a recess of 2019 took that of 2018 away: %q", got)
	}
}

// TestUnknownRecessIsTold once, where nobody can know whether lectures stand in it.
func TestUnknownRecessIsTold(t *testing.T) {
	t.Parallel()
	years := yearOf2018(t, nil)
	second := calendar.Terms{"S2": mustRange(t, "2018-07-16..2018-11-02")}
	for name, c := range map[string]struct {
		opts  calendar.Options
		event calendar.Event
		told  bool
	}{
		"known":                    {calendar.Options{Year: 2018, Years: years}, lecture("S1", "Monday"), false},
		"after what is known":      {calendar.Options{Year: 2018, Years: years, Terms: second}, lecture("S2", "Monday"), true},
		"of no year that is known": {calendar.Options{Year: 2018, Years: calendar.Years{}, Terms: second}, lecture("S2", "Monday"), true},
		"given by the student":     {calendar.Options{Year: 2018, Years: years, Terms: second, Recess: &calendar.Days{mustRange(t, "2018-09-01..2018-09-08")}}, lecture("S2", "Monday"), false},
		"excluded by the student":  {calendar.Options{Year: 2018, Years: years, Terms: second, Exclude: calendar.Days{mustRange(t, "2018-09-01..2018-09-08")}}, lecture("S2", "Monday"), false},
	} {
		if got := build(t, c.opts, c.event, c.event).Notes; len(got) > 1 || len(got) == 1 != c.told {
			t.Errorf("%s: the notes are %q", name, got)
		}
	}
}

func TestADayThatFollowsAnotherWeekday(t *testing.T) {
	t.Parallel()
	years := yearOf2018(t, map[string]time.Weekday{"2018-03-19": time.Wednesday, "2018-04-30": time.Friday, "2018-05-01": time.Friday})
	test := calendar.Event{Kind: timetable.Test, Module: "COS 212", Test: "Test 1", Date: "2018-03-19", StartTime: "17:30", EndTime: "19:00"}
	c := build(t, calendar.Options{Year: 2018, Years: years}, lecture("S1", "Monday"), lecture("S1", "Wednesday"), lecture("S1", "Friday"), test)
	if len(c.Items) != 5 {
		t.Fatalf("%d items, want three series, a lecture beside them and a test: days without lectures follow none: %+v", len(c.Items), c.Items)
	}
	monday, wednesday, beside := c.Items[0], c.Items[1], c.Items[2]
	if slices.Contains(dates(monday), "2018-03-19") || slices.Contains(dates(wednesday), "2018-03-19") {
		t.Errorf("Monday is on %q, Wednesday on %q", dates(monday), dates(wednesday))
	}
	if got := dates(beside); !slices.Equal(got, []string{"2018-03-19"}) || beside.UID != strings.Replace(wednesday.UID, "@", "-20180319@", 1) {
		t.Errorf("beside the series: %s on %q", beside.UID, got)
	}
	if want := "Monday 19 March 2018 follows the Wednesday timetable."; !strings.Contains(beside.Description(), want) {
		t.Errorf("its description is %q, want %q in it", beside.Description(), want)
	}
	if got := dates(c.Items[4]); !slices.Equal(got, []string{"2018-03-19"}) {
		t.Errorf("the test moved to %q", got)
	}
	if len(c.Clashes) != 0 && c.Clashes[0].Events[0] == c.Clashes[0].Events[1] {
		t.Errorf("a lecture clashes with itself: %+v", c.Clashes)
	}
}

// TestASwapChangesTheEventsOfItsTwoWeekdaysAlone holds for generated timetables: the others stay to the letter, and
// so do all once it is withdrawn.
func TestASwapChangesTheEventsOfItsTwoWeekdaysAlone(t *testing.T) {
	t.Parallel()
	seed := tabletest.Seed(t)
	changed := 0
	for n := range uint64(60) {
		doc := tabletest.Generated(t, fixture.Options{Kind: timetable.Lecture, Seed: seed + n, Modules: 6})
		random := rand.New(rand.NewPCG(seed+n, 3))
		date := mustRange(t, "2018-02-12..2018-03-16").Start.AddDays(random.IntN(33))
		for date.Weekday() == time.Saturday || date.Weekday() == time.Sunday {
			date = date.AddDays(1)
		}
		follows := time.Weekday(1 + random.IntN(5))
		options := func(swaps map[string]time.Weekday) calendar.Options {
			return calendar.Options{Year: 2018, Years: yearOf2018(t, swaps), Terms: calendar.Terms{"S2": mustRange(t, "2018-07-16..2018-11-02")}}
		}
		events := calendar.Events(doc)
		before, after := itemsByUID(build(t, options(nil), events...)), itemsByUID(build(t, options(map[string]time.Weekday{date.String(): follows}), events...))
		for uid, was := range before {
			own := slices.Contains(dates(was), date.String()) && follows != date.Weekday()
			if now, ok := after[uid]; own {
				want := slices.DeleteFunc(dates(was), func(d string) bool { return d == date.String() })
				if !slices.Equal(dates(now), want) {
					t.Errorf("seed %d: %s on %s is on %q, want %q", seed+n, was.Summary, date, dates(now), want)
				}
				changed++
			} else if !ok || !reflect.DeepEqual(now, was) {
				t.Errorf("seed %d: %s changed with %s, which follows %s", seed+n, was.Summary, date, follows)
			}
			delete(after, uid)
		}
		for uid, now := range after {
			if now.Event.Day != follows.String() || !slices.Equal(dates(now), []string{date.String()}) || now.Until != (time.Time{}) {
				t.Errorf("seed %d: %s appears as %s on %q", seed+n, uid, now.Summary, dates(now))
			}
			changed++
		}
	}
	if changed < 100 {
		t.Errorf("%d events changed: too few to prove anything", changed)
	}
}

func itemsByUID(c calendar.Calendar) map[string]calendar.Item {
	all := make(map[string]calendar.Item, len(c.Items))
	for _, i := range c.Items {
		all[i.UID] = i
	}
	return all
}

func TestALectureChangedOnOneDate(t *testing.T) {
	t.Parallel()
	l := lecture("S1", "Monday")
	l.ID, l.Venue = "a", "Aula"
	other := lecture("S1", "Wednesday")
	other.ID, other.Activity = "b", "L2"
	years := yearOf2018(t, map[string]time.Weekday{"2018-03-19": time.Wednesday})
	on := func(date string) calendar.Change { return calendar.Change{Event: "a", Date: day(t, date)} }
	cancelled, moved, longer, elsewhere, later := on("2018-02-12"), on("2018-02-19"), on("2018-02-26"), on("2018-03-05"), on("2018-03-12")
	cancelled.Cancelled = true
	moved.NewDate, moved.StartTime = day(t, "2018-02-20"), "14:30"
	longer.EndTime, longer.Notes = "10:20", "Guest"
	elsewhere.Venue = "Hall"
	later.StartTime, later.EndTime = "16:30", "17:20"
	swapped := calendar.Change{Event: "b", Date: day(t, "2018-03-19"), Venue: "Hall"}
	gone := calendar.Change{Event: "b", Date: day(t, "2018-03-20"), Cancelled: true}
	unknown := calendar.Change{Event: "c", Date: day(t, "2018-03-20"), Cancelled: true}
	opts := calendar.Options{Year: 2018, Years: years, Changes: []calendar.Change{cancelled, moved, longer, elsewhere, later, swapped, gone, unknown}}
	c := build(t, opts, l, other)
	var got []string
	for _, i := range c.Items {
		if i.Until.IsZero() {
			got = append(got, fmt.Sprint(i.Start.Format("2006-01-02 15:04"), i.End.Format("-15:04 "), i.Event.ID, " ", i.Location(), " ", i.Remark, " ", i.UID[len(i.UID)-17:]))
			if !strings.Contains(i.Description(), i.Remark) {
				t.Errorf("%q lacks %q", i.Description(), i.Remark)
			}
		}
	}
	want := []string{
		"2018-02-20 14:30-15:20 a Aula Moved from Monday 19 February 2018, 08:30. 20180219@schedgen",
		"2018-02-26 08:30-10:20 a Aula Guest 20180226@schedgen",
		"2018-03-05 08:30-09:20 a Hall  20180305@schedgen",
		"2018-03-12 16:30-17:20 a Aula Moved from Monday 12 March 2018, 08:30. 20180312@schedgen",
		"2018-03-19 08:30-09:20 b Hall Monday 19 March 2018 follows the Wednesday timetable. 20180319@schedgen",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range opts.Changes[:5] {
		if d := c.Date.String(); slices.Contains(dates(build(t, opts, l, other).Items[0]), d) {
			t.Errorf("the series still has %s", d)
		}
	}
	if len(c.Warnings) != 1 || c.Warnings[0].Code != calendar.ChangeUnused || !strings.HasPrefix(c.Warnings[0].Message, "2 of your changes") {
		t.Errorf("the warnings are %+v, want one of two changes without a class", c.Warnings)
	}
	if c := build(t, calendar.Options{Year: 2018, Years: years}, l); len(c.Items) != 1 || len(dates(c.Items[0])) != 13 {
		t.Errorf("without changes there are %d items", len(c.Items))
	}
}

func TestExtraClasses(t *testing.T) {
	t.Parallel()
	extra := calendar.ExtraClass{Module: "cos212", Date: day(t, "2018-05-31"), StartTime: "08:30", EndTime: "10:20", Venue: "Hall", Notes: "Revision"}
	twice := extra
	twice.StartTime = "11:30"
	twice.EndTime = "12:20"
	opts := calendar.Options{Year: 2018, Years: yearOf2018(t, nil), Modules: []string{"COS 212"}, Extra: []calendar.ExtraClass{extra, twice}}
	c := build(t, opts, lecture("S1", "Monday"))
	if len(c.Items) != 3 || c.Items[1].Summary != "COS 212 Extra class" || c.Items[1].Location() != "Hall" || c.Items[1].Color != c.Items[0].Color ||
		c.Items[1].UID == c.Items[2].UID || !strings.Contains(c.Items[1].Description(), "Revision") || c.Items[1].Scope() != calendar.ExtraScope(2018) {
		t.Errorf("the items are %+v", c.Items)
	}
	alone := build(t, calendar.Options{Extra: []calendar.ExtraClass{extra}})
	if alone.Items[0].UID != c.Items[1].UID {
		t.Errorf("an extra class is %s beside others and %s alone", c.Items[1].UID, alone.Items[0].UID)
	}
}

func TestOwnChangesThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	date := day(t, "2026-03-02")
	far := calendar.Days{}
	for range 401 {
		far = append(far, calendar.Range{Start: date, End: date})
	}
	change := func(c calendar.Change) calendar.Options { return calendar.Options{Changes: []calendar.Change{c}} }
	extra := func(x calendar.ExtraClass) calendar.Options { return calendar.Options{Extra: []calendar.ExtraClass{x}} }
	for name, opts := range map[string]calendar.Options{
		"no event":                 change(calendar.Change{Date: date, Cancelled: true}),
		"no date":                  change(calendar.Change{Event: "a", Cancelled: true}),
		"nothing":                  change(calendar.Change{Event: "a", Date: date}),
		"cancelled elsewhere":      change(calendar.Change{Event: "a", Date: date, Cancelled: true, Venue: "Hall"}),
		"no time":                  change(calendar.Change{Event: "a", Date: date, StartTime: "noon"}),
		"backwards":                change(calendar.Change{Event: "a", Date: date, StartTime: "10:30", EndTime: "09:30"}),
		"another year":             change(calendar.Change{Event: "a", Date: date, NewDate: day(t, "2027-03-02")}),
		"long":                     change(calendar.Change{Event: "a", Date: date, Notes: strings.Repeat("x", 501)}),
		"twice":                    {Changes: []calendar.Change{{Event: "a", Date: date, Cancelled: true}, {Event: "a", Date: date, Venue: "x"}}},
		"many changes":             {Changes: make([]calendar.Change, 401)},
		"many extras":              {Extra: make([]calendar.ExtraClass, 201)},
		"extra without a module":   extra(calendar.ExtraClass{Date: date, StartTime: "08:30", EndTime: "09:20"}),
		"extra without a date":     extra(calendar.ExtraClass{Module: "A", StartTime: "08:30", EndTime: "09:20"}),
		"extra without a time":     extra(calendar.ExtraClass{Module: "A", Date: date, StartTime: "08:30"}),
		"extra backwards":          extra(calendar.ExtraClass{Module: "A", Date: date, StartTime: "08:30", EndTime: "08:30"}),
		"a long recess":            {Recess: &far},
		"a recess that ends early": {Recess: &calendar.Days{{Start: date, End: date.AddDays(-1)}}},
	} {
		if _, err := calendar.Build(nil, opts); err == nil {
			t.Errorf("%s: it is taken", name)
		} else if strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", name, err)
		}
	}
	backwards := lecture("S1", "Monday")
	backwards.ID = "a"
	c := build(t, calendar.Options{Year: 2026, Changes: []calendar.Change{{Event: "a", Date: date, EndTime: "08:00"}}}, backwards)
	if len(c.Items) != 2 || c.Items[1].End.Sub(c.Items[1].Start) != 50*time.Minute || len(c.Items[1].Warnings) != 1 {
		t.Errorf("a class that would end before it starts is %+v", c.Items[1:])
	}
}
