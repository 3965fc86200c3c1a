package calendar_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/timetable"
)

// lecture is a lecture of the given term and day.
func lecture(semester, day string) calendar.Event {
	return calendar.Event{Kind: timetable.Lecture, Module: "COS 212", Group: "G01", Activity: "L1", Semester: semester,
		Day: day, StartTime: "08:30", EndTime: "09:20"}
}

func build(t *testing.T, opts calendar.Options, events ...calendar.Event) calendar.Calendar {
	t.Helper()
	c, err := calendar.Build(events, opts)
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return c
}

// dates are the days on which an item happens.
func dates(i calendar.Item) []string {
	var days []string
	for o := range calendar.Occurrences(i) {
		days = append(days, calendar.DateOf(o.Start).String())
	}
	return days
}

func TestLectureRecursOnlyInsideItsOwnTerm(t *testing.T) {
	t.Parallel()
	c := build(t, calendar.Options{Year: 2026}, lecture("S1", "Monday"), lecture("S2", "Monday"))
	want := [][]string{
		{"2026-02-09", "2026-02-16", "2026-02-23", "2026-03-02", "2026-03-09", "2026-03-16", "2026-03-23",
			"2026-03-30", "2026-04-13", "2026-04-20", "2026-05-04", "2026-05-11", "2026-05-18"}, // not Family Day, not Freedom Day
		{"2026-07-13", "2026-07-20", "2026-07-27", "2026-08-03", "2026-08-17", "2026-08-24", "2026-08-31",
			"2026-09-07", "2026-09-14", "2026-09-21", "2026-09-28", "2026-10-05", "2026-10-12"}, // not Women's Day observed
	}
	for n, days := range want {
		if got := dates(c.Items[n]); !slices.Equal(got, days) {
			t.Errorf("item %d is on\n %q, want\n %q", n, got, days)
		}
	}
	item := c.Items[1]
	if got, want := item.Excluded, []time.Time{time.Date(2026, 8, 10, 8, 30, 0, 0, calendar.Zone)}; !reflect.DeepEqual(got, want) {
		t.Errorf("excluded are %v, want %v", got, want)
	}
	if !strings.HasSuffix(item.UID, "-2026@schedgen") {
		t.Errorf("UID is %q, want the year in it", item.UID)
	}
}

func TestFirstAndLastDayOfATermBelongToIt(t *testing.T) {
	t.Parallel()
	term := map[string]calendar.Range{"S1": mustRange(t, "2026-02-11..2026-02-25")} // Wednesday to Wednesday
	c := build(t, calendar.Options{Terms: term}, lecture("S1", "Wednesday"), lecture("S1", "Tuesday"), lecture("S1", "Thursday"))
	for n, want := range [][]string{{"2026-02-11", "2026-02-18", "2026-02-25"}, {"2026-02-17", "2026-02-24"}, {"2026-02-12", "2026-02-19"}} {
		if got := dates(c.Items[n]); !slices.Equal(got, want) {
			t.Errorf("item %d is on %q, want %q", n, got, want)
		}
	}
}

// TestSeriesNeverBeginsOrEndsOnADayOff: DTSTART counts as an occurrence whatever EXDATE says, in
// some programs.
func TestSeriesNeverBeginsOrEndsOnADayOff(t *testing.T) {
	t.Parallel()
	opts := calendar.Options{Terms: map[string]calendar.Range{"S2": mustRange(t, "2026-08-10..2026-09-24")}}
	c := build(t, opts, lecture("S2", "Monday"), lecture("S2", "Thursday"))
	if got := dates(c.Items[0])[0]; got != "2026-08-17" {
		t.Errorf("Mondays begin on %s, want the one after Women's Day", got)
	}
	if got := calendar.DateOf(c.Items[1].Until).String(); got != "2026-09-17" {
		t.Errorf("Thursdays end on %s, want the one before Heritage Day", got)
	}
	if len(c.Items[0].Excluded)+len(c.Items[1].Excluded) != 0 {
		t.Error("days outside the series are excluded from it")
	}
}

func TestYearModuleSkipsTheGapBetweenSemesters(t *testing.T) {
	t.Parallel()
	c := build(t, calendar.Options{Year: 2026}, lecture("Y", "Friday"))
	got := dates(c.Items[0])
	if got[0] != "2026-02-13" || got[len(got)-1] != "2026-10-16" {
		t.Errorf("it runs from %s to %s", got[0], got[len(got)-1])
	}
	for _, day := range got {
		if "2026-05-22" < day && day < "2026-07-13" {
			t.Errorf("it is held on %s, between the semesters", day)
		}
	}
}

