package uploadingest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// cacheKey names the owner, so that nobody reads another's.
func cacheKey(owner, id string) string { return "job:" + id + ":" + owner }

// jobAnswer is a job as its owner sees it.
type jobAnswer struct {
	ID          string          `json:"id"`
	Status      jobs.Status     `json:"status"`
	PDFType     *timetable.Kind `json:"pdfType"` // as the two below, null until it is known
	CreatedAt   time.Time       `json:"createdAt"`
	CompletedAt *time.Time      `json:"completedAt"`
	Error       *string         `json:"error"`     // a sentence for people; as the code, null unless it failed
	ErrorCode   *string         `json:"errorCode"` // its CODE
}

func answerOf(j jobs.Job) jobAnswer {
	a := jobAnswer{ID: j.ID, Status: j.Status, CreatedAt: j.CreatedAt.UTC()}
	if j.Kind != "" {
		a.PDFType = &j.Kind
	}
	if j.CompletedAt != nil {
		at := j.CompletedAt.UTC()
		a.CompletedAt = &at
	}
	if j.Status == jobs.Failed {
		message := cmp.Or(j.ErrorMessage, api.Sentence(j.ErrorCode), api.Sentence(api.ProcessingFailed))
		a.Error, a.ErrorCode = &message, &j.ErrorCode
	}
	return a
}

// owned gives the job a request names, if it is its owner's. Another's is as if it were not there.
func (f *Function) owned(r *http.Request) (jobs.Job, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return jobs.Job{}, api.New(api.JobNotFound)
	}
	job, err := f.jobs.Get(r.Context(), owner, r.PathValue("id"))
	if errors.Is(err, jobs.ErrNotFound) {
		return job, api.New(api.JobNotFound)
	}
	return job, err
}

// erased is what is kept of a job in place of its answer once it is deleted.
var erased = []byte("erased")

// job answers how a job is, from Redis where it is known there. Only ended jobs are kept there, for a
// copy of an open one, written late, would hide its end; and only where nothing is kept yet, for a
// copy written late must not bring back a deleted job.
func (f *Function) job(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.JobNotFound)
	}
	key := cacheKey(owner, r.PathValue("id"))
	header := api.NoStore()
	kept, ok := f.cache.Get(r.Context(), key)
	if ok && bytes.Equal(kept, erased) {
		return nil, api.New(api.JobNotFound)
	}
	// A program of another version may have kept it in another form.
	var known jobAnswer
	if ok && json.Unmarshal(kept, &known) == nil {
		return api.Response{Header: header, Body: known}, nil
	}
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	answer := answerOf(job)
	if job.Done() {
		if data, err := json.Marshal(answer); err == nil {
			f.cache.Add(r.Context(), key, data, f.cfg.JobCacheTTL)
		}
	}
	return api.Response{Header: header, Body: answer}, nil
}

// eventsOf gives a completed job's events, with the ids that they have in its owner's feeds and calendars.
func (f *Function) eventsOf(ctx context.Context, job jobs.Job) ([]calendar.Event, error) {
	return newest.JobEvents(ctx, f.jobs, job)
}

// result answers a completed job's events, or those of one semester.
func (f *Function) result(r *http.Request) (any, error) {
	only, err := askedSemester(r)
	if err != nil {
		return nil, err
	}
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	if job.Status != jobs.Completed {
		return nil, api.New(api.JobNotCompleted, map[string]any{"status": job.Status, "error": answerOf(job).Error, "errorCode": answerOf(job).ErrorCode})
	}
	events, err := f.eventsOf(r.Context(), job)
	if err != nil {
		return nil, err
	}
	return api.Response{
		Header: api.NoStore(), Body: map[string]any{"id": job.ID, "events": only.of(events)},
	}, nil
}

// delete deletes a job with all it made: first the PDF, then the row, so that no failure leaves a
// PDF that nobody knows of.
func (f *Function) delete(r *http.Request) (any, error) {
	job, err := f.owned(r)
	if err != nil {
		return nil, err
	}
	if err := f.eraser.Job(r.Context(), job); err != nil {
		return nil, err
	}
	return api.Response{Status: http.StatusNoContent}, nil
}

// forget tells the cache that a job is deleted.
func (f *Function) forget(ctx context.Context, job jobs.Job) {
	f.cache.Set(ctx, cacheKey(job.Owner, job.ID), erased, f.cfg.JobCacheTTL)
}
