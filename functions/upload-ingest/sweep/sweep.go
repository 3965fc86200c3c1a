// Package sweep finds what no event will ever finish: jobs whose notification was lost, whose retry is due or whose
// worker died; uploads that stopped halfway; and everything that is past its retention.
//
// A sweep is safe to run at any time, any number of times, anywhere. Each step works in batches for a bounded time
// and leaves the rest to the next sweep. An error of one step does not stop the others. Publishing comes last:
// receivers that are down must not keep PDFs beyond their time.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/upload-ingest/erase"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/sweeps"
)

// Counts are what a sweep did, in jobs where nothing else is said.
type Counts struct {
	Failed      int64 `json:"failed"`      // attempts or time used up
	Abandoned   int64 `json:"abandoned"`   // the object was never stored
	Adopted     int64 `json:"adopted"`     // the object was stored after all
	Redelivered int64 `json:"told"`        // published to pdf-parse again: lost notification, due retry, dead worker
	Announced   int64 `json:"announced"`   // published as completed
	Unpublished int64 `json:"untold"`      // no receiver took the event; a later sweep tries again
	PDFs        int64 `json:"pdfs"`        // PDFs deleted past their retention
	Orphans     int64 `json:"orphans"`     // PDFs deleted that no job lists
	Jobs        int64 `json:"jobs"`        // ended jobs deleted past their retention
	DeadLetters int64 `json:"deadLetters"` // dead letters deleted past their retention
	People      int64 `json:"people"`      // owners who asked for it and of whom nothing is left
}

func (c Counts) byReason() map[string]int64 {
	return map[string]int64{
		"failed": c.Failed, "abandoned": c.Abandoned, "adopted": c.Adopted, "told": c.Redelivered, "announced": c.Announced,
		"untold": c.Unpublished, "pdfs": c.PDFs, "orphans": c.Orphans, "jobs": c.Jobs, "dead_letters": c.DeadLetters, "people": c.People,
	}
}

// Config is when a Sweeper acts on what it finds.
type Config struct {
	Batch               int           // jobs of each sort at a time
	UploadTimeout       time.Duration // after which an upload without an object is given up
	RedeliverAfter      time.Duration // after which a job that was not taken is published again
	PDFRetention        time.Duration // of a PDF after its job ended; 0 deletes at once
	OrphanRetention     time.Duration // of a PDF that no job lists, since it was stored
	JobRetention        time.Duration // of an ended job with its entries; 0 keeps it
	DeadLetterRetention time.Duration
	DeletionRetention   time.Duration // of what a deletion leaves behind, so that it stays one
	Bucket              string        // of the PDFs, for the events
}

// Sweeper sweeps the jobs of one database.
type Sweeper struct {
	Config
	Jobs    *jobs.Store
	Pool    *postgres.Pool
	PDFs    *blob.Store
	Cache   *cache.Cache
	Objects *events.Publisher // of uploads
	Parsed  *events.Publisher // of completed jobs; may be disabled
	People  *personal.Store
	Eraser  *erase.Eraser
	// KeepDeadLetter keeps an event that its receiver refuses for good.
	KeepDeadLetter func(ctx context.Context, source, reason string, item events.Item) error
	Metrics        Metrics
}

// Metrics count what sweeps did; NewMetrics makes them.
type Metrics struct {
	swept  *prometheus.CounterVec // by reason
	failed *prometheus.CounterVec // jobs, by code
}

// failureCodes are the codes of the jobs that a sweep fails. All of them are our faults, not the file's.
var failureCodes = []string{jobs.CodeAttempts, jobs.CodeTimeout, jobs.CodeUploadIncomplete}

// NewMetrics returns the metrics of a Sweeper, each series at 0: what Prometheus first sees at 1 is no increase to it.
func NewMetrics() Metrics {
	m := Metrics{
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_swept_total", Help: "What sweeps did, by reason.",
		}, []string{"reason"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_jobs_failed_total", Help: "Jobs that sweeps failed, by code: ATTEMPTS_EXHAUSTED, PROCESSING_TIMEOUT (their workers died), UPLOAD_INCOMPLETE.",
		}, []string{"code"}),
	}
	for reason := range (Counts{}).byReason() {
		m.swept.WithLabelValues(reason)
	}
	for _, code := range failureCodes {
		m.failed.WithLabelValues(code)
	}
	return m
}

