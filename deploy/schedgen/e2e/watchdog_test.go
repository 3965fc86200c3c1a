package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"
)

// watchdog does what of-watchdog does in its mode http (openfaas/of-watchdog, pkg/watchdog.go,
// pkg/readiness.go and executor/http_runner.go): it starts the function, forwards path, query and headers to
// upstream_url, answers 429 beyond max_inflight and 504 past exec_timeout, and serves /_/health and /_/ready
// itself, the latter asking ready_path. On SIGTERM it hands the signal on at once, is not healthy any more,
// forwards for another healthcheck_interval, and then ends what is in flight within write_timeout. With it the
// container ends, and whatever of the function is left.
type watchdog struct {
	function *instance
	upstream *httputil.ReverseProxy
	ready    string
	limit    int64
	timeout  time.Duration
	interval time.Duration
	server   *http.Server

	inflight  atomic.Int64
	accepting atomic.Bool
}

// behindWatchdog runs a function as stack.yml says, but for the timeout.
func behindWatchdog(b *backends, function string, timeout time.Duration) *pod {
	b.t.Helper()
	settings := onOpenFaaS(b.t, function)
	limit, err1 := strconv.ParseInt(settings["max_inflight"], 10, 64)
	interval, err2 := time.ParseDuration(settings["healthcheck_interval"])
	ready := settings["ready_path"]
	delete(settings, "PORT") // inside a container
	i := b.function(function, pairs(settings)...)
	address, err3 := url.Parse(i.url)
	listener, err4 := new(net.ListenConfig).Listen(b.t.Context(), "tcp", "127.0.0.1:0")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		b.t.Fatal(err)
	}
	w := &watchdog{function: i, upstream: httputil.NewSingleHostReverseProxy(address), ready: ready, limit: limit, timeout: timeout, interval: interval}
	w.upstream.ErrorHandler = func(rw http.ResponseWriter, r *http.Request, _ error) {
		status := http.StatusInternalServerError
		if r.Context().Err() != nil {
			status = http.StatusGatewayTimeout
		}
		rw.WriteHeader(status)
	}
	w.accepting.Store(true)
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()
	b.t.Cleanup(func() {
		_ = w.server.Close() // it may have ended already
		<-served
	})
	return openfaasPod("http://"+listener.Addr().String(), i.url, w.terminate, i.kill)
}

// openfaasPod is a function behind an of-watchdog, real or not.
func openfaasPod(url, function string, end, kill func() error) *pod {
	p := &pod{url: url, function: function, end: end, kill: kill}
	p.ready = func(ctx context.Context) (answer, error) { return kubeletProbe(ctx, url+"/_/ready") }
	p.draining = func(ctx context.Context) error {
		got, err := kubeletProbe(ctx, url+"/_/health")
		if err == nil && got.StatusCode != http.StatusServiceUnavailable {
			err = fmt.Errorf("/_/health answers %s", got.Status)
		}
		return err
	}
	return p
}

func (w *watchdog) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/_/health":
		if !w.accepting.Load() {
			rw.WriteHeader(http.StatusServiceUnavailable)
		}
	case "/_/ready":
		w.serveReady(rw, r)
	default:
		if w.inflight.Add(1) > w.limit {
			w.inflight.Add(-1)
			http.Error(rw, "Concurrent request limit exceeded.", http.StatusTooManyRequests)
			return
		}
		defer w.inflight.Add(-1)
		w.forward(rw, r)
	}
}

func (w *watchdog) forward(rw http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), w.timeout)
	defer cancel()
	w.upstream.ServeHTTP(rw, r.WithContext(ctx))
}

func (w *watchdog) serveReady(rw http.ResponseWriter, r *http.Request) {
	switch {
	case !w.accepting.Load():
		rw.WriteHeader(http.StatusServiceUnavailable)
	case w.inflight.Load() >= w.limit:
		rw.WriteHeader(http.StatusTooManyRequests)
	default:
		r.URL.Path = w.ready
		w.forward(rw, r)
	}
}

// terminate is SIGTERM to both; it returns when the container has ended.
func (w *watchdog) terminate() error {
	ended := make(chan error, 1)
	go func() { ended <- w.function.stop(patience) }() // at once
	w.accepting.Store(false)
	<-time.After(w.interval) // it goes on forwarding for that long
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := w.server.Shutdown(ctx)
	return errors.Join(err, w.function.process.Kill(), <-ended)
}
