package uploadingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// taken counts what became of a notification's records.
type taken struct {
	Events      int `json:"events"`      // handed on
	DeadLetters int `json:"deadLetters"` // put aside
}

// notified hands an object store's notification on as CloudEvents, one for each record, and answers
// 2xx only when all of them were taken. What nobody can use, or nobody will take, becomes a dead
// letter. A notification that comes again is handed on again, which does no harm.
func (f *Function) notified(r *http.Request) (any, error) {
	body, err := faas.EventBody(r)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return api.Response{Status: http.StatusNoContent}, nil // an object store that tries the address
	}
	if !f.objects.Enabled() {
		return nil, api.New(api.Unavailable).Wrap(errNobody)
	}
	var out taken
	for _, item := range events.Each(r.Header, body) {
		err := tellsOfUpload(item)
		if err == nil {
			err = f.handOn(r.Context(), item.Event)
			if err != nil && !events.Refused(err) {
				return nil, api.New(api.Unavailable).Wrap(err)
			}
		}
		if err == nil {
			out.Events++
			continue
		}
		// It would be the same the next time, and hold up all that comes after it. The sweep has its job.
		if err := f.putAside(r.Context(), "/events/s3", err.Error(), item); err != nil {
			return nil, err
		}
		out.DeadLetters++
	}
	return out, nil
}

// claimWatch is how often it is asked whether an event's job is claimed.
const claimWatch = 100 * time.Millisecond

var errClaimed = errors.New("the job is claimed")

// handOn publishes an event until it is taken, or its job is claimed: a receiver without a broker answers only when the
// work is done, which goes on without us. An object store that notifies one by one would wait meanwhile with all that
// others have uploaded.
func (f *Function) handOn(ctx context.Context, e event.Event) error {
	publishing, end := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(claimWatch)
		defer tick.Stop()
		for {
			select {
			case <-publishing.Done():
				return
			case <-tick.C:
			}
			if job, err := f.jobs.Find(publishing, events.JobOf(e)); err == nil && job.Status == jobs.Processing {
				end(errClaimed)
			}
		}
	})
	err := f.objects.Publish(publishing, e)
	end(nil)
	watch.Wait()
	if errors.Is(context.Cause(publishing), errClaimed) {
		return nil
	}
	return err
}

// errNobody says that the configuration names nobody to tell: to answer 2xx would be to lose events.
var errNobody = errors.New("neither K_SINK nor EVENT_TARGETS is set: there is nobody to tell of uploads")

// tellsOfUpload says why an event does not tell of an upload.
func tellsOfUpload(item events.Item) error {
	if item.Err != nil {
		return item.Err
	}
	object, err := events.ObjectOf(item.Event)
	if err != nil {
		return err
	}
	if _, err := uuid.Parse(object.JobID); err != nil {
		return fmt.Errorf("the object %q is no upload", object.Key)
	}
	return nil
}

// putAside keeps a dead letter, with its job, so that it goes when its job is deleted.
func (f *Function) putAside(ctx context.Context, source, reason string, item events.Item) error {
	letter := jobs.DeadLetter{Source: source, Reason: reason, Event: item.Raw}
	if item.Err == nil {
		letter.JobID = events.JobOf(item.Event)
	}
	if _, err := f.jobs.Bury(ctx, letter); err != nil {
		return err
	}
	f.metrics.deadLetters.WithLabelValues(source).Inc()
	api.Logger(ctx).WarnContext(ctx, "dead letter", "source", source, "reason", reason, "job", letter.JobID)
	return nil
}
