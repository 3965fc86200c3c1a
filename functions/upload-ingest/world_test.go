package uploadingest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/stack/redis"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

// The tokens of every test's world.
const (
	eventToken = "event-token"
	adminToken = "admin-token"
)

// patience ends what is waited for. Nothing is right or wrong by it.
const patience = time.Minute

// world is the function behind a real HTTP server, with a database, an object store that notifies
// it, a Redis, and a reader in the place of pdf-parse.
type world struct {
	*testing.T
	f       *Function
	cfg     Config
	url     string
	client  *http.Client // checks every exchange against the API's description
	reader  *reader
	store   *storeProxy
	checker *openapitest.Checker
}

// option changes a world's configuration before the function is made of it.
type option func(*world)

func with(change func(*Config)) option { return func(w *world) { change(&w.cfg) } }

// silent is a world whose object store tells nobody.
func silent(w *world) { w.store.silent = true }

func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	t.Parallel()
	w := &world{T: t, store: &storeProxy{}}
	site := functest.NewSite(t)
	w.url = site.URL
	w.reader = newReader(t)
	w.checker = openapitest.New(t, OpenAPI())
	w.client = w.checker.Client(t)
	embedded, err := redis.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(embedded.Stop)
	w.cfg = Config{
		Cache:   cache.Config{URL: secret.New(embedded.URL()), Timeout: 5 * time.Second, Retry: time.Millisecond},
		Session: session.Config{Keys: secret.List(strings.Repeat("k", 32))},
		Events:  events.Config{Targets: []string{w.reader.URL}, Token: secret.New(eventToken), Timeout: patience, Retries: 1},
		Limits:  jobs.DefaultLimits(), Guard: ratelimit.Unlimited, Pending: ratelimit.NoBound, AdminToken: secret.New(adminToken), Poll: 20 * time.Millisecond,
		PDFRetention: 24 * time.Hour, JobRetention: 8784 * time.Hour, ParsedTargets: []string{w.reader.URL},
	}
	for _, o := range options {
		o(w)
	}
	if w.cfg.Postgres.URL.IsZero() {
		w.cfg.Postgres = postgres.Config{URL: secret.New(pgtest.New(t))}
	}
	w.store.start(t, w.url+"/events/s3")
	if w.cfg.Blob.URL == "" {
		w.cfg.Blob = w.store.config()
	}
	w.f, err = New(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.f.Close)
	w.reader.f = w.f
	site.Serve("upload-ingest", w.f, nil, faas.Config{RequestTimeout: patience})
	return w
}

