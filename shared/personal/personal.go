// Package personal knows everything that the database holds of a person: it exports it and deletes it, for good.
//
// A deletion is a row of its own, written first. From then on the owner's sessions are over, and whoever is killed,
// the sweep completes the deletion. The row names the owner by a hash and outlives what it deletes: a restore brings
// back what a backup from before holds, and [Reapply] deletes it again.
//
// The tables of the schema are listed in one place (tables.go); a test fails for a table that is not there.
package personal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Store exports and deletes what one database holds of people. It is safe for concurrent use.
type Store struct{ pool *postgres.Pool }

// NewStore is the Store of pool.
func NewStore(pool *postgres.Pool) *Store { return &Store{pool} }

// Deletion is what became of a person's wish to delete everything.
type Deletion struct {
	Requested time.Time
	Erased    bool // nothing is left in the database
	Google    bool // access to Google is still to be ended
}

// ErrNotFound means that the owner never asked to be deleted.
var ErrNotFound = errors.New("personal: no such deletion")

const requestSQL = `
with named (id, before) as (
	select $1::uuid, null::timestamptz
	union all select former, max(moved_at) from former_owners where owner = $1::uuid and former <> $1::uuid group by former)
insert into deletions (owner_hash, owner, made_before)
select sha256(convert_to(id::text, 'UTF8')), case when before is null then id end, before from named
on conflict (owner_hash) do update set
	owner = excluded.owner, requested_at = excluded.requested_at, erased_at = null,
	made_before = case when excluded.made_before is null then null else greatest(deletions.made_before, excluded.made_before) end
	where deletions.made_before is not null`

// Request begins a deletion. Nothing undoes it: the owner's sessions are over, and the sweep deletes what the caller
// does not. A repeated request changes nothing.
func (s *Store) Request(ctx context.Context, owner string) (d Deletion, err error) {
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := Lock(ctx, tx, owner); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, requestSQL, owner); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, statusSQL, owner) // its error is the rows', too
		d, err = pgx.CollectOneRow(rows, pgx.RowToStructByPos[Deletion])
		return err
	})
	if err != nil {
		return d, fmt.Errorf("begin a deletion: %w", err)
	}
	return d, nil
}

const (
	lockSQL    = `select pg_advisory_xact_lock(hashtextextended('owner ' || $1::uuid, 0))`
	deletedSQL = `select exists (select from deletions where owner_hash = sha256(convert_to($1::uuid::text, 'UTF8')) and made_before is null)`
)

// Lock reports whether an owner asked to be deleted, and keeps that so until the end of the transaction: what moves rows
// from one owner to another must not move them away from a deletion.
func Lock(ctx context.Context, tx pgx.Tx, owner string) (deleted bool, err error) {
	if _, err := tx.Exec(ctx, lockSQL, owner); err != nil {
		return false, fmt.Errorf("lock an owner: %w", err)
	}
	if err := tx.QueryRow(ctx, deletedSQL, owner).Scan(&deleted); err != nil {
		return false, fmt.Errorf("look for an owner's deletion: %w", err)
	}
	return deleted, nil
}

const statusSQL = `
select requested_at, erased_at is not null, exists (select from google_revocations where account_id = $1::uuid)
from deletions where owner_hash = sha256(convert_to($1::uuid::text, 'UTF8')) and made_before is null`

// Status is how far an owner's deletion is; ErrNotFound without one.
func (s *Store) Status(ctx context.Context, owner string) (d Deletion, err error) {
	d, err = postgres.QueryOne(ctx, s.pool, pgx.RowToStructByPos[Deletion], statusSQL, owner)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return d, ErrNotFound
	case err != nil:
		return d, fmt.Errorf("read a deletion: %w", err)
	}
	return d, nil
}

// Owner is one whose deletion may have left something.
type Owner struct {
	ID     string
	Erased bool // nothing was left when it was last looked
}

const openSQL = `
select owner::text, erased_at is not null from deletions where owner is not null
order by erased_at is not null, requested_at limit $1::int`

// Open are at most limit owners whose deletion may have left something, those first of whom something is left.
func (s *Store) Open(ctx context.Context, limit int) ([]Owner, error) {
	owners, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[Owner], openSQL, limit)
	if err != nil {
		return nil, fmt.Errorf("find open deletions: %w", err)
	}
	return owners, nil
}

// Erase deletes what the database has of an owner, without its jobs: delete those first or later, each after its
// object. Access to Google stays noted until google-sync has ended it.
func (s *Store) Erase(ctx context.Context, owner string) error {
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, fmt.Sprintf(endAccessSQL, " where id = $1::uuid"), owner); err != nil {
			return err
		}
		for _, t := range tables {
			if len(t.owners) == 0 || t.erasedLater {
				continue
			}
			if _, err := tx.Exec(ctx, t.eraseSQL(), owner); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase an owner: %w", err)
	}
	return nil
}

// grace is how long a request that began before the deletion may still write something: far longer than any may take.
const grace = time.Hour

const finishSQL = `
with gone as (delete from turns where owner = $1::uuid or share = $1::uuid)
update deletions set erased_at = coalesce(erased_at, now()),
	owner = case when requested_at <= now() - make_interval(secs => $2::float8) then null else owner end
where owner = $1::uuid and not exists (select from jobs where owner = $1::uuid)
returning true`

// Finish notes that nothing is left of an owner and reports whether that is so: an upload that is still coming keeps
// its row until it has come. Once no request from before the deletion can be left, the owner is forgotten.
func (s *Store) Finish(ctx context.Context, owner string) (erased bool, err error) {
	erased, err = postgres.QueryOne(ctx, s.pool, pgx.RowTo[bool], finishSQL, owner, grace.Seconds())
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("finish a deletion: %w", err)
	}
	return erased, nil
}

const expireSQL = `
with old as (delete from former_owners where ctid = any(array(
		select ctid from former_owners where moved_at <= now() - make_interval(secs => $1::float8) order by moved_at limit $2::int))
	returning 1),
	tokens as (delete from google_revocations where requested_at <= now() - make_interval(secs => $3::float8) returning 1),
	gone as (delete from deletions where ctid = any(array(
		select ctid from deletions where owner is null and requested_at <= now() - make_interval(secs => $1::float8)
		order by requested_at limit $2::int))
	returning 1)
select (select count(*) from old) + (select count(*) from gone)`

// RevocationTime is how long access to Google that is to end is kept at most, with its token: also where Google is
// switched off, so that nothing asks it.
const RevocationTime = 7 * 24 * time.Hour

// Expire deletes at most limit deletions, and as many notes of former owners, that are older than age: no session and
// no backup from before may be left. It returns how many. It also forgets tokens after [RevocationTime].
func (s *Store) Expire(ctx context.Context, age time.Duration, limit int) (int64, error) {
	gone, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], expireSQL, age.Seconds(), limit, RevocationTime.Seconds())
	if err != nil {
		return 0, fmt.Errorf("expire deletions: %w", err)
	}
	return gone, nil
}
