package calendar

import (
	"cmp"
	"slices"
	"strings"
)

// A titled event is one that its caller named (Summary), as the first frontend does with every event: it holds
// what the calendar shows, not what the timetable printed.

// mergeTitled gives a copy of the events in which titled events of the same name and hours are one: a body that
// holds an event twice makes it once, and two rooms of one meeting are two places of one event.
func mergeTitled(events []Event, terms Terms) []Event {
	joined := make([]Event, 0, len(events))
	type meeting struct{ name, end string }
	seen := make(map[meeting]int)
	for _, e := range events {
		if e.Summary == "" {
			joined = append(joined, e)
			continue
		}
		key := meeting{titledName(e, terms), clockText(e.EndTime)}
		if at, ok := seen[key]; ok {
			joined[at].join(e)
			continue
		}
		seen[key] = len(joined)
		e.Venues, e.Warnings = slices.Clone(e.Venues), slices.Clone(e.Warnings) // join appends to them
		joined = append(joined, e)
	}
	return joined
}

// titledName is the part of a titled event's UID that names it: title, day or date, start, and for a weekly
// event the half of the year that it is held in. It depends on no other event. Place, colour, note and end are
// not in it, so that a change of these updates the event and doubles nothing.
func titledName(e Event, terms Terms) string {
	when := e.Day
	if day, ok := weekday(e.Day); ok {
		when = day.String()
	}
	half := ""
	if e.Date == "" {
		half = halfOf(e.Semester, terms)
	} else if date, err := ParseDate(e.Date); err == nil {
		when = date.String()
	}
	title := strings.Join(strings.Fields(e.Summary), " ")
	return hashID(strings.Join([]string{"titled", title, NormalModule(e.Module), e.Activity, normalGroup(e.Group), when, clockText(e.StartTime), half}, "\x1f"))
}

// halfOf is the half of the year that a term is held in: S1, S2, or Y for both; the term's own name for any
// other term.
func halfOf(term string, terms Terms) string {
	term = normalTerm(term)
	if r, ok := terms[term]; ok {
		return r.semester()
	}
	return cmp.Or(SemesterOf(term), term)
}

// clockText spells a time in one way: "8:30" is "08:30".
func clockText(s string) string {
	if minutes, ok := minutesOf(s); ok {
		return hoursAndMinutes(minutes)
	}
	return s
}