func TestQuarterTakesItsSemesterWithAWarning(t *testing.T) {
	t.Parallel()
	c := build(t, calendar.Options{Year: 2026}, lecture("Q3", "Friday"))
	if got := dates(c.Items[0])[0]; got != "2026-07-17" {
		t.Errorf("Q3 begins on %s, want S2's first Friday", got)
	}
	wantWarning(t, c, calendar.QuarterDatesUnknown, c.Items[0].Event.ID)
	if len(c.Items[0].Warnings) != 1 {
		t.Errorf("the item's warnings are %v, want the guess told", c.Items[0].Warnings)
	}
	given := build(t, calendar.Options{Year: 2026, Terms: map[string]calendar.Range{"q3": mustRange(t, "2026-07-13..2026-08-28")}}, lecture("Q3", "Friday"))
	if len(given.Warnings) != 0 || calendar.DateOf(given.Items[0].Until).String() != "2026-08-28" {
		t.Errorf("a given quarter: until %v, warnings %v", given.Items[0].Until, given.Warnings)
	}
}

func TestTermWithoutDatesIsAnErrorThatNamesIt(t *testing.T) {
	t.Parallel()
	for _, opts := range []calendar.Options{{}, {Year: 2031}, {Terms: map[string]calendar.Range{"S2": mustRange(t, "2031-07-13..2031-10-16")}}} {
		_, err := calendar.Build([]calendar.Event{lecture("S1", "Monday"), lecture("Y", "Monday")}, opts)
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != calendar.MissingSemesterDates || !strings.Contains(e.Message, "S1, Y") {
			t.Errorf("options %+v: error is %v, want %s of S1 and Y", opts, err, calendar.MissingSemesterDates)
		}
	}
}

// TestLecturesOfNoSemesterNameNoTerm: a program offers the named terms to a person, and gives their dates.
func TestLecturesOfNoSemesterNameNoTerm(t *testing.T) {
	t.Parallel()
	const ask = "ome lectures name no semester. Give its first and its last day (semesterStart and semesterEnd)."
	for _, test := range []struct {
		events []calendar.Event
		terms  []string
		says   string
	}{
		{[]calendar.Event{lecture("", "Monday")}, []string{}, "S" + ask},
		{[]calendar.Event{lecture("", "Monday"), lecture("S1", "Monday")}, []string{"S1"}, "We do not know when S1 begins and ends. Give the first and the last day of S1. Also, s" + ask},
	} {
		_, err := calendar.Build(test.events, calendar.Options{})
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != calendar.MissingSemesterDates {
			t.Fatalf("error is %v, want %s", err, calendar.MissingSemesterDates)
		}
		if told, _ := e.Details.(calendar.MissingDates); e.Message != test.says || !reflect.DeepEqual(told.Terms, test.terms) {
			t.Errorf("it says %q with %v, want %q with the terms %v", e.Message, e.Details, test.says, test.terms)
		}
	}
	lenient := build(t, calendar.Options{Lenient: true}, lecture("", "Monday"))
	wantWarning(t, lenient, calendar.MissingSemesterDates, "")
}

func TestDayThatContradictsTheDateIsAWarning(t *testing.T) {
	t.Parallel()
	exam := calendar.Event{Kind: timetable.Exam, Module: "COS 212", Activity: "Exam Written", Date: "2026-06-02", StartTime: "08:30"}
	for day, want := range map[string]string{"Monday": "The day is given as Monday, but 2026-06-02 is a Tuesday. Check which is right.", "Tuesday": "", " tuesday": "", "": ""} {
		e := exam
		e.Day = day
		c := build(t, calendar.Options{}, e)
		if got := dates(c.Items[0]); !slices.Equal(got, []string{"2026-06-02"}) {
			t.Errorf("%q: it is on %q, want its date", day, got)
		}
		var got string
		for _, w := range c.Items[0].Warnings {
			if w.Code == timetable.DayMismatch {
				got += w.Message
			}
		}
		if got != want {
			t.Errorf("%q: warned of %q, want %q", day, got, want)
		}
	}
	exam.Day, exam.Warnings = "Monday", []timetable.Warning{{Code: timetable.DayMismatch, Message: "as the reader of the PDF says"}}
	if got := build(t, calendar.Options{}, exam).Items[0].Warnings; len(got) != 0 {
		t.Errorf("what the PDF's reader told is told again: %v", got)
	}
}

