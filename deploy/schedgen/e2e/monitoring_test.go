package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/secret"
)

// TestFaultsRaiseAlertsThatReachPeopleAndEnd runs a system with its own Prometheus and Alertmanager, whose times are
// sixty times shorter, causes faults, and waits for each alert at a webhook: first that it fires, then that it ended.
func TestFaultsRaiseAlertsThatReachPeopleAndEnd(t *testing.T) {
	t.Parallel()
	needsMonitoring(t)
	w := watched(t)
	w.deaf.Store(true) // until it is noticed that alerts do not arrive
	w.breakEverything(t)
	w.expect(t, "firing", func(alert string) bool { return w.prometheusKnows(t, alert) }, "AlertsNotDelivered")
	w.deaf.Store(false)
	faults := []string{"QueueLong", "JobsWaitLong", "NothingFinishes", "LeasesStalled", "DeadLetters", "SweepNotRunning", "JobsFail", "JobsRejected",
		"StorageUnavailable", "RequestsFail", "UploadErrorBudgetBurns", "RedisUnavailable", "AlertsNotDelivered", "GoogleSyncsWait"}
	w.expect(t, "firing", w.told("firing"), faults...)
	w.mendEverything(t)
	w.expect(t, "resolved", w.told("resolved"), slices.DeleteFunc(slices.Clone(faults), func(alert string) bool {
		// Its warning ends when the budget's long windows do, over an hour even here.
		return strings.HasSuffix(alert, "BudgetBurns")
	})...)

	w.sql(t, `update pg_database set datallowconn = false where datname = current_database()`)
	w.sql(t, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
	w.expect(t, "firing", w.told("firing"), "DatabaseUnavailable")
	w.sql(t, `update pg_database set datallowconn = true where datname = current_database()`)
	w.expect(t, "resolved", w.told("resolved"), "DatabaseUnavailable")
}

// needsMonitoring skips a test where the programs that watch a system are not installed.
func needsMonitoring(t *testing.T) {
	t.Helper()
	for _, program := range []string{"prometheus", "prometheus-alertmanager"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("needs %s: run `make setup`", program)
		}
	}
}

// watchedWorld is a world whose faults the test makes.
type watchedWorld struct {
	*world
	db    *pgx.Conn
	redis *redistest.Server
	store atomic.Bool // the object store answers
	deaf  atomic.Bool // the webhook refuses

	mu     sync.Mutex
	notice map[string]map[string]bool // alerts that the webhook was told of, by status
}

func watched(t *testing.T) *watchedWorld {
	t.Helper()
	w := &watchedWorld{notice: map[string]map[string]bool{"firing": {}, "resolved": {}}, redis: redistest.New(t)}
	w.store.Store(true)
	s3 := httptest.NewServer(http.HandlerFunc(w.serveStore))
	t.Cleanup(s3.Close)
	webhook := httptest.NewServer(http.HandlerFunc(w.hear))
	t.Cleanup(webhook.Close)
	dsn := pgtest.New(t)
	w.world = start(t, stack.Config{Postgres: secret.New(dsn), Redis: secret.New(w.redis.URL()), S3: secret.New(strings.Replace(s3.URL, "://", "://key:secret@", 1) + "/bucket"),
		SweepEvery: 24 * time.Hour, Monitoring: &stack.Monitoring{Webhook: secret.New(webhook.URL), Faster: 60}})
	var err error
	if w.db, err = pgx.Connect(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.db.Close(context.Background()) }) // the database goes next
	w.traffic(t)
	return w
}

// serveStore is an object store that takes everything and keeps nothing, or fails.
func (w *watchedWorld) serveStore(rw http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if !w.store.Load() {
		rw.WriteHeader(http.StatusServiceUnavailable)
	}
}

