// Package functest serves a function under test as a platform serves it, behind a real HTTP server, and reads what it
// answers.
package functest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Site is an address that a function's Config may name before the function exists.
type Site struct {
	*httptest.Server
	handler atomic.Pointer[http.Handler]
}

// NewSite answers 503 until a function is served there, and is closed after the test.
func NewSite(t testing.TB) *Site {
	s := &Site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h := s.handler.Load(); h != nil {
			(*h).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(s.Close)
	return s
}

// Serve serves fn at the site from now on; a nil logger is silent.
func (s *Site) Serve(name string, fn faas.Function, logger *slog.Logger, cfg ...faas.Config) {
	handler := faas.Wrap(name, fn, logger, cfg...)
	s.handler.Store(&handler)
}

// Serve serves fn at a site of its own.
func Serve(t testing.TB, name string, fn faas.Function, cfg ...faas.Config) *Site {
	s := NewSite(t)
	s.Serve(name, fn, nil, cfg...)
	return s
}

// Answer is a response, read whole.
type Answer struct {
	testing.TB
	*http.Response
	Body []byte
}

// Send sends a request with headers in pairs; it is safe in any goroutine.
func Send(t testing.TB, client *http.Client, method, url string, body io.Reader, headers ...string) (Answer, error) {
	none := Answer{t, &http.Response{}, nil}
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		return none, err
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := client.Do(request)
	if err != nil {
		return none, err
	}
	got, err := io.ReadAll(response.Body)
	return Answer{t, response, got}, errors.Join(err, response.Body.Close())
}

// Do sends a request that must be answered.
func Do(t testing.TB, client *http.Client, method, url string, body io.Reader, headers ...string) Answer {
	t.Helper()
	a, err := Send(t, client, method, url, body, headers...)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

// Want ends the test unless the answer has the status.
func (a Answer) Want(status int) Answer {
	a.Helper()
	if a.StatusCode != status {
		a.Fatalf("%s %s: got %d, want %d: %s", a.Request.Method, a.Request.URL.Path, a.StatusCode, status, a.Body)
	}
	return a
}

// Refused expects an error object that names its request, and returns it.
func (a Answer) Refused(status int, code string) api.Object {
	a.Helper()
	object := Read[api.Object](a)
	if a.StatusCode != status || object.Error != code || object.StatusCode != status || object.Message == "" {
		a.Errorf("%s %s: got %d %s, want %d %s and a sentence", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.Body, status, code)
	}
	if object.RequestID != a.Header.Get("X-Request-Id") || object.Path != cmp.Or(a.Request.URL.Path, "/") || object.Timestamp.IsZero() {
		a.Errorf("the error object %s does not name its request", a.Body)
	}
	return object
}

// Read decodes an answer.
func Read[T any](a Answer) T {
	a.Helper()
	var value T
	if err := json.Unmarshal(a.Body, &value); err != nil {
		a.Fatalf("decode %s: %v", a.Body, err)
	}
	return value
}

// Uploaded makes a job of an owner that is ready to be read.
func Uploaded(t testing.TB, store *jobs.Store, owner string) jobs.Job {
	t.Helper()
	job, err := store.Create(t.Context(), jobs.NewJob{Owner: owner, Filename: "timetable.pdf"})
	if err == nil {
		err = store.Uploaded(t.Context(), job.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// Completed makes a job of an owner that was read as a document.
func Completed(t testing.TB, store *jobs.Store, owner string, doc timetable.Document) jobs.Job {
	t.Helper()
	job := Uploaded(t, store, owner)
	claim, err := store.Claim(t.Context(), job.ID, time.Minute)
	if err == nil {
		err = store.Complete(t.Context(), claim, doc)
	}
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// Log keeps everything that is logged.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Logger writes into the log, at every level.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
