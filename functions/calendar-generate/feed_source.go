package calendargenerate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// renderingVersion is part of what a feed's body is made of: raise it with any change of how feeds
// are written, and all of them are written anew when they are next fetched.
const renderingVersion = "1"

// source is what an owner's feeds are made of: the newest completed job of each kind.
type source struct {
	owner string
	jobs  []jobs.Job
}

// key names the source. A feed that was rendered from another needs a refresh.
func (s source) key() string {
	ids := make([]string, 0, len(s.jobs)+1)
	ids = append(ids, renderingVersion)
	for _, job := range s.jobs {
		ids = append(ids, job.ID)
	}
	return strings.Join(ids, " ")
}

func (f *Function) source(ctx context.Context, owner string) (source, error) {
	s := source{owner: owner}
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		job, err := f.jobs.Latest(ctx, owner, string(kind))
		if errors.Is(err, jobs.ErrNotFound) {
			continue
		}
		if err != nil {
			return source{}, fmt.Errorf("find the newest %s timetable: %w", kind, err)
		}
		s.jobs = append(s.jobs, job)
	}
	return s, nil
}

// tolerance is how a feed's options are held against what there is.
type tolerance bool

const (
	strict  tolerance = false // what does not fit is an error
	lenient tolerance = true  // what does not fit is a warning
)

// build makes the calendar of a source.
func (f *Function) build(ctx context.Context, s source, options calendar.Options, t tolerance) (calendar.Calendar, error) {
	var events []calendar.Event
	// A feed made before the first upload has nothing yet to hold its choices against.
	options.Lenient = bool(t) || len(s.jobs) == 0
	for _, job := range s.jobs {
		entries, err := f.jobs.Entries(ctx, s.owner, job.ID)
		if err != nil {
			return calendar.Calendar{}, fmt.Errorf("read the entries of a feed's job: %w", err)
		}
		events = append(events, calendar.Events(timetable.Document{Kind: job.Kind, Entries: entries})...)
		if job.Kind == timetable.Lecture {
			options.Terms = currentTerms(options.Terms, job.CreatedAt.In(calendar.Zone).Year())
			options.UseYear(job.CreatedAt.In(calendar.Zone).Year())
		}
	}
	return calendar.Build(events, options)
}

// currentTerms leaves out the terms of years before the timetable's: a feed outlives the dates that
// it was made with, and this year's lectures do not belong into last year.
func currentTerms(terms map[string]calendar.Range, year int) map[string]calendar.Range {
	terms = maps.Clone(terms)
	maps.DeleteFunc(terms, func(_ string, r calendar.Range) bool { return r.End.Year < year })
	return terms
}

// rendering is what a feed shall say, made of a source.
func (f *Function) rendering(s source, cal calendar.Calendar) feed.Rendering {
	return feed.Rendering{Sources: s.key(), Calendar: cal, Refresh: f.cfg.FeedRefresh, Now: f.now()}
}

// refresh gives the feed as it should be now. What is up to date costs no more than finding that out.
func (f *Function) refresh(ctx context.Context, s source, known feed.Feed) (feed.Feed, error) {
	if known.Sources == s.key() {
		return known, nil
	}
	cal, err := f.build(ctx, s, known.Options, lenient)
	if err != nil {
		return feed.Feed{}, fmt.Errorf("build feed %s: %w", known.ID, err)
	}
	return f.feeds.Refresh(ctx, known.ID, f.rendering(s, cal))
}
