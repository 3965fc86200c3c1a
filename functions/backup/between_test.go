package backup_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/secret"
)

// between stands between the function and the S3 server: it sees each request first, and may answer
// it instead of the server.
type between struct {
	*httptest.Server
	mu   sync.Mutex
	look func(w http.ResponseWriter, r *http.Request) (answered bool)
}

func (w *world) between() *between {
	w.t.Helper()
	target, err := url.Parse(w.s3.URL)
	if err != nil {
		w.t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(target); r.Out.Host = r.In.Host }, // the signature covers the host
		ErrorLog: nil,
	}
	b := &between{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		look := b.look
		b.mu.Unlock()
		if look == nil || !look(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	w.t.Cleanup(b.Close)
	return b
}

func (b *between) set(look func(http.ResponseWriter, *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.look = look
}

// through sends the function's backup bucket through b.
func through(b *between) func(*backup.Config) {
	return func(c *backup.Config) {
		c.Bucket = backup.Target{URL: b.URL, AccessKey: c.Blob.AccessKey, SecretKey: c.Blob.SecretKey}
	}
}

// pdfsThrough sends its bucket of PDFs through b, and its backups with them unless they are in a bucket elsewhere.
func pdfsThrough(b *between) func(*backup.Config) {
	return func(c *backup.Config) { c.Blob.URL = b.URL }
}

// readyWhenPDFsGo looks at what passes a between: no PDF may be deleted while a restore has not ended, for the tables that
// come back may list it.
func (w *world) readyWhenPDFsGo(_ http.ResponseWriter, r *http.Request) (answered bool) {
	if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/uploads/") {
		if err := w.pool.Ping(context.Background()); err != nil {
			w.t.Errorf("a PDF is deleted before the restore has ended: %v", err)
		}
	}
	return false
}

// isPart says that a request stores a part of a dump.
func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/runs/") && strings.Contains(r.URL.Path, "/dump.")
}

// people get alerts by a webhook.
type people struct {
	mu   sync.Mutex
	told []string
	URL  string
}

func somebody(t testing.TB) *people {
	p := &people{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.told = append(p.told, string(text))
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func (p *people) alerts(c *backup.Config) { c.Alert.Webhook = secret.New(p.URL) }

// heard fails the test unless the alerts are these, in order, each by a part of its text.
func (p *people) heard(t testing.TB, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.told) != len(want) {
		t.Errorf("people were told %d things: %q\nwant %d: %q", len(p.told), p.told, len(want), want)
		return
	}
	for i, part := range want {
		if !strings.Contains(p.told[i], part) {
			t.Errorf("alert %d: got %q, want %q in it", i+1, p.told[i], part)
		}
	}
}

// onlyWhole fails the test unless the backups are these many, and each can be verified.
func onlyWhole(t testing.TB, f *backup.Function, want int) {
	t.Helper()
	list, err := f.List(t.Context(), false)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	if len(list.Backups) != want {
		t.Errorf("there are %d backups, want %d", len(list.Backups), want)
	}
	for _, b := range list.Backups {
		if _, err := f.Verify(t.Context(), b.ID, false); err != nil {
			t.Errorf("verify %s: %v", b.ID, err)
		}
	}
}

// leftovers are keys of runs that are no backups.
func leftovers(t testing.TB, w *world) (keys []string) {
	t.Helper()
	whole := map[string]bool{}
	list, err := w.function().List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list.Backups {
		whole[b.ID] = true
	}
	err = w.backups().List(t.Context(), "runs/", func(i blob.Info) error {
		if id := strings.Split(i.Key, "/")[1]; !whole[id] {
			keys = append(keys, i.Key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// TestAVerificationReadsEachManifestOnce: a long list is slow to read.
func TestAVerificationReadsEachManifestOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(through(b))
	w.backup(f)
	m := w.backup(f)
	var reads atomic.Int32
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
			reads.Add(1)
		}
		return false
	})
	if _, err := f.Verify(t.Context(), m.ID, false); err != nil {
		t.Fatal(err)
	}
	if n := reads.Load(); n != 2 {
		t.Errorf("a verification read %d manifests, want each of the two backups once", n)
	}
	if _, err := f.Verify(t.Context(), "20260209T020000Z-nosuch11", false); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}
