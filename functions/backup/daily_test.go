package backup_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
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
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		deadline := time.Now().Add(time.Minute)
		for ; ; <-tick.C {
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
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(time.Minute)
	for want := 0; want < 2; want++ { // the first with the first watch, at the latest
		w.requestDeletion()
		for ; ; <-tick.C {
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

// TestALongBackupDelaysNoDeletion, where Daily makes it or another asks for it: a backup does not go on before a deletion
// that was requested meanwhile is listed.
func TestALongBackupDelaysNoDeletion(t *testing.T) {
	t.Parallel()
	for name, backUp := range map[string]func(context.Context, *backup.Function){
		"daily": func(ctx context.Context, f *backup.Function) {
			f.Daily(ctx, backup.Schedule{Interval: 5 * time.Millisecond})
		},
		"asked": func(ctx context.Context, f *backup.Function) {
			f.ListEvery = 5 * time.Millisecond
			_, _ = f.Run(ctx)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(1)
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			b := w.between()
			var begun atomic.Bool
			b.set(func(_ http.ResponseWriter, r *http.Request) bool {
				if !isPart(r) || begun.Swap(true) {
					return false
				}
				w.requestDeletion()
				for tick := time.Tick(5 * time.Millisecond); ctx.Err() == nil; <-tick {
					if _, err := w.backups().Stat(ctx, "state/deletions.json"); err == nil {
						stop()
						return false
					}
				}
				t.Error("the deletion was not listed while the backup was made")
				return false
			})
			backUp(ctx, monday().of(w.function(through(b))))
			if !begun.Load() {
				t.Error("no backup was made")
			}
		})
	}
}

// TestAStartListsDeletionsOnce: the first watch does, and nothing is new at the looks at the clock that follow.
func TestAStartListsDeletionsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := monday()
	w.backup(at.of(w.function()))
	w.requestDeletion()
	b := w.between()
	f := at.of(w.function(through(b)))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lists, reads := 0, 0
	var mu sync.Mutex
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case r.Method != http.MethodGet:
		case strings.HasSuffix(r.URL.Path, "/state/deletions.json"):
			reads++
		case r.URL.Query().Has("list-type"): // at each look at the clock
			if lists++; lists == 20 {
				stop()
			}
		}
		return false
	})
	f.Daily(ctx, backup.Schedule{Interval: time.Millisecond})
	if reads != 1 {
		t.Errorf("the list of deletions was read %d times, want once", reads)
	}
}
