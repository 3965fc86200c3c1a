package pdfparse

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
)

// metrics are what an operator watches beside the requests themselves.
type metrics struct {
	events   *prometheus.CounterVec
	jobs     *prometheus.CounterVec
	seconds  prometheus.Histogram
	attempts prometheus.Histogram
	readers  *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_parse_events_total",
			Help: "Events by what they led to: work, duplicate, waited (another worker began the job), unknown job, not due, busy, rate, dead letter, error.",
		}, []string{"outcome"}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_parse_jobs_total",
			Help: "Attempts by outcome (completed, failed, retried, lost) and code; the code is empty where there is none.",
		}, []string{"outcome", "code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "schedgen_parse_seconds", Help: "Time to read one PDF, its transfer included.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
		attempts: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "schedgen_parse_attempts", Help: "Attempts that jobs took until they ended.", Buckets: []float64{1, 2, 3},
		}),
		readers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_parse_readers_ended_total",
			Help: "Processes that read PDFs, by why they were ended: documents, age, memory, cpu, failed.",
		}, []string{"reason"}),
	}
	// At 0: what Prometheus first sees at 1 is no increase to it.
	m.jobs.WithLabelValues("completed", "")
	for _, code := range []string{api.ProcessingFailed, jobs.CodeTimeout, jobs.CodePDFMissing} {
		m.jobs.WithLabelValues("failed", code)
	}
	return m
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	m := f.metrics
	return append(faas.ByFunction("pdf-parse", f.pool.Collectors(), f.cache.Collectors(), f.blob.Collectors()),
		m.events, m.jobs, m.seconds, m.attempts, m.readers)
}
