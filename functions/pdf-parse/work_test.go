package pdfparse

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/otlptest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
	"github.com/schedgen/schedgen/shared/tracing/otlp"
)

func TestTheStoreIsAway(t *testing.T) {
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer broken.Close()
	w := newWorld(t)
	_, truth := lecture()
	unlucky := w.lectures()
	_, url := w.instance(func(c *Config) { c.Blob.URL = broken.URL })
	for attempt := 1; attempt <= 3; attempt++ {
		a, err := w.post(url, notification(record(t, unlucky)))
		if err != nil {
			t.Fatal(err)
		}
		if attempt == 3 {
			a.Want(204)
			break
		}
		a.refused(503, api.Unavailable)
		if got := w.find(unlucky.ID); got.Status != jobs.Pending || got.Attempts != attempt || !got.RunAfter.After(got.UpdatedAt) {
			t.Errorf("attempt %d: got %+v, want it pending until later", attempt, got)
		}
		w.due(unlucky.ID)
	}
	w.failed(unlucky.ID, api.ProcessingFailed)
	w.notify(unlucky).Want(204) // and stays so

	lucky := w.lectures()
	if a, err := w.post(url, notification(record(t, lucky))); err != nil || a.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("got %d, %v", a.StatusCode, err)
	}
	w.due(lucky.ID)
	w.notify(lucky).Want(204) // the store is back
	w.completed(lucky.ID, truth)
}

func TestAnAttemptThatIsNotDueWaits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Backoff = time.Hour })
	job := w.lectures()
	w.f.Parse = func(context.Context, []byte) (timetable.Document, error) {
		return timetable.Document{}, errors.New("not now")
	}
	w.notify(job).refused(503, api.Unavailable)
	a := w.notify(job).refused(429, api.Busy)
	if len(a.Header.Get("Retry-After")) < 4 {
		t.Errorf("Retry-After: got %s, want the hour", a.Header.Get("Retry-After"))
	}
	if got := w.find(job.ID); got.Attempts != 1 {
		t.Errorf("got %d attempts, want one", got.Attempts)
	}
}

func TestAPDFThatIsGone(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PDFRetention = 0 })
	job := w.lectures()
	if err := w.f.blob.Delete(t.Context(), job.ObjectKey); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		w.notify(job)
		w.due(job.ID)
	}
	w.failed(job.ID, jobs.CodePDFMissing)
	if w.find(job.ID).PDFDeletedAt == nil {
		t.Error("it is not noted that there is no PDF")
	}
}

func TestAPDFIsNotKeptWhereNoneShallBe(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PDFRetention = 0 })
	for _, job := range []jobs.Job{w.lectures(), w.upload(passworded(t), jobs.Normal)} {
		w.notify(job).Want(204)
		if _, err := w.f.blob.Stat(t.Context(), job.ObjectKey); err == nil || w.find(job.ID).PDFDeletedAt == nil {
			t.Errorf("the PDF of a %s job is kept", w.find(job.ID).Status)
		}
	}
}

func TestWhoLostTheLeaseWritesNothing(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Lease = time.Hour })
	_, truth := lecture()
	slow := newGate()
	slow.doc = timetable.Document{Kind: timetable.Exam, Entries: []timetable.Entry{{Module: "WRONG"}}}
	w.f.Parse = slow.parse
	job := w.lectures()
	var all sync.WaitGroup
	all.Go(func() {
		if a, err := w.post(w.url, notification(record(t, job))); err != nil || a.StatusCode != http.StatusNoContent {
			t.Errorf("the slow one: got %d %s, %v", a.StatusCode, a.Body, err)
		}
	})
	<-slow.entered
	w.sql("update jobs set lease_until = now() - interval '1 second'")
	_, url := w.instance(nil)
	if a, err := w.post(url, notification(record(t, job))); err != nil || a.StatusCode != http.StatusNoContent {
		t.Fatalf("the other: got %d %s, %v", a.StatusCode, a.Body, err)
	}
	w.completed(job.ID, truth)
	close(slow.open)
	all.Wait()
	w.completed(job.ID, truth)
	if got := len(w.told.all()); got != 1 {
		t.Errorf("%d timetables were announced, want 1", got)
	}
}

