package uploadingest

import (
	"context"
	"sync"

	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// mostOwnEvents is how many own events are on their way at once. A receiver without a broker answers when it has read the
// PDF, so there are about as many as uploads wait. Those beyond it are left to the store's notification.
const mostOwnEvents = 100

// ownEvents publishes the event of a stored object at once, for an object store may take seconds to send its notification
// (MinIO with queue_dir sends every 3 s). The notification stays the guarantee: an own event is tried once, in no request's
// way, and does no harm as a duplicate.
type ownEvents struct {
	publisher *events.Publisher
	bucket    string
	room      chan struct{}
	ctx       context.Context
	cancel    context.CancelFunc
	group     sync.WaitGroup
}

// newOwnEvents publishes to whom the notifications of the object store are published.
func newOwnEvents(cfg Config) (*ownEvents, error) {
	once := cfg.Events
	once.Retries = 0
	publisher, err := events.NewPublisher(once)
	if err != nil {
		return nil, err
	}
	o := &ownEvents{publisher: publisher, bucket: cfg.Blob.Bucket, room: make(chan struct{}, mostOwnEvents)}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	return o, nil
}

// publish publishes that a job's object is stored. It does not wait. ctx gives the log and the trace, and not the time.
func (o *ownEvents) publish(ctx context.Context, job jobs.Job) {
	if !o.publisher.Enabled() {
		return
	}
	select {
	case o.room <- struct{}{}:
	default:
		return
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(o.ctx, end)
	o.group.Go(func() {
		defer func() { <-o.room }()
		defer end()
		defer stop()
		e, err := sweep.Stored(job, o.bucket)
		if err == nil {
			err = o.publisher.Publish(ctx, e)
		}
		if err != nil {
			api.Logger(ctx).InfoContext(ctx, "own event not taken; the store's notification will be", "job", job.ID, "error", err)
		}
	})
}

// close gives up what is on its way and waits for it.
func (o *ownEvents) close() {
	o.cancel()
	o.group.Wait()
	o.publisher.Close()
}
