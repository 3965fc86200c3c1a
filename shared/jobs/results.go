package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
)

const entriesSQL = `
select e.entry::text from entries e join jobs j on j.id = e.job_id
where j.id = $1::uuid and j.owner = $2::uuid order by e.position`

// Entries are the printed rows of an owner's job, in order; none of another's, or of one that is
// not completed.
func (s *Store) Entries(ctx context.Context, owner, id string) ([]timetable.Entry, error) {
	if !validID(id) || !validID(owner) {
		return nil, ErrNotFound
	}
	entries, err := postgres.Query(ctx, s.pool, scanEntry, entriesSQL, id, owner)
	if err != nil {
		return nil, fmt.Errorf("read the entries of job %s: %w", id, err)
	}
	return entries, nil
}

// scanEntry reads one entry's JSON.
func scanEntry(row pgx.CollectableRow) (entry timetable.Entry, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return entry, err
	}
	if err := json.Unmarshal([]byte(body), &entry); err != nil {
		return entry, fmt.Errorf("decode a stored entry: %w", err)
	}
	return entry, nil
}

const deleteSQL = `
with gone as (delete from jobs where id = $1::uuid and owner = $2::uuid returning id),
	letters as (delete from dead_letters where job_id in (select id from gone)),
	-- What feeds say of it goes too; the next fetch makes them anew of what is left.
	said as (update feeds set sources = '', body = null where owner = $2::uuid and exists (select from gone))
select count(*) from gone`

// Delete removes an owner's job with all it made in the database. Delete its object first: then no
// fault can leave an object that nobody knows of.
func (s *Store) Delete(ctx context.Context, owner, id string) error {
	if !validID(id) || !validID(owner) {
		return ErrNotFound
	}
	gone, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], deleteSQL, id, owner)
	if err != nil {
		return fmt.Errorf("delete job %s: %w", id, err)
	}
	if gone == 0 {
		return ErrNotFound
	}
	return nil
}
