// Package feed keeps the feeds: whose they are, what they are made of, what they last said, and how
// often each of their events has changed. A feed is addressed by a secret token of which only the
// hash is stored, so that not even the database tells an address.
package feed

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
)

// ErrNotFound means that there is no such feed, or that it is another owner's.
var ErrNotFound = errors.New("feed: no such feed")

// ErrTooMany means that the owner already has the most feeds that one owner may have.
var ErrTooMany = errors.New("feed: the owner has too many feeds")

// Options say what a feed shows.
type Options struct {
	calendar.Options
	Kinds []timetable.Kind `json:"kinds,omitempty"` // only timetables of these; all when empty
	// SavedColors are the colours in which modules were shown, so that new modules change no other's.
	SavedColors calendar.SavedColors `json:"given,omitempty"`
	// Chosen is when the caller chose anew; zero before.
	Chosen time.Time `json:"chosen,omitzero"`
}

// Feed is one subscription address and what it last said.
type Feed struct {
	ID           string
	Owner        string
	Options      Options
	Sources      string // what Body was rendered from; empty when it must be rendered
	Years        string // the stamp of the academic years then
	Body         []byte
	LastModified time.Time // when Body last changed
	Created      time.Time
	Fetched      time.Time // when a program last asked for it, to the day
}

// ChosenAt is when the feed's options were chosen.
func (f Feed) ChosenAt() time.Time {
	if f.Options.Chosen.After(f.Created) {
		return f.Options.Chosen
	}
	return f.Created
}

// Token is the secret part of a feed's address: 256 random bits.
type Token string

// NewToken makes a token.
func NewToken() Token {
	var secret [32]byte
	rand.Read(secret[:]) // never fails
	return Token(base64.RawURLEncoding.EncodeToString(secret[:]))
}

// hash is what is stored of the token.
func (t Token) hash() []byte {
	sum := sha256.Sum256([]byte(t))
	return sum[:]
}

// Store is the feeds of one database. It is safe for concurrent use, by any number of processes.
type Store struct{ pool *postgres.Pool }

// NewStore is the Store of pool.
func NewStore(pool *postgres.Pool) *Store { return &Store{pool} }

// oneAtATimeSQL lets the creations of one owner wait for each other, so that none counts without the others'
// feeds. It holds to the end of the transaction, and relies on no session.
const oneAtATimeSQL = `select pg_advisory_xact_lock(hashtextextended('feeds of ' || $1::text, 0))`

const createSQL = `
insert into feeds (id, token_hash, owner, options)
select $1::uuid, $2::bytea, $3::uuid, $4::jsonb
where (select count(*) from feeds where owner = $3::uuid) < $5::int`

// Create keeps a new feed of owner, who may have at most that many, and what it says. Either all of it
// is kept or nothing: the owner could never delete a feed whose address was lost.
func (s *Store) Create(ctx context.Context, owner string, token Token, options Options, most int, first Rendering) (Feed, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Feed{}, fmt.Errorf("make a feed id: %w", err)
	}
	encoded, err := json.Marshal(options)
	if err != nil {
		return Feed{}, fmt.Errorf("encode a feed's options: %w", err)
	}
	var created Feed
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, oneAtATimeSQL, owner); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, createSQL, id.String(), token.hash(), owner, string(encoded), most)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return ErrTooMany
		}
		if created, err = lock(ctx, tx, id.String()); err != nil {
			return err
		}
		return created.render(ctx, tx, first)
	})
	if err != nil {
		return Feed{}, fmt.Errorf("create a feed: %w", err)
	}
	return created, nil
}

const columns = `id::text, owner::text, options::text, sources, years, body, last_modified, created_at, fetched_at`

const findSQL = `select ` + columns + ` from feeds where token_hash = $1::bytea`

// Find is the feed at the token's address, for any caller.
func (s *Store) Find(ctx context.Context, token Token) (Feed, error) {
	feed, err := postgres.QueryOne(ctx, s.pool, scanFeed, findSQL, token.hash())
	if errors.Is(err, pgx.ErrNoRows) {
		return Feed{}, ErrNotFound
	}
	if err != nil {
		return Feed{}, fmt.Errorf("find a feed: %w", err)
	}
	return feed, nil
}

