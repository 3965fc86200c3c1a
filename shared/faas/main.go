package faas

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing/otlp"
)

// SpareMemory collects this program's garbage twice as often, unless GOGC is set. It is for functions where one request
// may use much of the memory.
func SpareMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// Main runs the function that build makes of its settings in the environment until SIGTERM or SIGINT,
// and ends the process with status 1 if it cannot. A Config gives the function's own defaults, which
// the environment overrides.
func Main[C any, F Function](name string, build func(context.Context, C) (F, error), defaults ...Config) {
	if len(os.Args) == 2 && os.Args[1] == "--version" {
		fmt.Println(name, Build())
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	configured := func(ctx context.Context) (Function, error) {
		var cfg C
		if err := settings.Read(ctx, &cfg); err != nil {
			return nil, err
		}
		return build(ctx, cfg)
	}
	if err := run(ctx, name, configured, os.Stdout, defaults...); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

// run is Main without the process around it.
func run(ctx context.Context, name string, make func(context.Context) (Function, error), out io.Writer, defaults ...Config) error {
	var cfg Config
	if len(defaults) > 0 {
		cfg = defaults[0]
	}
	if err := secretsToEnvironment(secretsDir, name); err != nil {
		return fmt.Errorf("read the secrets: %w", err)
	}
	if err := settings.Read(ctx, &cfg); err != nil {
		return err
	}
	logger := Logger(out, cfg.LogLevel)
	settings.WarnRenamed(logger)
	slog.SetDefault(logger)
	fn, err := make(ctx)
	if err != nil {
		return fmt.Errorf("configure: %w", err)
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort("", cfg.Port))
	if err != nil {
		fn.Close()
		return fmt.Errorf("listen: %w", err)
	}
	return Serve(ctx, name, fn, listener, logger, cfg)
}

// Logger writes slog's JSON lines to out.
func Logger(out io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level}))
}

// Serve serves fn on listener until ctx ends, then drains: it is not ready any more, answers what
// still arrives until nothing has for the drain delay, lets requests in flight end within the drain
// timeout, and closes fn after them.
func Serve(ctx context.Context, name string, fn Function, listener net.Listener, logger *slog.Logger, cfg Config) error {
	s := newServer(name, fn, logger, cfg)
	traces, err := otlp.Open(s.cfg.Traces, name, Build().Version, s.logger, s.metrics.countSpans)
	if err != nil {
		fn.Close()
		return fmt.Errorf("configure the traces: %w", err)
	}
	defer traces.Close() // after what fn still does
	defer fn.Close()
	s.tracer = traces.Tracer()
	defer s.health.wait()
	web := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       s.cfg.RequestTimeout,
		// An answer may begin just before the request's own deadline.
		WriteTimeout:   s.cfg.RequestTimeout + 5*time.Second,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(s.bounded(listener)) }()
	s.logger.Info("listening", "address", listener.Addr().String())
	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	close(s.draining)
	s.logger.Info("draining", "delay", s.cfg.DrainDelay.String())
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.DrainDelay+s.cfg.DrainTimeout)
	defer cancel()
	// Who goes on sending whatever readiness says never lets it be quiet: the last drain delay is for those
	// in flight.
	listening, stop := context.WithTimeout(draining, s.cfg.DrainTimeout)
	defer stop()
	if err := s.quiet(listening, served); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	err = web.Shutdown(draining)
	if err != nil {
		_ = web.Close() // what did not end in time is cut
	}
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	s.logger.Info("stopped")
	return nil
}

// quiet goes on serving until no request has been here for the drain delay, or ctx ends; an error says
// that serving ended before. A fixed time would not do: what waits in queue-proxy comes when a request
// in flight ends, however late that is.
func (s *server) quiet(ctx context.Context, served <-chan error) error {
	began := time.Now()
	for {
		left := s.cfg.DrainDelay - min(s.presence.idle(), time.Since(began))
		if left <= 0 {
			return nil
		}
		timer := time.NewTimer(left)
		select {
		case err := <-served:
			timer.Stop()
			return err
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}
