package e2e_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

// watchdog does what of-watchdog does in its mode http (openfaas/of-watchdog, pkg/watchdog.go and
// executor/http_runner.go): it starts the function, forwards path, query and headers to upstream_url,
// answers 429 beyond max_inflight and 504 past exec_timeout, and serves /_/health and /_/ready itself, the
// latter asking ready_path. On SIGTERM it hands the signal on at once, is not ready any more, forwards for
// another healthcheck_interval, and then ends what is in flight within write_timeout.
type watchdog struct {
	url      string
	function *instance
	upstream *httputil.ReverseProxy
	limit    int64
	timeout  time.Duration
	server   *http.Server

	inflight  atomic.Int64
	accepting atomic.Bool
}

func newWatchdog(t *testing.T, function *instance, maxInflight int, execTimeout time.Duration) *watchdog {
	t.Helper()
	address, err := url.Parse(function.url)
	if err != nil {
		t.Fatal(err)
	}
	w := &watchdog{function: function, upstream: httputil.NewSingleHostReverseProxy(address), limit: int64(maxInflight), timeout: execTimeout}
	w.upstream.ErrorHandler = func(rw http.ResponseWriter, r *http.Request, _ error) {
		status := http.StatusInternalServerError
		if r.Context().Err() != nil {
			status = http.StatusGatewayTimeout
		}
		rw.WriteHeader(status)
	}
	w.accepting.Store(true)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url, w.server = "http://"+listener.Addr().String(), &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()
	t.Cleanup(func() {
		_ = w.server.Close() // it may have ended already
		<-served
	})
	return w
}

func (w *watchdog) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_/health":
		if !w.accepting.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	case "/_/ready":
		w.ready(rw, r)
	default:
		if w.inflight.Add(1) > w.limit {
			w.inflight.Add(-1)
			http.Error(rw, "concurrent request limit exceeded", http.StatusTooManyRequests)
			return
		}
		defer w.inflight.Add(-1)
		ctx, cancel := context.WithTimeout(r.Context(), w.timeout)
		defer cancel()
		w.upstream.ServeHTTP(rw, r.WithContext(ctx))
	}
}

func (w *watchdog) ready(rw http.ResponseWriter, r *http.Request) {
	switch {
	case !w.accepting.Load():
		rw.WriteHeader(http.StatusServiceUnavailable)
	case w.inflight.Load() >= w.limit:
		rw.WriteHeader(http.StatusTooManyRequests)
	default:
		w.upstream.ServeHTTP(rw, r) // ready_path is the same
	}
}

// terminate is SIGTERM to both; it returns when the function has ended.
func (w *watchdog) terminate(healthcheckInterval, writeTimeout time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- w.function.stop(writeTimeout) }() // at once
	w.accepting.Store(false)
	<-time.After(healthcheckInterval) // it goes on forwarding for that long
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		return err
	}
	return <-ended
}
