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
	// Caller is who sends a request from an address.
	Caller(r *http.Request, address netip.Addr) Caller
	// Collectors are its metrics.
	Collectors() []prometheus.Collector
}

// Caller is who sends a request.
type Caller interface {
	// Attributes name the caller for the log, by nothing that tells who it is.
	Attributes() []slog.Attr
	// Admit returns why a request is refused, or nil. The status of the answer is told to done, which may be nil.
	Admit(header http.Header, r *http.Request) (done func(status int), err error)
}

// caller is who sends a request, nil where nobody is limited, and what its log lines begin with.
func (s *server) caller(r *http.Request, address netip.Addr) (Caller, *slog.Logger) {
	if s.guarded == nil {
		return nil, s.logger
	}
	caller := s.guarded.Guard().Caller(r, address)
	return caller, slog.New(s.logger.Handler().WithAttrs(caller.Attributes()))
}

// limited runs a request if its caller's limits allow it. To ask takes one of the slots for requests in flight, so that
// no more wait for Redis than may be served.
func (s *server) limited(w *recorder, r *http.Request, next func(*recorder, *http.Request)) {
	if w.caller == nil {
		next(w, r)
		return
	}
	var done func(int)
	var err error
	if !s.inSlot(func() { done, err = w.caller.Admit(w.Header(), r) }) {
		err = api.New(api.Busy)
	}
	if err != nil {
		w.refused = api.Refusal(err)
		s.refuse(w, r, err)
		return
	}
	if done == nil {
		next(w, r)
		return
	}
	status := http.StatusInternalServerError // of a panic
	defer func() { done(status) }()
	next(w, r)
	status = w.statusCode()
}

// refuse answers a request that does not reach the routes, for pages of trusted origins to read too.
func (s *server) refuse(w *recorder, r *http.Request, err error) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { api.WriteError(w, r, err) })
	if s.guarded == nil {
		answer.ServeHTTP(w, r)
		return
	}
	s.guarded.Share(answer).ServeHTTP(w, r)
}

// inSlot runs f in one of the slots for requests in flight, or says that none is free.
func (s *server) inSlot(f func()) bool {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		f()
		return true
	default:
		return false
	}
}
