package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// A job is due when nobody works on it and its event is overdue: never came, was lost, or belongs
// to a lease that ended. dispatched_at keeps two sweeps, or two rounds, from sending it twice
// within the grace; sending twice would be harmless.
const dueSQL = `
update jobs set dispatched_at = now() where id in (
	select id from jobs
	where (status = 'pending' and uploaded_at is not null and run_after <= now() and (attempts > 0 or uploaded_at <= now() - make_interval(secs => $1::float8))
			or status = 'processing' and lease_until <= now())
		and attempts < $3::int
		and (started_at is null or started_at > now() - make_interval(secs => $4::float8))
		and (dispatched_at is null or dispatched_at <= now() - make_interval(secs => $1::float8))
	order by case priority when 'high' then 0 when 'normal' then 1 else 2 end, run_after
	limit $2::int for update skip locked)
returning ` + columns

// Due are at most limit jobs whose event should be sent again: pending for longer than grace, due
// for a retry, or with a lease that ended. They are the caller's for the time of grace.
func (s *Store) Due(ctx context.Context, grace time.Duration, limit int) ([]Job, error) {
	due, err := postgres.Query(ctx, s.pool, scanJob, dueSQL, grace.Seconds(), limit, s.limits.Attempts, s.limits.Timeout.Seconds())
	if err != nil {
		return nil, fmt.Errorf("find due jobs: %w", err)
	}
	return due, nil
}

const expireSQL = `
update jobs set status = 'failed', completed_at = now(), updated_at = now(), lease_until = null, lease_token = null,
	error_code = case when attempts >= $1::int then $4 else $5 end,
	error_message = case when attempts >= $1::int then $6 else $7 end
where id in (
	select id from jobs
	where (status = 'processing' and lease_until <= now() or status = 'pending' and started_at is not null)
		and (attempts >= $1::int or started_at <= now() - make_interval(secs => $2::float8))
	limit $3::int for update skip locked)
returning ` + columns

// Expire fails at most limit jobs that nobody holds and nobody may claim again: their attempts are
// used up, or their time is.
func (s *Store) Expire(ctx context.Context, limit int) ([]Job, error) {
	expired, err := postgres.Query(ctx, s.pool, scanJob, expireSQL, s.limits.Attempts, s.limits.Timeout.Seconds(), limit,
		CodeAttempts, CodeTimeout, "Processing was tried several times and never finished.", "Processing took longer than allowed.")
	if err != nil {
		return nil, fmt.Errorf("expire jobs: %w", err)
	}
	return expired, nil
}

const unfinishedSQL = `select ` + columns + ` from jobs
where status = 'pending' and uploaded_at is null and created_at <= now() - make_interval(secs => $1::float8)
order by created_at limit $2::int`

// Unfinished are at most limit jobs whose upload began longer than timeout ago and was never noted
// as stored. The caller looks for the object: there, Uploaded adopts it; not there, Abandon ends the job.
func (s *Store) Unfinished(ctx context.Context, timeout time.Duration, limit int) ([]Job, error) {
	jobs, err := postgres.Query(ctx, s.pool, scanJob, unfinishedSQL, timeout.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("find unfinished uploads: %w", err)
	}
	return jobs, nil
}

const announcedSQL = `update jobs set announced_at = now() where id = $1::uuid and status = 'completed'`

// MarkPublished notes that the next hop has taken the event of the job's completion.
func (s *Store) MarkPublished(ctx context.Context, id string) error {
	if _, err := s.pool.Exec(ctx, announcedSQL, id); err != nil {
		return fmt.Errorf("note the announcement of job %s: %w", id, err)
	}
	return nil
}

// UnpublishedJob is a completed job whose event was not published.
type UnpublishedJob struct {
	Job     Job
	Entries int // how many it has
}

const unannouncedSQL = `
select ` + columns + `, (select count(*) from entries where job_id = jobs.id)::int from jobs
where status = 'completed' and announced_at is null and completed_at <= now() - make_interval(secs => $1::float8)
order by completed_at limit $2::int`

// Unpublished are at most limit jobs that completed longer than grace ago and whose event nobody
// has taken: the worker died in between, or the next hop was away.
func (s *Store) Unpublished(ctx context.Context, grace time.Duration, limit int) ([]UnpublishedJob, error) {
	list, err := postgres.Query(ctx, s.pool, func(row pgx.CollectableRow) (a UnpublishedJob, err error) {
		err = row.Scan(append(a.Job.fields(), &a.Entries)...)
		return a, err
	}, unannouncedSQL, grace.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("find unannounced jobs: %w", err)
	}
	return list, nil
}

// Object names the PDF of a job.
type Object struct{ JobID, Key string }

const expiredPDFsSQL = `
select id::text, object_key from jobs
where completed_at is not null and pdf_deleted_at is null and completed_at <= now() - make_interval(secs => $1::float8)
order by completed_at limit $2::int`

// ExpiredPDFs are at most limit objects of jobs that ended longer than retention ago.
func (s *Store) ExpiredPDFs(ctx context.Context, retention time.Duration, limit int) ([]Object, error) {
	objects, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[Object], expiredPDFsSQL, retention.Seconds(), limit)
	if err != nil {
		return nil, fmt.Errorf("find PDFs to delete: %w", err)
	}
	return objects, nil
}

const orphansSQL = `select key from unnest($1::text[]) key
where not exists (select from jobs where object_key = key and pdf_deleted_at is null)
	and not exists (select from pg_namespace where starts_with(nspname, $2))`

// Orphans are those of some objects' keys that no job lists, and none while a restore of the database goes on, whose
// tables may be aside. The row of an upload is there before its object, so an orphan stays one.
func (s *Store) Orphans(ctx context.Context, keys []string) ([]string, error) {
	orphans, err := postgres.Query(ctx, s.pool, pgx.RowTo[string], orphansSQL, keys, postgres.ReplacedPrefix)
	if err != nil {
		return nil, fmt.Errorf("find PDFs without a job: %w", err)
	}
	return orphans, nil
}

const pdfDeletedSQL = `update jobs set pdf_deleted_at = now() where id = any($1::uuid[]) and pdf_deleted_at is null`

// PDFDeleted notes that the objects of these jobs are gone. Call it only after they are.
func (s *Store) PDFDeleted(ctx context.Context, ids ...string) error {
	if _, err := s.pool.Exec(ctx, pdfDeletedSQL, ids); err != nil {
		return fmt.Errorf("note deleted PDFs: %w", err)
	}
	return nil
}
