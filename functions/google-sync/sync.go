package googlesync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendar/ask"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/latest"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/years"
)

// syncRequest is the body of POST /api/calendars/events: a calendar, and what shall be in it. Without events
// and jobId that is all that the person uploaded, see package latest.
type syncRequest struct {
	ask.Request
	CalendarID string `json:"calendarId" most:"512"`
	DryRun     bool   `json:"dryRun"` // only say what would be done
	Follow     *bool  `json:"follow"` // keep it like newer uploads; as it was when left out
}

// syncEvents answers POST /api/calendars/events: 200 with the counts when the calendar is as it should be;
// 202 when the time of a request did not suffice, and it goes on; with dryRun the plan.
func (f *Function) syncEvents(r *http.Request) (any, error) {
	var req syncRequest
	person, err := f.readFor(r, &req)
	if err != nil {
		return nil, err
	}
	if err := req.Check(f.cfg.EventsLimit); err != nil {
		return nil, err
	}
	known, _, err := f.known(r.Context(), person, req.CalendarID)
	if err != nil {
		return nil, err
	}
	chosen := req.Colors
	req.Options = known.Given.Keep(req.Options)
	made, err := f.wanted(r.Context(), person, &req)
	if err != nil {
		return nil, err
	}
	req.Colors = chosen
	made.options = req.Options
	waiting := f.newSync(r.Context(), person, known.ID, made)
	if req.DryRun {
		return f.dryRun(r, person, known.ID, waiting.Request, made.cal)
	}
	if req.Events == nil || req.Follow != nil {
		known.Options = req.Options // given events say nothing of what uploads shall become
	}
	if req.Follow != nil {
		known.Following = *req.Follow
	}
	if err := f.syncs.SaveCalendar(r.Context(), known); err != nil {
		return nil, err
	}
	if err := f.syncs.Give(r.Context(), person.ID, known.ID, known.Given.After(made.cal)); err != nil {
		return nil, err
	}
	if partial := req.JobID != "" || req.Events != nil; partial && known.Years != "" {
		waiting.Years = "" // it leaves the rest of the calendar as it was made
	}
	return f.syncNow(r, waiting, made.cal)
}

// built is a calendar that was built now.
type built struct {
	cal    calendar.Calendar
	scopes []calendar.Scope // that it speaks for
	years  string           // the stamp of the academic years that it was made by

	// Of what it was made, for its recipe: see recipeOf.
	events  []calendar.Event
	jobs    []string // of the events; nil where a person sent them
	options calendar.Options
}

// newSync is the sync of a calendar that was built now.
func (f *Function) newSync(ctx context.Context, person account.Account, id string, b built) syncs.New {
	names := make([]string, len(b.scopes))
	for i, s := range b.scopes {
		names[i] = s.String()
	}
	wanted := plan.Wanted(b.cal, plan.Marker(person.Subject), id)
	return syncs.New{
		AccountID: person.ID, CalendarID: id, Most: f.cfg.SyncsWaiting, Traceparent: faas.Traceparent(ctx), Years: b.years,
		Request: syncs.Request{Wanted: wanted, Scopes: names, Made: f.now()}, Recipe: recipeOf(b, wanted, names),
	}
}

// readFor reads what a person who is signed in asks for.
func (f *Function) readFor(r *http.Request, req any) (account.Account, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return account.Account{}, err
	}
	if err := ask.ReadJSON(r, f.cfg.BodyLimit, req); err != nil {
		return account.Account{}, err
	}
	return person, nil
}

// maxCalendarID is longer than the ids that Google makes.
const maxCalendarID = 512

// known is what is known of a calendar of the person's; ok is false where that is no more than its id. It
// refuses what cannot be an id.
func (f *Function) known(ctx context.Context, person account.Account, id string) (c syncs.Calendar, ok bool, err error) {
	if id == "" || len(id) > maxCalendarID {
		return syncs.Calendar{}, false, api.New(api.ValidationFailed, map[string]string{"field": "calendarId"}).
			Say("The calendarId is missing or too long. Use one that GET /api/calendars lists, or \"primary\".")
	}
	if id == google.Primary {
		if id, err = f.primary(ctx, person); err != nil {
			return syncs.Calendar{}, false, err
		}
	}
	c, ok, err = f.syncs.Calendar(ctx, person.ID, id)
	c.AccountID, c.ID = person.ID, id
	return c, ok, err
}

// primary is the id of the person's own calendar: the name "primary" means another one for each who asks, and
// events must not depend on who asked.
func (f *Function) primary(ctx context.Context, person account.Account) (string, error) {
	client, err := f.client(ctx, person)
	if err != nil {
		return "", err
	}
	c, err := client.Calendar(ctx, google.Primary)
	if err != nil {
		return "", f.fromGoogle(ctx, person, err)
	}
	return c.ID, nil
}

