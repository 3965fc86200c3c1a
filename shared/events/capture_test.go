package events_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
)

var update = flag.Bool("update", false, "capture the notification of testdata from the real MinIO anew")

// captured is where the notification is kept that the real MinIO posted of an upload.
const captured = "testdata/minio-put.json"

// The upload of which the captured notification tells.
const (
	capturedJob = "01942c86-7f0a-7c4e-9d35-2b61f0c8a4e7"
	capturedPDF = "%PDF-1.7\n%%EOF\n"
)

// TestTheRealMinIOPostsWhatIsCaptured stores a PDF as upload-ingest does and holds what MinIO posts
// of it against the captured body: the same fields, and the same of all that we read.
func TestTheRealMinIOPostsWhatIsCaptured(t *testing.T) {
	t.Parallel()
	posted := make(chan []byte, 1)
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil && len(body) > 0 {
			select {
			case posted <- body:
			default: // told again, which it may be
			}
		}
	}))
	t.Cleanup(webhook.Close)
	store := s3test.MinIO(t, s3test.Webhook{URL: webhook.URL, Token: "t"}).Store(t)
	_, err := store.Put(t.Context(), "uploads/high/"+capturedJob+".pdf", bytes.NewReader([]byte(capturedPDF)), int64(len(capturedPDF)),
		"application/pdf", map[string]string{"Job-Id": capturedJob, "Priority": "high", "Traceparent": trace})
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	select {
	case body = <-posted:
	case <-time.After(time.Minute):
		t.Fatal("MinIO has told nothing for a minute")
	}
	if *update {
		if err := os.WriteFile(captured, body, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, want := fields(t, "", body), fields(t, "", notification(t))
	for name := range want {
		if !got[name] {
			t.Errorf("MinIO no longer sends %s:\n%s", name, body)
		}
	}
	object, err := events.ObjectOf(decodeOne(t, http.Header{"Content-Type": {"application/json"}}, body))
	if err != nil || object != capturedObject(t) {
		t.Errorf("got %+v, %v; want %+v", object, err, capturedObject(t))
	}
}

// fields gives the paths of all values of a JSON text.
func fields(t *testing.T, path string, text json.RawMessage) map[string]bool {
	t.Helper()
	all := make(map[string]bool)
	var object map[string]json.RawMessage
	var list []json.RawMessage
	switch {
	case json.Unmarshal(text, &object) == nil:
		for name, value := range object {
			for field := range fields(t, path+"."+name, value) {
				all[field] = true
			}
		}
	case json.Unmarshal(text, &list) == nil:
		for _, value := range list {
			for field := range fields(t, path+"[]", value) {
				all[field] = true
			}
		}
	default:
		all[path] = true
	}
	return all
}
