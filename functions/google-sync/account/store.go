// Package account keeps the Google accounts that people signed in with, and their sign-in itself: OAuth 2.0
// authorization code with PKCE, OpenID Connect for the person's identity.
//
// An account is the owner of what it uploaded: its id is the owner that sessions name. What a person
// uploaded before signing in moves to the account, in one transaction. Of Google's tokens only the
// refresh token is stored, sealed by a key that the database does not have; access tokens live in memory
// for as long as they hold.
package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
)

// ErrNotFound means that the owner is no account: no person signed in.
var ErrNotFound = errors.New("account: not signed in")

// Account is a person at Google.
type Account struct {
	ID      string // the owner
	Subject string // Google's name for the person, which never changes
	Email   string
	Profile Profile
	Scopes  []string // what the person agreed to
	sealed  []byte
	keyID   string
}

// SignedIn reports whether Google lets schedgen act for the person, as far as schedgen knows.
func (a Account) SignedIn() bool { return a.sealed != nil }

// Granted reports whether the person granted one of the scopes.
func (a Account) Granted(scopes ...string) bool {
	return slices.ContainsFunc(a.Scopes, func(granted string) bool { return slices.Contains(scopes, granted) })
}

// Store is the accounts of one database. It is safe for concurrent use, by any number of processes.
type Store struct {
	pool *postgres.Pool
	keys *Keys
}

// NewStore is the Store of pool, whose tokens are sealed by keys.
func NewStore(pool *postgres.Pool, keys *Keys) *Store { return &Store{pool, keys} }

// On is the same store on a pool.
func (s *Store) On(pool *postgres.Pool) *Store { return &Store{pool, s.keys} }

const columns = `id::text, subject, email, first_name, last_name, picture, scopes, refresh_token, coalesce(key_id, '')`

func scan(row pgx.CollectableRow) (a Account, err error) {
	var scopes string
	err = row.Scan(&a.ID, &a.Subject, &a.Email, &a.Profile.FirstName, &a.Profile.LastName, &a.Profile.Picture, &scopes, &a.sealed, &a.keyID)
	a.Scopes = strings.Fields(scopes)
	return a, err
}

const getSQL = `select ` + columns + ` from google_accounts where id = $1::uuid`

// Get is the account of an owner; ErrNotFound of one who never signed in.
func (s *Store) Get(ctx context.Context, owner string) (Account, error) {
	account, err := postgres.QueryOne(ctx, s.pool, scan, getSQL, owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return Account{}, ErrNotFound
	}
	if err != nil {
		return Account{}, fmt.Errorf("read an account: %w", err)
	}
	return account, nil
}

// SignIn is what Google said of a person who just signed in.
type SignIn struct {
	Subject      string
	Email        string
	Profile      Profile
	Scopes       []string
	RefreshToken string // empty where Google gave none, because the person had agreed before
}

// The id is new and not the anonymous owner's: an attacker who plants an anonymous session in another person's
// browser must not own the account that is made there.
const signInSQL = `
insert into google_accounts (id, subject, email, scopes, first_name, last_name, picture)
values ($1::uuid, $2, $3, $4, $5, $6, $7)
on conflict (subject) do update set email = excluded.email, scopes = excluded.scopes, first_name = excluded.first_name,
	last_name = excluded.last_name, picture = excluded.picture, updated_at = now()
returning ` + columns

const keepTokenSQL = `
update google_accounts set refresh_token = $2::bytea, key_id = $3, updated_at = now() where id = $1::uuid
returning ` + columns

// moveSQL moves what one owner has to another, and notes whose it was: in older backups it still is.
var moveSQL = []string{
	`update jobs set owner = $2::uuid where owner = $1::uuid`,
	`update feeds set owner = $2::uuid where owner = $1::uuid`,
	`insert into typed_terms (owner, year, terms, typed_at) select $2::uuid, year, terms, typed_at from typed_terms where owner = $1::uuid
	on conflict (owner, year) do nothing`,
	`delete from typed_terms where owner = $1::uuid and owner <> $2::uuid`,
	`insert into former_owners (owner, former, moved_at) select $2::uuid, former, moved_at from former_owners where owner = $1::uuid
	on conflict (owner, former) do update set moved_at = greatest(former_owners.moved_at, excluded.moved_at)`,
	`delete from former_owners where owner = $1::uuid and owner <> $2::uuid`,
	`insert into former_owners (owner, former) values ($2::uuid, $1::uuid)
	on conflict (owner, former) do update set moved_at = excluded.moved_at`,
}

// isAccountSQL also keeps the row: an owner that is being made an account is not moved away from it.
const isAccountSQL = `select id::text from google_accounts where id = $1::uuid for share`

