package calendar_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// groupsOf lists "module group" of the items, each once.
func groupsOf(c calendar.Calendar, module string) []string {
	var groups []string
	for _, i := range c.Items {
		if i.Event.Module == module && !slices.Contains(groups, i.Event.Group) {
			groups = append(groups, i.Event.Group)
		}
	}
	return groups
}

func TestChoiceSpeaksOnlyAboutItsOwnLetters(t *testing.T) {
	t.Parallel()
	events := calendar.Events(tabletest.Lectures())
	for _, test := range []struct {
		choice calendar.Choice
		want   []string
	}{
		{nil, []string{"G01", "P01", "P02", "P03", "P04"}},
		{calendar.Choice{"P03"}, []string{"G01", "P03"}},
		{calendar.Choice{" p01 ", "P04"}, []string{"G01", "P01", "P04"}},
		{calendar.Choice{"G01"}, []string{"G01", "P01", "P02", "P03", "P04"}},
	} {
		c := build(t, calendar.Options{Year: 2026, Groups: map[string]calendar.Choice{"phy131": test.choice}}, events...)
		if got := groupsOf(c, "PHY 131"); !slices.Equal(got, test.want) {
			t.Errorf("choice %q takes %q, want %q", test.choice, got, test.want)
		}
		if got := groupsOf(c, "MLB 112"); !slices.Equal(got, []string{"G01", "T01", "T02"}) {
			t.Errorf("choice %q for PHY 131 took %q of MLB 112", test.choice, got)
		}
	}
}

func TestModulesLeaveOutTheOthers(t *testing.T) {
	t.Parallel()
	c := build(t, calendar.Options{Year: 2026, Modules: []string{"gts161", "EKN 214"}}, calendar.Events(tabletest.Lectures())...)
	for _, i := range c.Items {
		if i.Event.Module != "GTS 161" && i.Event.Module != "EKN 214" {
			t.Errorf("%s is in", i.Summary)
		}
	}
}

func TestUnknownChoiceSaysWhatExists(t *testing.T) {
	t.Parallel()
	events := calendar.Events(tabletest.Lectures())
	for _, test := range []struct {
		opts calendar.Options
		code string
		says string
	}{
		{calendar.Options{Groups: map[string]calendar.Choice{"PHY 131": {"P09"}}}, calendar.UnknownGroup, "G01, P01, P02, P03, P04"},
		{calendar.Options{Groups: map[string]calendar.Choice{"PHY 999": {"P01"}}}, calendar.UnknownModule, "EKN 214, FSK 176"},
		{calendar.Options{Modules: []string{"PHY 999"}}, calendar.UnknownModule, "EKN 214, FSK 176"},
	} {
		test.opts.Year = 2026
		_, err := calendar.Build(events, test.opts)
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != test.code || !strings.Contains(e.Message, test.says) || e.Details == nil {
			t.Errorf("%+v: error is %v, want %s that says %q", test.opts, err, test.code, test.says)
		}
		test.opts.Lenient = true
		if c := build(t, test.opts, events...); len(c.Warnings) != 1 || c.Warnings[0].Code != test.code {
			t.Errorf("%+v: warnings are %+v, want %s", test.opts, c.Warnings, test.code)
		}
	}
}

func TestClashesAreReportedOnce(t *testing.T) {
	t.Parallel()
	a, b := lecture("S2", "Monday"), lecture("S2", "Monday")
	a.ID, b.ID = "a", "b"
	b.Module, b.StartTime, b.EndTime = "EKN 214", "09:00", "10:00"
	test := calendar.Event{ID: "t", Kind: timetable.Test, Module: "MLB 112", Test: "Test1", Date: "2026-07-20", StartTime: "08:00", EndTime: "08:30"}
	c := build(t, calendar.Options{Year: 2026}, a, b, test)
	if len(c.Clashes) != 1 {
		t.Fatalf("clashes are %+v, want one: a test that ends as a lecture begins is none", c.Clashes)
	}
	got := c.Clashes[0]
	if got.Events != [2]string{"a", "b"} || got.Day != "Monday" || got.Date != "2026-07-13" || got.Start != "09:00" || got.End != "09:20" || got.Count != 13 || got.Alternatives {
		t.Errorf("clash is %+v", got)
	}
}

