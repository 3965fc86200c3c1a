package pdfparse

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestMain(m *testing.M) {
	sandbox.MaybeChild()
	childtest.Main(faas.Config{}, stuck)
	os.Exit(m.Run())
}

// patience ends what is waited for. Nothing is right or wrong by it.
const patience = time.Minute

// world is the function behind a real HTTP server, with a database, an object store, and somebody
// who is told of timetables.
type world struct {
	*testing.T
	f     *Function
	cfg   Config
	url   string
	s3    *s3test.Server
	owner string
	told  *listener
}

func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	t.Parallel()
	w := &world{T: t, s3: s3test.New(t), owner: uuid.NewString(), told: newListener(t)}
	w.cfg = Config{
		Blob: w.s3.Config(), Events: events.Config{Targets: []string{w.told.URL}, Timeout: patience, Retries: 0},
		Limits: jobs.Limits{Backoff: 10 * time.Millisecond}, Rate: 1000, PDFRetention: 24 * time.Hour, OpenPaths: []string{"/"},
	}
	for _, c := range change {
		c(&w.cfg)
	}
	if w.cfg.Postgres.URL.IsZero() {
		w.cfg.Postgres = postgres.Config{URL: secret.New(pgtest.New(t))}
	}
	w.f, w.url = w.instance(nil)
	return w
}

// instance is another instance of the function over the same data.
func (w *world) instance(change func(*Config)) (*Function, string) {
	w.Helper()
	cfg := w.cfg
	if change != nil {
		change(&cfg)
	}
	f, err := New(w.Context(), cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(f.Close)
	return f, functest.Serve(w, "pdf-parse", f, faas.Config{RequestTimeout: patience}).URL
}

// listener is told of timetables.
type listener struct {
	*httptest.Server
	mu     sync.Mutex
	parsed []events.Parsed
	status int
}

func newListener(t *testing.T) *listener {
	l := &listener{status: http.StatusNoContent}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		list, err := events.Decode(r.Header, body)
		if err != nil || len(list) != 1 {
			t.Errorf("told of %s: %v", body, err)
			return
		}
		parsed, err := events.ParsedOf(list[0])
		if err != nil {
			t.Errorf("told of %s: %v", body, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.parsed = append(l.parsed, parsed)
		w.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

func (l *listener) all() []events.Parsed {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]events.Parsed(nil), l.parsed...)
}

// lecture is a timetable and its truth.
var lecture = sync.OnceValues(func() ([]byte, timetable.Document) {
	pdf, truth, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 11, Modules: 3})
	if err != nil {
		panic(err) // the options are constant
	}
	return pdf, truth
})

// upload stores a PDF as upload-ingest does, and gives its job.
func (w *world) upload(pdf []byte, priority jobs.Priority) jobs.Job {
	w.Helper()
	job, err := w.f.jobs.Create(w.Context(), jobs.NewJob{Owner: w.owner, Priority: priority, Size: int64(len(pdf))})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.s3.Store(w.T).Put(w.Context(), job.ObjectKey, bytes.NewReader(pdf), int64(len(pdf)), "application/pdf", nil); err != nil {
		w.Fatal(err)
	}
	if err := w.f.jobs.Uploaded(w.Context(), job.ID); err != nil {
		w.Fatal(err)
	}
	return job
}

// lectures uploads a lecture timetable.
func (w *world) lectures() jobs.Job {
	w.Helper()
	pdf, _ := lecture()
	return w.upload(pdf, jobs.Normal)
}

// capturedJob is the job of the notification that was captured from the real MinIO.
const capturedJob = "01942c86-7f0a-7c4e-9d35-2b61f0c8a4e7"

// record is a record of a real MinIO's notification, of the job.
func record(t testing.TB, job jobs.Job) json.RawMessage {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "shared", "events", "testdata", "minio-put.json"))
	if err != nil {
		t.Fatal(err)
	}
	var n struct{ Records []json.RawMessage }
	if err := json.Unmarshal(body, &n); err != nil || len(n.Records) != 1 {
		t.Fatalf("read the sample: %v", err)
	}
	return json.RawMessage(strings.NewReplacer(`"`+capturedJob+`"`, `"`+job.ID+`"`, `"high"`, `"`+string(job.Priority)+`"`,
		"uploads%2Fhigh%2F"+capturedJob+".pdf", strings.ReplaceAll(job.ObjectKey, "/", "%2F")).Replace(string(n.Records[0])))
}

