package stack

import (
	"context"
	"errors"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/api"
)

// background runs what goes on beside requests until the system stops, and waits for its end then.
func (s *System) background(run func(context.Context)) {
	ctx, cancel := context.WithCancel(api.WithLogger(context.Background(), s.cfg.Logger))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx)
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
}

// schedule does what a platform's schedules do.
func (s *System) schedule(f functions) {
	s.background(func(ctx context.Context) { s.sweep(ctx, f) })
	if f.backup.Enabled() {
		s.background(func(ctx context.Context) { f.backup.Daily(ctx, backup.Schedule{At: 2 * time.Hour}) })
	}
}

// sweepTimeout bounds one sweep, which waits for the work that it hands out.
const sweepTimeout = 5 * time.Minute

// sweep sweeps at once, for what an earlier process left, and then again and again.
func (s *System) sweep(ctx context.Context, f functions) {
	tick := time.NewTicker(s.cfg.SweepEvery)
	defer tick.Stop()
	for {
		within, done := context.WithTimeout(ctx, sweepTimeout)
		_, err := f.ingest.Sweep(within)
		_, googleErr := f.google.Sweep(within)
		_, feedsErr := f.calendar.Sweep(within)
		done()
		if err = errors.Join(err, googleErr, feedsErr); err != nil && ctx.Err() == nil {
			s.cfg.Logger.Warn("the sweep met an error; it comes again", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
