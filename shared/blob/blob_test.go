package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestAnObjectFromPutToDelete(t *testing.T) {
	t.Parallel()
	store := s3test.New(t).Store(t)
	ctx := t.Context()
	if err := store.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	meta := map[string]string{"Job-Id": "1", "Priority": "high"}
	put, err := store.Put(ctx, "uploads/high/1.pdf", strings.NewReader("text"), 4, "application/pdf", meta)
	if err != nil || put.Size != 4 {
		t.Fatalf("put: got %+v, %v", put, err)
	}
	body, info, err := store.Get(ctx, put.Key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(body)
	if err != nil || string(text) != "text" || info.Meta["Priority"] != "high" || info.ETag != put.ETag {
		t.Errorf("got %q, %+v, %v", text, info, err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := store.Delete(ctx, put.Key); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	if _, _, err := store.Get(ctx, put.Key); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("get: got %v, want ErrNotFound", err)
	}
	if _, err := store.Stat(ctx, put.Key); !errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrNoBucket) {
		t.Errorf("stat: got %v, want ErrNotFound", err)
	}
}

func TestWithoutABucketThereIsNothing(t *testing.T) {
	t.Parallel()
	store := s3test.New(t).Store(t)
	_, _, err := store.Get(t.Context(), "x")
	if !errors.Is(err, blob.ErrNotFound) || !errors.Is(err, blob.ErrNoBucket) || api.From(err).Code != api.StorageUnavailable {
		t.Errorf("get: got %v, want ErrNotFound and ErrNoBucket, which is an outage", err)
	}
	if err := store.Delete(t.Context(), "x"); err != nil {
		t.Errorf("delete: got %v", err)
	}
}

func TestAServerThatIsAwayIsAnOutage(t *testing.T) {
	t.Parallel()
	server := s3test.New(t)
	store := server.Store(t)
	if _, err := store.Put(t.Context(), "x", strings.NewReader("x"), 1, "", nil); err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"ready":  func() error { return store.Ready(ctx) },
		"put":    func() error { _, err := store.Put(ctx, "x", strings.NewReader("x"), 1, "", nil); return err },
		"get":    func() error { _, _, err := store.Get(ctx, "x"); return err },
		"stat":   func() error { _, err := store.Stat(ctx, "x"); return err },
		"delete": func() error { return store.Delete(ctx, "x") },
		"notify": func() error { return store.Notify(ctx, "arn:minio:sqs::x:webhook") },
	} {
		err := call()
		var down *blob.DownError
		if !errors.As(err, &down) || api.From(err).Code != api.StorageUnavailable {
			t.Errorf("%s: got %v, want an outage", name, err)
		}
	}
}

func TestAServerThatHangsOrFailsIsAnOutage(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"fails": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
	} {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		store, err := blob.Open(blob.Config{URL: server.URL, AccessKey: "a", SecretKey: secret.New("b"), Timeout: 200 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		var down *blob.DownError
		if _, err := store.Put(t.Context(), "x", strings.NewReader("x"), 1, "", nil); !errors.As(err, &down) {
			t.Errorf("%s: got %v, want an outage", name, err)
		}
	}
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error) { return 0, b.error }

func TestABodyThatBreaksIsTheCallers(t *testing.T) {
	t.Parallel()
	store := s3test.New(t).Store(t)
	gone := &http.MaxBytesError{Limit: 3}
	for name, body := range map[string]io.Reader{"stream": broken{gone}, "file": struct {
		io.Reader
		io.Seeker
	}{broken{gone}, bytes.NewReader(nil)}} {
		_, err := store.Put(t.Context(), "x", body, 10, "", nil)
		if api.From(err).Code != api.PayloadTooLarge {
			t.Errorf("%s: got %v, want the body's error", name, err)
		}
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := store.Stat(canceled, "x"); !errors.Is(err, context.Canceled) || api.From(err).Code != api.ClientClosed {
		t.Errorf("canceled: got %v", err)
	}
}

func TestTheAddressIsChecked(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "host:9000", "ftp://host", "http://"} {
		if _, err := blob.Open(blob.Config{URL: address, AccessKey: "a", SecretKey: secret.New("b")}); err == nil {
			t.Errorf("%q is taken for an address", address)
		}
	}
	store := s3test.New(t).Store(t)
	if err := store.Notify(t.Context(), "junk"); err == nil {
		t.Error("junk is taken for an ARN")
	}
}