func TestCalendarWithNothingLeftSaysWhy(t *testing.T) {
	t.Parallel()
	opts := calendar.Options{Year: 2026, Exclude: calendar.Days{mustRange(t, "2026-01-01..2026-12-31")}}
	c := build(t, opts, lecture("S1", "Monday"))
	var e *calendar.Error
	if err := c.CheckNotEmpty(); !errors.As(err, &e) || e.Code != calendar.NothingLeft || !reflect.DeepEqual(e.Details, c.Warnings) || len(c.Warnings) == 0 {
		t.Errorf("error is %#v, want %s with the warnings %v", err, calendar.NothingLeft, c.Warnings)
	}
	if err := build(t, calendar.Options{Year: 2026}, lecture("S1", "Monday")).CheckNotEmpty(); err != nil {
		t.Errorf("of one lecture something is left, but: %v", err)
	}
}

// TestYearWithoutDataNeedsWhatItsLecturesNeed: quarters stand in their semester and a year module in
// both, as soon as somebody gives the semesters' dates.
func TestYearWithoutDataNeedsWhatItsLecturesNeed(t *testing.T) {
	t.Parallel()
	s1, s2 := mustRange(t, "2031-02-10..2031-05-23"), mustRange(t, "2031-07-14..2031-10-17")
	for _, test := range []struct {
		offered, given string // space-separated
		first, last    string // empty: the term is asked for
	}{
		{"S1", "", "", ""}, {"S1", "S2", "", ""}, {"S1", "S1", "2031-02-10", "2031-05-19"},
		{"S2", "S1", "", ""}, {"S2", "S2", "2031-07-14", "2031-10-13"},
		{"Q1", "", "", ""}, {"Q1", "S2", "", ""}, {"Q1", "S1", "2031-02-10", "2031-05-19"},
		{"Q2", "S1", "2031-02-10", "2031-05-19"}, {"Q3", "S1", "", ""}, {"Q3", "S2", "2031-07-14", "2031-10-13"},
		{"Q4", "S1 S2", "2031-07-14", "2031-10-13"},
		{"Y", "", "", ""}, {"Y", "S1", "", ""}, {"Y", "S2", "", ""}, {"Y", "S1 S2", "2031-02-10", "2031-10-13"},
	} {
		opts := calendar.Options{Year: 2031, Terms: map[string]calendar.Range{}}
		for _, name := range strings.Fields(test.given) {
			opts.Terms[name] = map[string]calendar.Range{"S1": s1, "S2": s2}[name]
		}
		c, err := calendar.Build([]calendar.Event{lecture(test.offered, "Monday")}, opts)
		var e *calendar.Error
		switch {
		case test.first == "":
			if !errors.As(err, &e) || e.Code != calendar.MissingSemesterDates || !strings.HasSuffix(e.Message, " "+test.offered+".") {
				t.Errorf("%s with %q given: error is %v, want %s of it", test.offered, test.given, err, calendar.MissingSemesterDates)
			}
		case err != nil:
			t.Errorf("%s with %q given: %v", test.offered, test.given, err)
		default:
			if got := dates(c.Items[0]); got[0] != test.first || got[len(got)-1] != test.last {
				t.Errorf("%s with %q given runs from %s to %s, want %s to %s", test.offered, test.given, got[0], got[len(got)-1], test.first, test.last)
			}
		}
	}
}

func TestLenientOptionsTellOfTermsWithoutDates(t *testing.T) {
	t.Parallel()
	test := calendar.Event{Kind: timetable.Test, Module: "COS 212", Test: "Test1", Date: "2031-05-04", StartTime: "10:00", EndTime: "11:30"}
	c := build(t, calendar.Options{Year: 2031, Lenient: true}, lecture("S1", "Monday"), test)
	if len(c.Items) != 1 {
		t.Errorf("items are %+v, want the test alone", c.Items)
	}
	wantWarning(t, c, calendar.MissingSemesterDates, "")
}

func TestRecessIsExcluded(t *testing.T) {
	t.Parallel()
	opts := calendar.Options{Year: 2026, Exclude: []calendar.Range{mustRange(t, "2026-03-23..2026-04-03"), mustRange(t, "2026-05-06")}}
	c := build(t, opts, lecture("S1", "Wednesday"))
	for _, day := range dates(c.Items[0]) {
		if day == "2026-03-25" || day == "2026-04-01" || day == "2026-05-06" {
			t.Errorf("it is held on %s, in the recess", day)
		}
	}
	if got := len(c.Items[0].Excluded); got != 3 {
		t.Errorf("%d dates are excluded, want 3: %v", got, c.Items[0].Excluded)
	}
}

func TestRecessOfAllDatesLeavesAWarning(t *testing.T) {
	t.Parallel()
	opts := calendar.Options{Year: 2026, Exclude: []calendar.Range{mustRange(t, "2026-01-01..2026-12-31")}}
	c := build(t, opts, lecture("S1", "Wednesday"))
	if len(c.Items) != 0 {
		t.Errorf("items are %v, want none", c.Items)
	}
	wantWarning(t, c, calendar.AllExcluded, "")
}

