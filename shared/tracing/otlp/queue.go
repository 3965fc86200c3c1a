package otlp

import (
	"os"
	"strconv"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// queue is the SDK's, which drops spans where it is full and tells nobody. So it is given no more than it has room for,
// and what it has no room for is counted here. A span has its place until its batch is sent or lost.
type queue struct {
	sdktrace.SpanProcessor
	exporter *exporter
}

func newQueue(e *exporter) *queue {
	size, err := strconv.Atoi(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE"))
	if err != nil || size <= 0 {
		size = sdktrace.DefaultMaxQueueSize
	}
	e.room.Store(int64(size))
	return &queue{sdktrace.NewBatchSpanProcessor(e, sdktrace.WithMaxQueueSize(size)), e}
}

// OnEnd is part of sdktrace.SpanProcessor. Spans that are recorded and not sampled are not sent.
func (q *queue) OnEnd(span sdktrace.ReadOnlySpan) {
	if !span.SpanContext().IsSampled() {
		return
	}
	if q.exporter.room.Add(-1) < 0 {
		q.exporter.room.Add(1)
		q.exporter.count(Dropped, 1)
		return
	}
	q.SpanProcessor.OnEnd(span)
}
