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

// timetableParsed takes an event of POST /events/timetable: a job was completed, so the feeds of its owner,
// who is whom the database says, are refreshed. The event is a hint that may come twice, late or never; what
// is true is in the database. A job that is gone leaves nothing to do, and that is a success: nobody need
// send the event again.
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
	_, err = f.feeds.EndUnfetched(ctx, f.now().Add(-f.cfg.FeedUnfetched), each)
	return err
}
