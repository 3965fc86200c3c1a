package calendar

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Scope is the part of a student's calendar that one timetable speaks for: lectures, tests or exams in one
// part of one academic year. What lies outside its scopes, a timetable says nothing about.
//
// The parts are wider than the dates that are printed, so that a corrected timetable whose last paper is
// gone still removes it:
//
//   - lectures: S1 with its quarters Q1 and Q2, S2 with Q3 and Q4, and Y. A term of another name, and lectures
//     that name none, are of the semester in which the dates lie that a student gave for them; without dates,
//     which no calendar shows, they are of the part without a name;
//   - tests: the half of the year, which parts at the end of June;
//   - exams: the session. The first is from January to July, for the supplementary papers of the first
//     semester reach into July, and the second from August on. Supplementary and special papers are a part of
//     their own: their timetable is printed while the main papers are still being written.
type Scope struct {
	Kind timetable.Kind
	Year int
	Part string
}

// String writes the scope as in "exam/2026/S1".
func (s Scope) String() string { return fmt.Sprintf("%s/%d/%s", s.Kind, s.Year, s.Part) }

// Compare orders scopes by kind, year and part.
func (s Scope) Compare(other Scope) int {
	return cmp.Or(cmp.Compare(slices.Index(kinds, s.Kind), slices.Index(kinds, other.Kind)),
		cmp.Compare(s.Year, other.Year), cmp.Compare(s.Part, other.Part))
}

// kinds are in the order in which they are shown.
var kinds = []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam}

// The parts that are semesters, and what is added for supplementary papers.
const (
	firstHalf, secondHalf = "S1", "S2"
	wholeYear             = "Y"
	supplementary         = "-supplementary"
	extraClasses          = "extra"
)

// ScopeOf gives the scope of an event; a lecture's year and terms are the given ones. It is false for an event
// without a date that can be read, which stands in no calendar.
func ScopeOf(e Event, year int, terms Terms) (Scope, bool) {
	if e.Kind == timetable.Lecture && e.Date == "" {
		return Scope{e.Kind, year, lecturePart(e.Semester, terms)}, true
	}
	date, err := ParseDate(e.Date)
	if err != nil {
		return Scope{}, false
	}
	if e.Kind == timetable.Lecture {
		return ExtraScope(date.Year), true
	}
	return Scope{e.Kind, date.Year, datedPart(e, date)}, true
}

// ExtraScope is the scope of a student's extra classes: no timetable speaks for it, and the choices of a calendar do.
func ExtraScope(year int) Scope { return Scope{timetable.Lecture, year, extraClasses} }

// Scopes gives the scopes of the events, sorted, each once.
func Scopes(events []Event, year int, terms Terms) []Scope {
	var all []Scope
	for _, e := range events {
		if s, ok := ScopeOf(e, year, terms); ok {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, Scope.Compare)
	return slices.Compact(all)
}

// Scope gives the scope of the item. That of a lecture without a semester is told by its dates.
func (i Item) Scope() Scope {
	last := i.Start
	if i.Until.After(last) {
		last = i.Until
	}
	held := Range{Start: DateOf(i.Start.In(Zone)), End: DateOf(last.In(Zone))}
	scope, _ := ScopeOf(i.Event, i.Year(), Terms{normalTerm(i.Event.Semester): held}) // an item has a date
	return scope
}

func lecturePart(term string, terms Terms) string {
	switch term = normalTerm(term); term {
	case firstHalf, "Q1", "Q2":
		return firstHalf
	case secondHalf, "Q3", "Q4":
		return secondHalf
	case wholeYear:
		return wholeYear
	}
	if r, ok := terms[term]; ok {
		return r.semester()
	}
	return ""
}

func datedPart(e Event, date Date) string {
	last := time.June
	if e.Kind == timetable.Exam {
		last = time.July
	}
	part := firstHalf
	if date.Month > last {
		part = secondHalf
	}
	if e.Kind == timetable.Exam && isSupplementary(e.Activity) {
		part += supplementary
	}
	return part
}

// isSupplementary reports whether an exam's activity names a paper that is written after the main ones.
func isSupplementary(activity string) bool {
	return slices.ContainsFunc(strings.Fields(strings.ToLower(activity)), func(word string) bool {
		return strings.HasPrefix(word, "supp") || strings.HasPrefix(word, "spec") || strings.HasPrefix(word, "aegr")
	})
}
