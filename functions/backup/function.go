// Package backup keeps backups that are known to restore. A run takes one snapshot of the database and the PDFs that
// belong to it, compresses and encrypts them to public keys, and stores them in a bucket of their own. Then it reads
// everything back, restores it into a scratch database and compares the content. Only then is it a good backup.
//
// The bucket is the only record of backups (package store), because the database may be what is lost. A run is a
// backup from the moment its manifest is stored, and not before: a crash leaves parts that the next run deletes. A
// run that fails deletes no backup.
//
// This package holds what comes in: HTTP (api.go), schedules (schedule.go) and the command line (command.go). Read
// on in the order of a run: run, take, archive, verify, watch, and then restore.
package backup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"filippo.io/age"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/retention"
	"github.com/schedgen/schedgen/functions/backup/run"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/functions/backup/take"
	"github.com/schedgen/schedgen/functions/backup/verify"
	"github.com/schedgen/schedgen/functions/backup/watch"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// Target is a bucket for backups.
type Target struct {
	URL       string        `env:"S3_URL"`                              // S3 endpoint, http://host:9000; without one, backups are kept at S3_URL, and there is no second bucket
	Bucket    string        `env:"S3_BUCKET, default=schedgen-backups"` // bucket name; the bucket is created if it does not exist
	AccessKey string        `env:"S3_ACCESS_KEY"`                       // access key with the right to list, read, write and delete in the bucket
	SecretKey secret.String `env:"S3_SECRET_KEY"`                       // secret of the access key
	Region    string        `env:"S3_REGION, default=us-east-1"`        // S3 region; MinIO accepts any
	Timeout   time.Duration `env:"S3_TIMEOUT, default=2m"`              // timeout for one part
}

// Config is everything the function needs.
type Config struct {
	// Postgres is the database, by the server's own address: pg_dump does not go through PgBouncer.
	Postgres postgres.Config
	// Blob is the bucket of PDFs.
	Blob blob.Config
	// Bucket is where backups are kept: BACKUP_S3_URL and so on. Without an address it is another
	// bucket of the same server as Blob's.
	Bucket Target `env:", prefix=BACKUP_"`
	// Offsite gets a copy of each backup, if it has an address: BACKUP_OFFSITE_S3_URL and so on.
	Offsite   Target `env:", prefix=BACKUP_OFFSITE_"`
	Retention retention.Policy
	Alert     alert.Config
	Limits    ratelimit.Limits

	// Age public keys to encrypt backups to, separated by commas. Without one, no backup is made.
	Recipients []string `env:"BACKUP_RECIPIENTS"`
	// File with the age secret key for verifying and restoring. Without it, backups are verified by checksums alone.
	IdentityFile string `env:"BACKUP_IDENTITY_FILE"`
	// Key to sign backups with, so that write access to the bucket is not enough to forge one: 32 random bytes as base64
	// (openssl rand -base64 32). Without it, backups are not signed.
	SigningKey secret.String `env:"BACKUP_SIGNING_KEY"`
	// Public keys (printed by `backup key`) of former signing keys, separated by commas. A backup must be signed by one of
	// them or by BACKUP_SIGNING_KEY to be verified or restored. Without either, every backup is trusted.
	VerifyKeys []string `env:"BACKUP_VERIFY_KEYS"`
	// Database on whose server scratch databases are created for verification; defaults to DATABASE_URL.
	ScratchURL secret.String `env:"BACKUP_SCRATCH_URL"`

	// Paths of events and tasks that need no token, for callers that cannot send one: Knative's broker and PingSource,
	// OpenFaaS' cron-connector. Open a path only if it cannot be reached from outside.
	OpenPaths   []string      `env:"OPEN_PATHS"`
	AdminToken  secret.String `env:"ADMIN_TOKEN"`                       // token for /api/admin/backups; without it these calls are refused
	EventToken  secret.String `env:"EVENT_TOKEN"`                       // token that events and tasks must carry; ADMIN_TOKEN is accepted too
	MissedAfter time.Duration `env:"BACKUP_MISSED_AFTER, default=26h"`  // an alert is sent when the newest good backup is older than this
	MinInterval time.Duration `env:"BACKUP_MIN_INTERVAL, default=1h"`   // a scheduled run is skipped if a good backup is younger than this
	Lease       time.Duration `env:"BACKUP_LEASE, default=30s"`         // lease of the lock; other runs wait this long for one that died
	PartSize    int           `env:"BACKUP_PART_SIZE, default=8388608"` // size of a stored part in bytes; several are held in memory
}

