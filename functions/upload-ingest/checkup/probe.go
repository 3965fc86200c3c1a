package checkup

import (
	"context"
	_ "embed" // the PDF
	"slices"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/sweeps"
)

// PDF is a timetable of one module.
//
//go:embed probe.pdf
var PDF []byte

const (
	interval   = time.Minute     // at least between two probes, of all instances together
	slow       = time.Minute     // a probe that waits for longer says that reading is slow
	verdictAge = 3 * time.Minute // for which the last one's end counts
	poll       = 100 * time.Millisecond
	mostListed = 20

	uploadTimeout = 10 * time.Second
)

// Probe has a tiny PDF read end to end: it is uploaded as any other, under an owner that no person is, and the job tells
// what became of it. One is begun when somebody asks, at most each minute, so nothing is done while nobody asks.
type Probe struct {
	Pool   *postgres.Pool
	Jobs   *jobs.Store
	Upload func(context.Context, []byte, jobs.NewJob) error
	Erase  func(context.Context, jobs.Job) error

	uploads sync.WaitGroup
}

// Part says whether timetables are read. It waits for the first probe, but no longer than ctx lasts.
func (p *Probe) Part(ctx context.Context) Part {
	list, err := p.Jobs.Stored(ctx, jobs.ProbeOwner, mostListed)
	var uploaded <-chan error
	if err == nil {
		uploaded, err = p.begin(ctx, list)
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for err == nil {
		if part := judge(list, time.Now()); part.Status != Unknown || part.Problem != "" {
			return part
		}
		select {
		case <-ctx.Done():
			return Part{Status: Unknown, Problem: "the first one is being read"}
		case err = <-uploaded:
			uploaded = nil
		case <-ticker.C:
		}
		if err == nil {
			list, err = p.Jobs.Stored(ctx, jobs.ProbeOwner, mostListed)
		}
	}
	return Part{Status: Unknown, Problem: api.From(err).Code}
}

// begin uploads one if that is due and all before it have ended: while nothing is read, probes must not fill the queue.
// Of those that ended it keeps the newest, and deletes the rest. The channel, if there is one, gets the upload's error.
func (p *Probe) begin(ctx context.Context, list []jobs.Job) (uploaded <-chan error, err error) {
	if slices.ContainsFunc(list, func(job jobs.Job) bool { return !job.Done() }) {
		return nil, nil
	}
	if err := p.Pool.Ping(ctx); err != nil { // it also fails while a restore goes on, when Due must write nothing
		return nil, err
	}
	due, err := sweeps.Due(ctx, p.Pool, sweeps.Probe, interval)
	if err != nil || !due {
		return nil, err
	}
	for _, job := range list[min(1, len(list)):] {
		if err := p.Erase(ctx, job); err != nil {
			return nil, err
		}
	}
	return p.upload(ctx), nil
}

// upload goes on after who asked is gone: otherwise a job without a PDF would be left.
func (p *Probe) upload(ctx context.Context) <-chan error {
	uploaded := make(chan error, 1)
	p.uploads.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), uploadTimeout)
		defer cancel()
		err := p.Upload(ctx, PDF, jobs.NewJob{Owner: jobs.ProbeOwner, Priority: jobs.Normal, Filename: "health check.pdf", Size: int64(len(PDF))})
		if err != nil {
			api.Logger(ctx).WarnContext(ctx, "probe not uploaded", "error", err.Error())
		}
		uploaded <- err
	})
	return uploaded
}

// Close waits for an upload that is on its way.
func (p *Probe) Close() { p.uploads.Wait() }

// judge says what the probes, the newest first, tell of now: how the last one ended, unless others wait for long. A queue
// that is long does not mean that nothing is read, so a wait is a fault only after minutes.
func judge(list []jobs.Job, now time.Time) Part {
	ended, waits := Part{Status: Unknown}, time.Duration(0)
	for _, job := range list {
		if job.Done() {
			ended = ending(job, now)
			break
		}
		if job.UploadedAt != nil { // before that it waits for the object store, which is a part of its own
			waits = max(waits, now.Sub(*job.UploadedAt))
		}
	}
	switch {
	case ended.Status == Down:
	case waits > late:
		return Part{Status: Down, Problem: "none was read for minutes"}
	case waits > slow:
		return Part{Status: Degraded, Problem: "it was not read within a minute"}
	}
	return ended
}

// ending says what a probe that ended tells: nothing of the reader where its PDF never came to it.
func ending(job jobs.Job, now time.Time) Part {
	switch {
	case job.CompletedAt == nil || now.Sub(*job.CompletedAt) > verdictAge:
		return Part{Status: Unknown}
	case job.ErrorCode == jobs.CodeUploadIncomplete || job.ErrorCode == jobs.CodePDFMissing:
		return Part{Status: Unknown, Problem: job.ErrorCode}
	case job.Status == jobs.Failed:
		return Part{Status: Down, Problem: job.ErrorCode}
	}
	at := job.CompletedAt.UTC()
	return Part{Status: OK, LastAt: &at, LatencyMs: float64(at.Sub(job.CreatedAt).Microseconds()) / 1000}
}
