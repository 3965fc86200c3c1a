package googlesync

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
)

// delete deletes everything of an owner, as upload-ingest does.
func (w *world) delete(owner string) {
	w.Helper()
	people := personal.NewStore(w.f.pool)
	for range 2 { // it may be repeated
		if _, err := people.Request(w.Context(), owner); err != nil {
			w.Fatal(err)
		}
		if err := people.Erase(w.Context(), owner); err != nil {
			w.Fatal(err)
		}
	}
}

// TestAccessOfADeletedPersonEnds: the account is gone at once, and Google is asked until it answers.
func TestAccessOfADeletedPersonEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	owner := b.owner()
	w.upload(owner, lectures(1))
	b.sync(b.calendar(), nil)
	w.google.Inject(fakegoogle.Fault{Method: "revoke", Status: 503, Times: -1})
	w.delete(owner)
	if n := w.rows("google_accounts") + w.rows("google_calendars") + w.rows("google_recipes"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	sweep := func(revoked int64) {
		t.Helper()
		if _, err := w.f.pool.Exec(t.Context(), "update google_revocations set tried_at = tried_at - interval '1 minute'"); err != nil {
			t.Fatal(err)
		}
		if got, err := w.f.Sweep(t.Context()); err != nil || got.Revoked != revoked {
			t.Errorf("swept %+v, %v; want %d revoked", got, err, revoked)
		}
	}
	sweep(0)
	if w.rows("google_revocations") != 1 || w.google.RefreshTokens() != 1 {
		t.Error("the token is forgotten although Google was away")
	}
	w.google.Heal()
	sweep(1)
	if w.rows("google_revocations") != 0 || w.google.RefreshTokens() != 0 {
		t.Errorf("%d tokens are kept, Google has %d", w.rows("google_revocations"), w.google.RefreshTokens())
	}
	b.want(b.do("GET", "/api/calendars", nil), http.StatusUnauthorized, nil)
}

// TestAccessThatGoogleNeverEndsIsForgotten: after a week, or where the key is gone.
func TestAccessThatGoogleNeverEndsIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.google.Inject(fakegoogle.Fault{Method: "revoke", Status: 503, Times: -1})
	for _, change := range []string{"requested_at = now() - interval '8 days'", "key_id = 'gone'"} {
		b := w.browser()
		b.signIn(student)
		w.delete(b.owner())
		if _, err := w.f.pool.Exec(t.Context(), "update google_revocations set "+change); err != nil {
			t.Fatal(err)
		}
		if _, err := w.f.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if n := w.rows("google_revocations"); n != 0 {
			t.Errorf("%s: %d tokens are kept", change, n)
		}
	}
}

// TestADeletionNamesWhoItWasBefore: older backups hold uploads under the owners from before each sign-in, and dates
// that these typed move along.
func TestADeletionNamesWhoItWasBefore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	visitor := b.anonymous()
	w.upload(visitor, lectures(1))
	if _, err := w.f.pool.Exec(t.Context(), `insert into typed_terms (owner, year, terms) values ($1::uuid, 2031, '{}')`, visitor); err != nil {
		t.Fatal(err)
	}
	b.signIn(student)
	account := b.owner()
	b.want(b.do("POST", "/api/auth/logout", `{"forget":true}`), 200, nil)
	visitorAgain := b.owner()
	if n, err := w.f.pool.Exec(t.Context(), `update typed_terms set typed_at = now() where owner = $1::uuid`, visitorAgain); err != nil || n != 1 {
		t.Errorf("%d years of typed dates came along, %v; want 1", n, err)
	}
	w.delete(visitorAgain)
	for owner, all := range map[string]bool{visitor: false, account: false, visitorAgain: true} {
		got, err := postgres.QueryOne(t.Context(), w.f.pool, pgx.RowTo[bool],
			`select made_before is null from deletions where owner_hash = sha256(convert_to($1::uuid::text, 'UTF8'))`, owner)
		if err != nil || got != all {
			t.Errorf("%s: everything %v, %v; want %v", owner, got, err, all)
		}
	}
	if n := w.rows("typed_terms") + w.rows("former_owners"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// TestALateRevocationLeavesANewSignIn: Google knows one access for each person, so ending that of a deleted account
// would end the one that the person has granted since.
func TestALateRevocationLeavesANewSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	w.google.Inject(fakegoogle.Fault{Method: "revoke", Status: 503, Times: -1})
	w.delete(b.owner())
	if _, err := w.f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := w.browser()
	again.signIn(student)
	w.google.Heal()
	if _, err := w.f.pool.Exec(t.Context(), "update google_revocations set tried_at = null"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.f.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	again.want(again.do("GET", "/api/calendars", nil), http.StatusOK, nil)
	if n := w.rows("google_revocations"); n != 0 {
		t.Errorf("%d tokens of the deleted account are kept", n)
	}
}

// TestASignInDuringADeletion: after the wish is noted, and before anything is erased, the person signs in once more.
// Nothing of the deleted owner may move along, and the new account is not deleted with the old one.
func TestASignInDuringADeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := personal.NewStore(w.f.pool)
	b := w.browser()
	b.signIn(student)
	before := b.owner()
	visitor := uuid.NewString()
	w.upload(visitor, lectures(1))
	for _, owner := range []string{before, visitor} {
		if _, err := people.Request(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
	}
	in := account.SignIn{Subject: subjectOf(t, w, before), Email: student, RefreshToken: "new"}
	joined, err := w.f.accounts.Join(t.Context(), visitor, in)
	if err != nil {
		t.Fatal(err)
	}
	if joined.ID == before {
		t.Error("the sign-in belongs to the account that is being deleted")
	}
	if _, err := w.f.accounts.Forget(t.Context(), account.Account{ID: before}); !errors.Is(err, account.ErrNotFound) {
		t.Errorf("forget an account that is being deleted: %v", err)
	}
	for _, owner := range []string{before, visitor} {
		if err := people.Erase(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := w.f.accounts.Get(t.Context(), joined.ID); err != nil || !got.SignedIn() {
		t.Errorf("the new account is %+v, %v", got, err)
	}
	moved, err := postgres.QueryOne(t.Context(), w.f.pool, pgx.RowTo[int], `select count(*)::int from jobs where owner <> $1::uuid`, visitor)
	if err != nil || moved != 0 || w.rows("google_revocations") != 0 {
		t.Errorf("%d uploads moved away from their deletion, %d tokens are to be revoked, %v", moved, w.rows("google_revocations"), err)
	}
}

func subjectOf(t *testing.T, w *world, id string) string {
	t.Helper()
	subject, err := postgres.QueryOne(t.Context(), w.f.pool, pgx.RowTo[string], "select subject from google_accounts where id = $1::uuid", id)
	if err != nil {
		t.Fatal(err)
	}
	return subject
}
