package uploadingest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/diskspace"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// swept sweeps, as one of several would.
func (w *world) swept() sweep.Counts {
	w.Helper()
	return functest.Read[sweep.Counts](w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+eventToken).Want(200))
}

// idOf is the job that an answer names.
func idOf(a functest.Answer) string {
	return strings.TrimPrefix(a.Header.Get("Location"), "/api/jobs/")
}

func TestTheStoreIsAway(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	w.store.set(func(s *storeProxy) { s.all = away })
	a := s.upload(pdf(), "Prefer", "wait=20")
	if a.Refused(503, api.StorageUnavailable); a.Header.Get("Retry-After") == "" {
		t.Error("the answer does not say when to try again")
	}
	abandoned := func() string { return metric(w, `schedgen_jobs_failed_total{code="UPLOAD_INCOMPLETE"}`) }
	if got := abandoned(); got != "0" {
		t.Errorf("got %q abandoned uploads before the first, want 0", got)
	}
	w.age(time.Hour)
	// While the store cannot be asked nothing is known, and nothing is given up.
	w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+eventToken).Refused(503, api.StorageUnavailable)
	if got := w.find(idOf(a)); got.Status != jobs.Pending {
		t.Errorf("got %+v, want it pending", got)
	}
	s.call("DELETE", "/api/jobs/"+idOf(a)).Refused(503, api.StorageUnavailable)
	w.store.set(func(s *storeProxy) { s.all = nil })
	if got := w.swept(); got.Abandoned != 1 || got.Adopted != 0 {
		t.Errorf("got %+v, want the upload abandoned", got)
	}
	if got := abandoned(); got != "1" {
		t.Errorf("got %q abandoned uploads counted, want 1", got)
	}
	if got := functest.Read[jobAnswer](s.call("GET", "/api/jobs/"+idOf(a)).Want(200)); got.Status != jobs.Failed || *got.ErrorCode != jobs.CodeUploadIncomplete {
		t.Errorf("got %+v", got)
	}
	s.upload(pdf(), "Prefer", "wait=20").Want(201)
}

// A disk that is full or missing is our fault, and passes: the caller must hear both.
func TestTheDiskTakesNoUpload(t *testing.T) {
	w := newWorld(t)
	usual := w.f.tempFile
	for name, tempFile := range map[string]func() (*os.File, error){
		"no directory": func() (*os.File, error) { return newTempFile(filepath.Join(t.TempDir(), "nowhere")) },
		"a full disk":  func() (*os.File, error) { return os.OpenFile("/dev/full", os.O_RDWR, 0) },
	} {
		w.f.tempFile = tempFile
		a := w.student().upload(pdf())
		if a.Refused(503, api.StorageUnavailable); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: the answer does not say when to try again", name)
		}
	}
	w.f.tempFile = usual
	w.student().upload(pdf(), "Prefer", "wait=20").Want(201)
	if n := w.sql("delete from jobs"); n != 1 {
		t.Errorf("there are %d jobs, want the last upload's alone", n)
	}
}

// The store has the object and its answer is lost: the job must be done all the same, once.
func TestTheStoresAnswerIsLost(t *testing.T) {
	for name, notified := range map[string]bool{"and it tells": true, "and it tells nobody": false} {
		t.Run(name, func(t *testing.T) {
			var options []option
			if !notified {
				options = append(options, silent)
			}
			w := newWorld(t, options...)
			w.store.set(func(s *storeProxy) {
				s.put = func(rw http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
					forward(&swallowed{http.Header{}})
					rw.WriteHeader(http.StatusInternalServerError)
				}
			})
			s := w.student()
			a := s.upload(pdf(), "Prefer", "wait=20")
			a.Refused(503, api.StorageUnavailable)
			if !notified {
				w.age(time.Hour)
				if got := w.swept(); got.Adopted != 1 || got.Abandoned != 0 {
					t.Errorf("first sweep: got %+v, want the object found", got)
				}
				w.age(time.Hour)
				if got := w.swept(); got.Redelivered != 1 {
					t.Errorf("second sweep: got %+v, want its reader told", got)
				}
			}
			testkit.Eventually(w, "the job is completed", func() bool { return w.find(idOf(a)).Status == jobs.Completed })
			s.call("GET", "/api/jobs/"+idOf(a)+"/result").Want(200)
		})
	}
}

func TestTheDatabaseIsAwayBefore(t *testing.T) {
	server := pgtest.Own(t, t.TempDir())
	w := newWorld(t, with(func(c *Config) { c.Postgres = postgres.Config{URL: secret.New(server.DSN())} }))
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	s := w.student()
	if a := s.upload(pdf()); a.Refused(503, api.DatabaseUnavailable).Error == "" || a.Header.Get("Location") != "" {
		t.Errorf("got %v", a.Header)
	}
	if w.store.puts.Load() != 0 {
		t.Error("an object was stored without a job")
	}
	for _, c := range jobCalls {
		s.call(c.method, strings.Replace(c.path, "%s", "018f4d6e-0000-7000-8000-000000000000", 1)).Refused(503, api.DatabaseUnavailable)
	}
	w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+eventToken).Refused(503, api.DatabaseUnavailable)
	page := w.do(http.DefaultClient, "GET", "/upload/018f4d6e-0000-7000-8000-000000000000", nil, "Authorization", "Bearer "+s.token()).Want(503)
	if !strings.Contains(string(page.Body), "database is not available") {
		t.Errorf("the page: got %s", page.Body)
	}
}

