package calendar_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
)

// wholeYear uses every field and every form of an academic year's file.
const wholeYear = `{
  "2031": {
    "terms": {
      "S1": {"start": "2031-02-10", "end": "2031-05-30", "source": "Senate", "checkedBy": "A. Clerk", "checkedOn": "2030-11-02"},
      "Q1": "2031-02-10..2031-03-28",
      "S2": "2031-07-14..2031-10-17"
    },
    "recess": ["2031-04-05..2031-04-14", {"start": "2031-03-10", "name": "Founders' day", "checked": false}],
    "noLectures": [],
    "follows": {
      "2031-04-16": {"weekday": "friday", "name": "after Easter", "source": "Faculty"},
      "2031-03-11": "Monday"
    },
    "tests": [{"start": "2031-03-22", "end": "2031-03-29"}],
    "examinations": ["2031-06-02..2031-06-28"],
    "note": "Drafted.",
    "covers": "2031-01-01..2031-10-31",
    "checked": true,
    "source": "Year calendar 2031"
  }
}`

func TestYearIsReadWhole(t *testing.T) {
	t.Parallel()
	years, err := calendar.ParseYears([]byte(wholeYear))
	if err != nil {
		t.Fatal(err)
	}
	y := years[2031]
	own := calendar.Origin{Source: "Year calendar 2031", Checked: true}
	if y.Year != 2031 || y.Origin != own || y.Note != "Drafted." || y.Covers != mustRange(t, "2031-01-01..2031-10-31") {
		t.Errorf("the year is %+v", y)
	}
	s1 := y.Terms["S1"]
	if s1.Range() != mustRange(t, "2031-02-10..2031-05-30") || s1.Origin != (calendar.Origin{Source: "Senate", Checked: true, CheckedBy: "A. Clerk", CheckedOn: calendar.Date{Year: 2030, Month: 11, Day: 2}}) {
		t.Errorf("S1 is %+v", s1)
	}
	if q1 := y.Terms["Q1"]; len(y.Terms) != 3 || q1.Range() != mustRange(t, "2031-02-10..2031-03-28") || q1.Origin != own {
		t.Errorf("the terms are %+v", y.Terms)
	}
	if len(y.Recess) != 2 || y.Recess[0].Name != "Founders' day" || y.Recess[0].End != y.Recess[0].Start || y.Recess[0].Origin != (calendar.Origin{Source: "Year calendar 2031"}) || y.Recess[1].Origin != own {
		t.Errorf("the recess is %+v", y.Recess)
	}
	if len(y.Follows) != 2 || y.Follows[0].Date.String() != "2031-03-11" || y.Follows[0].Weekday != time.Monday ||
		y.Follows[1].Weekday != time.Friday || y.Follows[1].Name != "after Easter" || y.Follows[1].Source != "Faculty" || y.Follows[1].Checked {
		t.Errorf("the swapped days are %+v", y.Follows)
	}
	if len(y.Tests) != 1 || len(y.Examinations) != 1 || y.NoLectures == nil || !slices.Equal(y.Unknown(), []string{"supplementary"}) {
		t.Errorf("tests %v, examinations %v, days without lectures %v; unknown are %v", y.Tests, y.Examinations, y.NoLectures, y.Unknown())
	}
}

