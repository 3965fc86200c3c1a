// Package syncs is the queue of what has to be done to Google calendars: one queue for each account, with one worker
// at a time.
//
// A worker claims the account's lease ([Store.Claim]), a row and not a lock of a session, so that it also works
// behind PgBouncer. It renews the lease before each call to Google and saves the counts with it ([Store.Heartbeat]).
// A worker that lost the lease stops. If it has not noticed yet, it does no harm: a repeated insert has the same id,
// and all other calls hold only for the event that was compared.
//
// A sync is pending until it is done or failed. After an interruption it stays pending, and the next attempt compares
// again and does what is left. [Store.Yield] ends an attempt whose time ran out, [Store.Defer] one that failed for
// now, and [Store.Finish] the sync itself.
//
// The package also stores what syncs depend on: the calendars with their choices ([Calendar]), what became of each
// event ([Store.Memory]), and of what each sync made its lectures ([Recipe]).
package syncs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Status is where a sync is in its life.
type Status string

// The states of a sync.
const (
	Pending Status = "pending" // waiting, or being worked on
	Done    Status = "done"
	Failed  Status = "failed"
)

var (
	// ErrNotFound means that there is no such sync, or that it is another account's.
	ErrNotFound = errors.New("syncs: no such sync")
	// ErrTooMany means that the account's queue is full.
	ErrTooMany = errors.New("syncs: the account has too many waiting")
	// ErrLeaseLost means that another worker holds the lease now: nothing was written.
	ErrLeaseLost = tracing.NewError("LEASE_LOST", "syncs: the lease is lost")
)

// Request is what a sync does: it makes a calendar hold the wanted events, and nothing else of schedgen's in the same
// scopes except tests and exams that were past when it was made. It does not change later, so every attempt does the
// same.
type Request struct {
	Wanted []plan.Event `json:"wanted"`
	Scopes []string     `json:"scopes"`
	Gone   []string     `json:"gone,omitempty"` // ids of events that a corrected year took away
	Made   time.Time    `json:"made,omitzero"`
	// Remove deletes all that schedgen added to the calendar.
	Remove bool `json:"remove,omitempty"`
}

// Progress is the counts of a sync so far. A call that was under way when a process was killed is counted
// as unchanged, for the next turn finds it done.
type Progress struct {
	Planned   int `json:"planned"` // calls that it takes in all
	Done      int `json:"done"`    // of these
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Deleted   int `json:"deleted"`
	Unchanged int `json:"unchanged"`
	Kept      int `json:"kept"`   // of the unchanged and updated: a person's edit was left alone
	Failed    int `json:"failed"` // Google did not take them
}

// Sync is one row of the queue.
type Sync struct {
	ID         string
	AccountID  string
	CalendarID string
	Request    Request // of Next alone, for it may be long
	Events     int     // that it wants
	Removes    bool    // all that schedgen added
	Status     Status
	Progress   Progress
	Attempts   int
	Runs       int // attempts so far; they number the sync's events
	ErrorCode  string
	RunAfter   time.Time
	CreatedAt  time.Time
	FinishedAt *time.Time
	tracing.Cause
}

// Store is the queue of one database. It is safe for concurrent use, by any number of processes.
type Store struct {
	pool  *postgres.Pool
	lease time.Duration
}

// DefaultLease is longer than any single call to Google with its waits.
const DefaultLease = time.Minute

// NewStore is the Store of pool. A lease of 0 is DefaultLease.
func NewStore(pool *postgres.Pool, lease time.Duration) *Store {
	if lease <= 0 {
		lease = DefaultLease
	}
	return &Store{pool, lease}
}

const (
	columns     = `id::text, account_id::text, calendar_id, coalesce((request - 'packed')::text, ''), ` + moreColumns
	allColumns  = `id::text, account_id::text, calendar_id, coalesce(request::text, ''), ` + moreColumns
	moreColumns = `status, progress::text, attempts, turns, traceparent, request_id, coalesce(error_code, ''), run_after, created_at, finished_at`
)

func scan(row pgx.CollectableRow) (s Sync, err error) {
	var request, progress string
	err = row.Scan(&s.ID, &s.AccountID, &s.CalendarID, &request, &s.Status, &progress, &s.Attempts, &s.Runs,
		&s.Traceparent, &s.RequestID, &s.ErrorCode, &s.RunAfter, &s.CreatedAt, &s.FinishedAt)
	if err != nil {
		return s, err
	}
	if request != "" {
		if err := s.unpack([]byte(request)); err != nil {
			return s, fmt.Errorf("decode a stored request: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(progress), &s.Progress); err != nil {
		return s, fmt.Errorf("decode stored counts: %w", err)
	}
	return s, nil
}

// New is a sync to be made.
type New struct {
	AccountID  string
	CalendarID string
	Request    Request
	Limit      int    // how many of the account may wait, including this one
	Years      string // the stamp of the academic years that the request was made by; empty leaves the calendar's
	Recipe     Recipe // of what it was made; not kept without Years of its own
	tracing.Cause
}

// oneAtATimeSQL lets the creations of one account wait for each other, so that none counts without the others'
// syncs: a statement of its own, for createSQL counts by the snapshot that it began with. It holds to the end of the
// transaction, and relies on no session.
const oneAtATimeSQL = `select pg_advisory_xact_lock(hashtextextended('syncs of ' || $1::text, 0))`

const createSQL = `
insert into google_syncs (id, account_id, calendar_id, request, traceparent, request_id)
select $1::uuid, id, $3, $4::jsonb, $5, $7 from google_accounts
where id = $2::uuid and (select count(*) from google_syncs where account_id = $2::uuid and status = 'pending') < $6::int
returning ` + columns

// pruneSQL keeps an account's newest finished syncs.
const pruneSQL = `
delete from google_syncs where account_id = $1::uuid and status <> 'pending' and id not in (
	select id from google_syncs where account_id = $1::uuid and status <> 'pending' order by id desc limit 20)`

// Create puts a sync at the end of its account's queue, and keeps its recipe with it.
func (s *Store) Create(ctx context.Context, n New) (made Sync, err error) {
	err = s.pool.Tx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if made, err = n.create(ctx, tx); err != nil {
			return err
		}
		if n.Years != "" {
			if _, err := tx.Exec(ctx, stampSQL, n.AccountID, n.CalendarID, n.Years); err != nil {
				return err
			}
		}
		if n.Recipe.Years != "" {
			if err := n.Recipe.add(ctx, tx, n.AccountID, n.CalendarID); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, pruneSQL, n.AccountID)
		return err
	})
	if err != nil {
		return Sync{}, fmt.Errorf("create a sync: %w", err)
	}
	return made, nil
}

