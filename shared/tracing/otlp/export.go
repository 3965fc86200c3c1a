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
	count  func(sent, lost int)
	losing bool // the last batch was lost, and that was logged
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
	var lost int
	body := encode(spans)
	err := retry.Do(ctx, tries, time.Second, passes, func() (err error) {
		lost, err = e.post(ctx, body)
		return err
	})
	if err != nil {
		lost = len(spans)
	}
	lost = min(max(0, lost), len(spans)) // a collector may count as it likes
	e.count(len(spans)-lost, lost)
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

// passes tells what may go better the next time, as OTLP has it.
func passes(err error) bool {
	var status statusError
	if !errors.As(err, &status) {
		return true
	}
	switch int(status) {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// post sends a batch once, and returns how many of its spans the collector rejected.
func (e *exporter) post(ctx context.Context, body []byte) (rejected int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return 0, errors.New("make the request")
	}
	request.Header = e.header
	response, err := e.client.Do(request)
	if err != nil {
		var failed *url.Error
		if errors.As(err, &failed) {
			err = failed.Err // without the address, which may hold a password
		}
		return 0, err
	}
	defer response.Body.Close()                                    // read below, as far as it matters
	answer, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10)) // an answer that breaks off says nothing
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return 0, statusError(response.StatusCode)
	}
	var partial struct {
		PartialSuccess struct {
			RejectedSpans int `json:"rejectedSpans,string"`
		} `json:"partialSuccess"`
	}
	_ = json.Unmarshal(answer, &partial) // usually {}
	return partial.PartialSuccess.RejectedSpans, nil
}
