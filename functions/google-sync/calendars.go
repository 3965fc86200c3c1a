package googlesync

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
)

// calendarAnswer is a calendar as the page shows it.
type calendarAnswer struct {
	ID              string     `json:"id"`
	Summary         string     `json:"summary"`
	Description     string     `json:"description"`
	Primary         bool       `json:"primary"`
	BackgroundColor string     `json:"backgroundColor,omitempty"`
	TimeZone        string     `json:"timeZone,omitempty"`
	CreatedHere     bool       `json:"createdHere"`
	Following       bool       `json:"following"`
	SyncedAt        *time.Time `json:"syncedAt,omitempty"`
}

// listCalendars answers GET /api/calendars: the calendars that the person may write to. A person who granted access
// only to calendars of schedgen's own sees those.
func (f *Function) listCalendars(r *http.Request) (any, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return nil, err
	}
	saved, err := f.syncs.Calendars(r.Context(), person.ID)
	if err != nil {
		return nil, err
	}
	client, err := f.worker.Client(r.Context(), person)
	if err != nil {
		return nil, err
	}
	list := func() ([]google.Calendar, error) { return f.createdCalendars(r, client, saved) }
	if person.Granted(account.ScopeCalendar) {
		list = func() ([]google.Calendar, error) { return client.Calendars(r.Context()) }
	}
	all, err := list()
	if err != nil {
		return nil, f.worker.APIError(r.Context(), person, err)
	}
	answers := []calendarAnswer{}
	for _, c := range all {
		if c.Writable {
			answers = append(answers, answerOf(c, saved))
		}
	}
	return api.Response{Header: api.NoStore(), Body: map[string]any{"calendars": answers}}, nil
}

// createdCalendars asks Google for each calendar that schedgen made. One that is gone is left out.
func (f *Function) createdCalendars(r *http.Request, client *google.Client, saved []syncs.Calendar) ([]google.Calendar, error) {
	var all []google.Calendar
	for _, k := range saved {
		if !k.Created {
			continue
		}
		c, err := client.Calendar(r.Context(), k.ID)
		switch {
		case err == nil:
			all = append(all, c)
		case !google.Is(err, google.NotFound):
			return nil, err
		}
	}
	return all, nil
}

func answerOf(c google.Calendar, known []syncs.Calendar) calendarAnswer {
	a := calendarAnswer{ID: c.ID, Summary: c.Summary, Description: c.Description, Primary: c.Primary, BackgroundColor: c.Color, TimeZone: c.TimeZone}
	for _, k := range known {
		if k.ID == c.ID {
			a.CreatedHere, a.Following, a.SyncedAt = k.Created, k.Following, k.SyncedAt
		}
	}
	return a
}

// createRequest names and describes a new calendar. Its name comes in the first frontend's word or in Google's.
type createRequest struct {
	Name        string `json:"name"`
	Summary     string `json:"summary"`
	Description string `json:"description"`
}

// What is longer than any page shows, in characters.
const (
	maxCalendarName        = 200
	maxCalendarDescription = 2000
)

// named gives the calendar's name and description, or what is wrong with them.
func (req createRequest) named(year int) (name, description string, err error) {
	tooLong := func(field string, most int) error {
		return api.New(api.ValidationFailed, map[string]any{"field": field, "most": most}).
			WithMessage(fmt.Sprintf("The %s is longer than %d characters. Use a shorter one.", field, most))
	}
	name, description = strings.TrimSpace(req.Summary+req.Name), strings.TrimSpace(req.Description)
	switch {
	case req.Summary != "" && req.Name != "":
		return "", "", api.New(api.ValidationFailed, map[string]any{"field": "summary"}).WithMessage("The calendar has two names. Send name or summary, not both.")
	case utf8.RuneCountInString(name) > maxCalendarName:
		return "", "", tooLong("name", maxCalendarName)
	case utf8.RuneCountInString(description) > maxCalendarDescription:
		return "", "", tooLong("description", maxCalendarDescription)
	}
	return cmp.Or(name, "UP Timetable "+strconv.Itoa(year)), cmp.Or(description, "Kept up to date with your timetable by schedgen."), nil
}

