package googlesync

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

// applier carries out one sync's plan.
type applier struct {
	f        *Function
	lease    syncs.Lease
	sync     syncs.Sync
	person   account.Account
	client   *google.Client
	marker   string
	progress syncs.Progress
	end      time.Time // no call begins after it
	declined []string  // deleted by a person, perhaps just now
	failed   []string  // not as they should be: the next sync tries again
}

// run compares and does what is left to be done. After an error it can be run again, by anybody.
func (a *applier) run(ctx context.Context) error {
	client, err := a.f.client(ctx, a.person)
	if err != nil {
		return err
	}
	client.Before(a.keep)
	a.client, a.marker = client, plan.Marker(a.person.Subject)
	p, err := a.f.planFor(ctx, client, a.person, a.sync.CalendarID, a.sync.Request)
	if err != nil {
		return err
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
	if err := a.keep(ctx); err != nil {
		return err
	}
	return a.rememberAll(ctx, p)
}

// keep renews the lease and writes the counts so far.
func (a *applier) keep(ctx context.Context) error {
	return a.f.syncs.Keep(ctx, a.lease, a.sync.ID, a.progress)
}

// count begins the counts of a turn. What earlier turns wrote looks unchanged now, and is not counted twice.
func (a *applier) count(p plan.Plan) {
	a.progress.Planned = a.progress.Done + len(p.Actions)
	a.progress.Unchanged = max(0, p.Unchanged-a.progress.Created-a.progress.Updated)
	a.progress.Kept = len(p.Kept)
	a.progress.Failed = 0
	for _, k := range p.Kept {
		if len(k.Fields) == 0 {
			a.declined = append(a.declined, k.ID)
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

// remember notes what becomes of events: of those that schedgen deletes before it deletes them, so that a
// crash in between does not make them look like a person's doing.
func (a *applier) remember(ctx context.Context, state plan.State, events []string) error {
	return a.f.syncs.Remember(ctx, a.person.ID, a.sync.CalendarID, state, events)
}

// rememberAll notes what the calendar holds now.
func (a *applier) rememberAll(ctx context.Context, p plan.Plan) error {
	if err := a.remember(ctx, plan.Declined, a.declined); err != nil {
		return err
	}
	left := make(map[string]bool, len(a.declined)+len(a.failed))
	for _, id := range slices.Concat(a.declined, a.failed) {
		left[id] = true
	}
	var written []string
	for _, w := range a.sync.Request.Wanted {
		if !left[w.ID] {
			written = append(written, w.ID)
		}
	}
	return a.remember(ctx, plan.Written, written)
}

// tries is how often one event is compared anew when somebody else changes it at the same time. After that
// it is left to the next sync.
const tries = 4

// apply does one action. An error ends the turn; an event that Google does not take is counted, and the
// others go on.
func (a *applier) apply(ctx context.Context, action plan.Action) error {
	for range tries {
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
		again, err := a.again(ctx, action)
		if err != nil || again == nil {
			return err
		}
		action = *again
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

// again looks at an event that is not as the plan had it, and gives what has to be done to it now; nil where
// that is nothing, which is counted.
func (a *applier) again(ctx context.Context, action plan.Action) (*plan.Action, error) {
	existing, ours, err := a.client.Event(ctx, a.sync.CalendarID, action.Event.ID, a.marker)
	switch {
	case google.Is(err, google.NotFound):
		return a.vanished(ctx, action)
	case err != nil:
		return nil, err
	case !ours && !existing.Cancelled:
		a.fail(ctx, action, &google.Error{Kind: google.Conflict}) // somebody else's, under our id: never touched
		return nil, nil
	case action.Op == plan.Delete:
		if existing.Cancelled {
			a.done(plan.Delete)
			return nil, nil
		}
		action.ETag = existing.ETag
		return &action, nil
	}
	memory, err := a.f.syncs.Memory(ctx, a.person.ID, a.sync.CalendarID)
	if err != nil {
		return nil, err
	}
	if action.Op == plan.Patch {
		memory.Known = true // it was there when this turn began: who deleted it since is a person
	}
	p := plan.Make([]plan.Event{action.Event}, []plan.Existing{existing}, plan.Speaks{}, memory, a.sync.Request.Made)
	if len(p.Actions) == 1 {
		return &p.Actions[0], nil
	}
	if len(p.Kept) == 1 && len(p.Kept[0].Fields) == 0 {
		a.decline(action.Event.ID)
		return nil, nil
	}
	a.done(action.Op) // an earlier attempt did it, and its answer was lost
	return nil, nil
}

// vanished says what to do about an event that is not even remembered: one that was to be changed was
// deleted by a person meanwhile, unless its calendar is gone, too; one that was to be restored is added.
func (a *applier) vanished(ctx context.Context, action plan.Action) (*plan.Action, error) {
	if action.Op == plan.Restore {
		action.Op = plan.Insert
		return &action, nil
	}
	if _, err := a.client.Events(ctx, a.sync.CalendarID, a.marker); err != nil {
		return nil, err
	}
	a.decline(action.Event.ID)
	return nil, nil
}

func (a *applier) decline(id string) {
	a.declined = append(a.declined, id)
	a.progress.Done++
	a.progress.Unchanged++
	a.progress.Kept++
}

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

// fail counts an event that could not be brought up to date.
func (a *applier) fail(ctx context.Context, action plan.Action, e *google.Error) {
	a.progress.Done++
	a.progress.Failed++
	a.failed = append(a.failed, action.Event.ID)
	api.Logger(ctx).WarnContext(ctx, "an event could not be synced", "sync", a.sync.ID, "operation", string(action.Op),
		"event", action.Event.ID, "error", e.Error())
}
