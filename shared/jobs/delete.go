package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

const deleteSQL = `
with gone as (delete from jobs where id = $1::uuid and owner = $2::uuid returning id, share, priority),
	turn as (` + untakenSQL + `),
	letters as (delete from dead_letters where job_id in (select id from gone)),
	-- Feeds are made again from the remaining jobs at the next fetch.
	feed as (update feeds set sources = '', body = null where owner = $2::uuid and exists (select from gone))
select count(*) from gone`

// Delete deletes an owner's job with everything it made in the database. Delete its object first: then no failure can
// leave an object without a job.
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

const storedSQL = `select ` + columns + ` from jobs
where owner = $1::uuid and not (status = 'pending' and uploaded_at is null)
order by created_at desc limit $2::int`

// Stored are at most limit jobs of an owner, without those whose upload is still coming.
func (s *Store) Stored(ctx context.Context, owner string, limit int) ([]Job, error) {
	stored, err := postgres.Query(ctx, s.pool, scanJob, storedSQL, owner, limit)
	if err != nil {
		return nil, fmt.Errorf("find an owner's jobs: %w", err)
	}
	return stored, nil
}

const deleteOldSQL = `
with gone as (delete from jobs where id in (
		select id from jobs
		where completed_at <= now() - make_interval(secs => $1::float8) and pdf_deleted_at is not null
		order by completed_at limit $2::int for update skip locked)
	returning id),
	letters as (delete from dead_letters where job_id in (select id from gone))
select count(*) from gone`

// DeleteOld deletes at most limit jobs that ended longer than retention ago and whose PDF is deleted. It returns how
// many.
func (s *Store) DeleteOld(ctx context.Context, retention time.Duration, limit int) (int64, error) {
	gone, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], deleteOldSQL, retention.Seconds(), limit)
	if err != nil {
		return 0, fmt.Errorf("delete old jobs: %w", err)
	}
	return gone, nil
}
