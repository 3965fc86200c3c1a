package uploadingest

import (
	"context"
	"net/http"
	"time"
)

// recent caches an answer that costs the database something, such as counts of the queue. Anyone may ask for it at any
// rate, so each instance makes it at most once a second.
type recent[T any] struct {
	count func(context.Context) (T, error)
	ttl   time.Duration
	lock  chan struct{} // a mutex whose wait ends with the caller's context

	countedAt time.Time
	last      T
	err       error
}

func newRecent[T any](count func(context.Context) (T, error)) *recent[T] {
	return &recent[T]{count: count, ttl: time.Second, lock: make(chan struct{}, 1)}
}

// read returns the last count, or counts again if that is too old. Callers that come while another counts wait for
// its result, as long as ctx lasts. An error is cached too: otherwise callers would wait one after the other for a
// database that hangs. An error is not cached if the caller went away.
func (q *recent[T]) read(ctx context.Context) (T, error) {
	select {
	case <-ctx.Done():
		return *new(T), ctx.Err()
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
