package events_test

import (
	"bytes"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/tracing"
)

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

// notification is the captured body.
func notification(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile(captured)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func decodeOne(t *testing.T, header http.Header, body []byte) event.Event {
	t.Helper()
	all, err := events.Decode(header, body)
	if err != nil || len(all) != 1 {
		t.Fatalf("decode %.200s: got %d events, %v", body, len(all), err)
	}
	return all[0]
}

// capturedObject is the object that the captured notification tells of.
func capturedObject(t testing.TB) events.Object {
	t.Helper()
	return events.Object{
		Bucket: "schedgen-pdfs", Key: "uploads/high/" + capturedJob + ".pdf", JobID: capturedJob, Priority: "high",
		Cause: tracing.Cause{Traceparent: trace}, Size: int64(len(capturedPDF)), ETag: fmt.Sprintf("%x", md5.Sum([]byte(capturedPDF))),
	}
}

// checkCaptured expects the event and the object of the captured notification.
func checkCaptured(t *testing.T, e event.Event) {
	t.Helper()
	var raw struct {
		Records []struct {
			EventTime        time.Time
			ResponseElements map[string]string
			S3               struct{ Object struct{ Sequencer string } }
		}
	}
	if err := json.Unmarshal(notification(t), &raw); err != nil || len(raw.Records) != 1 {
		t.Fatalf("read %s: %v, %d records", captured, err, len(raw.Records))
	}
	want := raw.Records[0]
	id := want.ResponseElements["x-amz-request-id"] + "." + want.ResponseElements["x-amz-id-2"] + "." + want.S3.Object.Sequencer
	if e.Type() != events.TypeObjectCreated || e.Source() != "minio:s3..schedgen-pdfs" || e.Subject() != capturedObject(t).Key ||
		e.ID() != id || e.Extensions()["priority"] != "high" || e.Extensions()["traceparent"] != trace {
		t.Errorf("got event %v, want id %s", e, id)
	}
	if want.EventTime.IsZero() || !e.Time().Equal(want.EventTime) {
		t.Errorf("got time %v, want %v", e.Time(), want.EventTime)
	}
	if object, err := events.ObjectOf(e); err != nil || object != capturedObject(t) {
		t.Errorf("got %+v, %v; want %+v", object, err, capturedObject(t))
	}
}

// TestKeysComeURLEncoded: a record's key is encoded as a query is, with + for a space.
func TestKeysComeURLEncoded(t *testing.T) {
	t.Parallel()
	encoded := []byte("uploads%2Fhigh%2F" + capturedJob + ".pdf")
	if !bytes.Contains(notification(t), encoded) {
		t.Fatalf("the captured notification does not hold %s", encoded)
	}
	e := decodeOne(t, nil, bytes.ReplaceAll(notification(t), encoded, []byte("uploads%2Fone+two%2F%C3%BC%2B2.pdf")))
	if object, err := events.ObjectOf(e); err != nil || object.Key != "uploads/one two/ü+2.pdf" {
		t.Errorf("got %+v, %v", object, err)
	}
	header := http.Header{}
	events.Encode(header, e)
	if got := header.Get("Ce-Subject"); got != "uploads/one%20two/%C3%BC+2.pdf" {
		t.Errorf("the subject's header: got %q", got)
	}
	if got := decodeOne(t, header, e.Data()).Subject(); got != "uploads/one two/ü+2.pdf" {
		t.Errorf("the subject is read back as %q", got)
	}
}

func TestARawNotificationInEachForm(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, http.Header{"Content-Type": {"application/json"}}, notification(t))
	checkCaptured(t, e)

	binary := http.Header{}
	events.Encode(binary, e)
	checkCaptured(t, decodeOne(t, binary, e.Data()))

	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	checkCaptured(t, decodeOne(t, http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}, body))
	checkCaptured(t, decodeOne(t, http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, []byte("["+string(body)+"]")))
}

func TestANotificationOfSeveralRecords(t *testing.T) {
	t.Parallel()
	var whole map[string]any
	if err := json.Unmarshal(notification(t), &whole); err != nil {
		t.Fatal(err)
	}
	records := whole["Records"].([]any)
	whole["Records"] = append(records, records[0])
	body, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := events.Decode(nil, body); err != nil || len(all) != 2 {
		t.Errorf("got %d, %v; want 2", len(all), err)
	}
}

