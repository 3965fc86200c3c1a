package e2e_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// queueProxy does what Knative's queue-proxy does in front of one instance (knative/serving, pkg/queue and
// pkg/queue/sharedmain): at most containerConcurrency requests go to the function, ten times as many wait,
// more get 503; the revision's timeout counts from the arrival and ends in 504; probes go to the function's
// own readiness probe; and a drain fails the probes but goes on serving, until no request has come for a
// quiet period. Only then does the platform send SIGTERM to the function.
type queueProxy struct {
	url      string
	function http.Handler
	probe    func(context.Context) error
	slots    chan struct{}
	depth    int64 // in flight and waiting
	timeout  time.Duration

	pending  atomic.Int64
	draining atomic.Bool
	mu       sync.Mutex
	last     time.Time // of a request
}

func newQueueProxy(t *testing.T, function *instance, concurrency int, timeout time.Duration) *queueProxy {
	t.Helper()
	q := &queueProxy{function: proxy(t, function.url), slots: make(chan struct{}, concurrency), depth: int64(11 * concurrency), timeout: timeout}
	q.probe = func(ctx context.Context) error { return kubeletProbe(ctx, function.url+"/ready") }
	server := httptest.NewServer(q)
	t.Cleanup(server.Close)
	q.url = server.URL
	return q
}

// kubeletProbe is a probe as the kubelet sends it to the user's port.
func kubeletProbe(ctx context.Context, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "kube-probe/1.33")
	request.Header.Set("K-Kubelet-Probe", "queue")
	got, err := send(http.DefaultClient, request)
	if err == nil && got.StatusCode != http.StatusOK {
		err = errors.New(got.Status)
	}
	return err
}

func (q *queueProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("K-Network-Probe") != "" || strings.HasPrefix(r.UserAgent(), "kube-probe/") {
		q.serveProbe(w, r)
		return
	}
	q.mu.Lock()
	q.last = time.Now()
	q.mu.Unlock()
	if q.pending.Add(1) > q.depth {
		q.pending.Add(-1)
		http.Error(w, "pending request queue full", http.StatusServiceUnavailable)
		return
	}
	defer q.pending.Add(-1)
	ctx, cancel := context.WithTimeout(r.Context(), q.timeout)
	defer cancel()
	select {
	case q.slots <- struct{}{}:
		defer func() { <-q.slots }()
	case <-ctx.Done():
		http.Error(w, "request timeout", http.StatusGatewayTimeout)
		return
	}
	answer := httptest.NewRecorder()
	q.function.ServeHTTP(answer, r.WithContext(ctx))
	if ctx.Err() != nil {
		http.Error(w, "request timeout", http.StatusGatewayTimeout)
		return
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller hung up
}

func (q *queueProxy) serveProbe(w http.ResponseWriter, r *http.Request) {
	if q.draining.Load() || q.probe(r.Context()) != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// drain returns when no request has come for the quiet period, 30 s in the real one.
func (q *queueProxy) drain(quiet time.Duration) {
	q.draining.Store(true)
	tick := time.NewTicker(quiet / 10)
	defer tick.Stop()
	begun := time.Now()
	for now := range tick.C {
		q.mu.Lock()
		last := q.last
		q.mu.Unlock()
		if now.Sub(last) > quiet && now.Sub(begun) > quiet {
			return
		}
	}
}
