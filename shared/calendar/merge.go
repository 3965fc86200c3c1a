package calendar

import (
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/timetable"
)

// Upload is one timetable that a student uploaded.
type Upload struct {
	At     time.Time
	Year   int   // the academic year of its lectures
	Terms  Terms // dates that the student gave, which say of what scope lectures of other terms are
	Kind   timetable.Kind
	Events []Event // as [Events] gives them
}

// Merge merges all of a student's uploads, which are in order, the newest last.
//
// An upload speaks for its scopes alone (see [Scope]): there it replaces what older uploads say, and
// elsewhere older uploads hold. A test or an exam that was over when a newer upload came stays, even if that
// does not list it: what happened, happened. A Y module is replaced by an upload that lists Y modules, or by
// uploads of all the semesters that its own upload had.
//
// A slot keeps its id from upload to upload, whatever comes or goes beside it, and a slot that moved
// takes its id along. Each event's Year is set.
func Merge(uploads []Upload) []MergedEvent {
	named := nameSlots(uploads)
	replaced := make(map[Scope]time.Time) // by the oldest of the newer uploads, which came then
	seen := make(map[uidKey]bool)
	kept := make([][]MergedEvent, len(named))
	for n := len(named) - 1; n >= 0; n-- {
		own := named[n].Scopes()
		for _, e := range named[n].Events {
			key := uidKey{e.ID, e.Year}
			scope, known := ScopeOf(e, e.Year, named[n].Terms)
			by, gone := replacement(scope, own, replaced)
			if seen[key] || known && gone && !e.past(by) || !known && n < len(named)-1 {
				continue
			}
			seen[key] = true
			kept[n] = append(kept[n], MergedEvent{e, n})
		}
		for _, scope := range own {
			replaced[scope] = named[n].At
			if scope.Kind == timetable.Lecture {
				replaced[Scope{scope.Kind, scope.Year, ""}] = named[n].At // lectures without a semester may lie in any
			}
		}
	}
	all := slices.Concat(kept...)
	slices.SortStableFunc(all, func(a, b MergedEvent) int {
		return slices.Index(kinds, a.Event.Kind) - slices.Index(kinds, b.Event.Kind)
	})
	return all
}

// MergedEvent is an event with the place of the upload that says so.
type MergedEvent struct {
	Event  Event
	Upload int
}

// NewestEvents gives the events of the newest upload alone, with the ids that they have beside those of earlier
// uploads.
func NewestEvents(uploads []Upload) []Event {
	events := nameSlots(uploads)[len(uploads)-1].Events
	for i := range events {
		events[i].Year = 0
	}
	return events
}

// uidKey is what a UID is made of.
type uidKey struct {
	id   string
	year int
}

// Scopes are what the upload speaks for.
func (u Upload) Scopes() []Scope { return Scopes(u.Events, u.Year, u.Terms) }

// replacement says whether newer uploads speak for the scope of an event, and since when. own are the scopes
// of the event's upload.
func replacement(scope Scope, own []Scope, replaced map[Scope]time.Time) (by time.Time, gone bool) {
	if by, gone = replaced[scope]; gone || scope.Kind != timetable.Lecture || scope.Part != wholeYear {
		return by, gone
	}
	for _, other := range own {
		if other.Part == wholeYear || other.Year != scope.Year {
			continue
		}
		at, ok := replaced[other]
		if !ok {
			return time.Time{}, false
		}
		if at.After(by) {
			by = at
		}
	}
	return by, !by.IsZero()
}

// past reports whether a test or an exam was over at t. A lecture recurs: one that a newer timetable of its
// semester does not list was dropped, or read wrongly before.
func (e Event) past(t time.Time) bool {
	date, err := ParseDate(e.Date)
	if err != nil || e.Kind == timetable.Lecture {
		return false
	}
	at, problem := readTimes(&e)
	if problem != nil {
		at.end = 24 * 60
	}
	return !date.At(at.end).After(t)
}

// nameSlots gives the uploads with ids and years that hold across all of them.
func nameSlots(uploads []Upload) []Upload {
	slots := slotMemory{last: make(map[slotName][]Event), taken: make(map[uidKey]bool)}
	named := make([]Upload, len(uploads))
	for n, u := range uploads {
		u.Events = slices.Clone(u.Events)
		for i := range u.Events {
			u.Events[i].Year = yearOf(u.Events[i], u.Year)
		}
		slots.name(u)
		named[n] = u
	}
	return named
}

// yearOf is the academic year of an event: its date's, or for a lecture the given one.
func yearOf(e Event, lectures int) int {
	if date, err := ParseDate(e.Date); err == nil && e.Kind != timetable.Lecture {
		return date.Year
	}
	return lectures
}

// slotName is what slots share that may take each other's place.
type slotName struct {
	scope    Scope
	identity string
}

// slotMemory knows the slots of each name as the last upload that had any listed them, and every id given.
type slotMemory struct {
	last  map[slotName][]Event
	taken map[uidKey]bool
}

// name gives the events of one upload their ids.
func (m *slotMemory) name(u Upload) {
	sharing := make(map[slotName][]*Event)
	var order []slotName
	for i := range u.Events {
		e := &u.Events[i]
		scope, _ := ScopeOf(*e, e.Year, u.Terms)
		name := slotName{scope, identity(*e)}
		if sharing[name] == nil {
			order = append(order, name)
		}
		sharing[name] = append(sharing[name], e)
	}
	for _, name := range order {
		slots := sharing[name]
		slices.SortStableFunc(slots, func(a, b *Event) int { return compareSlots(*a, *b) })
		m.assign(name, slots)
	}
}

// assign names the slots of one name, which are in order: a slot that was there before keeps its id; a new
// slot takes over the id of one that is gone, because it is that one, moved; the rest get new ids.
func (m *slotMemory) assign(name slotName, slots []*Event) {
	before := m.last[name]
	for _, e := range slots {
		e.ID = ""
		if at := slices.IndexFunc(before, e.sameSlot); at >= 0 {
			e.ID = before[at].ID
			before = slices.Delete(slices.Clone(before), at, at+1)
		}
	}
	for _, e := range slots {
		if e.ID == "" && len(before) > 0 {
			e.ID, before = before[0].ID, before[1:]
		}
	}
	now := make([]Event, 0, len(slots))
	for _, e := range slots {
		if e.ID == "" {
			e.ID = freeID(*e, func(id string) bool { return m.taken[uidKey{id, e.Year}] })
		}
		m.taken[uidKey{e.ID, e.Year}] = true
		now = append(now, *e)
	}
	m.last[name] = now
}

// sameSlot reports whether two events of one name happen at the same time.
func (e *Event) sameSlot(other Event) bool {
	return e.Day == other.Day && e.Date == other.Date && e.StartTime == other.StartTime && e.EndTime == other.EndTime
}
