// Package erase deletes jobs with their PDFs: one, or everything of a person.
//
// A PDF goes before its row, so that no failure leaves a PDF that nobody knows of. Each step may be repeated, and
// whatever stops one, the sweep goes on with the rest.
package erase

import (
	"context"
	"errors"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/personal"
)

// Eraser deletes from one database and one object store.
type Eraser struct {
	Jobs   *jobs.Store
	PDFs   *blob.Store
	People *personal.Store
	Forget func(context.Context, jobs.Job) // tells the cache
}

// Job deletes a job with its PDF and all it made.
func (e *Eraser) Job(ctx context.Context, job jobs.Job) error {
	if err := e.PDFs.Delete(ctx, job.ObjectKey); err != nil {
		return err
	}
	if err := e.Jobs.Delete(ctx, job.Owner, job.ID); err != nil && !errors.Is(err, jobs.ErrNotFound) {
		return err
	}
	e.Forget(ctx, job)
	return nil
}

// batch is how many jobs are read at a time.
const batch = 100

// Person deletes everything of an owner who asked for it, and reports whether nothing is left. An upload that is
// still coming is left: the next sweep after it has come deletes it.
func (e *Eraser) Person(ctx context.Context, owner string) (erased bool, err error) {
	if err := e.People.Erase(ctx, owner); err != nil {
		return false, err
	}
	for {
		stored, err := e.Jobs.Stored(ctx, owner, batch)
		if err != nil {
			return false, err
		}
		for _, job := range stored {
			if err := e.Job(ctx, job); err != nil {
				return false, err
			}
		}
		if len(stored) < batch {
			return e.People.Finish(ctx, owner)
		}
	}
}
