// Package sweeps notes in PostgreSQL when what a schedule calls last ran to its end, and when a probe was last begun.
// Instances of a function come and go, and whoever asks how the system is needs to know.
package sweeps

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// What is noted.
const (
	Jobs    = "jobs"    // upload-ingest's sweep
	Feeds   = "feeds"   // calendar-generate's
	Google  = "google"  // google-sync's
	Backup  = "backup"  // the newest good backup, when it was made
	Orphans = "orphans" // when upload-ingest last looked for PDFs that no job lists
	Probe   = "probe"   // when upload-ingest last had a timetable of its own read, to see whether that works
)

const finishedSQL = `insert into sweeps (name, finished_at) values ($1, now()) on conflict (name) do update set finished_at = now()`

// Finished notes that something ran to its end now.
func Finished(ctx context.Context, pool *postgres.Pool, name string) error {
	if _, err := pool.Exec(ctx, finishedSQL, name); err != nil {
		return fmt.Errorf("note the end of %s: %w", name, err)
	}
	return nil
}

const beginSQL = `insert into sweeps (name, finished_at) values ($1, now()) on conflict (name) do update set finished_at = now()
where sweeps.finished_at <= now() - make_interval(secs => $2::float8)`

// Due notes something as done now unless it was noted within the interval, and says whether it did. Of callers at the
// same time, in whatever instances, one alone is told so.
func Due(ctx context.Context, pool *postgres.Pool, name string, every time.Duration) (bool, error) {
	noted, err := pool.Exec(ctx, beginSQL, name, every.Seconds())
	if err != nil {
		return false, fmt.Errorf("see whether %s is due: %w", name, err)
	}
	return noted == 1, nil
}

// Run is when something last ran to its end.
type Run struct {
	Name string
	At   time.Time
	Ago  float64 // seconds, by the clock of the database
}

// Last returns all that is noted, by name.
func Last(ctx context.Context, pool *postgres.Pool) (map[string]Run, error) {
	runs, err := postgres.Query(ctx, pool, pgx.RowToStructByPos[Run],
		`select name, finished_at, extract(epoch from now() - finished_at)::float8 from sweeps`)
	if err != nil {
		return nil, fmt.Errorf("read when sweeps ran: %w", err)
	}
	all := map[string]Run{}
	for _, r := range runs {
		all[r.Name] = r
	}
	return all, nil
}
