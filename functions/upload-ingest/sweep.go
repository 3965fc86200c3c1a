package uploadingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
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

// Sweep finds what no event will ever finish. It is safe to run at any time, any number of times,
// anywhere. An error of one part leaves the others done.
func (f *Function) Sweep(ctx context.Context) (Swept, error) {
	var s Swept
	var errs []error
	for _, part := range []func(context.Context, *Swept) error{
		f.failExpired, f.finishUploads, f.tellAgain, f.announce, f.deletePDFs, f.purge,
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

// failExpired ends jobs that had their chances.
func (f *Function) failExpired(ctx context.Context, s *Swept) error {
	list, err := f.jobs.Expire(ctx, f.cfg.Batch)
	s.Failed = int64(len(list))
	for _, job := range list {
		f.cache.Wake(ctx, topic(job.ID))
	}
	return err
}

// finishUploads ends uploads that were cut off between the row and the note that the object is stored.
func (f *Function) finishUploads(ctx context.Context, s *Swept) error {
	list, err := f.jobs.Unfinished(ctx, f.cfg.UploadTimeout, f.cfg.Batch)
	if err != nil {
		return err
	}
	for _, job := range list {
		_, err := f.blob.Stat(ctx, job.ObjectKey)
		switch {
		case err == nil:
			s.Adopted++
			err = f.jobs.Uploaded(ctx, job.ID)
		case errors.Is(err, blob.ErrNotFound):
			s.Abandoned++
			err = f.jobs.Abandon(ctx, job.ID, jobs.CodeUploadIncomplete, api.Sentence(jobs.CodeUploadIncomplete))
			f.cache.Wake(ctx, topic(job.ID))
		}
		// That the store cannot be asked is no reason to fail an upload.
		if err != nil && !errors.Is(err, jobs.ErrNotFound) {
			return fmt.Errorf("finish the upload of job %s: %w", job.ID, err)
		}
	}
	return nil
}

// tellAgain tells of jobs whose notification was lost, whose retry is due, whose worker died.
func (f *Function) tellAgain(ctx context.Context, s *Swept) error {
	if !f.objects.Enabled() {
		return nil
	}
	list, err := f.jobs.Due(ctx, f.cfg.Redeliver, f.cfg.Batch)
	if err != nil {
		return err
	}
	told := f.publish(ctx, f.objects, list, func(job jobs.Job) (event.Event, error) {
		return events.NewObject(events.Object{
			Bucket: f.cfg.Blob.Bucket, Key: job.ObjectKey, JobID: job.ID, Priority: string(job.Priority),
			Traceparent: job.Traceparent, Size: job.Size,
		}, time.Now())
	}, func(jobs.Job) error { return nil })
	s.Told, s.Untold = told, s.Untold+int64(len(list))-told
	return nil
}

// announce tells of timetables whose event was lost when their worker died.
func (f *Function) announce(ctx context.Context, s *Swept) error {
	if !f.parsed.Enabled() {
		return nil
	}
	list, err := f.jobs.Unannounced(ctx, f.cfg.Redeliver, f.cfg.Batch)
	if err != nil {
		return err
	}
	told := f.publish(ctx, f.parsed, list, func(job jobs.Job) (event.Event, error) {
		parsed := events.Parsed{JobID: job.ID, Owner: job.Owner, Kind: string(job.Kind), Traceparent: job.Traceparent}
		entries, err := f.jobs.Entries(ctx, job.Owner, job.ID)
		if err != nil {
			return event.Event{}, err
		}
		parsed.Entries = len(entries)
		return events.NewParsed(parsed, *job.CompletedAt)
	}, func(job jobs.Job) error { return f.jobs.Announced(ctx, job.ID) })
	s.Announced, s.Untold = told, s.Untold+int64(len(list))-told
	return nil
}

// publish sends an event for each job, in order, and gives how many were taken. Without a broker in
// between the receiver answers when it has done the work, so several are under way at once.
func (f *Function) publish(ctx context.Context, to *events.Publisher, list []jobs.Job,
	newEvent func(jobs.Job) (event.Event, error), taken func(jobs.Job) error) int64 {
	const atOnce = 8
	var told atomic.Int64
	var group sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, job := range list {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			e, err := newEvent(job)
			if err == nil {
				err = to.Publish(ctx, e)
			}
			if err == nil {
				err = taken(job)
			}
			if err != nil {
				api.Logger(ctx).WarnContext(ctx, "nobody took the news of a job", "job", job.ID, "error", err)
				return
			}
			told.Add(1)
		})
	}
	group.Wait()
	return told.Load()
}

// deletePDFs deletes PDFs that were kept long enough.
func (f *Function) deletePDFs(ctx context.Context, s *Swept) error {
	list, err := f.jobs.ExpiredPDFs(ctx, f.cfg.PDFRetention, f.cfg.Batch)
	if err != nil {
		return err
	}
	for _, object := range list {
		if err := f.blob.Delete(ctx, object.Key); err != nil {
			return err
		}
		if err := f.jobs.PDFDeleted(ctx, object.JobID); err != nil {
			return err
		}
		s.PDFs++
	}
	return nil
}

// purge deletes rows that were kept long enough.
func (f *Function) purge(ctx context.Context, s *Swept) (err error) {
	if f.cfg.JobRetention > 0 {
		if s.Jobs, err = f.jobs.Forget(ctx, f.cfg.JobRetention, f.cfg.Batch); err != nil {
			return err
		}
	}
	s.DeadLetters, err = f.jobs.DiscardOld(ctx, f.cfg.LetterKept, f.cfg.Batch)
	return err
}
