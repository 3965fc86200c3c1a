package faas

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/tracing"
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
	coming   chan struct{} // one for each request whose body is on its way
	shares   shares        // of each address, in both
	proxies  proxies
	tracer   trace.Tracer  // nil where no traces are sent
	guarded  Guarded       // nil of a function whose callers have no limits
	draining chan struct{} // closed when it begins to drain
	presence presence
	health   health
}

// newServer makes the handler that Wrap returns.
func newServer(name string, fn Function, logger *slog.Logger, cfg ...Config) *server {
	var c Config
	if len(cfg) > 0 {
		c = cfg[0]
	}
	c = withDefaults(c)
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	routes := fn.Routes()
	if mux, ok := routes.(*http.ServeMux); ok {
		routes = api.Mux(mux)
	}
	guarded, _ := fn.(Guarded)
	return &server{
		name: name, guarded: guarded, fn: fn, cfg: c, routes: routes,
		logger:   logger.With("function", name),
		metrics:  newMetrics(name, fn),
		slots:    make(chan struct{}, c.Concurrency),
		draining: make(chan struct{}),
		coming:   make(chan struct{}, max(4*c.Concurrency, mostReceived)),
		shares:   shares{most: c.PerAddress, of: make(map[netip.Addr]int)},
		proxies:  c.TrustedProxies,
		health:   health{checks: fn.Dependencies(), timeout: c.HealthTimeout, patience: c.ProbePatience, started: time.Now(), logger: logger.With("function", name)},
	}
}

// ServeHTTP answers the platform's own paths itself and hands on the rest.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if len(r.TransferEncoding) > 0 || !r.ProtoAtLeast(1, 1) {
		// A proxy may have gone by a Content-Length beside the chunks, or by chunks in HTTP/1.0, where net/http goes by the
		// other: what follows may be no request of its caller's (RFC 9112, section 6.1).
		w.Header().Set("Connection", "close")
	}
	switch r.URL.Path {
	case "/health", "/_/health":
		s.serveHealth(w, r)
	case "/ready", "/_/ready":
		s.serveReady(w, r)
	case "/metrics":
		s.metrics.handler.ServeHTTP(w, r)
	default:
		defer s.presence.enter()()
		if s.isDraining() {
			w.Header().Set("Connection", "close") // so that the next request goes to another instance
		}
		s.serve(w, s.task(r))
	}
}

func (s *server) isDraining() bool {
	select {
	case <-s.draining:
		return true
	default:
		return false
	}
}

type drainingKey struct{}

// Draining is closed when the server that answers the request of ctx begins to drain: what only waits should then end.
// It is nil where there is no such server.
func Draining(ctx context.Context) <-chan struct{} {
	draining, _ := ctx.Value(drainingKey{}).(chan struct{})
	return draining
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
	ctx, cancel := context.WithTimeout(r.Context(), s.cfg.RequestTimeout)
	defer cancel()
	address := s.proxies.client(r)
	caller, logger := s.caller(r, address)
	ctx = tracing.Begin(ctx, r, logger, s.tracer)
	ctx = context.WithValue(ctx, drainingKey{}, s.draining)
	if s.cfg.PerAddress > 0 {
		ctx = context.WithValue(ctx, clientKey{}, address)
	}
	answer := &recorder{ResponseWriter: w, address: address, caller: caller}
	r = r.WithContext(api.WithErrorCode(ctx, &answer.errorCode))
	answer.Header().Set(tracing.RequestIDHeader, api.RequestID(ctx))
	done := s.metrics.begin()
	defer func() {
		took := time.Since(began)
		tracing.EndRequest(ctx, method(r.Method), route(r), answer.statusCode(), answer.errorCode)
		done(r, answer, took)
		if !answer.refused { // the guard logs what it refuses, and not each time
			logAccess(r, answer, took)
		}
	}()
	s.run(answer, r)
}

