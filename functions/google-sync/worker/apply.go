package worker

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
)

// applier makes the calls of one sync's plan.
type applier struct {
	w        *Worker
	lease    syncs.Lease
	sync     syncs.Sync
	person   account.Account
	client   *google.Client
	marker   string
	progress syncs.Progress
	end      time.Time // no call begins after it
	deleted  []string  // ids of events that a person deleted, before this attempt or during it
	failed   []string  // ids of events that Google refused: the next sync tries again
}

// run compares the calendar with what the sync wants, and makes the calls that are left. After an error any worker
// can run it again.
func (a *applier) run(ctx context.Context) error {
	client, err := a.w.Client(ctx, a.person)
	if err != nil {
		return err
	}
	client.Before(a.heartbeat)
	a.client, a.marker = client, plan.Marker(a.person.Subject)
	p, err := a.w.Plan(ctx, client, a.person, a.sync.CalendarID, a.sync.Request)
	if err != nil {
		return err
	}
	for _, op := range []plan.Op{plan.Insert, plan.Patch, plan.Restore, plan.Delete} {
		a.w.planned.WithLabelValues(string(op)).Observe(float64(p.Count(op)))
	}
	a.count(p)
	if err := a.remember(ctx, plan.Removed, deletes(p)); err != nil {
		return err
	}
	for _, action := range p.Actions {
		if time.Now().After(a.end) {
			return errOutOfTime
		}
		if err := a.apply(ctx, action); err != nil {
			return err
		}
	}
	if err := a.heartbeat(ctx); err != nil {
		return err
	}
	return a.rememberAll(ctx)
}

// heartbeat renews the lease and saves the counts so far.
func (a *applier) heartbeat(ctx context.Context) error {
	return a.w.syncs.Heartbeat(ctx, a.lease, a.sync.ID, a.progress)
}

// count begins the counts of an attempt. What earlier attempts wrote looks unchanged now, and is not counted twice.
func (a *applier) count(p plan.Plan) {
	a.progress.Planned = a.progress.Done + len(p.Actions)
	a.progress.Unchanged = max(0, p.Unchanged-a.progress.Created-a.progress.Updated)
	a.progress.Kept = len(p.Kept)
	a.progress.Failed = 0
	for _, k := range p.Kept {
		if len(k.Fields) == 0 {
			a.deleted = append(a.deleted, k.ID)
		}
	}
}

func deletes(p plan.Plan) []string {
	var all []string
	for _, action := range p.Actions {
		if action.Op == plan.Delete {
			all = append(all, action.Event.ID)
		}
	}
	return all
}

// remember saves the state of events. The ids of events to be deleted are saved before the call, so that after a
// crash they do not look as if a person had deleted them.
func (a *applier) remember(ctx context.Context, state plan.State, events []string) error {
	return a.w.syncs.Remember(ctx, a.person.ID, a.sync.CalendarID, state, events)
}

// rememberAll saves the state of all events that the sync wants.
func (a *applier) rememberAll(ctx context.Context) error {
	if err := a.remember(ctx, plan.Tombstone, a.deleted); err != nil {
		return err
	}
	missing := make(map[string]bool, len(a.deleted)+len(a.failed))
	for _, id := range slices.Concat(a.deleted, a.failed) {
		missing[id] = true
	}
	var written []string
	for _, e := range a.sync.Request.Wanted {
		if !missing[e.ID] {
			written = append(written, e.ID)
		}
	}
	return a.remember(ctx, plan.Written, written)
}

// maxTries is how often one event is compared again when another program changes it at the same time. After that it
// is left to the next sync.
const maxTries = 4

