package uploadingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/session"
)

// Swept counts what a sweep moved, by reason.
type Swept struct {
	Failed      int64 `json:"failed"`      // tried often enough, or their time was over
	Abandoned   int64 `json:"abandoned"`   // their object was never stored
	Adopted     int64 `json:"adopted"`     // their object was there after all
	Told        int64 `json:"told"`        // pdf-parse was told again: lost notification, due retry, dead worker
	Announced   int64 `json:"announced"`   // completed, and now those who wait for timetables know
	Untold      int64 `json:"untold"`      // nobody took the news; a later sweep tries again
	PDFs        int64 `json:"pdfs"`        // PDFs deleted past their retention
	Jobs        int64 `json:"jobs"`        // ended jobs deleted past their retention
	DeadLetters int64 `json:"deadLetters"` // deleted past their retention
}

func (s Swept) reasons() map[string]int64 {
	return map[string]int64{
		"failed": s.Failed, "abandoned": s.Abandoned, "adopted": s.Adopted, "told": s.Told, "announced": s.Announced,
		"untold": s.Untold, "pdfs": s.PDFs, "jobs": s.Jobs, "dead_letters": s.DeadLetters,
	}
}

func (f *Function) sweepTask(r *http.Request) (any, error) { return f.Sweep(r.Context()) }

// partTime bounds what one part of a sweep takes, so that the others have their turn within a request.
const partTime = 10 * time.Second

// Sweep finds what no event will ever finish. It is safe to run at any time, any number of times,
// anywhere. An error of one part leaves the others done. Telling others comes last: receivers that
// are away must not keep PDFs beyond their time.
func (f *Function) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	var errs []error
	for _, part := range []func(context.Context, *Swept) error{
		f.failExpired, f.finishUploads, f.deletePDFs, f.purge, f.tellAgain, f.announce,
	} {
		errs = append(errs, part(ctx, &s))
	}
	for reason, n := range s.reasons() {
		f.metrics.swept.WithLabelValues(reason).Add(float64(n))
	}
	if s != (Swept{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "moved", s)
	}
	return s, errors.Join(errs...)
}

// rounds does one batch after the other, until one is not full or the part's time is over: after an
// outage there may be far more than one batch, and more comes while it is swept.
func (f *Function) rounds(batch func() (moved int, err error)) error {
	for end := time.Now().Add(partTime); time.Now().Before(end); {
		if moved, err := batch(); err != nil || moved < f.cfg.Batch {
			return err
		}
	}
	return nil
}

// failExpired ends jobs that had their chances.
func (f *Function) failExpired(ctx context.Context, s *Swept) error {
	return f.rounds(func() (int, error) {
		list, err := f.jobs.Expire(ctx, f.cfg.Batch)
		s.Failed += int64(len(list))
		for _, job := range list {
			f.cache.Wake(ctx, topic(job.ID))
		}
		return len(list), err
	})
}

// finishUploads ends uploads that were cut off between the row and the note that the object is stored.
func (f *Function) finishUploads(ctx context.Context, s *Swept) error {
	return f.rounds(func() (int, error) {
		list, err := f.jobs.Unfinished(ctx, f.cfg.UploadTimeout, f.cfg.Batch)
		if err != nil {
			return 0, err
		}
		for _, job := range list {
			// One that was deleted or finished meanwhile needs nothing.
			if err := f.finishUpload(ctx, job, s); err != nil && !errors.Is(err, jobs.ErrNotFound) {
				return 0, fmt.Errorf("finish the upload of job %s: %w", job.ID, err)
			}
		}
		return len(list), nil
	})
}

// finishUpload adopts or abandons. That the store cannot be asked is no reason to fail an upload.
func (f *Function) finishUpload(ctx context.Context, job jobs.Job, s *Swept) error {
	_, err := f.blob.Stat(ctx, job.ObjectKey)
	switch {
	case err == nil:
		s.Adopted++
		return f.jobs.Uploaded(ctx, job.ID)
	case !errors.Is(err, blob.ErrNotFound):
		return err
	}
	s.Abandoned++
	err = f.jobs.Abandon(ctx, job.ID, jobs.CodeUploadIncomplete, api.Sentence(jobs.CodeUploadIncomplete))
	f.cache.Wake(ctx, topic(job.ID))
	return err
}

// sweepEvery is how often a sweep comes at the least: what would be too old at the next is deleted now.
const sweepEvery = 5 * time.Minute

// deletePDFs deletes PDFs that were kept long enough.
func (f *Function) deletePDFs(ctx context.Context, s *Swept) error {
	return f.rounds(func() (int, error) {
		list, err := f.jobs.ExpiredPDFs(ctx, max(0, f.cfg.PDFRetention-sweepEvery), f.cfg.Batch)
		if err != nil || len(list) == 0 {
			return 0, err
		}
		gone, err := f.deleteObjects(ctx, list)
		s.PDFs += int64(len(gone))
		return len(list), errors.Join(err, f.jobs.PDFDeleted(ctx, gone...))
	})
}

// deleteObjects deletes what it can, and gives whose objects are gone. One that cannot be deleted
// does not keep the others, but a store that is away is asked once only.
func (f *Function) deleteObjects(ctx context.Context, list []jobs.Object) (gone []string, err error) {
	var errs []error
	for _, object := range list {
		err := f.blob.Delete(ctx, object.Key)
		if err == nil {
			gone = append(gone, object.JobID)
			continue
		}
		errs = append(errs, err)
		var away *blob.DownError
		if errors.As(err, &away) || ctx.Err() != nil {
			break
		}
	}
	return gone, errors.Join(errs...)
}

// turnsKept is how long the turns of those who wait for nothing are kept after their last upload.
const turnsKept = time.Hour

// purge deletes rows that were kept long enough.
func (f *Function) purge(ctx context.Context, s *Swept) error {
	old := f.rounds(func() (int, error) {
		if f.cfg.JobRetention <= 0 {
			return 0, nil
		}
		gone, err := f.jobs.Forget(ctx, f.cfg.JobRetention, f.cfg.Batch)
		s.Jobs += gone
		return int(gone), err
	})
	letters := f.rounds(func() (int, error) {
		gone, err := f.jobs.DiscardOld(ctx, f.cfg.DeadLetterRetention, f.cfg.Batch)
		s.DeadLetters += gone
		return int(gone), err
	})
	sessions := f.rounds(func() (int, error) {
		gone, err := session.DiscardEnded(ctx, f.pool, time.Now(), f.cfg.Batch)
		return int(gone), err
	})
	turns := f.rounds(func() (int, error) {
		gone, err := f.jobs.ForgetTurns(ctx, turnsKept, f.cfg.Batch)
		return int(gone), err
	})
	return errors.Join(old, letters, sessions, turns)
}
