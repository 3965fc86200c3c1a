// Package content builds what a Google calendar should hold: of the events of a request, of one uploaded timetable,
// or of all that a person uploaded, with the person's choices and by the academic years as they are known now.
//
// A [Content] also says for which scopes it speaks. Only in these a sync may delete what is no longer wanted. Content
// of events that a request holds speaks for no scope, for they may be a part of a timetable: they are added and
// changed, and nothing is deleted.
//
// When the university corrects an academic year, lectures must move although no new request says so. So each sync
// leaves a recipe: its lectures and choices ([syncs.Recipe]). [Rebuild] builds a recipe again by newer academic
// years.
package content

import (
	"context"
	"slices"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
	"github.com/schedgen/schedgen/shared/years"
)

// Content is what a calendar should hold.
type Content struct {
	Calendar calendar.Calendar
	Scopes   []calendar.Scope // that it speaks for
	Years    string           // the stamp of the academic years that it was built by
	Options  calendar.Options // the choices, kept in its recipe

	events []calendar.Event // of which it was built
	jobs   []string         // the job of each event; nil for events of a request
}

// Sync is the sync that brings a calendar to the content. Each account may have as many waiting as limit.
func (c Content) Sync(ctx context.Context, person account.Account, calendarID string, limit int) syncs.New {
	names := make([]string, len(c.Scopes))
	for i, s := range c.Scopes {
		names[i] = s.String()
	}
	wanted := plan.Wanted(c.Calendar, plan.Marker(person.Subject), calendarID)
	return syncs.New{
		AccountID: person.ID, CalendarID: calendarID, Limit: limit, Cause: tracing.CauseOf(ctx), Years: c.Years,
		Request: syncs.Request{Wanted: wanted, Scopes: names, Made: time.Now()}, Recipe: c.recipe(wanted, names),
	}
}

// Builder builds the content of calendars. It is safe for concurrent use.
type Builder struct {
	Jobs  *jobs.Store
	Years *years.Source
	Typed *years.TypedDates
}

// FromEvents builds the content of a request's events. Semester dates that the person typed before are added to the
// options.
func (b Builder) FromEvents(ctx context.Context, owner string, events []calendar.Event, options *calendar.Options) (Content, error) {
	return b.typed(ctx, owner, options, func(known years.Snapshot, o calendar.Options) (Content, error) {
		c, err := fromEvents(known, events, o)
		if err == nil {
			err = c.Calendar.CheckNotEmpty() // nothing would be added, and it would look like a success
		}
		return c, err
	})
}

// FromJob builds the content of one of the person's jobs, as FromEvents does. It speaks for the job's own scopes.
func (b Builder) FromJob(ctx context.Context, owner, jobID string, options *calendar.Options) (Content, error) {
	job, err := newest.CompletedJob(ctx, b.Jobs, owner, jobID)
	if err != nil {
		return Content{}, err
	}
	events, err := newest.JobEvents(ctx, b.Jobs, job)
	if err != nil {
		return Content{}, err
	}
	options.UseYear(job.CreatedAt.In(calendar.Zone).Year())
	c, err := b.typed(ctx, owner, options, func(known years.Snapshot, o calendar.Options) (Content, error) {
		return fromEvents(known, events, o)
	})
	if err != nil {
		return Content{}, err
	}
	c.jobs = slices.Repeat([]string{jobID}, len(events))
	c.Scopes = calendar.Scopes(events, options.Year, options.TermsOf(options.Year))
	if len(c.Scopes) > 0 && c.Scopes[0].Kind == timetable.Lecture {
		c.Scopes = append(c.Scopes, calendar.ExtraScope(options.Year)) // a student's own classes are chosen with the lectures
	}
	return c, nil
}

func fromEvents(known years.Snapshot, events []calendar.Event, o calendar.Options) (Content, error) {
	cal, err := calendar.Build(events, o)
	return Content{Calendar: cal, Years: known.Stamp(newest.Timetables{}.Years(o, cal)), events: events}, err
}

// FromUploads builds the content of all that the person uploaded, as FromEvents does.
func (b Builder) FromUploads(ctx context.Context, owner string, options *calendar.Options) (Content, error) {
	return b.typed(ctx, owner, options, func(known years.Snapshot, o calendar.Options) (Content, error) {
		return b.fromUploads(ctx, known, owner, o, time.Now())
	})
}

// typed calls build with the options, and again with semester dates that the person typed before if dates are
// missing. Dates that the options bring are kept for the next time.
func (b Builder) typed(ctx context.Context, owner string, options *calendar.Options, build func(years.Snapshot, calendar.Options) (Content, error)) (c Content, err error) {
	known, err := b.Years.Loaded(ctx)
	if err != nil {
		return Content{}, err
	}
	given := options.Terms
	err = b.Typed.Build(ctx, known, owner, options, func(o calendar.Options) (err error) {
		c, err = build(known, o)
		return err
	})
	if err != nil {
		return Content{}, err
	}
	b.Typed.Save(ctx, known, owner, given)
	return c, nil
}

// ForFollower builds the content of all that the person uploaded, for a calendar whose choices were made at that
// time. Choices that no longer fit are warnings: a group that is gone must not end the following.
func (b Builder) ForFollower(ctx context.Context, owner string, options calendar.Options, chosenAt time.Time) (Content, error) {
	known, err := b.Years.Loaded(ctx)
	if err != nil {
		return Content{}, err
	}
	options.Years, options.Lenient = known.Years, true
	return b.fromUploads(ctx, known, owner, options, chosenAt)
}

func (b Builder) fromUploads(ctx context.Context, known years.Snapshot, owner string, options calendar.Options, chosenAt time.Time) (Content, error) {
	timetables, err := newest.Of(ctx, b.Jobs, owner)
	if err != nil {
		return Content{}, err
	}
	if len(timetables.Jobs) == 0 {
		return Content{}, api.New(api.ValidationFailed).WithMessage("You have no timetable here yet. Upload one first, or send events or a jobId.")
	}
	merged, err := timetables.Merge(ctx, options, chosenAt)
	if err != nil {
		return Content{}, err
	}
	cal, err := calendar.Build(merged.Events, options)
	return Content{
		Calendar: cal, Scopes: merged.Scopes, Years: known.Stamp(timetables.Years(options, cal)), events: merged.Events, jobs: merged.Jobs,
	}, err
}
