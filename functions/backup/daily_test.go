package backup_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
)

// Days pass, the machine sleeps for some of them, the clock is set back: each day that it is awake has
// one backup, and it is made at the time of day or at once after.
func TestADailyBackupIsMadeUpFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function()
	var mu sync.Mutex
	now := time.Date(2026, 2, 9, 12, 0, 0, 0, time.Local)
	f.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { f.Daily(ctx, backup.Schedule{At: 2 * time.Hour, Interval: 5 * time.Millisecond}) })
	defer group.Wait()
	defer stop()

	set := func(to time.Time) {
		mu.Lock()
		defer mu.Unlock()
		now = to
	}
	lister := w.function()
	// until waits for that many backups; more would be seen by the next.
	until := func(want int) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for {
			list, err := lister.List(t.Context(), false)
			verified := 0
			for _, b := range list.Backups {
				if b.Good() {
					verified++
				}
			}
			if err == nil && verified == want && len(list.Backups) == want {
				return
			}
			if err != nil || len(list.Backups) > want || time.Now().After(deadline) {
				t.Fatalf("got %d backups, %d of them verified, %v; want %d", len(list.Backups), verified, err, want)
			}
		}
	}
	day := func(d, hour, minute int) time.Time { return time.Date(2026, 2, d, hour, minute, 0, 0, time.Local) }
	until(1) // there was none
	set(day(10, 1, 59))
	until(1)
	set(day(10, 2, 0))
	until(2)
	set(day(10, 23, 0))
	until(2)
	set(day(14, 9, 0)) // asleep since, until the morning
	until(3)
	set(day(14, 8, 0)) // set back an hour
	until(3)
	set(day(15, 2, 1))
	until(4)
}

// TestADeletionIsListedAtOnce: the clock stands still, so no watch is due.
func TestADeletionIsListedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := monday().of(w.function())
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { f.Daily(ctx, backup.Schedule{Interval: 5 * time.Millisecond}) })
	defer group.Wait()
	defer stop()
	deadline := time.Now().Add(time.Minute)
	for want := 0; want < 2; want++ { // the first with the first watch, at the latest
		w.requestDeletion()
		for {
			_, err := w.backups().Stat(t.Context(), "state/deletions.json")
			if err == nil && bytes.Count(w.object("state/deletions.json"), []byte("ownerHash")) == want+1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("the list does not have %d deletions: %v", want+1, err)
			}
		}
	}
}
