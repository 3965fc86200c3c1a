package calendarhttp_test

import (
	"errors"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/calendarhttp"
)

// read reads and checks a body.
func read(t *testing.T, body string) (calendarhttp.Request, error) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	var req calendarhttp.Request
	if err := calendarhttp.ReadJSON(r, 1<<16, &req); err != nil {
		return req, err
	}
	return req, req.Check(2)
}

func TestRequestsAreRead(t *testing.T) {
	t.Parallel()
	req, err := read(t, `{"pdfType":"lecture","semesterStart":"2026-07-12T22:00:00.000Z","semesterEnd":"2026-10-15T22:00:00.000Z","events":[{"module":"COS 110"}],"groups":{"COS 110":"P01"}}`)
	if err != nil || req.Events[0].Kind != "lecture" || req.Terms["S2"].Start.String() != "2026-07-13" || req.Groups["COS 110"][0] != "P01" {
		t.Errorf("it is read as %+v (%v)", req, err)
	}
	for body, code := range map[string]string{
		`{`: api.InvalidJSON, `{"terms":{"S1":"soon"}}`: api.ValidationFailed, `{"pdfType":"party"}`: api.ValidationFailed,
		`{"events":[{},{},{}]}`: api.ValidationFailed, `{"semesterStart":"2026-02-09"}`: api.MissingSemesterDates,
		`{"semesterStart":"2026-02-09","semesterEnd":"2026-02-08"}`: api.InvalidSemesterDates,
	} {
		_, err := read(t, body)
		var e *api.Error
		if !errors.As(err, &e) || e.Code != code || !strings.HasSuffix(e.Message, ".") {
			t.Errorf("%s gives %v, want %s and a sentence", body, err, code)
		}
	}
}

func TestBodiesMustBeSaidToBeJSON(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", ";"} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(`{"name":"Mine"}`))
		r.Header.Set("Content-Type", media)
		var req calendarhttp.Request
		var e *api.Error
		if err := calendarhttp.ReadJSON(r, 1<<16, &req); !errors.As(err, &e) || e.Code != api.UnsupportedMediaType || req.Name != "" {
			t.Errorf("a body of type %q gives %v, want %s", media, err, api.UnsupportedMediaType)
		}
	}
}

func TestProblemsAreSaid(t *testing.T) {
	t.Parallel()
	var e *api.Error
	err := calendarhttp.APIError(&calendar.Error{Code: calendar.MissingSemesterDates, Message: "lectures need dates"})
	if !errors.As(err, &e) || e.Code != api.MissingSemesterDates || e.Message != "Lectures need dates." {
		t.Errorf("got %v", err)
	}
	warnings := []calendar.Warning{{Code: calendar.AllExcluded}}
	err = calendarhttp.APIError(&calendar.Error{Code: calendar.NothingLeft, Message: "nothing", Details: warnings})
	if want := map[string]any{"reason": calendar.NothingLeft, "warnings": warnings}; !errors.As(err, &e) || e.Code != api.ValidationFailed || !reflect.DeepEqual(e.Details, want) {
		t.Errorf("got %#v, want %s with %v", err, api.ValidationFailed, want)
	}
	plain := errors.New("plain")
	if got := calendarhttp.APIError(plain); !errors.Is(got, plain) {
		t.Errorf("another error becomes %v", got)
	}
	for text, want := range map[string]string{"": "", "é is a letter": "É is a letter."} {
		if got := calendar.Sentence(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
