package calendar

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// TermNames are the names that a timetable's Offered column uses.
func TermNames() []string { return []string{"S1", "S2", "Q1", "Q2", "Q3", "Q4", "Y"} }

// SemesterOf is the semester that a term is held in: S1, S2, or Y for a term of both; empty for what is no term.
func SemesterOf(term string) string {
	switch normalTerm(term) {
	case "S1", "Q1", "Q2":
		return "S1"
	case "S2", "Q3", "Q4":
		return "S2"
	case "Y":
		return "Y"
	}
	return ""
}

// Terms are terms' dates by their names.
type Terms map[string]Range

// JSONForms is an object of ranges, see package strictjson.
func (Terms) JSONForms() []reflect.Type { return []reflect.Type{reflect.TypeFor[map[string]Range]()} }

// UnmarshalJSON takes an object of ranges, and names the term of which one makes no sense.
func (t *Terms) UnmarshalJSON(data []byte) error {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(data, &given); err != nil {
		return fmt.Errorf("read the terms: %w", err)
	}
	terms := make(Terms, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		var r Range
		if err := r.UnmarshalJSON(given[name]); err != nil {
			return ofTerm(name, err)
		}
		terms[name] = r
	}
	*t = terms
	return nil
}

// ofTerm says in which term's dates the error is.
func ofTerm(name string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return invalid("%s: %s", termLabel(name), e.Message)
	}
	return fmt.Errorf("%s: %w", termLabel(name), err)
}

// termLabel is what people call a term: that of events which name none has no name to be told by.
func termLabel(name string) string {
	if normalTerm(name) == "" {
		return "the semester"
	}
	return fmt.Sprintf("term %q", shorten(name))
}

// ParseTerm reads the dates of the named term as [ParseRange] does, and names it in an error.
func ParseTerm(name, dates string) (Range, error) {
	r, err := ParseRange(dates)
	if err != nil {
		return Range{}, ofTerm(name, err)
	}
	return r, nil
}

// checkTermNames refuses dates of a term that no timetable has: misspelled, they would be ignored in
// silence, and other dates taken. A name that the events use themselves is as good as a term's, and so is
// the empty one: [Options.UseSemester] gives it whatever the events are.
func checkTermNames(events []Event, opts Options) error {
	for _, name := range slices.Sorted(maps.Keys(opts.Terms)) {
		used := func(e Event) bool { return normalTerm(e.Semester) == name }
		if opts.Lenient || name == "" || slices.Contains(TermNames(), name) || slices.ContainsFunc(events, used) {
			continue
		}
		return invalid("%q is not a term. Use one of these: %s", shorten(name), strings.Join(TermNames(), ", "))
	}
	return nil
}

// span is where a term lies: one range, or two with a gap for a year module.
type span struct {
	ranges  []Range
	guessed string // for a quarter, the semester whose dates stand in for it
}

// calendarTerms answers where each term lies: what the caller gave, else what the year is known for.
type calendarTerms map[string]Range

// termsOf are the terms of events of that year; 0 is the options' own year.
func (o Options) termsOf(year int) calendarTerms {
	own := cmp.Or(year, o.Year)
	terms := o.academicYears()[own].TermRanges()
	maps.Copy(terms, o.TermsOf(own))
	return terms
}

// TermsOf are the dates that o gives for the terms of a year. They hold in their own year: an older year's
// lectures keep theirs.
func (o Options) TermsOf(year int) Terms {
	terms := make(Terms, len(o.Terms))
	for name, r := range o.Terms {
		if year == o.Year || r.Start.Year == year || r.End.Year == year {
			terms[normalTerm(name)] = r
		}
	}
	return terms
}

// find gives the term's span. A quarter whose dates are not known is shown in all of its semester, so
// that no lecture is missed, and told as guessed; a year module is held in both semesters. In a year
// that is not entered the caller must give what the lectures need: S1 for Q1 and Q2, S2 for Q3
// and Q4, both or Y for Y.
//
// known is false for a name that is no term; a term whose dates are missing is known and has no ranges.
func (t calendarTerms) find(name string) (s span, known bool) {
	name = normalTerm(name)
	if r, ok := t[name]; ok {
		return span{ranges: []Range{r}}, true
	}
	switch name {
	case "S1", "S2":
		return span{}, true
	case "Q1", "Q2":
		return t.semesterSpan("S1"), true
	case "Q3", "Q4":
		return t.semesterSpan("S2"), true
	case "Y":
		first, ok1 := t["S1"]
		second, ok2 := t["S2"]
		if ok1 && ok2 {
			ranges := []Range{first, second}
			slices.SortFunc(ranges, func(a, b Range) int { return b.Start.DaysUntil(a.Start) })
			return span{ranges: ranges}, true
		}
		return span{}, true
	}
	return span{}, false
}

func (t calendarTerms) semesterSpan(semester string) span {
	if r, ok := t[semester]; ok {
		return span{ranges: []Range{r}, guessed: semester}
	}
	return span{}
}