// A file that cannot be read is no fault of ours, nor is a job that took too long, and traces say so.
func TestTracesSayWhatWentWrongWithAJob(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*world, jobs.Job)
		want  string
	}{
		"no PDF": {func(*world, jobs.Job) {}, parse.NotPDF},
		"too slow": {func(w *world, _ jobs.Job) {
			w.f.cfg.Limits.Timeout, w.f.Parse = time.Millisecond, newGate().parse
		}, jobs.CodeTimeout},
		"lost": {func(w *world, _ jobs.Job) {
			w.f.Parse = func(context.Context, []byte) (timetable.Document, error) {
				w.sql("update jobs set lease_token = gen_random_uuid()")
				return timetable.Document{Kind: timetable.Exam}, nil
			}
		}, "LEASE_LOST"},
		"gone": {func(w *world, job jobs.Job) {
			if err := w.f.blob.Delete(w.Context(), job.ObjectKey); err != nil {
				w.Fatal(err)
			}
		}, api.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			w, collector := newWorld(t), otlptest.New(t)
			traces, err := otlp.Open(otlp.Config{Endpoint: collector.URL}, "pdf-parse", "", slog.New(slog.DiscardHandler), func(string, int) {})
			if err != nil {
				t.Fatal(err)
			}
			job := w.upload([]byte("no PDF"), jobs.Normal)
			c.spoil(w, job)
			ctx := tracing.Begin(t.Context(), httptest.NewRequest("POST", "/", nil), slog.New(slog.DiscardHandler), traces.Tracer())
			_ = w.f.handleObject(ctx, events.Object{JobID: job.ID, Key: job.ObjectKey, Priority: string(job.Priority)}) // the event's answer is another test's
			traces.Close()
			var got []any
			for _, span := range collector.Spans() {
				got = append(got, span.Attributes.Get("error.type"))
			}
			if !slices.Contains(got, any(c.want)) || slices.Contains(got, any(api.Internal)) {
				t.Errorf("got errors %v, want %s and none that is %s", got, c.want, api.Internal)
			}
		})
	}
}

// The lease is renewed while the work goes on, and work on a lost one ends by itself.
func TestTheLeaseIsRenewedUntilItIsLost(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Lease = 300 * time.Millisecond })
	g := newGate()
	w.f.Parse = g.parse
	job := w.lectures()
	var all sync.WaitGroup
	all.Go(func() {
		if a, err := w.post(w.url, notification(record(t, job))); err != nil || a.StatusCode != http.StatusNoContent {
			t.Errorf("got %d %s, %v", a.StatusCode, a.Body, err)
		}
	})
	<-g.entered
	first := *w.find(job.ID).LeaseUntil
	testkit.Eventually(w, "the lease is renewed", func() bool { return w.find(job.ID).LeaseUntil.After(first.Add(w.cfg.Lease)) })
	w.sql("update jobs set lease_token = gen_random_uuid(), lease_until = now() + interval '1 hour'")
	all.Wait() // the gate was never opened
	if got := w.find(job.ID); got.Status != jobs.Processing {
		t.Errorf("got %+v, want the other worker's job untouched", got)
	}
}

func TestTheWholeJobHasATimeout(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Timeout = 200 * time.Millisecond })
	w.f.Parse = newGate().parse
	job := w.lectures()
	w.notify(job)
	// Whoever is first, the worker's clock or the database's, the job ends with the same reason.
	if got := w.find(job.ID); got.Status == jobs.Processing {
		testkit.Eventually(w, "the lease is over", func() bool {
			expired, err := w.f.jobs.Expire(t.Context(), 10)
			return err == nil && len(expired) == 1
		})
	}
	w.failed(job.ID, jobs.CodeTimeout)
}

func TestAParseThatTakesTooLongIsTheFilesFault(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Sandbox = sandbox.Limits{Wall: time.Nanosecond} })
	job := w.lectures()
	w.notify(job).Want(204)
	w.failed(job.ID, parse.TooComplex)
}

