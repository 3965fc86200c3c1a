package faas

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/schedgen/schedgen/shared/durations"
	"github.com/schedgen/schedgen/shared/tracing/otlp"
)

// metrics is what every function tells Prometheus. The registry is its own, so that several
// functions live in one process.
type metrics struct {
	handler  http.Handler
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge
	spans    *prometheus.CounterVec
}

func newMetrics(name string, fn Function) *metrics {
	labels := prometheus.Labels{"function": name}
	requestSeconds := durations.Histogram("http_request_duration_seconds", "Time from a request to the end of its answer.",
		.005, .01, .025, .05, .1, .2, .3, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
	requestSeconds.ConstLabels = labels
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total",
			Help: "Requests answered.", ConstLabels: labels}, []string{"route", "method", "code"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_request_errors_total",
			Help: "Requests answered with an error, by its code.", ConstLabels: labels}, []string{"route", "code"}),
		duration: prometheus.NewHistogramVec(requestSeconds, []string{"route", "method"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "http_requests_in_flight",
			Help: "Requests being answered.", ConstLabels: labels}),
		spans: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_trace_spans_total",
			Help: "Spans of traces by outcome: sent, lost (the collector did not take them), dropped (too many waited for it). None where no traces are sent.", ConstLabels: labels}, []string{"outcome"}),
	}
	for _, outcome := range []string{otlp.Sent, otlp.Lost, otlp.Dropped} {
		m.countSpans(outcome, 0)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(m.collectors(fn)...)
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.handler = promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		EnableOpenMetrics:   true, // of the texts it is the one with exemplars
		MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	return m
}

// collectors are those of every function, and the function's own.
func (m *metrics) collectors(fn Function) []prometheus.Collector {
	all := []prometheus.Collector{m.requests, m.errors, m.duration, m.inFlight, m.spans}
	if own, ok := fn.(Collector); ok {
		all = append(all, own.Collectors()...)
	}
	if guarded, ok := fn.(Guarded); ok {
		all = append(all, guarded.Guard().Collectors()...)
	}
	return all
}

// Metrics describes each metric of a function that is served, but for those of the Go runtime and the process.
func Metrics(name string, fn Function) []*prometheus.Desc {
	descs := make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		for _, c := range newMetrics(name, fn).collectors(fn) {
			c.Describe(descs)
		}
	}()
	var all []*prometheus.Desc
	for d := range descs {
		all = append(all, d)
	}
	return all
}

// begin counts a request in flight; the function it returns counts it out.
func (m *metrics) begin() func(*http.Request, *recorder, time.Duration) {
	m.inFlight.Inc()
	return func(r *http.Request, answer *recorder, took time.Duration) {
		m.inFlight.Dec()
		where, method := route(r), method(r.Method)
		m.requests.WithLabelValues(where, method, strconv.Itoa(answer.statusCode())).Inc()
		if answer.errorCode != "" {
			m.errors.WithLabelValues(where, answer.errorCode).Inc()
		}
		durations.Observe(r.Context(), m.duration.WithLabelValues(where, method), took)
	}
}

// countSpans counts what became of spans.
func (m *metrics) countSpans(outcome string, spans int) {
	m.spans.WithLabelValues(outcome).Add(float64(spans))
}

// ByFunction returns collectors with the label function: several functions of one process have the same ones, each its
// own.
func ByFunction(function string, collectors ...[]prometheus.Collector) []prometheus.Collector {
	var all []prometheus.Collector
	for _, c := range slices.Concat(collectors...) {
		all = append(all, prometheus.WrapCollectorWith(prometheus.Labels{"function": function}, c))
	}
	return all
}

// method keeps the number of label values small, whatever callers send.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch,
		http.MethodDelete, http.MethodOptions:
		return name
	}
	return "other"
}
