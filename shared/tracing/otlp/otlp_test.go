package otlp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/otlptest"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/tracing"
)

// counts are what the function is told.
type counts struct {
	mu                  sync.Mutex
	sent, lost, dropped int
}

func (c *counts) add(outcome string, spans int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	*map[string]*int{Sent: &c.sent, Lost: &c.lost, Dropped: &c.dropped}[outcome] += spans
}

func open(t *testing.T, cfg Config) (*Traces, *counts) {
	t.Helper()
	return openLogged(t, cfg, io.Discard)
}

// openLogged is open with a log. It may be read once the traces are closed.
func openLogged(t *testing.T, cfg Config, log io.Writer) (*Traces, *counts) {
	t.Helper()
	var counted counts
	traces, err := Open(cfg, "toy", "v1", slog.New(slog.NewTextHandler(log, nil)), counted.add)
	if err != nil {
		t.Fatal(err)
	}
	return traces, &counted
}

func TestSpansReachACollectorBeforeTheEnd(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	traces, counted := open(t, Config{Endpoint: collector.URL + "/", Headers: secret.New("Authorization=Bearer%20a%3Db, x-team = two")})
	request := httptest.NewRequest("POST", "/", nil)
	request.Header.Set(tracing.TraceparentHeader, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	ctx := tracing.Begin(t.Context(), request, slog.New(slog.DiscardHandler), traces.Tracer())
	_, end := tracing.Start(ctx, trace.SpanKindClient, "a \"span\"\n\u00e9 \xff", attribute.Bool("b", true), attribute.Int64("i", math.MaxInt64), attribute.Float64("f", 0.5), attribute.StringSlice("l", []string{"x"}))
	end(fmt.Errorf("of a person: %w", io.ErrUnexpectedEOF))
	tracing.EndRequest(ctx, "POST", "/api/upload", 503, api.Unavailable)
	traces.Close()
	spans := collector.Spans()
	if len(spans) != 2 || counted.sent != 2 || counted.lost != 0 {
		t.Fatalf("got %d spans, counted %+v, want 2 of 2", len(spans), counted)
	}
	child, server := spans[0], spans[1]
	if server.Service != "toy" || server.TraceID != "0af7651916cd43dd8448eb211c80319c" || server.ParentSpanID != "b7ad6b7169203331" || server.Kind != 2 ||
		server.Name != "POST /api/upload" || server.Status.Code != 2 || server.Flags != 0x301 || server.Attributes.Get("http.response.status_code") != int64(503) || server.Attributes.Get("error.type") != "UNAVAILABLE" {
		t.Errorf("the request: got %+v", server)
	}
	if child.TraceID != server.TraceID || child.ParentSpanID != server.SpanID || child.Kind != 3 || child.Name != "a \"span\"\n\u00e9 \ufffd" || child.Flags != 0x101 || child.End < child.Start || child.Start == 0 ||
		child.Attributes.Get("b") != true || child.Attributes.Get("i") != int64(math.MaxInt64) || child.Attributes.Get("f") != 0.5 || child.Attributes.Get("l") != `["x"]` || child.Attributes.Get("error.type") != api.Internal {
		t.Errorf("its part: got %+v", child)
	}
	if strings.Contains(collector.Text(), "of a person") {
		t.Error("the text of an error was sent")
	}
	if h := collector.Header(); h.Get("Authorization") != "Bearer a=b" || h.Get("X-Team") != "two" {
		t.Errorf("got headers %v", h)
	}
}

func TestACollectorThatFailsLosesSpansAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"refuses":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) },
		"hangs up":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"redirects": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"rejects": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":"1","errorMessage":"too old"}}`)
		},
		"rejects, by a number": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":1,"errorMessage":"too old"}}`)
		},
		"counts wrongly": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"partialSuccess":{"rejectedSpans":"99"}}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := otlptest.New(t)
			collector.Answer(answer)
			var log strings.Builder
			traces, counted := openLogged(t, Config{Endpoint: collector.URL}, &log)
			_, span := traces.Tracer().Start(context.Background(), "x")
			span.End()
			traces.Close() // within its bound, which a test of several seconds would show
			if counted.sent != 0 || counted.lost != 1 {
				t.Errorf("counted %+v, want one lost", counted)
			}
			if strings.Count(log.String(), "traces are lost") != 1 || strings.HasPrefix(name, "rejects") != strings.Contains(log.String(), "too old") {
				t.Errorf("logged %q, want once that traces are lost, with the collector's message", log.String())
			}
		})
	}
}

