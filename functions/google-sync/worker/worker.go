// Package worker carries out the syncs that wait in the queues of package syncs.
//
// One run works for one account. It claims the account's lease, so that no other process works for the account at the
// same time, and takes the account's syncs in the order in which they were made. For each of them it
//
//   - lists what schedgen wrote into the calendar before (package google),
//   - compares that with what the sync wants (package plan),
//   - makes one call to Google for each difference, and before each call renews the lease and saves the counts.
//
// An attempt ends in one of six ways, which are also the values of schedgen_google_syncs_total{outcome}:
//
//	done      the calendar is as the sync wants it
//	failed    Google refused for good; the sync has an error code for the student
//	yielded   the request's time ran out; the sync stays pending and an event asks for the next attempt
//	deferred  Google is unavailable or throttles; the sync stays pending until its retry time has come
//	lost      another worker holds the lease now, or the account was deleted
//	error     the database failed; nothing was decided
//
// A run may be killed anywhere. The next one compares again and does only what is left: inserts use computed ids, so
// a repeated insert meets itself, and patches and deletes hold only for the version of the event that was compared.
package worker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/retry"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Config says how long and how often a sync is worked on.
type Config struct {
	Wait     time.Duration `env:"SYNC_WAIT, default=30s"`    // the longest time that one request works on a sync; at least 100ms
	Attempts int           `env:"SYNC_ATTEMPTS, default=12"` // attempts of a sync while Google is unavailable
}

// minWait is a time in which an attempt makes some progress. With less, no sync would ever end.
const minWait = 100 * time.Millisecond

// Worker works on the queues of one database. It is safe for concurrent use, by any number of processes.
type Worker struct {
	cfg       Config
	syncs     *syncs.Store
	accounts  *account.Store
	tokens    *account.Tokens
	google    *google.Calendars
	publisher *events.Publisher
	outcomes  *prometheus.CounterVec
	planned   *prometheus.HistogramVec
}

// New is the Worker of a queue. It connects nothing.
func New(cfg Config, queue *syncs.Store, accounts *account.Store, tokens *account.Tokens, calendars *google.Calendars, publisher *events.Publisher) *Worker {
	cfg = settings.WithDefaults(cfg)
	cfg.Wait = max(cfg.Wait, minWait)
	w := &Worker{
		cfg: cfg, syncs: queue, accounts: accounts, tokens: tokens, google: calendars, publisher: publisher,
		outcomes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_google_syncs_total",
			Help: "Attempts of syncs by outcome: done, failed, yielded (out of time), deferred (Google unavailable), lost (the lease), error.",
		}, []string{"outcome"}),
		planned: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "schedgen_google_plan_actions", Help: "Actions of a plan, by operation.",
			Buckets: []float64{0, 1, 5, 20, 50, 100, 200, 500, 1000, 5000},
		}, []string{"operation"}),
	}
	for _, outcome := range []string{"done", "failed", "error"} {
		w.outcomes.WithLabelValues(outcome) // at 0: what Prometheus first sees at 1 is no increase to it
	}
	return w
}

// Collectors are the worker's metrics.
func (w *Worker) Collectors() []prometheus.Collector {
	return []prometheus.Collector{w.outcomes, w.planned}
}

// margin is the part of a request's time that is kept for the call that is under way at the end, and for the answer.
const margin, forAnswer = 4 * time.Second, time.Second

// errOutOfTime ends an attempt between two calls.
var errOutOfTime = errors.New("the request's time is over")

// deadline is when a request must stop working.
func (w *Worker) deadline(ctx context.Context) time.Time {
	end := time.Now().Add(w.cfg.Wait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-margin).Before(end) {
		return deadline.Add(-margin)
	}
	return end
}

// Await works on the account's queue until the sync has ended or the request's time is over, and returns the sync as
// it is then. While another worker holds the account's lease, it waits.
func (w *Worker) Await(ctx context.Context, s syncs.Sync) (syncs.Sync, error) {
	end := w.deadline(ctx)
	const first, longest = 50 * time.Millisecond, time.Second
	for pause := first; ; pause = min(2*pause, longest) {
		worked, err := w.run(ctx, s, end)
		if err != nil {
			return s, err
		}
		after := context.WithoutCancel(ctx)
		if s, err = w.syncs.Find(after, s.ID); err != nil {
			return s, fmt.Errorf("read the sync again: %w", err)
		}
		if s.Status != syncs.Pending || worked || time.Until(end) <= pause || retry.Wait(ctx, pause) != nil {
			return s, w.publishNext(after, s.AccountID)
		}
	}
}

