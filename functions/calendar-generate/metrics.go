package calendargenerate

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/faas"
)

// metrics are what an operator watches beside the requests themselves.
type metrics struct{ replanned *prometheus.CounterVec }

func newMetrics() *metrics {
	return &metrics{prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_feeds_replanned_total",
		Help: "Feeds made again after an academic year changed, by outcome: done, failed (the next sweep tries again).",
	}, []string{"outcome"})}
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	return append(faas.ByFunction("calendar-generate", f.pool.Collectors(), f.cache.Collectors(), f.typed.Collectors()), f.metrics.replanned)
}