// createCalendar answers POST /api/calendars: a new calendar, "UP Timetable 2026" unless it is named.
func (f *Function) createCalendar(r *http.Request) (any, error) {
	person, err := f.signedIn(r)
	if err != nil {
		return nil, err
	}
	var req createRequest
	if r.ContentLength != 0 {
		if err := api.DecodeJSON(r, f.cfg.BodyLimit, &req); err != nil {
			return nil, err
		}
	}
	name, description, err := req.named(time.Now().In(calendar.Zone).Year())
	if err != nil {
		return nil, err
	}
	if !person.Granted(account.ScopeCreated) {
		return nil, api.New(api.PermissionMissing, map[string]string{"scope": account.ScopeCreated})
	}
	client, err := f.worker.Client(r.Context(), person)
	if err != nil {
		return nil, err
	}
	if err := f.checkCalendars(r, client, person); err != nil {
		return nil, err
	}
	made, err := client.Create(r.Context(), name, description, calendar.ZoneName)
	if err != nil {
		return nil, f.worker.APIError(r.Context(), person, err)
	}
	kept := syncs.Calendar{AccountID: person.ID, ID: made.ID, Summary: made.Summary, Created: true}
	if err := f.syncs.SaveCalendar(r.Context(), kept); err != nil {
		return nil, err
	}
	return api.Response{
		Status: http.StatusCreated, Header: api.NoStore(),
		Body: answerOf(made, []syncs.Calendar{kept}),
	}, nil
}

// checkCalendars refuses one more calendar for a person who has as many as one person may have. Requests that come at the
// same moment may each still get theirs: the bound is there for loops that run away.
func (f *Function) checkCalendars(r *http.Request, client *google.Client, person account.Account) error {
	saved, err := f.syncs.Calendars(r.Context(), person.ID)
	if err != nil {
		return err
	}
	limit := f.cfg.CalendarsPerOwner
	made := slices.DeleteFunc(saved, func(c syncs.Calendar) bool { return !c.Created })
	if len(made) < limit {
		return nil
	}
	left, err := f.createdCalendars(r, client, made)
	if err != nil {
		return f.worker.APIError(r.Context(), person, err)
	}
	if len(left) < limit {
		return nil
	}
	return api.New(api.Conflict, map[string]int{"limit": limit}).
		WithMessage("You have as many calendars from us as one person can have. Delete one in Google Calendar first, or use one that you have.")
}

// maxCalendarID is longer than the ids that Google makes.
const maxCalendarID = 512

// calendar is a calendar of the person's; ok is false where the database has no more than its id. It refuses what
// cannot be an id.
func (f *Function) calendar(ctx context.Context, person account.Account, id string) (c syncs.Calendar, ok bool, err error) {
	if id == "" || len(id) > maxCalendarID {
		return syncs.Calendar{}, false, api.New(api.ValidationFailed, map[string]string{"field": "calendarId"}).
			WithMessage("The calendarId is missing or too long. Use one that GET /api/calendars lists, or \"primary\".")
	}
	if id == google.Primary {
		if id, err = f.primaryID(ctx, person); err != nil {
			return syncs.Calendar{}, false, err
		}
	}
	c, ok, err = f.syncs.Calendar(ctx, person.ID, id)
	c.AccountID, c.ID = person.ID, id
	return c, ok, err
}

// primaryID is the id of the person's own calendar. The name "primary" means another calendar for each person, and
// the ids of events must not depend on that.
func (f *Function) primaryID(ctx context.Context, person account.Account) (string, error) {
	client, err := f.worker.Client(ctx, person)
	if err != nil {
		return "", err
	}
	c, err := client.Calendar(ctx, google.Primary)
	if err != nil {
		return "", f.worker.APIError(ctx, person, err)
	}
	return c.ID, nil
}
