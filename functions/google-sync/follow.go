package googlesync

import (
	"context"
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendar/ask"
	"github.com/schedgen/schedgen/shared/pack"
)

// followRequest turns following on, with the choices that each newer timetable gets, or off.
type followRequest struct {
	CalendarID string       `json:"calendarId" most:"512"`
	Follow     *bool        `json:"follow"`
	Options    *ask.Choices `json:"options"` // as they were when left out
}

// follow answers POST /api/calendars/follow. It syncs nothing now; the next upload does.
func (f *Function) follow(r *http.Request) (any, error) {
	var req followRequest
	person, err := f.readFor(r, &req)
	if err != nil {
		return nil, err
	}
	if req.Follow == nil {
		return nil, api.New(api.ValidationFailed, map[string]string{"field": "follow"}).Say("The request does not say whether to follow. Send follow as true or false.")
	}
	known, ok, err := f.known(r.Context(), person, req.CalendarID)
	if err != nil {
		return nil, err
	}
	if !ok && !*req.Follow {
		return nil, api.New(api.CalendarNotFound)
	}
	known.Following = *req.Follow
	if req.Options != nil {
		if known.Options, err = settled(req.Options); err != nil {
			return nil, err
		}
	}
	if err := f.syncs.SaveCalendar(r.Context(), known); err != nil {
		return nil, err
	}
	return api.Response{Header: noStore(), Body: map[string]any{"calendarId": known.ID, "following": known.Following}}, nil
}

// settled gives the options of the choices that newer timetables shall get. What makes no sense is refused now,
// and not with the next upload.
func settled(choices *ask.Choices) (calendar.Options, error) {
	if err := choices.Settle(); err != nil {
		return calendar.Options{}, err
	}
	if _, err := calendar.Build(nil, choices.Options); err != nil && !onlyUnknown(err) {
		return calendar.Options{}, ask.Problem(err)
	}
	return choices.Options, nil
}

// onlyUnknown says that the choice names what no timetable here has yet.
func onlyUnknown(err error) bool {
	var e *calendar.Error
	return errors.As(err, &e) && (e.Code == calendar.UnknownGroup || e.Code == calendar.UnknownModule)
}

// followUp makes a sync for each calendar that follows the account's uploads, and tells of them. The work is
// done when they are told of: whoever told of the upload does not wait for Google.
func (f *Function) followUp(ctx context.Context, person account.Account) error {
	if !person.SignedIn() {
		return nil // it catches up when the person signs in again
	}
	all, err := f.syncs.Calendars(ctx, person.ID)
	if err != nil {
		return err
	}
	for _, c := range all {
		if !c.Following {
			continue
		}
		if err := f.enqueue(ctx, person, c); err != nil {
			return err
		}
	}
	return nil
}

// enqueue makes the sync of one calendar that follows.
func (f *Function) enqueue(ctx context.Context, person account.Account, c syncs.Calendar) error {
	made, ok, err := f.followed(ctx, c)
	if err != nil || !ok {
		return err
	}
	waiting, err := f.syncs.Create(ctx, f.newSync(ctx, person, c.ID, made))
	if errors.Is(err, syncs.ErrTooMany) {
		return api.New(api.Busy) // the event comes again
	}
	if errors.Is(err, pack.ErrTooLong) {
		api.Logger(ctx).WarnContext(ctx, "a calendar cannot follow", "code", api.PayloadTooLarge)
		return nil
	}
	if err != nil {
		return err
	}
	f.publish(ctx, waiting)
	return nil
}

// followed builds what a calendar that follows should hold now; ok is false where there is nothing to build. What
// newer timetables make of old choices is lenient: a group that is gone must not end the following.
func (f *Function) followed(ctx context.Context, c syncs.Calendar) (made built, ok bool, err error) {
	known, err := f.years.Settled(ctx)
	if err != nil {
		return built{}, false, err
	}
	made, err = f.ofAll(ctx, known, c.AccountID, c.Given.Keep(c.Options), c.ChosenAt, true)
	var problem *api.Error
	if errors.As(ask.Problem(err), &problem) && problem.Status() < http.StatusInternalServerError {
		api.Logger(ctx).WarnContext(ctx, "a calendar cannot follow", "code", problem.Code)
		return built{}, false, nil
	}
	if err != nil {
		return built{}, false, err
	}
	made.options = c.Options
	return made, true, f.syncs.Give(ctx, c.AccountID, c.ID, c.Given.After(made.cal))
}

// catchUp brings up to date what followed while the person was signed out. The sign-in does not fail with it.
func (f *Function) catchUp(ctx context.Context, person account.Account) {
	if err := f.followUp(ctx, person); err != nil {
		api.Logger(ctx).WarnContext(ctx, "a calendar could not catch up after the sign-in", "error", err.Error())
	}
}
