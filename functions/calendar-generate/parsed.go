package calendargenerate

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
)

// maxEvent is the longest event: one that tells of a timetable has some hundred bytes.
const maxEvent = 64 << 10

// timetableParsed answers POST /events/timetable: a job was completed, so its owner's feeds are
// refreshed. The event is a hint that may come twice, late or never; what is true is in the database.
// A job that is gone leaves nothing to do, and that is a success: nobody need send the event again.
func (f *Function) timetableParsed(r *http.Request) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxEvent))
	if err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	told, err := events.Decode(r.Header, body)
	if err != nil {
		return nil, api.New(api.InvalidEvent).Wrap(err)
	}
	for _, event := range told {
		parsed, err := events.ParsedOf(event)
		if err != nil {
			return nil, api.New(api.InvalidEvent).Wrap(err)
		}
		if err := f.refreshOwner(r, parsed.JobID); err != nil {
			return nil, err
		}
	}
	return api.Response{Status: http.StatusNoContent}, nil
}

// refreshOwner refreshes the feeds of the job's owner, who is whom the database says.
func (f *Function) refreshOwner(r *http.Request, jobID string) error {
	job, err := f.jobs.Find(r.Context(), jobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the event's job: %w", err)
	}
	_, err = f.refreshAll(r.Context(), job.Owner)
	return err
}
