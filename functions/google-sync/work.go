package googlesync

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/retry"
)

// margin is kept of a request's time for the call that is under way when time is over, and for the answer.
const margin, forAnswer = 4 * time.Second, time.Second

// errOutOfTime ends a turn between two calls.
var errOutOfTime = errors.New("the request's time is over")

// until is when a request must stop working.
func (f *Function) until(ctx context.Context) time.Time {
	end := time.Now().Add(f.cfg.SyncWait)
	if deadline, ok := ctx.Deadline(); ok && deadline.Add(-margin).Before(end) {
		return deadline.Add(-margin)
	}
	return end
}

// await works on the account's queue until the sync has ended or the request's time is over, and gives the
// sync as it is then. While somebody else works for the account, it waits for its turn.
func (f *Function) await(ctx context.Context, s syncs.Sync) (syncs.Sync, error) {
	end := f.until(ctx)
	const first, most = 50 * time.Millisecond, time.Second
	for pause := first; ; pause = min(2*pause, most) {
		worked, err := f.work(ctx, s, end)
		if err != nil {
			return s, err
		}
		after := context.WithoutCancel(ctx)
		if s, err = f.syncs.Find(after, s.ID); err != nil {
			return s, fmt.Errorf("see how the sync is: %w", err)
		}
		if s.Status != syncs.Pending || worked || !wait(ctx, end, pause) {
			return s, f.tellRest(after, s.AccountID)
		}
	}
}

// wait waits, and says whether there is time left after it.
func wait(ctx context.Context, end time.Time, d time.Duration) bool {
	if time.Until(end) <= d {
		return false
	}
	return retry.Wait(ctx, d) == nil
}

// work takes the account's lease and works on its queue, in order, until the sync has had its turn or time
// is over. It says whether it had the lease. Whatever else waits then is told of by an event.
func (f *Function) work(ctx context.Context, s syncs.Sync, end time.Time) (worked bool, err error) {
	lease, ok, err := f.syncs.Claim(ctx, s.AccountID)
	if err != nil || !ok {
		return false, err
	}
	// What happened must be written and the lease given back even if the caller goes away.
	after := context.WithoutCancel(ctx)
	defer func() {
		if releasing := f.syncs.Release(after, lease); releasing != nil {
			err = errors.Join(err, releasing)
		}
	}()
	working, cancel := context.WithDeadline(ctx, end.Add(margin-forAnswer))
	defer cancel()
	for time.Now().Before(end) {
		next, ok, err := f.syncs.Next(working, lease)
		if err != nil || !ok {
			return true, ignoreDeadline(working, err)
		}
		over, err := f.turn(working, lease, next, end)
		if err != nil || next.ID == s.ID || !over {
			return true, err
		}
	}
	return true, nil
}

