package account

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
)

// signedIn is a database with an account.
func signedIn(t *testing.T) (*postgres.Pool, *Store, Account) {
	t.Helper()
	pool := pgtest.Pool(t)
	accounts := NewStore(pool, parsed(t, key("new", 'n')))
	person, err := accounts.Join(t.Context(), uuid.NewString(), SignIn{Subject: "1", Email: "u1@example.org", RefreshToken: "old"})
	if err != nil {
		t.Fatal(err)
	}
	return pool, accounts, person
}

// meanwhile begins f while a transaction is open, waits until f waits for it, and then ends the transaction with rest.
func meanwhile(t *testing.T, pool *postgres.Pool, begin, rest func(context.Context, pgx.Tx) error, f func(context.Context) error) {
	t.Helper()
	ended := make(chan error, 1)
	err := pool.Tx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		if err := begin(ctx, tx); err != nil {
			ended <- nil
			return err
		}
		go func() { ended <- f(t.Context()) }()
		if err := isWaiting(ctx, tx); err != nil {
			return err
		}
		return rest(ctx, tx)
	})
	if err != nil {
		t.Errorf("the transaction: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("what waited for it: %v", err)
	}
}

// isWaiting returns when a transaction is waiting for tx.
func isWaiting(ctx context.Context, tx pgx.Tx) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waiting := false; !waiting; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		const sql = `select exists (select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid)))`
		if err := tx.QueryRow(ctx, sql).Scan(&waiting); err != nil {
			return err
		}
	}
	return nil
}

// TestForgetWaitsForASignIn: both lock the account and its owner, and must do so in one order.
func TestForgetWaitsForASignIn(t *testing.T) {
	t.Parallel()
	pool, accounts, person := signedIn(t)
	lockAccount := func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, knownSQL, person.Subject)
		return err
	}
	lockOwner := func(ctx context.Context, tx pgx.Tx) error {
		_, err := personal.Lock(ctx, tx, person.ID)
		return err
	}
	meanwhile(t, pool, lockAccount, lockOwner, func(ctx context.Context) error {
		_, err := accounts.Forget(ctx, person)
		return err
	})
	if _, err := accounts.Get(t.Context(), person.ID); err == nil {
		t.Error("the account is still there")
	}
}

// TestASignInAgainOutlivesAnErasure that began while it was under way: the access that the person has just granted is
// not to be ended.
func TestASignInAgainOutlivesAnErasure(t *testing.T) {
	t.Parallel()
	pool, _, person := signedIn(t)
	people := personal.NewStore(pool)
	if _, err := people.Request(t.Context(), person.ID); err != nil {
		t.Fatal(err)
	}
	forget := func(ctx context.Context, tx pgx.Tx) error { return forgetDeleted(ctx, tx, person.Subject) }
	signIn := func(ctx context.Context, tx pgx.Tx) error {
		_, err := queryAccount(ctx, tx, signInSQL, uuid.NewString(), person.Subject, person.Email, "", "", "", "")
		return err
	}
	meanwhile(t, pool, forget, signIn, func(ctx context.Context) error { return people.Erase(ctx, person.ID) })
	left, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[int], "select count(*)::int from google_revocations")
	if err != nil || left != 0 {
		t.Errorf("%d accesses are to be ended, %v; want none: the person has signed in again", left, err)
	}
}
