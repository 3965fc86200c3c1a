package calendargenerate

import (
	"context"
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/sweeps"
	"github.com/schedgen/schedgen/shared/years"
)

// Swept counts what a sweep did.
type Swept struct {
	Replanned int   `json:"replanned"` // feeds that were made again by academic years that changed
	Failed    int   `json:"failed"`    // of which the next sweep tries again
	Forgotten int64 `json:"forgotten"` // years that people typed dates of, long ago
}

// sweepTask answers POST /tasks/feeds.
func (f *Function) sweepTask(r *http.Request) (any, error) { return f.Sweep(r.Context()) }

// Sweep brings feeds to academic years that were corrected since they were made, so many at a time that
// subscribers are still served; the next sweep goes on. What was done is told by the feeds themselves, so it
// may be killed anywhere, and run at any time, any number of times, anywhere.
func (f *Function) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	err := f.replan(ctx, &s)
	lastYear := f.now().In(calendar.Zone).Year() - 1
	forgotten, forgetErr := f.typed.DeleteBefore(ctx, lastYear)
	s.Forgotten = forgotten
	// Where nobody uploads, no event ends the feeds that nobody fetches.
	const feedsAtOnce = 200
	_, feedErr := f.feeds.DeleteUnfetched(ctx, f.now().Add(-f.cfg.FeedUnfetched), feedsAtOnce)
	f.metrics.replanned.WithLabelValues("done").Add(float64(s.Replanned))
	f.metrics.replanned.WithLabelValues("failed").Add(float64(s.Failed))
	if s != (Swept{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "moved", s)
	}
	if err = errors.Join(err, forgetErr, feedErr); err == nil {
		err = sweeps.Finished(ctx, f.pool, sweeps.Feeds)
	}
	return s, err
}

// replanPage is how many feeds are read at once.
const replanPage = 100

func (f *Function) replan(ctx context.Context, s *Swept) error {
	now, err := f.years.Reload(ctx)
	if err != nil {
		return err
	}
	stamps, err := f.feeds.Stamps(ctx)
	if err != nil {
		return err
	}
	stale := now.StaleOf(stamps)
	if len(stale) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.cfg.ReplanTime)
	defer cancel()
	// Several sweeps at once begin at different places, and each goes once around.
	begin := feed.RandomCursor()
	if err = f.replanBetween(ctx, stale, begin, nil, s); err == nil {
		err = f.replanBetween(ctx, stale, nil, begin, s)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // the next sweep goes on
	}
	return err
}

// replanBetween makes the feeds of these stamps again whose place is after one and up to another.
func (f *Function) replanBetween(ctx context.Context, stale []string, after, upTo feed.Cursor, s *Swept) error {
	for {
		limit := min(replanPage, f.cfg.ReplanBatch-s.Replanned-s.Failed)
		if limit <= 0 {
			return nil
		}
		page, last, err := f.feeds.Stamped(ctx, stale, after, upTo, limit)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, known := range page {
			if f.replanOne(ctx, known, s); ctx.Err() != nil {
				return ctx.Err()
			}
		}
		after = last
	}
}

// replanOne makes one feed again. One that cannot be made does not keep the others waiting.
func (f *Function) replanOne(ctx context.Context, known feed.Feed, s *Swept) {
	all, err := newest.Of(ctx, f.jobs, known.Owner)
	if err == nil {
		_, err = f.render(ctx, all, known)
	}
	if errors.Is(err, pack.ErrTooLong) { // it stays as it was until an upload or a choice makes it anew
		api.Logger(ctx).WarnContext(ctx, "a feed is too long for the corrected academic year", "feed", known.ID)
		err = f.feeds.Restamp(ctx, known.ID, years.NoYears)
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, feed.ErrNotFound):
	case err != nil:
		s.Failed++
		api.Logger(ctx).WarnContext(ctx, "a feed could not be brought to a corrected academic year", "feed", known.ID, "error", err.Error())
	default:
		s.Replanned++
	}
}
