package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// BenchmarkCostOfTraces is how much more CPU uploads take when their traces are sent. In one system, turns of 100 uploads whose
// traceparent asks for a trace follow turns of 100 that ask for none, so that whatever else goes on meets both. Each upload is a
// new visitor's: what is read of earlier ones would hide the cost. The share is the median of the rounds' own, of a turn with
// traces and the one beside it without. It counts all processes, PostgreSQL and the collector included.
func BenchmarkCostOfTraces(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(collector.Close)
	paper := generated(b, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5})
	system := quietSystem(b, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL})
	base := new(http.Transport)
	b.Cleanup(base.CloseIdleConnections)
	turn := func(sampled int) float64 {
		before := cpuOfAll()
		for range 100 {
			client := newClient(b)
			client.Transport = asking{base, fmt.Sprintf("00-%032x-%016x-%02x", 1, 1, sampled)}
			if err := uploadAndWait(b.Context(), client, system, paper); err != nil {
				b.Fatal(err)
			}
		}
		return cpuOfAll() - before
	}
	turn(0)
	turn(1)
	var used [2][]float64
	var more []float64
	for round := 0; b.Loop(); round++ {
		for i := range used {
			which := (i + round) % 2 // neither is always first
			used[which] = append(used[which], turn(which)/100)
		}
		more = append(more, used[1][round]/used[0][round]-1)
	}
	b.ReportMetric(medianOf(used[0])*1000, "ms-CPU/upload")
	b.ReportMetric(medianOf(used[1])*1000, "ms-CPU/traced-upload")
	b.ReportMetric(100*medianOf(more), "%-more")
}

func medianOf(numbers []float64) float64 {
	numbers = slices.Sorted(slices.Values(numbers))
	return numbers[len(numbers)/2]
}

// asking sends a traceparent with each request.
type asking struct {
	http.RoundTripper
	traceparent string
}

func (a asking) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Traceparent", a.traceparent)
	return a.RoundTripper.RoundTrip(r)
}

// quietSystem is the address of a system that does nothing by itself.
func quietSystem(b *testing.B, settings map[string]string) string {
	b.Helper()
	known := unlimitedSettings()
	for name, value := range settings {
		known[name] = value
	}
	system, err := stack.Start(b.Context(), stack.Config{Data: dataDir(b), SweepEvery: 24 * time.Hour, Settings: envconfig.MapLookuper(known)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := system.Stop(); err != nil {
			b.Error(err)
		}
	})
	return system.URL()
}

// cpuOfAll is the processor time, in seconds, of this process and of all below it, those that have ended included.
func cpuOfAll() float64 {
	seconds, _ := usedBy(strconv.Itoa(os.Getpid()))
	return seconds
}
