// Package retry makes a call again that failed for now: a few times, with growing pauses, and no longer than its
// context lasts.
package retry

import (
	"context"
	"errors"
	"time"
)

// Do calls f until it succeeds, until its error is one that passes says will not pass, or until it was called so
// many times; then the error is f's. The pauses between calls double from the first. Where ctx ends in one, the
// error holds ctx's as well.
func Do(ctx context.Context, times int, pause time.Duration, passes func(error) bool, f func() error) error {
	for call := 1; ; call++ {
		err := f()
		if err == nil || !passes(err) || call >= times {
			return err
		}
		if ended := Wait(ctx, pause); ended != nil {
			return errors.Join(err, ended)
		}
		pause *= 2
	}
}

// Wait waits that long, or until ctx ends, and gives ctx's error then.
func Wait(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
