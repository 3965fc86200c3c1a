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

	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// eventCounts are what became of the events of one request.
type eventCounts struct {
	Events      int `json:"events"`      // published
	DeadLetters int `json:"deadLetters"` // kept as dead letters
}

// objectStored publishes an object store's notification as CloudEvents, one for each record. It answers 2xx only
// when all of them were taken. A record that is no upload, or that its receiver refuses for good, becomes a dead
// letter: it would fail again the next time and block what comes after it. A repeated notification is published
// again, which does no harm.
func (f *Function) objectStored(r *http.Request) (any, error) {
	body, err := faas.EventBody(r)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return api.Response{Status: http.StatusNoContent}, nil // an object store that tests the address
	}
	if !f.objects.Enabled() {
		return nil, api.New(api.Unavailable).Wrap(sweep.ErrNoReceiver)
	}
	var counts eventCounts
	for _, item := range events.Each(r.Header, body) {
		err := checkUploadEvent(item)
		if err == nil {
			err = f.publishUntilClaimed(r.Context(), item.Event)
			if err != nil && !events.Refused(err) {
				return nil, api.New(api.Unavailable).Wrap(err)
			}
		}
		if err == nil {
			counts.Events++
			continue
		}
		if err := f.keepDeadLetter(r.Context(), "/events/s3", err.Error(), item); err != nil {
			return nil, err
		}
		counts.DeadLetters++
	}
	return counts, nil
}

// claimPollInterval is how often publishUntilClaimed looks whether the event's job is claimed.
const claimPollInterval = 100 * time.Millisecond

var errClaimed = errors.New("the job is claimed")

// publishUntilClaimed publishes an event until it is taken or its job is claimed. A receiver without a broker
// answers only when the work is done, which continues without us; an object store that sends one notification at a
// time would hold back everyone else's uploads until then.
func (f *Function) publishUntilClaimed(ctx context.Context, e event.Event) error {
	publishing, end := context.WithCancelCause(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		tick := time.NewTicker(claimPollInterval)
		defer tick.Stop()
		for {
			select {
			case <-publishing.Done():
				return
			case <-tick.C:
			}
			if job, err := f.jobs.Find(publishing, events.JobOf(e)); err == nil && job.Status != jobs.Pending {
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

// checkUploadEvent returns an error for an event that is not of an upload.
func checkUploadEvent(item events.Item) error {
	if item.Err != nil {
		return item.Err
	}
	object, err := events.ObjectOf(item.Event)
	if err != nil {
		return err
	}
	if _, err := uuid.Parse(object.JobID); err != nil {
		return fmt.Errorf("the object %q is not an upload", object.Key)
	}
	return nil
}

// keepDeadLetter stores an event that cannot be handled, with its job, so that deleting the job deletes it too.
func (f *Function) keepDeadLetter(ctx context.Context, source, reason string, item events.Item) error {
	letter := jobs.DeadLetter{Source: source, Reason: reason, Event: item.Raw}
	if item.Err == nil {
		letter.JobID = events.JobOf(item.Event)
	}
	if _, err := f.jobs.KeepDeadLetter(ctx, letter); err != nil {
		return err
	}
	f.metrics.deadLetters.WithLabelValues(source).Inc()
	api.Logger(ctx).WarnContext(ctx, "dead letter", "source", source, "job", letter.JobID) // the reason may quote the event: it is in the row
	return nil
}
