package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/xtest/redistest"
	"github.com/schedgen/schedgen/shared/xtest/s3test"
)

// balancer hands requests to instances in turn. As a platform's, it learns late what is not ready any
// more: it asks each every 200 ms.
type balancer struct {
	url     string
	mu      sync.Mutex
	ready   []*instance
	turn    atomic.Uint64
	proxies map[*instance]http.Handler
}

func newBalancer(t *testing.T, instances []*instance) *balancer {
	t.Helper()
	b := &balancer{proxies: map[*instance]http.Handler{}, ready: instances}
	for _, i := range instances {
		b.proxies[i] = proxy(t, i.url)
	}
	server := httptest.NewServer(b)
	b.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.watch(ctx, instances)
	}()
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-ended
	})
	return b
}

func (b *balancer) watch(ctx context.Context, all []*instance) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var ready []*instance
		for _, i := range all {
			if status(ctx, i.url+"/ready", http.StatusOK) == nil {
				ready = append(ready, i)
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
	}
}

// knows says whether the balancer sends requests to so many instances, i among them or not.
func (b *balancer) knows(i *instance, want bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.ready {
		if r == i {
			if !want {
				return fmt.Errorf("requests still go to %s", i.url)
			}
			return nil
		}
	}
	if want {
		return fmt.Errorf("no requests go to %s", i.url)
	}
	return nil
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	ready := b.ready
	b.mu.Unlock()
	if len(ready) == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	b.proxies[ready[b.turn.Add(1)%uint64(len(ready))]].ServeHTTP(w, r)
}

// TestARollingRestartLosesNoRequest restarts each of three instances of calendar-generate under load, and
// wants every request to be answered as if nothing had been.
func TestARollingRestartLosesNoRequest(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	instances := []*instance{p.calendar}
	for range 2 {
		instances = append(instances, p.instance(filepath.Join(dir, "calendar-generate")))
	}
	b := newBalancer(t, instances)
	body := calendarBody(t)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var answered, lost atomic.Int64
	for range 6 {
		callers.Go(func() {
			client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 1}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				if err := generate(t.Context(), client, b.url, body); err != nil {
					lost.Add(1)
					t.Error(err)
				}
				answered.Add(1)
			}
		})
	}
	for n, i := range instances {
		before := answered.Load()
		if err := i.stop(patience); err != nil {
			t.Errorf("stop instance %d: %v", n, err)
		}
		eventually(t, func() error { return b.knows(i, false) })
		if err := i.start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() error { return b.knows(i, true) })
		if got := answered.Load(); got == before {
			t.Errorf("no request was made while instance %d was restarted", n)
		}
	}
	stop()
	callers.Wait()
	t.Logf("%d requests through a restart of all three instances, %d lost", answered.Load(), lost.Load())
}

// calendarBody asks for a calendar of one event.
func calendarBody(t *testing.T) string {
	t.Helper()
	event := map[string]any{"id": "1", "module": "COS 132", "activity": "Test", "group": "G01", "date": "2026-03-02", "startTime": "07:30", "endTime": "08:20", "venue": "IT 4-4"}
	body, err := json.Marshal(map[string]any{"events": []any{event}, "pdfType": "test"})
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func generate(ctx context.Context, client *http.Client, address, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/api/generate/ics", strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	got, err := send(client, request)
	if err != nil {
		return err
	}
	if got.StatusCode != http.StatusOK || strings.Count(string(got.body), "BEGIN:VEVENT") != 1 {
		return fmt.Errorf("got %s %.300s", got.Status, got.body)
	}
	return nil
}

// How much goes through three instances of pdf-parse, by how many at once.
const (
	shareUploads = 300
	shareCallers = 8
)

// TestThreeParsersShareAndOneDies uploads 300 PDFs to one upload-ingest and three pdf-parse behind a load
// balancer. They share evenly; one is killed in the middle; every upload ends with its own entries, once.
func TestThreeParsersShareAndOneDies(t *testing.T) {
	t.Parallel()
	f := newSharedFleet(t, 3)
	s := &storm{t: t, fleet: f, papers: papers(t), accepted: map[string]acceptance{}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	sweeping, stopSweeping := context.WithCancel(ctx)
	var sweeps sync.WaitGroup
	sweeps.Go(func() { f.sweepEvery(sweeping, time.Second) })
	defer sweeps.Wait()
	defer stopSweeping()

	s.share(ctx, shareUploads/2)
	s.settle(ctx)
	shares := make([]int, len(f.parse))
	total := 0
	for n, i := range f.parse {
		got, err := i.work(ctx)
		if err != nil {
			t.Fatal(err)
		}
		shares[n], total = got, total+got
	}
	for n, got := range shares {
		if got*5 < total { // a third is even; a fifth is the least that still is
			t.Errorf("instance %d did %d of %d: %v", n, got, total, shares)
		}
	}
	killed := make(chan error, 1)
	go func() {
		for s.count.Load() < shareUploads*3/4 && ctx.Err() == nil {
			<-time.After(10 * time.Millisecond)
		}
		killed <- f.parse[0].kill()
	}()
	s.share(ctx, shareUploads)
	if err := <-killed; err != nil {
		t.Errorf("kill: %v", err)
	}
	s.settle(ctx)
	for job, a := range s.accepted {
		if _, err := s.endOf(ctx, job, a); err != nil {
			t.Errorf("job %s (%s): %v", job, a.paper.name, err)
		}
	}
	s.checkRows(ctx)
	if len(s.accepted) != shareUploads {
		t.Errorf("%d uploads were accepted, want %d", len(s.accepted), shareUploads)
	}
	t.Logf("of the first %d events each did %v", total, shares)
	if err := f.parse[0].start(); err != nil { // so that the end of the test has something to stop
		t.Error(err)
	}
}

// share uploads until so many are accepted.
func (s *storm) share(ctx context.Context, until int64) {
	var callers sync.WaitGroup
	for range shareCallers {
		client := ownClient(s.t)
		callers.Go(func() {
			for ctx.Err() == nil {
				n := s.next.Add(1)
				if n > until {
					s.next.Add(-1)
					return
				}
				s.uploadUntilAccepted(ctx, client, &s.papers[n%int64(len(s.papers))])
			}
		})
	}
	callers.Wait()
}

// newSharedFleet is one upload-ingest and calendar-generate, and n pdf-parse behind a load balancer, on
// real servers; MinIO tells of uploads.
func newSharedFleet(t *testing.T, n int) *fleet {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	to, webhook := relay(t)
	f := &fleet{t: t, database: newDatabase(t), redis: redistest.New(t)}
	f.minio = s3test.MinIO(t, s3test.Webhook{URL: webhook + "/events/s3", Token: eventToken})
	f.settings = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SESSION_SECURE=false", "SESSION_KEY=a key of a test that has 32 bytes",
		"DATABASE_URL=" + f.database.dsn, "REDIS_URL=" + f.redis.URL(), "S3_URL=" + f.minio.URL,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket,
		"EVENT_TOKEN=" + eventToken, "REDELIVER_AFTER=4s", "JOB_LEASE=4s", "PARSE_RATE=200",
	}
	f.calendar = f.instance(filepath.Join(dir, "calendar-generate"))
	told := f.calendar.url + "/events/timetable"
	for range n {
		f.parse = append(f.parse, f.instance(filepath.Join(dir, "pdf-parse"), "EVENT_TARGETS="+told))
	}
	f.ingest = f.instance(filepath.Join(dir, "upload-ingest"), "EVENT_TARGETS="+balanced(t, f.parse), "PARSED_TARGETS="+told)
	at, err := url.Parse(f.ingest.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Store(at)
	return f
}
