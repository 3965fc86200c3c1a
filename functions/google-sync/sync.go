package googlesync

import (
	"context"
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/content"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/tracing"
)

// syncRequest is the body of POST /api/calendars/events: a calendar and what it should hold. Without events and jobId
// that is all that the person uploaded; see package newest.
type syncRequest struct {
	calendarhttp.Request
	CalendarID string `json:"calendarId" most:"512"`
	DryRun     bool   `json:"dryRun"` // only answer what would be done
	Follow     *bool  `json:"follow"` // sync newer uploads, too; left out, it stays as it was
}

// syncEvents answers POST /api/calendars/events: 200 with the counts once the calendar is up to date; 202 when the
// request's time did not suffice and the sync continues; the plan with dryRun.
func (f *Function) syncEvents(r *http.Request) (any, error) {
	var req syncRequest
	person, err := f.readFor(r, &req)
	if err != nil {
		return nil, err
	}
	if err := req.Check(f.cfg.EventsLimit); err != nil {
		return nil, err
	}
	target, _, err := f.calendar(r.Context(), person, req.CalendarID)
	if err != nil {
		return nil, err
	}
	chosen := req.Colors
	req.Options = target.Colors.Apply(req.Options)
	made, err := f.requested(r.Context(), person, &req)
	if err != nil {
		return nil, calendarhttp.APIError(err)
	}
	req.Colors = chosen
	made.Options = req.Options
	next := made.Sync(r.Context(), person, target.ID, f.cfg.Auto.SyncsWaiting)
	if req.DryRun {
		return f.dryRun(r, person, target.ID, next.Request, made.Calendar)
	}
	if req.Events == nil || req.Follow != nil {
		target.Options = req.Options // the events of a request say nothing about later uploads
	}
	if req.Follow != nil {
		target.Following = *req.Follow
	}
	if err := f.syncs.SaveCalendar(r.Context(), target); err != nil {
		return nil, err
	}
	if err := f.syncs.SaveColors(r.Context(), person.ID, target.ID, target.Colors.With(made.Calendar)); err != nil {
		return nil, err
	}
	if partial := req.JobID != "" || req.Events != nil; partial && target.Years != "" {
		next.Years = "" // the rest of the calendar stays as it was made
	}
	return f.syncNow(r, next, made.Calendar)
}

// requested builds what a request asks for.
func (f *Function) requested(ctx context.Context, person account.Account, req *syncRequest) (content.Content, error) {
	switch {
	case req.JobID != "":
		return f.content.FromJob(ctx, person.ID, req.JobID, &req.Options)
	case req.Events != nil:
		return f.content.FromEvents(ctx, person.ID, req.Events, &req.Options)
	}
	return f.content.FromUploads(ctx, person.ID, &req.Options)
}

// readFor reads the request of a person who is signed in.
func (f *Function) readFor(r *http.Request, req any) (account.Account, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return account.Account{}, err
	}
	if err := calendarhttp.ReadJSON(r, f.cfg.BodyLimit, req); err != nil {
		return account.Account{}, err
	}
	return person, nil
}

// syncNow puts a sync into the queue and works on it for as long as a request may take.
func (f *Function) syncNow(r *http.Request, next syncs.New, cal calendar.Calendar) (any, error) {
	waiting, err := f.syncs.Create(r.Context(), next)
	if errors.Is(err, syncs.ErrTooMany) {
		return nil, api.New(api.Busy).WithMessage("Several syncs are still running. Wait until they have finished, then try again.")
	}
	if errors.Is(err, pack.ErrTooLong) {
		return nil, api.New(api.PayloadTooLarge, map[string]string{"field": "events"}).WithMessage("These events have too much text to be kept until Google has them. Send fewer, or shorter ones.")
	}
	if err != nil {
		return nil, err
	}
	ended, err := f.worker.Await(r.Context(), waiting)
	if errors.Is(err, syncs.ErrNotFound) {
		return nil, api.New(api.SyncNotFound) // the account was deleted meanwhile
	}
	if err != nil {
		return nil, err
	}
	answer := syncAnswerOf(ended)
	answer.Warnings, answer.Notes = cal.Warnings, cal.Notes
	answer.Message += notPlaced(cal)
	switch ended.Status {
	case syncs.Done:
		return api.Response{Header: api.NoStore(), Body: answer}, nil
	case syncs.Failed:
		return nil, api.New(ended.ErrorCode, map[string]any{"syncId": ended.ID, "progress": ended.Progress})
	}
	header := api.NoStore()
	header.Set("Location", "/api/calendars/syncs/"+ended.ID)
	header.Set("Retry-After", "2")
	return api.Response{Status: http.StatusAccepted, Header: header, Body: answer}, nil
}

// listSyncs answers GET /api/calendars/syncs, the newest first.
func (f *Function) listSyncs(r *http.Request) (any, error) {
	person, err := f.person(r)
	if err != nil {
		return nil, err
	}
	all, err := f.syncs.Recent(r.Context(), person.ID, 20)
	if err != nil {
		return nil, err
	}
	answers := make([]syncAnswer, len(all))
	for i, s := range all {
		answers[i] = syncAnswerOf(s)
	}
	return api.Response{Header: api.NoStore(), Body: map[string]any{"syncs": answers}}, nil
}

// showSync answers GET /api/calendars/syncs/{id}: its status and counts.
func (f *Function) showSync(r *http.Request) (any, error) {
	person, err := f.person(r)
	if err != nil {
		return nil, err
	}
	found, err := f.syncs.Get(r.Context(), person.ID, r.PathValue("id"))
	if errors.Is(err, syncs.ErrNotFound) {
		return nil, api.New(api.SyncNotFound)
	}
	if err != nil {
		return nil, err
	}
	return api.Response{Header: api.NoStore(), Body: syncAnswerOf(found)}, nil
}

// removeEvents answers DELETE /api/calendars/events?calendarId=: it deletes all events that schedgen added, and ends
// the following.
func (f *Function) removeEvents(r *http.Request) (any, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return nil, err
	}
	// A calendar of a deleted account is not in the database and can still hold its events.
	target, _, err := f.calendar(r.Context(), person, r.URL.Query().Get("calendarId"))
	if err != nil {
		return nil, err
	}
	target.Following = false
	if err := f.syncs.SaveCalendar(r.Context(), target); err != nil {
		return nil, err
	}
	if err := f.syncs.DeleteRecipes(r.Context(), person.ID, target.ID); err != nil {
		return nil, err
	}
	return f.syncNow(r, syncs.New{
		AccountID: person.ID, CalendarID: target.ID, Limit: f.cfg.Auto.SyncsWaiting, Cause: tracing.CauseOf(r.Context()),
		Request: syncs.Request{Remove: true},
	}, calendar.Calendar{})
}
