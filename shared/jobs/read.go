package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// scanJob reads a row of columns.
func scanJob(row pgx.CollectableRow) (j Job, err error) {
	err = row.Scan(j.fields()...)
	return j, err
}

// fields are the destinations of columns.
func (j *Job) fields() []any {
	return []any{&j.ID, &j.Owner, &j.Status, &j.Priority, &j.Kind, &j.Filename, &j.Size, &j.SHA256,
		&j.ObjectKey, &j.Traceparent, &j.RequestID, &j.CreatedAt, &j.UpdatedAt, &j.UploadedAt, &j.StartedAt,
		&j.CompletedAt, &j.RunAfter, &j.Attempts, &j.LeaseUntil, &j.ErrorCode, &j.ErrorMessage, &j.PDFDeletedAt}
}

// columns are the columns of fields, in the same order. They are a constant, so that queries are constants too.
const columns = `id::text, owner::text, status, priority, coalesce(kind, ''), filename, size, sha256,
	object_key, traceparent, request_id, created_at, updated_at, uploaded_at, started_at,
	completed_at, run_after, attempts, lease_until, coalesce(error_code, ''), coalesce(error_message, ''), pdf_deleted_at`

const getSQL = `select ` + columns + ` from jobs where id = $1::uuid and owner = $2::uuid`

// Get returns a job of an owner; ErrNotFound if it is another owner's.
func (s *Store) Get(ctx context.Context, owner, id string) (Job, error) {
	if !validID(id) || !validID(owner) {
		return Job{}, ErrNotFound
	}
	return orNotFound(postgres.QueryOne(ctx, s.pool, scanJob, getSQL, id, owner))
}

const findSQL = `select ` + columns + ` from jobs where id = $1::uuid`

// Find returns a job of any owner. It is for workers; a request uses Get.
func (s *Store) Find(ctx context.Context, id string) (Job, error) {
	if !validID(id) {
		return Job{}, ErrNotFound
	}
	return orNotFound(postgres.QueryOne(ctx, s.pool, scanJob, findSQL, id))
}

const completedSQL = `select ` + columns + ` from jobs
where owner = $1::uuid and status = 'completed'
order by completed_at desc, id desc limit $2::int`

// Completed returns at most limit of an owner's completed jobs, the newest first.
func (s *Store) Completed(ctx context.Context, owner string, limit int) ([]Job, error) {
	if !validID(owner) {
		return nil, nil
	}
	jobs, err := postgres.Query(ctx, s.pool, scanJob, completedSQL, owner, limit)
	if err != nil {
		return nil, fmt.Errorf("find an owner's completed jobs: %w", err)
	}
	return jobs, nil
}

// validID reports whether id is a UUID as PostgreSQL reads it; anything else names no job.
func validID(id string) bool {
	_, err := uuid.Parse(id)
	return err == nil && len(id) == 36
}

// orNotFound turns "no rows" into ErrNotFound.
func orNotFound(job Job, err error) (Job, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return Job{}, ErrNotFound
	}
	if err != nil {
		return Job{}, fmt.Errorf("read job: %w", err)
	}
	return job, nil
}
