// Package faas is the only package that knows Knative and OpenFaaS. It runs a Function as an HTTP
// server that keeps both platforms' contracts:
//
//	$PORT                    where it listens
//	/health, /_/health       liveness: 200 as long as the process serves, with its dependencies as JSON
//	/ready, /_/ready         200, or 503 while draining or while a dependency that is needed is away
//	/metrics                 Prometheus
//	SIGTERM                  not ready any more; what still arrives is answered until nothing has for
//	                         a while, then requests in flight end, and the process does
//	NAME --version           which build this is, and no more
//	/var/openfaas/secrets    OpenFaaS gives secrets as files: schedgen-session-key is SESSION_KEY
//
// Everything else goes to the Function's Routes, with a request id, a W3C trace context, a deadline,
// a limit on the body and on the requests in flight, one JSON log line, and a panic turned into a 500.
package faas

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing/otlp"
)

// Function is what a function's package makes and this package runs.
type Function interface {
	// Routes is the function's whole HTTP surface.
	Routes() http.Handler
	// Dependencies are the checks of what the function depends on, by name. They run at the same time.
	Dependencies() map[string]Check
	// Close frees what New made, after the last request.
	Close()
}

// Check asks a dependency whether it works; nil means that it does. It respects ctx, whose deadline is short. An error
// made by Optional degrades the function and leaves it ready.
type Check func(ctx context.Context) error

// Collector is a Function that has metrics of its own.
type Collector interface {
	Collectors() []prometheus.Collector
}

// Config is how a function is served.
type Config struct {
	Port           string        `env:"PORT, overwrite, default=8080"`                  // where it listens
	LogLevel       slog.Level    `env:"LOG_LEVEL, overwrite, default=info"`             // the least that is logged
	Concurrency    int           `env:"FUNCTION_CONCURRENCY, overwrite, default=100"`   // requests in flight; more get 429; each function has its own default (deploy/scaling.json)
	RequestTimeout time.Duration `env:"FUNCTION_TIMEOUT, overwrite, default=1m"`        // one request, reading and answering; each function has its own default (deploy/scaling.json)
	MaxBody        int64         `env:"FUNCTION_MAX_BODY, overwrite, default=16777216"` // bytes of a request's body
	DrainTimeout   time.Duration `env:"FUNCTION_DRAIN_TIMEOUT, overwrite"`              // for requests in flight at the end; defaults to FUNCTION_TIMEOUT
	// Addresses and networks of proxies whose X-Forwarded-For is believed: 10.0.0.0/8, ... Without any, a proxy is a
	// client like others.
	TrustedProxies []Network `env:"TRUSTED_PROXIES, overwrite"`
	// Requests of one address at once; more get 429. By default three quarters of FUNCTION_CONCURRENCY where
	// TRUSTED_PROXIES tell addresses apart, else no limit.
	PerAddress int `env:"FUNCTION_PER_ADDRESS, overwrite"`
	// A body of which no byte comes for so long is given up.
	BodyStall time.Duration `env:"FUNCTION_BODY_STALL, overwrite, default=10s"`
	// After SIGTERM requests are still taken until none has been here for so long, for a platform goes on
	// sending them: Knative what still waits in its proxy, of-watchdog all for its healthcheck_interval.
	// Zero for `schedgen up`, which nothing stands in front of.
	DrainDelay    time.Duration `env:"FUNCTION_DRAIN_DELAY, overwrite"`
	HealthTimeout time.Duration `env:"FUNCTION_HEALTH_TIMEOUT, overwrite, default=1s"`   // for asking all dependencies
	ProbePatience time.Duration `env:"FUNCTION_PROBE_PATIENCE, overwrite, default=15ms"` // of a probe, for their answer
	Traces        otlp.Config
	// The path that POST / means, such as /tasks/sweep: OpenFaaS' cron-connector can call nothing else.
	TaskPath string `env:"FUNCTION_TASK_PATH, overwrite"`
}

// withDefaults fills what is not given: from the tags, and from other fields.
func withDefaults(c Config) Config {
	c = settings.WithDefaults(c)
	if c.PerAddress <= 0 && len(c.TrustedProxies) > 0 {
		c.PerAddress = max(1, c.Concurrency*3/4)
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = c.RequestTimeout
	}
	return c
}

// optional marks the error of a dependency that the function can do without.
type optional struct{ error }

func (o optional) Unwrap() error { return o.error }

// Optional marks err, of a dependency without which the function is slower and not wrong.
func Optional(err error) error {
	if err == nil {
		return nil
	}
	return optional{err}
}

// OptionalCheck is check of a dependency without which the function is slower and not wrong.
func OptionalCheck(check Check) Check {
	return func(ctx context.Context) error { return Optional(check(ctx)) }
}

// Known is the Check of a dependency whose state is known without asking.
func Known(err error) Check { return func(context.Context) error { return err } }

// IsOptional says that err was marked by Optional.
func IsOptional(err error) bool {
	var o optional
	return errors.As(err, &o)
}

// Wrap is fn behind everything that this package adds, for a process that serves several functions
// and for tests. At most one Config changes the defaults; its Port is not used.
func Wrap(name string, fn Function, logger *slog.Logger, cfg ...Config) http.Handler {
	return newServer(name, fn, logger, cfg...)
}
