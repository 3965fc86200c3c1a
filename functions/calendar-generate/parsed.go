package calendargenerate

import (
	"context"
	"errors"
	"fmt"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// timetableParsed takes an event of POST /events/timetable: a job was completed, so it refreshes the feeds of the
// job's owner. The event is a hint that may come twice, late or never; the database says who the owner is. A job that
// was deleted leaves nothing to do, which is a success: the event must not be sent again.
func (f *Function) timetableParsed(ctx context.Context, e event.Event) error {
	parsed, err := events.ParsedOf(e)
	if err != nil {
		return err
	}
	job, err := f.jobs.Find(ctx, parsed.JobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the event's job: %w", err)
	}
	if err = f.refreshAll(ctx, job.Owner, func(feed.Feed) {}); err != nil {
		return err
	}
	const each = 20 // so many at each upload outrun those that are made
	_, err = f.feeds.DeleteUnfetched(ctx, f.now().Add(-f.cfg.FeedUnfetched), each)
	return err
}
