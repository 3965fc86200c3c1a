package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Reason says why a job cannot be claimed.
type Reason string

// The reasons. An event for a job that is Done, Unknown or Exhausted is spent; one for a job that
// is Leased or NotDue should come again, or is left to the sweep.
const (
	Done      Reason = "done"
	Leased    Reason = "leased"
	NotDue    Reason = "not due"
	Unknown   Reason = "unknown"
	Exhausted Reason = "exhausted"
)

// ErrNotClaimable is what every *NotClaimable is.
var ErrNotClaimable = errors.New("jobs: not claimable")

// NotClaimable says why Claim gave nothing.
type NotClaimable struct {
	Reason     Reason
	RetryAfter time.Duration // of Leased and NotDue: when it may be claimable
}

func (e *NotClaimable) Error() string { return "jobs: not claimable: " + string(e.Reason) }

// Is makes errors.Is(err, ErrNotClaimable) true.
func (e *NotClaimable) Is(target error) bool { return target == ErrNotClaimable }

// Claim is the right to work on a job, as long as the lease lasts.
type Claim struct {
	Job   Job
	Token string
	store *Store
}

// An object's event may arrive before its upload was noted: the claim notes it then.
const claimSQL = `
update jobs set status = 'processing', attempts = attempts + 1, lease_token = $2::uuid,
	lease_until = now() + make_interval(secs => $3::float8),
	started_at = coalesce(started_at, now()), uploaded_at = coalesce(uploaded_at, now()), share = null, updated_at = now()
where id = $1::uuid and attempts < $4::int
	and (started_at is null or started_at > now() - make_interval(secs => $5::float8))
	and (status = 'pending' and run_after <= now() or status = 'processing' and lease_until <= now())
returning ` + columns

// Claim takes the job for the time of lease, whosever turn it is, and counts the attempt. Of any number of concurrent
// claims at most one succeeds; the others get a *NotClaimable.
func (s *Store) Claim(ctx context.Context, id string, lease time.Duration) (*Claim, error) {
	if !validID(id) {
		return nil, &NotClaimable{Reason: Unknown}
	}
	token := uuid.NewString()
	job, err := postgres.QueryOne(ctx, s.pool, scanJob, claimSQL, id, token, lease.Seconds(),
		s.limits.Attempts, s.limits.Timeout.Seconds())
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, s.refusal(ctx, id)
	}
	if err != nil {
		return nil, fmt.Errorf("claim job %s: %w", id, err)
	}
	return &Claim{Job: job, Token: token, store: s}, nil
}

const refusalSQL = `
select case
	when status in ('completed', 'failed') then 'done'
	when status = 'processing' and lease_until > now() then 'leased'
	when attempts >= $2::int or started_at <= now() - make_interval(secs => $3::float8) then 'exhausted'
	when status = 'pending' and run_after > now() then 'not due'
	else 'leased' end,
	greatest(extract(epoch from case status when 'processing' then lease_until else run_after end - now()), 0)::float8
from jobs where id = $1::uuid`

// refusal asks why a claim found nothing. What changed in between reads as Leased: try again.
func (s *Store) refusal(ctx context.Context, id string) error {
	refused, err := postgres.QueryOne(ctx, s.pool, func(row pgx.CollectableRow) (*NotClaimable, error) {
		var reason string
		var seconds float64
		if err := row.Scan(&reason, &seconds); err != nil {
			return nil, err
		}
		return &NotClaimable{Reason: Reason(reason), RetryAfter: time.Duration(seconds * float64(time.Second))}, nil
	}, refusalSQL, id, s.limits.Attempts, s.limits.Timeout.Seconds())
	if errors.Is(err, pgx.ErrNoRows) {
		return &NotClaimable{Reason: Unknown}
	}
	if err != nil {
		return fmt.Errorf("ask why job %s is not claimable: %w", id, err)
	}
	return refused
}

// The lease never reaches beyond the job's own timeout, and a lease that ended may be renewed only
// while nobody else took the job, which would have changed the token.
const renewSQL = `
update jobs set lease_until = least(now() + make_interval(secs => $3::float8),
		started_at + make_interval(secs => $4::float8)), updated_at = now()
where id = $1::uuid and status = 'processing' and lease_token = $2::uuid
	and started_at + make_interval(secs => $4::float8) > now()`

// Renew makes the lease last for that long from now. ErrLeaseLost means: stop working.
func (c *Claim) Renew(ctx context.Context, lease time.Duration) error {
	touched, err := c.store.pool.Exec(ctx, renewSQL, c.Job.ID, c.Token, lease.Seconds(), c.store.limits.Timeout.Seconds())
	return c.held(touched, err, "renew the lease of")
}

// held maps the outcome of a conditional write: no row means that the lease is lost.
func (c *Claim) held(touched int64, err error, doing string) error {
	if err != nil {
		return fmt.Errorf("%s job %s: %w", doing, c.Job.ID, err)
	}
	if touched == 0 {
		return fmt.Errorf("%s job %s: %w", doing, c.Job.ID, ErrLeaseLost)
	}
	return nil
}