func TestGroupsToChooseFromAreAlternatives(t *testing.T) {
	t.Parallel()
	p1, p2 := lecture("S2", "Monday"), lecture("S2", "Monday")
	p1.Group, p2.Group = "P01", "P02"
	if c := build(t, calendar.Options{Year: 2026}, p1, p2); len(c.Clashes) != 1 || !c.Clashes[0].Alternatives {
		t.Errorf("clashes are %+v, want one of alternatives", c.Clashes)
	}
	opts := calendar.Options{Year: 2026, Groups: map[string]calendar.Choice{"COS 212": {"P02"}}}
	if c := build(t, opts, p1, p2); len(c.Clashes) != 0 {
		t.Errorf("clashes are %+v after the choice, want none", c.Clashes)
	}
}

func TestClashesAreBounded(t *testing.T) {
	t.Parallel()
	events := make([]calendar.Event, 60)
	for i := range events {
		events[i] = lecture("S1", "Tuesday")
	}
	c := build(t, calendar.Options{Year: 2026}, events...)
	if len(c.Clashes) != 500 {
		t.Errorf("%d clashes are listed, want 500", len(c.Clashes))
	}
	if !hasCode(c, calendar.MoreClashes) {
		t.Errorf("warnings are %+v, want %s", c.Warnings, calendar.MoreClashes)
	}
}

// TestThousandsOfEventsAtOnceEndSoon: the work is bounded, not only the answer.
func TestThousandsOfEventsAtOnceEndSoon(t *testing.T) {
	t.Parallel()
	events := make([]calendar.Event, 4000)
	for i := range events {
		events[i] = lecture("Y", "Tuesday")
	}
	if c := build(t, calendar.Options{Year: 2026}, events...); !hasCode(c, calendar.MoreClashes) {
		t.Errorf("warnings are %+v, want %s", c.Warnings, calendar.MoreClashes)
	}
}

func hasCode(c calendar.Calendar, code string) bool {
	return slices.ContainsFunc(c.Warnings, func(w calendar.Warning) bool { return w.Code == code })
}

