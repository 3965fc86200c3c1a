package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// work is what a worker does when an event says that a job waits.
func work(ctx context.Context, store *jobs.Store, id string, read func(context.Context, jobs.Job) (timetable.Document, error)) error {
	claim, err := store.Claim(ctx, id, 30*time.Second)
	var refused *jobs.NotClaimable
	if errors.As(err, &refused) {
		return nil // done, or another worker has it: the event is spent, and the sweep finds what remains
	}
	if err != nil {
		return err // PostgreSQL is down: the event must come again
	}
	document, err := read(ctx, claim.Job)
	if err != nil {
		_, err = store.Retry(ctx, claim, "STORAGE_UNAVAILABLE", "We could not read your file. We will try again.")
		return err
	}
	return store.Complete(ctx, claim, document) // ErrLeaseLost if the lease ended meanwhile: nothing was written
}

// A worker claims a job, and completes it or gives it back. The attempt counts either way.
func Example() {
	store := jobs.NewStore(nil) // a Store of a postgres.Pool
	id := "not a job"           // from the event
	err := work(context.Background(), store, id, func(context.Context, jobs.Job) (timetable.Document, error) {
		return timetable.Document{Kind: timetable.Lecture}, nil
	})
	fmt.Println(err)
	// Output: <nil>
}
