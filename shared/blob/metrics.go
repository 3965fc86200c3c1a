package blob

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/tracing"
)

// metrics are the numbers of one bucket's requests.
type metrics struct {
	seconds *prometheus.HistogramVec
	errors  *prometheus.CounterVec
}

func newMetrics() *metrics {
	labels := []string{"operation"}
	m := &metrics{
		seconds: prometheus.NewHistogramVec(durations.Histogram("schedgen_s3_request_seconds",
			"Time until the object store began its answer, by operation: get, list, put, stat, delete, post.",
			.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30), labels),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "schedgen_s3_errors_total", Help: "Requests that the object store did not answer, or answered with 5xx.",
		}, labels),
	}
	for _, operation := range []string{"get", "list", "put", "stat", "delete", "post"} {
		m.errors.WithLabelValues(operation) // at 0: what Prometheus first sees at 1 is no increase to it
	}
	return m
}

// Collectors are the metrics of the store.
func (s *Store) Collectors() []prometheus.Collector {
	return []prometheus.Collector{s.metrics.seconds, s.metrics.errors}
}

// measure is a transport whose requests are measured, and are spans.
func (m *metrics) measure(next http.RoundTripper) http.RoundTripper {
	traced := tracing.Transport(next, func(r *http.Request) string { return "S3 " + operationOf(r) })
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		began, operation := time.Now(), operationOf(r)
		response, err := traced.RoundTrip(r)
		durations.Observe(r.Context(), m.seconds.WithLabelValues(operation), time.Since(began))
		if err != nil || response.StatusCode >= http.StatusInternalServerError {
			m.errors.WithLabelValues(operation).Inc()
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operationOf names what a request does.
func operationOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet:
		if r.URL.Query().Has("list-type") {
			return "list"
		}
		return "get"
	case http.MethodPut:
		return "put"
	case http.MethodHead:
		return "stat"
	case http.MethodDelete:
		return "delete"
	}
	return "post"
}
