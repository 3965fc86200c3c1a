package googlesync

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/faas"
)

// calls counts calls to Google. It is a [google.Observer].
type calls struct{ made, waits, waited *prometheus.CounterVec }

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_google_" + name, Help: help}, labels)
}

func newCalls() calls {
	return calls{
		made:   counter("calls_total", "Calls to the Calendar API by method and result.", "method", "result"),
		waits:  counter("waits_total", "Waits before a call by reason: throttled (by our own limit or by Google), unavailable.", "reason"),
		waited: counter("waited_seconds_total", "Seconds of these waits.", "reason"),
	}
}

// Called counts a call to Google.
func (c calls) Called(method, result string) { c.made.WithLabelValues(method, result).Inc() }

// Waited counts a wait before a call.
func (c calls) Waited(reason string, d time.Duration) {
	c.waits.WithLabelValues(reason).Inc()
	c.waited.WithLabelValues(reason).Add(d.Seconds())
}

func newSignInResults() *prometheus.CounterVec {
	return counter("sign_ins_total", "Sign-ins by result: ok, denied, failed, foreign (the browser did not begin it).", "outcome")
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	return slices.Concat(faas.ByFunction("google-sync", f.pool.Collectors(), f.cache.Collectors(), f.content.Typed.Collectors()), f.worker.Collectors(),
		f.auto.Collectors(), []prometheus.Collector{f.results, f.calls.made, f.calls.waits, f.calls.waited})
}