// Resume works on a sync that an event named, within this request. It does not stop when the caller hangs up: the
// publisher of an event to this function itself does not wait for the answer.
func (w *Worker) Resume(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	s, err := w.syncs.Find(ctx, id)
	if errors.Is(err, syncs.ErrNotFound) || err == nil && s.Status != syncs.Pending {
		return nil
	}
	if err != nil {
		return err
	}
	worked, err := w.run(ctx, s, w.deadline(ctx))
	if err != nil || !worked {
		return err // the worker that holds the lease publishes what is left
	}
	return w.publishNext(ctx, s.AccountID)
}

// HandOut gives pending syncs to workers by event or, where no publisher is configured, works on them itself. It
// returns how many a receiver accepted, or it worked on: not those of accounts that another worker works for.
func (w *Worker) HandOut(ctx context.Context, pending []syncs.Sync) (handedOut int64, err error) {
	if w.publisher.Enabled() {
		return w.publishAll(ctx, pending), nil
	}
	end := w.deadline(ctx)
	var errs []error
	for _, s := range pending {
		worked, err := w.run(ctx, s, end)
		if worked && err == nil {
			handedOut++
		}
		errs = append(errs, err)
	}
	return handedOut, errors.Join(errs...)
}

// publishAll publishes several syncs at once, because a receiver may take its time over each.
func (w *Worker) publishAll(ctx context.Context, pending []syncs.Sync) int64 {
	var accepted atomic.Int64
	var publishing errgroup.Group
	publishing.SetLimit(10)
	for _, s := range pending {
		publishing.Go(func() error {
			if w.Publish(ctx, s) {
				accepted.Add(1)
			}
			return nil
		})
	}
	_ = publishing.Wait() // none fails
	return accepted.Load()
}

// run takes the account's lease and works on its queue, in order, until the sync has been attempted or the time is
// over. worked is false where another worker holds the lease.
func (w *Worker) run(ctx context.Context, s syncs.Sync, end time.Time) (worked bool, err error) {
	lease, ok, err := w.syncs.Claim(ctx, s.AccountID)
	if err != nil || !ok {
		return false, err
	}
	// The outcome must be saved and the lease released even if the caller hangs up.
	after := context.WithoutCancel(ctx)
	defer func() { err = errors.Join(err, w.syncs.Release(after, lease)) }()
	working, cancel := context.WithDeadline(ctx, end.Add(margin-forAnswer))
	defer cancel()
	for time.Now().Before(end) {
		next, ok, err := w.syncs.Next(working, lease)
		if err != nil || !ok {
			return true, ignoreDeadline(working, err)
		}
		ended, err := w.attempt(working, lease, next, end)
		if err != nil || next.ID == s.ID || !ended {
			return true, err
		}
	}
	return true, nil
}

// ignoreDeadline drops the error of a query that our own deadline ended.
func ignoreDeadline(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// The outcomes of an attempt.
const (
	done     = "done"
	failed   = "failed"
	yielded  = "yielded"
	deferred = "deferred"
	lost     = "lost"
	errored  = "error"
)

// attempt makes one attempt of a sync. ended reports that the sync is done or failed, so that the next one can begin.
func (w *Worker) attempt(ctx context.Context, lease syncs.Lease, s syncs.Sync, end time.Time) (ended bool, err error) {
	ctx, traced := tracing.Work(ctx, s.Cause, "sync")
	defer func() { traced(err) }()
	person, err := w.accounts.Get(ctx, s.AccountID)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil // the account was deleted with all its syncs
	}
	if err != nil {
		return false, ignoreDeadline(ctx, err)
	}
	a := &applier{w: w, lease: lease, sync: s, person: person, progress: s.Progress, end: end}
	cause := a.run(ctx)
	outOfTime := ctx.Err() != nil || errors.Is(cause, errOutOfTime)
	outcome, err := w.finish(context.WithoutCancel(ctx), outOfTime, a, cause)
	w.outcomes.WithLabelValues(outcome).Inc()
	tracing.Note(ctx, attribute.String("schedgen.outcome", outcome))
	text := ""
	if cause != nil {
		text = cause.Error()
	}
	api.Logger(ctx).InfoContext(ctx, "sync attempted", "sync", s.ID, "outcome", outcome, "progress", a.progress, "error", text)
	if errors.Is(err, syncs.ErrLeaseLost) {
		return false, nil // another worker continues, or the account was deleted
	}
	return outcome == done || outcome == failed, err
}

