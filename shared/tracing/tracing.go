// Package tracing carries what caused a piece of work from hop to hop, so that one search finds the log lines of an
// upload in every function: the id of the request that a person made, and its W3C trace context.
//
// A function's server calls Begin for each request. Work that an event causes belongs to the request behind the event,
// however late and by whichever delivery it is done: Continue takes over the event's Cause. Events, object metadata
// and the rows of jobs and syncs carry a Cause between processes.
//
// Where a function has a tracer (package otlp), its requests and what they do are spans, too: Start begins one, Work one
// in the trace of what caused it. Without a tracer Start does nothing, and Work is Continue. Anyone who sees traces may see
// their attributes, so these say what was done and never for whom: no path, key, address, argument or text of an error.
package tracing

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
)

// Cause names the request that caused a piece of work. Its fields may be empty.
type Cause struct {
	Traceparent string `json:"-"` // W3C Trace Context, version 00
	RequestID   string `json:"-"` // at most 128 letters, digits and "-_.:"
}

// The names under which a Cause travels.
const (
	TraceparentHeader = "Traceparent"  // of HTTP requests, and of object metadata
	RequestIDHeader   = "X-Request-Id" // of HTTP requests
)

// scope is what a context knows of the work that is being done in it.
type scope struct {
	cause    Cause
	delivery string       // the id of the HTTP request that is being answered
	logger   *slog.Logger // without ids
	tracer   trace.Tracer // nil where nothing is recorded
}

type scopeKey struct{}

// Begin returns ctx with the caller's trace and request id, or new ones where the caller gave none that are valid.
// The logger of ctx writes both on every line. With a tracer, which may be nil, the request is a span that EndRequest ends.
func Begin(ctx context.Context, r *http.Request, logger *slog.Logger, tracer trace.Tracer) context.Context {
	s := scope{logger: logger, tracer: tracer, cause: Cause{RequestID: r.Header.Get(RequestIDHeader)}}
	if !validRequestID(s.cause.RequestID) {
		s.cause.RequestID = randomHex(16)
	}
	t, ok := parse(r.Header.Get(TraceparentHeader))
	switch {
	case tracer != nil:
		ctx = beginRequest(ctx, tracer, t)
		s.cause.Traceparent = string(traceparentOf(trace.SpanContextFromContext(ctx)))
	case ok:
		s.cause.Traceparent = t.child()
	default:
		s.cause.Traceparent = "00-" + randomHex(16) + "-" + randomHex(8) + "-01"
	}
	s.delivery = s.cause.RequestID
	return s.enter(api.WithRequestID(ctx, s.delivery))
}

// Continue returns ctx for work that cause began: its log lines carry the ids of cause, and the id of the request that
// is being answered as deliveryId. Fields that are empty or not valid change nothing.
func Continue(ctx context.Context, cause Cause) context.Context {
	s, ok := ctx.Value(scopeKey{}).(scope)
	if !ok {
		s.logger = api.Logger(ctx)
	}
	switch t, ok := parse(cause.Traceparent); {
	case ok && s.tracer != nil:
		s.cause.Traceparent = string(t) // spans have no other parent than one that is recorded
	case ok:
		s.cause.Traceparent = t.child()
	}
	if validRequestID(cause.RequestID) {
		s.cause.RequestID = cause.RequestID
	}
	return s.enter(ctx)
}

// CauseOf is the cause of the work done in ctx, to be sent on to what is called or begun because of it.
func CauseOf(ctx context.Context) Cause {
	s, _ := ctx.Value(scopeKey{}).(scope)
	span := traceparentOf(trace.SpanContextFromContext(ctx))
	if t, ok := parse(s.cause.Traceparent); ok && span != "" && span.id() == t.id() {
		s.cause.Traceparent = string(span)
	}
	return s.cause
}

// enter returns ctx within s.
func (s scope) enter(ctx context.Context) context.Context {
	logger := s.logger
	if s.cause.RequestID != "" {
		logger = logger.With("requestId", s.cause.RequestID)
	}
	if s.delivery != "" && s.delivery != s.cause.RequestID {
		logger = logger.With("deliveryId", s.delivery)
	}
	if t, ok := parse(s.cause.Traceparent); ok {
		logger = logger.With("traceId", t.id())
	}
	return api.WithLogger(context.WithValue(ctx, scopeKey{}, s), logger)
}

// validRequestID reports whether id may stand in a log line: anything else could forge one.
func validRequestID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-_.:", c) >= 0) {
			return false
		}
	}
	return true
}

// traceparent is a W3C trace context: "00-<32 hex>-<16 hex>-<2 hex>".
type traceparent string

func (t traceparent) id() string { return string(t)[3:35] }

// child is the same trace with a new span.
func (t traceparent) child() string {
	return string(t[:36]) + randomHex(8) + string(t[52:])
}

// parse reads a traceparent as W3C Trace Context, section 3.2, asks: later versions may be
// longer, and are continued as version 00.
func parse(header string) (traceparent, bool) {
	if len(header) < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-' {
		return "", false
	}
	version, id, parent, flags := header[:2], header[3:35], header[36:52], header[53:55]
	if !isHex(version) || !isHex(id) || !isHex(parent) || !isHex(flags) || version == "ff" {
		return "", false
	}
	if version == "00" && len(header) != 55 || len(header) > 55 && header[55] != '-' {
		return "", false
	}
	if strings.Trim(id, "0") == "" || strings.Trim(parent, "0") == "" {
		return "", false
	}
	return traceparent("00-" + id + "-" + parent + "-" + flags), true
}

// isHex says that text is lower-case hexadecimal.
func isHex(text string) bool {
	return strings.Trim(text, "0123456789abcdef") == ""
}

func randomHex(bytes int) string {
	buffer := make([]byte, bytes)
	_, _ = rand.Read(buffer) // never fails (crypto/rand)
	return hex.EncodeToString(buffer)
}
