package uploadingest

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/ratelimit"
)

// backlog keeps the queue from growing without end: while too many jobs are pending, uploads are refused before anything
// of them is read. Of the count, each instance knows what is at most two seconds old, and what it accepted itself since.
// Nobody waits for a count that is younger, for it is counted again behind their backs. While it is counted, which takes
// the longer the more the database has to do, the last count holds until it is staleBacklog old. After that all wait, for
// nobody knows what is pending.
type backlog struct {
	most     int          // pending jobs; negative where that is not bounded
	before   *recent[int] // pending jobs, less those that this instance had ever accepted when it counted
	accepted atomic.Int64 // by this instance, ever
	entering atomic.Int64 // uploads of this instance that are being stored: they count before they are accepted
}

// staleBacklog is how old a count may become while the next one takes its time.
const staleBacklog = 5 * time.Second

func newBacklog(store *jobs.Store, most ratelimit.Most) *backlog {
	b := &backlog{most: int(most)}
	b.before = newRecent(func(ctx context.Context) (int, error) {
		accepted := b.accepted.Load()
		pending, err := store.Backlog(ctx, b.mostFor(jobs.High)+1)
		return pending - int(accepted), err
	})
	b.before.stale = staleBacklog
	return b
}

// mostFor is how many jobs may be pending for one more of that priority: high priority has a fifth in reserve.
func (b *backlog) mostFor(priority jobs.Priority) int {
	if priority == jobs.High {
		return b.most + max(1, b.most/5)
	}
	return b.most
}

// admit returns QUEUE_FULL if an upload of that priority is one too many.
func (b *backlog) admit(ctx context.Context, priority jobs.Priority) error {
	if b.most < 0 {
		return nil
	}
	before, err := b.before.read(ctx)
	if err != nil {
		return err
	}
	if before+int(b.accepted.Load()+b.entering.Load()) >= b.mostFor(priority) {
		return api.New(api.QueueFull)
	}
	return nil
}

// enter is admit of an upload that is stored next, which counts for the others until it leaves: else all that come while
// the first ones are stored would be admitted. To leave twice is to leave once.
func (b *backlog) enter(ctx context.Context, priority jobs.Priority) (leave func(), err error) {
	if b.most < 0 {
		return func() {}, nil
	}
	before, err := b.before.read(ctx)
	if err != nil {
		return nil, err
	}
	leave = sync.OnceFunc(func() { b.entering.Add(-1) })
	if before+int(b.entering.Add(1)+b.accepted.Load()) > b.mostFor(priority) {
		leave()
		return nil, api.New(api.QueueFull)
	}
	return leave, nil
}

// noRoom is why an upload is refused before anything of it is read. One that may be of high priority is read first, for
// its form says whether it is.
func (f *Function) noRoom(r *http.Request) error {
	ctx := r.Context()
	return f.notAdmitted(ctx, f.backlog.admit(ctx, f.allowed(r, jobs.High)))
}

// notAdmitted counts an upload that the backlog does not admit. A caller who went away was not refused.
func (f *Function) notAdmitted(ctx context.Context, err error) error {
	switch {
	case err == nil, errors.Is(ctx.Err(), context.Canceled):
	case api.From(err).Code == api.QueueFull:
		f.metrics.uploads.WithLabelValues("busy").Inc()
	default:
		f.metrics.uploads.WithLabelValues("unavailable").Inc()
	}
	return err
}