func TestTheDatabaseIsAway(t *testing.T) {
	dir := t.TempDir()
	server := pgtest.Own(t, dir)
	w := newWorld(t, func(c *Config) {
		c.Postgres, c.Lease = postgres.Config{URL: secret.New(server.DSN())}, time.Second
	})
	_, truth := lecture()
	g := newGate()
	w.f.Parse = g.parse
	during, before := w.lectures(), w.lectures()
	answers := make(chan answer, 1)
	go func() {
		a, err := w.post(w.url, notification(record(t, during)))
		if err != nil {
			t.Error(err)
		}
		answers <- a
	}()
	<-g.entered
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	w.notify(before).refused(503, api.DatabaseUnavailable)
	close(g.open)
	if a := <-answers; a.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("the one that was read: got %d %s, want 503", a.StatusCode, a.Body)
	}
	pgtest.Own(t, dir, pg.Port(server.Port()))
	testkit.Eventually(w, "the database is back", func() bool { return w.f.pool.Ping(t.Context()) == nil })
	w.notify(before).Want(204)
	w.completed(before.ID, truth)
	w.sql("update jobs set lease_until = now() - interval '1 second' where status = 'processing'")
	w.notify(during).Want(204) // as the sweep tells of it
	w.completed(during.ID, truth)
}

func TestATimetableThatNobodyHearsOfIsDoneAllTheSame(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	w.told.status = http.StatusServiceUnavailable
	job := w.lectures()
	w.notify(job).Want(204)
	w.completed(job.ID, truth)
	if n := w.count("select count(*) from jobs where announced_at is null"); n != 1 {
		t.Error("it is noted as announced; the sweep would not tell again")
	}
}

func TestARealMinIOsNotifications(t *testing.T) {
	// Its webhook needs the function's address before the function has its.
	serving := make(chan http.Handler, 1)
	var once sync.Once
	var handler http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		once.Do(func() { handler = <-serving })
		handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	minio := s3test.MinIO(t, s3test.Webhook{URL: front.URL, Token: "token"})
	w := newWorld(t, func(c *Config) { c.Blob, c.Events.Token, c.OpenPaths = minio.Config(), secret.New("token"), nil })
	w.s3 = minio
	serving <- w.f.Routes()
	_, truth := lecture()
	job := w.lectures()
	testkit.Eventually(w, "the job is completed", func() bool { return w.find(job.ID).Done() })
	w.completed(job.ID, truth)
}

func TestHealthAndMetrics(t *testing.T) {
	w := newWorld(t)
	w.notify(w.lectures()).Want(204)
	health := map[string]error{}
	for name, check := range w.f.Dependencies() {
		health[name] = check(t.Context())
	}
	for name, missing := range sandbox.Controls() {
		name = "sandbox-" + name
		if err, told := health[name]; !told || (err == nil) != (missing == nil) {
			t.Errorf("%s: got %v, want %v", name, err, missing)
		}
		delete(health, name)
	}
	for name, err := range health {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	lines := w.metrics()
	for _, want := range []string{`schedgen_parse_events_total{outcome="work"} 1`, `schedgen_parse_jobs_total{code="",outcome="completed"} 1`,
		`schedgen_parse_jobs_total{code="PROCESSING_TIMEOUT",outcome="failed"} 0`, `schedgen_parse_seconds_count 1`, `schedgen_job_stage_seconds_count{stage="wait"} 1`, `schedgen_job_stage_seconds_count{stage="fetch"} 1`,
		`schedgen_job_stage_seconds_count{stage="read"} 1`, `schedgen_job_stage_seconds_count{stage="commit"} 1`, `schedgen_parse_attempts_sum 1`} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in the metrics", want)
		}
	}
}

// Nobody waits for a probe of the system's own: the error budget of uploads does not know of it, however it ends.
func TestProbesAreNoUploads(t *testing.T) {
	w := newWorld(t)
	w.owner = jobs.ProbeOwner
	w.notify(w.lectures()).Want(204)
	w.notify(w.upload([]byte("no PDF"), jobs.Normal)).Want(204)
	if ended := w.count(`select count(*) from jobs where status in ('completed', 'failed')`); ended != 2 {
		t.Fatalf("%d probes ended, want 2", ended)
	}
	for _, line := range w.metrics() {
		if strings.HasPrefix(line, "schedgen_parse_jobs_total") && !strings.HasSuffix(line, " 0") {
			t.Errorf("counted as of an upload: %s", line)
		}
	}
}
