package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

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
order by array_position($1::uuid[], j.id), e.position`

// Most is how much of several jobs' rows is read.
type Most struct{ Rows, Bytes int }

// atOnce is of how many jobs the rows are read at once. Most owners have fewer, and what is read beyond the bounds is no more
// than these have.
const atOnce = 8

// AllEntries are the printed rows of several of an owner's jobs by the jobs' ids. Beyond most, the jobs that are named
// last have none. The first has all of its rows, in any case.
func (s *Store) AllEntries(ctx context.Context, owner string, ids []string, most Most) (map[string][]timetable.Entry, error) {
	entries := make(map[string][]timetable.Entry, len(ids))
	for first := range slices.Chunk(ids, atOnce) {
		whole, err := s.someEntries(ctx, owner, first, ids[0], &most, entries)
		if err != nil {
			return nil, fmt.Errorf("read the entries of %d jobs: %w", len(ids), err)
		}
		if !whole {
			break
		}
	}
	return entries, nil
}

// someEntries adds the rows of some jobs to entries, takes them from what may still be read, and says whether it came to
// their end. A job whose rows are not all within the bounds has none, unless it is always.
func (s *Store) someEntries(ctx context.Context, owner string, ids []string, always string, most *Most, entries map[string][]timetable.Entry) (whole bool, err error) {
	cut := ""
	scan := func(r pgx.CollectableRow) (none struct{}, err error) {
		if cut != "" {
			return none, nil // what comes is older still
		}
		var job, body string
		if err := r.Scan(&job, &body); err != nil {
			return none, err
		}
		most.Rows--
		most.Bytes -= len(body)
		if (most.Rows < 0 || most.Bytes < 0) && job != always {
			cut = job
			return none, nil
		}
		entry, err := decodeEntry(body)
		entries[job] = append(entries[job], entry)
		return none, err
	}
	if _, err := postgres.Query(ctx, s.pool, scan, allEntriesSQL, ids, owner); err != nil {
		return false, err
	}
	delete(entries, cut)
	return cut == "", nil
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
