// Package durations makes the histograms of durations. Each is two in one: with the classic buckets that the rules and
// dashboards read, and native, with buckets at most 10 % wide for a Prometheus that stores such. Their exemplars name
// traces, so that a slow bucket leads to a request that was slow.
package durations

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/tracing"
)

// MaxNativeBuckets is how many native buckets a histogram has at most. Where durations need more, the histogram begins
// again or its buckets become wider, whatever was observed.
const MaxNativeBuckets = 160

// Histogram are the options of a histogram of seconds with these upper bounds of its classic buckets.
func Histogram(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: MaxNativeBuckets, NativeHistogramMinResetDuration: time.Hour,
		NativeHistogramMaxExemplars: -1} // those of the classic buckets suffice, and to keep others takes four times as long
}

// shown is the shortest duration that is worth an exemplar. Most statements take less, and each exemplar costs 2 us.
const shown = time.Millisecond

// Observe records a duration. Where the work of ctx is in a trace that is recorded, the trace's id becomes the exemplar of
// a duration of at least a millisecond, with the label trace_id.
func Observe(ctx context.Context, histogram prometheus.Observer, took time.Duration) {
	if with, ok := histogram.(prometheus.ExemplarObserver); ok && took >= shown {
		if id := tracing.RecordedID(ctx); id != "" {
			with.ObserveWithExemplar(took.Seconds(), prometheus.Labels{"trace_id": id})
			return
		}
	}
	histogram.Observe(took.Seconds())
}
