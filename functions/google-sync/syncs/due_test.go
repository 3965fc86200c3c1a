package syncs_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
)

// Of more accounts than a sweep takes, none is always among those that it leaves.
func TestWhoWaitedLongestIsDueFirst(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store := syncs.NewStore(pool, time.Minute)
	const accounts = 6
	for i := range accounts {
		account := uuid.NewString()
		if _, err := pool.Exec(t.Context(), `
with account as (insert into google_accounts (id, subject, email) values ($1::uuid, $1, '') returning id)
insert into google_syncs (id, account_id, calendar_id, request, run_after)
select gen_random_uuid(), account.id, 'c', '{}', now() - make_interval(mins => n + $2::int) from account, generate_series(1, 3) n`, account, i); err != nil {
			t.Fatal(err)
		}
	}
	all, err := store.Due(t.Context(), accounts)
	if err != nil || len(all) != accounts {
		t.Fatalf("got %d due, %v; want one of each account", len(all), err)
	}
	few, err := store.Due(t.Context(), 2)
	if err != nil || len(few) != 2 {
		t.Fatalf("got %d due, %v; want 2", len(few), err)
	}
	for i, s := range few {
		if s.ID != all[i].ID || all[i].RunAfter.After(all[i+1].RunAfter) {
			t.Errorf("due %d: got %v, want those who waited longest", i, s.RunAfter)
		}
	}
}