// The database goes away between the row and the note that the object is there.
func TestTheDatabaseIsAwayAfter(t *testing.T) {
	dir := t.TempDir()
	server := pgtest.Own(t, dir)
	w := newWorld(t, silent, with(func(c *Config) { c.Postgres = postgres.Config{URL: secret.New(server.DSN())} }))
	var once sync.Once
	w.store.set(func(s *storeProxy) {
		s.put = func(rw http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
			once.Do(func() {
				if err := server.Stop(); err != nil {
					t.Errorf("stop PostgreSQL: %v", err)
				}
			})
			forward(rw)
		}
	})
	s := w.student()
	a := s.upload(pdf(), "Prefer", "wait=0").Want(202)
	pgtest.Own(t, dir, pg.Port(server.Port()))
	testkit.Eventually(w, "the database is back", func() bool { return w.f.pool.Ping(t.Context()) == nil })
	w.age(time.Hour)
	if got := w.swept(); got.Adopted != 1 {
		t.Errorf("got %+v, want the object found", got)
	}
	w.age(time.Hour)
	if got := w.swept(); got.Redelivered != 1 {
		t.Errorf("got %+v, want its reader told", got)
	}
	testkit.Eventually(w, "the job is completed", func() bool { return w.find(idOf(a)).Status == jobs.Completed })
}

func TestRedisIsAway(t *testing.T) {
	server := redistest.New(t)
	w := newWorld(t, with(func(c *Config) {
		c.Cache = cache.Config{URL: secret.New(server.URL()), Timeout: time.Second, Retry: time.Millisecond}
	}))
	s := w.student()
	first := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	s.call("GET", "/api/jobs/"+first).Want(200) // and now a copy is in Redis
	server.Stop()
	second := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	for _, id := range []string{first, second} {
		s.call("GET", "/api/jobs/"+id).Want(200)
		s.call("DELETE", "/api/jobs/"+id).Want(204)
	}
	testkit.Eventually(w, "it is degraded, and ready", func() bool {
		health := w.do(http.DefaultClient, "GET", "/ready", nil)
		return health.StatusCode == 200 && strings.Contains(string(health.Body), `"redis":{"status":"down"`)
	})
	server.Start()
	s.call("GET", "/api/jobs/"+idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))).Want(200)
}

func TestARealMinIOTellsOfUploads(t *testing.T) {
	w := newWorld(t, silent, func(w *world) {
		w.cfg.Blob = s3test.MinIO(w.T, s3test.Webhook{URL: w.url + "/events/s3", Token: eventToken}).Config()
	})
	s := w.student()
	a := s.upload(pdf(), "Prefer", "wait=20").Want(201)
	key := w.find(idOf(a)).ObjectKey
	if info, err := w.f.blob.Stat(t.Context(), key); err != nil || info.Size != int64(len(pdf())) || info.Meta["Job-Id"] != idOf(a) {
		t.Errorf("the object: got %+v, %v", info, err)
	}
	s.call("DELETE", "/api/jobs/"+idOf(a)).Want(204)
	if _, err := w.f.blob.Stat(t.Context(), key); err == nil {
		t.Error("the object is still there")
	}
}

// TestAFullDiskTakesNoUpload: nothing is stored of what comes, readiness fails, and all else goes on.
func TestAFullDiskTakesNoUpload(t *testing.T) {
	stored := 0
	w := newWorld(t, with(func(c *Config) { c.Disk = diskspace.Config{Dir: os.TempDir(), Reserve: 1 << 60} }))
	w.store.set(func(s *storeProxy) {
		s.put = func(rw http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
			stored++
			forward(rw)
		}
	})
	w.f.tempFile = func() (*os.File, error) {
		stored++
		return newTempFile("")
	}
	s := w.student()
	a := s.upload(pdf(), "Prefer", "wait=20")
	a.Refused(503, api.StorageFull)
	if got := a.Header.Get("Retry-After"); got != "300" {
		t.Errorf("Retry-After: got %q, want 300", got)
	}
	if rows := w.sql("delete from jobs"); rows != 0 || stored != 0 {
		t.Errorf("%d rows and %d files were stored of an upload that was refused", rows, stored)
	}
	for name, check := range w.f.Dependencies() {
		if err := check(t.Context()); (err != nil) != (name == "disk") {
			t.Errorf("the health of %s: got %v", name, err)
		}
	}
	var full *diskspace.FullError
	if err := w.f.Dependencies()["disk"](t.Context()); !errors.As(err, &full) {
		t.Errorf("the health of the disk: got %v, want it full", err)
	}
	w.do(http.DefaultClient, "GET", "/ready", nil).Want(503)
	s.call("GET", "/api/jobs/metrics").Want(200)
}

// TestAFullObjectStoreLeavesNoRow: its refusal is certain, unlike an answer that was lost.
func TestAFullObjectStoreLeavesNoRow(t *testing.T) {
	w := newWorld(t)
	w.store.set(func(s *storeProxy) {
		s.put = func(rw http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) {
			_, _ = io.Copy(io.Discard, r.Body) // the client's failure would be another
			rw.WriteHeader(http.StatusInsufficientStorage)
			_, _ = io.WriteString(rw, "<Error><Code>XMinioStorageFull</Code><Message>no room</Message></Error>")
		}
	})
	w.student().upload(pdf(), "Prefer", "wait=20").Refused(503, api.StorageFull)
	if rows := w.sql("delete from jobs"); rows != 0 {
		t.Errorf("%d rows are left of an upload that was refused", rows)
	}
}
