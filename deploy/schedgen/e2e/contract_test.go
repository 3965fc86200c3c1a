package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/xtest/pgtest"
	"github.com/schedgen/schedgen/shared/xtest/redistest"
	"github.com/schedgen/schedgen/shared/xtest/s3test"
)

// parseConcurrency is the scaling table's, for pdf-parse.
const parseConcurrency = 4

// stop is SIGTERM, and waits for the end.
func (i *instance) stop(patience time.Duration) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process.Stop(patience)
}

// platform is one instance of each function with an object store that can be made to hang, and nobody who
// is told of uploads: the test tells.
type platform struct {
	*fleet
	gate *gate
}

func newPlatform(t *testing.T, settings ...string) *platform {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, redis: redistest.New(t), minio: s3test.New(t)}
	p := &platform{fleet: f, gate: newGate(t, f.minio.URL)}
	f.settings = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SESSION_SECURE=false", "SESSION_KEY=a key of a test that has 32 bytes",
		"DATABASE_URL=" + pgtest.New(t), "DATABASE_MAX_CONNS=8", "REDIS_URL=" + f.redis.URL(), "S3_URL=" + p.gate.url,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket,
		"EVENT_TOKEN=" + eventToken, "PARSE_RATE=1000", "PARSE_BURST=1000", "FUNCTION_DRAIN_DELAY=2s",
	}, settings...)
	f.ingest = f.instance(filepath.Join(dir, "upload-ingest"))
	f.parse = []*instance{f.instance(filepath.Join(dir, "pdf-parse"))}
	f.calendar = f.instance(filepath.Join(dir, "calendar-generate"))
	return p
}

// gate is a way to the object store that can be shut: who reads an object then waits.
type gate struct {
	url     string
	waiting atomic.Int64
	mu      sync.Mutex
	open    chan struct{} // closed: reading goes on
}

func newGate(t *testing.T, to string) *gate {
	t.Helper()
	g := &gate{open: make(chan struct{})}
	close(g.open)
	store := proxy(t, to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, ".pdf") {
			g.mu.Lock()
			open := g.open
			g.mu.Unlock()
			g.waiting.Add(1)
			defer g.waiting.Add(-1)
			select {
			case <-open:
			case <-r.Context().Done():
				return
			}
		}
		r.Host = strings.TrimPrefix(g.url, "http://") // what the signature is for
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		g.lift()
		server.Close()
	})
	g.url = server.URL
	return g
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open = make(chan struct{})
}

func (g *gate) lift() {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-g.open:
	default:
		close(g.open)
	}
}

// uploaded gives n jobs of high priority that nobody has been told of.
func (p *platform) uploaded(n int) []string {
	p.t.Helper()
	return p.uploadedBy(ownClient(p.t), n)
}

func (p *platform) uploadedBy(client *http.Client, n int) []string {
	p.t.Helper()
	pdf := generated(p.t, fixture.Options{Kind: timetable.Test, Seed: 1, Modules: 1}).pdf
	jobs := make([]string, n)
	for i := range jobs {
		contentType, body := form(pdf, "priority", "high")
		request, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.ingest.url+"/api/upload", body)
		if err != nil {
			p.t.Fatal(err)
		}
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Prefer", "wait=0")
		got, err := send(client, request)
		if err != nil || got.StatusCode != http.StatusAccepted {
			p.t.Fatalf("upload: %v, %d %.300s", err, got.StatusCode, got.body)
		}
		var told struct{ JobID string }
		got.into(p.t, &told)
		jobs[i] = told.JobID
	}
	return jobs
}

// deliver tells of a job, as the object store does, and gives the status of the answer.
func (p *platform) deliver(ctx context.Context, to, job string) (int, error) {
	note, err := json.Marshal(notification(job))
	if err != nil {
		return 0, err
	}
	note = bytes.ReplaceAll(note, []byte("%2Fnormal%2F"), []byte("%2Fhigh%2F"))
	note = bytes.ReplaceAll(note, []byte(`"sequencer":`), []byte(`"userMetadata":{"X-Amz-Meta-Priority":"high"},"sequencer":`))
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(note))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+eventToken)
	request.Header.Set("Content-Type", "application/json")
	got, err := send(http.DefaultClient, request)
	if err != nil {
		return 0, err
	}
	return got.StatusCode, nil
}

