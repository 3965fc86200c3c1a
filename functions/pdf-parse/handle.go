package pdfparse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"
	"go.opentelemetry.io/otel/attribute"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Handle takes an event: an object store's notification, or a CloudEvent in binary or structured
// mode. What nobody can read becomes a dead letter, for it would be the same the next time. Of
// several records all are tried, and the answer fails if one must come again.
func (f *Function) Handle(ctx context.Context, req handler.Request) (handler.Response, error) {
	done := handler.Response{StatusCode: http.StatusNoContent}
	if len(req.Body) == 0 && req.Header.Get("Ce-Specversion") == "" {
		return done, nil // an object store that tries the address
	}
	var again error
	for _, item := range events.Each(req.Header, req.Body) {
		if err := f.handleItem(ctx, item); err != nil && again == nil {
			again = err
		}
	}
	return done, again
}

// handleItem does what one event asks for; nil says that it is done with.
func (f *Function) handleItem(ctx context.Context, item events.Item) error {
	if item.Err != nil {
		return f.deadLetter(ctx, item.Err, item)
	}
	object, err := events.ObjectOf(item.Event)
	if err == nil && object.JobID == "" {
		err = fmt.Errorf("the object %q is no upload", object.Key)
	}
	if err != nil {
		return f.deadLetter(ctx, err, item)
	}
	return f.handleObject(ctx, object)
}

// deadLetter keeps an event that nobody can use, with its job, so that it goes when its job is deleted.
func (f *Function) deadLetter(ctx context.Context, reason error, item events.Item) error {
	letter := jobs.DeadLetter{Source: "pdf-parse", Reason: reason.Error(), Event: item.Raw}
	if item.Err == nil {
		letter.JobID = events.JobOf(item.Event)
	}
	f.metrics.events.WithLabelValues("dead_letter").Inc()
	api.Logger(ctx).WarnContext(ctx, "dead letter", "reason", reason, "job", letter.JobID)
	_, err := f.jobs.KeepDeadLetter(ctx, letter)
	return err
}

// unlimited is how long the request of an event lasts that has no deadline.
const unlimited = time.Minute

// handleObject does jobs until that of an object is done, or taken by another worker; nil says that its event is done with.
// Which job is read next is not for events to say, for whoever sends the most would have the most: it is the one whose
// turn it is. As no event is done with before its own job is taken, as many events are on their way as jobs wait.
//
// The worker then goes on while jobs are due, so that its slot is not empty while a job waits whose event was refused or
// lost. What goes wrong with these is no matter of the event, which is done with. It does so, too, for a caller that has
// hung up: its event may be the last that comes. In the second half of the request's time it begins none.
func (f *Function) handleObject(ctx context.Context, o events.Object) error {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(unlimited)
	}
	half := time.Now().Add(time.Until(end) / 2)
	for {
		over, err := f.runNextJob(ctx, o)
		switch {
		case over && err == nil, ctx.Err() != nil:
			f.goOn(context.WithoutCancel(ctx), half)
			return err
		case err != nil:
			return err
		case time.Now().After(half):
			return api.New(api.Busy)
		}
	}
}

// runNextJob does the next job. over reports that nothing more is to be done for the event.
func (f *Function) runNextJob(ctx context.Context, o events.Object) (over bool, err error) {
	ctx = tracing.Continue(ctx, o.Cause)
	slot, begun, refusal := f.acquireSlot(ctx, o)
	if begun {
		f.metrics.events.WithLabelValues("waited").Inc()
		return true, nil
	}
	if refusal != nil {
		return true, f.answerRefusal(ctx, o, refusal)
	}
	defer slot.free()
	claim, err := f.jobs.Next(ctx, f.cfg.Lease, slot.may...)
	if errors.Is(err, jobs.ErrNotClaimable) && slices.Contains(slot.may, priorityOf(o)) {
		// None waits whose turn it could be, but the event's own may: that it is stored need not be noted yet.
		claim, err = f.jobs.Claim(ctx, o.JobID, f.cfg.Lease)
	} else if errors.Is(err, jobs.ErrNotClaimable) {
		f.metrics.events.WithLabelValues("busy").Inc()
		return true, f.answerRefusal(ctx, o, api.New(api.Busy))
	}
	if err != nil {
		return true, f.answerUnclaimed(ctx, o, err)
	}
	err = f.run(ctx, claim, slot)
	if claim.Job.ID == o.JobID {
		return true, err
	}
	// Where another's job fails and the event's own waits, the event comes again: what is away would fail the next job, too.
	taken, unknown := f.isTaken(ctx, o)
	if taken {
		return true, nil
	}
	return false, cmp.Or(err, unknown, ctx.Err())
}

// goOn does what is due, for an event that is done with itself, and returns when all workers that it began have left.
func (f *Function) goOn(ctx context.Context, until time.Time) {
	var others sync.WaitGroup
	f.workOn(ctx, until, &others)
	others.Wait()
}

// workOn does what is due. Events that wait for a slot get it first, each time that one is free. Where the rate is used up
// one worker of the instance waits, in no slot: nobody else may come for what is due. Once it has waited it begins another,
// which finds a free slot or leaves, or waits in its place: so the slots of those that did not wait are used again.
func (f *Function) workOn(ctx context.Context, until time.Time, others *sync.WaitGroup) {
	for time.Now().Before(until) {
		over, wait, err := f.runDueJob(ctx)
		if err != nil {
			api.Logger(ctx).WarnContext(ctx, "stopped working on other jobs", "error", err)
		}
		if over || err != nil || wait > 0 && !f.rateWait.wait(ctx, wait, until) {
			return
		}
		if wait > 0 {
			others.Go(func() { f.workOn(ctx, until, others) })
		}
	}
}

