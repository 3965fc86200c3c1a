package uploadingest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
)

// semester is S1 or S2; empty is none in particular.
type semester string

// askedSemester reads ?semester=, which leaves out the other semester's lectures.
func askedSemester(r *http.Request) (semester, error) {
	switch s := semester(strings.ToUpper(r.URL.Query().Get("semester"))); s {
	case "", "S1", "S2":
		return s, nil
	}
	return "", api.New(api.ValidationFailed, map[string]string{"field": "semester"}).WithMessage("The semester must be S1 or S2. Leave it out to get both.")
}

// of gives the events of the semester. What may be in either stays: lectures of the whole year or of no known term,
// and what has a date.
func (s semester) of(events []calendar.Event) []calendar.Event {
	if s == "" {
		return events
	}
	return slices.DeleteFunc(events, func(e calendar.Event) bool {
		held := calendar.SemesterOf(e.Semester)
		return held != string(s) && held != "Y" && held != ""
	})
}

// semesterOf is the one semester that all of these events are held in; none where they are of several, or where it
// is not printed.
func semesterOf(events []calendar.Event) semester {
	var all semester
	for _, e := range events {
		held := semester(calendar.SemesterOf(e.Semester))
		if held != "S1" && held != "S2" || all != "" && all != held {
			return ""
		}
		all = held
	}
	return all
}

// semesterDates are the dates of the year's terms by their names, and beside them, in the first frontend's words,
// the semester with its dates. What is not known is null.
type semesterDates map[string]any

func datesOf(s semester, terms map[string]calendar.Range) semesterDates {
	dates := semesterDates{"semester": nil, "startDate": nil, "endDate": nil}
	if s != "" {
		dates["semester"] = s
	}
	if r, ok := terms[string(s)]; ok {
		dates["startDate"], dates["endDate"] = r.Start, r.End
	}
	for name, r := range terms {
		dates[name] = r
	}
	return dates
}
