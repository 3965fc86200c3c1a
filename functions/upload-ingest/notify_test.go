package uploadingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/secret"
)

// admin is a call of an operator's.
func (w *world) admin(method, path string, args ...any) functest.Answer {
	w.Helper()
	return w.do(w.client, method, fmt.Sprintf(path, args...), nil, "Authorization", "Bearer "+adminToken)
}

func (w *world) letters() []jobs.DeadLetter {
	w.Helper()
	return functest.Read[struct{ DeadLetters []jobs.DeadLetter }](w.admin("GET", "/api/admin/dead-letters").Want(200)).DeadLetters
}

// notify posts a notification as the object store does.
func (w *world) notify(body []byte, headers ...string) functest.Answer {
	w.Helper()
	return w.do(w.client, "POST", "/events/s3", bytes.NewReader(body), append(headers, "Content-Type", "application/json", "Authorization", "Bearer "+eventToken)...)
}

// capturedJob is the job of the notification that was captured from the real MinIO.
const capturedJob = "01942c86-7f0a-7c4e-9d35-2b61f0c8a4e7"

// record is a record of a real MinIO's notification, of the job.
func record(t *testing.T, id string) json.RawMessage {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", "shared", "events", "testdata", "minio-put.json"))
	if err != nil {
		t.Fatal(err)
	}
	var n struct{ Records []json.RawMessage }
	if err := json.Unmarshal(body, &n); err != nil || len(n.Records) != 1 {
		t.Fatalf("read the sample: %v", err)
	}
	text := strings.ReplaceAll(string(n.Records[0]), capturedJob, id)
	return json.RawMessage(strings.ReplaceAll(text, "uploads%2Fhigh%2F", "uploads%2Fnormal%2F"))
}

func notification(records ...json.RawMessage) []byte {
	body, err := json.Marshal(map[string][]json.RawMessage{"Records": records})
	if err != nil {
		panic(err) // the records are JSON
	}
	return body
}

func TestANotificationIsHandedOn(t *testing.T) {
	w := newWorld(t, silent)
	ids := w.waiting(2)
	body := notification(record(t, ids[0]), record(t, ids[1]))
	for range 3 { // it may come again
		if got := functest.Read[eventCounts](w.notify(body).Want(200)); got != (eventCounts{Events: 2}) {
			t.Errorf("got %+v", got)
		}
	}
	if !w.completed(ids) || w.sql("delete from entries") != 4 {
		t.Error("the jobs have not exactly one set of entries each")
	}
	w.notify(nil).Want(204) // an object store that tries the address
}

func TestOneBadRecordIsPutAsideAlone(t *testing.T) {
	w := newWorld(t, silent)
	id := w.waiting(1)[0]
	bad := json.RawMessage(`{"eventName":"s3:ObjectCreated:Put"}`)
	foreign := json.RawMessage(strings.ReplaceAll(strings.ReplaceAll(string(record(t, id)), id, "notes"), "uploads", "other"))
	removed := json.RawMessage(strings.ReplaceAll(string(record(t, id)), "ObjectCreated:Put", "ObjectRemoved:Delete"))
	if got := functest.Read[eventCounts](w.notify(notification(bad, foreign, removed, record(t, id))).Want(200)); got != (eventCounts{Events: 1, DeadLetters: 3}) {
		t.Errorf("got %+v", got)
	}
	if got := w.find(id); got.Status != jobs.Completed {
		t.Errorf("the good one: got %s", got.Status)
	}
	letters := w.letters()
	if len(letters) != 3 || letters[0].Source != "/events/s3" || letters[0].Reason == "" {
		t.Fatalf("got %+v", letters)
	}
	for _, letter := range letters {
		if n := bytes.Count(letter.Event, []byte("eventName")); n > 1 {
			t.Errorf("the letter %s holds %d records, want the bad one alone", letter.Event, n)
		}
	}
	junk := w.do(http.DefaultClient, "POST", "/events/s3", strings.NewReader("junk"), "Authorization", "Bearer "+eventToken)
	if got := functest.Read[eventCounts](junk.Want(200)); got != (eventCounts{DeadLetters: 1}) {
		t.Errorf("junk: got %+v", got)
	}
	if got := metric(w, `schedgen_dead_letters_total{source="/events/s3"}`); got != "4" {
		t.Errorf("counted %s, want 4", got)
	}
}