// finish saves the outcome of an attempt that ended with cause, nil for success.
func (w *Worker) finish(ctx context.Context, outOfTime bool, a *applier, cause error) (outcome string, err error) {
	var e *google.Error
	switch {
	case cause == nil:
		return done, w.syncs.Finish(ctx, a.lease, a.sync, a.progress, "")
	case errors.Is(cause, syncs.ErrLeaseLost):
		return lost, cause
	case outOfTime:
		return yielded, w.syncs.Yield(ctx, a.lease, a.sync.ID, a.progress)
	case !errors.As(cause, &e):
		return errored, cause
	case e.Temporary() && a.sync.Attempts+1 < w.cfg.Attempts:
		return deferred, w.syncs.Defer(ctx, a.lease, a.sync.ID, a.progress, max(e.RetryAfter, backoff(a.sync.Attempts)))
	}
	code := codeOf(e)
	switch code {
	case api.SignInRequired:
		err = w.accounts.End(ctx, a.person)
	case api.CalendarNotFound:
		err = w.syncs.MarkGone(ctx, a.person.ID, a.sync.CalendarID)
	}
	if err != nil {
		return errored, err
	}
	return failed, w.syncs.Finish(ctx, a.lease, a.sync, a.progress, code)
}

// backoff is how long a sync waits after so many attempts: 5 s, 10 s, ... 10 min, with jitter.
func backoff(attempts int) time.Duration {
	const first, longest = 5 * time.Second, 10 * time.Minute
	wait := min(first<<min(attempts, 10), longest)
	return wait + rand.N(wait/2)
}

// publishTimeout bounds how long a request waits for the receiver of an event. A broker accepts an event at once.
// This function itself answers when it has worked; it goes on after the publisher stopped waiting.
const publishTimeout = 2 * time.Second

// Publish asks for a worker for a pending sync, and reports whether a receiver accepted the event. If none did, the
// sweep finds the sync.
func (w *Worker) Publish(ctx context.Context, s syncs.Sync) (accepted bool) {
	if !w.publisher.Enabled() {
		return false
	}
	e, err := events.NewSync(events.Sync{SyncID: s.ID, Cause: s.Cause}, s.Runs, time.Now())
	if err == nil {
		publishing, cancel := context.WithTimeout(context.WithoutCancel(ctx), publishTimeout)
		defer cancel()
		err = w.publisher.Publish(publishing, e)
	}
	if err != nil {
		api.Logger(ctx).InfoContext(ctx, "sync not published; it continues with its next event or the sweep", "sync", s.ID, "reason", err.Error())
	}
	return err == nil
}

// publishNext publishes the newest sync that still waits for an account after an attempt: its run works on those
// before it, too. The sweep finds a deferred sync when its retry time has come.
func (w *Worker) publishNext(ctx context.Context, accountID string) error {
	s, ok, err := w.syncs.NewestDue(ctx, accountID)
	if err == nil && ok {
		w.Publish(ctx, s)
	}
	return err
}

// Plan compares a calendar with what a request wants in it, and changes nothing.
func (w *Worker) Plan(ctx context.Context, client *google.Client, person account.Account, calendarID string, request syncs.Request) (plan.Plan, error) {
	existing, err := client.Events(ctx, calendarID, plan.Marker(person.Subject))
	if err != nil {
		return plan.Plan{}, err
	}
	memory, err := w.syncs.Memory(ctx, person.ID, calendarID)
	if err != nil {
		return plan.Plan{}, err
	}
	authority, madeAt := plan.Authority{Scopes: request.Scopes, IDs: request.Gone}, request.Made
	if request.Remove {
		madeAt = time.Time{} // past tests and exams are removed, too
		for _, e := range existing {
			authority.IDs = append(authority.IDs, e.ID)
		}
	}
	return plan.Make(request.Wanted, existing, authority, memory, madeAt), nil
}
