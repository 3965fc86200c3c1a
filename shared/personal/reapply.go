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

// Equal reports whether two entries delete the same of the same owner, since the same time.
func (e Entry) Equal(other Entry) bool {
	sameTime := e.MadeBefore == other.MadeBefore ||
		e.MadeBefore != nil && other.MadeBefore != nil && e.MadeBefore.Equal(*other.MadeBefore)
	return sameTime && bytes.Equal(e.OwnerHash, other.OwnerHash) && e.Requested.Equal(other.Requested)
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

const noteSQL = givenSQL + `
insert into deletions (owner_hash, made_before, requested_at, erased_at) select hash, made_before, requested_at, now() from given
on conflict (owner_hash) do update set requested_at = greatest(deletions.requested_at, excluded.requested_at), erased_at = now(),
	made_before = case when deletions.made_before is null or excluded.made_before is null then null
		else greatest(deletions.made_before, excluded.made_before) end`

const reapplyJobsSQL = givenSQL + `,
	gone as (delete from jobs using given where %s returning id, object_key),
	letters as (delete from dead_letters where job_id in (select id from gone))
select object_key from gone`

// endAccessSQL leaves the tokens of the accounts that are deleted next for google-sync. %s is which, of google_accounts.
// It locks them: a sign-in that is deleting such an account, for a new one of the same person, has the last word.
const endAccessSQL = `
insert into google_revocations (account_id, refresh_token, key_id, subject_hash)
select id, refresh_token, key_id, sha256(convert_to(subject, 'UTF8')) from google_accounts%s and refresh_token is not null
for update of google_accounts
on conflict (account_id) do nothing`

// Reapply deletes again, in one transaction, what a restored database has of these people, and notes their deletions
// there. It returns the keys of their PDFs, which must not come back either.
func (s *Store) Reapply(ctx context.Context, entries []Entry) (objects []string, err error) {
	hashes, before, requested := make([][]byte, len(entries)), make([]*time.Time, len(entries)), make([]time.Time, len(entries))
	for i, e := range entries {
		hashes[i], before[i], requested[i] = e.OwnerHash, e.MadeBefore, e.Requested
	}
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, fmt.Sprintf(reapplyJobsSQL, jobs.isGiven()), hashes, before, requested)
		if err != nil {
			return err
		}
		if objects, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		for _, sql := range reapplySQL() {
			if _, err := tx.Exec(ctx, sql, hashes, before, requested); err != nil {
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

// reapplySQL deletes all but jobs.
func reapplySQL() []string {
	all := []string{givenSQL + fmt.Sprintf(endAccessSQL, ", given where "+accounts.isGiven())}
	for _, t := range tables {
		if len(t.owners) > 0 && t.name != jobs.name {
			all = append(all, t.reapplySQL())
		}
	}
	return append(all, noteSQL)
}