// What is stored at an upload's key is that upload, whatever its metadata says.
func TestJunkInMetadataLosesNoUpload(t *testing.T) {
	w := newWorld(t, silent)
	id := w.waiting(1)[0]
	junk := strings.ReplaceAll(string(record(t, id)), `Job-Id":"`+id+`"`, `Job-Id":"junk"`)
	if got := functest.Read[eventCounts](w.notify(notification(json.RawMessage(junk))).Want(200)); got != (eventCounts{Events: 1}) {
		t.Errorf("got %+v, want it handed on", got)
	}
	if got := w.find(id); got.Status != jobs.Completed {
		t.Errorf("the job: got %s, want %s", got.Status, jobs.Completed)
	}
}

// Events are small: what is larger is not read, and not kept.
func TestLongEventsAreRefused(t *testing.T) {
	w := newWorld(t, silent)
	for _, path := range []string{"/events/s3", "/events/dead-letter"} {
		body := strings.NewReader(`{"pad":"` + strings.Repeat("x", 1<<20) + `"}`)
		w.do(w.client, "POST", path, body, "Content-Type", "application/json", "Authorization", "Bearer "+eventToken).Refused(413, api.PayloadTooLarge)
	}
	if letters := w.letters(); len(letters) != 0 {
		t.Errorf("%d letters are kept, want none", len(letters))
	}
}

func TestANotificationThatNobodyTakes(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Events.Retries = 0 }))
	id := w.waiting(1)[0]
	w.reader.set(func(r *reader) { r.status = http.StatusServiceUnavailable })
	if a := w.notify(notification(record(t, id))); a.Refused(503, api.Unavailable).Error == "" || len(w.letters()) != 0 {
		t.Errorf("for now: got %s", a.Body)
	}
	w.reader.set(func(r *reader) { r.status = http.StatusUnprocessableEntity })
	if got := functest.Read[eventCounts](w.notify(notification(record(t, id))).Want(200)); got != (eventCounts{DeadLetters: 1}) {
		t.Errorf("for good: got %+v, want it aside, for it would hold up all after it", got)
	}
	if letters := w.letters(); len(letters) != 1 || letters[0].JobID != id {
		t.Errorf("got %+v", letters)
	}
	nobody := newWorldBeside(w, func(c *Config) { c.Events.Targets = nil })
	nobody.notify(notification(record(t, id))).Refused(503, api.Unavailable)
}

func TestWhoMayNotify(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/events/s3", "/events/dead-letter"} {
		for _, token := range []string{"", "Bearer x", "Bearer " + adminToken} {
			w.do(w.client, "POST", path, strings.NewReader("{}"), "Content-Type", "application/json", "Authorization", token).Refused(401, api.Unauthorized)
		}
	}
	for _, c := range []struct{ method, path string }{
		{"GET", "/api/admin/dead-letters"}, {"DELETE", "/api/admin/dead-letters/1"}, {"POST", "/api/admin/dead-letters/1/replay"},
	} {
		w.do(w.client, c.method, c.path, nil, "Authorization", "Bearer "+eventToken).Refused(401, api.Unauthorized)
	}
	closed := newWorldBeside(w, func(c *Config) { c.AdminToken, c.Events.Token = secret.String{}, secret.String{} })
	closed.do(closed.client, "GET", "/api/admin/dead-letters", nil, "Authorization", "Bearer ").Refused(401, api.Unauthorized)
	closed.do(closed.client, "POST", "/events/s3", strings.NewReader("{}"), "Content-Type", "application/json", "Authorization", "Bearer ").Refused(401, api.Unauthorized)
}