// run runs the routes within the limits, and turns a panic into a 500.
func (s *server) run(w *recorder, r *http.Request) {
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
	if r.Body == nil || r.Body == http.NoBody {
		s.shared(w, r, func(w *recorder, r *http.Request) { s.limited(w, r, s.admitted) })
		return
	}
	sent := newBody(w.ResponseWriter, r, s.cfg)
	w.sent = sent
	s.shared(w, r, func(w *recorder, r *http.Request) {
		s.limited(w, r, func(w *recorder, r *http.Request) { s.received(w, r, sent) })
	})
	w.begin(http.StatusOK) // a handler that wrote nothing
	sent.linger(r)
}

// shared runs a request of text alone within the share of its address.
func (s *server) shared(w *recorder, r *http.Request, next func(*recorder, *http.Request)) {
	free, ok := s.shares.take(w.address)
	if !ok {
		s.refuse(w, r, api.New(api.RateLimited).WithMessage("Too many requests come from your address at once. Try again shortly."))
		return
	}
	defer free()
	if err := api.CheckText(r); err != nil {
		s.refuse(w, r, err)
		return
	}
	next(w, r)
}

// received runs a request once enough of its body has come.
func (s *server) received(w *recorder, r *http.Request, sent *body) {
	if r.ContentLength > s.cfg.MaxBody {
		s.refuse(w, r, api.New(api.PayloadTooLarge, map[string]int64{"limit": s.cfg.MaxBody}))
		return
	}
	begun, err := s.begin(sent)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, begun, s.cfg.MaxBody)
	s.admitted(w, r)
}

// begin waits for the beginning of a body.
func (s *server) begin(sent *body) (io.ReadCloser, error) {
	select {
	case s.coming <- struct{}{}:
		defer func() { <-s.coming }()
	default:
		return nil, api.New(api.Busy)
	}
	begun, err := sent.ahead()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, api.New(api.Timeout).Wrap(err).WithMessage("The request took too long to arrive. Check your connection and try again.")
	case err != nil:
		return nil, api.New(api.InvalidRequest).Wrap(err).WithMessage("The request broke off. Try again.")
	}
	return begun, nil
}

// admitted runs the routes in one of the slots for requests in flight.
func (s *server) admitted(w *recorder, r *http.Request) {
	if !s.inSlot(func() { s.routes.ServeHTTP(w, r) }) {
		s.refuse(w, r, api.New(api.Busy))
	}
}

// logAccess writes the one line of a request. It names the route and not the path, for a path may
// hold a secret: a feed's address does.
func logAccess(r *http.Request, answer *recorder, took time.Duration) {
	status := answer.statusCode()
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("method", r.Method), slog.String("route", route(r)), slog.Int("status", status),
		slog.Int64("bytes", answer.bytes), slog.Float64("ms", float64(took.Microseconds())/1000),
	}
	if answer.errorCode != "" {
		attrs = append(attrs, slog.String("code", answer.errorCode))
	}
	api.Logger(r.Context()).LogAttrs(r.Context(), level, "request", attrs...)
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
	status    int
	bytes     int64
	sent      *body      // of the request, where it has one
	errorCode string     // of an answer that is an error object, as in api.Object
	address   netip.Addr // of the caller
	caller    Caller     // nil where nobody is limited
	// refused says that a limit of its caller stopped the request.
	refused bool
}

// begin closes the connection after an answer that comes before the end of the request's body: what is left
// of the body, or follows one that is malformed, must not be read as another request. (net/http sees to that
// itself only where EnableFullDuplex is not used.)
func (w *recorder) begin(status int) {
	if w.status != 0 || status < 200 {
		return
	}
	w.status = status
	if w.sent != nil && !w.sent.over {
		w.Header().Set("Connection", "close")
	}
}

func (w *recorder) WriteHeader(status int) {
	w.begin(status)
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(body []byte) (int, error) {
	w.begin(http.StatusOK)
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
