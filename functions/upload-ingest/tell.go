package uploadingest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// tellAgain tells of jobs whose notification was lost, whose retry is due, whose worker died.
func (f *Function) tellAgain(ctx context.Context, s *Swept) error {
	list, err := f.jobs.Due(ctx, f.cfg.Redeliver, f.cfg.Batch)
	if err != nil {
		return err
	}
	if len(list) > 0 && !f.objects.Enabled() {
		s.Untold += int64(len(list))
		return errNobody
	}
	newEvent := func(job jobs.Job) (event.Event, error) {
		return events.NewObject(events.Object{
			Bucket: f.cfg.Blob.Bucket, Key: job.ObjectKey, JobID: job.ID, Priority: string(job.Priority),
			Traceparent: job.Traceparent, Size: job.Size,
		}, time.Now())
	}
	told := publish(ctx, f.objects, list, newEvent, func(_ jobs.Job, _ event.Event, err error) error { return err })
	s.Told, s.Untold = told, s.Untold+int64(len(list))-told
	return nil
}

// announce tells of timetables whose event was lost when their worker died.
func (f *Function) announce(ctx context.Context, s *Swept) error {
	if !f.parsed.Enabled() {
		return nil // here nobody waits for timetables
	}
	list, err := f.jobs.Unannounced(ctx, f.cfg.Redeliver, f.cfg.Batch)
	if err != nil {
		return err
	}
	newEvent := func(a jobs.Announcement) (event.Event, error) {
		return events.NewParsed(events.Parsed{
			JobID: a.Job.ID, Owner: a.Job.Owner, Kind: string(a.Job.Kind), Entries: a.Entries, Traceparent: a.Job.Traceparent,
		}, *a.Job.CompletedAt)
	}
	told := publish(ctx, f.parsed, list, newEvent, func(a jobs.Announcement, e event.Event, err error) error {
		return f.announced(ctx, a.Job.ID, e, err)
	})
	s.Announced, s.Untold = told, s.Untold+int64(len(list))-told
	return nil
}

// announced notes that an announcement is over: it was taken, or is refused for good and becomes a
// dead letter.
func (f *Function) announced(ctx context.Context, job string, e event.Event, err error) error {
	if events.Refused(err) {
		raw, encodeErr := e.MarshalJSON()
		if encodeErr != nil {
			return encodeErr
		}
		if asideErr := f.putAside(ctx, "sweep", err.Error(), events.Item{Event: e, Raw: raw}); asideErr != nil {
			return asideErr
		}
	} else if err != nil {
		return err
	}
	if noteErr := f.jobs.Announced(ctx, job); noteErr != nil {
		return noteErr
	}
	return err
}

// publish sends an event for each of list, in order, and gives how many were taken; over hears how
// each went and has the last word. Without a broker in between the receiver answers when it has done
// the work, so several are under way at once; those that are not begun in time are left to a later sweep.
func publish[T any](ctx context.Context, to *events.Publisher, list []T,
	newEvent func(T) (event.Event, error), over func(T, event.Event, error) error) int64 {
	const atOnce = 8
	end := time.Now().Add(partTime)
	var told atomic.Int64
	var group sync.WaitGroup
	room := make(chan struct{}, atOnce)
	for _, one := range list {
		room <- struct{}{}
		if time.Now().After(end) || ctx.Err() != nil {
			break
		}
		group.Go(func() {
			defer func() { <-room }()
			e, err := newEvent(one)
			if err == nil {
				err = over(one, e, to.Publish(ctx, e))
			}
			if err != nil {
				api.Logger(ctx).WarnContext(ctx, "nobody took the news of a job", "event", e.Type(), "subject", e.Subject(), "error", err)
				return
			}
			told.Add(1)
		})
	}
	group.Wait()
	return told.Load()
}
