package faas

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// server is one function being served.
type server struct {
	name     string
	fn       Function
	logger   *slog.Logger
	cfg      Config
	routes   http.Handler
	metrics  *metrics
	slots    chan struct{} // one for each request in flight
	draining atomic.Bool
	presence presence
	health   health
}

// newServer makes the handler that Wrap returns.
func newServer(name string, fn Function, logger *slog.Logger, cfg ...Config) *server {
	var c Config
	if len(cfg) > 0 {
		c = cfg[0]
	}
	c = c.withDefaults()
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	routes := fn.Routes()
	if mux, ok := routes.(*http.ServeMux); ok {
		routes = api.Mux(mux)
	}
	return &server{
		name: name, fn: fn, cfg: c, routes: routes,
		logger:  logger.With("function", name),
		metrics: newMetrics(name, fn),
		slots:   make(chan struct{}, c.Concurrency),
		health:  health{ask: fn.Health, timeout: c.HealthTimeout, patience: c.ProbePatience, started: time.Now()},
	}
}

// ServeHTTP answers the platform's own paths itself and hands on the rest.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/health", "/_/health":
		s.serveHealth(w, r)
	case "/ready", "/_/ready":
		s.serveReady(w, r)
	case "/metrics":
		s.metrics.handler.ServeHTTP(w, r)
	default:
		defer s.presence.enter()()
		if s.draining.Load() {
			w.Header().Set("Connection", "close") // so that the next request goes to another instance
		}
		s.serve(w, s.task(r))
	}
}

// task is r, or the scheduled task that a call of the root stands for.
func (s *server) task(r *http.Request) *http.Request {
	if s.cfg.TaskPath == "" || r.URL.Path != "/" || r.Method != http.MethodPost {
		return r
	}
	task := r.Clone(r.Context())
	task.URL.Path, task.URL.RawPath = s.cfg.TaskPath, ""
	return task
}

// serve runs one request of the function.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id, trace := requestID(r), continueTrace(r)
	logger := s.logger.With("requestId", id, "traceId", trace.traceID())
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.RequestTimeout)
	defer cancel()
	ctx = api.WithLogger(api.WithRequestID(withTrace(ctx, trace), id), logger)
	r = r.WithContext(ctx)

	answer := &recorder{ResponseWriter: w}
	answer.Header().Set("X-Request-Id", id)
	done := s.metrics.begin()
	defer func() {
		took := time.Since(began)
		done(r, answer.statusCode(), took)
		logAccess(logger, r, answer, took)
	}()
	s.guarded(answer, r)
}

// guarded runs the routes within the limits, and turns a panic into a 500.
func (s *server) guarded(w *recorder, r *http.Request) {
	defer func() {
		problem := recover()
		if problem == nil {
			return
		}
		if problem == http.ErrAbortHandler { // a handler's way to break the connection on purpose
			panic(problem)
		}
		api.Logger(r.Context()).Error("panic", "panic", problem, "stack", string(debug.Stack()))
		if w.status == 0 {
			api.WriteError(w, r, api.New(api.Internal))
			return
		}
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		api.WriteError(w, r, api.New(api.Busy))
		return
	}
	if r.ContentLength > s.cfg.MaxBody {
		api.WriteError(w, r, api.New(api.PayloadTooLarge, map[string]int64{"limit": s.cfg.MaxBody}))
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, s.cfg.MaxBody)
	s.routes.ServeHTTP(w, r)
}

// logAccess writes the one line of a request. It names the route and not the path, for a path may
// hold a secret: a feed's address does.
func logAccess(logger *slog.Logger, r *http.Request, answer *recorder, took time.Duration) {
	status := answer.statusCode()
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	logger.LogAttrs(r.Context(), level, "request",
		slog.String("method", r.Method), slog.String("route", route(r)), slog.Int("status", status),
		slog.Int64("bytes", answer.bytes), slog.Float64("ms", float64(took.Microseconds())/1000))
}

// route is the pattern that matched, without its method.
func route(r *http.Request) string {
	if r.Pattern == "" {
		return "none"
	}
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		return path
	}
	return r.Pattern
}

// recorder notes an answer's status and size.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(body []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(body)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// statusCode is the status sent; 200 if the handler wrote nothing.
func (w *recorder) statusCode() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

// presence knows since when no request is here.
type presence struct {
	mu   sync.Mutex
	here int
	left time.Time // of the last one
}

// enter counts a request in; the function it returns counts it out.
func (p *presence) enter() (leave func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.here++
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.here--
		p.left = time.Now()
	}
}

// idle is how long no request has been here; none at all is for ever.
func (p *presence) idle() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here > 0 {
		return 0
	}
	return time.Since(p.left)
}