// hear is the webhook.
func (w *watchedWorld) hear(rw http.ResponseWriter, r *http.Request) {
	if w.deaf.Load() {
		http.Error(rw, "not now", http.StatusBadRequest)
		return
	}
	var message struct {
		Alerts []struct {
			Status              string
			Labels, Annotations map[string]string
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range message.Alerts {
		name := a.Labels["alertname"]
		if strings.HasSuffix(a.Annotations["runbook_url"], "/docs/runbooks/"+name+".md") && !strings.Contains(a.Annotations["summary"], "error expanding") {
			w.notice[a.Status][name] = true
		}
	}
}

// told says whether the webhook heard of an alert in a status.
func (w *watchedWorld) told(status string) func(string) bool {
	return func(alert string) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.notice[status][alert]
	}
}

// prometheusKnows says whether an alert fires, whoever is told.
func (w *watchedWorld) prometheusKnows(t *testing.T, alert string) bool {
	got, err := get(t.Context(), http.DefaultClient, w.system.Prometheus()+"/api/v1/alerts")
	if err != nil {
		return false
	}
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	got.into(t, &answer)
	for _, a := range answer.Data.Alerts {
		if a.Labels["alertname"] == alert && a.State == "firing" {
			return true
		}
	}
	return false
}

func (w *watchedWorld) expect(t *testing.T, what string, seen func(string) bool, alerts ...string) {
	t.Helper()
	eventually(t, func() error {
		missing := slices.DeleteFunc(slices.Clone(alerts), seen)
		if len(missing) == 0 {
			return nil
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		return fmt.Errorf("not %s: %q; heard: firing %q, resolved %q", what, missing, slices.Sorted(maps.Keys(w.notice["firing"])), slices.Sorted(maps.Keys(w.notice["resolved"])))
	})
}

// traffic is a few people who upload and look, whatever they get, until the test ends.
func (w *watchedWorld) traffic(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var people sync.WaitGroup
	t.Cleanup(func() { cancel(); people.Wait() })
	for _, path := range []string{"/api/upload", "/api/upload", "/api/years", "/ready", "/api/jobs/metrics"} {
		people.Go(func() {
			for ctx.Err() == nil {
				w.visit(ctx, path)
			}
		})
	}
}

func (w *watchedWorld) visit(ctx context.Context, path string) {
	method, contentType, body := http.MethodGet, "", io.Reader(nil)
	if path == "/api/upload" {
		if w.store.Load() { // nobody reads what is accepted here
			w.pause(ctx, 200*time.Millisecond)
			return
		}
		method = http.MethodPost
		contentType, body = form([]byte("%PDF-1.4\n%%EOF\n"))
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+path, body)
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", contentType)
	_, _ = send(http.DefaultClient, request) // what it is told is what the alerts are about
	w.pause(ctx, 200*time.Millisecond)
}

// pause ends after some time, or with ctx.
func (w *watchedWorld) pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (w *watchedWorld) sql(t *testing.T, statement string) {
	t.Helper()
	if _, err := w.db.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func (w *watchedWorld) breakEverything(t *testing.T) {
	t.Helper()
	const job = `insert into jobs (id, owner, object_key, status, uploaded_at, run_after, completed_at, lease_until, lease_token, error_code)
		select id, id, id::text, `
	w.sql(t, job+`'pending', null, now(), null, null, null, null from (select gen_random_uuid() as id from generate_series(1, 600)) as ids`)
	w.sql(t, job+`'pending', now(), now() - interval '1 hour', null, null, null, null from (select gen_random_uuid() as id) as ids`)
	w.sql(t, job+`'processing', now(), now(), null, now() - interval '1 hour', id, null from (select gen_random_uuid() as id) as ids`)
	w.sql(t, job+`'failed', now(), now(), now(), null, null, 'PROCESSING_FAILED' from (select gen_random_uuid() as id from generate_series(1, 5)) as ids`)
	w.sql(t, job+`'failed', now(), now(), now(), null, null, 'NO_TIMETABLE' from (select gen_random_uuid() as id from generate_series(1, 20)) as ids`)
	w.sql(t, `insert into dead_letters (source, reason, event) values ('test', 'broken by a test', '{}')`)
	w.sql(t, `insert into sweeps (name, finished_at) values ('jobs', now() - interval '1 hour') on conflict (name) do update set finished_at = excluded.finished_at`)
	w.sql(t, `set session_replication_role = replica`) // of an account that does not exist
	w.sql(t, `insert into google_syncs (id, account_id, calendar_id, request, run_after) values (gen_random_uuid(), gen_random_uuid(), 'c', '{}', now() - interval '1 hour')`)
	w.redis.Stop()
	w.store.Store(false)
}

func (w *watchedWorld) mendEverything(t *testing.T) {
	t.Helper()
	w.sql(t, `delete from jobs`)
	w.sql(t, `delete from dead_letters`)
	w.sql(t, `delete from google_syncs`)
	w.sql(t, `update sweeps set finished_at = now()`)
	w.redis.Start()
	w.store.Store(true)
}