// What a collector that hangs leaves no room for is dropped, counted, and waited for by nobody.
func TestSpansThatTheQueueHasNoRoomForAreCounted(t *testing.T) {
	t.Parallel()
	collector, hang := otlptest.New(t), make(chan struct{})
	collector.Answer(func(w http.ResponseWriter, _ *http.Request) {
		<-hang
		_, _ = io.WriteString(w, "{}") // whoever has gone away needs no answer
	})
	traces, counted := open(t, Config{Endpoint: collector.URL})
	const more = 100
	for range sdktrace.DefaultMaxQueueSize + more {
		_, span := traces.Tracer().Start(context.Background(), "x")
		span.End()
	}
	if counted.dropped != more {
		t.Errorf("counted %+v, want %d dropped", counted, more)
	}
	close(hang)
	traces.Close()
	if counted.sent != sdktrace.DefaultMaxQueueSize || counted.lost != 0 || counted.dropped != more {
		t.Errorf("at the end: counted %+v, want all others sent", counted)
	}
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]bool{400: false, 404: false, 408: false, 429: true, 500: false, 502: true, 503: true, 504: true} {
		if got := passes(statusError(status)); got != want {
			t.Errorf("status %d: got %v", status, got)
		}
	}
	if !passes(errors.New("connection refused")) {
		t.Error("a collector that is away for a moment is not tried again")
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	if traces, err := Open(Config{}, "toy", "v1", nil, nil); traces != nil || err != nil || traces.Tracer() != nil {
		t.Errorf("without an address: got %v, %v", traces, err)
	}
	const value = "hunter2"
	for _, cfg := range []Config{{Endpoint: "collector:4318"}, {Endpoint: "http://c", Protocol: "grpc"}, {Endpoint: "http://c", Sampler: "some"},
		{Endpoint: "http://c", Sampler: "traceidratio", SamplerArg: "1.5"}, {Endpoint: "http://c", Sampler: "parentbased_traceidratio", SamplerArg: "NaN"},
		{Endpoint: "http://c", Headers: secret.New(value)}, {Endpoint: "http://c", Headers: secret.New("a=" + value + "%0d%0ab: c")}, {Endpoint: "http://c", Headers: secret.New("a b=" + value)}} {
		_, err := Open(cfg, "toy", "v1", nil, nil)
		if err == nil || !strings.Contains(err.Error(), "OTEL_") || strings.Contains(err.Error(), value) {
			t.Errorf("%+v: got %v, want an error that names the setting and quotes no secret", cfg, err)
		}
	}
}

func TestSamplersDecide(t *testing.T) {
	t.Parallel()
	sampled := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, Remote: true})
	for _, of := range []struct {
		sampler, arg        string
		alone, afterSampled bool
	}{
		{"always_on", "", true, true}, {"always_off", "", false, false}, {"traceidratio", "0", false, false}, {"TraceIdRatio", "1", true, true},
		{"parentbased_always_off", "", false, true}, {"parentbased_traceidratio", "0", false, true}, {"", "", true, true},
	} {
		traces, _ := open(t, Config{Endpoint: "http://127.0.0.1:1", Sampler: of.sampler, SamplerArg: of.arg})
		_, alone := traces.Tracer().Start(context.Background(), "x")
		_, child := traces.Tracer().Start(trace.ContextWithRemoteSpanContext(context.Background(), sampled), "x")
		if alone.IsRecording() != of.alone || child.IsRecording() != of.afterSampled {
			t.Errorf("%s %s: a new trace is recorded: %v, a sampled one: %v", of.sampler, of.arg, alone.IsRecording(), child.IsRecording())
		}
		traces.Close()
	}
}

// BenchmarkEncode is the cost of a span's sending but for the network.
func BenchmarkEncode(b *testing.B) {
	recorder := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)).Tracer(tracing.Scope)
	for range 512 {
		_, span := tracer.Start(context.Background(), "SELECT", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system.name", "postgresql"),
			attribute.String("db.operation.name", "SELECT"), attribute.String("db.query.text", strings.Repeat("select a from b ", 12))))
		span.End()
	}
	spans := recorder.Ended()
	b.ResetTimer()
	for b.Loop() {
		encode(spans)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(spans)), "ns/span")
}
