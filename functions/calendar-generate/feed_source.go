package calendargenerate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// renderingVersion is part of what a feed's body is made of: raise it with any change of how feeds
// are written, and all of them are written anew when they are next fetched.
const renderingVersion = "2"

// source is what feeds are made of: the newest completed job of each kind.
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

// of gives the part of the source that a feed shows.
func (s source) of(options feed.Options) source {
	if len(options.Kinds) == 0 {
		return s
	}
	shown := source{owner: s.owner}
	for _, job := range s.jobs {
		if slices.Contains(options.Kinds, job.Kind) {
			shown.jobs = append(shown.jobs, job)
		}
	}
	return shown
}

// tolerance is how a feed's options are held against what there is.
type tolerance bool

const (
	strict  tolerance = false // what does not fit is an error
	lenient tolerance = true  // what does not fit is a warning
)

// build makes the calendar of a source for a feed that was made then.
func (f *Function) build(ctx context.Context, s source, of feed.Options, made time.Time, t tolerance) (calendar.Calendar, error) {
	var events []calendar.Event
	options := of.Calendar()
	// A feed made before the first upload has nothing yet to hold its choices against.
	options.Lenient = bool(t) || len(s.jobs) == 0
	for _, job := range s.jobs {
		entries, err := f.jobs.Entries(ctx, s.owner, job.ID)
		if err != nil {
			return calendar.Calendar{}, fmt.Errorf("read the entries of a feed's job: %w", err)
		}
		events = append(events, calendar.Events(timetable.Document{Kind: job.Kind, Entries: entries})...)
		if job.Kind == timetable.Lecture {
			useYearOf(&options, job.CreatedAt, made)
		}
	}
	return calendar.Build(events, options)
}

// useYearOf settles the year of a lecture timetable that was uploaded then. A feed outlives the dates
// that it was made with, and this year's lectures do not belong into last year: terms of earlier years
// are left out, and so is an earlier year that was given when the feed was made, before this one.
func useYearOf(options *calendar.Options, uploaded, made time.Time) {
	year := uploaded.In(calendar.Zone).Year()
	options.Terms = maps.Clone(options.Terms)
	maps.DeleteFunc(options.Terms, func(_ string, r calendar.Range) bool { return r.End.Year < year })
	if options.Year < year && made.In(calendar.Zone).Year() < year {
		options.Year = 0
	}
	options.UseYear(year)
}

// rendering is what a feed shall say, made of a source.
func (f *Function) rendering(s source, cal calendar.Calendar) feed.Rendering {
	return feed.Rendering{Sources: s.key(), Calendar: cal, Refresh: f.cfg.FeedRefresh, Now: f.now()}
}

// refresh gives the feed as it should be now, made of all that its owner has. What is up to date costs no more than finding that out.
func (f *Function) refresh(ctx context.Context, all source, known feed.Feed) (feed.Feed, error) {
	s := all.of(known.Options)
	if known.Sources == s.key() {
		return known, nil
	}
	cal, err := f.build(ctx, s, known.Options, known.Created, lenient)
	if err != nil {
		return feed.Feed{}, fmt.Errorf("build feed %s: %w", known.ID, err)
	}
	return f.feeds.Refresh(ctx, known.ID, f.rendering(s, cal))
}
