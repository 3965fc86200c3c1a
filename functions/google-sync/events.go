package googlesync

import (
	"context"
	"errors"
	"net/http"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/functions/google-sync/autosync"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/sweeps"
	"github.com/schedgen/schedgen/shared/tracing"
)

// receiveEvent takes an event of POST /events/google: a timetable was read, so the calendars that follow are synced,
// or a sync continues. Events are hints: they may come twice, late or never, and the database has the truth.
func (f *Function) receiveEvent(ctx context.Context, e event.Event) error {
	if f.signIns == nil {
		return nil // without sign-in there are no accounts
	}
	switch e.Type() {
	case events.TypeParsed:
		parsed, err := events.ParsedOf(e)
		if err != nil {
			return err
		}
		ctx, end := tracing.Work(ctx, parsed.Cause, "begin syncs")
		err = f.auto.JobCompleted(ctx, parsed.JobID)
		end(err)
		return err
	case events.TypeSync:
		sync, err := events.SyncOf(e)
		if err != nil {
			return err
		}
		return f.worker.Resume(ctx, sync.SyncID)
	}
	return api.New(api.InvalidEvent).WithMessage("This function does not process events of this type. Check where they are sent.")
}

// sweepTask answers POST /tasks/google.
func (f *Function) sweepTask(r *http.Request) (any, error) { return f.Sweep(r.Context()) }

// Sweep finds the syncs that no event will finish, see [autosync.Scheduler.Sweep], and ends access to Google that
// people deleted.
func (f *Function) Sweep(ctx context.Context) (autosync.Swept, error) {
	if f.signIns == nil {
		return autosync.Swept{}, nil
	}
	revoked, revokeErr := f.revocations.Sweep(ctx) // first: it is soon done
	moved, err := f.auto.Sweep(ctx)
	moved.Revoked = revoked
	if err = errors.Join(revokeErr, err); err == nil {
		err = sweeps.Finished(ctx, f.pool, sweeps.Google)
	}
	return moved, err
}
