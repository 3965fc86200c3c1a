package googlesync

import (
	"slices"
	"strconv"
	"strings"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/latest"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/years"
)

// byYear reports whether an event is a lecture that recurs: academic years say when it is held, and nothing else
// in a calendar depends on them.
func byYear(e calendar.Event) bool { return e.Kind == timetable.Lecture && e.Date == "" }

// recipeOf is of what the lectures of a built calendar were made, whose wanted events are in the order of its items. It
// has no stamp, and is not kept, where there are none and it speaks for none.
func recipeOf(b built, wanted []plan.Event, scopes []string) syncs.Recipe {
	r := syncs.Recipe{Options: b.options, Scopes: scopes, Parts: partsOf(b)}
	writtenOf(&r, b.cal, wanted)
	speaks := slices.ContainsFunc(b.scopes, func(s calendar.Scope) bool { return s.Kind == timetable.Lecture })
	if len(r.Parts) > 0 || speaks {
		r.Years = b.years
	}
	return r
}

// partsOf are the events by jobs. Of those that a person sent all are kept, for an id may be made of what is beside it.
func partsOf(b built) []syncs.Part {
	if b.jobs == nil {
		if !slices.ContainsFunc(b.events, func(e calendar.Event) bool { return e.Date == "" }) {
			return nil
		}
		return []syncs.Part{{Events: b.events}}
	}
	var parts []syncs.Part
	for i, e := range b.events {
		if !byYear(e) {
			continue
		}
		at := slices.IndexFunc(parts, func(p syncs.Part) bool { return p.JobID == b.jobs[i] })
		if at < 0 {
			at, parts = len(parts), append(parts, syncs.Part{JobID: b.jobs[i]})
		}
		parts[at].Events = append(parts[at].Events, e)
	}
	return parts
}

// writtenOf notes in each part which of the wanted events are its lectures. They are in the order of the items.
func writtenOf(r *syncs.Recipe, cal calendar.Calendar, wanted []plan.Event) {
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
		if len(r.Parts) == 0 || !byYear(item.Event) {
			continue
		}
		e := item.Event
		n, ok := part[key{e.ID, e.Year}]
		if !ok { // package calendar tells the same lecture of two years apart
			n = part[key{strings.TrimSuffix(e.ID, "-"+strconv.Itoa(e.Year)), e.Year}]
		}
		p := &r.Parts[n]
		p.Written = append(p.Written, wanted[i].ID)
		if !slices.Contains(p.Scopes, wanted[i].Scope) {
			p.Scopes = append(p.Scopes, wanted[i].Scope)
		}
	}
}

// again makes a recipe anew by the known years, and gives what a calendar should hold of it now. Where the dates of a
// term are not known any more, or where its events are not kept, what was written stays.
func again(known years.Snapshot, r syncs.Recipe, given calendar.GivenColors, person account.Account, id string) (syncs.Recipe, plan.Layer) {
	layer := plan.Layer{Scopes: r.Scopes}
	var events []calendar.Event
	for _, p := range r.Parts {
		layer.Before = append(layer.Before, p.Written...)
		layer.Keep = layer.Keep || p.Events == nil
		events = append(events, p.Events...)
	}
	options := given.Keep(r.Options)
	options.Years, options.Lenient = known.Years, true // its choices were checked when it was made
	cal, err := calendar.Build(events, options)
	layer.Keep = layer.Keep || err != nil || slices.ContainsFunc(cal.Warnings, func(w calendar.Warning) bool { return w.Code == calendar.MissingSemesterDates })
	r.Years = stampOf(known, r, cal, events)
	before := slices.Clone(r.Parts)
	r.Parts = slices.Clone(r.Parts)
	wanted := plan.Wanted(cal, plan.Marker(person.Subject), id)
	writtenOf(&r, cal, wanted)
	for i, item := range cal.Items {
		if byYear(item.Event) {
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

// stampOf is the stamp of a recipe that was made by the known years. One of which nothing is left depends on none.
func stampOf(known years.Snapshot, r syncs.Recipe, cal calendar.Calendar, events []calendar.Event) string {
	if len(events) == 0 {
		return years.None
	}
	used := latest.Source{}.Years(r.Options, cal)
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