// wanted builds the calendar that is asked for. It speaks for no scope where it is made of given events, for they
// may be some of a timetable's: they are added and changed, and nothing is removed. Dates that the person typed
// before are added to the request's options.
func (f *Function) wanted(ctx context.Context, person account.Account, req *syncRequest) (b built, err error) {
	events, job := req.Events, req.JobID != ""
	if job {
		if events, err = f.ofJob(ctx, person, req); err != nil {
			return built{}, err
		}
	}
	known, err := f.years.Settled(ctx)
	if err != nil {
		return built{}, err
	}
	given := req.Terms
	err = f.typed.Build(ctx, known, person.ID, &req.Options, func(o calendar.Options) (err error) {
		if !job && events == nil {
			b, err = f.ofAll(ctx, known, person.ID, o, f.now(), false)
			return err
		}
		b.cal, err = calendar.Build(events, o)
		if err == nil && !job {
			err = b.cal.NothingLeft() // nothing would be added, and it would look like a success
		}
		b.years, b.events = known.Stamp(latest.Source{}.Years(o, b.cal)), events
		return err
	})
	if err != nil {
		return built{}, ask.Problem(err)
	}
	f.typed.Keep(ctx, known, person.ID, given)
	if job {
		b.jobs = slices.Repeat([]string{req.JobID}, len(events))
		b.scopes = calendar.Scopes(events, req.Year, req.TermsOf(req.Year))
		if len(b.scopes) > 0 && b.scopes[0].Kind == timetable.Lecture {
			b.scopes = append(b.scopes, calendar.ExtraScope(req.Year)) // a student's own classes are chosen with the lectures
		}
	}
	return b, nil
}

