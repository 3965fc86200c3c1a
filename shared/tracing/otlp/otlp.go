// Package otlp sends spans to a collector: it has OpenTelemetry's SDK record them, and posts them in batches as OTLP over
// HTTP. Without an address nothing is recorded, and no goroutine runs.
//
// Spans are worth less than requests. Nobody waits for them: what the queue (2,048 spans) has no room for is dropped, and
// so is a batch that the collector did not take within some tries.
//
// The exporter is our own because the official ones are not free at start: with otlptracehttp a program initialises
// protobuf's registry, grpc and genproto, which adds 13 MB of binary and milliseconds to each start; OpenTelemetry's
// packages as they are used here take about 0.15 ms (GODEBUG=inittrace=1 pdf-parse --version, the sum of its lines of
// opentelemetry.io). The processes that read PDFs are the same program, so they pay that, too, in the 12 ms that they take
// to start. OTLP's JSON encoding needs encoding/json alone, and every collector takes it on the same port (4318).
package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Config says where traces go, by OpenTelemetry's own names. The SDK itself reads OTEL_RESOURCE_ATTRIBUTES, OTEL_BSP_...
// and OTEL_SPAN_..., too.
type Config struct {
	Endpoint    string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT"`                        // address of a collector that takes OTLP over HTTP, such as http://collector:4318; /v1/traces is added. Without one there are no traces
	Headers     secret.String `env:"OTEL_EXPORTER_OTLP_HEADERS"`                         // headers of each request to the collector, name=value,name=value, percent-encoded
	Protocol    string        `env:"OTEL_EXPORTER_OTLP_PROTOCOL, default=http/json"`     // http/json is the only one
	Timeout     int           `env:"OTEL_EXPORTER_OTLP_TIMEOUT, default=10000"`          // milliseconds, of one try to send a batch
	ServiceName string        `env:"OTEL_SERVICE_NAME"`                                  // in traces; defaults to the function's name
	Sampler     string        `env:"OTEL_TRACES_SAMPLER, default=parentbased_always_on"` // always_on, always_off, traceidratio, or parentbased_ with one of these: as the caller's traceparent says
	SamplerArg  string        `env:"OTEL_TRACES_SAMPLER_ARG, default=1"`                 // the share of traces that traceidratio keeps, 0 to 1
}

// Count is told of so many spans that have come to an outcome.
type Count func(outcome string, spans int)

// The outcomes of spans.
const (
	Sent    = "sent"
	Lost    = "lost"    // the collector did not take them
	Dropped = "dropped" // the queue was full
)

// Traces records and sends the spans of one function. A nil one does nothing.
type Traces struct {
	provider *sdktrace.TracerProvider
	exporter *exporter
}

// Open checks cfg and connects nothing. It is nil without an address.
func Open(cfg Config, function, version string, logger *slog.Logger, count Count) (*Traces, error) {
	cfg = settings.WithDefaults(cfg)
	if cfg.Endpoint == "" {
		return nil, nil
	}
	sampler, err := sampler(cfg)
	if err != nil {
		return nil, err
	}
	exporter, err := newExporter(cfg, logger, count)
	if err != nil {
		return nil, err
	}
	if cfg.ServiceName != "" {
		function = cfg.ServiceName
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(newQueue(exporter)),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", function), attribute.String("service.version", version))))
	return &Traces{provider: provider, exporter: exporter}, nil
}

// Tracer begins spans; nil where none are recorded.
func (t *Traces) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return t.provider.Tracer(tracing.Scope)
}

// lastFlush is how long the last spans may take to be sent.
const lastFlush = 3 * time.Second

// Close sends what is recorded, within a few seconds, and ends.
func (t *Traces) Close() {
	if t == nil {
		return
	}
	defer time.AfterFunc(lastFlush, t.exporter.stop).Stop()
	_ = t.provider.Shutdown(context.Background()) // waits for the exporter, which has logged what it lost
	t.exporter.stop()
	t.exporter.client.CloseIdleConnections()
}

// sampler is the one that cfg names.
func sampler(cfg Config) (sdktrace.Sampler, error) {
	name, parentBased := strings.CutPrefix(strings.ToLower(cfg.Sampler), "parentbased_")
	var s sdktrace.Sampler
	switch name {
	case "always_on":
		s = sdktrace.AlwaysSample()
	case "always_off":
		s = sdktrace.NeverSample()
	case "traceidratio":
		ratio, err := strconv.ParseFloat(cfg.SamplerArg, 64)
		if err != nil || !(ratio >= 0 && ratio <= 1) {
			return nil, errors.New("OTEL_TRACES_SAMPLER_ARG is not a number from 0 to 1")
		}
		s = sdktrace.TraceIDRatioBased(ratio)
	default:
		return nil, errors.New("OTEL_TRACES_SAMPLER is none of always_on, always_off, traceidratio, or these with parentbased_")
	}
	if parentBased {
		s = sdktrace.ParentBased(s)
	}
	return s, nil
}

// newExporter checks the settings of the collector.
func newExporter(cfg Config, logger *slog.Logger, count Count) (*exporter, error) {
	if !settings.IsWebAddress(cfg.Endpoint) {
		return nil, errors.New("OTEL_EXPORTER_OTLP_ENDPOINT is not an address such as http://collector:4318")
	}
	if cfg.Protocol != "http/json" {
		return nil, errors.New("OTEL_EXPORTER_OTLP_PROTOCOL can only be http/json: give the collector's port for HTTP, usually 4318")
	}
	header, err := parseHeaders(cfg.Headers.Reveal())
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_HEADERS: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	return &exporter{
		ctx: ctx, stop: stop,
		url: strings.TrimRight(cfg.Endpoint, "/") + "/v1/traces", header: header, logger: logger, count: count,
		client: &http.Client{Timeout: time.Duration(cfg.Timeout) * time.Millisecond,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 5 * time.Second, IdleConnTimeout: 90 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

// isHeaderName reports whether name is a token of RFC 9110, section 5.6.2.
func isHeaderName(name string) bool {
	return name != "" && strings.Trim(name, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// parseHeaders reads name=value,name=value as W3C Baggage has it, without properties. Its errors quote nothing.
func parseHeaders(text string) (http.Header, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.TrimSpace(name); !ok || err != nil || !isHeaderName(name) || strings.ContainsAny(value, "\r\n\x00") {
			return nil, errors.New("not a list such as name=value,name=value")
		}
		header.Set(name, value)
	}
	return header, nil
}
