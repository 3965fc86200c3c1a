package pdfparse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
)

// errTimeout ends work that took longer than a job may.
var errTimeout = tracing.NewError(jobs.CodeTimeout, "the job took too long")

// work reads the claimed job's PDF and commits what it says. A caller that goes away does not stop
// it: the attempt is counted, and half done. The slot is freed before others are told.
func (f *Function) work(ctx context.Context, claim *jobs.Claim, free func()) error {
	begin := time.Now()
	f.metrics.waited(ctx, claim.Job)
	ctx = context.WithoutCancel(ctx)
	doc, err := f.read(ctx, claim)
	if err == nil {
		err = f.stage(ctx, "commit", func(ctx context.Context) error { return f.jobs.Complete(ctx, claim, doc) })
	}
	took := time.Since(begin)
	durations.Observe(ctx, f.metrics.seconds, took)
	if err != nil {
		return f.endOrRetry(ctx, claim, err)
	}
	f.recordEnd(ctx, claim.Job, "completed", "")
	api.Logger(ctx).InfoContext(ctx, "parsed", "job", claim.Job.ID, "kind", doc.Kind, "entries", len(doc.Entries), "ms", took.Milliseconds())
	free()
	f.deletePDF(ctx, claim.Job)
	f.publishParsed(ctx, claim.Job, doc)
	return nil
}

// read gets and parses the PDF, holding the lease meanwhile. It ends early, with why, when the lease
// is lost or the job's time is over.
func (f *Function) read(ctx context.Context, claim *jobs.Claim) (timetable.Document, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(f.cfg.Limits.Timeout, func() { cancel(errTimeout) })
	defer clock.Stop()
	stop := f.keepLease(ctx, cancel, claim)
	defer stop()
	var pdf []byte
	err := f.stage(ctx, "fetch", func(ctx context.Context) (err error) {
		pdf, err = f.get(ctx, claim.Job.ObjectKey)
		return err
	})
	if err != nil {
		return timetable.Document{}, withCause(ctx, err)
	}
	var doc timetable.Document
	err = f.stage(ctx, "read", func(ctx context.Context) (err error) {
		doc, err = f.Parse(ctx, pdf)
		return err
	})
	return doc, withCause(ctx, err)
}

// stage runs a stage of a job, with its time and a span.
func (f *Function) stage(ctx context.Context, name string, run func(context.Context) error) error {
	began := time.Now()
	err := tracing.Step(ctx, name, run)
	f.metrics.took(ctx, name, began)
	return err
}

