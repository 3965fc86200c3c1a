// Package s3test gives a test an S3 server of its own: the embedded one, which is started in some
// milliseconds, or the real MinIO.
package s3test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/stack/s3"
	"github.com/schedgen/schedgen/shared/secret"
)

// The keys of every test's server.
const (
	AccessKey = "schedgen"
	SecretKey = "schedgen-secret"
)

// Server is a running S3 server.
type Server struct {
	URL   string
	start func() error // of MinIO, again
	stop  func() error
}

// Config is how package blob reaches the server.
func (s *Server) Config() blob.Config {
	return blob.Config{URL: s.URL, Bucket: "schedgen-pdfs", AccessKey: AccessKey, SecretKey: secret.New(SecretKey), Timeout: 10 * time.Second}
}

// Stop ends the server before the test does.
func (s *Server) Stop() error { return s.stop() }

// Start starts MinIO again after Stop, on the same address and objects.
func (s *Server) Start() error { return s.start() }

// Store is an open store on the server.
func (s *Server) Store(t testing.TB) *blob.Store {
	t.Helper()
	store, err := blob.Open(s.Config())
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	return store
}

// Webhook is who is told of stored objects.
type Webhook struct{ URL, Token string }

// New starts the embedded server, gone after the test.
func New(t testing.TB, webhook ...Webhook) *Server {
	t.Helper()
	return NewAt(t, t.TempDir(), "", webhook...)
}

// NewAt is New with the data in dir and on addr, for tests that stop it and start it again.
func NewAt(t testing.TB, dir, addr string, webhook ...Webhook) *Server {
	t.Helper()
	cfg := s3.Config{Addr: addr, AccessKey: AccessKey, SecretKey: secret.New(SecretKey), Fast: true}
	if len(webhook) > 0 {
		cfg.Webhook, cfg.Token = webhook[0].URL, secret.New(webhook[0].Token)
	}
	server, err := s3.Start(dir, cfg)
	if err != nil {
		t.Fatalf("start the S3 server: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop the S3 server: %v", err)
		}
	})
	return &Server{URL: server.URL(), stop: server.Stop}
}

// MinIO starts the real server with its webhook, if one is given, for all objects of the bucket of
// Config. It is gone after the test.
func MinIO(t testing.TB, webhook ...Webhook) *Server {
	t.Helper()
	program := os.Getenv("SCHEDGEN_TEST_MINIO")
	if program == "" {
		t.Skip("needs the MinIO server: run `make setup` and then `make test`, or set SCHEDGEN_TEST_MINIO to its program")
	}
	dir, addr := t.TempDir(), freeAddr(t)
	env := []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "MINIO_ROOT_USER=" + AccessKey, "MINIO_ROOT_PASSWORD=" + SecretKey,
		"MINIO_BROWSER=off", "MINIO_UPDATE=off", "GOMAXPROCS=2"}
	if len(webhook) > 0 {
		env = append(env, "MINIO_NOTIFY_WEBHOOK_ENABLE_schedgen=on", "MINIO_NOTIFY_WEBHOOK_ENDPOINT_schedgen="+webhook[0].URL,
			"MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_schedgen="+webhook[0].Token,
			"MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_schedgen="+filepath.Join(dir, "queue"))
	}
	spec := process.Spec{Path: program, Dir: dir, Env: env, Log: filepath.Join(dir, "minio.log"),
		Args: []string{"server", filepath.Join(dir, "data"), "--address", addr, "--console-address", "127.0.0.1:0", "--quiet"}, Death: syscall.SIGTERM}
	server := &Server{URL: "http://" + addr}
	var child *process.Process
	server.stop = func() error { return child.Stop(10 * time.Second) }
	server.start = func() (err error) {
		if child, err = process.Start(spec); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return child.Ready(ctx, server.serves)
	}
	if err := server.start(); err != nil {
		t.Fatalf("start MinIO: %v", err)
	}
	t.Cleanup(func() {
		if err := server.stop(); err != nil {
			t.Errorf("stop MinIO: %v", err)
		}
	})
	if len(webhook) > 0 {
		// MinIO answers before it knows its webhooks.
		store := server.Store(t)
		subscribe := func(ctx context.Context) error { return store.Notify(ctx, "arn:minio:sqs::schedgen:webhook") }
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := child.Ready(ctx, subscribe); err != nil {
			t.Fatalf("subscribe the webhook: %v", err)
		}
	}
	return server
}

// serves asks MinIO for an object that is not there. Its own health check says yes before it serves.
func (s *Server) serves(ctx context.Context) error {
	store, err := blob.Open(s.Config())
	if err != nil {
		return err
	}
	if _, err := store.Stat(ctx, "none"); !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	return nil
}

// freeAddr is an address that nobody listens on now.
func freeAddr(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		t.Fatalf("free the port: %v", err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}
