package calendar

import (
	"maps"
	"slices"
	"time"
)

// AcademicYear is what is known of one year at the university. The academic year is a calendar year.
// A list that is nil is not known; an empty list means that the year has no such days. Public holidays
// are no part of it: [PublicHolidays] computes them.
type AcademicYear struct {
	Year          int
	Origin               // of everything in the year that names no source of its own
	Note          string // what a person should know of this year's dates
	Covers        Range  // the days that the year's dates speak of
	Terms         map[string]Period
	Recess        []Period // no lectures, within a term or between two
	NoLectures    []Period // days without lectures beside recess and public holidays
	Follows       []Swap   // days on which another weekday's lectures are held, in order
	Tests         []Period // test weeks
	Examinations  []Period
	Supplementary []Period
}

// Origin is where dates come from, and whether a person compared them with the university's own.
type Origin struct {
	Source    string `json:"source"`
	Checked   bool   `json:"checked"`
	CheckedBy string `json:"checkedBy,omitempty"`
	CheckedOn Date   `json:"checkedOn,omitzero"`
}

// Period is a run of days in an academic year, both ends included.
type Period struct {
	Start Date   `json:"start"`
	End   Date   `json:"end"`
	Name  string `json:"name,omitempty"`
	Origin
}

// Range is the period's days.
func (p Period) Range() Range { return Range{Start: p.Start, End: p.End, Name: p.Name} }

// Swap is a day on which the lectures of another weekday are held instead of its own.
type Swap struct {
	Date    Date
	Weekday time.Weekday // whose lectures are held on Date
	Name    string
	Origin
}

// TermRanges are the dates of the year's terms by their names. The caller may change them.
func (y AcademicYear) TermRanges() map[string]Range {
	terms := make(map[string]Range, len(y.Terms))
	for name, term := range y.Terms {
		terms[name] = Range{Start: term.Start, End: term.End}
	}
	return terms
}

// The names of what an academic year consists of, as its file spells them.
const (
	fieldTerms         = "terms"
	fieldRecess        = "recess"
	fieldNoLectures    = "noLectures"
	fieldFollows       = "follows"
	fieldTests         = "tests"
	fieldExaminations  = "examinations"
	fieldSupplementary = "supplementary"
)

// Unknown lists the parts of the year that are not entered, as its file spells them.
func (y AcademicYear) Unknown() []string {
	unknown := []string{}
	for _, part := range []struct {
		name  string
		known bool
	}{
		{fieldTerms, len(y.Terms) > 0},
		{fieldRecess, y.Recess != nil},
		{fieldNoLectures, y.NoLectures != nil},
		{fieldFollows, y.Follows != nil},
		{fieldTests, y.Tests != nil},
		{fieldExaminations, y.Examinations != nil},
		{fieldSupplementary, y.Supplementary != nil},
	} {
		if !part.known {
			unknown = append(unknown, part.name)
		}
	}
	return unknown
}

// Years are academic years by their numbers. Treat a Years as a snapshot: it is not changed after it was
// made, so a calendar that is built from it never sees half of a correction.
type Years map[int]AcademicYear

// OverriddenBy gives the years of y, each as over has it where both do.
func (y Years) OverriddenBy(over Years) Years {
	all := make(Years, len(y)+len(over))
	maps.Copy(all, y)
	maps.Copy(all, over)
	return all
}

// Numbers are the years that are known, the newest last.
func (y Years) Numbers() []int { return slices.Sorted(maps.Keys(y)) }
