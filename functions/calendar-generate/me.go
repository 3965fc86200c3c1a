package calendargenerate

import (
	"errors"
	"io"
	"net/http"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/newest"
)

// myCalendar answers GET /api/me/calendar.ics: one calendar of all that the caller uploaded. Lectures whose dates
// nobody knows are left out with a warning, so that the rest can be downloaded.
func (f *Function) myCalendar(r *http.Request) (any, error) {
	ctx := r.Context()
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have no timetable here yet, so there is no calendar to download.")
	}
	all, err := newest.Of(ctx, f.jobs, owner)
	if err != nil {
		return nil, err
	}
	var cal calendar.Calendar
	var options calendar.Options
	build := func(o calendar.Options) (err error) {
		cal, err = all.Build(ctx, o, f.now())
		return err
	}
	err = f.typed.Build(ctx, f.years.Snapshot(ctx), owner, &options, build)
	var unfit *calendar.Error
	if errors.As(err, &unfit) {
		options.Lenient = true
		err = build(options)
	}
	if err != nil {
		return nil, err
	}
	if len(cal.Items) == 0 {
		return nil, api.New(api.NotFound).WithMessage("Your uploads hold no events yet, so there is no calendar to download.")
	}
	header := counts(cal)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Disposition", `attachment; filename="schedgen.ics"`)
	return api.Response{Status: http.StatusOK, Header: header, ContentType: ics.ContentType, Body: writer(func(w io.Writer) error {
		return ics.Write(w, cal, f.now())
	})}, nil
}
