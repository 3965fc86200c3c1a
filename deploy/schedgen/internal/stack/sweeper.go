package stack

import (
	"context"
	"time"

	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/api"
)

// sweepTimeout bounds one sweep, which waits for the work that it hands out.
const sweepTimeout = 5 * time.Minute

// sweep sweeps at once, for what an earlier process left, and then again and again, where a platform
// has a schedule.
func (s *System) sweep(ingest *uploadingest.Function) {
	ctx, cancel := context.WithCancel(api.WithLogger(context.Background(), s.cfg.Logger))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(s.cfg.SweepEvery)
		defer tick.Stop()
		for {
			within, done := context.WithTimeout(ctx, sweepTimeout)
			_, err := ingest.Sweep(within)
			done()
			if err != nil && ctx.Err() == nil {
				s.cfg.Logger.Warn("the sweep met an error; it comes again", "error", err.Error())
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	s.onStop(func() error {
		cancel()
		<-ended
		return nil
	})
}