// newWorldBeside is another instance over the same data, configured otherwise.
func newWorldBeside(w *world, change func(*Config)) *world {
	w.Helper()
	beside := *w
	change(&beside.cfg)
	f, err := New(w.Context(), beside.cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(f.Close)
	beside.f, beside.url = f, functest.Serve(w, "upload-ingest", f).URL
	return &beside
}

// reader stands in for pdf-parse: it claims the job of an event and completes or fails it.
type reader struct {
	*httptest.Server
	t *testing.T
	f *Function

	mu     sync.Mutex
	doc    timetable.Document
	code   string // fail with this
	status int    // answer this, and do nothing
	hold   chan struct{}
	events []string // types and subjects, as they came
}

func newReader(t *testing.T) *reader {
	r := &reader{t: t, doc: lectures}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// lectures is what the reader finds in every PDF.
var lectures = timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
	{Module: "COS 212", Offered: "S1", Group: "G01", Lang: "E", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20", Venues: []string{"IT 4-4"}, Page: 1},
	{Module: "<script>alert(1)</script>", Offered: "S1", Group: "P02", Activity: "P1", Day: "Friday", StartTime: "13:30", EndTime: "", Venues: []string{"\"><img src=x>"}, Page: 1,
		Warnings: []timetable.Warning{{Code: timetable.NoTime, Message: "<b>no end</b>", Page: 1, Row: 2}}},
}}

// set changes the reader while it serves.
func (r *reader) set(change func(*reader)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// told are the subjects of the events of a type that came, each once, in order.
func (r *reader) told(eventType string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var subjects []string
	for _, e := range r.events {
		if subject, ok := strings.CutPrefix(e, eventType+" "); ok && !slices.Contains(subjects, subject) {
			subjects = append(subjects, subject)
		}
	}
	return subjects
}

func (r *reader) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.Header.Get("Authorization") != "Bearer "+eventToken {
		r.t.Errorf("an event came with the token %q", request.Header.Get("Authorization"))
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	list, err := events.Decode(request.Header, body)
	if err != nil || len(list) != 1 {
		r.t.Errorf("the event %s: got %v, %v", body, list, err)
		return
	}
	r.mu.Lock()
	r.events = append(r.events, list[0].Type()+" "+list[0].Subject())
	doc, code, status, hold := r.doc, r.code, r.status, r.hold
	r.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	object, err := events.ObjectOf(list[0])
	if err != nil {
		return // of another type: taken
	}
	ctx := context.WithoutCancel(request.Context()) // as pdf-parse, whose work goes on
	claim, err := r.f.jobs.Claim(ctx, object.JobID, time.Minute)
	if err != nil {
		return
	}
	if hold != nil {
		<-hold
	}
	if code != "" {
		err = r.f.jobs.Fail(ctx, claim, code, "This file is "+code+".")
	} else {
		err = r.f.jobs.Complete(ctx, claim, doc)
	}
	if err != nil {
		r.t.Logf("the reader: %v", err)
	}
	r.f.cache.Wake(ctx, jobs.Topic(object.JobID))
}

// storeProxy is the way to the embedded S3 server, where tests make faults.
type storeProxy struct {
	backend *s3test.Server
	proxy   *httptest.Server
	silent  bool
	puts    atomic.Int64 // of objects

	mu sync.Mutex
	// put is called for each PUT of an object with what does it, and answers.
	put func(w http.ResponseWriter, r *http.Request, forward func(http.ResponseWriter))
	all func(w http.ResponseWriter, r *http.Request) (done bool)
}

func (s *storeProxy) start(t *testing.T, webhook string) {
	var hooks []s3test.Webhook
	if !s.silent {
		hooks = append(hooks, s3test.Webhook{URL: webhook, Token: eventToken})
	}
	s.backend = s3test.New(t, hooks...)
	s.proxy = httptest.NewServer(proxyTo(t, s.backend.URL, s))
	t.Cleanup(s.proxy.Close)
}

func (s *storeProxy) config() blob.Config {
	cfg := s.backend.Config()
	cfg.URL = s.proxy.URL
	return cfg
}

func (s *storeProxy) set(change func(*storeProxy)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// pdf is a timetable that a student might have.
var pdf = sync.OnceValue(func() []byte {
	made, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 7})
	if err != nil {
		panic(err) // the options are constant
	}
	return made
})

// student is a caller with a session of its own, sent as a Bearer token.
type student struct {
	*world
	owner string
}

func (w *world) student() student { return student{w, uuid.NewString()} }

func (s student) token() string { return s.f.sessions.Token(s.owner) }

// do sends a request with headers in pairs.
func (w *world) do(client *http.Client, method, path string, body io.Reader, headers ...string) functest.Answer {
	w.Helper()
	return functest.Do(w, client, method, w.url+path, body, headers...)
}

// call sends a request in the student's name.
func (s student) call(method, path string, headers ...string) functest.Answer {
	s.Helper()
	return s.do(s.client, method, path, nil, append(headers, "Authorization", "Bearer "+s.token())...)
}

// upload sends a form with a file in the student's name.
func (s student) upload(file []byte, headers ...string) functest.Answer {
	s.Helper()
	form, contentType := formOf(s.T, field{"file", "timetable.pdf", file})
	return s.do(s.client, "POST", "/api/upload", form, append(headers, "Content-Type", contentType, "Authorization", "Bearer "+s.token())...)
}

// field is one of a form; with a filename it is a file.
type field struct {
	name, filename string
	value          []byte
}

func formOf(t testing.TB, fields ...field) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	for _, f := range fields {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf("form-data; name=%q", f.name)}}
		if f.filename != "" {
			header = textproto.MIMEHeader{"Content-Type": {"application/pdf"},
				"Content-Disposition": {multipart.FileContentDisposition(f.name, f.filename)}}
		}
		part, err := form.CreatePart(header)
		if err == nil {
			_, err = part.Write(f.value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return body, form.FormDataContentType()
}

// find is a job as the database has it.
func (w *world) find(id string) jobs.Job {
	w.Helper()
	job, err := w.f.jobs.Find(w.Context(), id)
	if err != nil {
		w.Fatalf("find job %s: %v", id, err)
	}
	return job
}

// sql runs a statement and says how many rows it touched.
func (w *world) sql(statement string, args ...any) int64 {
	w.Helper()
	touched, err := w.f.pool.Exec(w.Context(), statement, args...)
	if err != nil {
		w.Fatal(err)
	}
	return touched
}

// age moves all times of all jobs into the past.
func (w *world) age(by time.Duration) {
	w.Helper()
	w.sql(`update jobs set created_at = created_at - d, updated_at = updated_at - d, uploaded_at = uploaded_at - d,
		started_at = started_at - d, completed_at = completed_at - d, run_after = run_after - d, lease_until = lease_until - d,
		dispatched_at = dispatched_at - d from make_interval(secs => $1::float8) d`, by.Seconds())
}

// stored says whether the object is in the store.
func (w *world) stored(key string) bool {
	w.Helper()
	store := w.store.backend.Store(w.T)
	_, err := store.Stat(w.Context(), key)
	return err == nil
}
