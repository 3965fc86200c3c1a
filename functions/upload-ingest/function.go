// Package uploadingest accepts uploads and answers for their jobs: POST /api/upload, /api/jobs, notifications of the
// object store, and dead letters. Package sweep finds what no event will ever finish.
//
// The job's row is written before the object, so a crash at any moment leaves no object without a job, and no job
// that the sweep does not end. An upload is accepted once row and object are stored; after that no failure here
// loses it.
package uploadingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/schedgen/schedgen/functions/upload-ingest/checkup"
	"github.com/schedgen/schedgen/functions/upload-ingest/erase"
	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/diskspace"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/years"
)

// Config is everything the function needs.
type Config struct {
	Postgres postgres.Config
	Blob     blob.Config
	Cache    cache.Config
	Session  session.Config
	// Events go to pdf-parse, through the broker or to EVENT_TARGETS. Notifications and tasks must carry EVENT_TOKEN, too.
	Events events.Config
	Limits jobs.Limits
	Guard  ratelimit.Limits
	Years  years.Config
	Disk   diskspace.Config

	// Publish the event of a stored PDF at once, in addition to the object store's notification, which may take seconds.
	// Turn it off if the store notifies at once.
	OwnEvents bool `env:"OWN_EVENTS, default=true"`

	ParsedTargets  []string      `env:"PARSED_TARGETS"`  // addresses to send the event of a read timetable to if there is no broker
	AdminToken     secret.String `env:"ADMIN_TOKEN"`     // token for /api/admin; without it these calls are refused
	PriorityToken  secret.String `env:"PRIORITY_TOKEN"`  // token for high priority, sent as Priority-Token; without it no upload has high priority
	TrustedOrigins []string      `env:"TRUSTED_ORIGINS"` // other sites whose pages may call the API for a visitor: https://host, ...
	// Paths of events and tasks that need no token, for callers that cannot send one: Knative's broker and PingSource,
	// OpenFaaS' cron-connector. Open a path only if it cannot be reached from outside.
	OpenPaths []string `env:"OPEN_PATHS"`
	// Limit of pending jobs of all owners, or off. Above it, uploads of normal and low priority get 503; those of high
	// priority from a fifth above it.
	Pending             ratelimit.Most `env:"LIMIT_PENDING, default=500"`
	MaxFile             int64          `env:"MAX_FILE, default=10485760"`                  // maximum size of a PDF in bytes, 10 MiB
	StorageQuota        int64          `env:"STORAGE_QUOTA, default=52428800"`             // maximum total size of one owner's stored PDFs in bytes, 50 MiB
	JobsPerOwner        int            `env:"JOBS_PER_OWNER, default=500"`                 // maximum number of one owner's jobs
	UploadTimeout       time.Duration  `env:"UPLOAD_TIMEOUT, default=2m"`                  // time after which an upload without a stored PDF is abandoned
	Redeliver           time.Duration  `env:"REDELIVER_AFTER, default=45s"`                // time after which a job that no worker took is published again
	PDFRetention        time.Duration  `env:"PDF_RETENTION, default=24h" zero:"allowed"`   // how long a PDF is kept after its job ended; 0 deletes it at once
	JobRetention        time.Duration  `env:"JOB_RETENTION, default=8784h" zero:"allowed"` // how long an ended job is kept with its entries, a year; 0 keeps it for ever
	DeadLetterRetention time.Duration  `env:"DEAD_LETTER_RETENTION, default=720h"`         // how long a dead letter is kept
	// How long backups may hold what was deleted since; it follows from BACKUP_KEEP_*. People who delete everything see
	// it. 0 means that there are no backups. The record of a deletion is kept as long, and at least SESSION_MAX_AGE.
	BackupRetention time.Duration `env:"BACKUP_RETENTION, default=4488h" zero:"allowed"`
	Batch           int           `env:"SWEEP_BATCH, default=200"`  // maximum number of jobs of each kind that one step of a sweep handles at a time
	Poll            time.Duration `env:"POLL_INTERVAL, default=1s"` // how often a waiting upload asks the database while Redis is down
	// How long Redis keeps the status of an ended job. A job that is deleted while Redis is down stays visible for this
	// long at most.
	JobCacheTTL time.Duration `env:"JOB_CACHE_TTL, default=1m"`
}

