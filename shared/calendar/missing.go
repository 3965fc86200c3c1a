package calendar

import (
	"slices"
	"strings"
)

// miss notes a lecture in a term without dates, which fails the whole unless the options are lenient.
func (b *builder) miss(e Event) *Warning {
	term := normalTerm(e.Semester)
	if b.lenient(e) {
		return &Warning{Code: MissingSemesterDates, Message: "the dates of " + term + " are not known, so it is not in the calendar"}
	}
	if !slices.Contains(b.missing, term) {
		b.missing = append(b.missing, term)
	}
	return nil
}

// missDefault notes a lecture that names no semester where there are no dates for such, which fails the
// whole unless the options are lenient. It is no term that could be given by a name.
func (b *builder) missDefault(e Event) *Warning {
	if b.lenient(e) {
		return &Warning{Code: MissingSemesterDates, Message: "it names no semester, so it is not in the calendar"}
	}
	b.nameless = true
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
		says = append(says, "lectures need the first and last day of "+strings.Join(b.missing, ", "))
	}
	if b.nameless {
		says = append(says, "lectures that name no semester need semesterStart and semesterEnd")
	}
	return &Error{
		Code:    MissingSemesterDates,
		Message: strings.Join(says, "; "),
		Details: map[string]any{"terms": append([]string{}, b.missing...)},
	}
}
