package jobs

import (
	"cmp"
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/tracing"
)

// NewJob is what an upload knows before it is stored.
type NewJob struct {
	ID       string // a UUIDv7; empty means a new one
	Owner    string // a UUID
	Share    string // a UUID: whose turns it takes, unless the owner has an account; empty means the owner's
	Priority Priority
	Filename string
	Size     int64
	SHA256   string
	tracing.Cause
	Quota Quota
}

// UploadsPrefix begins the keys of all PDFs of jobs, and of nothing else.
const UploadsPrefix = "uploads/"

// ObjectKey is where a job's PDF is stored.
func ObjectKey(priority Priority, id string) string {
	return UploadsPrefix + string(priority) + "/" + id + ".pdf"
}

// The share's row is locked before the owner's, by every creation.
const createSQL = `
with share as (
	insert into turns (priority, share, owner, given)
	select $3, case when exists (select from google_accounts where id = $2::uuid) then $2::uuid else $9::uuid end, ` + noShare + `,
		1 + coalesce((select begun from turns where priority = $3 and share = ` + noShare + ` and owner = ` + noShare + `), 0)
	on conflict (priority, share, owner) do update set given = greatest(turns.given + 1, excluded.given), used_at = now()
	returning share as id, given, begun
), own as (
	insert into turns (priority, share, owner, given)
	select $3, share.id, $2::uuid, 1 + share.begun from share
	on conflict (priority, share, owner) do update set given = greatest(turns.given + 1, excluded.given), used_at = now()
	returning given
)
insert into jobs (id, owner, priority, filename, size, sha256, object_key, traceparent, request_id, share, turn, round)
select $1::uuid, $2::uuid, $3, $4, $5, $6, $7, $8, $10, share.id, share.given, own.given from share, own
returning ` + columns

// Create writes the row of a job whose object is not stored yet. A crash before Uploaded leaves a
// row that the sweep ends, never an object that nobody knows. An *OverQuotaError says that the owner has too much.
func (s *Store) Create(ctx context.Context, n NewJob) (Job, error) {
	if n.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return Job{}, fmt.Errorf("make a job id: %w", err)
		}
		n.ID = id.String()
	}
	if n.Priority == "" {
		n.Priority = Normal
	}
	var job Job
	err := s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := n.Quota.check(ctx, tx, n.Owner, n.Size); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, createSQL, n.ID, n.Owner, string(n.Priority),
			n.Filename, n.Size, n.SHA256, ObjectKey(n.Priority, n.ID), n.Traceparent, cmp.Or(n.Share, n.Owner), n.RequestID)
		if err != nil {
			return err
		}
		job, err = pgx.CollectExactlyOneRow(rows, scanJob)
		return err
	})
	if err != nil {
		return Job{}, fmt.Errorf("create job: %w", err)
	}
	return job, nil
}

const uploadedSQL = `
update jobs set uploaded_at = coalesce(uploaded_at, now()), updated_at = now()
where id = $1::uuid and not (status = 'failed' and uploaded_at is null)`

// Uploaded notes that the job's object is stored. ErrNotFound means that the job was deleted, or
// given up by the sweep, meanwhile: the caller should delete the object.
func (s *Store) Uploaded(ctx context.Context, id string) error {
	if !validID(id) {
		return ErrNotFound
	}
	touched, err := s.pool.Exec(ctx, uploadedSQL, id)
	if err != nil {
		return fmt.Errorf("note the upload of job %s: %w", id, err)
	}
	if touched == 0 {
		return ErrNotFound
	}
	return nil
}

const abandonSQL = `
with gone as (
	select id, share, priority from jobs where id = $1::uuid and status = 'pending' and uploaded_at is null for update
), turn as (` + untakenSQL + `)
update jobs set status = 'failed', error_code = $2, error_message = $3, completed_at = now(), updated_at = now(), share = null
from gone where jobs.id = gone.id`

// Abandon fails a job whose upload ended without an object. It does nothing to one that was stored.
func (s *Store) Abandon(ctx context.Context, id, code, message string) error {
	if _, err := s.pool.Exec(ctx, abandonSQL, id, code, message); err != nil {
		return fmt.Errorf("abandon job %s: %w", id, err)
	}
	return nil
}
