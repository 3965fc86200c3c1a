package calendar

import (
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/shared/timetable"
)

// completeEvents fills in what events from elsewhere may lack, as the first frontend's do: kind, venues, ids. It
// changes none of the caller's. names are the parts of UIDs by event id: ids that [Events] gave are kept, for they
// are stable even where a caller sends some of a timetable's events alone. An id from elsewhere may change on the
// next upload or stand in another timetable too, so the name of that event is made of what it is, and importing it
// again duplicates nothing.
func completeEvents(events []Event, opts Options) (completed []Event, names map[string]string) {
	events = mergeTitled(events, opts.Terms)
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
	}
	named := slices.Clone(events)
	for i := range events {
		e := &events[i]
		if used[e.ID] && e.Year != 0 {
			e.ID += "-" + strconv.Itoa(e.Year) // the same thing in two years: the year in its UID tells it apart
		}
		if used[e.ID] {
			e.ID, named[i].ID = "", ""
		}
		used[e.ID] = true
	}
	for i := range named {
		switch {
		case isHashID(named[i].ID):
		case named[i].Summary != "":
			named[i].ID = titledName(named[i], opts.Terms)
		default:
			named[i].ID = ""
		}
	}
	setIDs(named)
	names = make(map[string]string, len(events))
	for i := range events {
		if events[i].ID == "" {
			events[i].ID = named[i].ID
		}
		names[events[i].ID] = named[i].ID
	}
	return events, names
}

// kindOf tells a kind that is not given from what is.
func kindOf(e Event) timetable.Kind {
	switch {
	case e.Date == "":
		return timetable.Lecture
	case strings.Contains(strings.ToLower(e.Activity+" "+e.Summary), "exam"):
		return timetable.Exam
	}
	return timetable.Test
}