// noteFailed counts a job that a sweep failed. A probe is no upload of which the error budget is told.
func (m Metrics) noteFailed(job jobs.Job, code string) {
	if !job.Probe() {
		m.failed.WithLabelValues(code).Inc()
	}
}

// Collectors are the metrics, for /metrics.
func (m Metrics) Collectors() []prometheus.Collector {
	return []prometheus.Collector{m.swept, m.failed}
}

// stepTime is how long one step of a sweep may take, so that all steps fit into a request.
const stepTime = 10 * time.Second

// Sweep does one sweep. Its counts hold what was done, whatever the error.
func (s *Sweeper) Sweep(ctx context.Context) (Counts, error) {
	var counts Counts
	var errs []error
	for _, step := range []func(context.Context, *Counts) error{
		s.failExpired, s.finishUploads, s.erasePeople, s.deletePDFs, s.deleteOrphans, s.purge, s.redeliver, s.announce,
	} {
		errs = append(errs, step(ctx, &counts))
	}
	for reason, n := range counts.byReason() {
		s.Metrics.swept.WithLabelValues(reason).Add(float64(n))
	}
	if counts != (Counts{}) {
		api.Logger(ctx).InfoContext(ctx, "swept", "counts", counts)
	}
	if err := errors.Join(errs...); err != nil {
		return counts, err
	}
	return counts, sweeps.Finished(ctx, s.Pool, sweeps.Jobs)
}

// inBatches repeats a batch until it moves less than a full one, fails, or the step's time is over.
func (s *Sweeper) inBatches(batch func() (moved int, err error)) error {
	for end := time.Now().Add(stepTime); time.Now().Before(end); {
		if moved, err := batch(); err != nil || moved < s.Batch {
			return err
		}
	}
	return nil
}

// failExpired fails jobs whose attempts or time are used up.
func (s *Sweeper) failExpired(ctx context.Context, counts *Counts) error {
	return s.inBatches(func() (int, error) {
		list, err := s.Jobs.Expire(ctx, s.Batch)
		counts.Failed += int64(len(list))
		for _, job := range list {
			s.Metrics.noteFailed(job, job.ErrorCode)
			s.Cache.Wake(ctx, jobs.Topic(job.ID))
		}
		return len(list), err
	})
}

// finishUploads ends uploads that stopped between the job's row and the note that the object is stored.
func (s *Sweeper) finishUploads(ctx context.Context, counts *Counts) error {
	return s.inBatches(func() (int, error) {
		list, err := s.Jobs.Unfinished(ctx, s.UploadTimeout, s.Batch)
		if err != nil {
			return 0, err
		}
		for _, job := range list {
			// One that was deleted or finished meanwhile needs nothing.
			if err := s.finishUpload(ctx, job, counts); err != nil && !errors.Is(err, jobs.ErrNotFound) {
				return 0, fmt.Errorf("finish the upload of job %s: %w", job.ID, err)
			}
		}
		return len(list), nil
	})
}

// finishUpload adopts an upload whose object is stored and abandons another. If the object store is down it does
// neither.
func (s *Sweeper) finishUpload(ctx context.Context, job jobs.Job, counts *Counts) error {
	_, err := s.PDFs.Stat(ctx, job.ObjectKey)
	switch {
	case err == nil:
		if err = s.Jobs.Uploaded(ctx, job.ID); err == nil {
			counts.Adopted++
		}
		return err
	case !errors.Is(err, blob.ErrNotFound):
		return err
	}
	err = s.Jobs.Abandon(ctx, job.ID, jobs.CodeUploadIncomplete, api.Sentence(jobs.CodeUploadIncomplete))
	if err == nil {
		counts.Abandoned++
		s.Metrics.noteFailed(job, jobs.CodeUploadIncomplete)
	}
	s.Cache.Wake(ctx, jobs.Topic(job.ID))
	return err
}

