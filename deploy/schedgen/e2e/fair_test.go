package e2e_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

// reading is a system whose reader takes as long as the test wants: uploads go through the front door, and the local
// store tells of them.
type reading struct {
	t       *testing.T
	url     string
	entered chan string   // whose PDF is begun
	end     chan struct{} // lets one be read
}

// newReading is one whose store is the local one, or a real MinIO, which notifies one by one.
func newReading(t *testing.T, minio bool) *reading {
	t.Helper()
	t.Parallel()
	r := &reading{t: t, entered: make(chan string, 100), end: make(chan struct{})}
	toIngest, toParse := newFront(t), newFront(t)
	var store blob.Config
	if minio {
		store = s3test.MinIO(t, s3test.Webhook{URL: toIngest.URL + "/events/s3", Token: eventToken}).Config()
	} else {
		store = s3test.New(t, s3test.Webhook{URL: toParse.URL, Token: eventToken}).Config()
	}
	database, redis := postgres.Config{URL: secret.New(pgtest.New(t))}, cache.Config{URL: secret.New(redistest.New(t).URL())}
	parse, err := pdfparse.New(t.Context(), pdfparse.Config{Postgres: database, Blob: store, Cache: redis,
		Events: events.Config{Token: secret.New(eventToken)}, Concurrency: 4, Reserve: 1, Rate: 1000, PDFRetention: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(parse.Close)
	parse.Parse = r.parse
	toParse.serve(faas.Wrap("pdf-parse", parse, slog.New(slog.DiscardHandler), faas.Config{RequestTimeout: time.Hour}))
	ingest, err := uploadingest.New(t.Context(), uploadingest.Config{Postgres: database, Blob: store, Cache: redis,
		Events:  events.Config{Targets: []string{toParse.URL}, Token: secret.New(eventToken), Timeout: time.Hour},
		Session: session.Config{Keys: secret.List(sessionKey)}, PriorityToken: secret.New(priorityToken), Guard: ratelimit.Unlimited})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ingest.Close)
	proxies := []faas.Network{{Prefix: netip.MustParsePrefix("127.0.0.0/8")}}
	toIngest.serve(faas.Wrap("upload-ingest", ingest, slog.New(slog.DiscardHandler), faas.Config{TrustedProxies: proxies, RequestTimeout: time.Hour}))
	r.url = toIngest.URL
	t.Cleanup(func() { close(r.end) }) // before the servers close, which wait for what is read
	return r
}

// front is a server whose address is known before what it serves.
type front struct {
	*httptest.Server
	handler chan http.Handler
}

func newFront(t *testing.T) *front {
	f := &front{handler: make(chan http.Handler, 1)}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case handler := <-f.handler:
			f.handler <- handler
			handler.ServeHTTP(w, r)
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *front) serve(h http.Handler) { f.handler <- h }

func (r *reading) parse(ctx context.Context, pdf []byte) (timetable.Document, error) {
	r.entered <- strings.TrimPrefix(string(pdf), "%PDF-")
	select {
	case <-r.end:
	case <-ctx.Done():
	}
	return timetable.Document{Kind: timetable.Lecture}, ctx.Err()
}

// begun is whose PDF is begun next.
func (r *reading) begun() string {
	r.t.Helper()
	select {
	case who := <-r.entered:
		return who
	case <-time.After(patience):
		r.t.Fatal("no PDF was begun")
		return ""
	}
}

// browser is a caller that keeps its cookies.
func (r *reading) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// upload stores a PDF, and does not wait until it is read.
func (r *reading) upload(client *http.Client, who, address, priority string, headers ...string) {
	r.t.Helper()
	contentType, body := form([]byte("%PDF-"+who), "priority", priority)
	request, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+"/api/upload", body)
	if err != nil {
		r.t.Fatal(err)
	}
	headers = append(headers, "Content-Type", contentType, "Prefer", "wait=0", "X-Forwarded-For", address)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if got, err := send(client, request); err != nil || got.StatusCode != http.StatusAccepted {
		r.t.Fatalf("upload: %v, %v %.300s", err, got.Response, got.body)
	}
}

// flood uploads more slow PDFs than there are slots and deliverers, and waits until as many are begun as may be.
func (r *reading) flood(client *http.Client, address, priority string) {
	r.t.Helper()
	for range 40 {
		r.upload(client, "flood", address, priority)
	}
	slots := 3
	if priority == "low" {
		slots = 2
	}
	for range slots {
		r.begun()
	}
}

const home, elsewhere = "192.0.2.1", "2001:db8::1"

// Whoever sends however many slow PDFs, with whatever priority: another student's is among the next two to be begun.
func TestNobodyWaitsForAFlood(t *testing.T) {
	for _, priority := range []string{"high", "normal", "low"} {
		for name, address := range map[string]string{"one session": home, "one address": elsewhere} {
			t.Run(priority+" from "+name, func(t *testing.T) {
				r := newReading(t, false)
				client := http.DefaultClient // without cookies: each upload has an owner of its own
				if address == home {
					client = r.browser()
				}
				r.flood(client, home, priority)
				r.upload(http.DefaultClient, "student", address, "normal")
				if priority == "low" {
					if got := r.begun(); got != "student" {
						t.Errorf("got %s in a slot that is free, want the student", got)
					}
					return
				}
				for range 2 {
					r.end <- struct{}{}
					if r.begun() == "student" {
						return
					}
				}
				t.Error("the student's PDF is not among the next two")
			})
		}
	}
}

// The same where the store tells of one upload after the other.
func TestNobodyWaitsForAFloodThroughMinIO(t *testing.T) {
	r := newReading(t, true)
	r.flood(r.browser(), home, "normal")
	r.upload(http.DefaultClient, "student", elsewhere, "normal")
	for range 2 {
		r.end <- struct{}{}
		if r.begun() == "student" {
			return
		}
	}
	t.Error("the student's PDF is not among the next two")
}

// High priority is for those who have the token: whoever only asks for it takes no slot that is kept for them.
func TestHighPriorityIsForHoldersOfTheToken(t *testing.T) {
	r := newReading(t, false)
	r.flood(r.browser(), home, "high")
	r.upload(http.DefaultClient, "operator", home, "high", "Priority-Token", priorityToken)
	if got := r.begun(); got != "operator" {
		t.Errorf("got %s, want the operator", got)
	}
	// When all slots are taken, too, high is the next.
	r.upload(http.DefaultClient, "operator", home, "high", "Priority-Token", priorityToken)
	r.end <- struct{}{}
	if got := r.begun(); got != "operator" {
		t.Errorf("got %s, want the operator", got)
	}
}
