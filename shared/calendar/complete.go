package calendar

import (
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// complete fills in what events from elsewhere may lack, as the first frontend's do: kind, venues,
// ids. It changes none of the caller's.
func complete(events []Event) []Event {
	events = slices.Clone(events)
	used := make(map[string]bool, len(events))
	for i := range events {
		e := &events[i]
		if e.Kind == "" {
			e.Kind = kindOf(*e)
		}
		if len(e.Venues) == 0 && e.Venue != "" {
			e.Venues = []string{e.Venue}
		}
		if e.Venue == "" {
			e.Venue = strings.Join(e.Venues, venueSeparator)
		}
		e.IsRecurring = e.Kind == timetable.Lecture
		if used[e.ID] || !usableID(e.ID) {
			e.ID = ""
		}
		used[e.ID] = true
	}
	setIDs(events)
	return events
}

// kindOf tells a kind that is not given from what is.
func kindOf(e Event) timetable.Kind {
	switch {
	case e.Date == "":
		return timetable.Lecture
	case strings.HasPrefix(strings.ToLower(e.Activity), "exam"):
		return timetable.Exam
	}
	return timetable.Test
}

// usableID reports whether an id may become part of a UID: short, and without what would need escaping.
func usableID(id string) bool {
	const most = 64
	if id == "" || len(id) > most {
		return false
	}
	for _, c := range []byte(id) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
