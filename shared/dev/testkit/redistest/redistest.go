// Package redistest gives a test a real redis-server of its own, which it may stop and start. It
// takes some milliseconds to start, so sharing one is not worth the care for keys.
package redistest

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
)

// Server is a redis-server.
type Server struct {
	t       testing.TB
	program string
	dir     string
	port    int

	mu      sync.Mutex
	process *process.Process
}

// New starts a redis-server that is gone after the test.
func New(t testing.TB) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("needs redis-server: run `make setup`, or apt-get install redis-server")
	}
	s := &Server{t: t, program: program, dir: t.TempDir(), port: freePort(t)}
	s.Start()
	t.Cleanup(s.Stop)
	return s
}

// Addr is where it listens, also while it is stopped.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the address for REDIS_URL.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Start starts the server again after Stop; it is empty then.
func (s *Server) Start() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	child, err := process.Start(process.Spec{Path: s.program, Dir: s.dir, Log: filepath.Join(s.dir, "redis.log"),
		Args:  []string{"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.dir},
		Death: syscall.SIGTERM})
	if err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
	s.process = child
	client := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1})
	defer client.Close() // only asked
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := child.Ready(ctx, func(ctx context.Context) error { return client.Ping(ctx).Err() }); err != nil {
		s.t.Fatalf("start redis-server: %v", err)
	}
}

// Stop ends the server.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.Stop(10 * time.Second); err != nil {
		s.t.Errorf("stop redis-server: %v", err)
	}
}

// freePort is a port that nobody listens on now.
func freePort(t testing.TB) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer listener.Close() // another will listen there
	return listener.Addr().(*net.TCPAddr).Port
}