func TestTheSweepsEventReadsAsTheStorages(t *testing.T) {
	t.Parallel()
	want := events.Object{Bucket: "schedgen-pdfs", Key: "uploads/low/é +.pdf", JobID: "0193", Priority: "low", Cause: tracing.Cause{Traceparent: trace, RequestID: "upload-1"}, Size: 5}
	e, err := events.NewObject(want, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	got, err := events.ObjectOf(e)
	if err != nil || got != want || e.Type() != events.TypeObjectCreated {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestTheJobsIDComesFromTheKeyWithoutMetadata(t *testing.T) {
	t.Parallel()
	body := `{"Records":[{"eventName":"s3:ObjectCreated:CompleteMultipartUpload","s3":{"bucket":{"name":"b"},"object":{"key":"uploads/high/0194.pdf"}}}]}`
	object, err := events.ObjectOf(decodeOne(t, nil, []byte(body)))
	if err != nil || object.JobID != "0194" {
		t.Errorf("got %+v, %v", object, err)
	}
}

func TestWhatIsNoEventIsInvalid(t *testing.T) {
	t.Parallel()
	binary := http.Header{"Ce-Specversion": {"1.0"}}
	structured := http.Header{"Content-Type": {"application/cloudevents+json"}}
	for _, c := range []struct {
		header http.Header
		body   string
	}{
		{nil, ""}, {nil, "{}"}, {nil, "null"}, {nil, `{"Records":[{}]}`}, {nil, `{"Records":[1]}`},
		{nil, `{"Records":[{"eventName":"x","s3":{"bucket":{"name":"b"},"object":{"key":"%zz"}}}]}`},
		{binary, "{}"}, {http.Header{"Ce-Specversion": {"9"}, "Ce-Id": {"1"}}, "{}"},
		{http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Type": {"t"}, "Ce-Source": {"/s"}, "Ce-Time": {"today"}}, "{}"},
		{structured, ""}, {structured, "{}"}, {structured, `{"specversion":"1.0","id":"1"}`},
		{http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, `[{}]`},
		{http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, `{}`},
		{nil, `{"Records":[{"eventName":"x","s3":{"bucket":{"name":"b"},"object":{"key":"a%00"}}}]}`},
		{http.Header{"Ce-Specversion": {"1.0"}, "Ce-Id": {"1"}, "Ce-Type": {"t"}, "Ce-Source": {"/s"}, "Ce-Subject": {"a%00"}}, "{}"},
		// What would cost much, or cannot be kept in a database.
		{nil, `{"Records":[` + strings.Repeat("0,", 100_000) + `0]}`},
		{nil, `{"Records":[` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `]}`},
		{nil, `{"Records":[{"eventName":"x","s3":{"bucket":{"name":"b"},"object":{"key":"a\u0000"}}}]}`},
		{http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, `[` + strings.Repeat("{},", 100_000) + `{}]`},
		{structured, `{"specversion":"1.0","id":"\u0000","type":"t","source":"/s"}`},
	} {
		if all, err := events.Decode(c.header, []byte(c.body)); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%v %q: got %v, %v; want ErrInvalid", c.header, c.body, all, err)
		}
	}
	deleted := decodeOne(t, nil, bytes.ReplaceAll(notification(t), []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete")))
	if _, err := events.ObjectOf(deleted); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("a deletion: got %v, want ErrInvalid", err)
	}
}

func TestTheParsedEvent(t *testing.T) {
	t.Parallel()
	want := events.Parsed{JobID: "0192", Owner: "me", Kind: "exam", Entries: 5, Cause: tracing.Cause{Traceparent: trace, RequestID: "upload-1"}}
	e, err := events.NewParsed(want, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	events.Encode(header, e)
	got, err := events.ParsedOf(decodeOne(t, header, e.Data()))
	if err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := events.ParsedOf(decodeOne(t, nil, notification(t))); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("of another type: got %v", err)
	}
}

// receiver answers with the statuses in turn, then 202.
func receiver(t *testing.T, statuses ...int) (url string, count *atomic.Int32, last func() (http.Header, []byte)) {
	t.Helper()
	count = new(atomic.Int32)
	var mu sync.Mutex
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(count.Add(1))
		mu.Lock()
		defer mu.Unlock()
		header = r.Header
		body, _ = io.ReadAll(r.Body)
		if n <= len(statuses) {
			w.WriteHeader(statuses[n-1])
			return
		}
		w.WriteHeader(http.StatusAccepted)
	}))
	t.Cleanup(server.Close)
	return server.URL, count, func() (http.Header, []byte) {
		mu.Lock()
		defer mu.Unlock()
		return header, body
	}
}

func publisher(t *testing.T, cfg events.Config) *events.Publisher {
	t.Helper()
	p, err := events.NewPublisher(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func TestPublishTriesAgainWhatMayPass(t *testing.T) {
	t.Parallel()
	url, count, last := receiver(t, 503, 429)
	other, otherCount, _ := receiver(t)
	p := publisher(t, events.Config{Sink: url, Targets: []string{other}, Token: secret.New("s"), Retries: 3})
	if err := p.Publish(t.Context(), decodeOne(t, nil, notification(t))); err != nil {
		t.Fatal(err)
	}
	if count.Load() != 3 || otherCount.Load() != 1 {
		t.Errorf("got %d and %d requests, want 3 and 1", count.Load(), otherCount.Load())
	}
	header, body := last()
	if header.Get("Authorization") != "Bearer s" || header.Get("Traceparent") != trace {
		t.Errorf("got header %v", header)
	}
	checkCaptured(t, decodeOne(t, header, body))
}

func TestPublishGivesUp(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, nil, notification(t))
	refusing, count, _ := receiver(t, 400, 400)
	err := publisher(t, events.Config{Sink: refusing, Retries: 3}).Publish(t.Context(), e)
	var refused *events.RefusedError
	if !errors.As(err, &refused) || refused.Status != 400 || count.Load() != 1 {
		t.Errorf("refused: got %v after %d requests", err, count.Load())
	}
	err = publisher(t, events.Config{Sink: "http://user:secret@127.0.0.1:1/?token=secret", Retries: 1}).Publish(t.Context(), e)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody there: got %v", err)
	}
	busy, _, _ := receiver(t, 503, 503, 503, 503, 503, 503, 503, 503, 503, 503)
	if err := publisher(t, events.Config{Sink: busy, Retries: 9, Timeout: 50 * time.Millisecond}).Publish(t.Context(), e); err == nil {
		t.Error("a receiver that is never free: got no error")
	}
	if err := publisher(t, events.Config{}).Publish(t.Context(), event.New()); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("no event: got %v", err)
	}
}

