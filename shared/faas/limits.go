package faas

import (
	"log/slog"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
)

// Guarded is a Function whose callers are limited.
type Guarded interface {
	// Guard decides on each request before anything of it is read.
	Guard() Guard
	// Share lets pages of trusted origins read an answer, as the function's own routes do: a refusal is for people, too.
	Share(next http.Handler) http.Handler
}

// Guard limits callers. Package ratelimit has one; here is what is needed of it, so that a function without limits links
// nothing of them.
type Guard interface {
	// Describe names a caller for the log, by nothing that tells who it is.
	Describe(r *http.Request, address netip.Addr) []slog.Attr
	// Admit returns why a request is refused, or nil. The status of the answer is told to done, which may be nil.
	Admit(header http.Header, r *http.Request, address netip.Addr) (done func(status int), err error)
	// Collectors are its metrics.
	Collectors() []prometheus.Collector
}

// describe adds the caller to what each line of a request's log says.
func (s *server) describe(logger *slog.Logger, r *http.Request) *slog.Logger {
	if s.guarded == nil {
		return logger
	}
	return slog.New(logger.Handler().WithAttrs(s.guarded.Guard().Describe(r, s.proxies.client(r))))
}

// limited runs a request if its caller's limits allow it.
func (s *server) limited(w *recorder, r *http.Request, next func(*recorder, *http.Request)) {
	if s.guarded == nil {
		next(w, r)
		return
	}
	done, err := s.guarded.Guard().Admit(w.Header(), r, s.proxies.client(r))
	if err != nil {
		w.refused = true
		s.guarded.Share(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.WriteError(w, r, err) })).ServeHTTP(w, r)
		return
	}
	if done != nil {
		defer func() { done(w.statusCode()) }()
	}
	next(w, r)
}
