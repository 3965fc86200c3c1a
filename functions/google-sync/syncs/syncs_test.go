package syncs_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

// TestManySyncsAtOnceAreNoMoreThanMayWait creates many of one account at the same time, and one of each other.
func TestManySyncsAtOnceAreNoMoreThanMayWait(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := syncs.NewStore(pool, 0)
	account := func() string {
		id := uuid.NewString()
		if _, err := pool.Exec(t.Context(), `insert into google_accounts (id, subject, email) values ($1::uuid, $1::text, 'a@b.example')`, id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	crowded, quiet := account(), account()
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := s.Create(t.Context(), syncs.New{AccountID: crowded, CalendarID: "c", Limit: 2})
			switch {
			case err == nil:
				made.Add(1)
			case errors.Is(err, syncs.ErrTooMany):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	if _, err := s.Create(t.Context(), syncs.New{AccountID: quiet, CalendarID: "c", Limit: 1}); err != nil {
		t.Errorf("another account meanwhile: %v", err)
	}
	all.Wait()
	waiting, err := s.Recent(t.Context(), crowded, 100)
	if err != nil || len(waiting) != 2 || made.Load() != 2 || refused.Load() != 18 {
		t.Errorf("%d wait, %d were made and %d refused (%v), want 2, 2 and 18", len(waiting), made.Load(), refused.Load(), err)
	}
}

// TestRemovalFinishesWholeOrNotAtAll lets the second half of the end of a removal fail: the sync stays pending, so that its
// next attempt ends it.
func TestRemovalFinishesWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := syncs.NewStore(pool, 0)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	account := uuid.NewString()
	exec(`insert into google_accounts (id, subject, email) values ($1::uuid, $1::text, 'a@b.example')`, account)
	exec(`insert into google_calendars (account_id, calendar_id, synced_at) values ($1::uuid, 'c', now())`, account)
	exec(`insert into google_events (account_id, calendar_id, event_id, state) values ($1::uuid, 'c', 'e', 'declined')`, account)
	made, err := s.Create(t.Context(), syncs.New{AccountID: account, CalendarID: "c", Request: syncs.Request{Remove: true}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	lease, claimed, err := s.Claim(t.Context(), account)
	if err != nil || !claimed {
		t.Fatalf("claim: %v, %v", claimed, err)
	}
	made.Request.Remove = true
	exec(`alter table google_events rename to google_events_away`)
	if err := s.Finish(t.Context(), lease, made, syncs.Progress{}, ""); err == nil {
		t.Fatal("the removal finished without deleting what is known of the calendar")
	}
	exec(`alter table google_events_away rename to google_events`)
	if got, err := s.Get(t.Context(), account, made.ID); err != nil || got.Status != syncs.Pending {
		t.Fatalf("after a failure: got %s (%v), want pending", got.Status, err)
	}
	if err := s.Finish(t.Context(), lease, made, syncs.Progress{}, ""); err != nil {
		t.Fatal(err)
	}
	memory, err := s.Memory(t.Context(), account, "c")
	if got, getErr := s.Get(t.Context(), account, made.ID); getErr != nil || got.Status != syncs.Done || err != nil || memory.Known || len(memory.States) != 0 {
		t.Errorf("got %s, %+v (%v, %v), want a calendar of which nothing is known", got.Status, memory, getErr, err)
	}
}