func TestTestsAndExamsStandOnTheirDate(t *testing.T) {
	t.Parallel()
	holiday := calendar.Event{ID: "x", Kind: timetable.Test, Module: "COS 212", Test: "Test1", Date: "2026-04-27", StartTime: "10:00", EndTime: "11:30"}
	c := build(t, calendar.Options{Exclude: []calendar.Range{mustRange(t, "2026-04-20..2026-04-30")}}, holiday)
	if got := dates(c.Items[0]); !slices.Equal(got, []string{"2026-04-27"}) {
		t.Errorf("the test is on %q, want its date", got)
	}
	if len(c.Items[0].Warnings) != 1 || c.Items[0].Warnings[0].Code != calendar.OnPublicHoliday {
		t.Errorf("warnings are %v, want %s", c.Items[0].Warnings, calendar.OnPublicHoliday)
	}
}

func TestExamWithoutAnEndLastsThreeHours(t *testing.T) {
	t.Parallel()
	for start, end := range map[string]string{"07:30": "10:30", "22:00": "01:00"} {
		e := calendar.Event{Kind: timetable.Exam, Module: "COS 212", Activity: "Exam Written", Date: "2026-11-12", StartTime: start}
		item := build(t, calendar.Options{}, e).Items[0]
		if got := item.End.Sub(item.Start); got != 3*time.Hour || !item.Event.EndTimeEstimated || item.Event.EndTime != end {
			t.Errorf("from %s it lasts %v until %s, estimated %v", start, got, item.Event.EndTime, item.Event.EndTimeEstimated)
		}
		again := build(t, calendar.Options{}, item.Event).Items[0]
		if got := again.End.Sub(again.Start); got != 3*time.Hour {
			t.Errorf("from %s, with its estimate given, it lasts %v", start, got)
		}
	}
}

// TestWhatACalendarCannotShowIsAWarning: never skipped in silence, never guessed.
func TestWhatACalendarCannotShowIsAWarning(t *testing.T) {
	t.Parallel()
	change := func(f func(*calendar.Event)) calendar.Event {
		e := lecture("S1", "Monday")
		f(&e)
		return e
	}
	test := calendar.Event{Kind: timetable.Test, Module: "COS 212", Test: "Test1", StartTime: "10:00", EndTime: "11:30"}
	impossible := test
	impossible.Date = "2026-02-30"
	for code, e := range map[string]calendar.Event{
		timetable.NoTime:         change(func(e *calendar.Event) { e.StartTime = "" }),
		timetable.NoDay:          change(func(e *calendar.Event) { e.Day = "" }),
		timetable.NoDate:         test,
		timetable.EndBeforeStart: change(func(e *calendar.Event) { e.EndTime = "08:30" }),
		timetable.UnknownTerm:    change(func(e *calendar.Event) { e.Semester = "S3" }),
		calendar.InvalidDay:      change(func(e *calendar.Event) { e.Day = "Funday" }),
		calendar.InvalidTime:     change(func(e *calendar.Event) { e.StartTime = "25:00" }),
		calendar.InvalidDate:     impossible,
	} {
		c := build(t, calendar.Options{Year: 2026}, e)
		if len(c.Items) != 0 {
			t.Errorf("%s: items are %v, want none", code, c.Items)
		}
		wantWarning(t, c, code, "")
	}
	noEnd := change(func(e *calendar.Event) { e.EndTime = "" })
	wantWarning(t, build(t, calendar.Options{Year: 2026}, noEnd), timetable.NoTime, "")
	badEnd := change(func(e *calendar.Event) { e.EndTime = "9h20" })
	wantWarning(t, build(t, calendar.Options{Year: 2026}, badEnd), calendar.InvalidTime, "")
	short := calendar.Options{Terms: map[string]calendar.Range{"S1": mustRange(t, "2026-02-10..2026-02-12")}}
	wantWarning(t, build(t, short, lecture("S1", "Monday")), calendar.NotInTerm, "")
}

func wantWarning(t *testing.T, c calendar.Calendar, code, id string) {
	t.Helper()
	for _, w := range c.Warnings {
		if w.Code == code && (id == "" && len(w.Events) > 0 || slices.Contains(w.Events, id)) {
			return
		}
	}
	t.Errorf("warnings are %+v, want %s of event %q", c.Warnings, code, id)
}

func mustRange(t testing.TB, s string) calendar.Range {
	t.Helper()
	r, err := calendar.ParseDays(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
