package tracing

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
)

// recorded is a request that is being answered, and what is recorded of it.
func recorded(t *testing.T, sampler sdktrace.Sampler) (context.Context, *tracetest.SpanRecorder) {
	t.Helper()
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sampler)).Tracer(Scope)
	request := httptest.NewRequest("POST", "/", nil)
	request.Header.Set(TraceparentHeader, delivered)
	return Begin(t.Context(), request, slog.New(slog.DiscardHandler), tracer), spans
}

func TestWorkIsOfTheTraceOfItsCause(t *testing.T) {
	t.Parallel()
	ctx, spans := recorded(t, sdktrace.AlwaysSample())
	working, end := Work(ctx, Cause{Traceparent: uploaded, RequestID: "upload-1"}, "process job")
	cause := CauseOf(working)
	if err := Step(working, "read", func(ctx context.Context) error {
		if inner := CauseOf(ctx).Traceparent; inner[:36] != uploaded[:36] || inner == cause.Traceparent {
			t.Errorf("within a step the cause is %q, want the step's own span", inner)
		}
		return io.EOF
	}); err != io.EOF {
		t.Errorf("the step's error: got %v", err)
	}
	Past(working, Cause{Traceparent: uploaded}, "wait", time.Unix(1, 0), time.Unix(2, 0))
	end(nil)
	EndRequest(ctx, "POST", "/", 204, "")
	Past(working, Cause{}, "backwards", time.Unix(2, 0), time.Unix(1, 0))
	if span := spans.Ended()[4]; span.EndTime().Before(span.StartTime()) {
		t.Errorf("a span ends at %v, before it begins at %v", span.EndTime(), span.StartTime())
	}
	all := spans.Ended()
	read, wait, work, request := all[0], all[1], all[2], all[3]
	if got := work.Parent().SpanID().String(); got != uploaded[36:52] || work.SpanContext().TraceID().String() != uploaded[3:35] {
		t.Errorf("the work is a child of %s in trace %s, want of the upload %s", got, work.SpanContext().TraceID(), uploaded)
	}
	if links := work.Links(); len(links) != 1 || links[0].SpanContext.SpanID() != request.SpanContext().SpanID() {
		t.Errorf("the work has links %v, want one to its delivery", links)
	}
	if read.Parent().SpanID() != work.SpanContext().SpanID() || read.Status().Description != "" {
		t.Errorf("a step is a child of %s with status %+v", read.Parent().SpanID(), read.Status())
	}
	if wait.Parent().SpanID() != work.Parent().SpanID() || wait.EndTime() != time.Unix(2, 0) {
		t.Errorf("the wait is a child of %s until %v", wait.Parent().SpanID(), wait.EndTime())
	}
	if string(traceparentOf(work.SpanContext())) != cause.Traceparent || request.SpanContext().TraceID().String() != delivered[3:35] {
		t.Errorf("the cause that is handed on is %q, want the work's span; the delivery is of trace %s", cause.Traceparent, request.SpanContext().TraceID())
	}
}

func TestWorkOfTheSameTraceIsWithinItsDelivery(t *testing.T) {
	t.Parallel()
	ctx, spans := recorded(t, sdktrace.AlwaysSample())
	_, end := Work(ctx, Cause{Traceparent: delivered}, "process job")
	end(nil)
	EndRequest(ctx, "POST", "/", 204, "")
	work, request := spans.Ended()[0], spans.Ended()[1]
	if work.Parent().SpanID() != request.SpanContext().SpanID() || len(work.Links()) != 0 {
		t.Errorf("the work is a child of %s with links %v, want of its delivery", work.Parent().SpanID(), work.Links())
	}
}

// stated is an error of PostgreSQL.
type stated struct{ error }

func (stated) SQLState() string { return "57014" }

