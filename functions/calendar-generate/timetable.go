package calendargenerate

import (
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// mergedTimetable is the answer to GET /api/timetable.
type mergedTimetable struct {
	Uploads []heldUpload `json:"uploads"` // the oldest first
	Events  []datedEvent `json:"events"`
}

// heldUpload is a completed job, as the person who uploaded it tells it apart.
type heldUpload struct {
	JobID     string         `json:"jobId"`
	Filename  string         `json:"filename"`
	PDFType   timetable.Kind `json:"pdfType"`
	CreatedAt time.Time      `json:"createdAt"`
	Events    int            `json:"events"` // that still hold: newer uploads replaced the others
}

// datedEvent is an event with its academic year.
type datedEvent struct {
	calendar.Event
	Year int `json:"year"`
}

// timetable answers GET /api/timetable: the events that the caller's feeds and Google calendars are made of, before any
// choice, and the uploads that they come from.
func (f *Function) timetable(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have no timetable here yet. Upload one first.")
	}
	all, err := newest.Of(r.Context(), f.jobs, owner)
	if err != nil {
		return nil, err
	}
	merged, err := all.Merge(r.Context(), calendar.Options{}, f.now())
	if err != nil {
		return nil, err
	}
	return api.Response{Header: api.NoStore(), Body: timetableOf(all, merged)}, nil
}

func timetableOf(all newest.Timetables, merged newest.Merged) mergedTimetable {
	answer := mergedTimetable{Uploads: make([]heldUpload, 0, len(all.Jobs)), Events: make([]datedEvent, 0, len(merged.Events))}
	held := make(map[string]int)
	for n, e := range merged.Events {
		answer.Events = append(answer.Events, datedEvent{e, e.Year})
		held[merged.Jobs[n]]++
	}
	for _, job := range all.Jobs {
		answer.Uploads = append(answer.Uploads, heldUpload{job.ID, job.Filename, job.Kind, job.CreatedAt.UTC(), held[job.ID]})
	}
	return answer
}
