package durations_test

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/tracing"
)

const id = "4bf92f3577b34da6a3ce929d0e0e4736"

// request is one whose caller asks for a trace, or for none.
func request(t *testing.T, flags string) context.Context {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set(tracing.TraceparentHeader, "00-"+id+"-00f067aa0ba902b7-"+flags)
	return tracing.Begin(t.Context(), r, slog.New(slog.DiscardHandler), sdktrace.NewTracerProvider().Tracer(tracing.Scope))
}

func written(t *testing.T, metric prometheus.Metric) *dto.Histogram {
	t.Helper()
	var m dto.Metric
	if err := metric.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetHistogram()
}

func TestExemplarsNameTracesThatAreRecorded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ctx  context.Context
		want string
	}{
		"recorded": {request(t, "01"), id}, "not sampled": {request(t, "00"), ""}, "no request": {t.Context(), ""},
	} {
		h := prometheus.NewHistogram(durations.Histogram("x_seconds", "For a test.", 1, 10))
		durations.Observe(c.ctx, h, 2*time.Second)
		got := written(t, h)
		if got.GetSampleCount() != 1 || got.GetSampleSum() != 2 {
			t.Errorf("%s: got %v, want one observation of 2 s", name, got)
		}
		exemplar := got.GetBucket()[1].GetExemplar()
		if c.want == "" {
			if exemplar != nil || len(got.GetExemplars()) != 0 {
				t.Errorf("%s: got exemplars %v, %v, want none", name, exemplar, got.GetExemplars())
			}
			continue
		}
		if e := exemplar; len(e.GetLabel()) != 1 || e.GetLabel()[0].GetName() != "trace_id" || e.GetLabel()[0].GetValue() != c.want || e.GetValue() != 2 {
			t.Errorf("%s: got exemplar %v, want trace_id %s of 2 s", name, e, c.want)
		}
	}
}

func TestShortDurationsNameNoTrace(t *testing.T) {
	t.Parallel()
	h := prometheus.NewHistogram(durations.Histogram("x_seconds", "For a test.", 1))
	durations.Observe(request(t, "01"), h, time.Millisecond-1)
	if got := written(t, h); got.GetSampleCount() != 1 || got.GetBucket()[0].GetExemplar() != nil {
		t.Errorf("got %v, want an observation without an exemplar", got)
	}
}

func TestNativeBucketsAreNarrowAndFew(t *testing.T) {
	t.Parallel()
	h := prometheus.NewHistogram(durations.Histogram("x_seconds", "For a test.", 1))
	h.Observe(1)
	if got := written(t, h); len(got.GetPositiveDelta()) != 1 || math.Exp2(math.Exp2(float64(-got.GetSchema()))) > 1.1 {
		t.Errorf("got schema %d, whose buckets are wider than 10 %%", got.GetSchema())
	}
	for d := time.Nanosecond; d < 10000*time.Hour && d > 0; d += d/50 + 1 {
		durations.Observe(t.Context(), h, d)
	}
	if got := len(written(t, h).GetPositiveDelta()); got > durations.MaxNativeBuckets || got < 10 {
		t.Errorf("got %d native buckets, want at most %d", got, durations.MaxNativeBuckets)
	}
}
