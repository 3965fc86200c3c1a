package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/events"
)

// two is a notification with the captured record and a second one.
func two(t testing.TB, second string) []byte {
	t.Helper()
	var n struct{ Records []json.RawMessage }
	if err := json.Unmarshal(notification(t), &n); err != nil {
		t.Fatal(err)
	}
	return fmt.Appendf(nil, `{"Records":[%s,%s]}`, second, n.Records[0])
}

func TestABadRecordTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	structured, err := json.Marshal(decodeOne(t, nil, notification(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
	}{
		"a record of junk": {nil, two(t, `{"s3":7}`)},
		"no object at all": {nil, two(t, `{}`)},
		"batch":            {http.Header{"Content-Type": {"application/cloudevents-batch+json"}}, fmt.Appendf(nil, `[{"id":""},%s]`, structured)},
	} {
		items := events.Each(c.header, c.body)
		if len(items) != 2 {
			t.Fatalf("%s: got %d items, want 2", name, len(items))
		}
		if !errors.Is(items[0].Err, events.ErrInvalid) || bytes.Contains(items[0].Raw, []byte("schedgen-pdfs")) {
			t.Errorf("%s: got %v of %s, want the bad one alone", name, items[0].Err, items[0].Raw)
		}
		if items[1].Err != nil {
			t.Errorf("%s: the good one: got %v", name, items[1].Err)
		}
		checkCaptured(t, items[1].Event)
		if all, err := events.Decode(c.header, c.body); err == nil {
			t.Errorf("%s: all of them were decoded: %v", name, all)
		}
	}
}

func TestWhatWasKeptIsReadAgain(t *testing.T) {
	t.Parallel()
	e := decodeOne(t, nil, notification(t))
	header := http.Header{}
	events.Encode(header, e) // an event whose attributes are not in its body
	for name, items := range map[string][]events.Item{
		"notification": events.Each(nil, notification(t)), "binary": events.Each(header, e.Data()),
	} {
		again, err := events.Reread(items[0].Raw)
		if err != nil || len(again) != 1 {
			t.Fatalf("%s: got %v, %v", name, again, err)
		}
		checkCaptured(t, again[0])
	}
	if _, err := events.Reread([]byte(`"text"`)); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("a text: got %v, want ErrInvalid", err)
	}
}

func TestRefusedIsWhatAllReceiversRefuse(t *testing.T) {
	t.Parallel()
	answering := func(status int) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(server.Close)
		return server.URL
	}
	refusing, away, taking := answering(400), answering(503), answering(202)
	for name, c := range map[string]struct {
		targets []string
		want    bool
	}{
		"one refuses":               {[]string{refusing, taking}, true},
		"one is away":               {[]string{away, taking}, false},
		"one refuses, one is away":  {[]string{refusing, away}, false},
		"all take it":               {[]string{taking}, false},
		"all refuse, in whose name": {[]string{refusing, refusing}, true},
	} {
		p, err := events.NewPublisher(events.Config{Targets: c.targets, Timeout: time.Minute, Retries: 0})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Publish(t.Context(), decodeOne(t, nil, notification(t))); events.Refused(err) != c.want {
			t.Errorf("%s: got refused = %v of %v", name, !c.want, err)
		}
	}
}

// FuzzEach feeds what may come from anywhere: it must be an event or an ErrInvalid, and what is kept
// of an event must be the event.
func FuzzEach(f *testing.F) {
	body := notification(f)
	f.Add("", "application/json", body)
	f.Add("1.0", "application/json", body)
	f.Add("", "application/cloudevents+json", []byte(`{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"e30="}`))
	f.Add("", "application/cloudevents-batch+json", []byte(`[{"specversion":"0.3","id":"1","type":"t","source":"s"}]`))
	f.Fuzz(func(t *testing.T, version, contentType string, body []byte) {
		header := http.Header{"Content-Type": {contentType}, "Ce-Id": {"1"}, "Ce-Type": {events.TypeObjectCreated}, "Ce-Source": {"s"},
			"Ce-Subject": {string(body[:min(len(body), 40)])}, "Ce-Priority": {contentType}}
		if version != "" {
			header.Set("Ce-Specversion", version)
		}
		for _, item := range events.Each(header, body) {
			if item.Err != nil {
				if !errors.Is(item.Err, events.ErrInvalid) {
					t.Errorf("got %v, want an ErrInvalid", item.Err)
				}
				continue
			}
			object, err := events.ObjectOf(item.Event)
			if err != nil && !errors.Is(err, events.ErrInvalid) {
				t.Errorf("object: got %v, want an ErrInvalid", err)
			}
			if _, err := events.ParsedOf(item.Event); err != nil && !errors.Is(err, events.ErrInvalid) {
				t.Errorf("parsed: got %v, want an ErrInvalid", err)
			}
			again, err := events.Reread(item.Raw)
			if err != nil || len(again) != 1 {
				t.Fatalf("what was kept, %q: got %v, %v", item.Raw, again, err)
			}
			if kept, err := events.ObjectOf(again[0]); err == nil && kept != object {
				t.Errorf("what was kept: got %+v, want %+v", kept, object)
			}
		}
	})
}