func TestOptionsAreReadFromTheRequest(t *testing.T) {
	t.Parallel()
	body := `{"groups":{"COS 212":"P02","COS 216":["P01","P02"],"EKN 214":""},"modules":["COS 212"],
		"terms":{"S1":{"start":"2026-02-09","end":"2026-05-22"},"S2":"2026-07-13..2026-10-16"},
		"exclude":["2026-03-30",{"start":"2026-03-31","end":"2026-04-06","name":"Recess"},{"start":"2026-05-06"}],
		"reminders":[30],"colors":{"COS 212":"red"}}`
	var o calendar.Options
	if err := json.Unmarshal([]byte(body), &o); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.Groups["COS 212"], calendar.Choice{"P02"}) || len(o.Groups["COS 216"]) != 2 || len(o.Groups["EKN 214"]) != 0 {
		t.Errorf("groups are %v", o.Groups)
	}
	if o.Terms["S2"] != mustRange(t, "2026-07-13..2026-10-16") || o.Terms["S1"] != mustRange(t, "2026-02-09..2026-05-22") {
		t.Errorf("terms are %v", o.Terms)
	}
	if len(o.Exclude) != 3 || o.Exclude[1].Name != "Recess" || o.Exclude[2] != mustRange(t, "2026-05-06") {
		t.Errorf("exclude is %v", o.Exclude)
	}
	for _, bad := range []string{`{"terms":{"S1":{"start":"2026-05-22","end":"2026-02-09"}}}`, `{"terms":{"S1":{"end":"2026-02-09"}}}`,
		`{"exclude":[{"end":"2026-02-09"}]}`, `{"exclude":{}}`, `{"terms":{"S1":"2026-02-09"}}`, `{"terms":["S1"]}`,
		`{"exclude":["tomorrow"]}`, `{"exclude":["2026-02-30"]}`, `{"groups":{"COS 212":7}}`, `{"exclude":[7]}`, `{"terms":{"S1":"2026-02-01..x"}}`} {
		if err := json.Unmarshal([]byte(bad), &o); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestATermWithoutItsEndIsRefused: it is no term of one day, in which nearly every lecture would be lost.
func TestATermWithoutItsEndIsRefused(t *testing.T) {
	t.Parallel()
	for _, term := range []string{`{"start":"2026-07-20"}`, `{"start":"2026-07-20","end":""}`, `{"start":"2026-07-20","end":null}`, `"2026-07-20"`, `null`} {
		var o calendar.Options
		err := json.Unmarshal([]byte(`{"terms":{"S1":"2026-02-09..2026-05-22","S2":`+term+`}}`), &o)
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != calendar.InvalidOptions || !strings.Contains(e.Message, `term "S2"`) || !strings.Contains(e.Message, "end") {
			t.Errorf("%s: error is %v, want %s that names S2 and its end", term, err, calendar.InvalidOptions)
		}
	}
	var day calendar.Options
	if err := json.Unmarshal([]byte(`{"terms":{"S2":{"start":"2026-07-20","end":"2026-07-20"}}}`), &day); err != nil {
		t.Errorf("a term that is said to be one day: %v", err)
	}
}

// many gives n names the same value.
func many[V any](n int, value V) map[string]V {
	all := make(map[string]V, n)
	for i := range n {
		all[strconv.Itoa(i)] = value
	}
	return all
}

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	t.Parallel()
	day := calendar.Date{Year: 2026, Month: 5, Day: 1}
	for name, o := range map[string]calendar.Options{
		"year":       {Year: 20266},
		"reminder":   {Reminders: []int{-1}},
		"reminders":  {Reminders: []int{1, 2, 3, 4, 5, 6}},
		"color":      {Colors: map[string]string{"COS 212": "#ff0000"}},
		"name":       {Name: strings.Repeat("x", 300)},
		"exclude":    {Exclude: make([]calendar.Range, 500)},
		"empty":      {Exclude: make([]calendar.Range, 1)},
		"term":       {Terms: map[string]calendar.Range{"S1": mustRange(t, "2026-01-01..2036-01-01")}},
		"no term":    {Terms: map[string]calendar.Range{"S1": {}}},
		"default":    {Terms: map[string]calendar.Range{"": mustRange(t, "1026-01-01..1026-02-01")}},
		"misspelled": {Terms: map[string]calendar.Range{"Semester 1": mustRange(t, "2026-02-09..2026-05-22")}},
		"term twice": {Terms: map[string]calendar.Range{"S1": mustRange(t, "2026-02-09..2026-05-22"), " s1": mustRange(t, "2026-02-10..2026-05-22")}},
		"two colors": {Colors: map[string]string{"COS 212": "red", "cos212": "blue"}},
		"modules":    {Modules: make([]string, 600)},
		"groups":     {Groups: map[string]calendar.Choice{"COS 212": make(calendar.Choice, 201)}},
		"recess":     {Exclude: calendar.Days{{Start: day, End: day, Name: strings.Repeat("x", 201)}}},
		"term name":  {Lenient: true, Terms: map[string]calendar.Range{strings.Repeat("x", 201): {Start: day, End: day}}},
		"terms":      {Lenient: true, Terms: many(51, calendar.Range{Start: day, End: day})},
		"module":     {Modules: []string{strings.Repeat("x", 201)}},
		"all texts":  {Lenient: true, Extra: slices.Repeat([]calendar.ExtraClass{{Module: "COS 212", Date: day, StartTime: "08:30", EndTime: "09:20", Notes: strings.Repeat("x", 500)}}, 200), Changes: changesOf(day, 200)},
		"group":      {Groups: map[string]calendar.Choice{"COS 212": {strings.Repeat("x", 201)}}},
		"all names":  {Lenient: true, Groups: many(500, slices.Repeat(calendar.Choice{strings.Repeat("x", 20)}, 50))},
	} {
		_, err := calendar.Build(nil, o)
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != calendar.InvalidOptions || e.Error() == "" {
			t.Errorf("%s: error is %v, want %s", name, err, calendar.InvalidOptions)
		}
	}
}