const fetchedSQL = `update feeds set fetched_at = $2::timestamptz where id = $1::uuid and fetched_at < $2::timestamptz - interval '1 day'`

// MarkFetched notes that a program asked for the feed. It writes at most once a day.
func (s *Store) MarkFetched(ctx context.Context, f Feed, now time.Time) error {
	if now.Sub(f.Fetched) <= 24*time.Hour {
		return nil
	}
	if _, err := s.pool.Exec(ctx, fetchedSQL, f.ID, now); err != nil {
		return fmt.Errorf("note a fetch of feed %s: %w", f.ID, err)
	}
	return nil
}

const deleteUnfetchedSQL = `
delete from feeds where id in (select id from feeds where fetched_at < $1::timestamptz order by fetched_at limit $2::int for update skip locked)`

// DeleteUnfetched ends at most limit feeds that no program has asked for since.
func (s *Store) DeleteUnfetched(ctx context.Context, since time.Time, limit int) (int64, error) {
	gone, err := s.pool.Exec(ctx, deleteUnfetchedSQL, since, limit)
	if err != nil {
		return 0, fmt.Errorf("delete unfetched feeds: %w", err)
	}
	return gone, nil
}

const ofOwnerSQL = `select id::text from feeds where owner = $1::uuid order by id`

// IDsOfOwner are the ids of the owner's feeds, the oldest first. All that they say may be long: ask for one after the
// other.
func (s *Store) IDsOfOwner(ctx context.Context, owner string) ([]string, error) {
	feeds, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], ofOwnerSQL, owner)
	if err != nil {
		return nil, fmt.Errorf("list the feeds of an owner: %w", err)
	}
	return feeds, nil
}

const findOwnedSQL = `select ` + columns + ` from feeds where owner = $1::uuid and (token_hash = $2::bytea or id::text = $3::text)`

// FindOwned is the owner's feed of that token or id.
func (s *Store) FindOwned(ctx context.Context, owner, tokenOrID string) (Feed, error) {
	feed, err := postgres.QueryOne(ctx, s.pool, scanFeed, findOwnedSQL, owner, Token(tokenOrID).hash(), tokenOrID)
	if errors.Is(err, pgx.ErrNoRows) {
		return Feed{}, ErrNotFound
	}
	if err != nil {
		return Feed{}, fmt.Errorf("find an owner's feed: %w", err)
	}
	return feed, nil
}

const deleteSQL = `delete from feeds where owner = $1::uuid and (token_hash = $2::bytea or id::text = $3::text)`

// Delete deletes the owner's feed with that token or id. An owner who lost the token has the id.
func (s *Store) Delete(ctx context.Context, owner, tokenOrID string) error {
	touched, err := s.pool.Exec(ctx, deleteSQL, owner, Token(tokenOrID).hash(), tokenOrID)
	if err != nil {
		return fmt.Errorf("delete a feed: %w", err)
	}
	if touched == 0 {
		return ErrNotFound
	}
	return nil
}

// scanFeed reads a row of columns.
func scanFeed(row pgx.CollectableRow) (Feed, error) { return scan(row) }

// scan reads a row of columns and what comes after them.
func scan(row pgx.CollectableRow, more ...any) (f Feed, err error) {
	var options string
	var modified *time.Time
	into := append([]any{&f.ID, &f.Owner, &options, &f.Sources, &f.Years, &f.Body, &modified, &f.Created, &f.Fetched}, more...)
	if err := row.Scan(into...); err != nil {
		return f, err
	}
	if modified != nil {
		f.LastModified = *modified
	}
	if f.Body, err = unpackBody(f.Body); err != nil {
		return f, err
	}
	if err := json.Unmarshal([]byte(options), &f.Options); err != nil {
		return f, fmt.Errorf("decode a stored feed's options: %w", err)
	}
	return f, nil
}
