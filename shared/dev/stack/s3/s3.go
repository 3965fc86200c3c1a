// Package s3 is an S3 server in this process, for one machine and for tests: objects are files that survive a crash,
// requests must be signed (AWS Signature Version 4), and each stored object is announced to a webhook at least once,
// with the body that MinIO would post.
//
// gofakes3 speaks the protocol. What it leaves to others is here, in about 800 lines: a backend (files.go, buckets.go),
// signatures (auth.go), and notifications (notify.go), which it does not have. Its own backends do not replace ours
// (version 1.2.0): s3afero never calls fsync and truncates an object in place, so that a crash leaves half of one;
// s3bolt is durable, and keeps each object as one value, so that it holds every object of a page in memory to list it
// and its file never shrinks; s3mem forgets everything.
package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"

	"github.com/schedgen/schedgen/shared/diskspace"
	"github.com/schedgen/schedgen/shared/secret"
)

// Config is how the server runs.
type Config struct {
	Addr      string // where to listen; empty is a free port of 127.0.0.1
	AccessKey string
	SecretKey secret.String
	// Webhook gets a POST for each object stored, until it answers 2xx; empty means nobody is told.
	Webhook string
	Token   secret.String   // sent to the webhook as a Bearer token
	Room    *diskspace.Room // for objects: beyond it they are refused as MinIO does; nil is without an end
	// Fast gives up surviving a crash of the machine for speed: for tests only.
	Fast   bool
	Logger *slog.Logger // nil is silent
}

// Server is a running S3 server.
type Server struct {
	web      *http.Server
	listener net.Listener
	notifier *notifier // nil without a webhook
	unused   unused
	served   chan error
	stop     sync.Once
	stopErr  error
}

// Start serves the objects under dir, which is made if needed and no other process may use. Notifications that were
// not delivered before are delivered now, and what a killed process left half done is removed.
func Start(dir string, cfg Config) (*Server, error) {
	if cfg.AccessKey == "" || cfg.SecretKey.IsZero() {
		return nil, errors.New("start the embedded S3 server: it needs an access key and a secret key")
	}
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := openFiles(filepath.Join(dir, "objects"), cfg.Fast)
	if err != nil {
		return nil, fmt.Errorf("start the embedded S3 server: %w", err)
	}
	if err := files.removeLeftovers(); err != nil {
		cfg.Logger.Warn("what a killed process left was not removed", "error", err.Error())
	}
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("start the embedded S3 server: %w", err)
	}
	s := &Server{listener: listener, served: make(chan error, 1)}
	if cfg.Webhook != "" {
		s.notifier, err = startNotifier(filepath.Join(dir, "notifications"), cfg)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start the embedded S3 server: %w", err), listener.Close())
		}
		files.stored = s.notifier.stored
	}
	// The skew that gofakes3 allows is checked by authenticate, with the signature.
	fake := gofakes3.New(files, gofakes3.WithTimeSkewLimit(0), gofakes3.WithLogger(gofakes3.DiscardLog()))
	s.web = &http.Server{
		Handler:           authenticate(reserving(fake.Server(), cfg.Room), cfg.AccessKey, cfg.SecretKey.Reveal(), time.Now),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       5 * time.Minute,
		WriteTimeout:      5 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}
	s.web.ConnState = s.unused.note
	go func() { s.served <- s.web.Serve(listener) }()
	return s, nil
}

// URL is the address for S3_URL.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// Addr is where it listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Stop ends requests and deliveries, and waits for them. What was not delivered stays queued.
func (s *Server) Stop() error {
	s.stop.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		s.unused.close()
		if err := s.web.Shutdown(ctx); err != nil {
			s.stopErr = errors.Join(err, s.web.Close())
		}
		if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
			s.stopErr = errors.Join(s.stopErr, err)
		}
		if s.notifier != nil {
			s.notifier.close()
		}
	})
	return s.stopErr
}
