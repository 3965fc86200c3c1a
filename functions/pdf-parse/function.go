// Package pdfparse turns a stored PDF into timetable entries in PostgreSQL. It receives
// events about objects, which are hints: the job in the database says whether there is anything to do, and a claim
// on it makes this the only worker that does it.
//
// Every answer below 300 says that the event needs nobody any more; any other, that it should come
// again: 429 when too much is going on or the job's next attempt is not due, 503 when something is
// away or the attempt failed. An event that is given up all the same loses nothing: the sweep of
// upload-ingest finds its job.
package pdfparse

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Config is everything the function needs.
type Config struct {
	Postgres postgres.Config
	Blob     blob.Config
	Cache    cache.Config
	Limits   jobs.Limits
	Sandbox  sandbox.Limits
	Readers  sandbox.Stay
	// Events go to the broker or to EVENT_TARGETS when a timetable was read. Events that come must carry EVENT_TOKEN, too.
	Events events.Config
	// Paths of events and tasks that need no token, for callers that cannot send one: Knative's broker and PingSource,
	// OpenFaaS' cron-connector. Open a path only if it cannot be reached from outside.
	OpenPaths []string `env:"OPEN_PATHS"`

	Concurrency int `env:"PARSE_CONCURRENCY, default=4"`            // PDFs read at once
	Reserve     int `env:"PARSE_RESERVE, default=1" zero:"allowed"` // of these, kept for high priority; low leaves as many again
	// How long an event waits where no slot is free for its priority, until it is told to come again. Its job is read
	// meanwhile if its turn comes. 0 where the platform itself limits the requests of an instance (Knative, OpenFaaS):
	// those that wait would keep out others of a higher priority.
	Wait         time.Duration `env:"PARSE_WAIT, default=0s" zero:"allowed"`
	Rate         int           `env:"PARSE_RATE, default=10"`                       // jobs a second, of all instances together
	Burst        int           `env:"PARSE_BURST, default=100"`                     // jobs at once, after a quiet time
	RateReserve  int           `env:"PARSE_RATE_RESERVE, default=2" zero:"allowed"` // jobs a second, kept for high priority
	Lease        time.Duration `env:"JOB_LEASE, default=30s"`                       // renewed three times as often
	PDFRetention time.Duration `env:"PDF_RETENTION, default=24h" zero:"allowed"`    // 0 deletes a PDF as soon as it is read
}

// Function reads PDFs.
type Function struct {
	// Parse reads one PDF; a *parse.Error of it is final, any other error is worth another attempt.
	// New sets it to the sandboxed parser.
	Parse func(ctx context.Context, pdf []byte) (timetable.Document, error)

	cfg      Config
	pool     *postgres.Pool
	jobs     *jobs.Store
	blob     *blob.Store
	cache    *cache.Cache
	parsed   *events.Publisher
	rate     *ratelimit.Limiter
	rateWait rateWait
	slots    *slots
	readers  *sandbox.Readers
	metrics  *metrics
}

// New checks cfg and connects nothing: connections open with the first request. It has a reader started meanwhile.
func New(_ context.Context, cfg Config) (*Function, error) {
	cfg = settings.WithDefaults(cfg)
	store, err := blob.Open(cfg.Blob)
	if err != nil {
		return nil, err
	}
	parsed, err := events.NewPublisher(cfg.Events)
	if err != nil {
		return nil, err
	}
	redis, err := cache.Open(cfg.Cache)
	if err != nil {
		return nil, err
	}
	pool, err := postgres.Open(cfg.Postgres)
	if err != nil {
		return nil, errors.Join(err, redis.Close())
	}
	f := &Function{
		cfg: cfg, pool: pool, jobs: jobs.NewStore(pool).WithLimits(cfg.Limits), blob: store, cache: redis, parsed: parsed,
		rate:  ratelimit.New(redis, "pdf-parse", ratelimit.Config{PerSecond: cfg.Rate, Burst: cfg.Burst, Reserve: cfg.RateReserve}),
		slots: newSlots(cfg.Concurrency, cfg.Reserve), metrics: newMetrics(),
	}
	f.readers = sandbox.NewReaders(cfg.Sandbox, cfg.Readers, cfg.Concurrency)
	f.readers.Ended = func(reason string) { f.metrics.readers.WithLabelValues(reason).Inc() }
	f.readers.Prepare()
	f.Parse = f.readers.Parse
	return f, nil
}

// Routes is the function's whole HTTP surface: events at its root.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /{$}", api.Authorized(faas.EventHandler(f.Handle), f.cfg.OpenPaths, f.cfg.Events.Token))
	return api.Mux(mux)
}

// Dependencies are what the function cannot work without, Redis, and which controls hold the process that reads PDFs.
func (f *Function) Dependencies() map[string]faas.Check {
	checks := map[string]faas.Check{"postgres": f.pool.Ping, "redis": faas.OptionalCheck(f.cache.Ping), "s3": f.blob.Ready}
	maps.Copy(checks, Confinement())
	return checks
}

// Confinement is the health of each control that holds the process that reads PDFs. An old kernel does
// not offer all of them; PDFs are read there, but with less between a hostile one and the machine.
func Confinement() map[string]faas.Check {
	checks := map[string]faas.Check{}
	for name, err := range sandbox.Controls() {
		checks["sandbox-"+name] = faas.Known(faas.Optional(err))
	}
	return checks
}

// Close ends the connections and the readers.
func (f *Function) Close() {
	f.readers.Close()
	f.pool.Close()
	f.parsed.Close()
	_ = f.cache.Close() // nothing there is worth an error at the end
}
