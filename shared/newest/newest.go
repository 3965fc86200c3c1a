// Package newest makes one calendar of all that an owner uploaded.
//
// Each completed job is one timetable. It speaks for its own scopes: its kind (lectures, tests or exams), its year,
// and its semester or session (see [calendar.Scope]). Within a scope the newest job that speaks for it replaces the
// older ones; outside it the older ones stay. So November's exams leave June's in the calendar, and a corrected
// timetable of lectures replaces the one before it as a whole. An event keeps its id from upload to upload.
//
//	timetables, err := newest.Of(ctx, store, owner)
//	cal, err := timetables.Build(ctx, options, chosenAt)
//
// Feeds and Google calendars that follow an owner's uploads are made this way. A calendar of one job alone is made of
// [JobEvents], whose events have the same ids.
package newest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// A calendar is made of so much at most, which is more than a student uploads in years. Older uploads are left out.
// The newest one is always used; the limits of parsing bound it.
const (
	maxJobs  = 100
	maxRows  = 10_000
	maxBytes = 2 << 20
)

// Timetables are an owner's completed jobs as they were at one moment.
type Timetables struct {
	Owner string
	Jobs  []jobs.Job // the newest last
	store *jobs.Store
}

// Of finds the owner's completed jobs.
func Of(ctx context.Context, store *jobs.Store, owner string) (Timetables, error) {
	completed, err := store.Completed(ctx, owner, maxJobs)
	if err != nil {
		return Timetables{}, err
	}
	slices.Reverse(completed)
	return Timetables{Owner: owner, Jobs: completed, store: store}, nil
}

// OfKinds are the timetables of these kinds; all of them where kinds is empty.
func (t Timetables) OfKinds(kinds []timetable.Kind) Timetables {
	if len(kinds) > 0 {
		t.Jobs = slices.DeleteFunc(slices.Clone(t.Jobs), func(j jobs.Job) bool { return !slices.Contains(kinds, j.Kind) })
	}
	return t
}

// Merged is the events of all the timetables together.
type Merged struct {
	Events []calendar.Event
	Jobs   []string         // the id of each event's job
	Scopes []calendar.Scope // that the timetables speak for
}

// Merge merges the timetables, with options that were chosen at that time.
func (t Timetables) Merge(ctx context.Context, options calendar.Options, chosenAt time.Time) (Merged, error) {
	uploads, err := t.uploads(ctx)
	if err != nil {
		return Merged{}, err
	}
	setYears(uploads, options, chosenAt)
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
	for _, e := range calendar.Merge(uploads) {
		m.Events, m.Jobs = append(m.Events, e.Event), append(m.Jobs, t.Jobs[e.Upload].ID)
	}
	return m, nil
}

// Build makes the calendar, with options that were chosen at that time. Choices that do not fit are errors, unless
// the options are lenient or there are no timetables yet.
func (t Timetables) Build(ctx context.Context, options calendar.Options, chosenAt time.Time) (calendar.Calendar, error) {
	merged, err := t.Merge(ctx, options, chosenAt)
	if err != nil {
		return calendar.Calendar{}, err
	}
	options.Lenient = options.Lenient || len(t.Jobs) == 0
	return calendar.Build(merged.Events, options)
}

// Years are the academic years that a calendar of the timetables depends on, with those of which it might show
// something once they are known.
func (t Timetables) Years(options calendar.Options, cal calendar.Calendar) []int {
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
	for _, job := range t.Jobs {
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

// CompletedJob is one of the owner's jobs, if it is completed. The error is one of package api; another owner's job
// is not found, like one that does not exist.
func CompletedJob(ctx context.Context, store *jobs.Store, owner, id string) (jobs.Job, error) {
	job, err := store.Get(ctx, owner, id)
	switch {
	case errors.Is(err, jobs.ErrNotFound):
		return jobs.Job{}, api.New(api.JobNotFound)
	case err != nil:
		return jobs.Job{}, fmt.Errorf("find the job: %w", err)
	case job.Status != jobs.Completed || job.CompletedAt == nil:
		return jobs.Job{}, api.New(api.JobNotCompleted, map[string]any{"status": job.Status})
	}
	return job, nil
}

// JobEvents are the events of a completed job, with the ids that they have beside those of the owner's earlier jobs. Only
// jobs of the same kind are read, for an id is of a kind.
func JobEvents(ctx context.Context, store *jobs.Store, job jobs.Job) ([]calendar.Event, error) {
	t, err := Of(ctx, store, job.Owner)
	if err != nil {
		return nil, err
	}
	t = t.OfKinds([]timetable.Kind{job.Kind})
	at := slices.IndexFunc(t.Jobs, func(j jobs.Job) bool { return j.ID == job.ID })
	t.Jobs = t.Jobs[:at+1]
	if at < 0 {
		t.Jobs = []jobs.Job{job} // older than the newest maxJobs: what came before it is not known
	}
	uploads, err := t.uploads(ctx)
	if err != nil || len(uploads) == 0 {
		return nil, err
	}
	return calendar.NewestEvents(uploads), nil
}

// uploads reads the entries of the jobs and makes events of them.
func (t Timetables) uploads(ctx context.Context) ([]calendar.Upload, error) {
	ids := make([]string, 0, len(t.Jobs))
	for _, job := range slices.Backward(t.Jobs) {
		ids = append(ids, job.ID)
	}
	entries, err := t.store.AllEntries(ctx, t.Owner, ids, jobs.Bounds{Rows: maxRows, Bytes: maxBytes})
	if err != nil {
		return nil, err
	}
	uploads := make([]calendar.Upload, 0, len(t.Jobs))
	for _, job := range t.Jobs {
		doc := timetable.Document{Kind: job.Kind, Entries: entries[job.ID]}
		uploads = append(uploads, calendar.Upload{
			At: job.CreatedAt, Year: job.CreatedAt.In(calendar.Zone).Year(), Kind: job.Kind, Events: calendar.Events(doc),
		})
	}
	return uploads, nil
}

// setYears sets the academic years of lecture timetables: the year in which each was uploaded, or the one that the
// options name. The options' year was chosen for the lectures that were the newest at that time, for their
// corrections, and for all later uploads. The semester before keeps its own year.
func setYears(uploads []calendar.Upload, options calendar.Options, chosenAt time.Time) {
	var newer *calendar.Upload
	for n := len(uploads) - 1; n >= 0; n-- {
		u := &uploads[n]
		if u.Kind != timetable.Lecture {
			continue
		}
		uploaded := u.Year
		switch {
		case newer == nil || newer.At.After(chosenAt):
			u.Year = yearOf(options, uploaded, chosenAt.In(calendar.Zone).Year())
		case newer.At.In(calendar.Zone).Year() == uploaded && covers(*newer, *u):
			u.Year = newer.Year
		}
		newer = u
	}
}

// covers reports whether the newer upload has every part of a year that the older one has.
func covers(newer, older calendar.Upload) bool {
	parts := calendar.Scopes(newer.Events, 0, nil)
	return !slices.ContainsFunc(calendar.Scopes(older.Events, 0, nil), func(s calendar.Scope) bool { return !slices.Contains(parts, s) })
}

// yearOf is the academic year of a lecture timetable, from the year of its upload and from options that were chosen
// in another. A feed outlives the dates that it was made with, and this year's lectures do not belong in last year:
// an earlier year and its terms apply only if they were chosen this year.
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