// deliveries delivers jobs at once; each answer's status comes out of the channel.
func (p *platform) deliveries(to string, jobs []string) <-chan int {
	statuses := make(chan int, len(jobs))
	for _, job := range jobs {
		go func() {
			status, err := p.deliver(p.t.Context(), to, job)
			if err != nil {
				p.t.Errorf("deliver: %v", err)
			}
			statuses <- status
		}()
	}
	return statuses
}

// held waits until so many parsers wait for their PDF.
func (p *platform) held(n int64) {
	p.t.Helper()
	eventually(p.t, func() error {
		if got := p.gate.waiting.Load(); got != n {
			return fmt.Errorf("%d parsers wait at the object store, want %d", got, n)
		}
		return nil
	})
}

// expectStatuses wants so many answers of each status.
func expectStatuses(t *testing.T, what string, statuses <-chan int, n int, want map[int]int) {
	t.Helper()
	got := map[int]int{}
	for range n {
		got[<-statuses]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: got statuses %v, want %v", what, got, want)
	}
}

// TestOnKnativeTheFifthRequestWaits fills an instance of pdf-parse behind queue-proxy: the fifth request
// waits, probes are answered, what is beyond the queue gets 503, and a timeout 504.
func TestOnKnativeTheFifthRequestWaits(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	q := newQueueProxy(t, p.parse[0], parseConcurrency, patience)
	jobs := p.uploaded(11*parseConcurrency + 2)
	p.gate.shut()
	statuses := p.deliveries(q.url, jobs[:parseConcurrency+1])
	p.held(parseConcurrency)
	eventually(t, func() error {
		if got := q.pending.Load(); got != parseConcurrency+1 {
			return fmt.Errorf("%d requests are there, want %d", got, parseConcurrency+1)
		}
		return nil
	})
	if got := p.gate.waiting.Load(); got != parseConcurrency {
		t.Errorf("%d requests are worked on, want %d", got, parseConcurrency)
	}
	for _, path := range []string{"/ready", "/health"} {
		if err := kubeletProbe(t.Context(), p.parse[0].url+path); err != nil {
			t.Errorf("%s of a function that is full: %v", path, err)
		}
	}
	more := p.deliveries(q.url, jobs[parseConcurrency+1:11*parseConcurrency])
	eventually(t, func() error {
		if got := q.pending.Load(); got != q.depth {
			return fmt.Errorf("%d requests are there, want %d", got, q.depth)
		}
		return nil
	})
	if status, err := p.deliver(t.Context(), q.url, jobs[11*parseConcurrency]); err != nil || status != http.StatusServiceUnavailable {
		t.Errorf("beyond the queue: got %d, %v, want 503", status, err)
	}
	p.gate.lift()
	expectStatuses(t, "the first five", statuses, parseConcurrency+1, map[int]int{204: parseConcurrency + 1})
	expectStatuses(t, "those that waited", more, 10*parseConcurrency-1, map[int]int{204: 10*parseConcurrency - 1})

	p.gate.shut()
	hasty := newQueueProxy(t, p.parse[0], parseConcurrency, 300*time.Millisecond)
	if status, err := p.deliver(t.Context(), hasty.url, jobs[11*parseConcurrency+1]); err != nil || status != http.StatusGatewayTimeout {
		t.Errorf("past the revision's timeout: got %d, %v, want 504", status, err)
	}
}

// TestOnOpenFaaSTheFifthRequestIsRefused fills an instance of pdf-parse behind of-watchdog.
func TestOnOpenFaaSTheFifthRequestIsRefused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	w := newWatchdog(t, p.parse[0], parseConcurrency, patience)
	jobs := p.uploaded(parseConcurrency + 2)
	p.gate.shut()
	statuses := p.deliveries(w.url, jobs[:parseConcurrency])
	p.held(parseConcurrency)
	if status, err := p.deliver(t.Context(), w.url, jobs[parseConcurrency]); err != nil || status != http.StatusTooManyRequests {
		t.Errorf("the fifth: got %d, %v, want 429", status, err)
	}
	// And without of-watchdog it is the function's own answer.
	if status, err := p.deliver(t.Context(), p.parse[0].url, jobs[parseConcurrency]); err != nil || status != http.StatusTooManyRequests {
		t.Errorf("the fifth, asked directly: got %d, %v, want 429", status, err)
	}
	for path, want := range map[string]int{"/_/health": http.StatusOK, "/_/ready": http.StatusTooManyRequests} {
		if got, err := get(t.Context(), http.DefaultClient, w.url+path); err != nil || got.StatusCode != want {
			t.Errorf("%s of a full instance: got %v, %v, want %d", path, got.Response, err, want)
		}
	}
	p.gate.lift()
	expectStatuses(t, "the four", statuses, parseConcurrency, map[int]int{204: parseConcurrency})

	p.gate.shut()
	hasty := newWatchdog(t, p.parse[0], parseConcurrency, 300*time.Millisecond)
	if status, err := p.deliver(t.Context(), hasty.url, jobs[parseConcurrency+1]); err != nil || status != http.StatusGatewayTimeout {
		t.Errorf("past exec_timeout: got %d, %v, want 504", status, err)
	}
}

