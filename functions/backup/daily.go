package backup

import (
	"context"
	"errors"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
)

// Schedule is when a process that makes its own backups does, where no platform sends events.
type Schedule struct {
	At    time.Duration // of the day, in local time: 2 * time.Hour is 02:00
	Look  time.Duration // how often it looks at the clock; 0 means every minute
	Again time.Duration // after a failure; 0 means an hour
}

// Daily makes a backup each day and watches, until ctx ends, and returns when what it does has ended.
// It looks at the newest good backup rather than at a timer: what was missed, while the machine was
// off or asleep or its clock was wrong, is made up for.
func (f *Function) Daily(ctx context.Context, s Schedule) {
	if s.Look <= 0 {
		s.Look = time.Minute
	}
	if s.Again <= 0 {
		s.Again = time.Hour
	}
	tick := time.NewTicker(s.Look)
	defer tick.Stop()
	var tried, watched time.Time
	for {
		now := f.Now()
		if distance(now, tried) >= s.Again && f.due(ctx, s.At) {
			tried = now
			// Its failure is logged and alerted there.
			if _, err := f.Run(ctx); err == nil || errors.Is(err, store.ErrLocked) {
				tried = time.Time{}
			}
		}
		if distance(now, watched) >= watchEvery {
			watched = now
			if _, err := f.Watch(ctx); err != nil && ctx.Err() == nil {
				api.Logger(ctx).WarnContext(ctx, "the backups could not be watched", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// watchEvery is how often Daily looks whether a backup was missed.
const watchEvery = time.Hour

// distance is the time between two moments, whichever is first: a clock may be set back.
func distance(a, b time.Time) time.Duration {
	return a.Sub(b).Abs()
}

// due says that no good backup was made since the time of day came last. A bucket that cannot be
// asked is due too: the run fails, and tells people.
func (f *Function) due(ctx context.Context, at time.Duration) bool {
	list, err := f.store.List(ctx)
	if err != nil {
		return ctx.Err() == nil
	}
	now := f.Now()
	m, ok := lastGood(list, now)
	return !ok || m.CreatedAt.Before(latest(now, at))
}

// latest is when that time of day came last.
func latest(now time.Time, at time.Duration) time.Time {
	year, month, day := now.Date()
	moment := time.Date(year, month, day, 0, 0, 0, 0, now.Location()).Add(at)
	if moment.After(now) {
		moment = time.Date(year, month, day-1, 0, 0, 0, 0, now.Location()).Add(at)
	}
	return moment
}
