package calendargenerate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/years"
)

// renderingVersion is part of what a feed's body is made of: raise it with any change of how feeds
// are written, and all of them are written anew when they are next fetched.
const renderingVersion = "4"

// sourceKey names a source, and the choices of that moment: none of a feed whose caller never chose anew. A feed that
// was rendered from another source, or by older choices, needs a refresh.
func sourceKey(s newest.Timetables, chosen time.Time) string {
	ids := make([]string, 0, len(s.Jobs)+2)
	ids = append(ids, renderingVersion)
	if !chosen.IsZero() {
		ids = append(ids, chosen.UTC().Format(time.RFC3339Nano))
	}
	for _, job := range s.Jobs {
		ids = append(ids, job.ID)
	}
	return strings.Join(ids, " ")
}

// rendering is what a feed shall say, made of a source by the choices of that moment and the known years.
func (f *Function) rendering(s newest.Timetables, chosen time.Time, options calendar.Options, cal calendar.Calendar, known years.Snapshot) feed.Rendering {
	return feed.Rendering{
		Sources: sourceKey(s, chosen), Years: known.Stamp(s.Years(options, cal)), YearsVersion: known.Version,
		Calendar: cal, Refresh: f.cfg.FeedRefresh, Now: f.now(),
	}
}

// refresh gives the feed as it should be now, made of all that its owner has. What is up to date costs no
// more than finding that out. An academic year that changed is no reason: [Function.Sweep] takes care of those, at
// its own pace, and instances that see a mounted file at different times do not change a feed back and forth.
func (f *Function) refresh(ctx context.Context, all newest.Timetables, known feed.Feed) (feed.Feed, error) {
	if s := all.OfKinds(known.Options.Kinds); known.Sources == sourceKey(s, known.Options.Chosen) {
		return known, nil
	}
	return f.render(ctx, all, known)
}

// render writes the feed anew by the academic years as they are now.
func (f *Function) render(ctx context.Context, all newest.Timetables, known feed.Feed) (feed.Feed, error) {
	now, err := f.years.Loaded(ctx)
	if err != nil {
		return feed.Feed{}, err
	}
	done, err := f.renderBy(ctx, now, all, known)
	if errors.Is(err, feed.ErrOldYears) {
		if now, err = f.years.Reload(ctx); err == nil {
			done, err = f.renderBy(ctx, now, all, known)
		}
	}
	return done, err
}

func (f *Function) renderBy(ctx context.Context, now years.Snapshot, all newest.Timetables, known feed.Feed) (feed.Feed, error) {
	s, options := all.OfKinds(known.Options.Kinds), known.Options.Calendar()
	options.Years, options.Lenient = now.Years, true // what no longer fits is a warning
	cal, err := s.Build(ctx, options, known.ChosenAt())
	if err != nil {
		return feed.Feed{}, fmt.Errorf("build feed %s: %w", known.ID, err)
	}
	return f.feeds.Refresh(ctx, known.ID, f.rendering(s, known.Options.Chosen, options, cal, now))
}

// refreshAll refreshes the owner's feeds and passes each to see, without feeds that are deleted meanwhile. One that
// became too long stays as it was; its next fetch gets an error that says so.
func (f *Function) refreshAll(ctx context.Context, owner string, see func(feed.Feed)) error {
	s, err := newest.Of(ctx, f.jobs, owner)
	if err != nil {
		return err
	}
	feeds, err := f.feeds.IDsOfOwner(ctx, owner)
	if err != nil {
		return err
	}
	for _, id := range feeds {
		known, err := f.feeds.FindOwned(ctx, owner, id)
		if err == nil {
			before := known
			if known, err = f.refresh(ctx, s, known); errors.Is(err, pack.ErrTooLong) {
				known, err = before, nil
			}
		}
		if errors.Is(err, feed.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		see(known)
	}
	return nil
}
