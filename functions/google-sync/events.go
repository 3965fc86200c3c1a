package googlesync

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// takeEvent takes an event of POST /events/google: a timetable was parsed, so the calendars that follow are
// brought up to date; or a sync goes on. Events are hints that may come twice, late or never; what is true is
// in the database.
func (f *Function) takeEvent(ctx context.Context, e event.Event) error {
	if f.signIns == nil {
		return nil // nobody can have signed in
	}
	switch e.Type() {
	case events.TypeParsed:
		parsed, err := events.ParsedOf(e)
		if err != nil {
			return err
		}
		return f.parsed(ctx, parsed)
	case events.TypeSync:
		sync, err := events.SyncOf(e)
		if err != nil {
			return err
		}
		return f.goOn(ctx, sync.SyncID)
	}
	return api.New(api.InvalidEvent).Say("This function does not process events of this type. Check where they are sent.")
}

// goOn works on a sync within this request. The work does not end with the caller's patience: whoever told
// of the sync directly does not wait for it.
func (f *Function) goOn(ctx context.Context, id string) error {
	ctx = context.WithoutCancel(ctx)
	waiting, err := f.syncs.Find(ctx, id)
	if errors.Is(err, syncs.ErrNotFound) || err == nil && waiting.Status != syncs.Pending {
		return nil
	}
	if err != nil {
		return err
	}
	worked, err := f.work(ctx, waiting, f.until(ctx))
	if err != nil || !worked {
		return err // not worked: whoever holds the lease tells of what is left
	}
	return f.tellRest(ctx, waiting.AccountID)
}

// tellRest tells of what still waits for an account, after a turn: of the newest, whose turn takes those
// before it along. One that is put off is found by the sweep when its time has come.
func (f *Function) tellRest(ctx context.Context, id string) error {
	all, err := f.syncs.Recent(ctx, id, f.cfg.SyncsWaiting)
	if err != nil {
		return err
	}
	for _, s := range all {
		if s.Status == syncs.Pending && !s.RunAfter.After(f.now()) {
			f.publish(ctx, s)
			return nil
		}
	}
	return nil
}

// parsed brings up to date what follows the owner of a job, who is whom the database says.
func (f *Function) parsed(ctx context.Context, parsed events.Parsed) error {
	job, err := f.jobs.Find(ctx, parsed.JobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the event's job: %w", err)
	}
	person, err := f.accounts.Get(ctx, job.Owner)
	if errors.Is(err, account.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.followUp(faas.ContinueTrace(ctx, parsed.Traceparent), person)
}