// Function answers for uploads.
type Function struct {
	cfg        Config
	pool       *postgres.Pool
	jobs       *jobs.Store
	years      *years.Source
	queueStats *recent[jobs.Metrics]
	checkups   *recent[checkup.Report]
	probe      *checkup.Probe
	backlog    *backlog
	blob       *blob.Store
	cache      *cache.Cache
	sessions   *session.Sessions
	origins    *api.Origins
	guard      *ratelimit.Guard
	objects    *events.Publisher
	own        *ownEvents
	parsed     *events.Publisher
	metrics    *metrics
	people     *personal.Store
	eraser     *erase.Eraser
	eraseTime  time.Duration // for which a request works on a deletion
	sweeper    *sweep.Sweeper
	room       *diskspace.Room          // beside the database; nil where that is elsewhere
	tempFile   func() (*os.File, error) // to keep an upload in while it comes
}

// New checks cfg and connects nothing: connections open with the first request.
func New(_ context.Context, cfg Config) (*Function, error) {
	cfg = settings.WithDefaults(cfg)
	sessions, err := session.New(cfg.Session)
	if err != nil {
		return nil, err
	}
	origins, err := api.NewOrigins(cfg.TrustedOrigins...)
	if err != nil {
		return nil, fmt.Errorf("TRUSTED_ORIGINS: %w", err)
	}
	store, err := blob.Open(cfg.Blob)
	if err != nil {
		return nil, err
	}
	objects, err := events.NewPublisher(cfg.Events)
	if err != nil {
		return nil, err
	}
	own, err := newOwnEvents(cfg)
	if err != nil {
		return nil, err
	}
	announcements := cfg.Events
	announcements.Targets = cfg.ParsedTargets
	parsed, err := events.NewPublisher(announcements)
	if err != nil {
		return nil, err
	}
	redis, err := cache.Open(cfg.Cache)
	if err != nil {
		return nil, err
	}
	guard, err := ratelimit.NewGuard(cfg.Guard, redis, sessions)
	if err != nil {
		return nil, errors.Join(err, redis.Close())
	}
	pool, err := postgres.Open(cfg.Postgres)
	if err != nil {
		return nil, errors.Join(err, redis.Close())
	}
	queue := jobs.NewStore(pool).WithLimits(cfg.Limits)
	f := &Function{cfg: cfg, pool: pool, jobs: queue, years: years.NewSource(cfg.Years, pool), queueStats: newRecent(queue.Metrics), backlog: newBacklog(queue, cfg.Pending),
		blob: store, cache: redis, sessions: sessions.UseDatabase(pool), origins: origins, objects: objects, own: own, parsed: parsed, metrics: newMetrics(),
		room: diskspace.New(cfg.Disk), tempFile: func() (*os.File, error) { return newTempFile("") }}
	f.people, f.eraseTime = personal.NewStore(pool), eraseTime
	f.eraser = &erase.Eraser{Jobs: queue, PDFs: store, People: f.people, Forget: f.forget}
	f.guard = guard.WithRoom(f.noRoom).WithTokens(ratelimit.Tokens{Open: cfg.OpenPaths, Event: cfg.Events.Token, Admin: cfg.AdminToken})
	f.sweeper = f.newSweeper()
	f.probe = &checkup.Probe{Pool: f.pool, Jobs: f.jobs, Upload: f.uploadProbe, Erase: f.eraser.Job}
	f.checkups = newRecent(f.newCheckup().Report)
	return f, nil
}

