package s3_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/s3"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/secret"
)

func body(t *testing.T, size int) []byte {
	t.Helper()
	b := make([]byte, size)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, store *blob.Store, key string) []byte {
	t.Helper()
	r, _, err := store.Get(t.Context(), key)
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("read %s: %v", key, err)
	}
	return got
}

func TestObjectsOfEverySizeAndKeyComeBack(t *testing.T) {
	t.Parallel()
	store := s3test.New(t).Store(t)
	for key, size := range map[string]int{"empty": 0, "uploads/low/a b/é+1.pdf": 4168, "uploads/high/x%2Fy.pdf": 1, "long/" + strings.Repeat("k", 600): 70000, "big": 12 << 20} {
		want := body(t, size)
		for name, given := range map[string]int64{"known": int64(size), "unknown": -1} {
			if size == 0 && given < 0 {
				continue // gofakes3 takes no empty part; nobody uploads an empty PDF
			}
			if _, err := store.Put(t.Context(), key, bytes.NewReader(want), given, "application/pdf", map[string]string{"Job-Id": "42"}); err != nil {
				t.Fatalf("put %q, %s size: %v", key, name, err)
			}
			if got := read(t, store, key); !bytes.Equal(got, want) {
				t.Errorf("%.30q, %s size: got %d other bytes, want %d", key, name, len(got), len(want))
			}
			info, err := store.Stat(t.Context(), key)
			if err != nil || info.Size != int64(size) || info.Meta["Job-Id"] != "42" {
				t.Errorf("stat %.30q: got %+v, %v", key, info, err)
			}
		}
	}
}

func TestWrongKeysAreRefused(t *testing.T) {
	t.Parallel()
	server := s3test.New(t)
	for name, change := range map[string]func(*blob.Config){
		"secret": func(c *blob.Config) { c.SecretKey = secret.New("wrong-wrong") },
		"access": func(c *blob.Config) { c.AccessKey = "somebody" },
	} {
		cfg := server.Config()
		change(&cfg)
		store, err := blob.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Ready(t.Context()); err == nil {
			t.Errorf("wrong %s: the server let it in", name)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		request, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/schedgen-pdfs/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s without a signature: got %d, want 403", method, response.StatusCode)
		}
	}
}

func TestObjectsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := s3test.NewAt(t, dir, "")
	if _, err := first.Store(t).Put(t.Context(), "uploads/a.pdf", strings.NewReader("one"), 3, "", nil); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := s3test.NewAt(t, dir, "").Store(t)
	if got := read(t, second, "uploads/a.pdf"); string(got) != "one" {
		t.Errorf("got %q, want %q", got, "one")
	}
	for range 2 {
		if err := second.Delete(t.Context(), "uploads/a.pdf"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, err := second.Stat(t.Context(), "uploads/a.pdf"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("after the deletion: got %v, want ErrNotFound", err)
	}
}

func TestAnUploadThatBreaksLeavesNothing(t *testing.T) {
	t.Parallel()
	server := s3test.New(t)
	store := server.Store(t)
	broken := errors.New("the caller went away")
	_, err := store.Put(t.Context(), "uploads/a.pdf", io.MultiReader(strings.NewReader("half"), failing{broken}), 1000, "", nil)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
	if _, err := store.Stat(t.Context(), "uploads/a.pdf"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// hook is a webhook that refuses the first requests.
func hook(t *testing.T, refuse int64) (s3test.Webhook, <-chan []byte) {
	t.Helper()
	taken := make(chan []byte, 100)
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Authorization") != "Bearer token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if seen.Add(1) <= refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken <- text
	}))
	t.Cleanup(server.Close)
	return s3test.Webhook{URL: server.URL, Token: "token"}, taken
}

// told waits for one notification.
func told(t *testing.T, taken <-chan []byte) events.Object {
	t.Helper()
	select {
	case text := <-taken:
		all, err := events.Notification(text)
		if err != nil || len(all) != 1 {
			t.Fatalf("notification %s: got %d events, %v", text, len(all), err)
		}
		object, err := events.ObjectOf(all[0])
		if err != nil {
			t.Fatal(err)
		}
		return object
	case <-time.After(20 * time.Second):
		t.Fatal("no notification came")
		panic("unreachable")
	}
}