// create inserts the sync, unless too many wait.
func (n New) create(ctx context.Context, tx pgx.Tx) (Sync, error) {
	args, err := n.args()
	if err != nil {
		return Sync{}, err
	}
	if _, err := tx.Exec(ctx, oneAtATimeSQL, n.AccountID); err != nil {
		return Sync{}, err
	}
	rows, err := tx.Query(ctx, createSQL, args...)
	if err != nil {
		return Sync{}, err
	}
	made, err := pgx.CollectOneRow(rows, scan)
	if errors.Is(err, pgx.ErrNoRows) {
		return Sync{}, ErrTooMany
	}
	return made, err
}

// args are the parameters of createSQL.
func (n New) args() ([]any, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make a sync id: %w", err)
	}
	request, err := n.Request.pack()
	if err != nil {
		return nil, fmt.Errorf("encode a sync: %w", err)
	}
	return []any{id.String(), n.AccountID, n.CalendarID, string(request), n.Traceparent, n.Limit, n.RequestID}, nil
}

const getSQL = `select ` + columns + ` from google_syncs where account_id = $1::uuid and id = $2::uuid`

// Get is one of an account's syncs.
func (s *Store) Get(ctx context.Context, account, id string) (Sync, error) {
	return s.querySync(ctx, getSQL, account, id)
}

const findSQL = `select ` + columns + ` from google_syncs where id = $1::uuid`

// Find is a sync of any account. It is for workers, never for a caller's request.
func (s *Store) Find(ctx context.Context, id string) (Sync, error) {
	return s.querySync(ctx, findSQL, id)
}

func (s *Store) querySync(ctx context.Context, sql string, ids ...any) (Sync, error) {
	for _, id := range ids {
		if text, ok := id.(string); !ok || uuid.Validate(text) != nil {
			return Sync{}, ErrNotFound
		}
	}
	sync, err := postgres.QueryOne(ctx, s.pool, scan, sql, ids...)
	if errors.Is(err, pgx.ErrNoRows) {
		return Sync{}, ErrNotFound
	}
	if err != nil {
		return Sync{}, fmt.Errorf("read a sync: %w", err)
	}
	return sync, nil
}

const recentSQL = `select ` + columns + ` from google_syncs where account_id = $1::uuid order by id desc limit $2::int`

// Recent are an account's newest syncs, the newest first.
func (s *Store) Recent(ctx context.Context, account string, most int) ([]Sync, error) {
	all, err := postgres.Query(ctx, s.pool, scan, recentSQL, account, most)
	if err != nil {
		return nil, fmt.Errorf("list an account's syncs: %w", err)
	}
	return all, nil
}

const newestDueSQL = `select ` + columns + ` from google_syncs
where account_id = $1::uuid and status = 'pending' and run_after <= now() order by id desc limit 1`

// NewestDue is the newest sync of an account that a worker may attempt now; ok is false where there is none.
func (s *Store) NewestDue(ctx context.Context, account string) (newest Sync, ok bool, err error) {
	newest, err = s.querySync(ctx, newestDueSQL, account)
	if errors.Is(err, ErrNotFound) {
		return Sync{}, false, nil
	}
	return newest, err == nil, err
}

const dueSQL = `
select * from (
	select distinct on (google_syncs.account_id) ` + columns + ` from google_syncs
	where status = 'pending' and run_after <= now()
	and account_id in (select id from google_accounts where lease_until is null or lease_until < now())
	order by google_syncs.account_id, google_syncs.id) oldest
order by run_after, id limit $1::int`

// Due are syncs that wait without a worker, at most one of each account: its oldest. Those that have waited longest
// come first.
func (s *Store) Due(ctx context.Context, most int) ([]Sync, error) {
	all, err := postgres.Query(ctx, s.pool, scan, dueSQL, most)
	if err != nil {
		return nil, fmt.Errorf("list what waits: %w", err)
	}
	return all, nil
}

const deleteFinishedSQL = `delete from google_syncs where finished_at < now() - make_interval(secs => $1::float8)`

// DeleteFinished deletes the syncs that ended before that long, of all accounts.
func (s *Store) DeleteFinished(ctx context.Context, age time.Duration) (int64, error) {
	gone, err := s.pool.Exec(ctx, deleteFinishedSQL, age.Seconds())
	if err != nil {
		return 0, fmt.Errorf("forget finished syncs: %w", err)
	}
	return gone, nil
}
