package tracing

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
)

// Scope names this project's spans among those of libraries.
const Scope = "github.com/schedgen/schedgen/shared/tracing"

// End ends a span. An error marks it as failed, by a code and not by its text, which may hold what a person sent.
type End func(error)

func unrecorded(error) {}

// Start begins a span within that of ctx. Where that is not recorded, neither is this one, and ctx is returned as it is.
func Start(ctx context.Context, kind trace.SpanKind, name string, attributes ...attribute.KeyValue) (context.Context, End) {
	tracer := recorder(ctx)
	if tracer == nil {
		return ctx, unrecorded
	}
	ctx, span := tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return ctx, func(err error) { end(ctx, span, err) }
}

// Note adds attributes to the span of ctx.
func Note(ctx context.Context, attributes ...attribute.KeyValue) {
	trace.SpanFromContext(ctx).SetAttributes(attributes...)
}

// Recording reports whether Start would record a span: for callers whose attributes take work.
func Recording(ctx context.Context) bool { return recorder(ctx) != nil }

// RecordedID is the id of the trace that the work of ctx is in, in hexadecimal; "" where it is not recorded.
func RecordedID(ctx context.Context) string {
	if !Recording(ctx) {
		return ""
	}
	return trace.SpanContextFromContext(ctx).TraceID().String()
}

// recorder is the tracer of ctx, or nil where the span of ctx is not recorded.
func recorder(ctx context.Context) trace.Tracer {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return nil
	}
	s, _ := ctx.Value(scopeKey{}).(scope)
	return s.tracer
}

// Step runs a part of the work of ctx within a span.
func Step(ctx context.Context, name string, f func(context.Context) error) error {
	ctx, end := Start(ctx, trace.SpanKindInternal, name)
	err := f(ctx)
	end(err)
	return err
}

// Work is Continue with a span for the work. The span belongs to the trace of cause; where the request that is being
// answered is of another trace, the span has a link to it.
func Work(ctx context.Context, cause Cause, name string, attributes ...attribute.KeyValue) (context.Context, End) {
	ctx = Continue(ctx, cause)
	s, _ := ctx.Value(scopeKey{}).(scope)
	if s.tracer == nil {
		return ctx, unrecorded
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(attributes...)}
	delivery := trace.SpanContextFromContext(ctx)
	if parent := spanContext(traceparent(s.cause.Traceparent)); parent.IsValid() && parent.TraceID() != delivery.TraceID() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
		options = append(options, trace.WithLinks(trace.Link{SpanContext: delivery}))
	}
	ctx, span := s.tracer.Start(ctx, name, options...)
	return ctx, func(err error) { end(ctx, span, err) }
}

// Past records what has happened already. It is a child of what caused the work of ctx, as cause tells, or of the span of
// ctx where cause tells nothing.
func Past(ctx context.Context, cause Cause, name string, began, ended time.Time) {
	tracer := recorder(ctx)
	if tracer == nil {
		return
	}
	if t, ok := parse(cause.Traceparent); ok {
		ctx = trace.ContextWithRemoteSpanContext(ctx, spanContext(t))
	}
	if ended.Before(began) { // told by two clocks, or by two who did not wait for each other
		ended = began
	}
	_, span := tracer.Start(ctx, name, trace.WithTimestamp(began))
	span.End(trace.WithTimestamp(ended))
}

// beginRequest begins the span of a request, within that of its caller if it named one.
func beginRequest(ctx context.Context, tracer trace.Tracer, caller traceparent) context.Context {
	if parent := spanContext(caller); parent.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, parent)
	}
	ctx, _ = tracer.Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer)) // named when its route is known
	return ctx
}

// EndRequest ends the span of a request that Begin began. Its method and route have few values; code is that of an error
// object, or empty.
func EndRequest(ctx context.Context, method, route string, status int, code string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(method + " " + route)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", route),
		attribute.Int("http.response.status_code", status))
	if code != "" {
		span.SetAttributes(attribute.String("error.type", code))
	}
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// end ends the span of ctx with its outcome.
func end(ctx context.Context, span trace.Span, err error) {
	if err != nil {
		span.SetAttributes(attribute.String("error.type", errorType(ctx, err)))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// NewError is errors.New of an error that spans show by its code.
func NewError(code, text string) error { return &codedError{code, text} }

type codedError struct{ code, text string }

func (e *codedError) Error() string { return e.text }

// ErrorType is what spans show.
func (e *codedError) ErrorType() string { return e.code }

// errorType is the code that an error names by a method ErrorType, PostgreSQL's code, what ended it early, or the CODE
// that a caller would get. Where the context ended, its cause says why.
func errorType(ctx context.Context, err error) string {
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		err = context.Cause(ctx)
	}
	var named interface{ ErrorType() string }
	var database interface{ SQLState() string }
	switch {
	case errors.As(err, &named):
		return named.ErrorType()
	case errors.As(err, &database):
		return database.SQLState()
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return api.From(err).Code
}

// Transport is next with a span for each request. name gives the span's name, which must not depend on whom the request is
// for. Of the address, which may hold an id or a key, the span has the host and the port alone.
func Transport(next http.RoundTripper, name func(*http.Request) string) http.RoundTripper {
	return &transport{next: next, name: name}
}

type transport struct {
	next http.RoundTripper
	name func(*http.Request) string
}

// RoundTrip is part of http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !Recording(r.Context()) {
		return t.next.RoundTrip(r)
	}
	attributes := []attribute.KeyValue{attribute.String("http.request.method", r.Method), attribute.String("server.address", r.URL.Hostname())}
	if port, err := strconv.Atoi(r.URL.Port()); err == nil {
		attributes = append(attributes, attribute.Int("server.port", port))
	}
	ctx, end := Start(r.Context(), trace.SpanKindClient, t.name(r), attributes...)
	response, err := t.next.RoundTrip(r)
	if err == nil {
		noteStatus(trace.SpanFromContext(ctx), response.StatusCode)
	}
	end(err)
	return response, err
}

// CloseIdleConnections is what [http.Client] calls to close them.
func (t *transport) CloseIdleConnections() {
	if closer, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// noteStatus sets the status of the answer to a client's request; to a client 4xx is an error, too.
func noteStatus(span trace.Span, status int) {
	span.SetAttributes(attribute.Int("http.response.status_code", status))
	if status >= http.StatusBadRequest {
		span.SetAttributes(attribute.String("error.type", strconv.Itoa(status)))
		span.SetStatus(codes.Error, "")
	}
}

// spanContext is a parsed traceparent, as the parent of spans; invalid for the empty one.
func spanContext(t traceparent) trace.SpanContext {
	if t == "" {
		return trace.SpanContext{}
	}
	id, _ := trace.TraceIDFromHex(t.id())
	span, _ := trace.SpanIDFromHex(string(t[36:52]))
	flags, _ := strconv.ParseUint(string(t[53:55]), 16, 8)
	return trace.NewSpanContext(trace.SpanContextConfig{TraceID: id, SpanID: span, TraceFlags: trace.TraceFlags(flags), Remote: true})
}

// traceparentOf is the form in which a span travels, or empty.
func traceparentOf(span trace.SpanContext) traceparent {
	if !span.IsValid() {
		return ""
	}
	return traceparent("00-" + span.TraceID().String() + "-" + span.SpanID().String() + "-" + span.TraceFlags().String())
}
