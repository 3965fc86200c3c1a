package uploadingest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/schedgen/schedgen/shared/jobs"
)

func TestBooksAreCountedOnceForAllWhoAsk(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		counts := 0
		b := newBooks(func(context.Context) (jobs.Metrics, error) {
			counts++
			mine := counts
			time.Sleep(100 * time.Millisecond) // the bubble's time: what a query takes
			return jobs.Metrics{OldestWaitSeconds: float64(mine)}, nil
		})
		ask := func(want int) {
			t.Helper()
			var all sync.WaitGroup
			for range 50 {
				all.Go(func() {
					if m, err := b.read(t.Context()); err != nil || m.OldestWaitSeconds != float64(want) {
						t.Errorf("got count %v (%v), want %d", m.OldestWaitSeconds, err, want)
					}
				})
			}
			all.Wait()
		}
		ask(1)
		time.Sleep(999 * time.Millisecond)
		ask(1)
		time.Sleep(time.Millisecond)
		ask(2)
	})
}

// TestAnOutageIsToldToAll holds that those who ask while the database hangs do not wait for it in turn.
func TestAnOutageIsToldToAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		b := newBooks(func(context.Context) (jobs.Metrics, error) {
			time.Sleep(10 * time.Second) // the bubble's time: what a statement may take
			return jobs.Metrics{}, away
		})
		began := time.Now()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := b.read(t.Context()); !errors.Is(err, away) {
					t.Errorf("got %v, want %v", err, away)
				}
			})
		}
		all.Wait()
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("the last of 50 was told after %s, want 10s", waited)
		}
	})
}

func TestNobodyWaitsForAnothersBooksForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away, reached := errors.New("away"), false
		b := newBooks(func(ctx context.Context) (jobs.Metrics, error) {
			if reached {
				return jobs.Metrics{OldestWaitSeconds: 1}, nil
			}
			<-ctx.Done()
			return jobs.Metrics{}, away
		})
		first, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		got := make(chan error, 1)
		go func() {
			_, err := b.read(first)
			got <- err
		}()
		synctest.Wait()
		second, cancelSecond := context.WithTimeout(t.Context(), time.Second)
		defer cancelSecond()
		if _, err := b.read(second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who waits gets %v, want the end of their own time", err)
		}
		if err := <-got; !errors.Is(err, away) {
			t.Errorf("who counts gets %v, want %v", err, away)
		}
		reached = true
		if m, err := b.read(t.Context()); err != nil || m.OldestWaitSeconds != 1 {
			t.Errorf("the next gets %+v, %v; want a count, for an error is not kept", m, err)
		}
	})
}