func TestTargetsAreChecked(t *testing.T) {
	t.Parallel()
	if p := publisher(t, events.Config{}); p.Enabled() {
		t.Error("a publisher without targets says that it is enabled")
	}
	for _, target := range []string{"broker", "ftp://x", "http://"} {
		if _, err := events.NewPublisher(events.Config{Sink: target}); err == nil {
			t.Errorf("%q is taken for an address", target)
		}
	}
}

func FuzzDecode(f *testing.F) {
	raw := notification(f)
	f.Add("application/json", "", raw)
	f.Add("application/cloudevents+json", "", []byte(`{"specversion":"1.0","id":"1","type":"t","source":"/s","data":{}}`))
	f.Add("application/json", "1.0", raw)
	f.Fuzz(func(t *testing.T, contentType, version string, body []byte) {
		header := http.Header{"Content-Type": {contentType}}
		if version != "" {
			header.Set("Ce-Specversion", version)
			header.Set("Ce-Id", "1")
			header.Set("Ce-Type", events.TypeObjectCreated)
			header.Set("Ce-Source", "/s")
			header.Set("Ce-Subject", contentType)
		}
		all, err := events.Decode(header, body)
		if err != nil && !errors.Is(err, events.ErrInvalid) {
			t.Fatalf("got %v, want ErrInvalid", err)
		}
		for _, e := range all {
			if object, err := events.ObjectOf(e); err == nil && object.Key == "" {
				t.Fatalf("an object without a key: %s", fmt.Sprint(e))
			}
		}
	})
}
