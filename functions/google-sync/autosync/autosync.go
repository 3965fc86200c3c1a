// Package autosync makes the syncs that no request asks for, so that calendars stay up to date by themselves:
//
//   - [Scheduler.JobCompleted]: a new timetable was read, so the owner's following calendars are synced.
//   - [Scheduler.SignedIn]: the same, for timetables that were uploaded while the person was signed out.
//   - [Scheduler.Sweep]: an academic year was corrected, so the lectures of all calendars that it changes are synced; and
//     syncs that no event will finish are handed out again.
//
// It only puts syncs into the queue of package syncs and publishes them. Package worker carries them out.
package autosync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/content"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/functions/google-sync/worker"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendarhttp"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/pack"
)

// Config bounds what is made and kept.
type Config struct {
	SyncsWaiting int           `env:"SYNCS_WAITING, default=10"`    // waiting syncs of one account; more are refused
	SyncsKept    time.Duration `env:"SYNC_RETENTION, default=720h"` // how long the counts of a finished sync are kept
	// How long completed jobs are kept. What a sync was made of is kept no longer; 0 keeps it.
	JobsKept    time.Duration `env:"JOB_RETENTION, default=8784h" zero:"allowed"`
	ReplanBatch int           `env:"REPLAN_BATCH, default=200"` // the most calendars that one sweep brings to a corrected academic year
}

// Scheduler makes syncs. It is safe for concurrent use, by any number of processes.
type Scheduler struct {
	cfg      Config
	syncs    *syncs.Store
	accounts *account.Store
	content  content.Builder
	worker   *worker.Worker
	logName  func(owner string) string // the log names no owner
	swept    *prometheus.CounterVec
}

// New is the Scheduler of a queue. It connects nothing. In the log an owner has the name that logName gives.
func New(cfg Config, queue *syncs.Store, accounts *account.Store, builder content.Builder, w *worker.Worker, logName func(owner string) string) *Scheduler {
	return &Scheduler{cfg: cfg, syncs: queue, accounts: accounts, content: builder, worker: w, logName: logName, swept: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_google_swept_total",
		Help: "Rows that sweeps moved: handed_out (a waiting sync), deleted (a finished sync), replanned (a calendar of a corrected academic year).",
	}, []string{"what"})}
}

// Collectors are the scheduler's metrics.
func (s *Scheduler) Collectors() []prometheus.Collector { return []prometheus.Collector{s.swept} }

// JobCompleted syncs the calendars that follow the owner of a job. The database, not the event, says who that is.
func (s *Scheduler) JobCompleted(ctx context.Context, jobID string) error {
	job, err := s.content.Jobs.Find(ctx, jobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the event's job: %w", err)
	}
	person, err := s.accounts.Get(ctx, job.Owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.syncFollowers(ctx, person)
}

// SignedIn syncs the calendars that followed while the person was signed out. The sign-in does not fail with it.
func (s *Scheduler) SignedIn(ctx context.Context, person account.Account) {
	if err := s.syncFollowers(ctx, person); err != nil {
		api.Logger(ctx).WarnContext(ctx, "following calendars not synced after the sign-in", "error", err.Error())
	}
}

// syncFollowers makes and publishes a sync for each calendar that follows the account's uploads. It does not wait for
// Google.
func (s *Scheduler) syncFollowers(ctx context.Context, person account.Account) error {
	if !person.SignedIn() {
		return nil // SignedIn does it later
	}
	all, err := s.syncs.Calendars(ctx, person.ID)
	if err != nil {
		return err
	}
	var failures []error // a calendar that fails does not keep the others waiting
	for _, c := range all {
		if c.Following {
			failures = append(failures, s.enqueue(ctx, person, c))
		}
	}
	return errors.Join(failures...)
}

// enqueue makes and publishes the sync of one following calendar.
func (s *Scheduler) enqueue(ctx context.Context, person account.Account, c syncs.Calendar) error {
	made, ok, err := s.followerContent(ctx, c)
	if err != nil || !ok {
		return err
	}
	created, err := s.syncs.Create(ctx, made.Sync(ctx, person, c.ID, s.cfg.SyncsWaiting))
	if errors.Is(err, syncs.ErrTooMany) {
		return api.New(api.Busy) // the event is delivered again
	}
	if errors.Is(err, pack.ErrTooLong) {
		s.logCannotFollow(ctx, c, api.PayloadTooLarge)
		return nil
	}
	if err != nil {
		return err
	}
	s.worker.Publish(ctx, created)
	return nil
}

func (s *Scheduler) logCannotFollow(ctx context.Context, c syncs.Calendar, code string) {
	api.Logger(ctx).WarnContext(ctx, "calendar cannot follow", "owner", s.logName(c.AccountID), "code", code)
}

// followerContent is what a following calendar should hold now. ok is false where nothing can be built.
func (s *Scheduler) followerContent(ctx context.Context, c syncs.Calendar) (made content.Content, ok bool, err error) {
	made, err = s.content.ForFollower(ctx, c.AccountID, c.Colors.Apply(c.Options), c.ChosenAt)
	var problem *api.Error
	if errors.As(calendarhttp.APIError(err), &problem) && problem.Status() < http.StatusInternalServerError {
		s.logCannotFollow(ctx, c, problem.Code)
		return made, false, nil
	}
	if err != nil {
		return made, false, err
	}
	made.Options = c.Options
	return made, true, s.syncs.SaveColors(ctx, c.AccountID, c.ID, c.Colors.With(made.Calendar))
}
