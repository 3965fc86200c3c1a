// Package latest makes a calendar of all that an owner uploaded: the newest completed job of each kind
// (lectures, tests, exams). Feeds and followed Google calendars are made of it.
package latest

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Source is what the calendar is made of.
type Source struct {
	Owner string
	Jobs  []jobs.Job // at most one of each kind
}

// Of finds the owner's newest jobs.
func Of(ctx context.Context, store *jobs.Store, owner string) (Source, error) {
	s := Source{Owner: owner}
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		job, err := store.Latest(ctx, owner, string(kind))
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return Source{}, fmt.Errorf("find the newest %s timetable: %w", kind, err)
		}
		s.Jobs = append(s.Jobs, job)
	}
	return s, nil
}

// Build makes the calendar. Choices that do not fit are errors unless lenient, or where there is nothing
// yet to hold them against.
func (s Source) Build(ctx context.Context, store *jobs.Store, options calendar.Options, lenient bool) (calendar.Calendar, error) {
	var events []calendar.Event
	options.Lenient = lenient || len(s.Jobs) == 0
	for _, job := range s.Jobs {
		entries, err := store.Entries(ctx, s.Owner, job.ID)
		if err != nil {
			return calendar.Calendar{}, fmt.Errorf("read the entries of a newest job: %w", err)
		}
		events = append(events, calendar.Events(timetable.Document{Kind: job.Kind, Entries: entries})...)
		if job.Kind == timetable.Lecture {
			options.Terms = currentTerms(options.Terms, job.CreatedAt.In(calendar.Zone).Year())
			options.UseYear(job.CreatedAt.In(calendar.Zone).Year())
		}
	}
	return calendar.Build(events, options)
}

// currentTerms leaves out the terms of years before the timetable's: what follows uploads outlives the
// dates that it was made with, and this year's lectures do not belong into last year.
func currentTerms(terms map[string]calendar.Range, year int) map[string]calendar.Range {
	terms = maps.Clone(terms)
	maps.DeleteFunc(terms, func(_ string, r calendar.Range) bool { return r.End.Year < year })
	return terms
}
