package uploadingest

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/upload-ingest/overview"
	"github.com/schedgen/schedgen/shared/faas"
)

// metrics are those of the function beside the request metrics.
type metrics struct {
	uploads     *prometheus.CounterVec
	uploadBytes prometheus.Histogram
	deadLetters *prometheus.CounterVec
}

func newMetrics() *metrics {
	const kib = 1 << 10
	m := &metrics{
		uploads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_uploads_total", Help: "Uploads by outcome: accepted, refused (the file's fault, or its owner has too much), busy (too many jobs are pending), unavailable (ours).",
		}, []string{"outcome"}),
		uploadBytes: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "schedgen_upload_bytes", Help: "Sizes of accepted PDFs.",
			Buckets: []float64{16 * kib, 64 * kib, 256 * kib, 1024 * kib, 4096 * kib, 10240 * kib},
		}),
		deadLetters: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_dead_letters_total", Help: "Dead letters, by where the event was given up.",
		}, []string{"source"}),
	}
	for _, outcome := range []string{"accepted", "refused", "busy", "unavailable"} {
		m.uploads.WithLabelValues(outcome) // at 0: what Prometheus first sees at 1 is no increase to it
	}
	return m
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	m := f.metrics
	return slices.Concat(faas.ByFunction("upload-ingest", f.pool.Collectors(), f.cache.Collectors(), f.blob.Collectors()), f.sweeper.Metrics.Collectors(),
		[]prometheus.Collector{m.uploads, m.uploadBytes, m.deadLetters, overview.New(f.pool)})
}
