package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// queueProxy does what Knative's queue-proxy does in front of one instance (knative/serving, pkg/queue and
// pkg/queue/sharedmain): at most containerConcurrency requests go to the function, ten times as many wait,
// more get 503; the revision's timeout counts from the arrival and ends in 504; the kubelet's probes go to
// the function's own readiness probe; and a drain fails the probes but goes on serving, until no request has
// come for a quiet period. Only then does the platform send SIGTERM to the function.
type queueProxy struct {
	function http.Handler
	probe    func(context.Context) (answer, error)
	slots    chan struct{}
	depth    int64 // in flight and waiting
	timeout  time.Duration

	pending  atomic.Int64
	draining atomic.Bool
	mu       sync.Mutex
	last     time.Time // of a request
}

// quiet is 30 s in the real one.
const quiet = time.Second

// behindQueueProxy runs a function as its manifest says. It is harder on the function than Knative: requests
// still come through after SIGTERM, until the function has ended.
func behindQueueProxy(b *backends, function string, timeout time.Duration) *pod {
	b.t.Helper()
	concurrency, ready, settings := onKnative(b.t, function)
	i := b.function(function, settings...)
	q := &queueProxy{function: proxy(b.t, i.url), slots: make(chan struct{}, concurrency), depth: int64(11 * concurrency), timeout: timeout}
	q.probe = func(ctx context.Context) (answer, error) { return kubeletProbe(ctx, i.url+ready.HTTPGet.Path) }
	server := httptest.NewServer(q)
	b.t.Cleanup(server.Close)
	return knativePod(server.URL, i, func() error {
		q.drain()
		return i.stop(patience)
	})
}

// knativePod is a function behind a queue-proxy, real or not.
func knativePod(url string, i *instance, end func() error) *pod {
	p := &pod{url: url, function: i.url, end: end, kill: i.kill}
	p.ready = func(ctx context.Context) (answer, error) { return kubeletProbe(ctx, url, "K-Network-Probe", "queue") }
	p.draining = func(ctx context.Context) error {
		got, err := p.ready(ctx)
		if err == nil && (got.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(got.body), "shutting down")) {
			err = fmt.Errorf("the probe is answered %s %q", got.Status, got.body)
		}
		return err
	}
	return p
}

// kubeletProbe is a probe as the kubelet sends it, which waits as long as the manifests let it.
func kubeletProbe(ctx context.Context, address string, headers ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("User-Agent", "kube-probe/1.33")
	request.Header.Set("K-Kubelet-Probe", "queue")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return send(http.DefaultClient, request)
}

func (q *queueProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.UserAgent(), "kube-probe/") {
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
	if q.draining.Load() {
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
		return
	}
	if value := r.Header.Get("K-Network-Probe"); value != "queue" {
		http.Error(w, "unexpected probe header value: "+value, http.StatusBadRequest)
		return
	}
	if got, err := q.probe(r.Context()); err != nil || got.StatusCode < 200 || got.StatusCode >= 400 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "queue") // the prober hung up
}

// drain returns when no request has come for the quiet period.
func (q *queueProxy) drain() {
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
