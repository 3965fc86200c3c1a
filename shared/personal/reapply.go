package personal

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Entry is a deletion as it is kept outside the database, where it outlives a restore.
type Entry struct {
	OwnerHash  []byte     `json:"ownerHash"`
	MadeBefore *time.Time `json:"madeBefore,omitempty"` // deletes only what was made before; nil: everything
	Requested  time.Time  `json:"requestedAt"`
}

// Merge is one entry in place of two of the same owner: what either deletes.
func (e Entry) Merge(other Entry) Entry {
	switch {
	case e.MadeBefore == nil || other.MadeBefore == nil:
		e.MadeBefore = nil
	case other.MadeBefore.After(*e.MadeBefore):
		e.MadeBefore = other.MadeBefore
	}
	if other.Requested.After(e.Requested) {
		e.Requested = other.Requested
	}
	return e
}

// Union has each owner of the lists once, in the order of their hashes.
func Union(lists ...[]Entry) []Entry {
	byOwner := map[string]Entry{}
	for _, e := range slices.Concat(lists...) {
		if known, ok := byOwner[string(e.OwnerHash)]; ok {
			e = known.Merge(e)
		}
		byOwner[string(e.OwnerHash)] = e
	}
	return slices.SortedFunc(maps.Values(byOwner), func(a, b Entry) int { return bytes.Compare(a.OwnerHash, b.OwnerHash) })
}

// A restore that was killed left what it replaced in another schema.
const deletionTablesSQL = `
select format('%I.deletions', schemaname) from pg_tables
where tablename = 'deletions' and (schemaname = 'public' or starts_with(schemaname, $1::text))`

// Deletions are all of the database, also of what a restore is replacing; none of one that is from before there were
// any, or empty.
func (s *Store) Deletions(ctx context.Context) ([]Entry, error) {
	tables, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], deletionTablesSQL, postgres.ReplacedPrefix)
	if err != nil {
		return nil, fmt.Errorf("find the deletions: %w", err)
	}
	var all []Entry
	for _, table := range tables { // names that the server quoted
		entries, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[Entry], "select owner_hash, made_before, requested_at from "+table)
		if err != nil {
			return nil, fmt.Errorf("read the deletions: %w", err)
		}
		all = append(all, entries...)
	}
	return Union(all), nil
}

const givenSQL = `with given (hash, made_before, requested_at) as (select * from unnest($1::bytea[], $2::timestamptz[], $3::timestamptz[]))`

// whose is the condition that a row is of a given deletion.
const whose = `sha256(convert_to(%s::text, 'UTF8')) = hash and (made_before is null or %s < made_before)`

// reapplySQL deletes what a restored database has of people who deleted everything, but for their jobs.
var reapplySQL = []string{
	`delete from google_accounts using given where ` + fmt.Sprintf(whose, "id", "created_at"),
	`delete from feeds using given where ` + fmt.Sprintf(whose, "owner", "created_at"),
	`delete from typed_terms using given where ` + fmt.Sprintf(whose, "owner", "typed_at"),
	`delete from former_owners using given where ` + fmt.Sprintf(whose, "owner", "moved_at"),
	`delete from turns using given where ` + fmt.Sprintf(whose, "turns.owner", "used_at") + ` or ` + fmt.Sprintf(whose, "turns.share", "used_at"),
	`insert into deletions (owner_hash, made_before, requested_at, erased_at) select hash, made_before, requested_at, now() from given
	on conflict (owner_hash) do update set requested_at = greatest(deletions.requested_at, excluded.requested_at), erased_at = now(),
		made_before = case when deletions.made_before is null or excluded.made_before is null then null
			else greatest(deletions.made_before, excluded.made_before) end`,
}

const reapplyJobsSQL = givenSQL + `,
	gone as (delete from jobs using given where sha256(convert_to(owner::text, 'UTF8')) = hash and (made_before is null or created_at < made_before)
		returning id, object_key),
	letters as (delete from dead_letters where job_id in (select id from gone))
select object_key from gone`

// Reapply deletes again, in one transaction, what a restored database has of these people, and notes their deletions
// there. It returns the keys of their PDFs, which must not come back either.
func (s *Store) Reapply(ctx context.Context, entries []Entry) (objects []string, err error) {
	hashes, before, requested := make([][]byte, len(entries)), make([]*time.Time, len(entries)), make([]time.Time, len(entries))
	for i, e := range entries {
		hashes[i], before[i], requested[i] = e.OwnerHash, e.MadeBefore, e.Requested
	}
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, reapplyJobsSQL, hashes, before, requested)
		if err != nil {
			return err
		}
		if objects, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		for _, sql := range reapplySQL {
			if _, err := tx.Exec(ctx, givenSQL+" "+sql, hashes, before, requested); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("delete again who deleted everything: %w", err)
	}
	return objects, nil
}