func (f *Function) newSweeper() *sweep.Sweeper {
	c := f.cfg
	return &sweep.Sweeper{
		Config: sweep.Config{Batch: c.Batch, UploadTimeout: c.UploadTimeout, RedeliverAfter: c.Redeliver, PDFRetention: c.PDFRetention,
			OrphanRetention: c.PDFRetention + 24*time.Hour, JobRetention: c.JobRetention, DeadLetterRetention: c.DeadLetterRetention,
			DeletionRetention: max(c.BackupRetention, f.sessions.MaxAge()), Bucket: c.Blob.Bucket},
		Jobs: f.jobs, Pool: f.pool, PDFs: f.blob, Cache: f.cache, Objects: f.objects, Parsed: f.parsed, People: f.people, Eraser: f.eraser,
		KeepDeadLetter: f.keepDeadLetter, Metrics: sweep.NewMetrics(),
	}
}

// Sweep finds what no event will ever finish, as package sweep says.
func (f *Function) Sweep(ctx context.Context) (sweep.Counts, error) { return f.sweeper.Sweep(ctx) }

// Routes is the function's whole HTTP surface.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/upload", api.Handler(f.origins.Guard(f.sessions.Bearer, f.upload)))
	mux.Handle("GET /api/jobs/metrics", api.Handler(f.queueMetrics))
	mux.Handle("GET /api/jobs/{id}", api.Handler(f.job))
	mux.Handle("GET /api/jobs/{id}/result", api.Handler(f.result))
	mux.Handle("DELETE /api/jobs/{id}", api.Handler(f.origins.Guard(f.sessions.Bearer, f.delete)))
	mux.Handle("GET /api/me", api.Handler(f.exportMe))
	mux.Handle("DELETE /api/me", api.Handler(f.origins.Guard(f.sessions.Bearer, f.deleteMe)))
	mux.Handle("GET /api/storage/usage", api.Handler(f.storage))
	mux.Handle("GET /api/health", api.Handler(f.health))
	mux.Handle("GET /api/openapi.json", http.HandlerFunc(f.openAPI))

	open, event, admin := f.cfg.OpenPaths, f.cfg.Events.Token, f.cfg.AdminToken
	mux.Handle("POST /events/s3", api.Authorized(api.Handler(f.objectStored), open, event))
	mux.Handle("POST /events/dead-letter", api.Authorized(api.Handler(f.receiveDeadLetter), open, event))
	mux.Handle("POST /tasks/sweep", api.Authorized(api.Handler(func(r *http.Request) (any, error) { return f.Sweep(r.Context()) }), open, event, admin))
	mux.Handle("GET /api/admin/dead-letters", api.Authorized(api.Handler(f.listDeadLetters), nil, admin))
	mux.Handle("POST /api/admin/dead-letters/{id}/replay", api.Authorized(api.Handler(f.replayDeadLetter), nil, admin))
	mux.Handle("DELETE /api/admin/dead-letters/{id}", api.Authorized(api.Handler(f.deleteDeadLetter), nil, admin))
	mux.Handle("GET /api/admin/limits", api.Authorized(api.Handler(f.listBlocks), nil, admin))
	mux.Handle("DELETE /api/admin/limits/{id}", api.Authorized(api.Handler(f.liftBlock), nil, admin))

	mux.Handle("POST /upload", api.PageHandler(f.origins.Guard(f.sessions.Bearer, f.plainUpload)))
	mux.Handle("GET /upload/{id}", api.PageHandler(f.plainJob))
	return f.origins.Share(api.Mux(mux))
}

// Guard limits callers.
func (f *Function) Guard() faas.Guard { return f.guard }

// Share lets pages of trusted origins read an answer.
func (f *Function) Share(next http.Handler) http.Handler { return f.origins.Share(next) }

// Dependencies are what the function cannot work without, and Redis.
func (f *Function) Dependencies() map[string]faas.Check {
	checks := map[string]faas.Check{"postgres": f.pool.Ping, "redis": faas.OptionalCheck(f.cache.Ping), "s3": f.blob.Ready}
	if f.room != nil {
		checks["disk"] = func(context.Context) error { return f.room.Err() }
	}
	return checks
}

// Close ends what is on its way and the connections.
func (f *Function) Close() {
	f.probe.Close()
	f.own.close()
	f.backlog.before.close()
	f.pool.Close()
	f.objects.Close()
	f.parsed.Close()
	_ = f.cache.Close() // nothing there is worth an error at the end
}
