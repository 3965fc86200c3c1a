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

// Entries returns the printed rows of an owner's job, in order. A job of another owner has none, and neither has a job
// that is not completed.
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

// Bounds are how much of the rows of several jobs is read.
type Bounds struct{ Rows, Bytes int }

// jobsPerQuery is how many jobs' rows one query reads. Most owners have fewer jobs, and at most the rows of one query
// are read beyond the bounds.
const jobsPerQuery = 8

// AllEntries returns the printed rows of several of an owner's jobs, by job id. Beyond the bounds, the jobs named last
// have none. The first job always has all of its rows.
func (s *Store) AllEntries(ctx context.Context, owner string, ids []string, bounds Bounds) (map[string][]timetable.Entry, error) {
	entries := make(map[string][]timetable.Entry, len(ids))
	for first := range slices.Chunk(ids, jobsPerQuery) {
		whole, err := s.someEntries(ctx, owner, first, ids[0], &bounds, entries)
		if err != nil {
			return nil, fmt.Errorf("read the entries of %d jobs: %w", len(ids), err)
		}
		if !whole {
			break
		}
	}
	return entries, nil
}

// someEntries adds the rows of some jobs to entries, subtracts them from the bounds, and reports whether it read all of
// them. A job whose rows exceed the bounds gets none, unless it is the one in always.
func (s *Store) someEntries(ctx context.Context, owner string, ids []string, always string, bounds *Bounds, entries map[string][]timetable.Entry) (whole bool, err error) {
	cut := ""
	scan := func(r pgx.CollectableRow) (none struct{}, err error) {
		if cut != "" {
			return none, nil // what comes is older still
		}
		var job, body string
		if err := r.Scan(&job, &body); err != nil {
			return none, err
		}
		bounds.Rows--
		bounds.Bytes -= len(body)
		if (bounds.Rows < 0 || bounds.Bytes < 0) && job != always {
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