// erasePeople completes the deletions of people that did not complete within their request.
func (s *Sweeper) erasePeople(ctx context.Context, counts *Counts) error {
	owners, err := s.People.Open(ctx, s.Batch)
	if err != nil {
		return err
	}
	var errs []error
	for end := time.Now().Add(stepTime); len(owners) > 0 && time.Now().Before(end); owners = owners[1:] {
		erased, err := s.Eraser.Person(ctx, owners[0].ID)
		errs = append(errs, err)
		if erased && !owners[0].Erased {
			counts.People++
		}
		var down *blob.DownError
		if errors.As(err, &down) || ctx.Err() != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// maxInterval is the longest time between two sweeps: what would be too old at the next one is deleted now.
const maxInterval = 5 * time.Minute

// deletePDFs deletes PDFs past their retention.
func (s *Sweeper) deletePDFs(ctx context.Context, counts *Counts) error {
	return s.inBatches(func() (int, error) {
		list, err := s.Jobs.ExpiredPDFs(ctx, max(0, s.PDFRetention-maxInterval), s.Batch)
		if err != nil || len(list) == 0 {
			return 0, err
		}
		deleted, err := s.deleteObjects(ctx, list)
		counts.PDFs += int64(len(deleted))
		return len(list), errors.Join(err, s.Jobs.PDFDeleted(ctx, deleted...))
	})
}

const (
	orphansEvery  = time.Hour // it lists the whole bucket
	orphansAtOnce = 1000
)

// deleteOrphans deletes PDFs that no job lists, such as those that a restore leaves which is killed or is undone by hand.
// Only old ones: where the database is another one by mistake, what it deletes is past its retention all the same.
func (s *Sweeper) deleteOrphans(ctx context.Context, counts *Counts) error {
	if due, err := sweeps.Due(ctx, s.Pool, sweeps.Orphans, orphansEvery); err != nil || !due {
		return err
	}
	before := time.Now().Add(-s.OrphanRetention)
	var keys []string
	err := s.PDFs.List(ctx, jobs.UploadsPrefix, func(i blob.Info) error {
		if !i.Modified.After(before) {
			keys = append(keys, i.Key)
		}
		return nil
	})
	if err != nil && !errors.Is(err, blob.ErrNotFound) { // before the first upload there is no bucket
		return err
	}
	for some := range slices.Chunk(keys, orphansAtOnce) {
		orphans, err := s.Jobs.Orphans(ctx, some)
		if err != nil {
			return err
		}
		for _, key := range orphans {
			if err := s.PDFs.Delete(ctx, key); err != nil {
				return err
			}
			counts.Orphans++
		}
	}
	return nil
}

// deleteObjects deletes the objects that it can, and returns the ids of their jobs. It continues after an object
// that cannot be deleted, unless the store is down.
func (s *Sweeper) deleteObjects(ctx context.Context, list []jobs.Object) (deleted []string, err error) {
	var errs []error
	for _, object := range list {
		err := s.PDFs.Delete(ctx, object.Key)
		if err == nil {
			deleted = append(deleted, object.JobID)
			continue
		}
		errs = append(errs, err)
		var down *blob.DownError
		if errors.As(err, &down) || ctx.Err() != nil {
			break
		}
	}
	return deleted, errors.Join(errs...)
}

// turnRetention is how long the turns of those who have no waiting job are kept after their last upload.
const turnRetention = time.Hour

// purge deletes rows past their retention.
func (s *Sweeper) purge(ctx context.Context, counts *Counts) error {
	var uncounted int64
	var errs []error
	for _, rows := range []struct {
		deleted *int64
		delete  func() (int64, error)
	}{
		{&counts.Jobs, func() (int64, error) {
			if s.JobRetention <= 0 {
				return 0, nil
			}
			return s.Jobs.DeleteOld(ctx, s.JobRetention, s.Batch)
		}},
		{&counts.DeadLetters, func() (int64, error) { return s.Jobs.DeleteOldDeadLetters(ctx, s.DeadLetterRetention, s.Batch) }},
		{&uncounted, func() (int64, error) { return session.DiscardEnded(ctx, s.Pool, time.Now(), s.Batch) }},
		{&uncounted, func() (int64, error) { return s.People.Expire(ctx, s.DeletionRetention, s.Batch) }},
		{&uncounted, func() (int64, error) { return s.Jobs.DeleteOldTurns(ctx, turnRetention, s.Batch) }},
	} {
		errs = append(errs, s.inBatches(func() (int, error) {
			n, err := rows.delete()
			*rows.deleted += n
			return int(n), err
		}))
	}
	return errors.Join(errs...)
}
