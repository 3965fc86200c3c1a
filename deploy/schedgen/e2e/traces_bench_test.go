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

// BenchmarkCostOfTraces is how much more CPU uploads take when their traces are sent. In one system, turns of 20 uploads whose
// traceparent asks for a trace follow turns of 20 that ask for none, so that whatever else goes on meets both. It counts all
// processes, PostgreSQL and the collector included.
func BenchmarkCostOfTraces(b *testing.B) {
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	b.Cleanup(collector.Close)
	paper := generated(b, fixture.Options{Kind: timetable.Lecture, Seed: 7, Modules: 5})
	system := quietSystem(b, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": collector.URL})
	client := newClient(b)
	base := client.Transport
	turn := func(sampled int) float64 {
		client.Transport = asking{base, fmt.Sprintf("00-%032x-%016x-%02x", 1, 1, sampled)}
		before := cpuOfAll()
		for range 20 {
			if err := uploadAndWait(b.Context(), client, system, paper); err != nil {
				b.Fatal(err)
			}
		}
		return cpuOfAll() - before
	}
	turn(0)
	turn(1)
	var used [2][]float64
	for round := 0; b.Loop(); round++ {
		for i := range used {
			which := (i + round) % 2 // neither is always first
			used[which] = append(used[which], turn(which)/20)
		}
	}
	for _, all := range used {
		slices.Sort(all)
	}
	without, with := used[0][len(used[0])/2], used[1][len(used[1])/2]
	b.ReportMetric(without*1000, "ms-CPU/upload")
	b.ReportMetric(with*1000, "ms-CPU/traced-upload")
	b.ReportMetric(100*(with/without-1), "%-more")
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
