package events_test

import (
	"bytes"
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
)

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func sample(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile("testdata/minio-object-created.json")
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

// checkSample expects the event and the object of the captured notification.
func checkSample(t *testing.T, e event.Event) {
	t.Helper()
	if e.Type() != events.TypeObjectCreated || e.Source() != "minio:s3..schedgen-pdfs" || e.Subject() != "uploads/a b/é+1.pdf" ||
		!strings.HasPrefix(e.ID(), "18EAC824637B7BB4.") || e.Extensions()["priority"] != "high" || e.Extensions()["traceparent"] != trace {
		t.Errorf("got event %v", e)
	}
	if want := time.Date(2026, 11, 23, 20, 57, 40, 78e6, time.UTC); !e.Time().Equal(want) {
		t.Errorf("got time %v, want %v", e.Time(), want)
	}
	object, err := events.ObjectOf(e)
	want := events.Object{Bucket: "schedgen-pdfs", Key: "uploads/a b/é+1.pdf", JobID: "0192", Priority: "high",
		Traceparent: trace, Size: 4168, ETag: "c438a4eb1132d04ed7f172be6addcff9"}
	if err != nil || object != want {
		t.Errorf("got %+v, %v; want %+v", object, err, want)
	}
}

func TestARawNotificationInEachForm(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, http.Header{"Content-Type": {"application/json"}}, sample(t))
	checkSample(t, e)

	binary := http.Header{}
	events.Encode(binary, e)
	if got := binary.Get("Ce-Subject"); got != "uploads/a%20b/%C3%A9+1.pdf" {
		t.Errorf("the subject's header: got %q", got)
	}
	checkSample(t, decodeOne(t, binary, e.Data()))

	body, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	checkSample(t, decodeOne(t, http.Header{"Content-Type": {"application/cloudevents+json; charset=utf-8"}}, body))
	checkSample(t, decodeOne(t, http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, []byte("["+string(body)+"]")))
}

func TestANotificationOfSeveralRecords(t *testing.T) {
	t.Parallel()
	var whole map[string]any
	if err := json.Unmarshal(sample(t), &whole); err != nil {
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
	want := events.Object{Bucket: "schedgen-pdfs", Key: "uploads/low/é +.pdf", JobID: "0193", Priority: "low", Traceparent: trace, Size: 5}
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
	} {
		if all, err := events.Decode(c.header, []byte(c.body)); !errors.Is(err, events.ErrInvalid) {
			t.Errorf("%v %q: got %v, %v; want ErrInvalid", c.header, c.body, all, err)
		}
	}
	deleted := decodeOne(t, nil, bytes.ReplaceAll(sample(t), []byte("ObjectCreated:Put"), []byte("ObjectRemoved:Delete")))
	if _, err := events.ObjectOf(deleted); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("a deletion: got %v, want ErrInvalid", err)
	}
}

func TestTheParsedEvent(t *testing.T) {
	t.Parallel()
	want := events.Parsed{JobID: "0192", Owner: "me", Kind: "exam", Entries: 5, Traceparent: trace}
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
	if _, err := events.ParsedOf(decodeOne(t, nil, sample(t))); !errors.Is(err, events.ErrInvalid) {
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
	p := publisher(t, events.Config{Sink: url, Targets: []string{other}, Token: "s", Retries: 3})
	if err := p.Publish(t.Context(), decodeOne(t, nil, sample(t))); err != nil {
		t.Fatal(err)
	}
	if count.Load() != 3 || otherCount.Load() != 1 {
		t.Errorf("got %d and %d requests, want 3 and 1", count.Load(), otherCount.Load())
	}
	header, body := last()
	if header.Get("Authorization") != "Bearer s" || header.Get("Traceparent") != trace {
		t.Errorf("got header %v", header)
	}
	checkSample(t, decodeOne(t, header, body))
}

func TestPublishGivesUp(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, nil, sample(t))
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
	raw := sample(f)
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