// TestAJobThatTakesTooLongEnds holds the time of a whole job without any proxy: the function goes on when
// its caller hangs up, for an attempt is counted and half done, but not beyond JOB_TIMEOUT.
func TestAJobThatTakesTooLongEnds(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "JOB_TIMEOUT=1s")
	student := ownClient(t)
	job := p.uploadedBy(student, 1)[0]
	p.gate.shut()
	if status, err := p.deliver(t.Context(), p.parse[0].url, job); err != nil || status != http.StatusNoContent {
		t.Errorf("got %d, %v, want 204: the event need not come again", status, err)
	}
	got, err := get(t.Context(), student, p.ingest.url+"/api/jobs/"+job)
	if err != nil || !strings.Contains(string(got.body), `"PROCESSING_TIMEOUT"`) {
		t.Errorf("got %.300s, %v, want a job that failed of its time", got.body, err)
	}
}

// TestOnOpenFaaSRequestsReachTheFunctionAsTheyAre asks for paths, queries and headers through of-watchdog,
// and for the task that cron-connector can only post to the root.
func TestOnOpenFaaSRequestsReachTheFunctionAsTheyAre(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "FUNCTION_TASK_PATH=/tasks/sweep", "OPEN_PATHS=/tasks/sweep")
	w := newWatchdog(t, p.ingest, 80, patience)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/jobs/0190f0f0-0000-7000-8000-000000000000?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Request-Id", "a-request-of-a-test")
	got, err := send(http.DefaultClient, request)
	if err != nil || got.StatusCode != http.StatusNotFound || got.Header.Get("X-Request-Id") != "a-request-of-a-test" {
		t.Errorf("got %v %.200s, %v, want 404 with the request's id", got.Response, got.body, err)
	}
	var object struct{ Error, Path string }
	got.into(t, &object)
	if object.Error != "JOB_NOT_FOUND" || !strings.HasPrefix(object.Path, "/api/jobs/") {
		t.Errorf("got %+v", object)
	}
	cron, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	cron.Header.Set("X-Topic", "cron-function")
	cron.Header.Set("X-Connector", "cron-connector")
	if got, err := send(http.DefaultClient, cron); err != nil || got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), `"told"`) {
		t.Errorf("the sweep by cron-connector: got %v %.200s, %v", got.Response, got.body, err)
	}
	denied, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/events/dead-letter", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := send(http.DefaultClient, denied); err != nil || got.StatusCode != http.StatusUnauthorized {
		t.Errorf("a path that is not open: got %v, %v, want 401", got.Response, err)
	}
}

// TestProbesAnswerWhileADependencyHangs puts a database in place that takes connections and never answers.
func TestProbesAnswerWhileADependencyHangs(t *testing.T) {
	t.Parallel()
	hole, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = hole.Close() }) // ends what waits in it
	p := newPlatform(t)
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	// Only the health check's own limit can end the wait within this test's patience; without patience of
	// their own, probes are answered at once, and do not know yet.
	hasty := p.instance(filepath.Join(dir, "calendar-generate"), "DATABASE_URL=postgres://schedgen@"+hole.Addr().String()+"/schedgen",
		"DATABASE_CONNECT_TIMEOUT=1h", "DATABASE_ACQUIRE_TIMEOUT=1h", "FUNCTION_HEALTH_TIMEOUT=5s")
	for path, want := range map[string]int{"/health": http.StatusOK, "/ready": http.StatusServiceUnavailable} {
		if got, err := get(t.Context(), http.DefaultClient, hasty.url+path); err != nil || got.StatusCode != want {
			t.Errorf("%s: got %v %.200s, %v, want %d", path, got.Response, got.body, err, want)
		}
	}
	stuck := p.instance(filepath.Join(dir, "calendar-generate"), "DATABASE_URL=postgres://schedgen@"+hole.Addr().String()+"/schedgen",
		"DATABASE_CONNECT_TIMEOUT=1h", "DATABASE_ACQUIRE_TIMEOUT=1h", "FUNCTION_HEALTH_TIMEOUT=200ms", "FUNCTION_PROBE_PATIENCE=1h")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var probes sync.WaitGroup
	for range 20 { // as a kubelet, a proxy and a monitor ask at once
		probes.Go(func() {
			got, err := get(ctx, http.DefaultClient, stuck.url+"/health")
			if err != nil || got.StatusCode != http.StatusOK || !strings.Contains(string(got.body), `"postgres":"down"`) {
				t.Errorf("/health: got %v %.200s, %v", got.Response, got.body, err)
			}
			got, err = get(ctx, http.DefaultClient, stuck.url+"/ready")
			if err != nil || got.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("/ready: got %v, %v, want 503", got.Response, err)
			}
		})
	}
	probes.Wait()
}