// apply carries out one action. An error ends the attempt. An event that Google refuses is counted, and the attempt
// goes on with the next action.
func (a *applier) apply(ctx context.Context, action plan.Action) error {
	for range maxTries {
		err := a.call(ctx, action)
		var e *google.Error
		switch {
		case err == nil:
			a.done(action.Op)
			return nil
		case !errors.As(err, &e):
			return err
		case e.Kind == google.NotFound && action.Op == plan.Delete:
			a.done(action.Op)
			return nil
		case e.Kind == google.NotFound && action.Op == plan.Insert:
			return err // the calendar itself is gone
		case e.Kind == google.Refused:
			a.fail(ctx, action, e)
			return nil
		case e.Kind != google.Conflict && e.Kind != google.Changed && e.Kind != google.NotFound:
			return err
		}
		revised, err := a.replan(ctx, action)
		if err != nil || revised == nil {
			return err
		}
		action = *revised
	}
	a.fail(ctx, action, &google.Error{Kind: google.Changed})
	return nil
}

func (a *applier) call(ctx context.Context, action plan.Action) error {
	switch action.Op {
	case plan.Insert:
		return a.client.Insert(ctx, a.sync.CalendarID, a.marker, action.Event)
	case plan.Delete:
		return a.client.Delete(ctx, a.sync.CalendarID, action)
	}
	return a.client.Patch(ctx, a.sync.CalendarID, a.marker, action)
}

// replan reads an event that is not as the plan had it, and returns the action that it needs now: nil for none, which
// is counted.
func (a *applier) replan(ctx context.Context, action plan.Action) (*plan.Action, error) {
	existing, ours, err := a.client.Event(ctx, a.sync.CalendarID, action.Event.ID, a.marker)
	switch {
	case google.Is(err, google.NotFound):
		return a.replanMissing(ctx, action)
	case err != nil:
		return nil, err
	case !ours && !existing.Cancelled:
		a.fail(ctx, action, &google.Error{Kind: google.Conflict}) // another program's event under our id: never changed
		return nil, nil
	case action.Op == plan.Delete:
		if existing.Cancelled {
			a.done(plan.Delete)
			return nil, nil
		}
		action.ETag = existing.ETag
		return &action, nil
	}
	memory, err := a.w.syncs.Memory(ctx, a.person.ID, a.sync.CalendarID)
	if err != nil {
		return nil, err
	}
	if action.Op == plan.Patch {
		memory.Known = true // it existed when this attempt began, so a person has deleted it since
	}
	p := plan.Make([]plan.Event{action.Event}, []plan.Existing{existing}, plan.Authority{}, memory, a.sync.Request.Made)
	if len(p.Actions) == 1 {
		return &p.Actions[0], nil
	}
	if len(p.Kept) == 1 && len(p.Kept[0].Fields) == 0 {
		a.countDeleted(action.Event.ID)
		return nil, nil
	}
	a.done(action.Op) // an earlier call did it, and its answer was lost
	return nil, nil
}

// replanMissing is replan for an event that Google has forgotten. An event to be restored is inserted. An event to be
// changed was deleted by a person, unless the calendar itself is gone.
func (a *applier) replanMissing(ctx context.Context, action plan.Action) (*plan.Action, error) {
	if action.Op == plan.Restore {
		action.Op = plan.Insert
		return &action, nil
	}
	if _, err := a.client.Events(ctx, a.sync.CalendarID, a.marker); err != nil {
		return nil, err
	}
	a.countDeleted(action.Event.ID)
	return nil, nil
}

// countDeleted counts an event that a person deleted and that stays away.
func (a *applier) countDeleted(id string) {
	a.deleted = append(a.deleted, id)
	a.progress.Done++
	a.progress.Unchanged++
	a.progress.Kept++
}

// done counts an action that was carried out.
func (a *applier) done(op plan.Op) {
	a.progress.Done++
	switch op {
	case plan.Insert, plan.Restore:
		a.progress.Created++
	case plan.Patch:
		a.progress.Updated++
	case plan.Delete:
		a.progress.Deleted++
	}
}

// fail counts an event that Google refused.
func (a *applier) fail(ctx context.Context, action plan.Action, e *google.Error) {
	a.progress.Done++
	a.progress.Failed++
	a.failed = append(a.failed, action.Event.ID)
	api.Logger(ctx).WarnContext(ctx, "event not synced", "sync", a.sync.ID, "operation", string(action.Op),
		"event", action.Event.ID, "error", e.Error())
}
