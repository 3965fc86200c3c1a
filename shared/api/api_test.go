package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// ask serves one request with what f returns, and keeps what is logged.
func ask(t *testing.T, f func(*http.Request) (any, error)) (answer *httptest.ResponseRecorder, log string) {
	t.Helper()
	var lines bytes.Buffer
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/jobs/1?token=secret", nil)
	ctx := api.WithLogger(api.WithRequestID(r.Context(), "request-1"), slog.New(slog.NewJSONHandler(&lines, nil)))
	answer = httptest.NewRecorder()
	api.Handler(f).ServeHTTP(answer, r.WithContext(ctx))
	return answer, lines.String()
}

func object(t *testing.T, answer *httptest.ResponseRecorder) api.Object {
	t.Helper()
	var o api.Object
	if err := json.Unmarshal(answer.Body.Bytes(), &o); err != nil {
		t.Fatalf("decode %q: %v", answer.Body, err)
	}
	return o
}

type down struct{}

func (down) Error() string       { return "dial tcp 10.0.0.1: secret" }
func (down) Unavailable() string { return api.DatabaseUnavailable }

func TestEachErrorHasItsStatusAndCode(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		err    error
		status int
		code   string
		retry  string
	}{
		"coded":          {api.New(api.JobNotFound), 404, "JOB_NOT_FOUND", ""},
		"wrapped":        {fmt.Errorf("look: %w", api.New("PDF_ENCRYPTED")), 422, "PDF_ENCRYPTED", ""},
		"with its wait":  {api.New(api.RateLimited).WithRetryAfter(1500 * time.Millisecond), 429, "RATE_LIMITED", "2"},
		"usual wait":     {api.New(api.Busy), 429, "BUSY", "1"},
		"unknown":        {errors.New("secret"), 500, "INTERNAL", ""},
		"unknown code":   {api.New("NOT_IN_THE_TABLE"), 500, "NOT_IN_THE_TABLE", ""},
		"database":       {fmt.Errorf("get: %w", down{}), 503, "DATABASE_UNAVAILABLE", "5"},
		"network":        {&net.OpError{Op: "dial", Err: errors.New("refused")}, 503, "UNAVAILABLE", "5"},
		"deadline":       {fmt.Errorf("x: %w", context.DeadlineExceeded), 504, "TIMEOUT", "5"},
		"read deadline":  {os.ErrDeadlineExceeded, 504, "TIMEOUT", "5"},
		"caller is gone": {context.Canceled, 499, "CLIENT_CLOSED_REQUEST", ""},
		"body too large": {&http.MaxBytesError{Limit: 10}, 413, "PAYLOAD_TOO_LARGE", ""},
	}
	for name, c := range cases {
		answer, log := ask(t, func(*http.Request) (any, error) { return nil, c.err })
		got := object(t, answer)
		if answer.Code != c.status || got.StatusCode != c.status || got.Error != c.code || answer.Header().Get("Retry-After") != c.retry {
			t.Errorf("%s: got %d %+v, Retry-After %q; want %d %s %q", name, answer.Code, got, answer.Header().Get("Retry-After"), c.status, c.code, c.retry)
		}
		if got.Path != "/api/jobs/1" || got.RequestID != "request-1" || got.Message == "" || got.Timestamp.IsZero() {
			t.Errorf("%s: the error object is not whole: %+v", name, got)
		}
		if strings.Contains(answer.Body.String(), "secret") {
			t.Errorf("%s: the answer shows internals: %s", name, answer.Body)
		}
		if logged := strings.Count(log, "\n"); logged != 0 != (c.status >= 500) || logged > 1 {
			t.Errorf("%s: %d lines logged: %s", name, logged, log)
		}
	}
}

func TestErrorsCarryWhatTheyAreGiven(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	e := api.New(api.ValidationFailed, map[string]string{"field": "terms"}).WithMessage("No.").Wrap(cause)
	if !errors.Is(e, cause) || !strings.Contains(e.Error(), "cause") {
		t.Errorf("got %v", e)
	}
	answer, _ := ask(t, func(*http.Request) (any, error) { return nil, e })
	if got := object(t, answer); got.Message != "No." || fmt.Sprint(got.Details) != "map[field:terms]" {
		t.Errorf("got %+v", got)
	}
	if api.Sentence(api.JobNotFound) == "" || api.Sentence("X") != "" {
		t.Error("the table's sentences are wrong")
	}
}

type closing struct {
	io.Reader
	closed *bool
}

func (c closing) Close() error { *c.closed = true; return nil }

// pieces are written one by one.
type pieces []string

