package calendar

import (
	"cmp"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Clash is two items that happen at the same time at least once.
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
// than a person would read.
const maxClashes = 500

// itemOccurrence is an occurrence of the item at a place in the calendar.
type itemOccurrence struct {
	Occurrence
	item int
}

// maxComparisons bounds the work: thousands of events that all happen at once, which no timetable
// has, are not worth minutes of a machine.
const maxComparisons = 2_000_000

// findClashes gives the pairs of events that overlap, in order of their first date. It lists and
// counts no more than its bounds allow; all tells whether it came to the end of them.
func findClashes(items []Item) (clashes []Clash, all bool) {
	f := clashFinder{items: items, places: make(map[[2]string]int), budget: maxComparisons, all: true, clashes: []Clash{}}
	var open []itemOccurrence
	for _, now := range occurrencesInOrder(items) {
		open = slices.DeleteFunc(open, func(o itemOccurrence) bool { return !o.End.After(now.Start) })
		for _, other := range open {
			f.overlap(other, now)
		}
		if f.budget < 0 {
			return f.clashes, false
		}
		open = append(open, now)
	}
	return f.clashes, f.all
}

// occurrencesInOrder gives every occurrence in order of its start.
func occurrencesInOrder(items []Item) []itemOccurrence {
	var all []itemOccurrence
	for n := range items {
		for o := range Occurrences(items[n]) {
			all = append(all, itemOccurrence{o, n})
		}
	}
	slices.SortFunc(all, func(a, b itemOccurrence) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.item, b.item))
	})
	return all
}

// clashFinder gathers pairs of events; a series and the single items beside it are one.
type clashFinder struct {
	items   []Item
	places  map[[2]string]int // events' ids -> place in clashes
	budget  int
	clashes []Clash
	all     bool
}

// overlap notes that two occurrences overlap, from the later start on.
func (f *clashFinder) overlap(other, now itemOccurrence) {
	f.budget--
	one, two := f.items[min(other.item, now.item)], f.items[max(other.item, now.item)]
	if one.Event.ID == two.Event.ID {
		return // a class that a student moved onto the next of its series
	}
	pair := [2]string{min(one.Event.ID, two.Event.ID), max(one.Event.ID, two.Event.ID)}
	if at, seen := f.places[pair]; seen {
		f.clashes[at].Count++
		return
	}
	if len(f.clashes) == maxClashes {
		f.all = false
		return
	}
	f.places[pair] = len(f.clashes)
	f.clashes = append(f.clashes, clashOf(one, two, now.Start, earlier(other.End, now.End)))
}

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
