// Package jobs is the state machine of a job, kept in PostgreSQL, which is the only truth about it:
//
//	pending -> processing -> completed | failed
//	   ^            |
//	   '--- Retry --'
//
// A worker must Claim a job: one conditional UPDATE gives it a lease with a random token and counts
// the attempt. Everything the worker then writes is conditional on that token, so a worker that
// lost its lease (it slept, it was cut off, it was thought dead) can write nothing, and a job has
// exactly one set of entries however often it is delivered.
//
// Events are hints: a lost one is found by the sweep queries, a doubled one meets ErrNotClaimable.
// All times are the database's, so instances need not agree on theirs.
package jobs

import (
	"errors"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Status is where a job is in its life.
type Status string

// The states of a job.
const (
	Pending    Status = "pending"
	Processing Status = "processing"
	Completed  Status = "completed"
	Failed     Status = "failed"
)

// Priority is how soon a job wants to be done.
type Priority string

// The priorities, first the one that yields last.
const (
	High   Priority = "high"
	Normal Priority = "normal"
	Low    Priority = "low"
)

// ParsePriority reads a priority; empty is Normal.
func ParsePriority(text string) (Priority, bool) {
	switch p := Priority(text); p {
	case "":
		return Normal, true
	case High, Normal, Low:
		return p, true
	}
	return "", false
}

// The codes of failures that this package itself decides on.
const (
	CodeAttempts         = api.AttemptsExhausted // the last allowed attempt died without a word
	CodeTimeout          = api.ProcessingTimeout // the whole job took longer than Limits.Timeout
	CodePDFMissing       = api.PDFMissing        // the object is gone
	CodeUploadIncomplete = api.UploadIncomplete  // the object never came
)

// ErrNotFound says that there is no such job, or that it is another owner's.
var ErrNotFound = errors.New("jobs: no such job")

// ErrLeaseLost says that the job is no longer this claim's: nothing was written.
var ErrLeaseLost = tracing.NewError("LEASE_LOST", "jobs: the lease is lost")

// Job is one upload and what became of it.
type Job struct {
	ID           string
	Owner        string
	Status       Status
	Priority     Priority
	Kind         timetable.Kind // empty until completed
	Filename     string
	Size         int64
	SHA256       string // hex
	ObjectKey    string
	CreatedAt    time.Time
	UpdatedAt    time.Time
	UploadedAt   *time.Time // the object is stored
	StartedAt    *time.Time // the first claim
	CompletedAt  *time.Time // the end, completed or failed
	RunAfter     time.Time
	Attempts     int
	LeaseUntil   *time.Time
	ErrorCode    string
	ErrorMessage string
	PDFDeletedAt *time.Time
	tracing.Cause
}

// ProbeOwner owns the jobs by which the system tries whether timetables are read. No person has such an id: theirs are
// random, of version 4.
const ProbeOwner = "00000000-0000-8000-8000-000000000001"

// Topic is the cache topic of a job: waking it wakes the requests that wait for the job's end.
func Topic(id string) string { return "job:" + id }

// Done reports whether the job has ended: it will never change again.
func (j Job) Done() bool { return j.Status == Completed || j.Status == Failed }

// Probe reports whether the job is one of ProbeOwner's: no person waits for it, so the numbers of jobs leave it out.
func (j Job) Probe() bool { return j.Owner == ProbeOwner }

// Limits are the bounds of every job.
type Limits struct {
	Attempts int           `env:"JOB_ATTEMPTS, default=3"` // of a job, then it has failed
	Backoff  time.Duration `env:"JOB_BACKOFF, default=2s"` // before the second attempt; then it doubles
	Timeout  time.Duration `env:"JOB_TIMEOUT, default=5m"` // from the first claim to the end
	// How long a completed job counts in the queue's metrics.
	MetricsWindow time.Duration `env:"JOB_METRICS_WINDOW, default=1h"`
	// How long a failed job counts in the queue's metrics.
	MetricsWindowFailed time.Duration `env:"JOB_METRICS_WINDOW_FAILED, default=24h"`
}

// DefaultLimits are those of the design.
func DefaultLimits() Limits {
	return settings.WithDefaults(Limits{})
}

// Store is the jobs of one database. It is safe for concurrent use, by any number of processes.
type Store struct {
	pool   *postgres.Pool
	limits Limits
}

// NewStore is the Store of pool, with DefaultLimits.
func NewStore(pool *postgres.Pool) *Store {
	return &Store{pool: pool, limits: DefaultLimits()}
}

// WithLimits is the same store with other limits. Of those that are not given it has the default.
func (s *Store) WithLimits(limits Limits) *Store {
	return &Store{pool: s.pool, limits: settings.WithDefaults(limits)}
}