// get fetches a PDF whole, so that an error of the store is not taken for one of the parser.
func (f *Function) get(ctx context.Context, key string) ([]byte, error) {
	object, _, err := f.blob.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	pdf, err := io.ReadAll(io.LimitReader(object, extract.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return pdf, nil
}

// withCause is err, or the reason for which its context ended.
func withCause(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// keepLease keeps the lease while the work goes on, and ends the work where the lease is lost. A
// database that is away for a moment ends nothing: it is asked again before the lease runs out.
func (f *Function) keepLease(ctx context.Context, cancel context.CancelCauseFunc, claim *jobs.Claim) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() {
		tick := time.NewTicker(f.cfg.Lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := claim.Renew(ctx, f.cfg.Lease)
			if errors.Is(err, jobs.ErrLeaseLost) {
				cancel(err)
				return
			}
			if err != nil && ctx.Err() == nil {
				api.Logger(ctx).WarnContext(ctx, "the lease was not renewed", "job", claim.Job.ID, "error", err)
			}
		}
	})
	return func() {
		end()
		group.Wait()
	}
}

// endOrRetry ends or gives back a job, as its error asks.
func (f *Function) endOrRetry(ctx context.Context, claim *jobs.Claim, err error) error {
	var final *parse.Error
	code := api.ProcessingFailed
	switch {
	case errors.Is(err, jobs.ErrLeaseLost):
		f.lost(ctx, claim)
		return nil
	case errors.As(err, &final):
		return f.failForGood(ctx, claim, final.Code, final.Message)
	case errors.Is(err, errTimeout):
		return f.failForGood(ctx, claim, jobs.CodeTimeout, api.Sentence(jobs.CodeTimeout))
	case isGone(err):
		code = jobs.CodePDFMissing
	}
	api.Logger(ctx).WarnContext(ctx, "could not be read now", "job", claim.Job.ID, "attempt", claim.Job.Attempts, "code", code, "error", err)
	job, e := f.jobs.Retry(ctx, claim, code, api.Sentence(code))
	switch {
	case errors.Is(e, jobs.ErrLeaseLost):
		f.lost(ctx, claim)
		return nil
	case e != nil:
		return fmt.Errorf("give back a job (%v): %w", err, e) // the lease runs out, and the sweep gives the job back
	case job.Done():
		f.recordEnd(ctx, job, "failed", code)
		f.deletePDF(ctx, job)
		return nil
	}
	f.metrics.ended(claim.Job, "retried", code)
	return api.New(api.Unavailable).Wrap(err).WithRetryAfter(time.Until(job.RunAfter))
}

// isGone says that an object is missing of a store that is there.
func isGone(err error) bool {
	return errors.Is(err, blob.ErrNotFound) && !errors.Is(err, blob.ErrNoBucket)
}

func (f *Function) lost(ctx context.Context, claim *jobs.Claim) {
	f.metrics.ended(claim.Job, "lost", "")
	api.Logger(ctx).WarnContext(ctx, "lost the job to another worker", "job", claim.Job.ID)
}

// failForGood ends a job for good. Where that cannot be written its event comes again.
func (f *Function) failForGood(ctx context.Context, claim *jobs.Claim, code, message string) error {
	err := f.jobs.Fail(ctx, claim, code, message)
	switch {
	case errors.Is(err, jobs.ErrLeaseLost):
		f.lost(ctx, claim)
		return nil
	case err != nil:
		return err
	}
	f.recordEnd(ctx, claim.Job, "failed", code)
	f.deletePDF(ctx, claim.Job)
	return nil
}

// recordEnd counts a job's end and wakes the upload that waits for it.
func (f *Function) recordEnd(ctx context.Context, job jobs.Job, outcome, code string) {
	f.cache.Wake(ctx, jobs.Topic(job.ID))
	f.metrics.ended(job, outcome, code)
	f.metrics.attempts.Observe(float64(job.Attempts))
	tracing.Note(ctx, attribute.String("schedgen.outcome", outcome), attribute.String("schedgen.code", code))
	if code != "" {
		api.Logger(ctx).InfoContext(ctx, "cannot be read", "job", job.ID, "code", code)
	}
}

// deletePDF deletes a PDF at once where it is not to be kept; what fails here the sweep does.
func (f *Function) deletePDF(ctx context.Context, job jobs.Job) {
	if f.cfg.PDFRetention > 0 {
		return
	}
	err := f.blob.Delete(ctx, job.ObjectKey)
	if err == nil {
		err = f.jobs.PDFDeleted(ctx, job.ID)
	}
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "the PDF was not deleted, the sweep will", "job", job.ID, "error", err)
	}
}

// publishParsed publishes that there is a new timetable. The job is done even if that fails: then the sweep of
// upload-ingest publishes it again.
func (f *Function) publishParsed(ctx context.Context, job jobs.Job, doc timetable.Document) {
	e, err := events.NewParsed(events.Parsed{
		JobID: job.ID, Owner: job.Owner, Kind: string(doc.Kind), Entries: len(doc.Entries), Cause: tracing.CauseOf(ctx),
	}, time.Now())
	if err == nil {
		err = f.parsed.Publish(ctx, e)
	}
	if err == nil {
		err = f.jobs.MarkPublished(ctx, job.ID)
	}
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "publishing the parsed event failed", "job", job.ID, "error", err)
	}
}
