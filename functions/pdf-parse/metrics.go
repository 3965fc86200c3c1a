package pdfparse

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/tracing"
)

// metrics are what an operator watches beside the requests themselves.
type metrics struct {
	events   *prometheus.CounterVec
	jobs     *prometheus.CounterVec
	seconds  prometheus.Histogram
	stages   *prometheus.HistogramVec
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
		seconds: prometheus.NewHistogram(durations.Histogram("schedgen_parse_seconds", "Time to read one PDF, its transfer included.",
			.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)),
		stages: prometheus.NewHistogramVec(durations.Histogram("schedgen_job_stage_seconds",
			"Time of each stage of a job: wait (stored until the first worker takes it), fetch (from the object store), read, commit (of what it says).",
			.0025, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900), []string{"stage"}),
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

// ended counts an attempt. Those at probes, for which no person waits, must not use up the error budget of uploads.
func (m *metrics) ended(job jobs.Job, outcome, code string) {
	if !job.Probe() {
		m.jobs.WithLabelValues(outcome, code).Inc()
	}
}

// took records a stage of a job that ends now.
func (m *metrics) took(ctx context.Context, stage string, began time.Time) {
	durations.Observe(ctx, m.stages.WithLabelValues(stage), time.Since(began))
}

// waited records how long a job waited for its first worker. A later attempt waits on purpose.
func (m *metrics) waited(ctx context.Context, job jobs.Job) {
	if job.Attempts == 1 && job.UploadedAt != nil && job.StartedAt != nil {
		tracing.Past(ctx, job.Cause, "wait", *job.UploadedAt, *job.StartedAt)
		durations.Observe(ctx, m.stages.WithLabelValues("wait"), max(0, job.StartedAt.Sub(*job.UploadedAt)))
	}
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	m := f.metrics
	return append(faas.ByFunction("pdf-parse", f.pool.Collectors(), f.cache.Collectors(), f.blob.Collectors()),
		m.events, m.jobs, m.seconds, m.stages, m.attempts, m.readers)
}