// runDueJob does the next job if one is due and may be begun. Only then it counts for the rate, which may ask it to wait.
func (f *Function) runDueJob(ctx context.Context) (over bool, wait time.Duration, err error) {
	slot := f.slots.take("")
	if slot == nil {
		return true, 0, nil
	}
	defer slot.free()
	if due, err := f.jobs.AnyDue(ctx, slot.may...); !due || err != nil {
		return true, 0, err
	}
	rate := f.rate.Allow(ctx, false)
	if !rate.Allowed {
		high, err := f.jobs.AnyDue(ctx, jobs.High)
		if err != nil {
			return true, 0, err
		}
		if high {
			rate = f.allowReserve(ctx, slot)
		}
	}
	if !rate.Allowed {
		return false, max(time.Millisecond, rate.RetryAfter), nil
	}
	claim, err := f.jobs.Next(ctx, f.cfg.Lease, slot.may...)
	if errors.Is(err, jobs.ErrNotClaimable) {
		return true, 0, nil
	}
	if err != nil {
		return true, 0, err
	}
	err = f.run(ctx, claim, slot)
	if isGone(err) {
		err = nil // that is its own fault; the next job's PDF is there
	}
	return false, 0, err
}

// allowReserve asks for what is reserved of the rate. The slot is then for high priority alone.
func (f *Function) allowReserve(ctx context.Context, slot *grant) ratelimit.Decision {
	slot.may = []jobs.Priority{jobs.High}
	return f.rate.Allow(ctx, true)
}

// run does a job in a slot.
func (f *Function) run(ctx context.Context, claim *jobs.Claim, slot *grant) error {
	f.slots.begin(claim.Job.ID)
	f.metrics.events.WithLabelValues("work").Inc()
	ctx, end := tracing.Work(ctx, claim.Job.Cause, "process job", attribute.Int("schedgen.attempt", claim.Job.Attempts))
	err := f.work(ctx, claim, slot.free)
	end(err)
	return err
}

// priorityOf is normal where the event says nothing that makes sense.
func priorityOf(o events.Object) jobs.Priority {
	if priority, ok := jobs.ParsePriority(o.Priority); ok {
		return priority
	}
	return jobs.Normal
}

// isTaken says whether the event's own job waits no more.
func (f *Function) isTaken(ctx context.Context, o events.Object) (bool, error) {
	job, err := f.jobs.Find(ctx, o.JobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return true, nil
	}
	return err == nil && job.Status != jobs.Pending, err
}

// acquireSlot gives a slot within the rate, or a 429 where none is free in time. An event that waits holds nothing that
// others could use; begun reports that its job was begun meanwhile. What is reserved of the rate is used for high priority
// alone.
func (f *Function) acquireSlot(ctx context.Context, o events.Object) (slot *grant, begun bool, refusal *api.Error) {
	priority := priorityOf(o)
	slot, begun = f.slots.wait(ctx, o.JobID, priority, f.cfg.Wait)
	if begun {
		return nil, true, nil
	}
	if slot == nil {
		f.metrics.events.WithLabelValues("busy").Inc()
		return nil, false, api.New(api.Busy)
	}
	rate := f.rate.Allow(ctx, false)
	if !rate.Allowed && priority == jobs.High {
		rate = f.allowReserve(ctx, slot)
	}
	if !rate.Allowed {
		slot.free()
		f.metrics.events.WithLabelValues("rate").Inc()
		return nil, false, api.New(api.RateLimited).WithRetryAfter(rate.RetryAfter)
	}
	return slot, false, nil
}

// answerRefusal answers an event that cannot be worked on now: one that asks for nothing is done with all
// the same, and need not come again.
func (f *Function) answerRefusal(ctx context.Context, o events.Object, refusal *api.Error) error {
	job, err := f.jobs.Find(ctx, o.JobID)
	switch {
	case err == nil && job.Done():
		return f.answerUnclaimed(ctx, o, &jobs.NotClaimable{Reason: jobs.Done})
	case errors.Is(err, jobs.ErrNotFound):
		return f.answerUnclaimed(ctx, o, &jobs.NotClaimable{Reason: jobs.Unknown})
	}
	return refusal
}

// answerUnclaimed answers an event whose job is not this worker's to do.
func (f *Function) answerUnclaimed(ctx context.Context, o events.Object, err error) error {
	var refusal *jobs.NotClaimable
	if !errors.As(err, &refusal) {
		f.metrics.events.WithLabelValues("error").Inc()
		return err
	}
	outcome := f.metrics.events.WithLabelValues
	switch refusal.Reason {
	case jobs.NotDue:
		// The next attempt waits its time. A broker that redelivers comes again then; where it gives up,
		// the sweep publishes the job again once it is due.
		outcome("not_due").Inc()
		return api.New(api.Busy).WithRetryAfter(refusal.RetryAfter)
	case jobs.Unknown:
		outcome("unknown_job").Inc()
		api.Logger(ctx).InfoContext(ctx, "an object without a job", "key", o.Key) // deleted in the meantime
		return nil
	}
	// A duplicate, or a job that the sweep will fail. If the worker that has it dies, the sweep finds
	// its lease.
	outcome("duplicate").Inc()
	return nil
}
