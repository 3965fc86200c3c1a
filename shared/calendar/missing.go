package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// noteMissingTerm notes a lecture in a term without dates, which fails the whole unless the options are lenient.
func (b *builder) noteMissingTerm(e Event) *Warning {
	term := normalTerm(e.Semester)
	if b.lenient(e) {
		return &Warning{Code: MissingSemesterDates, Message: fmt.Sprintf("We do not know the dates of %s. Give them as a term of that name.", term)}
	}
	if !slices.Contains(b.missing, term) {
		b.missing = append(b.missing, term)
	}
	return nil
}

// noteMissingSemester notes a lecture that names no semester where there are no dates for such, which fails the
// whole unless the options are lenient. It is no term that could be given by a name.
func (b *builder) noteMissingSemester(e Event) *Warning {
	if b.lenient(e) {
		return &Warning{Code: MissingSemesterDates, Message: "It names no semester. Give the first and the last day of the semester."}
	}
	b.unnamedSemester = true
	return nil
}

// lenient reports whether a lecture without dates is left out and told. Lectures of an older year than the
// newest must not keep a student from this year's.
func (b *builder) lenient(e Event) bool { return b.opts.Lenient || e.Year < b.newest }

// missingDates is the error of lectures without dates: what to give, and the terms among it by name.
func (b *builder) missingDates() error {
	slices.Sort(b.missing)
	var says []string
	if len(b.missing) > 0 {
		terms := strings.Join(b.missing, ", ")
		says = append(says, "we do not know when "+terms+" begins and ends. Give the first and the last day of "+terms)
	}
	if b.unnamedSemester {
		says = append(says, "some lectures name no semester. Give its first and its last day (semesterStart and semesterEnd)")
	}
	missing := slices.Clone(b.missing)
	if b.unnamedSemester {
		missing = append(missing, "")
	}
	year := cmp.Or(b.newest, b.opts.Year)
	return &Error{Code: MissingSemesterDates, Message: Sentence(strings.Join(says, ". Also, ")), Details: MissingDates{
		Year: year, Terms: append([]string{}, b.missing...), Suggestions: b.opts.academicYears().Suggestions(year, missing),
	}}
}

// MissingDates are the details of a MISSING_SEMESTER_DATES.
type MissingDates struct {
	Year        int          `json:"year,omitempty"` // of the lectures, where that is known
	Terms       []string     `json:"terms"`          // what to give by name
	Suggestions []Suggestion `json:"suggestions"`    // guesses to offer
}

// Suggestion is a guess at a term's dates, for a person to correct: programs must not take it as it is.
type Suggestion struct {
	Term      string `json:"term"`
	Start     Date   `json:"start"`
	End       Date   `json:"end"`
	Suggested bool   `json:"suggested"` // always true, lest anyone take it for a fact
	From      int    `json:"from"`      // the year whose pattern it is
}

// Suggestions are guesses at the dates of terms: where a quarter or a year module has none, of the semesters
// that would do instead. Those that the year has are not guessed; lectures that name no term may be of them.
func (y Years) Suggestions(year int, terms []string) []Suggestion {
	all := []Suggestion{}
	add := func(term string) bool {
		r, from, ok := y.Suggest(year, term)
		known := slices.ContainsFunc(all, func(s Suggestion) bool { return s.Term == term })
		if own, has := y[year].Terms[term]; has {
			r, from, ok = own.Range(), year, true
		}
		if ok && !known {
			all = append(all, Suggestion{Term: term, Start: r.Start, End: r.End, Suggested: true, From: from})
		}
		return ok
	}
	for _, term := range terms {
		if add(term) {
			continue
		}
		for _, other := range semestersOf[term] {
			if _, has := y[year].Terms[other]; !has || term == "" {
				add(other)
			}
		}
	}
	return all
}