// TestTermsOfTheEventsOwnNamesAreTaken: a timetable may know more terms than we do.
func TestTermsOfTheEventsOwnNamesAreTaken(t *testing.T) {
	t.Parallel()
	opts := calendar.Options{Terms: map[string]calendar.Range{"s7": mustRange(t, "2026-02-09..2026-02-22")}}
	if got := dates(build(t, opts, lecture("S7", "Monday")).Items[0]); !slices.Equal(got, []string{"2026-02-09", "2026-02-16"}) {
		t.Errorf("it is on %q", got)
	}
	opts.Lenient = true
	if got := dates(build(t, opts, lecture("S1", "Monday")).Items[0]); got[0] != "2026-02-09" || len(got) != 13 {
		t.Errorf("a lenient S1 is on %q, want the year's own S1", got)
	}
}

// TestOneSemesterHoldsForItsHalfOfTheYear is what the first frontend sends.
func TestOneSemesterHoldsForItsHalfOfTheYear(t *testing.T) {
	t.Parallel()
	var o calendar.Options
	o.UseSemester(mustRange(t, "2026-07-20..2026-10-30"))
	c := build(t, o, lecture("S2", "Monday"), lecture("", "Monday"), lecture("S1", "Monday"))
	for n, want := range []string{"2026-07-20", "2026-07-20", "2026-02-09"} {
		if got := dates(c.Items[n])[0]; got != want {
			t.Errorf("item %d begins on %s, want %s", n, got, want)
		}
	}
	var whole calendar.Options
	whole.UseSemester(mustRange(t, "2027-02-08..2027-10-30"))
	c = build(t, whole, lecture("S2", "Monday"), lecture("Y", "Monday"), lecture("S1", "Monday"))
	for n := range c.Items {
		if got := dates(c.Items[n])[0]; got != "2027-02-08" {
			t.Errorf("item %d of a whole year begins on %s", n, got)
		}
	}
}

// TestATermsOwnDatesStay, however its name is spelled.
func TestATermsOwnDatesStay(t *testing.T) {
	t.Parallel()
	o := calendar.Options{Terms: map[string]calendar.Range{" s1": mustRange(t, "2026-03-02..2026-05-22")}}
	o.UseSemester(mustRange(t, "2026-02-09..2026-06-05"))
	c := build(t, o, lecture("S1", "Monday"), lecture("", "Monday"))
	for n, want := range []string{"2026-03-02", "2026-02-09"} {
		if got := dates(c.Items[n])[0]; got != want {
			t.Errorf("item %d begins on %s, want %s", n, got, want)
		}
	}
}

func TestModuleCodesAreSpelledOneWay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"cos212": "COS 212", " COS  212 ": "COS 212", "WTW 114E": "WTW 114E", "odd one": "ODD ONE", "": ""} {
		if got := calendar.NormalModule(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestYearIsThatOfTheTermsUnlessGiven(t *testing.T) {
	t.Parallel()
	terms := map[string]calendar.Range{"S2": mustRange(t, "2027-07-12..2027-10-15"), "S1": mustRange(t, "2027-02-08..2027-05-21")}
	for _, test := range []struct {
		opts calendar.Options
		want int
	}{
		{calendar.Options{}, 2026}, {calendar.Options{Terms: terms}, 2027}, {calendar.Options{Year: 2025, Terms: terms}, 2025},
		{calendar.Options{Terms: map[string]calendar.Range{"": terms["S2"]}}, 2027},
	} {
		got := test.opts
		if got.UseYear(2026); got.Year != test.want {
			t.Errorf("%+v: year %d, want %d", test.opts, got.Year, test.want)
		}
	}
}

// changesOf are so many changes with long notes.
func changesOf(day calendar.Date, count int) []calendar.Change {
	all := make([]calendar.Change, count)
	for n := range all {
		all[n] = calendar.Change{Event: strconv.Itoa(n), Date: day, Notes: strings.Repeat("x", 500)}
	}
	return all
}
