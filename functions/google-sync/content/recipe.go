package content

import (
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/years"
)

// recurs reports whether an event is a lecture that recurs. Academic years say on which dates it is held; nothing
// else in a calendar depends on them.
func recurs(e calendar.Event) bool { return e.Kind == timetable.Lecture && e.Date == "" }

// recipe is the recipe of the content's lectures; wanted are its events in the order of the calendar's items. Without
// lectures, and where the content speaks for none, it has no stamp and is not kept.
func (c Content) recipe(wanted []plan.Event, scopes []string) syncs.Recipe {
	r := syncs.Recipe{Options: c.Options, Scopes: scopes, Parts: c.parts()}
	noteWritten(&r, c.Calendar, wanted)
	speaks := slices.ContainsFunc(c.Scopes, func(s calendar.Scope) bool { return s.Kind == timetable.Lecture })
	if len(r.Parts) > 0 || speaks {
		r.Years = c.Years
	}
	return r
}

// parts are the lectures by job. Of a request's events all are kept, for the id of one may depend on the others.
func (c Content) parts() []syncs.Part {
	if c.jobs == nil {
		if !slices.ContainsFunc(c.events, func(e calendar.Event) bool { return e.Date == "" }) {
			return nil
		}
		return []syncs.Part{{Events: c.events}}
	}
	var parts []syncs.Part
	for i, e := range c.events {
		if !recurs(e) {
			continue
		}
		at := slices.IndexFunc(parts, func(p syncs.Part) bool { return p.JobID == c.jobs[i] })
		if at < 0 {
			at, parts = len(parts), append(parts, syncs.Part{JobID: c.jobs[i]})
		}
		parts[at].Events = append(parts[at].Events, e)
	}
	return parts
}

// noteWritten notes in each part which of the wanted events are its lectures. They are in the order of the items.
func noteWritten(r *syncs.Recipe, cal calendar.Calendar, wanted []plan.Event) {
	type key struct {
		id   string
		year int
	}
	part := make(map[key]int)
	for n, p := range r.Parts {
		for _, e := range p.Events {
			part[key{e.ID, e.Year}] = n
		}
		r.Parts[n].Written, r.Parts[n].Scopes = nil, nil
	}
	for i, item := range cal.Items {
		if len(r.Parts) == 0 || !recurs(item.Event) {
			continue
		}
		e := item.Event
		n, ok := part[key{e.ID, e.Year}]
		if !ok { // package calendar adds the year to the id where one lecture is held in two years
			n = part[key{strings.TrimSuffix(e.ID, "-"+strconv.Itoa(e.Year)), e.Year}]
		}
		p := &r.Parts[n]
		p.Written = append(p.Written, wanted[i].ID)
		if !slices.Contains(p.Scopes, wanted[i].Scope) {
			p.Scopes = append(p.Scopes, wanted[i].Scope)
		}
	}
}

// Rebuild builds a recipe again by the academic years known now, and returns it with what a calendar should hold of
// it. Where the dates of a term are no longer known, or where its events were not kept, what was written stays.
func Rebuild(known years.Snapshot, r syncs.Recipe, colors calendar.SavedColors, person account.Account, calendarID string) (syncs.Recipe, plan.Layer) {
	layer := plan.Layer{Scopes: r.Scopes}
	var events []calendar.Event
	for _, p := range r.Parts {
		layer.Before = append(layer.Before, p.Written...)
		layer.Keep = layer.Keep || p.Events == nil
		events = append(events, p.Events...)
	}
	options := colors.Apply(r.Options)
	options.Years, options.Lenient = known.Years, true // its choices were checked when it was made
	cal, err := calendar.Build(events, options)
	layer.Keep = layer.Keep || err != nil || slices.ContainsFunc(cal.Warnings, func(w calendar.Warning) bool { return w.Code == calendar.MissingSemesterDates })
	r.Years = stampOf(known, r, cal, events)
	before := r.Parts
	r.Parts = slices.Clone(r.Parts)
	wanted := plan.Wanted(cal, plan.Marker(person.Subject), calendarID)
	noteWritten(&r, cal, wanted)
	for i, item := range cal.Items {
		if recurs(item.Event) {
			layer.Wanted = append(layer.Wanted, wanted[i])
		}
	}
	for n := range r.Parts {
		if layer.Keep {
			r.Parts[n].Written = union(before[n].Written, r.Parts[n].Written)
			r.Parts[n].Scopes = union(before[n].Scopes, r.Parts[n].Scopes)
		}
	}
	return r, layer
}

// stampOf is the stamp of a recipe that was built by the known years. One of which nothing is left depends on no
// year.
func stampOf(known years.Snapshot, r syncs.Recipe, cal calendar.Calendar, events []calendar.Event) string {
	if len(events) == 0 {
		return years.NoYears
	}
	used := newest.Timetables{}.Years(r.Options, cal)
	for _, e := range events {
		if e.Year != 0 {
			used = append(used, e.Year)
		}
	}
	return known.Stamp(used)
}

func union(a, b []string) []string {
	all := slices.Sorted(slices.Values(slices.Concat(a, b)))
	return slices.Compact(all)
}