const (
	// An account's row is locked before its owner (package personal), by whoever locks both.
	knownSQL       = `select id::text from google_accounts where subject = $1 for update`
	lockAccountSQL = `select from google_accounts where id = $1::uuid for update`

	deleteAccountSQL = `delete from google_accounts where id = $1::uuid`
)

// Join saves a sign-in, makes the account at the first one, and moves everything of the anonymous owner to the
// account; after an error it has done none of it. An owner that is itself an account keeps what it has, and so does one
// that asked to be deleted. An account that is being deleted is none: the sign-in makes another one.
func (s *Store) Join(ctx context.Context, anonymous string, in SignIn) (Account, error) {
	var account Account
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		if err := forgetDeleted(ctx, tx, in.Subject); err != nil {
			return err
		}
		account, err = queryAccount(ctx, tx, signInSQL, uuid.NewString(), in.Subject, in.Email, strings.Join(in.Scopes, " "),
			in.Profile.FirstName, in.Profile.LastName, in.Profile.Picture)
		if err != nil {
			return err
		}
		if in.RefreshToken != "" {
			sealed, key := s.keys.Seal(in.RefreshToken, purposeOf(account.ID))
			if account, err = queryAccount(ctx, tx, keepTokenSQL, account.ID, sealed, key); err != nil {
				return err
			}
		}
		return moveAnonymous(ctx, tx, anonymous, account.ID)
	})
	if err != nil {
		return Account{}, fmt.Errorf("keep a sign-in: %w", err)
	}
	return account, nil
}

// forgetDeleted makes room for a new account of a person whose account is being deleted, and cancels the end of the
// access that the person has just granted again.
func forgetDeleted(ctx context.Context, tx pgx.Tx, subject string) error {
	var known string
	err := tx.QueryRow(ctx, knownSQL, subject).Scan(&known)
	if err == nil {
		var deleted bool
		if deleted, err = personal.Lock(ctx, tx, known); err == nil && deleted {
			_, err = tx.Exec(ctx, deleteAccountSQL, known)
		}
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	_, err = tx.Exec(ctx, cancelRevocationsSQL, subject)
	return err
}

func queryAccount(ctx context.Context, tx pgx.Tx, sql string, args ...any) (Account, error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return Account{}, err
	}
	return pgx.CollectOneRow(rows, scan)
}

// moveAnonymous gives what an owner has to another, unless the first is an account.
func moveAnonymous(ctx context.Context, tx pgx.Tx, from, to string) error {
	if from == "" || from == to {
		return nil
	}
	var id string
	err := tx.QueryRow(ctx, isAccountSQL, from).Scan(&id)
	if err == nil {
		return nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	if deleted, err := personal.Lock(ctx, tx, from); err != nil || deleted {
		return err
	}
	return move(ctx, tx, from, to)
}

func move(ctx context.Context, tx pgx.Tx, from, to string) error {
	for _, sql := range moveSQL {
		if _, err := tx.Exec(ctx, sql, from, to); err != nil {
			return err
		}
	}
	return nil
}

const endSQL = `
update google_accounts set refresh_token = null, key_id = null, updated_at = now()
where id = $1::uuid and refresh_token = $2::bytea`

// End deletes the account's token, which Google no longer accepts: the person must sign in again. A newer token than
// the account's stays.
func (s *Store) End(ctx context.Context, a Account) error {
	if _, err := s.pool.Exec(ctx, endSQL, a.ID, a.sealed); err != nil {
		return fmt.Errorf("end a sign-in: %w", err)
	}
	return nil
}

// Forget deletes the account with its token, its calendars and its syncs, and gives its uploads and feeds
// to the new anonymous owner that it returns: a session of the account, wherever one still is, then owns
// nothing. ErrNotFound means that the person asked meanwhile to be deleted.
func (s *Store) Forget(ctx context.Context, a Account) (anonymous string, err error) {
	anonymous = uuid.NewString()
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockAccountSQL, a.ID); err != nil {
			return err
		}
		deleted, err := personal.Lock(ctx, tx, a.ID)
		if err == nil && deleted {
			err = ErrNotFound
		}
		if err == nil {
			err = move(ctx, tx, a.ID, anonymous)
		}
		if err == nil {
			_, err = tx.Exec(ctx, deleteAccountSQL, a.ID)
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("forget an account: %w", err)
	}
	return anonymous, nil
}

// RefreshToken decrypts the account's token. ErrNotFound means that there is none; ErrUnknownKey, that its key is no
// longer configured.
func (s *Store) RefreshToken(a Account) (string, error) {
	if !a.SignedIn() {
		return "", ErrNotFound
	}
	return s.keys.Open(a.sealed, a.keyID, purposeOf(a.ID))
}

// purposeOf binds a token to its account: copied into another's row, it does not open.
func purposeOf(id string) string { return "refresh token of " + id }
