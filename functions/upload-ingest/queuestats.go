package uploadingest

import (
	"context"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/jobs"
)

// queueStats caches the queue's counts and timings. Anyone may ask for them at any rate, and counting reads all jobs
// of a day, so each instance counts at most once a second.
type queueStats struct {
	count func(context.Context) (jobs.Metrics, error)
	ttl   time.Duration
	lock  chan struct{} // a mutex whose wait ends with the caller's context

	countedAt time.Time
	last      jobs.Metrics
	err       error
}

func newQueueStats(count func(context.Context) (jobs.Metrics, error)) *queueStats {
	return &queueStats{count: count, ttl: time.Second, lock: make(chan struct{}, 1)}
}

// read returns the last count, or counts again if that is too old. Callers that come while another counts wait for
// its result, as long as ctx lasts. An error is cached too: otherwise callers would wait one after the other for a
// database that hangs. An error is not cached if the caller went away.
func (q *queueStats) read(ctx context.Context) (jobs.Metrics, error) {
	select {
	case <-ctx.Done():
		return jobs.Metrics{}, ctx.Err()
	case q.lock <- struct{}{}:
	}
	defer func() { <-q.lock }()
	if !q.countedAt.IsZero() && time.Since(q.countedAt) < q.ttl {
		return q.last, q.err
	}
	m, err := q.count(ctx)
	if err == nil || ctx.Err() == nil {
		q.countedAt, q.last, q.err = time.Now(), m, err
	}
	return m, err
}

// queueMetrics answers GET /api/jobs/metrics.
func (f *Function) queueMetrics(r *http.Request) (any, error) { return f.queueStats.read(r.Context()) }
