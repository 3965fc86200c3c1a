package uploadingest

import (
	"context"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/jobs"
)

// books are the queue's counts and times. Anybody may ask, as often as they like, and to count reads all jobs
// of a day: it is done once for all who ask of this instance within a second.
type books struct {
	count func(context.Context) (jobs.Metrics, error)
	fresh time.Duration
	turn  chan struct{} // held by who counts, or looks

	at   time.Time // of the last count
	last jobs.Metrics
	err  error
}

func newBooks(count func(context.Context) (jobs.Metrics, error)) *books {
	return &books{count: count, fresh: time.Second, turn: make(chan struct{}, 1)}
}

// read gives the last count, or a new one. Who comes while another counts waits for that, as long as ctx
// lasts. An error is told to all of its second, too, for a database that hangs would else keep them waiting in
// turn; that the caller went away is their own alone.
func (b *books) read(ctx context.Context) (jobs.Metrics, error) {
	select {
	case <-ctx.Done():
		return jobs.Metrics{}, ctx.Err()
	case b.turn <- struct{}{}:
	}
	defer func() { <-b.turn }()
	if !b.at.IsZero() && time.Since(b.at) < b.fresh {
		return b.last, b.err
	}
	m, err := b.count(ctx)
	if err == nil || ctx.Err() == nil {
		b.at, b.last, b.err = time.Now(), m, err
	}
	return m, err
}

// showBooks answers GET /api/jobs/metrics.
func (f *Function) showBooks(r *http.Request) (any, error) { return f.books.read(r.Context()) }
