// Package latest makes a calendar of all that an owner uploaded: the newest completed job of each kind
// (lectures, tests, exams). Feeds and followed Google calendars are made of it.
package latest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Source is what the calendar is made of.
type Source struct {
	Owner string
	Jobs  []jobs.Job // at most one of each kind
}

// order is that in which kinds are shown.
var order = []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam}

// Of finds the owner's newest jobs, of one moment.
func Of(ctx context.Context, store *jobs.Store, owner string) (Source, error) {
	newest, err := store.Latest(ctx, owner)
	if err != nil {
		return Source{}, err
	}
	slices.SortFunc(newest, func(a, b jobs.Job) int {
		return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
	})
	return Source{Owner: owner, Jobs: newest}, nil
}

// Build makes the calendar, with options that were chosen then. Choices that do not fit are errors unless
// lenient, or where there is nothing yet to hold them against.
func (s Source) Build(ctx context.Context, store *jobs.Store, options calendar.Options, chosen time.Time, lenient bool) (calendar.Calendar, error) {
	var events []calendar.Event
	options.Lenient = lenient || len(s.Jobs) == 0
	for _, job := range s.Jobs {
		entries, err := store.Entries(ctx, s.Owner, job.ID)
		if err != nil {
			return calendar.Calendar{}, fmt.Errorf("read the entries of a newest job: %w", err)
		}
		events = append(events, calendar.Events(timetable.Document{Kind: job.Kind, Entries: entries})...)
		if job.Kind == timetable.Lecture {
			useYearOf(&options, job.CreatedAt, chosen)
		}
	}
	return calendar.Build(events, options)
}

// useYearOf settles the year of a lecture timetable that was uploaded then. What follows uploads outlives
// the dates that it was made with, and this year's lectures do not belong into last year: terms of earlier
// years are left out, and so is an earlier year that was chosen before this one.
func useYearOf(options *calendar.Options, uploaded, chosen time.Time) {
	year := uploaded.In(calendar.Zone).Year()
	options.Terms = maps.Clone(options.Terms)
	maps.DeleteFunc(options.Terms, func(_ string, r calendar.Range) bool { return r.End.Year < year })
	if options.Year < year && chosen.In(calendar.Zone).Year() < year {
		options.Year = 0
	}
	options.UseYear(year)
}
