// Package plan compares the events that a calendar should hold with those that schedgen put there
// before, and says the least that has to be done: inserts, patches of single fields, deletes. It does
// no I/O and changes nothing, so a plan can be shown before it is carried out.
//
// Three states of each field decide: what the timetable says now (wanted), what the calendar says
// now (current), and what schedgen last wrote (base). Wanted equal to base means that the timetable
// did not change: current stays, whatever a person made of it. Wanted unlike base means that the
// timetable changed this very field: it is written, and where a person had edited it, the plan says
// that the edit is overwritten. The base travels inside the event (see [Event.Base]), so that an event
// and its base are written in one call: no crash can part them.
//
// Events of which the plan does not speak, and events that are not schedgen's, are never looked at.
package plan

import (
	"slices"
	"time"
)

// Existing is one of schedgen's events as the calendar has it.
type Existing struct {
	ID        string
	ETag      string
	Scope     string
	Base      Base // what schedgen last wrote
	Fields    Fields
	Cancelled bool // deleted, and still remembered by the calendar
}

// State is what became of an event that the calendar no longer shows.
type State string

// The states that a calendar's memory holds.
const (
	Written   State = "written"  // schedgen wrote it
	Removed   State = "removed"  // schedgen deleted it: it may come back
	Tombstone State = "declined" // a person deleted it: it stays deleted
)

// Memory tells what became of events by their ids. Known is false before the first sync of a calendar:
// then nothing says who deleted a deleted event, and it comes back.
type Memory struct {
	Known  bool
	States map[string]State
}

// deletedByPerson reports whether a person deleted the event: it is gone, and schedgen did not delete it.
func (m Memory) deletedByPerson(id string, cancelled bool) bool {
	switch m.States[id] {
	case Removed:
		return false
	case Tombstone, Written:
		return true
	}
	return cancelled && m.Known
}

// Op is what is done to one event.
type Op string

// The operations. A restored event is one that was deleted and comes back under its id.
const (
	Insert  Op = "insert"
	Patch   Op = "patch"
	Restore Op = "restore"
	Delete  Op = "delete"
)

// Action is one call to the calendar.
type Action struct {
	Op     Op
	Event  Event   // what is wanted; of a Delete, only its ID and Summary
	ETag   string  // of the event that was compared; the call holds only for it
	Fields []Field // of a Patch: what is written
	// Overwrites are those of Fields that a person had edited.
	Overwrites []Field
}

// Kept is an event of which something a person did is left alone.
type Kept struct {
	ID      string
	Summary string
	Fields  []Field // edited by a person; none when the whole event was deleted by one
}

// Plan is all that has to be done, in the order in which to do it: what is there is mended first, then
// what is missing is added, and last what is over is deleted.
type Plan struct {
	Actions   []Action
	Unchanged int // nothing to do, those in Kept included
	Kept      []Kept
}

// Count is how many actions of these kinds there are.
func (p Plan) Count(ops ...Op) int {
	n := 0
	for _, a := range p.Actions {
		if slices.Contains(ops, a.Op) {
			n++
		}
	}
	return n
}

// Authority is what a plan may delete: of the events that it does not want, those of these scopes and those of these
// ids.
type Authority struct {
	Scopes []string
	IDs    []string
}

func (s Authority) over(e Existing) bool {
	return slices.Contains(s.Scopes, e.Scope) || slices.Contains(s.IDs, e.ID)
}

// Make compares. Existing events of which it does not speak are left alone, and so are tests and exams that ended
// before now: a timetable that no longer lists what is over does not mean that it never was. The zero now keeps none
// of these. The same input gives the same plan.
func Make(wanted []Event, existing []Existing, authority Authority, memory Memory, now time.Time) Plan {
	there := make(map[string]Existing, len(existing))
	for _, e := range existing {
		there[e.ID] = e
	}
	var p Plan
	var inserts []Action
	keep := make(map[string]bool, len(wanted))
	for _, w := range wanted {
		keep[w.ID] = true
		e, ok := there[w.ID]
		switch {
		case (!ok || e.Cancelled) && memory.deletedByPerson(w.ID, e.Cancelled):
			p.Unchanged++
			p.Kept = append(p.Kept, Kept{ID: w.ID, Summary: w.Summary})
		case !ok:
			inserts = append(inserts, Action{Op: Insert, Event: w})
		case e.Cancelled:
			inserts = append(inserts, Action{Op: Restore, Event: w, ETag: e.ETag})
		default:
			p.compare(w, e)
		}
	}
	p.Actions = append(p.Actions, inserts...)
	for _, e := range existing {
		if !keep[e.ID] && !e.Cancelled && authority.over(e) && !e.past(now) {
			p.Actions = append(p.Actions, Action{Op: Delete, Event: Event{ID: e.ID, Fields: e.Fields}, ETag: e.ETag})
		}
	}
	return p
}

// compare plans what has to be done to an event that is there.
func (p *Plan) compare(w Event, e Existing) {
	want, now := w.Fields.Base(), e.Fields.Base()
	action := Action{Op: Patch, Event: w, ETag: e.ETag}
	var edited []Field
	for _, f := range AllFields() {
		switch {
		case want[f] == e.Base[f]:
			if now[f] != e.Base[f] {
				edited = append(edited, f)
			}
		default:
			action.Fields = append(action.Fields, f)
			if now[f] != e.Base[f] && now[f] != want[f] {
				action.Overwrites = append(action.Overwrites, f)
			}
		}
	}
	if len(edited) > 0 {
		p.Kept = append(p.Kept, Kept{ID: w.ID, Summary: w.Summary, Fields: edited})
	}
	if len(action.Fields) == 0 && w.Scope == e.Scope {
		p.Unchanged++
		return
	}
	p.Actions = append(p.Actions, action)
}
