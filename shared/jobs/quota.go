package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Quota is the most that one owner may have. What is zero is not bounded.
type Quota struct {
	Bytes int64 // of stored PDFs
	Jobs  int
}

// Usage is what an owner has.
type Usage struct {
	Bytes int64 // of PDFs that are stored, or on their way
	Jobs  int64
}

// OverQuotaError says that a job would take its owner over the quota.
type OverQuotaError struct {
	Usage Usage
	Jobs  bool // there are too many jobs; else the bytes are too many
}

func (e *OverQuotaError) Error() string {
	if e.Jobs {
		return fmt.Sprintf("jobs: the owner has %d jobs", e.Usage.Jobs)
	}
	return fmt.Sprintf("jobs: the owner has %d bytes", e.Usage.Bytes)
}

// A PDF whose upload was given up is stored nowhere.
const usageSQL = `
select coalesce(sum(size) filter (where pdf_deleted_at is null and (uploaded_at is not null or status <> 'failed')), 0)::bigint, count(*)
from jobs where owner = $1::uuid`

// Usage is what an owner has now.
func (s *Store) Usage(ctx context.Context, owner string) (Usage, error) {
	usage, err := postgres.QueryOne(ctx, s.pool, pgx.RowToStructByPos[Usage], usageSQL, owner)
	if err != nil {
		return Usage{}, fmt.Errorf("add up what an owner has: %w", err)
	}
	return usage, nil
}

// oneAtATimeSQL lets the creations of one owner wait for each other, so that none counts without the others' jobs. It
// holds to the end of the transaction, and relies on no session.
const oneAtATimeSQL = `select pg_advisory_xact_lock(hashtextextended('jobs of ' || $1::text, 0))`

// check returns an *OverQuotaError if one more job of that size is too much for the owner.
func (q Quota) check(ctx context.Context, tx pgx.Tx, owner string, size int64) error {
	if q == (Quota{}) {
		return nil
	}
	var batch pgx.Batch // one way to the database; the count sees what was committed before the lock was had
	batch.Queue(oneAtATimeSQL, owner)
	batch.Queue(usageSQL, owner)
	answers := tx.SendBatch(ctx, &batch)
	defer answers.Close() // its error was seen
	if _, err := answers.Exec(); err != nil {
		return err
	}
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	used, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[Usage])
	switch {
	case err != nil:
		return err
	case q.Jobs > 0 && used.Jobs >= int64(q.Jobs):
		return &OverQuotaError{Usage: used, Jobs: true}
	case q.Bytes > 0 && used.Bytes+size > q.Bytes:
		return &OverQuotaError{Usage: used}
	}
	return answers.Close()
}

const backlogSQL = `
select (select count(*) from (select from jobs where status = 'pending' and uploaded_at is not null limit $1::int) as waiting)
	+ (select count(*) from (select from jobs where status = 'pending' and uploaded_at is null limit $1::int) as uploading)`

// Backlog counts the pending jobs of all owners, and stops counting somewhere beyond limit.
func (s *Store) Backlog(ctx context.Context, limit int) (int, error) {
	n, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], backlogSQL, limit)
	if err != nil {
		return 0, fmt.Errorf("count the pending jobs: %w", err)
	}
	return int(n), nil
}
