package googlesync

import (
	"errors"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
)

// followRequest turns following on, with the choices for newer timetables, or off.
type followRequest struct {
	CalendarID string                `json:"calendarId" most:"512"`
	Follow     *bool                 `json:"follow"`
	Options    *calendarhttp.Choices `json:"options"` // left out, they stay as they were
}

// follow answers POST /api/calendars/follow. It syncs nothing now; the next upload does.
func (f *Function) follow(r *http.Request) (any, error) {
	var req followRequest
	person, err := f.readFor(r, &req)
	if err != nil {
		return nil, err
	}
	if req.Follow == nil {
		return nil, api.New(api.ValidationFailed, map[string]string{"field": "follow"}).WithMessage("The request does not say whether to follow. Send follow as true or false.")
	}
	target, ok, err := f.calendar(r.Context(), person, req.CalendarID)
	if err != nil {
		return nil, err
	}
	if !ok && !*req.Follow {
		return nil, api.New(api.CalendarNotFound)
	}
	target.Following = *req.Follow
	if req.Options != nil {
		if target.Options, err = checkedOptions(req.Options); err != nil {
			return nil, err
		}
	}
	if err := f.syncs.SaveCalendar(r.Context(), target); err != nil {
		return nil, err
	}
	return api.Response{Header: api.NoStore(), Body: map[string]any{"calendarId": target.ID, "following": target.Following}}, nil
}

// checkedOptions are the options of choices for newer timetables. Choices that make no sense are refused now, and not
// with the next upload.
func checkedOptions(choices *calendarhttp.Choices) (calendar.Options, error) {
	if err := choices.ApplySemester(); err != nil {
		return calendar.Options{}, err
	}
	_, err := calendar.Build(nil, choices.Options)
	var e *calendar.Error
	if errors.As(err, &e) && (e.Code == calendar.UnknownGroup || e.Code == calendar.UnknownModule) {
		err = nil // a later timetable may have it
	}
	return choices.Options, calendarhttp.APIError(err)
}