// ofJob gives the events of one of the caller's jobs.
func (f *Function) ofJob(ctx context.Context, person account.Account, req *syncRequest) ([]calendar.Event, error) {
	job, err := f.jobs.Get(ctx, person.ID, req.JobID)
	if errors.Is(err, jobs.ErrNotFound) {
		return nil, api.New(api.JobNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("find the job: %w", err)
	}
	if job.Status != jobs.Completed {
		return nil, api.New(api.JobNotCompleted, map[string]any{"status": job.Status})
	}
	req.UseYear(job.CreatedAt.In(calendar.Zone).Year())
	return latest.EventsOf(ctx, f.jobs, job)
}

// ofAll builds the calendar of all that an owner uploaded, by the known years.
func (f *Function) ofAll(ctx context.Context, known years.Snapshot, owner string, options calendar.Options, chosen time.Time, lenient bool) (built, error) {
	source, err := latest.Of(ctx, f.jobs, owner)
	if err != nil {
		return built{}, err
	}
	if len(source.Jobs) == 0 {
		return built{}, api.New(api.ValidationFailed).Say("You have no timetable here yet. Upload one first, or send events or a jobId.")
	}
	merged, err := source.Merge(ctx, f.jobs, options, chosen)
	if err != nil {
		return built{}, err
	}
	options.Years, options.Lenient = known.Years, lenient
	cal, err := calendar.Build(merged.Events, options)
	return built{
		cal: cal, scopes: merged.Scopes, years: known.Stamp(source.Years(options, cal)), events: merged.Events, jobs: merged.Jobs,
	}, err
}

// syncNow puts a sync into the queue and works on it for as long as a request may.
func (f *Function) syncNow(r *http.Request, asked syncs.New, cal calendar.Calendar) (any, error) {
	waiting, err := f.syncs.Create(r.Context(), asked)
	if errors.Is(err, syncs.ErrTooMany) {
		return nil, api.New(api.Busy).Say("Several syncs are still running. Wait until they have finished, then try again.")
	}
	if errors.Is(err, pack.ErrTooLong) {
		return nil, api.New(api.PayloadTooLarge, map[string]string{"field": "events"}).Say("These events have too much text to be kept until Google has them. Send fewer, or shorter ones.")
	}
	if err != nil {
		return nil, err
	}
	ended, err := f.await(r.Context(), waiting)
	if errors.Is(err, syncs.ErrNotFound) {
		return nil, api.New(api.SyncNotFound) // the account was forgotten meanwhile
	}
	if err != nil {
		return nil, err
	}
	answer := syncAnswerOf(ended)
	answer.Warnings, answer.Notes = cal.Warnings, cal.Notes
	answer.Message += notPlaced(cal)
	switch ended.Status {
	case syncs.Done:
		return api.Response{Header: noStore(), Body: answer}, nil
	case syncs.Failed:
		return nil, api.New(ended.ErrorCode, map[string]any{"syncId": ended.ID, "progress": ended.Progress})
	}
	header := noStore()
	header.Set("Location", "/api/calendars/syncs/"+ended.ID)
	header.Set("Retry-After", "2")
	return api.Response{Status: http.StatusAccepted, Header: header, Body: answer}, nil
}

func noStore() http.Header { return http.Header{"Cache-Control": {"private, no-store"}} }

// syncAnswer is a sync as callers see it; message and count are what the first frontend reads.
type syncAnswer struct {
	SyncID     string       `json:"syncId"`
	CalendarID string       `json:"calendarId"`
	Status     syncs.Status `json:"status"`
	Message    string       `json:"message"`
	Count      int          `json:"count"` // events that are as they should be, or that will be while it goes on
	syncs.Progress
	Error      string             `json:"error,omitempty"` // a CODE, of a failed one
	CreatedAt  time.Time          `json:"createdAt"`
	FinishedAt *time.Time         `json:"finishedAt,omitempty"`
	Warnings   []calendar.Warning `json:"warnings,omitempty"`
	Notes      []string           `json:"notes,omitempty"` // of the calendar as a whole
}

func syncAnswerOf(s syncs.Sync) syncAnswer {
	answer := syncAnswer{
		SyncID: s.ID, CalendarID: s.CalendarID, Status: s.Status, Progress: s.Progress, Error: s.ErrorCode,
		Count: s.Progress.Created + s.Progress.Updated + s.Progress.Unchanged, CreatedAt: s.CreatedAt.UTC(), FinishedAt: s.FinishedAt,
	}
	switch s.Status {
	case syncs.Done:
		answer.Message = sentenceOf(s.Progress)
	case syncs.Failed:
		answer.Message = api.Sentence(s.ErrorCode)
	default:
		answer.Count = s.Events
		answer.Message = goingOn(s)
	}
	return answer
}

// goingOn says that a sync is not at its end. A caller that reads only count and message must not take it for one
// that added nothing.
func goingOn(s syncs.Sync) string {
	const later = " This continues by itself; you can close the page."
	if s.Removes {
		return "Google Calendar is still removing your events." + later
	}
	return fmt.Sprintf("Google Calendar is still taking in your %s; %s made so far.", plural(s.Events, "event"),
		plural(s.Progress.Done, "change")) + later
}

func sentenceOf(p syncs.Progress) string {
	if p.Failed > 0 {
		return fmt.Sprintf("Your calendar is up to date, except for %s that Google refused. Sync again to try once more.", plural(p.Failed, "event"))
	}
	if p.Created+p.Updated+p.Deleted == 0 {
		return "Your calendar was already up to date. Nothing had to be changed."
	}
	return fmt.Sprintf("Your calendar is up to date: %d added, %d changed, %d removed.", p.Created, p.Updated, p.Deleted)
}

// notPlaced says which events are in no calendar, for those who see no more of an answer than its message.
func notPlaced(cal calendar.Calendar) string {
	placed := make(map[string]bool, len(cal.Items))
	for _, item := range cal.Items {
		placed[item.Event.ID] = true
	}
	left, first := make(map[string]bool), ""
	for _, w := range cal.Warnings {
		for _, id := range w.Events {
			if !placed[id] {
				left[id] = true
				first = cmp.Or(first, w.Message)
			}
		}
	}
	if len(left) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s could not be placed: %s", plural(len(left), "event"), calendar.Sentence(first))
}

// plural counts things in words.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// listSyncs answers GET /api/calendars/syncs: the newest first.
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
	return api.Response{Header: noStore(), Body: map[string]any{"syncs": answers}}, nil
}

// showSync answers GET /api/calendars/syncs/{id}: how far it is.
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
	return api.Response{Header: noStore(), Body: syncAnswerOf(found)}, nil
}

// removeEvents answers DELETE /api/calendars/events?calendarId=: all that schedgen added goes, and following
// ends.
func (f *Function) removeEvents(r *http.Request) (any, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return nil, err
	}
	// One that is not known, after a forgotten account, say, can still hold its events.
	known, _, err := f.known(r.Context(), person, r.URL.Query().Get("calendarId"))
	if err != nil {
		return nil, err
	}
	known.Following = false
	if err := f.syncs.SaveCalendar(r.Context(), known); err != nil {
		return nil, err
	}
	if err := f.syncs.ForgetRecipes(r.Context(), person.ID, known.ID); err != nil {
		return nil, err
	}
	return f.syncNow(r, syncs.New{
		AccountID: person.ID, CalendarID: known.ID, Most: f.cfg.SyncsWaiting, Traceparent: faas.Traceparent(r.Context()),
		Request: syncs.Request{Remove: true},
	}, calendar.Calendar{})
}