func (p pieces) WriteTo(w io.Writer) (int64, error) {
	for _, piece := range p {
		if _, err := io.WriteString(w, piece); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

func TestAnswersThatAreValues(t *testing.T) {
	t.Parallel()
	closed := false
	cases := map[string]struct {
		value       any
		status      int
		body        string
		contentType string
	}{
		"value":    {map[string]int{"a": 1}, 200, "{\"a\":1}\n", "application/json; charset=utf-8"},
		"text":     {"<&>", 200, "\"<&>\"\n", "application/json; charset=utf-8"},
		"pieces":   {api.Response{Body: pieces{"a", "b"}, ContentType: "text/plain"}, 200, "ab", "text/plain"},
		"nothing":  {api.Response{}, 204, "", ""},
		"pointer":  {&api.Response{Status: 202, Body: "x"}, 202, "\"x\"\n", "application/json; charset=utf-8"},
		"bytes":    {api.Response{Body: []byte("BEGIN"), ContentType: "text/calendar"}, 200, "BEGIN", "text/calendar"},
		"reader":   {api.Response{Body: closing{strings.NewReader("text"), &closed}, ContentType: "text/plain"}, 200, "text", "text/plain"},
		"unwanted": {api.Response{Status: 304}, 304, "", ""},
		"bad":      {func() {}, 500, "", "application/json; charset=utf-8"},
	}
	for name, c := range cases {
		answer, _ := ask(t, func(*http.Request) (any, error) { return c.value, nil })
		if answer.Code != c.status || c.body != "" && answer.Body.String() != c.body || answer.Header().Get("Content-Type") != c.contentType {
			t.Errorf("%s: got %d %q %q", name, answer.Code, answer.Header().Get("Content-Type"), answer.Body)
		}
	}
	if !closed {
		t.Error("the reader was not closed")
	}
	answer, _ := ask(t, func(*http.Request) (any, error) {
		return api.Response{Header: http.Header{"etag": {`"1"`}}}, nil
	})
	if answer.Header().Get("Etag") != `"1"` {
		t.Errorf("got header %v", answer.Header())
	}
}

func TestTheMuxsOwnAnswersAreErrorObjects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /things/{id}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.PathValue("id"), r.Pattern) })
	mux.HandleFunc("GET /dir/", func(http.ResponseWriter, *http.Request) {})
	handler := api.Mux(mux)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/things/7", 200, ""}, {"DELETE", "/things/7", 405, "METHOD_NOT_ALLOWED"},
		{"GET", "/nowhere", 404, "NOT_FOUND"}, {"GET", "/dir", 307, ""},
	} {
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		// ServeMux answers 301 or 307, by its version.
		if answer.Code != c.status && !(c.status == 307 && answer.Code == 301) {
			t.Errorf("%s %s: got %d, want %d", c.method, c.path, answer.Code, c.status)
		}
		if c.code != "" && object(t, answer).Error != c.code {
			t.Errorf("%s %s: got %s, want %s", c.method, c.path, answer.Body, c.code)
		}
		if c.status == 405 && answer.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("Allow: got %q", answer.Header().Get("Allow"))
		}
		if c.status == 200 && answer.Body.String() != "7GET /things/{id}" {
			t.Errorf("got %q", answer.Body)
		}
	}
}

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ contentType, body, code string }{
		"good":         {"application/json; charset=utf-8", `{"n":1}`, ""},
		"unknown":      {"application/json", `{"n":1,"more":2}`, "VALIDATION_FAILED"},
		"twice":        {"application/json", `{"n":1,"n":2}`, "VALIDATION_FAILED"},
		"NUL":          {"application/json", `{"s":"\u0000"}`, "INVALID_JSON"},
		"bytes":        {"application/json", "{\"s\":\"\xff\"}", "INVALID_JSON"},
		"long":         {"application/json", `{"s":"123456789"}`, "VALIDATION_FAILED"},
		"no type":      {"", `{"n":1}`, "UNSUPPORTED_MEDIA_TYPE"},
		"form":         {"application/x-www-form-urlencoded", `n=1`, "UNSUPPORTED_MEDIA_TYPE"},
		"syntax":       {"application/json", `{"n":`, "INVALID_JSON"},
		"bad syntax":   {"application/json", `{n:1}`, "INVALID_JSON"},
		"type":         {"application/json", `{"n":"x"}`, "INVALID_JSON"},
		"two":          {"application/json", `{"n":1}{"n":2}`, "INVALID_JSON"},
		"empty":        {"application/json", ``, "INVALID_JSON"},
		"large":        {"application/json", `{"n":1,"pad":"` + strings.Repeat("x", 100) + `"}`, "PAYLOAD_TOO_LARGE"},
		"broken media": {";;", `{}`, "UNSUPPORTED_MEDIA_TYPE"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		var into struct {
			N int
			S string `most:"8"`
		}
		err := api.DecodeJSON(r, 64, &into)
		if c.code == "" {
			if err != nil || into.N != 1 {
				t.Errorf("%s: got %d, %v", name, into.N, err)
			}
			continue
		}
		if err == nil || api.From(err).Code != c.code {
			t.Errorf("%s: got %v, want %s", name, err, c.code)
		}
	}
}

// base is embedded in what callers send, which is no business of theirs.
type base struct {
	Options struct {
		Groups map[string][]string `json:"groups"`
		When   time.Time           `json:"when"`
		Items  []struct{ Deep *bool }
	} `json:"options"`
}

// A caller writes JSON and knows nothing of the types it is read into.
func TestAWrongValueIsToldOfInTheCallersWords(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[]`:                                 "map[expected:object field:]",
		`{"options":7}`:                      "map[expected:object field:options]",
		`{"options":{"groups":[]}}`:          "map[expected:object field:options.groups]",
		`{"options":{"groups":{"a":"b"}}}`:   "map[expected:array field:options.groups.a]",
		`{"options":{"groups":{"a":[1]}}}`:   "map[expected:string field:options.groups.a[0]]",
		`{"options":{"items":[{"Deep":1}]}}`: "map[expected:boolean field:options.items[0].Deep]",
		`{"n":"x"}`:                          "map[expected:number field:n]",
		`{"Own":{"base":"x"}}`:               "map[expected:number field:Own.base]",
		`{"text":{}}`:                        "map[expected:string field:text]",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		var into struct {
			base
			N   int `json:"n"`
			Own struct {
				Base int `json:"base"`
			}
			Text netip.Addr `json:"text"`
		}
		err := api.DecodeJSON(r, 1<<10, &into)
		if err == nil {
			t.Errorf("%s: got no error", body)
			continue
		}
		if got := api.From(err); got.Code != api.InvalidJSON || fmt.Sprint(got.Details) != want {
			t.Errorf("%s: got %s %v, want %s %s", body, got.Code, got.Details, api.InvalidJSON, want)
		}
	}
}
