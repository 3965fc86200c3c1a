package jobs

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
)

// One statement is one transaction: the entries are there exactly when the status is.
const completeSQL = `
with done as (
	update jobs set status = 'completed', kind = $3, completed_at = now(), updated_at = now(),
		lease_until = null, lease_token = null, error_code = null, error_message = null
	where id = $1::uuid and status = 'processing' and lease_token = $2::uuid
	returning id
), written as (
	insert into entries (job_id, position, entry)
	select done.id, (e.position - 1)::int, e.entry
	from done, jsonb_array_elements($4::jsonb) with ordinality as e (entry, position)
)
select count(*) from done`

// Complete writes the entries and the end of the job, if the claim still holds it; ErrLeaseLost if not.
func (s *Store) Complete(ctx context.Context, c *Claim, doc timetable.Document) error {
	entries := doc.Entries
	if entries == nil {
		entries = []timetable.Entry{}
	}
	body, err := json.Marshal(entries)
	if err != nil {
		return fmt.Errorf("encode the entries of job %s: %w", c.Job.ID, err)
	}
	done, err := postgres.QueryOne(ctx, s.pool, pgx.RowTo[int64], completeSQL,
		c.Job.ID, c.Token, string(doc.Kind), string(withoutNull(body)))
	return c.held(done, err, "complete")
}

const failSQL = `
update jobs set status = 'failed', error_code = $3, error_message = $4, completed_at = now(), updated_at = now(),
	lease_until = null, lease_token = null
where id = $1::uuid and status = 'processing' and lease_token = $2::uuid`

// Fail ends the job for good with a reason.
func (s *Store) Fail(ctx context.Context, c *Claim, code, message string) error {
	touched, err := s.pool.Exec(ctx, failSQL, c.Job.ID, c.Token, code, message)
	return c.held(touched, err, "fail")
}

// The backoff doubles with each attempt and is spread by up to a quarter, so that the jobs of one
// outage do not come back in one moment.
const retrySQL = `
update jobs set
	status = case when attempts >= $5::int then 'failed' else 'pending' end,
	completed_at = case when attempts >= $5::int then now() end,
	run_after = now() + make_interval(secs => $6::float8 * power(2, attempts - 1) * (1 + random() / 4)),
	error_code = $3, error_message = $4, updated_at = now(), lease_until = null, lease_token = null, dispatched_at = null
where id = $1::uuid and status = 'processing' and lease_token = $2::uuid
returning ` + columns

// Retry gives the job back for another attempt after the backoff, or fails it with the reason if
// this attempt was the last. The job returned says which.
func (s *Store) Retry(ctx context.Context, c *Claim, code, message string) (Job, error) {
	rows, err := postgres.Query(ctx, s.pool, scanJob, retrySQL,
		c.Job.ID, c.Token, code, message, s.limits.Attempts, s.limits.Backoff.Seconds())
	if err := c.held(int64(len(rows)), err, "retry"); err != nil {
		return Job{}, err
	}
	return rows[0], nil
}
