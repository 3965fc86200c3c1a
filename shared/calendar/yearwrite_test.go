package calendar_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/calendar"
)

func years(t *testing.T, file string) calendar.Years {
	t.Helper()
	read, err := calendar.ParseYears([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// TestWrittenYearsAreReadAgain: what is exported says the same when it is imported.
func TestWrittenYearsAreReadAgain(t *testing.T) {
	t.Parallel()
	for _, want := range []calendar.Years{years(t, wholeYear), calendar.Shipped(), years(t, `{"2031": {"source": "A", "recess": [], "follows": {}}}`)} {
		data, err := json.MarshalIndent(want, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if got := years(t, string(data)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nis read as %+v, want %+v", data, got, want)
		}
	}
}

func TestFingerprintIsOfWhatCalendarsShow(t *testing.T) {
	t.Parallel()
	print := func(file string) string { return years(t, file)[2031].Fingerprint() }
	first := print(wholeYear)
	same := strings.NewReplacer(`"Year calendar 2031"`, `"Another"`, `"note": "Drafted."`, `"note": "Final."`, `"Senate", "checkedBy"`, `"Nobody", "checkedBy"`).Replace(wholeYear)
	if got := print(same); got != first {
		t.Error("another source, note and check change the fingerprint")
	}
	for old, replaced := range map[string]string{
		"2031-04-05..": "2031-04-06..", `"Monday"`: `"Friday"`, "2031-05-30": "2031-05-31", `"noLectures": []`: `"noLectures": ["2031-03-20"]`,
		`"noLectures": [],`: ``, `"Founders' day"`: `"A holiday"`,
	} {
		if changed := strings.Replace(wholeYear, old, replaced, 1); print(changed) == first {
			t.Errorf("%s instead of %s does not change the fingerprint", replaced, old)
		}
	}
	if (calendar.AcademicYear{}).Fingerprint() != "" {
		t.Error("a year that is not known has a fingerprint")
	}
}

func TestMissingDatesCarrySuggestions(t *testing.T) {
	t.Parallel()
	known := years(t, `{"2024": {"source": "A", "terms": {"S1": "2024-02-05..2024-05-31", "Q1": "2024-02-12..2024-03-28"}},
		"2025": {"source": "A", "terms": {"S1": "2025-02-10..2025-05-23", "S2": "2025-07-21..2025-12-31"}}}`)
	half := years(t, `{"2025": {"source": "A", "terms": {"S1": "2025-02-10..2025-05-23", "S2": "2025-07-21..2025-10-17"}},
		"2026": {"source": "A", "terms": {"S1": "2026-02-02..2026-05-15"}}}`)
	for _, test := range []struct {
		offered, want string
		known         calendar.Years
	}{
		{"Y", "S2 2026-07-20..2026-10-16 of 2025", half}, // the first semester is known and not guessed
		{"", "S1 2026-02-02..2026-05-15 of 2026, S2 2026-07-20..2026-10-16 of 2025", half},
		{"S1", "S1 2026-02-09..2026-05-22 of 2025", known},
		{"Q1", "S1 2026-02-09..2026-05-22 of 2025", known}, // an older year's quarter need not fit
		{"Q2", "S1 2026-02-09..2026-05-22 of 2025", known},
		{"", "S1 2026-02-09..2026-05-22 of 2025", known},
		{"S2", "", known}, // the same week is in another year
	} {
		_, err := calendar.Build([]calendar.Event{lecture(test.offered, "Monday")}, calendar.Options{Year: 2026, Years: test.known})
		var e *calendar.Error
		if !errors.As(err, &e) || e.Code != calendar.MissingSemesterDates {
			t.Fatalf("%q gives %v", test.offered, err)
		}
		var got []string
		for _, s := range suggestionsOf(e) {
			if !s.Suggested {
				t.Errorf("%+v does not say that it is a suggestion", s)
			}
			got = append(got, s.Term+" "+calendar.Range{Start: s.Start, End: s.End}.String()+" of "+calendar.Date{Year: s.From}.String()[:4])
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%q: the suggestions are %v, want %s", test.offered, got, test.want)
		}
	}
}

func suggestionsOf(e *calendar.Error) []calendar.Suggestion {
	missing, _ := e.Details.(calendar.MissingDates)
	return missing.Suggestions
}

func TestSuggestedWeeksAreThoseOfTheCalendar(t *testing.T) {
	t.Parallel()
	known := years(t, `{"2026": {"source": "A", "terms": {"S1": "2026-02-09..2026-05-22", "S2": "2026-07-13..2026-12-28"}}}`)
	for year := 2000; year < 2100; year++ {
		r, _, ok := known.Suggest(year, "S1")
		if ok != (year != 2026) || ok && (r.Start.Weekday() != 1 || r.End.Weekday() != 5 || r.Start.DaysUntil(r.End) != 102 || r.Start.Year != year) {
			t.Errorf("S1 of %d is suggested as %v, %v", year, r, ok)
		}
	}
	if r, from, ok := known.Suggest(0, "S1"); !ok || from != 2026 || r.Start.Month != 2 {
		t.Errorf("where no year is known: %v of %d, %v", r, from, ok)
	}
}