// What a span shows of an error is a code, and the most telling one.
func TestSpansShowErrorsByACode(t *testing.T) {
	t.Parallel()
	ours := NewError("LEASE_LOST", "of a person")
	for name, c := range map[string]struct {
		cause, err error // why the context ends, nil where it does not
		want       string
	}{
		"one that names its code":      {nil, fmt.Errorf("commit: %w", ours), "LEASE_LOST"},
		"PostgreSQL's":                 {nil, stated{io.EOF}, "57014"},
		"of the API":                   {nil, api.New(api.Busy), api.Busy},
		"none":                         {nil, io.EOF, api.Internal},
		"the context's end":            {context.Canceled, fmt.Errorf("read: %w", context.Canceled), "canceled"},
		"the context's, with a cause":  {ours, fmt.Errorf("read: %w", context.Canceled), "LEASE_LOST"},
		"another, though it has ended": {ours, io.EOF, api.Internal},
		"late":                         {nil, context.DeadlineExceeded, "timeout"},
	} {
		ctx, spans := recorded(t, sdktrace.AlwaysSample())
		ctx, cancel := context.WithCancelCause(ctx)
		_, end := Start(ctx, trace.SpanKindInternal, "x")
		if c.cause != nil {
			cancel(c.cause)
		}
		end(c.err)
		cancel(nil)
		if got := spans.Ended()[0].Attributes(); len(got) != 1 || got[0].Key != "error.type" || got[0].Value.AsString() != c.want {
			t.Errorf("%s: got %v, want error.type %s alone", name, got, c.want)
		}
	}
}

// TestWorkAfterTheAnswerIsRecorded: what a request begins may go on when it is answered.
func TestWorkAfterTheAnswerIsRecorded(t *testing.T) {
	t.Parallel()
	ctx, spans := recorded(t, sdktrace.AlwaysSample())
	EndRequest(ctx, "POST", "/", 202, "")
	_, end := Start(ctx, trace.SpanKindProducer, "send")
	end(nil)
	if n := len(spans.Ended()); n != 2 {
		t.Errorf("got %d spans, want 2", n)
	}
}

func TestNothingIsRecordedWhereNothingShallBe(t *testing.T) {
	t.Parallel()
	unsampled, spans := recorded(t, sdktrace.NeverSample())
	for name, ctx := range map[string]context.Context{"not sampled": unsampled, "without a tracer": Begin(t.Context(), httptest.NewRequest("GET", "/", nil), slog.New(slog.DiscardHandler), nil), "without a request": t.Context()} {
		working, end := Work(ctx, Cause{}, "process job")
		end(io.EOF)
		if _, end := Start(working, trace.SpanKindInternal, "x"); Recording(working) {
			t.Errorf("%s: it is recorded", name)
		} else {
			end(nil)
		}
		Past(working, Cause{}, "wait", time.Now(), time.Now())
		EndRequest(ctx, "GET", "/", 500, "")
	}
	if n := len(spans.Ended()); n != 0 {
		t.Errorf("%d spans were recorded", n)
	}
	if cause := CauseOf(unsampled); !strings.HasSuffix(cause.Traceparent, "-00") || cause.Traceparent[:36] != delivered[:36] {
		t.Errorf("what is not sampled is handed on as %q", cause.Traceparent)
	}
}

func TestClientsSpansSayNothingOfAnAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(TraceparentHeader) != "" {
			t.Error("a server of others is told of the trace")
		}
		w.WriteHeader(http.StatusNotFound)
	}))
	t.Cleanup(server.Close)
	ctx, spans := recorded(t, sdktrace.AlwaysSample())
	client := &http.Client{Transport: Transport(&http.Transport{}, func(r *http.Request) string { return "S3 " + r.Method })}
	t.Cleanup(client.CloseIdleConnections)
	for _, address := range []string{server.URL + "/secret-key?secret=1", "http://127.0.0.1:1/secret-key"} {
		request, err := http.NewRequestWithContext(ctx, "GET", address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := client.Do(request); err == nil {
			_ = response.Body.Close() // nothing of it is read
		}
	}
	for i, want := range []string{"404", "UNAVAILABLE"} {
		span, kind := spans.Ended()[i], ""
		for _, a := range span.Attributes() {
			if strings.Contains(a.Value.String(), "secret") {
				t.Errorf("%s holds %q", a.Key, a.Value.String())
			}
			if a.Key == "error.type" {
				kind = a.Value.String()
			}
		}
		if kind != want || span.Name() != "S3 GET" || !slices.Contains([]trace.SpanKind{trace.SpanKindClient}, span.SpanKind()) {
			t.Errorf("got %s %v with error %q, want %q", span.Name(), span.SpanKind(), kind, want)
		}
	}
}

// BenchmarkStartWithoutTracer is what every query, command and call costs where no traces are sent.
func BenchmarkStartWithoutTracer(b *testing.B) {
	ctx := Begin(context.Background(), httptest.NewRequest("GET", "/", nil), slog.New(slog.DiscardHandler), nil)
	b.ReportAllocs()
	for b.Loop() {
		_, end := Start(ctx, trace.SpanKindClient, "SELECT")
		end(nil)
	}
}
