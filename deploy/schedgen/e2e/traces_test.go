package e2e_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/otlptest"
)

// TestOneUploadIsOneTrace uploads a timetable that a Google calendar follows, and looks at what a collector got: spans of
// every function and every kind of hop, all of the trace that the caller began, each a child of another one.
func TestOneUploadIsOneTrace(t *testing.T) {
	t.Parallel()
	collector := otlptest.New(t)
	w := start(t, stack.Config{Google: stack.FakeGoogle}, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	s := w.student(t)
	whole, moved, _ := editions(t)
	s.upload(whole.pdf)
	s.signIn(w.google)
	s.call(http.StatusOK, "POST", "/api/calendars/events", map[string]any{"calendarId": person, "terms": terms2026, "year": 2026})
	s.call(http.StatusOK, "POST", "/api/calendars/follow", map[string]any{"calendarId": person, "follow": true})
	const trace, caller = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	contentType, body := form(moved.pdf)
	s.call(http.StatusCreated, http.MethodPost, "/api/upload", body, "Content-Type", contentType, "Prefer", "wait=20",
		"Traceparent", "00-"+trace+"-"+caller+"-01")
	wanted := []string{
		"schedgen: POST /api/upload", "schedgen: WITH", "schedgen: COMMIT", "schedgen: S3 put", // the upload
		"pdf-parse: process job", "pdf-parse: wait", "pdf-parse: fetch", "pdf-parse: S3 get", "pdf-parse: read",
		"pdf-parse: read with a reader", "pdf-parse: commit", "pdf-parse: send dev.schedgen.timetable.parsed.v1",
		"calendar-generate: POST /events/timetable", "google-sync: POST /events/google", "google-sync: begin syncs", "google-sync: sync",
		"google-sync: Google Calendar PATCH",
	}
	var spans []otlptest.Span
	eventually(t, func() error {
		spans = slices.DeleteFunc(collector.Spans(), func(span otlptest.Span) bool { return span.TraceID != trace })
		return missing(spans, wanted)
	})
	if err := w.system.Stop(); err != nil { // so that the parents of what has come are here, too
		t.Fatal(err)
	}
	spans = slices.DeleteFunc(collector.Spans(), func(span otlptest.Span) bool { return span.TraceID != trace })
	known := map[string]bool{caller: true}
	for _, span := range spans {
		known[span.SpanID] = true
	}
	redis := false
	for _, span := range spans {
		redis = redis || span.Attributes.Get("db.system.name") == "redis"
		if !known[span.ParentSpanID] {
			t.Errorf("%s: %s is a child of %q, which nobody sent", span.Service, span.Name, span.ParentSpanID)
		}
		if span.End < span.Start {
			t.Errorf("%s: %s ends before it begins", span.Service, span.Name)
		}
	}
	if !redis {
		t.Error("no command of Redis is in the trace")
	}
}

// missing tells which spans are not there.
func missing(spans []otlptest.Span, wanted []string) error {
	var names []string
	for _, span := range spans {
		names = append(names, span.Service+": "+span.Name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for _, want := range wanted {
		if !slices.ContainsFunc(names, func(name string) bool { return name == want || strings.HasPrefix(name, want+" ") }) {
			return fmt.Errorf("no span %q in the trace; there are %q", want, names)
		}
	}
	return nil
}