func notification(records ...json.RawMessage) []byte {
	body, err := json.Marshal(map[string][]json.RawMessage{"Records": records})
	if err != nil {
		panic(err) // the records are JSON
	}
	return body
}

// answer is what an event was answered.
type answer struct{ functest.Answer }

// post sends an event with headers in pairs; it is safe in any goroutine.
func (w *world) post(url string, body []byte, headers ...string) (answer, error) {
	a, err := functest.Send(w, http.DefaultClient, http.MethodPost, url, bytes.NewReader(body), headers...)
	return answer{a}, err
}

func (w *world) send(body []byte, headers ...string) answer {
	w.Helper()
	a, err := w.post(w.url, body, headers...)
	if err != nil {
		w.Fatal(err)
	}
	return a
}

// notify sends the job's notification.
func (w *world) notify(job jobs.Job) answer {
	w.Helper()
	return w.send(notification(record(w.T, job)))
}

// refused expects that the event comes again, with the code, after some time.
func (a answer) refused(status int, code string) answer {
	a.Helper()
	a.Refused(status, code)
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || seconds < 1 {
		a.Errorf("Retry-After: got %q, want some seconds", a.Header.Get("Retry-After"))
	}
	return a
}

func (w *world) find(id string) jobs.Job {
	w.Helper()
	job, err := w.f.jobs.Find(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return job
}

// completed expects the job to have exactly the entries of the truth.
func (w *world) completed(id string, truth timetable.Document) {
	w.Helper()
	job := w.find(id)
	entries, err := w.f.jobs.Entries(w.Context(), w.owner, id)
	if err != nil || job.Status != jobs.Completed || job.Kind != truth.Kind || len(entries) != len(truth.Entries) {
		w.Fatalf("got %s (%s %s) with %d entries, %v; want completed with %d", job.Status, job.ErrorCode, job.ErrorMessage, len(entries), err, len(truth.Entries))
	}
	if n := w.count("select count(*) from entries where job_id = $1::uuid", id); n != int64(len(entries)) {
		w.Errorf("got %d rows of entries, want %d", n, len(entries))
	}
}

func (w *world) failed(id, code string) {
	w.Helper()
	job := w.find(id)
	if job.Status != jobs.Failed || job.ErrorCode != code || job.ErrorMessage == "" || job.CompletedAt == nil {
		w.Errorf("got %s %q %q, want failed with %s", job.Status, job.ErrorCode, job.ErrorMessage, code)
	}
}

// metrics are the lines that Prometheus reads.
func (w *world) metrics() []string {
	w.Helper()
	response, err := http.Get(w.url + "/metrics")
	if err != nil {
		w.Fatal(err)
	}
	defer response.Body.Close() // read whole
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

func (w *world) count(sql string, args ...any) int64 {
	w.Helper()
	n, err := postgres.QueryOne(w.Context(), w.f.pool, pgx.RowTo[int64], sql, args...)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// sql runs a statement.
func (w *world) sql(statement string, args ...any) {
	w.Helper()
	if _, err := w.f.pool.Exec(w.Context(), statement, args...); err != nil {
		w.Fatal(err)
	}
}

// due makes the job's next attempt due.
func (w *world) due(id string) {
	w.Helper()
	w.sql("update jobs set run_after = now() - interval '1 second' where id = $1::uuid", id)
}

// gate is a parser that says when it is called and goes on when it is let.
type gate struct {
	entered chan struct{}
	open    chan struct{}
	doc     timetable.Document
	err     error
}

func newGate() *gate {
	_, truth := lecture()
	return &gate{entered: make(chan struct{}, 100), open: make(chan struct{}), doc: truth}
}

func (g *gate) parse(ctx context.Context, _ []byte) (timetable.Document, error) {
	g.entered <- struct{}{}
	select {
	case <-g.open:
		return g.doc, g.err
	case <-ctx.Done():
		return timetable.Document{}, ctx.Err()
	}
}

// withRedis is the configuration of a Redis that answers a loaded machine.
func withRedis(url string) func(*Config) {
	return func(c *Config) {
		c.Cache = cache.Config{URL: secret.New(url), Timeout: 5 * time.Second, Retry: time.Millisecond}
	}
}
