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
