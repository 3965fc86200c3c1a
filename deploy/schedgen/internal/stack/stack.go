// Package stack runs the whole system in one process, for one machine and for tests: the functions
// on one port, as a gateway puts them on a platform, over servers of its own (PostgreSQL as a child
// process, S3 and Redis inside the process) or over real ones.
//
// The functions do not know. They speak HTTP, S3, Redis and SQL as everywhere, and are told of
// objects over HTTP, so that what is tested here is what runs elsewhere.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/secret"
)

// Config is how a system is run.
type Config struct {
	Host string // where it listens; empty is this machine only
	Port int    // 0 takes a free one
	Data string // the directory of everything that must survive
	// Addresses of real servers; an empty one means a server of our own under Data.
	Postgres secret.String // postgres://user:password@host:5432/database
	Redis    secret.String // redis://:password@host:6379/0
	S3       secret.String // http://key:secret@host:9000/bucket; the keys may come from S3_ACCESS_KEY and S3_SECRET_KEY

	// Google is FakeGoogle, or empty: the real one, where the settings name a project of it.
	Google string

	// Backups are made daily where there is a public key of age to encrypt them to. With the file of its
	// secret key each is also restored, to verify it.
	BackupRecipients []string
	BackupIdentity   string

	Monitoring *Monitoring // nil: nobody watches it

	SweepEvery time.Duration      // 0 is 15 s
	Settings   envconfig.Lookuper // of the functions, by the names of their Config; nil has none
	Logger     *slog.Logger       // nil is silent
	Progress   io.Writer          // lines for people; nil drops them
}

// withDefaults fills what is not given.
func (c Config) withDefaults() Config {
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.SweepEvery <= 0 {
		c.SweepEvery = 15 * time.Second
	}
	if c.Settings == nil {
		c.Settings = envconfig.MapLookuper(nil)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = io.Discard
	}
	return c
}

// System is a running schedgen.
type System struct {
	cfg        Config
	url        string
	listening  string             // host:port
	google     *fakegoogle.Server // nil without FakeGoogle
	prometheus string             // its address; "" without Monitoring
	failed     chan error
	stops      []func() error // what undoes each step of the start
}

// Start brings everything up, or nothing. It returns when the system answers.
func Start(ctx context.Context, cfg Config) (*System, error) {
	s := &System{cfg: cfg.withDefaults(), failed: make(chan error, 1)}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// start takes the port and the data directory first, and the port before it writes anything: what
// cannot run leaves no files behind, and a second system fails before it touches those of the first.
func (s *System) start(ctx context.Context) error {
	if s.cfg.Port < 0 || s.cfg.Port > 65535 {
		return fmt.Errorf("port %d is not between 0 and 65535", s.cfg.Port)
	}
	public, err := s.listen(ctx, net.JoinHostPort(s.cfg.Host, strconv.Itoa(s.cfg.Port)))
	if err != nil {
		return err
	}
	s.url, s.listening = publicURL(public.Addr()), public.Addr().String()
	data, err := openDataDir(s.cfg.Data)
	if err != nil {
		return err
	}
	s.onStop(data.close)
	known, err := data.secrets()
	if err != nil {
		return err
	}
	if given, _ := s.cfg.Settings.Lookup("EVENT_TOKEN"); given != "" {
		known.EventToken = secret.New(given) // the embedded S3 server sends it as well
	}
	at, err := s.servers(ctx, data, known)
	if err != nil {
		return err
	}
	functions, err := s.functions(ctx, at, known)
	if err != nil {
		return err
	}
	if s.google != nil {
		// It begins empty, and events that are missing must not look as if people had deleted them.
		if err := functions.google.ForgetCalendars(ctx); err != nil {
			return err
		}
	}
	served, err := s.publicServer(ctx)
	if err != nil {
		return err
	}
	s.serve(at, functions, public, served)
	s.schedule(functions)
	if !s.cfg.S3.IsZero() {
		if err := s.subscribe(at); err != nil {
			return err
		}
	}
	if s.cfg.Monitoring != nil {
		return s.monitor(ctx, data, at)
	}
	return nil
}

// URL is the system's address.
func (s *System) URL() string { return s.url }

// Google is the stand-in that the system runs beside itself; nil without one.
func (s *System) Google() *fakegoogle.Server { return s.google }

// Failed gets why the system cannot go on. It must be stopped then as well.
func (s *System) Failed() <-chan error { return s.failed }

// Stop ends everything in order, the newest first: no new requests, those in flight end, then the
// servers do. It waits for all of it.
func (s *System) Stop() error {
	var all []error
	for len(s.stops) > 0 {
		last := len(s.stops) - 1
		all = append(all, s.stops[last]())
		s.stops = s.stops[:last]
	}
	return errors.Join(all...)
}

func (s *System) onStop(f func() error) { s.stops = append(s.stops, f) }

// fail reports the first failure; those that follow from it are in the log.
func (s *System) fail(err error) {
	s.cfg.Logger.Error("the system cannot go on", "error", err.Error())
	select {
	case s.failed <- err:
	default:
	}
}

// logf tells people what takes time.
func (s *System) logf(format string, args ...any) {
	fmt.Fprintf(s.cfg.Progress, format+"\n", args...)
}

// listen opens an address. Who connects before it is served waits.
func (s *System) listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; give another --port", err)
	}
	s.onStop(func() error {
		if err := listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("close %s: %w", listener.Addr(), err)
		}
		return nil
	})
	return listener, nil
}

// publicURL is how people write an address.
func publicURL(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "http://" + address.String()
	}
	if ip := net.ParseIP(host); ip != nil && (ip.IsLoopback() || ip.IsUnspecified()) {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