var meta = map[string]string{"Job-Id": "0192", "Priority": "high", "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}

func TestTheWebhookIsToldUntilItTakesIt(t *testing.T) {
	t.Parallel()
	webhook, taken := hook(t, 3)
	store := s3test.New(t, webhook).Store(t)
	key := "uploads/a b/é+1.pdf"
	if _, err := store.Put(t.Context(), key, strings.NewReader("pdf"), 3, "application/pdf", meta); err != nil {
		t.Fatal(err)
	}
	got := told(t, taken)
	if got.Key != key || got.JobID != "0192" || got.Priority != "high" || got.Traceparent != meta["Traceparent"] || got.Size != 3 {
		t.Errorf("got %+v", got)
	}
}

func TestNotificationsSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := s3test.NewAt(t, dir, "", s3test.Webhook{URL: "http://127.0.0.1:1/"})
	if _, err := first.Store(t).Put(t.Context(), "uploads/a.pdf", strings.NewReader("pdf"), 3, "", meta); err != nil {
		t.Fatal(err)
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	webhook, taken := hook(t, 0)
	s3test.NewAt(t, dir, "", webhook)
	if got := told(t, taken); got.Key != "uploads/a.pdf" {
		t.Errorf("got %+v", got)
	}
}

func TestTheRealMinIOTellsTheSame(t *testing.T) {
	t.Parallel()
	webhook, taken := hook(t, 0)
	server := s3test.MinIO(t, webhook)
	store := server.Store(t)
	key := "uploads/a b/é+1.pdf"
	if _, err := store.Put(t.Context(), key, strings.NewReader("pdf"), 3, "application/pdf", meta); err != nil {
		t.Fatal(err)
	}
	got := told(t, taken)
	if got.Key != key || got.JobID != "0192" || got.Priority != "high" || got.Traceparent != meta["Traceparent"] || got.Size != 3 {
		t.Errorf("got %+v", got)
	}
	if text := read(t, store, key); string(text) != "pdf" {
		t.Errorf("got %q", text)
	}
	if _, err := store.Put(t.Context(), "other", io.MultiReader(strings.NewReader("x")), -1, "", nil); err != nil {
		t.Errorf("put with unknown size: %v", err)
	}
}

func TestStopDoesNotWaitForConnectionsWithoutARequest(t *testing.T) {
	t.Parallel()
	server, err := s3.Start(t.TempDir(), s3.Config{AccessKey: "access", SecretKey: secret.New("secret-secret")})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // the server did before
	if err := server.Stop(); err != nil {
		t.Errorf("stop: got %v, want no error", err)
	}
	if n, err := conn.Read(make([]byte, 1)); err == nil {
		t.Errorf("the connection: got %d bytes, want it closed", n)
	}
}

// However many notifications a webhook refuses, it is told of a new object at once.
func TestRefusedNotificationsHoldNoneUp(t *testing.T) {
	t.Parallel()
	taken := make(chan struct{}, 1)
	var refused atomic.Int64
	const flood = 100
	full := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err == nil && bytes.Contains(text, []byte("uploads%2Fnormal")) {
			taken <- struct{}{}
			return
		}
		if refused.Add(1) == flood {
			close(full)
		}
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	t.Cleanup(server.Close)
	store := s3test.New(t, s3test.Webhook{URL: server.URL, Token: "token"}).Store(t)
	put := func(key string) {
		if _, err := store.Put(t.Context(), key, strings.NewReader("pdf"), 3, "application/pdf", nil); err != nil {
			t.Fatal(err)
		}
	}
	for i := range flood {
		put(fmt.Sprintf("uploads/low/%d.pdf", i))
	}
	within(t, full, "all of the flood was tried")
	put("uploads/normal/1.pdf")
	within(t, taken, "the other was told of")
}

// within ends a wait that would last for ever.
func within[T any](t *testing.T, c <-chan T, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Fatalf("it never came to this: %s", what)
	}
}

// A webhook that works on many notifications at once is told of others meanwhile.
func TestManyAreDeliveredAtOnce(t *testing.T) {
	t.Parallel()
	entered, open := make(chan struct{}, 100), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-open
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(open) })
	store := s3test.New(t, s3test.Webhook{URL: server.URL, Token: "token"}).Store(t)
	for i := range 16 {
		if _, err := store.Put(t.Context(), fmt.Sprint("uploads/low/", i), strings.NewReader("pdf"), 3, "", nil); err != nil {
			t.Fatal(err)
		}
		within(t, entered, "one more is worked on")
	}
}