// ErrDisabled means that no key is configured to encrypt to.
var ErrDisabled = errors.New("backups are disabled: no recipient is configured")

// Function makes, verifies, prunes and restores backups.
type Function struct {
	// Now is the clock of names, ages and retention. New sets it to time.Now.
	Now func() time.Time
	// ListEvery is how often new deletions are listed beside the backups while one is made. New sets it to a minute.
	ListEvery time.Duration

	cfg       Config
	keys      sign.Keys
	pool      *postgres.Pool
	pdfs      *blob.Store
	store     *store.Store
	offsite   *store.Store // nil without one
	runner    *run.Runner
	verifier  *verify.Verifier
	restorer  *restore.Restorer
	watcher   *watch.Watcher
	incidents *watch.Incidents
	gauges    *watch.Gauges
	guard     *ratelimit.Guard

	listed atomic.Pointer[[]personal.Entry] // the deletions that this process listed last in every bucket; never nil
	lists  *prometheus.CounterVec           // of deletions, by outcome
}

// New checks cfg and connects nothing: connections open with the first request.
func New(_ context.Context, cfg Config) (*Function, error) {
	cfg, err := withDefaults(cfg).checked()
	if err != nil {
		return nil, err
	}
	f := &Function{Now: time.Now, ListEvery: time.Minute, cfg: cfg, lists: newLists()}
	f.listed.Store(&[]personal.Entry{})
	if f.guard, err = newGuard(cfg); err != nil {
		return nil, err
	}
	if err := f.openBuckets(); err != nil {
		return nil, err
	}
	if err := f.assemble(); err != nil {
		return nil, err
	}
	if f.pool, err = postgres.Open(cfg.Postgres); err != nil {
		return nil, err
	}
	return f, nil
}

// newGuard limits callers, who may guess the admin token. It counts alone: there is at most one instance.
func newGuard(cfg Config) (*ratelimit.Guard, error) {
	alone, err := cache.Open(cache.Config{})
	if err != nil {
		return nil, err
	}
	guard, err := ratelimit.NewGuard(cfg.Limits, alone, ratelimit.NewStrangers())
	if err != nil {
		return nil, err
	}
	return guard.WithTokens(ratelimit.Tokens{Open: cfg.OpenPaths, Event: cfg.EventToken, Admin: cfg.AdminToken}), nil
}

// assemble connects the packages that do the work.
func (f *Function) assemble() error {
	c := f.cfg
	now := func() time.Time { return f.Now() }
	var recipients []age.Recipient
	var err error
	if f.Enabled() {
		if recipients, err = seal.Recipients(c.Recipients); err != nil {
			return fmt.Errorf("BACKUP_RECIPIENTS: %w", err)
		}
	}
	namer, err := store.NewNamer(c.Bucket.SecretKey)
	if err != nil {
		return err
	}
	sender, err := alert.New(c.Alert)
	if err != nil {
		return err
	}
	f.incidents = watch.NewIncidents(f.store, sender, now)
	f.verifier = verify.New(c.IdentityFile, c.ScratchURL, now)
	taker := &take.Taker{DatabaseURL: c.Postgres.URL, PDFs: f.pdfs, Store: f.store, Namer: namer, Recipients: recipients,
		RecipientKeys: c.Recipients, Now: now}
	f.runner = &run.Runner{Store: f.store, Offsite: f.offsite, Taker: taker, Verifier: f.verifier, Incidents: f.incidents,
		Retention: c.Retention, Lease: c.Lease, Now: now, Total: run.NewTotal()}
	f.restorer = &restore.Restorer{DatabaseURL: c.Postgres.URL, IdentityFile: c.IdentityFile, PDFs: f.pdfs, Lease: c.Lease,
		Now: now, Dependencies: f.Dependencies}
	f.watcher = &watch.Watcher{Store: f.store, Incidents: f.incidents, Enabled: f.Enabled(),
		Unsigned: f.keys.Known() && f.keys.Public() == "", MaxAge: c.MissedAfter, Now: now, LastMade: f.lastMade}
	f.gauges = &watch.Gauges{Store: f.store, Now: now}
	return nil
}

// withDefaults fills what is not given: from the tags, and from other fields.
func withDefaults(c Config) Config {
	c = settings.WithDefaults(c)
	if c.Bucket.URL == "" {
		c.Bucket.URL, c.Bucket.AccessKey, c.Bucket.SecretKey, c.Bucket.Region = c.Blob.URL, c.Blob.AccessKey, c.Blob.SecretKey, c.Blob.Region
	}
	if c.Retention == (retention.Policy{}) {
		// A Config written in code may leave the policy out, and 0 is a choice for each of its fields.
		_ = settings.ReadFrom(context.Background(), &c.Retention, envconfig.MapLookuper(nil)) // the tags alone cannot fail
	}
	if c.ScratchURL.IsZero() {
		c.ScratchURL = c.Postgres.URL
	}
	return c
}

