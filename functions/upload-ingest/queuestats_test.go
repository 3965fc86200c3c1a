package uploadingest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
)

// counting is a recent whose count goes on until it is released.
type counting struct {
	*recent[jobs.Metrics]
	counts  int
	release chan error
}

func newCounting() *counting {
	c := &counting{release: make(chan error)}
	c.recent = newRecent(func(context.Context) (jobs.Metrics, error) {
		c.counts++
		return jobs.Metrics{OldestWaitSeconds: float64(c.counts)}, <-c.release
	})
	return c
}

// age makes the last count older.
func (c *counting) age(by time.Duration) {
	last := *c.last.Load()
	last.at = last.at.Add(-by)
	c.last.Store(&last)
}

// ask makes 50 calls at once and checks what each returns.
func (c *counting) ask(t *testing.T, want int, wantErr error) (all *sync.WaitGroup) {
	all = &sync.WaitGroup{}
	for range 50 {
		all.Go(func() {
			if m, err := c.read(t.Context()); !errors.Is(err, wantErr) || m.OldestWaitSeconds != float64(want) {
				t.Errorf("got count %v (%v), want %d (%v)", m.OldestWaitSeconds, err, want, wantErr)
			}
		})
	}
	synctest.Wait()
	return all
}

func TestQueueStatsCountOnceForAllCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting()
		all := c.ask(t, 1, nil)
		c.release <- nil
		all.Wait()
		c.age(c.ttl - time.Millisecond)
		c.ask(t, 1, nil).Wait()
		c.age(time.Millisecond)
		all = c.ask(t, 2, nil)
		c.release <- nil
		all.Wait()
	})
}

// TestQueueStatsCacheAnError checks that callers do not wait one after the other for a database that hangs.
func TestQueueStatsCacheAnError(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		c := newCounting()
		all := c.ask(t, 1, away)
		c.release <- away
		all.Wait()
		if c.counts != 1 {
			t.Errorf("it was counted %d times for 50 callers, want once", c.counts)
		}
	})
}

func TestQueueStatsWaitEndsWithTheContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		away, reached := errors.New("away"), false
		b := newRecent(func(ctx context.Context) (jobs.Metrics, error) {
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
			t.Errorf("a waiting caller got %v, want the end of its own context", err)
		}
		if err := <-got; !errors.Is(err, away) {
			t.Errorf("the counting caller got %v, want %v", err, away)
		}
		reached = true
		if m, err := b.read(t.Context()); err != nil || m.OldestWaitSeconds != 1 {
			t.Errorf("the next caller got %+v, %v; want a count: the error of a caller that went away is not cached", m, err)
		}
	})
}

// While one counts, others take a count that is not too old, and wait for none.
func TestAStaleCountIsTakenWhileAnotherCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCounting()
		c.stale = 5 * time.Second
		all := c.ask(t, 1, nil)
		c.release <- nil
		all.Wait()
		c.age(2 * time.Second)
		counting := make(chan struct{})
		go func() {
			defer close(counting)
			if m, err := c.read(t.Context()); err != nil || m.OldestWaitSeconds != 2 {
				t.Errorf("who counts got %+v, %v", m, err)
			}
		}()
		synctest.Wait()
		c.ask(t, 1, nil).Wait() // none of them waits
		c.age(3 * time.Second)
		all = c.ask(t, 2, nil) // too old: they wait
		c.release <- nil
		all.Wait()
		<-counting
	})
}

// While the database takes its time to count, uploads are refused or admitted by the last count, until that is too old.
func TestTheBacklogIsKnownWhileTheDatabaseCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, counted := newBacklog(nil, 5), make(chan int)
		b.before.count = func(context.Context) (int, error) { return <-counted, nil }
		fivePending := func(ago time.Duration) { b.before.last.Store(&lastCount[int]{at: time.Now().Add(-ago), answer: 5}) }
		fivePending(b.before.ttl)
		for priority, refused := range map[jobs.Priority]bool{jobs.Low: true, jobs.Normal: true, jobs.High: false} {
			began := time.Now()
			err := b.admit(t.Context(), priority)
			if (api.From(err).Code == api.QueueFull) != refused || err != nil && !refused || time.Since(began) > 0 {
				t.Errorf("%s: got %v after %s, want refused %t at once", priority, err, time.Since(began), refused)
			}
		}
		fivePending(b.before.ttl + staleBacklog)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.admit(ctx, jobs.Normal); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("by a count that is too old: got %v, want none", err)
		}
		counted <- 4
		synctest.Wait()
		if err := b.admit(t.Context(), jobs.Normal); err != nil {
			t.Errorf("by the new count: got %v, want room", err)
		}
	})
}

// A count that no caller waits for ends with the function.
func TestACountBehindItsCallersEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newRecent(func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		q.stale = staleBacklog
		q.last.Store(&lastCount[int]{at: time.Now().Add(-q.ttl), answer: 7})
		for range 3 {
			if n, err := q.read(t.Context()); n != 7 || err != nil {
				t.Errorf("got %d, %v, want the last count", n, err)
			}
		}
		q.close()
		if n, err := q.read(t.Context()); n != 7 || err != nil {
			t.Errorf("after a count that was given up: got %d, %v, want the last one", n, err)
		}
		q.behind.Wait()
	})
}
