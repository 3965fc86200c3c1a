package otlp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/schedgen/schedgen/shared/retry"
)

// exporter posts batches of spans to a collector. The SDK calls it from one goroutine.
type exporter struct {
	ctx    context.Context // of all that it sends
	stop   context.CancelFunc
	url    string
	header http.Header
	client *http.Client
	logger *slog.Logger
	count  Count
	room   atomic.Int64 // for spans that wait to be sent or are being sent
	losing bool         // of the last batch something was lost, and that was logged
}

// tries is how often a batch is sent, with pauses that double from one second.
const tries = 3

// ExportSpans is part of sdktrace.SpanExporter. It returns no error, for the SDK could only print it: it is counted, and
// logged when it begins and when it is over.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	body := encode(spans)
	err := retry.Do(ctx, tries, time.Second, passes, func() error { return e.post(ctx, body) })
	lost := 0
	if err != nil {
		lost = len(spans)
	}
	var rejected *rejectedError
	if errors.As(err, &rejected) {
		lost = int(min(rejected.spans, int64(len(spans)))) // a collector may count as it likes
	}
	e.room.Add(int64(len(spans)))
	e.count(Sent, len(spans)-lost)
	e.count(Lost, lost)
	switch {
	case err != nil && !e.losing:
		e.logger.Warn("traces are lost", "error", err.Error())
	case err == nil && e.losing:
		e.logger.Info("traces are sent again")
	}
	e.losing = err != nil
	return nil
}

// Shutdown is part of sdktrace.SpanExporter.
func (e *exporter) Shutdown(context.Context) error { return nil }

// statusError is an answer other than success.
type statusError int

func (s statusError) Error() string {
	return fmt.Sprintf("the collector answered with status %d", int(s))
}

// rejectedError says that the collector took a batch but for some of its spans.
type rejectedError struct {
	spans   int64
	message string // the collector's own
}

func (r *rejectedError) Error() string {
	return fmt.Sprintf("the collector rejected %d spans: %.500q", r.spans, r.message)
}

// passes tells what may go better the next time, as OTLP has it.
func passes(err error) bool {
	var rejected *rejectedError
	var status statusError
	if errors.As(err, &rejected) {
		return false
	}
	if !errors.As(err, &status) {
		return true
	}
	switch int(status) {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// post sends a batch once.
func (e *exporter) post(ctx context.Context, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("make the request")
	}
	request.Header = e.header
	response, err := e.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address, which may hold a password
		}
		return err
	}
	defer response.Body.Close()                                    // read below, as far as it matters
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // an answer that breaks off says nothing
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return statusError(response.StatusCode)
	}
	var partial struct {
		PartialSuccess struct {
			RejectedSpans json.Number `json:"rejectedSpans"` // a string or a number, as JSON of protobuf may have it
			ErrorMessage  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
	_ = json.Unmarshal(answer, &partial) // usually {}
	if rejected, _ := partial.PartialSuccess.RejectedSpans.Int64(); rejected > 0 {
		return &rejectedError{rejected, partial.PartialSuccess.ErrorMessage}
	}
	return nil
}