// TestYearsThatWindowsWrote: with a byte order mark and its line ends they are the same.
func TestYearsThatWindowsWrote(t *testing.T) {
	t.Parallel()
	want, err := calendar.ParseYears([]byte(wholeYear))
	if err != nil {
		t.Fatal(err)
	}
	got, err := calendar.ParseYears([]byte("\ufeff" + strings.ReplaceAll(wholeYear, "\n", "\r\n")))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestLeapDaysAreDays: 29 February of 2028 is one, and a day after it may follow its weekday.
func TestLeapDaysAreDays(t *testing.T) {
	t.Parallel()
	years, err := calendar.ParseYears([]byte(`{"2028": {"source": "A", "terms": {"S1": "2028-02-07..2028-05-26"},
		"noLectures": ["2028-02-29"], "follows": {"2028-03-03": "Tuesday"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	c := build(t, calendar.Options{Year: 2028, Years: years}, lecture("S1", "Tuesday"))
	var all []string
	for _, item := range c.Items {
		all = append(all, dates(item)...)
	}
	if slices.Contains(all, "2028-02-29") || !slices.Contains(all, "2028-03-03") || !slices.Contains(all, "2028-03-07") || len(all) != 15 { // 21 March is a holiday
		t.Errorf("lectures of Tuesdays are on %q", all)
	}
}

func TestShippedYearsSayWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	y := calendar.Shipped()[2026]
	if terms := y.TermRanges(); len(terms) != 2 || terms["S1"] != mustRange(t, "2026-02-09..2026-05-22") || terms["S2"] != mustRange(t, "2026-07-13..2026-10-16") {
		t.Errorf("the terms of 2026 are %v", terms)
	}
	if y.Checked || y.Source == "" || !strings.Contains(y.Note, "Recess") || len(y.Unknown()) != 6 {
		t.Errorf("2026 is %+v", y)
	}
	delete(y.TermRanges(), "S1")
	if len(calendar.Shipped()[2026].TermRanges()) != 2 {
		t.Error("a caller can change the shipped terms")
	}
	if _, ok := calendar.Shipped()[1999]; ok {
		t.Error("1999 is known")
	}
}

// TestShippedYearsEqualTheReprints holds the shipped past years against another transcript of the same calendars.
func TestShippedYearsEqualTheReprints(t *testing.T) {
	t.Parallel()
	path := os.Getenv("SCHEDGEN_YEARS")
	if path == "" {
		t.Skip("set SCHEDGEN_YEARS to a file of the academic years 2017 and 2018 to hold the shipped ones against it")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]json.RawMessage
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, number := range []int{2017, 2018} {
		var want struct {
			Terms                               map[string][2]string
			Recess, Examinations, Supplementary [][2]string
			NoLectures                          []string
			Follows                             map[string]string
		}
		if err := json.Unmarshal(file[fmt.Sprint(number)], &want); err != nil {
			t.Fatal(err)
		}
		got := calendar.Shipped()[number]
		terms := map[string][2]string{}
		for name, term := range got.Terms {
			terms[name] = [2]string{term.Start.String(), term.End.String()}
		}
		follows := map[string]string{}
		for _, swap := range got.Follows {
			follows[swap.Date.String()] = swap.Weekday.String()
		}
		var days []string
		for _, day := range got.NoLectures {
			days = append(days, day.Range().String())
		}
		if !maps.Equal(terms, want.Terms) || !maps.Equal(follows, want.Follows) || !slices.Equal(days, want.NoLectures) ||
			!slices.Equal(pairs(got.Recess), want.Recess) || !slices.Equal(pairs(got.Examinations), want.Examinations) || !slices.Equal(pairs(got.Supplementary), want.Supplementary) {
			t.Errorf("%d: got %+v, want %+v", number, got, want)
		}
	}
}

func pairs(periods []calendar.Period) [][2]string {
	var all [][2]string
	for _, p := range periods {
		all = append(all, [2]string{p.Start.String(), p.End.String()})
	}
	return all
}

// TestBrokenYearsAreRefusedByLine: each problem names its line and what to do, and all are told at once.
func TestBrokenYearsAreRefusedByLine(t *testing.T) {
	t.Parallel()
	for _, test := range brokenYears {
		_, err := calendar.ParseYears([]byte(test.file))
		var e *calendar.YearsError
		if !errors.As(err, &e) {
			t.Errorf("%s\nis taken, or gives %v", test.file, err)
			continue
		}
		told := strings.Split(err.Error(), "\n")
		if len(told) != len(test.want) {
			t.Errorf("%s\ngives %q, want %q", test.file, told, test.want)
			continue
		}
		for i, want := range test.want {
			line, part, _ := strings.Cut(want, " ")
			if !strings.HasPrefix(told[i], "line "+line+": ") || !strings.Contains(told[i], part) {
				t.Errorf("%s\ngives %q, want line %s and %q", test.file, told[i], line, part)
			}
		}
	}
}

// year is a file of the year 2031 whose further fields begin on line 2.
func year(fields string) string { return `{"2031": {"source": "A", ` + "\n" + fields + "}}" }

var brokenYears = []struct {
	file string
	want []string // line, space, and a part of the message
}{
	{"", []string{"1 ends too early"}},
	{"[]", []string{"1 object of years"}},
	{"{\n\"2031\": {\"source\": \"\xff\"}}", []string{"2 not UTF-8"}},
	{"\xff\xfe{\x00", []string{"1 not UTF-8"}},
	{"{\r\n\"2031\": {\r\n\"source\": \"A\",\r\n\"recess\": [\"2031-02-29\"]}}\r\n", []string{"4 \"2031-02-29\" is not a date"}},
	{"{}", []string{"1 0 years"}},
	{"{\n\"2031\": {\"source\": \"A\",}\n}", []string{"2 not JSON"}},
	{"{\n\"2031\": {\n\"source\": \"A\"\n", []string{"3 ends too early"}},
	{year(`"terms": {}`) + "\n{}", []string{"3 more text"}},
	{`{"31": {"source": "A"}}`, []string{`1 "31" is not a year`}},
	{"{\"2031\": {\"source\": \"A\"},\n\"2031\": {\"source\": \"A\"}}", []string{"2 2031 is in the file twice"}},
	{"{\n\"2031\": {\n\"terms\": {}}}", []string{`2 add a "source"`}},
	{`{"2031": []}`, []string{"1 must be an object"}},
	{year(`"recces": []`), []string{`2 no field "recces"`}},
	{year("\"recess\": [],\n\"recess\": []"), []string{"3 first on line 2"}},
	{year(`"recess": {}`), []string{"2 list in square brackets"}},
	{year(`"recess": [7]`), []string{"2 object with start and end"}},
	{year(`"recess": ["2031-13-01"]`), []string{`2 "2031-13-01" is not a date`}},
	{year(`"recess": ["2031-04-05..2031-02-30"]`), []string{`2 "2031-02-30" is not a date`}},
	{year(`"recess": ["2031-04-05T00:00:00Z"]`), []string{"2 is not a date"}},
	{year("\"recess\": [\n\"2031-04-05..2031-04-01\"]"), []string{"3 ends on 2031-04-01, before"}},
	{year(`"recess": ["2030-04-05"]`), []string{"2 not in the year 2031"}},
	{year(`"recess": [{"end": "2031-04-05"}]`), []string{"2 needs a start"}},
	{year(`"recess": [{"start": 5}]`), []string{"2 date in double quotes"}},
	{year(`"recess": [{"start": "2031-04-05", "until": "2031-04-06"}]`), []string{`2 no field "until"`}},
	{year("\"recess\": [\"2031-04-05..2031-04-09\",\n\"2031-04-09\"]"), []string{"3 overlaps recess on line 2"}},
	{year(`"terms": {"S3": "2031-04-05..2031-04-09"}`), []string{`2 terms has no field "S3"`}},
	{year(`"terms": {"S1": "2031-04-05"}`), []string{"2 a first and a last day"}},
	{year(`"terms": {"S1": {"start": "2031-04-05"}}`), []string{"2 needs a start and an end"}},
	{year("\"terms\": {\"S1\": \"2031-02-05..2031-05-09\",\n\"S2\": \"2031-05-01..2031-10-01\"}"), []string{"3 term S2 (2031-05-01..2031-10-01) overlaps term S1"}},
	{year("\"terms\": {\"S1\": \"2031-02-05..2031-05-09\",\n\"Q1\": \"2031-02-01..2031-03-01\"}"), []string{"3 not within term S1"}},
	{year("\"terms\": {\"Q2\": \"2031-02-05..2031-03-09\",\n\"Q3\": \"2031-01-01..2031-01-15\"}"), []string{"3 before term Q2"}},
	{year(`"follows": ["2031-03-11"]`), []string{"2 object of dates"}},
	{year(`"follows": {"2031-03-11": "Mon"}`), []string{"2 must name a day"}},
	{year(`"follows": {"2031-03-11": {}}`), []string{`2 no "weekday"`}},
	{year(`"follows": {"2031-03-11": "Tuesday"}`), []string{"2 is a Tuesday itself"}},
	{year("\"follows\": {\"2031-03-11\": \"Monday\",\n\"2031-03-11\": \"Friday\"}"), []string{"3 first on line 2"}},
	{year(`"follows": {"2031-03-21": "Monday"}`), []string{"2 public holiday"}},
	{year("\"recess\": [\"2031-03-01..2031-03-12\"],\n\"follows\": {\"2031-03-11\": \"Monday\"}"), []string{"3 no lectures by line 2"}},
	{year("\"terms\": {\"S1\": \"2031-02-05..2031-03-01\"},\n\"follows\": {\"2031-03-11\": \"Monday\"}"), []string{"3 in none of the year's terms"}},
	{year("\"covers\": \"2031-01-01..2031-06-30\",\n\"recess\": [\"2031-07-01\"]"), []string{"3 outside of the days that the year covers"}},
	{year(`"covers": 5`), []string{"2 range of days"}},
	{year("\"recess\": [" + strings.Repeat("\"2031-04-05\",\n", 10_000) + "\"2031-04-05\"]"), []string{"2 more than 100 items"}},
	{year(`"recess": null`), []string{"2 list in square brackets"}},
	{year(`"note": 5`), []string{"2 note must be text in double quotes"}},
	{year(`"note": " "`), []string{"2 empty"}},
	{year(`"note": "a\nb"`), []string{"2 control character"}},
	{year(`"note": "` + strings.Repeat("a", 501) + `"`), []string{"2 longer than 500"}},
	{year(`"checked": "yes"`), []string{"2 true or false"}},
	{year(`"checked": false, "checkedBy": "A"`), []string{"1 remove one of them"}},
	{year(strings.Repeat(`"tests": [[[[[[[[[[`, 1)), []string{"2 nested too deep"}},
	{year("\"covers\": \"x\",\n\"note\": 5,\n\"recess\": [\"y\",\n\"z\"],\n\"tests\": 1"), []string{"2 covers", "3 text", `4 "y"`, `5 "z"`, "6 list"}},
}

func FuzzYears(f *testing.F) {
	f.Add([]byte(wholeYear))
	for _, test := range brokenYears {
		f.Add([]byte(test.file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		years, err := calendar.ParseYears(data)
		var e *calendar.YearsError
		if err != nil && (!errors.As(err, &e) || len(e.Problems) == 0) {
			t.Fatalf("the error is %v", err)
		}
		if err == nil && len(years) == 0 {
			t.Fatal("no error and no year")
		}
		lines := 1 + strings.Count(string(data), "\n")
		for i := range lines {
			if e != nil && i < len(e.Problems) && (e.Problems[i].Line < 1 || e.Problems[i].Line > lines) {
				t.Fatalf("%+v of %d lines", e.Problems[i], lines)
			}
		}
	})
}
