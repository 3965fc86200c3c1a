package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
)

// balancer hands requests to pods in turn. As a platform's, it learns late what is not ready any more: it
// asks each every 200 ms.
type balancer struct {
	url     string
	mu      sync.Mutex
	all     []*pod
	ready   []*pod
	turn    atomic.Uint64
	proxies map[*pod]http.Handler
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{proxies: map[*pod]http.Handler{}}
	server := httptest.NewServer(b)
	b.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.watch(ctx)
	}()
	t.Cleanup(func() {
		server.Close()
		cancel()
		<-ended
	})
	return b
}

// add returns when requests go to the pod.
func (b *balancer) add(t *testing.T, p *pod) {
	t.Helper()
	b.mu.Lock()
	b.all, b.proxies[p] = append(b.all, p), proxy(t, p.url)
	b.mu.Unlock()
	eventually(t, func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		if !slices.Contains(b.ready, p) {
			return fmt.Errorf("no requests go to %s", p.url)
		}
		return nil
	})
}

func (b *balancer) watch(ctx context.Context) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		b.mu.Lock()
		all := slices.Clone(b.all)
		b.mu.Unlock()
		var ready []*pod
		for _, p := range all {
			if got, err := p.ready(ctx); err == nil && got.StatusCode == http.StatusOK {
				ready = append(ready, p)
			}
		}
		b.mu.Lock()
		b.ready = ready
		b.mu.Unlock()
	}
}

func (b *balancer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	if len(b.ready) == 0 {
		b.mu.Unlock()
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	to := b.proxies[b.ready[b.turn.Add(1)%uint64(len(b.ready))]]
	b.mu.Unlock()
	to.ServeHTTP(w, r)
}

// TestARollingRestartLosesNoRequest replaces each of two pods of a function under load, on each platform, and
// wants every request to be answered as if nothing had been. Of backup there is never more than one pod.
func TestARollingRestartLosesNoRequest(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"upload-ingest", "pdf-parse", "calendar-generate", "google-sync"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEachPlatform(t, func(t *testing.T, on platform) { restarts(t, on, name) })
		})
	}
}

func restarts(t *testing.T, on platform, name string) {
	t.Helper()
	behind := newBackends(t)
	start := func() *pod { return on.run(behind, name, patience) }
	b, old := newBalancer(t), []*pod{start(), start()}
	for _, p := range old {
		b.add(t, p)
	}
	var answered atomic.Int64
	stop := load(t, subjects[name](behind), b.url, &answered)
	defer stop()
	for n, p := range old {
		before, young := answered.Load(), start()
		b.add(t, young)
		defer func() {
			if err := young.kill(); err != nil {
				t.Error(err)
			}
		}()
		if err := p.end(); err != nil {
			t.Errorf("end pod %d: %v", n, err)
		}
		if answered.Load() == before {
			t.Errorf("no request was answered while pod %d was replaced", n)
		}
	}
	stop()
	t.Logf("%d requests were answered while both pods were replaced", answered.Load())
}

// load calls again and again, three at once, and counts good answers; any other fails the test. It leaves a
// busy machine some air.
func load(t *testing.T, call call, address string, answered *atomic.Int64) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for ctx.Err() == nil {
				status, err := call(t.Context(), address)
				if err != nil || status/100 != 2 {
					t.Errorf("got %d, %v, want 2xx", status, err)
				} else {
					answered.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-tick.C:
				}
			}
		})
	}
	return func() {
		cancel()
		callers.Wait()
	}
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
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SESSION_SECURE=false", "SESSION_KEY=" + sessionKey,
		"DATABASE_URL=" + f.database.dsn, "REDIS_URL=" + f.redis.URL(), "S3_URL=" + f.minio.URL,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket,
		"EVENT_TOKEN=" + eventToken, "REDELIVER_AFTER=4s", "JOB_LEASE=4s", "PARSE_RATE=200",
	}
	f.settings = append(f.settings, unlimited...)
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
