package tracing

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
)

func TestOnlyTraceContextsAreParsed(t *testing.T) {
	t.Parallel()
	id, parent := strings.Repeat("a", 32), strings.Repeat("b", 16)
	for _, header := range []string{"", "00", "00-" + id + "-" + parent + "-0", "ff-" + id + "-" + parent + "-01", "00-" + strings.Repeat("0", 32) + "-" + parent + "-01",
		"00-" + id + "-" + strings.Repeat("0", 16) + "-01", "00-" + strings.ToUpper(id) + "-" + parent + "-01", "00-" + id + "-" + parent + "-01-x", "01-" + id + "-" + parent + "-01x"} {
		if _, ok := parse(header); ok {
			t.Errorf("%q is taken for a trace", header)
		}
	}
	if got, ok := parse("01-" + id + "-" + parent + "-01-later"); !ok || got != traceparent("00-"+id+"-"+parent+"-01") {
		t.Errorf("a later version: got %q, %v", got, ok)
	}
}

const (
	delivered = "00-11111111111111111111111111111111-2222222222222222-01"
	uploaded  = "00-33333333333333333333333333333333-4444444444444444-01"
)

// lineOf is what the logger of ctx writes.
func lineOf(t *testing.T, ctx context.Context, log *bytes.Buffer) (line map[string]any) {
	t.Helper()
	log.Reset()
	api.Logger(ctx).Info("read")
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatalf("the log is not one JSON line: %v: %s", err, log)
	}
	if n := strings.Count(log.String(), `"traceId"`); n > 1 {
		t.Errorf("the line names %d traces: %s", n, log)
	}
	return line
}

func TestWorkBelongsToWhatCausedIt(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	request := httptest.NewRequest("POST", "/", nil)
	request.Header.Set(RequestIDHeader, "delivery-1")
	request.Header.Set(TraceparentHeader, delivered)
	ctx := Begin(context.Background(), request, slog.New(slog.NewJSONHandler(&log, nil)), nil)
	if line := lineOf(t, ctx, &log); line["requestId"] != "delivery-1" || line["traceId"] != delivered[3:35] || line["deliveryId"] != nil {
		t.Errorf("before: got %v", line)
	}
	ctx = Continue(ctx, Cause{Traceparent: uploaded, RequestID: "upload-1"})
	if line := lineOf(t, ctx, &log); line["requestId"] != "upload-1" || line["traceId"] != uploaded[3:35] || line["deliveryId"] != "delivery-1" {
		t.Errorf("after: got %v, want the ids of the upload", line)
	}
	cause := CauseOf(ctx)
	if cause.RequestID != "upload-1" || !strings.HasPrefix(cause.Traceparent, uploaded[:36]) || cause.Traceparent == uploaded {
		t.Errorf("got cause %+v, want the upload's with a span of our own", cause)
	}
	if api.RequestID(ctx) != "delivery-1" {
		t.Errorf("the answer to the delivery names %q", api.RequestID(ctx))
	}
	if same := CauseOf(Continue(ctx, Cause{Traceparent: "junk", RequestID: "a b"})); same != cause {
		t.Errorf("an invalid cause changed %+v to %+v", cause, same)
	}
	if none := CauseOf(Continue(context.Background(), Cause{Traceparent: "junk"})); none != (Cause{}) {
		t.Errorf("of junk alone: got %+v", none)
	}
}