func TestABrokersDeadLetterIsReplayed(t *testing.T) {
	w := newWorld(t, silent)
	id := w.waiting(1)[0]
	list, err := events.Notification(notification(record(t, id)))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	events.Encode(header, list[0])
	pairs := []string{"Ce-Knativeerrorcode", "503", "Ce-Knativeerrordest", "http://pdf-parse", "Authorization", "Bearer " + eventToken}
	for name, values := range header {
		pairs = append(pairs, name, values[0])
	}
	a := w.do(w.client, "POST", "/events/dead-letter", bytes.NewReader(list[0].Data()), pairs...).Want(202)
	if got := functest.Read[eventCounts](a); got != (eventCounts{DeadLetters: 1}) {
		t.Errorf("got %+v", got)
	}
	letters := w.letters()
	if len(letters) != 1 || letters[0].JobID != id || letters[0].Source != "broker" || !strings.Contains(letters[0].Reason, "code 503") || !strings.Contains(letters[0].Reason, "http://pdf-parse") {
		t.Fatalf("got %+v", letters)
	}
	if got := functest.Read[eventCounts](w.admin("POST", "/api/admin/dead-letters/%d/replay", letters[0].ID).Want(200)); got.Events != 1 {
		t.Errorf("got %+v", got)
	}
	if w.find(id).Status != jobs.Completed || len(w.letters()) != 0 {
		t.Errorf("after the replay: got %s and %d letters", w.find(id).Status, len(w.letters()))
	}
}

func TestDeadLettersOfAnySort(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.Events.Retries = 0 }))
	w.do(w.client, "POST", "/events/dead-letter", strings.NewReader(`{"a":"\u0000"}`), "Content-Type", "application/json", "Authorization", "Bearer "+eventToken).Want(202)
	letters := w.letters()
	if len(letters) != 1 {
		t.Fatalf("got %+v", letters)
	}
	id := letters[0].ID
	w.admin("POST", "/api/admin/dead-letters/%d/replay", id).Refused(400, api.InvalidEvent)
	w.admin("DELETE", "/api/admin/dead-letters/%d", id).Want(204)
	w.admin("DELETE", "/api/admin/dead-letters/%d", id).Refused(404, api.NotFound)
	w.admin("POST", "/api/admin/dead-letters/%d/replay", id).Refused(404, api.NotFound)
	w.admin("DELETE", "/api/admin/dead-letters/junk").Refused(404, api.NotFound)
	for _, query := range []string{"limit=0", "limit=-1", "limit=1001", "limit=x", "before=0", "before=-1", "before=x", "before=9223372036854775808"} {
		w.admin("GET", "/api/admin/dead-letters?%s", query).Refused(400, api.ValidationFailed)
	}
	for _, letter := range []jobs.DeadLetter{{Source: "a", Reason: "a", Event: notification(record(t, "018f4d6e-0000-7000-8000-000000000000"))}, {Source: "b", Reason: "b", Event: []byte("{}")}} {
		if _, err := w.f.jobs.KeepDeadLetter(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	if got := functest.Read[struct{ DeadLetters []jobs.DeadLetter }](w.admin("GET", "/api/admin/dead-letters?limit=1").Want(200)).DeadLetters; len(got) != 1 || got[0].Source != "b" {
		t.Errorf("got %+v, want the newest alone", got)
	}
	if got := functest.Read[struct{ DeadLetters []jobs.DeadLetter }](w.admin("GET", "/api/admin/dead-letters?before=%d", w.letters()[0].ID).Want(200)).DeadLetters; len(got) != 1 || got[0].Source != "a" {
		t.Errorf("got %+v, want what is older than the newest", got)
	}
	if got := functest.Read[struct{ DeadLetters []jobs.DeadLetter }](w.admin("GET", "/api/admin/dead-letters?before=%d", w.letters()[1].ID).Want(200)).DeadLetters; len(got) != 0 {
		t.Errorf("got %+v, want nothing older than the oldest", got)
	}
	// What nobody takes now stays.
	w.reader.set(func(r *reader) { r.status = http.StatusServiceUnavailable })
	w.admin("POST", "/api/admin/dead-letters/%d/replay", w.letters()[1].ID).Refused(503, api.Unavailable)
	nobody := newWorldBeside(w, func(c *Config) { c.Events.Targets = nil })
	nobody.admin("POST", "/api/admin/dead-letters/%d/replay", w.letters()[1].ID).Refused(503, api.Unavailable)
	if len(w.letters()) != 2 {
		t.Errorf("got %d letters, want both", len(w.letters()))
	}
}
