package sweep

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// ErrNoReceiver means that the configuration names no receiver of uploads; to answer 2xx would lose events.
var ErrNoReceiver = errors.New("set K_SINK or EVENT_TARGETS: there is no receiver for the events of uploads")

// Stored is the event that a job's PDF is stored, as the object store would tell it now.
func Stored(job jobs.Job, bucket string) (event.Event, error) {
	return events.NewObject(events.Object{
		Bucket: bucket, Key: job.ObjectKey, JobID: job.ID, Priority: string(job.Priority), Cause: job.Cause, Size: job.Size,
	}, time.Now())
}

// redeliver publishes jobs again whose notification was lost, whose retry is due, or whose worker died.
func (s *Sweeper) redeliver(ctx context.Context, counts *Counts) error {
	due, err := s.Jobs.Due(ctx, s.RedeliverAfter, s.Batch)
	if err != nil {
		return err
	}
	if len(due) > 0 && !s.Objects.Enabled() {
		counts.Unpublished += int64(len(due))
		return ErrNoReceiver
	}
	published := publishAll(ctx, due, func(job jobs.Job) error {
		e, err := Stored(job, s.Bucket)
		if err != nil {
			return err
		}
		return s.Objects.Publish(ctx, e)
	})
	counts.Redelivered, counts.Unpublished = published, counts.Unpublished+int64(len(due))-published
	return nil
}

// announce publishes completed jobs whose event was lost when their worker died.
func (s *Sweeper) announce(ctx context.Context, counts *Counts) error {
	if !s.Parsed.Enabled() {
		return nil // no receiver is configured for completed jobs
	}
	list, err := s.Jobs.Unpublished(ctx, s.RedeliverAfter, s.Batch)
	if err != nil {
		return err
	}
	published := publishAll(ctx, list, func(a jobs.UnpublishedJob) error {
		e, err := events.NewParsed(events.Parsed{
			JobID: a.Job.ID, Owner: a.Job.Owner, Kind: string(a.Job.Kind), Entries: a.Entries, Cause: a.Job.Cause,
		}, *a.Job.CompletedAt)
		if err != nil {
			return err
		}
		return s.finishAnnouncement(ctx, a.Job.ID, e, s.Parsed.Publish(ctx, e))
	})
	counts.Announced, counts.Unpublished = published, counts.Unpublished+int64(len(list))-published
	return nil
}

// finishAnnouncement marks a job as announced if its event was taken, or if it is refused for good: then the event
// becomes a dead letter.
func (s *Sweeper) finishAnnouncement(ctx context.Context, job string, e event.Event, publishErr error) error {
	if events.Refused(publishErr) {
		raw, err := e.MarshalJSON()
		if err != nil {
			return err
		}
		if err := s.KeepDeadLetter(ctx, "sweep", publishErr.Error(), events.Item{Event: e, Raw: raw}); err != nil {
			return err
		}
	} else if publishErr != nil {
		return publishErr
	}
	if err := s.Jobs.MarkPublished(ctx, job); err != nil {
		return err
	}
	return publishErr
}

// publishAll calls publish for each item, in order, and returns how many succeeded. Without a broker a receiver
// answers only when it has done the work, so several calls run at once. Items not begun within the step's time are
// left to a later sweep.
func publishAll[T any](ctx context.Context, items []T, publish func(T) error) int64 {
	const concurrency = 8
	end := time.Now().Add(stepTime)
	var published atomic.Int64
	var group sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for _, item := range items {
		slots <- struct{}{}
		if time.Now().After(end) || ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-slots }()
			if err := publish(item); err != nil {
				api.Logger(ctx).WarnContext(ctx, "event of a job not published", "error", err)
				return
			}
			published.Add(1)
		})
	}
	group.Wait()
	return published.Load()
}