// TestDrainLosesNothing ends pdf-parse behind each platform's proxy while it works, and wants what was in
// flight, and what still arrives, to be answered.
func TestDrainLosesNothing(t *testing.T) {
	t.Parallel()
	t.Run("Knative", func(t *testing.T) {
		t.Parallel()
		p := newPlatform(t)
		q := newQueueProxy(t, p.parse[0], parseConcurrency, patience)
		jobs := p.uploaded(3)
		p.gate.shut()
		statuses := p.deliveries(q.url, jobs[:2])
		p.held(2)
		q.drain(100 * time.Millisecond)
		if err := probeStatus(t, q.url, http.StatusServiceUnavailable); err != nil {
			t.Errorf("readiness while draining: %v", err)
		}
		late := p.deliveries(q.url, jobs[2:]) // requests can still come for some seconds
		p.held(3)
		p.gate.lift()
		if err := p.parse[0].stop(patience); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
		expectStatuses(t, "in flight", statuses, 2, map[int]int{204: 2})
		expectStatuses(t, "late", late, 1, map[int]int{204: 1})
		p.restart(0)
	})
	t.Run("OpenFaaS", func(t *testing.T) {
		t.Parallel()
		p := newPlatform(t, "FUNCTION_DRAIN_DELAY=6s")
		w := newWatchdog(t, p.parse[0], parseConcurrency, patience)
		jobs := p.uploaded(3)
		p.gate.shut()
		statuses := p.deliveries(w.url, jobs[:2])
		p.held(2)
		ended := make(chan error, 1)
		go func() { ended <- w.terminate(3*time.Second, patience) }()
		eventually(t, func() error { return status(t.Context(), p.parse[0].url+"/ready", http.StatusServiceUnavailable) })
		late := p.deliveries(w.url, jobs[2:]) // after SIGTERM, within the healthcheck_interval
		p.held(3)
		p.gate.lift()
		expectStatuses(t, "in flight", statuses, 2, map[int]int{204: 2})
		expectStatuses(t, "late", late, 1, map[int]int{204: 1})
		if err := <-ended; err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
		p.restart(0)
	})
}

// restart starts a pdf-parse that was stopped, so that the end of the test has something to stop.
func (p *platform) restart(n int) {
	p.t.Helper()
	if err := p.parse[n].start(); err != nil {
		p.t.Error(err)
	}
}

func status(ctx context.Context, address string, want int) error {
	got, err := get(ctx, http.DefaultClient, address)
	if err == nil && got.StatusCode != want {
		err = fmt.Errorf("got %s, want %d", got.Status, want)
	}
	return err
}

func probeStatus(t *testing.T, address string, want int) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("K-Network-Probe", "queue")
	got, err := send(http.DefaultClient, request)
	if err == nil && got.StatusCode != want {
		err = errors.New(got.Status)
	}
	return err
}

// work counts the events that an instance of pdf-parse worked on.
func (i *instance) work(ctx context.Context) (int, error) {
	got, err := get(ctx, http.DefaultClient, i.url+"/metrics")
	if err != nil {
		return 0, err
	}
	match := regexp.MustCompile(`(?m)^schedgen_parse_events_total\{outcome="work"\} (\d+)`).FindSubmatch(got.body)
	if match == nil {
		return 0, nil
	}
	return strconv.Atoi(string(match[1]))
}

// ownClient is a caller with a session of its own.
func ownClient(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Timeout: 30 * time.Second}
}
