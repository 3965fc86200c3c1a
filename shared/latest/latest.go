// Package latest makes a calendar of all that an owner uploaded: each completed job speaks for its own kind,
// year and semester or session, and the newest that does is right. Feeds and followed Google calendars are made
// of it.
package latest

import (
	"context"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// What a calendar is made of at most: more uploads, rows and bytes of rows than a student has in years. Older uploads are left
// out. The newest is there whatever it has, which package parse bounds.
const (
	mostJobs  = 100
	mostRows  = 10_000
	mostBytes = 2 << 20
)

// Source is what the calendar is made of.
type Source struct {
	Owner string
	Jobs  []jobs.Job // completed ones, the newest last
}

// Of finds the owner's jobs, of one moment.
func Of(ctx context.Context, store *jobs.Store, owner string) (Source, error) {
	completed, err := store.Completed(ctx, owner, mostJobs)
	if err != nil {
		return Source{}, err
	}
	slices.Reverse(completed)
	return Source{Owner: owner, Jobs: completed}, nil
}

// Merged is what the jobs say together.
type Merged struct {
	Events []calendar.Event
	Jobs   []string         // ids of the jobs that say so, one for each event
	Scopes []calendar.Scope // that the jobs speak for
}

// Merge puts together what the jobs say, with options that were chosen then.
func (s Source) Merge(ctx context.Context, store *jobs.Store, options calendar.Options, chosen time.Time) (Merged, error) {
	uploads, err := s.uploads(ctx, store)
	if err != nil {
		return Merged{}, err
	}
	setYears(uploads, options, chosen)
	var m Merged
	for i := range uploads {
		uploads[i].Terms = options.TermsOf(uploads[i].Year)
		m.Scopes = append(append(m.Scopes, uploads[i].Scopes()...), calendar.ExtraScope(uploads[i].Year))
	}
	for _, x := range options.Extra {
		m.Scopes = append(m.Scopes, calendar.ExtraScope(x.Date.Year))
	}
	slices.SortFunc(m.Scopes, calendar.Scope.Compare)
	m.Scopes = slices.Compact(m.Scopes)
	for _, e := range calendar.MergeSources(uploads) {
		m.Events, m.Jobs = append(m.Events, e.Event), append(m.Jobs, s.Jobs[e.Upload].ID)
	}
	return m, nil
}

// Build makes the calendar, with options that were chosen then. Choices that do not fit are errors unless lenient, or
// where there is nothing yet to hold them against.
func (s Source) Build(ctx context.Context, store *jobs.Store, options calendar.Options, chosen time.Time, lenient bool) (calendar.Calendar, error) {
	merged, err := s.Merge(ctx, store, options, chosen)
	if err != nil {
		return calendar.Calendar{}, err
	}
	options.Lenient = lenient || len(s.Jobs) == 0
	return calendar.Build(merged.Events, options)
}

// Years are the academic years that a calendar of s depends on, with those of which it might show something once
// they are known.
func (s Source) Years(options calendar.Options, cal calendar.Calendar) []int {
	var used []int
	add := func(year int) {
		if year != 0 && !slices.Contains(used, year) {
			used = append(used, year)
		}
	}
	add(options.Year)
	for _, term := range options.Terms {
		add(term.Start.Year)
	}
	for _, job := range s.Jobs {
		add(job.CreatedAt.In(calendar.Zone).Year())
	}
	for _, item := range cal.Items {
		add(item.Year())
		if !item.Until.IsZero() {
			add(item.Until.In(calendar.Zone).Year())
		}
	}
	return used
}

// EventsOf gives the events of one of the owner's completed jobs, with the ids that they have beside those of
// earlier jobs.
func EventsOf(ctx context.Context, store *jobs.Store, job jobs.Job) ([]calendar.Event, error) {
	s, err := Of(ctx, store, job.Owner)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.Jobs, func(j jobs.Job) bool { return j.ID == job.ID })
	s.Jobs = s.Jobs[:at+1]
	if at < 0 {
		s.Jobs = []jobs.Job{job} // too old to know what came before it
	}
	uploads, err := s.uploads(ctx, store)
	if err != nil || len(uploads) == 0 {
		return nil, err
	}
	return calendar.Named(uploads), nil
}

// uploads reads what the jobs say.
func (s Source) uploads(ctx context.Context, store *jobs.Store) ([]calendar.Upload, error) {
	ids := make([]string, 0, len(s.Jobs))
	for _, job := range slices.Backward(s.Jobs) {
		ids = append(ids, job.ID)
	}
	entries, err := store.AllEntries(ctx, s.Owner, ids, jobs.Most{Rows: mostRows, Bytes: mostBytes})
	if err != nil {
		return nil, err
	}
	uploads := make([]calendar.Upload, 0, len(s.Jobs))
	for _, job := range s.Jobs {
		doc := timetable.Document{Kind: job.Kind, Entries: entries[job.ID]}
		uploads = append(uploads, calendar.Upload{
			At: job.CreatedAt, Year: job.CreatedAt.In(calendar.Zone).Year(), Kind: job.Kind, Events: calendar.Events(doc),
		})
	}
	return uploads, nil
}

// setYears settles the academic years of lecture timetables: that in which each was uploaded, or the one that
// the options name. A year was chosen for the newest lectures of then, for what corrects them, and for all
// that was uploaded since; the semester before keeps its own.
func setYears(uploads []calendar.Upload, options calendar.Options, chosen time.Time) {
	var newer *calendar.Upload
	for n := len(uploads) - 1; n >= 0; n-- {
		u := &uploads[n]
		if u.Kind != timetable.Lecture {
			continue
		}
		uploaded := u.Year
		switch {
		case newer == nil || newer.At.After(chosen):
			u.Year = yearOf(options, uploaded, chosen.In(calendar.Zone).Year())
		case newer.At.In(calendar.Zone).Year() == uploaded && speaksFor(*newer, *u):
			u.Year = newer.Year
		}
		newer = u
	}
}

// speaksFor reports whether the newer upload has every part of a year that the older one has.
func speaksFor(newer, older calendar.Upload) bool {
	parts := calendar.Scopes(newer.Events, 0, nil)
	return !slices.ContainsFunc(calendar.Scopes(older.Events, 0, nil), func(s calendar.Scope) bool { return !slices.Contains(parts, s) })
}

// yearOf is the year of a lecture timetable that was uploaded in that year, by options that were chosen in another.
// What follows uploads outlives the dates that it was made with, and this year's lectures do not belong into
// last year: an earlier year, and the terms of one, bind only what was chosen in it.
func yearOf(options calendar.Options, uploaded, chosen int) int {
	if options.Year >= uploaded || options.Year != 0 && chosen >= uploaded {
		return options.Year
	}
	year, first := uploaded, calendar.Date{}
	for _, r := range options.Terms {
		if r.End.Year >= uploaded && (first.IsZero() || r.Start.Before(first)) {
			year, first = r.Start.Year, r.Start
		}
	}
	return year
}
