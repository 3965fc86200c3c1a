package calendargenerate

import (
	"io"
	"net/http"

	"github.com/schedgen/schedgen/functions/calendar-generate/ics"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
)

// myCalendar answers GET /api/me/calendar.ics: one calendar of all that the caller uploaded. Lectures whose dates
// nobody knows are left out with a warning, so that the rest can be downloaded.
func (f *Function) myCalendar(r *http.Request) (any, error) {
	if _, ok := f.sessions.Owner(r); !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You have no timetable here yet, so there is no calendar to download.")
	}
	source, stamp, err := f.allUploads(r)
	if err != nil {
		return nil, err
	}
	cal, err := f.build(r, source, calendar.Options{Lenient: true})
	if err != nil {
		return nil, calendarhttp.APIError(err)
	}
	if len(cal.Items) == 0 {
		return nil, api.New(api.NotFound).WithMessage("Your uploads hold no events yet, so there is no calendar to download.")
	}
	header := counts(cal)
	header.Set("Content-Disposition", `attachment; filename="schedgen.ics"`)
	return api.Response{Status: http.StatusOK, Header: header, ContentType: ics.ContentType, Body: writer(func(w io.Writer) error {
		return ics.Write(w, cal, stamp)
	})}, nil
}
