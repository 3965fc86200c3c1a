package calendar

import (
	"cmp"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Clash tells that two items happen at the same time, at least once.
type Clash struct {
	Events [2]string `json:"events"` // ids
	Titles [2]string `json:"titles"`
	Day    string    `json:"day"`       // weekday of the first date
	Date   string    `json:"firstDate"` // the first of the dates
	Start  string    `json:"startTime"` // when both have begun
	End    string    `json:"endTime"`   // when one of them ends
	Count  int       `json:"count"`     // on how many dates
	// Alternatives is true for two groups of one module of which a student takes one: choosing ends the clash.
	Alternatives bool `json:"alternatives"`
}

// maxClashes bounds the list: a timetable of a whole faculty without a choice of groups has more
// than anybody would read.
const maxClashes = 500

// running is an occurrence of the item at a place in the calendar.
type running struct {
	Occurrence
	item int
}

// findClashes gives the pairs of items that overlap, in order of their first date, and how many
// more pairs there are than it lists. It goes through all occurrences once, in order of their start.
func findClashes(items []Item) (clashes []Clash, more int) {
	var all []running
	for n := range items {
		for o := range Occurrences(items[n]) {
			all = append(all, running{o, n})
		}
	}
	slices.SortFunc(all, func(a, b running) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.item, b.item))
	})
	clashes = []Clash{}
	listed := make(map[[2]int]int) // pair -> place in clashes, or -1 beyond the bound
	var open []running
	for _, now := range all {
		open = slices.DeleteFunc(open, func(o running) bool { return !o.End.After(now.Start) })
		for _, other := range open {
			pair := [2]int{min(other.item, now.item), max(other.item, now.item)}
			at, seen := listed[pair]
			switch {
			case seen && at >= 0:
				clashes[at].Count++
			case !seen && len(clashes) < maxClashes:
				listed[pair] = len(clashes)
				clashes = append(clashes, clashOf(items[pair[0]], items[pair[1]], now.Start, earlier(other.End, now.End)))
			case !seen && more < maxClashesCounted:
				listed[pair] = -1
				more++
			}
		}
		open = append(open, now)
	}
	return clashes, more
}

// maxClashesCounted bounds the memory of counting what is not listed.
const maxClashesCounted = 10_000

func clashOf(a, b Item, start, end time.Time) Clash {
	return Clash{
		Events: [2]string{a.Event.ID, b.Event.ID},
		Titles: [2]string{a.Summary, b.Summary},
		Day:    start.Weekday().String(),
		Date:   DateOf(start).String(),
		Start:  start.Format("15:04"),
		End:    end.Format("15:04"),
		Count:  1,
		Alternatives: a.Event.Kind == timetable.Lecture && b.Event.Kind == timetable.Lecture &&
			NormalModule(a.Event.Module) == NormalModule(b.Event.Module) &&
			family(a.Event.Group) != "" && family(a.Event.Group) == family(b.Event.Group) &&
			normalGroup(a.Event.Group) != normalGroup(b.Event.Group),
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
