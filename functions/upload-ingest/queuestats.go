package uploadingest

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// recent caches an answer that costs the database something, such as counts of the queue. Anyone may ask for it at any
// rate, so each instance makes it at most once a second.
type recent[T any] struct {
	count func(context.Context) (T, error)
	ttl   time.Duration
	// stale is how old an answer may be for callers who come while another counts; 0 has them wait for the count. Where it
	// is not 0, an answer that is not twice as old as ttl is renewed behind the caller's back: under load there is always
	// one who would wait for the database.
	stale time.Duration
	lock  chan struct{} // a mutex whose wait ends with the caller's context
	last  atomic.Pointer[lastCount[T]]

	behind    sync.WaitGroup // counts that no caller waits for
	untilDone context.Context
	cancel    context.CancelFunc
}

// lastCount is what a count returned, and when.
type lastCount[T any] struct {
	at     time.Time
	answer T
	err    error
}

func newRecent[T any](count func(context.Context) (T, error)) *recent[T] {
	q := &recent[T]{count: count, ttl: time.Second, lock: make(chan struct{}, 1)}
	q.untilDone, q.cancel = context.WithCancel(context.Background())
	return q
}

// close ends a count that no caller waits for.
func (q *recent[T]) close() {
	q.cancel()
	q.behind.Wait()
}

// read returns the last count, or counts again if that is too old. Callers that come while another counts wait for
// its result, as long as ctx lasts, unless the last count may be stale. An error is cached too: otherwise callers would
// wait one after the other for a database that hangs. An error is not cached if the caller went away.
func (q *recent[T]) read(ctx context.Context) (T, error) {
	if last, ok := q.younger(q.ttl); ok {
		return last.answer, last.err
	}
	select {
	case q.lock <- struct{}{}:
	default:
		if last, ok := q.younger(q.stale); ok && last.err == nil {
			return last.answer, nil
		}
		select {
		case <-ctx.Done():
			return *new(T), ctx.Err()
		case q.lock <- struct{}{}:
		}
	}
	if last, ok := q.younger(q.ttl); ok { // another counted meanwhile
		<-q.lock
		return last.answer, last.err
	}
	if last, ok := q.younger(min(q.stale, 2*q.ttl)); ok && last.err == nil {
		q.behind.Go(func() { _, _ = q.renew(q.untilDone) }) // an error is kept for those who come
		return last.answer, nil
	}
	return q.renew(ctx)
}

// renew counts, and opens the lock.
func (q *recent[T]) renew(ctx context.Context) (T, error) {
	defer func() { <-q.lock }()
	m, err := q.count(ctx)
	if err == nil || ctx.Err() == nil {
		q.last.Store(&lastCount[T]{time.Now(), m, err})
	}
	return m, err
}

// younger is the last count, if it is not as old as that.
func (q *recent[T]) younger(age time.Duration) (*lastCount[T], bool) {
	last := q.last.Load()
	return last, last != nil && time.Since(last.at) < age
}

// queueMetrics answers GET /api/jobs/metrics.
func (f *Function) queueMetrics(r *http.Request) (any, error) { return f.queueStats.read(r.Context()) }