// ignoreDeadline drops the error of a query that our own deadline cut off.
func ignoreDeadline(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// turn is one turn of a sync: it ends, is put off, or is handed on. Over says that the next one's turn has come.
func (f *Function) turn(ctx context.Context, lease syncs.Lease, s syncs.Sync, end time.Time) (over bool, err error) {
	ctx = faas.ContinueTrace(ctx, s.Traceparent)
	person, err := f.accounts.Get(ctx, s.AccountID)
	if errors.Is(err, account.ErrNotFound) {
		return false, nil // forgotten, with all its syncs
	}
	if err != nil {
		return false, ignoreDeadline(ctx, err)
	}
	a := &applier{f: f, lease: lease, sync: s, person: person, progress: s.Progress, end: end}
	failed := a.run(ctx)
	after := context.WithoutCancel(ctx)
	outcome, err := f.settle(after, ctx.Err() != nil || errors.Is(failed, errOutOfTime), a, failed)
	f.metrics.syncs.WithLabelValues(outcome).Inc()
	api.Logger(ctx).InfoContext(ctx, "sync", "sync", s.ID, "outcome", outcome, "progress", a.progress, "error", errorText(failed))
	if errors.Is(err, syncs.ErrLeaseLost) {
		return false, nil // somebody else does it, or it was forgotten
	}
	return outcome == "done" || outcome == "failed", err
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// settle writes what became of a turn.
func (f *Function) settle(ctx context.Context, outOfTime bool, a *applier, failed error) (string, error) {
	var e *google.Error
	switch {
	case failed == nil:
		err := f.syncs.Finish(ctx, a.lease, a.sync.ID, a.progress, "")
		if err == nil && a.sync.Request.Remove {
			err = f.syncs.Clear(ctx, a.person.ID, a.sync.CalendarID)
		}
		return "done", err
	case errors.Is(failed, syncs.ErrLeaseLost):
		return "lost", failed
	case outOfTime:
		return "handed on", f.syncs.HandOn(ctx, a.lease, a.sync.ID, a.progress)
	case !errors.As(failed, &e):
		return "error", failed
	case e.Temporary() && a.sync.Attempts+1 < f.cfg.SyncAttempts:
		return "put off", f.syncs.Delay(ctx, a.lease, a.sync.ID, a.progress, max(e.RetryAfter, putOff(a.sync.Attempts)))
	}
	code := codeOf(e)
	switch code {
	case api.SignInRequired:
		if err := f.accounts.End(ctx, a.person); err != nil {
			return "error", err
		}
	case api.CalendarNotFound:
		if err := f.syncs.Lost(ctx, a.person.ID, a.sync.CalendarID); err != nil {
			return "error", err
		}
	}
	return "failed", f.syncs.Finish(ctx, a.lease, a.sync.ID, a.progress, code)
}

// putOff is how long a sync waits after so many attempts: 5 s, 10 s, ... 10 min, with jitter.
func putOff(attempts int) time.Duration {
	const first, most = 5 * time.Second, 10 * time.Minute
	wait := min(first<<min(attempts, 10), most)
	return wait + rand.N(wait/2)
}

// handOver bounds how long a request waits for the next turn's taker. A broker takes an event at once. This
// function itself, told directly, answers when it has worked: it is not waited for, and works on.
const handOver = 2 * time.Second

// publish tells of a sync that waits. An event that nobody takes loses nothing: the sweep finds the sync.
func (f *Function) publish(ctx context.Context, s syncs.Sync) {
	if !f.publisher.Enabled() {
		return
	}
	e, err := events.NewSync(events.Sync{SyncID: s.ID, Traceparent: s.Traceparent}, s.Turns, f.now())
	if err == nil {
		telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOver)
		defer cancel()
		err = f.publisher.Publish(telling, e)
	}
	if err != nil {
		api.Logger(ctx).InfoContext(ctx, "a sync goes on when it is told of or found", "sync", s.ID, "reason", err.Error())
	}
}

// planFor compares a calendar with what it should be.
func (f *Function) planFor(ctx context.Context, client *google.Client, person account.Account, id string, request syncs.Request) (plan.Plan, error) {
	existing, err := client.Events(ctx, id, plan.Marker(person.Subject))
	if err != nil {
		return plan.Plan{}, err
	}
	memory, err := f.syncs.Memory(ctx, person.ID, id)
	if err != nil {
		return plan.Plan{}, err
	}
	speaks, made := plan.Speaks{Scopes: request.Scopes, IDs: request.Gone}, request.Made
	if request.Remove {
		made = time.Time{} // what is over goes, too
		for _, e := range existing {
			speaks.IDs = append(speaks.IDs, e.ID)
		}
	}
	p := plan.Make(request.Wanted, existing, speaks, memory, made)
	for _, op := range []plan.Op{plan.Insert, plan.Patch, plan.Restore, plan.Delete} {
		f.metrics.planned.WithLabelValues(string(op)).Observe(float64(p.Count(op)))
	}
	return p, nil
}
