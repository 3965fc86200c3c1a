package googlesync

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what an operator watches beside the requests themselves.
type metrics struct {
	syncs   *prometheus.CounterVec
	signIns *prometheus.CounterVec
	calls   *prometheus.CounterVec
	waits   *prometheus.CounterVec
	waited  *prometheus.CounterVec
	planned *prometheus.HistogramVec
	swept   *prometheus.CounterVec
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_google_" + name, Help: help}, labels)
	}
	return &metrics{
		syncs:   counter("syncs_total", "Turns of syncs by how they ended: done, failed, handed on, put off, lost.", "outcome"),
		signIns: counter("sign_ins_total", "Sign-ins by how they ended: ok, denied, failed, foreign (not begun here).", "outcome"),
		calls:   counter("calls_total", "Calls to the Calendar API by method and result.", "method", "result"),
		waits:   counter("waits_total", "Waits before a call by reason: throttled (our share or Google's no), unavailable.", "reason"),
		waited:  counter("waited_seconds_total", "Time of these waits.", "reason"),
		planned: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "schedgen_google_plan_actions", Help: "What plans have to do, by operation.",
			Buckets: []float64{0, 1, 5, 20, 50, 100, 200, 500, 1000, 5000},
		}, []string{"operation"}),
		swept: counter("swept_total", "What the sweep moved: handed out, deleted, replanned (a sync was made because an academic year changed).", "what"),
	}
}

// Called counts a call to Google.
func (m *metrics) Called(method, result string) { m.calls.WithLabelValues(method, result).Inc() }

// Waited counts a wait before a call.
func (m *metrics) Waited(reason string, d time.Duration) {
	m.waits.WithLabelValues(reason).Inc()
	m.waited.WithLabelValues(reason).Add(d.Seconds())
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	m := f.metrics
	return append(f.typed.Collectors(), m.syncs, m.signIns, m.calls, m.waits, m.waited, m.planned, m.swept)
}
