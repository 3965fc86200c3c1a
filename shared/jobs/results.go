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

const allEntriesSQL = `
select e.job_id::text, e.entry::text from entries e join jobs j on j.id = e.job_id
where j.id = any($1::uuid[]) and j.owner = $2::uuid
order by array_position($1::uuid[], j.id), e.position limit $3::int`

// AllEntries are the printed rows of several of an owner's jobs by the jobs' ids. Of more than most rows, the
// jobs that are named last have none.
func (s *Store) AllEntries(ctx context.Context, owner string, ids []string, most int) (map[string][]timetable.Entry, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	type row struct {
		job   string
		entry timetable.Entry
	}
	scan := func(r pgx.CollectableRow) (e row, err error) {
		var body string
		if err := r.Scan(&e.job, &body); err != nil {
			return e, err
		}
		e.entry, err = decodeEntry(body)
		return e, err
	}
	rows, err := postgres.Query(ctx, s.pool, scan, allEntriesSQL, ids, owner, most+1)
	if err != nil {
		return nil, fmt.Errorf("read the entries of %d jobs: %w", len(ids), err)
	}
	entries := make(map[string][]timetable.Entry, len(ids))
	for _, r := range rows {
		entries[r.job] = append(entries[r.job], r.entry)
	}
	if len(rows) > most {
		delete(entries, rows[most].job) // cut off
	}
	return entries, nil
}

// scanEntry reads one entry's JSON.
func scanEntry(row pgx.CollectableRow) (entry timetable.Entry, err error) {
	var body string
	if err := row.Scan(&body); err != nil {
		return entry, err
	}
	return decodeEntry(body)
}

func decodeEntry(body string) (entry timetable.Entry, err error) {
	if err := json.Unmarshal([]byte(body), &entry); err != nil {
		return entry, fmt.Errorf("decode a stored entry: %w", err)
	}
	return entry, nil
}

const deleteSQL = `
with gone as (delete from jobs where id = $1::uuid and owner = $2::uuid returning id, share, priority),
	turn as (` + untakenSQL + `),
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
