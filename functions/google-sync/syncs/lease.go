package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Lease is the right to work for an account.
type Lease struct {
	account string
	token   string
}

const claimSQL = `
update google_accounts set lease_token = $2::uuid, lease_until = now() + make_interval(secs => $3::float8)
where id = $1::uuid and (lease_until is null or lease_until < now())`

// Claim takes the account's lease; ok is false while another worker holds it.
func (s *Store) Claim(ctx context.Context, account string) (lease Lease, ok bool, err error) {
	lease = Lease{account, uuid.NewString()}
	touched, err := s.pool.Exec(ctx, claimSQL, account, lease.token, s.lease.Seconds())
	if err != nil {
		return Lease{}, false, fmt.Errorf("claim an account: %w", err)
	}
	return lease, touched == 1, nil
}

const releaseSQL = `
update google_accounts set lease_token = null, lease_until = null where id = $1::uuid and lease_token = $2::uuid`

// Release releases the lease. Releasing a lost lease does nothing.
func (s *Store) Release(ctx context.Context, l Lease) error {
	if _, err := s.pool.Exec(ctx, releaseSQL, l.account, l.token); err != nil {
		return fmt.Errorf("release an account: %w", err)
	}
	return nil
}

// nextSQL gives the oldest only: a sync that waits for its time holds up those behind it, for their
// order is what makes the newest timetable win.
const nextSQL = `
select ` + allColumns + ` from (
	select * from google_syncs where account_id = $1::uuid and status = 'pending' order by id limit 1) oldest
where run_after <= now()`

// Next is the account's oldest waiting sync; ok is false where none waits, or not yet.
func (s *Store) Next(ctx context.Context, l Lease) (next Sync, ok bool, err error) {
	next, err = postgres.QueryOne(ctx, s.pool, scan, nextSQL, l.account)
	if errors.Is(err, pgx.ErrNoRows) {
		return Sync{}, false, nil
	}
	if err != nil {
		return Sync{}, false, fmt.Errorf("find the next sync: %w", err)
	}
	return next, true, nil
}

// held renews the lease; what is joined with it is written only by its holder.
const held = `
with held as (
	update google_accounts set lease_until = now() + make_interval(secs => $3::float8)
	where id = $1::uuid and lease_token = $2::uuid returning id)`

const heartbeatSQL = held + `
update google_syncs s set progress = $5::jsonb, updated_at = now() from held
where s.id = $4::uuid and s.account_id = held.id and s.status = 'pending'`

// Heartbeat renews the lease and saves the counts so far. ErrLeaseLost means that another worker holds the lease now,
// or that the account was deleted.
func (s *Store) Heartbeat(ctx context.Context, l Lease, id string, p Progress) error {
	return s.write(ctx, l, "save a sync's counts", heartbeatSQL, id, p)
}

const finishSQL = held + `, done as (
	update google_syncs s set status = $6, error_code = nullif($7, ''), request = null, progress = $5::jsonb, finished_at = now(), updated_at = now()
	from held where s.id = $4::uuid and s.account_id = held.id and s.status = 'pending'
	returning s.account_id, s.calendar_id, s.status), noted as (
	update google_calendars c set synced_at = now() from done
	where c.account_id = done.account_id and c.calendar_id = done.calendar_id and done.status = 'done' returning 1)
select count(*) from done`

// Finish ends a sync: done, or failed for a reason that is a CODE of package api. Where it removed all that schedgen
// added to its calendar, the same transaction deletes what is known of the calendar, so that its next sync is its first
// again.
func (s *Store) Finish(ctx context.Context, l Lease, ended Sync, p Progress, code string) error {
	status := Done
	if code != "" {
		status = Failed
	}
	progress, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		var rows int64
		err := tx.QueryRow(ctx, finishSQL, l.account, l.token, s.lease.Seconds(), ended.ID, string(progress), string(status), code).Scan(&rows)
		if err != nil {
			return err
		}
		if rows == 0 {
			return ErrLeaseLost
		}
		if status == Done && ended.Request.Remove {
			_, err = tx.Exec(ctx, clearSQL, l.account, ended.CalendarID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("finish a sync: %w", err)
	}
	return nil
}

const deferSQL = held + `
update google_syncs s set progress = $5::jsonb, attempts = attempts + 1, turns = turns + 1,
	run_after = now() + make_interval(secs => $6::float8), updated_at = now() from held
where s.id = $4::uuid and s.account_id = held.id and s.status = 'pending'`

// Defer lets a sync wait after an attempt that failed for now.
func (s *Store) Defer(ctx context.Context, l Lease, id string, p Progress, wait time.Duration) error {
	return s.write(ctx, l, "defer a sync", deferSQL, id, p, wait.Seconds())
}

const yieldSQL = held + `
update google_syncs s set progress = $5::jsonb, turns = turns + 1, run_after = now(), updated_at = now() from held
where s.id = $4::uuid and s.account_id = held.id and s.status = 'pending'`

// Yield leaves a sync to the next attempt: the time ran out, and the sync has not failed.
func (s *Store) Yield(ctx context.Context, l Lease, id string, p Progress) error {
	return s.write(ctx, l, "yield a sync", yieldSQL, id, p)
}

func (s *Store) write(ctx context.Context, l Lease, what, sql, id string, p Progress, more ...any) error {
	progress, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("encode counts: %w", err)
	}
	touched, err := s.pool.Exec(ctx, sql, append([]any{l.account, l.token, s.lease.Seconds(), id, string(progress)}, more...)...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if touched == 0 {
		return ErrLeaseLost
	}
	return nil
}