// checked returns the configuration, or an error for what can be seen to be wrong without the network.
func (c Config) checked() (Config, error) {
	// A platform that mounts a file for the key mounts an empty one where none is configured.
	if info, err := os.Stat(c.IdentityFile); err == nil && info.Size() == 0 {
		c.IdentityFile = ""
	}
	if c.Bucket.URL == c.Blob.URL && c.Bucket.Bucket == c.Blob.Bucket {
		return c, errors.New("BACKUP_S3_BUCKET: backups need a bucket of their own, not that of the PDFs")
	}
	for _, dsn := range []secret.String{c.Postgres.URL, c.ScratchURL} {
		if _, err := dump.DatabaseName(dsn.Reveal()); err != nil {
			return c, fmt.Errorf("DATABASE_URL, BACKUP_SCRATCH_URL: %w", err)
		}
	}
	return c, nil
}

func (f *Function) openBuckets() (err error) {
	c := f.cfg
	if f.keys, err = sign.ParseKeys(c.SigningKey, c.VerifyKeys); err != nil {
		return err
	}
	if f.pdfs, err = blob.Open(c.Blob); err != nil {
		return err
	}
	if f.store, err = c.Bucket.open(c.PartSize); err != nil {
		return fmt.Errorf("backup bucket: %w", err)
	}
	f.store = f.store.WithKeys(f.keys)
	if c.Offsite.URL != "" {
		if f.offsite, err = c.Offsite.open(c.PartSize); err != nil {
			return fmt.Errorf("off-site bucket: %w", err)
		}
		f.offsite = f.offsite.WithKeys(f.keys)
	}
	return nil
}

func (t Target) open(partSize int) (*store.Store, error) {
	bucket, err := blob.Open(blob.Config{URL: t.URL, Bucket: t.Bucket, AccessKey: t.AccessKey, SecretKey: t.SecretKey,
		Region: t.Region, Timeout: t.Timeout})
	if err != nil {
		return nil, err
	}
	return store.New(bucket, partSize), nil
}

// Enabled reports whether there is a key to encrypt to, without which no backup is made.
func (f *Function) Enabled() bool { return strings.TrimSpace(strings.Join(f.cfg.Recipients, "")) != "" }

// Routes is the function's whole HTTP surface.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	open, event, admin := f.cfg.OpenPaths, f.cfg.EventToken, f.cfg.AdminToken
	mux.Handle("POST /{$}", api.Authorized(faas.EventHandler(f.Handle), open, event, admin))
	mux.Handle("POST /tasks/watch", api.Authorized(api.Handler(func(r *http.Request) (any, error) { return f.Watch(r.Context()) }), open, event, admin))
	mux.Handle("POST /api/admin/backups", api.Authorized(api.Handler(f.create), nil, admin))
	mux.Handle("GET /api/admin/backups", api.Authorized(api.Handler(f.list), nil, admin))
	mux.Handle("GET /api/admin/backups/{id}", api.Authorized(api.Handler(f.get), nil, admin))
	mux.Handle("POST /api/admin/backups/{id}/verify", api.Authorized(api.Handler(f.verify), nil, admin))
	return api.Mux(mux)
}

// Guard limits callers.
func (f *Function) Guard() faas.Guard { return f.guard }

// Share is next: no page of another origin calls this function.
func (f *Function) Share(next http.Handler) http.Handler { return next }

// Dependencies are the database, the bucket of PDFs, and those of backups.
func (f *Function) Dependencies() map[string]faas.Check {
	checks := map[string]faas.Check{"postgres": f.pool.Ping, "s3": f.pdfs.Ready, "backups": f.store.Ready}
	if f.offsite != nil {
		checks["offsite"] = faas.OptionalCheck(f.offsite.Ready)
	}
	return checks
}

// Collectors are the function's own metrics, for /metrics.
func (f *Function) Collectors() []prometheus.Collector {
	return append(faas.ByFunction("backup", f.pool.Collectors(), f.pdfs.Collectors()),
		f.runner.Total, f.verifier.Total, f.lists, f.incidents.Alerts, f.gauges)
}

// Close ends the connections.
func (f *Function) Close() { f.pool.Close() }
