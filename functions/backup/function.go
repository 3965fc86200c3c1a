// Package backup keeps backups that are known to restore. A run takes one snapshot of the database
// and the PDFs that belong to it, compressed and encrypted to keys whose secret halves it does not
// have, and stores them in a bucket of their own; then it reads all of it back, restores it into a
// scratch database and compares content. Only such a backup counts.
//
// The bucket is the only truth about backups (package store), for the database may be what is lost.
// A run is a backup from the moment its manifest is stored, and nothing before: a crash leaves parts
// that the next run deletes. A run that fails deletes no backup.
//
// Read on in the order of a run: run.go, objects.go, archive.go, verify.go, and restore.go.
package backup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/retention"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/settings"
)

// Target is a bucket for backups.
type Target struct {
	URL       string        `env:"S3_URL"`                              // the server, http://host:9000; empty: the one of the PDFs, or no second one
	Bucket    string        `env:"S3_BUCKET, default=schedgen-backups"` // made when it is missing
	AccessKey string        `env:"S3_ACCESS_KEY"`                       // may list, read, write and delete in the bucket
	SecretKey string        `env:"S3_SECRET_KEY"`                       // of that key
	Region    string        `env:"S3_REGION, default=us-east-1"`        // MinIO takes any
	Timeout   time.Duration `env:"S3_TIMEOUT, default=2m"`              // one part
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

	// Recipients are the age public keys that backups are encrypted to. Without one no backup is made.
	Recipients []string `env:"BACKUP_RECIPIENTS"`
	// IdentityFile holds the secret key to verify and restore with. Without it a backup is verified by
	// its checksums alone.
	IdentityFile string `env:"BACKUP_IDENTITY_FILE"`
	// A database beside which scratch databases are made; empty means the server backed up.
	ScratchURL string `env:"BACKUP_SCRATCH_URL"`

	// Paths of events and tasks that need no token, for callers that cannot carry one: Knative's broker and PingSource,
	// OpenFaaS' cron-connector. Open a path only where nobody outside can reach it.
	OpenPaths   []string      `env:"OPEN_PATHS"`
	AdminToken  string        `env:"ADMIN_TOKEN"`                       // runs, lists and verifies over HTTP; empty: nobody does
	EventToken  string        `env:"EVENT_TOKEN"`                       // events and tasks must carry it, or ADMIN_TOKEN, as a Bearer token
	MissedAfter time.Duration `env:"BACKUP_MISSED_AFTER, default=26h"`  // without a good backup for so long people are told
	MinInterval time.Duration `env:"BACKUP_MIN_INTERVAL, default=1h"`   // an event this soon after a good backup is a duplicate
	Lease       time.Duration `env:"BACKUP_LEASE, default=30s"`         // how long a dead run keeps others waiting
	PartSize    int           `env:"BACKUP_PART_SIZE, default=8388608"` // bytes of a stored part, which are held in memory
}

// Function makes, verifies, prunes and restores backups.
type Function struct {
	// Now is the clock of names, ages and retention. New sets it to time.Now.
	Now func() time.Time

	cfg        Config
	pool       *postgres.Pool
	blob       *blob.Store
	store      *store.Store
	offsite    *store.Store // nil without one
	names      store.Namer
	recipients []age.Recipient
	alerts     *alert.Sender
	metrics    *metrics
	said       memory
}

// New checks cfg and connects nothing: connections open with the first request.
func New(_ context.Context, cfg Config) (*Function, error) {
	cfg = withDefaults(cfg)
	f := &Function{Now: time.Now, cfg: cfg}
	for _, open := range []func() error{f.openBuckets, f.openKeys, f.openPool} {
		if err := open(); err != nil {
			return nil, err
		}
	}
	f.metrics = newMetrics(f)
	return f, nil
}

// withDefaults fills what is not given: from the tags, and from other fields.
func withDefaults(c Config) Config {
	c = settings.WithDefaults(c)
	if c.Bucket.URL == "" {
		c.Bucket.URL, c.Bucket.AccessKey, c.Bucket.SecretKey, c.Bucket.Region = c.Blob.URL, c.Blob.AccessKey, c.Blob.SecretKey, c.Blob.Region
	}
	if c.Retention == (retention.Policy{}) {
		// Keeping nothing is no choice: it would delete every backup.
		_ = settings.ReadFrom(context.Background(), &c.Retention, envconfig.MapLookuper(nil)) // the tags alone cannot fail
	}
	if c.ScratchURL == "" {
		c.ScratchURL = c.Postgres.URL
	}
	return c
}

// openBuckets prepares the stores.
func (f *Function) openBuckets() (err error) {
	c := f.cfg
	if f.blob, err = blob.Open(c.Blob); err != nil {
		return err
	}
	same := c.Bucket.URL == c.Blob.URL && c.Bucket.Bucket == c.Blob.Bucket
	if same {
		return errors.New("BACKUP_S3_BUCKET: backups need a bucket of their own, not that of the PDFs")
	}
	if f.store, err = c.Bucket.open(c.PartSize); err != nil {
		return fmt.Errorf("backup bucket: %w", err)
	}
	if c.Offsite.URL != "" {
		if f.offsite, err = c.Offsite.open(c.PartSize); err != nil {
			return fmt.Errorf("off-site bucket: %w", err)
		}
	}
	f.names, err = store.NewNamer(c.Bucket.SecretKey)
	return err
}

func (t Target) open(partSize int) (*store.Store, error) {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	bucket, err := blob.Open(blob.Config{URL: t.URL, Bucket: t.Bucket, AccessKey: t.AccessKey, SecretKey: t.SecretKey,
		Region: t.Region, Timeout: timeout})
	if err != nil {
		return nil, err
	}
	return store.New(bucket, partSize), nil
}

// openKeys reads the recipients and checks the rest of the configuration that needs no network.
func (f *Function) openKeys() (err error) {
	// A platform that mounts a file for the key mounts an empty one where none is configured.
	if info, err := os.Stat(f.cfg.IdentityFile); err == nil && info.Size() == 0 {
		f.cfg.IdentityFile = ""
	}
	if f.Enabled() {
		if f.recipients, err = seal.Recipients(f.cfg.Recipients); err != nil {
			return fmt.Errorf("BACKUP_RECIPIENTS: %w", err)
		}
	}
	for _, dsn := range []string{f.cfg.Postgres.URL, f.cfg.ScratchURL} {
		if _, err := dump.DatabaseName(dsn); err != nil {
			return fmt.Errorf("DATABASE_URL, BACKUP_SCRATCH_URL: %w", err)
		}
	}
	f.alerts, err = alert.New(f.cfg.Alert)
	return err
}

func (f *Function) openPool() (err error) {
	f.pool, err = postgres.Open(f.cfg.Postgres)
	return err
}

// Enabled says whether there is a key to encrypt to, without which no backup is made.
func (f *Function) Enabled() bool { return strings.TrimSpace(strings.Join(f.cfg.Recipients, "")) != "" }

// Routes is the function's whole HTTP surface.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	open, event, admin := f.cfg.OpenPaths, f.cfg.EventToken, f.cfg.AdminToken
	mux.Handle("POST /{$}", api.Authorized(faas.EventHandler(f.Handle), open, event, admin))
	mux.Handle("POST /tasks/watch", api.Authorized(api.Handler(f.watchTask), open, event, admin))
	mux.Handle("POST /api/admin/backups", api.Authorized(api.Handler(f.start), nil, admin))
	mux.Handle("GET /api/admin/backups", api.Authorized(api.Handler(f.list), nil, admin))
	mux.Handle("GET /api/admin/backups/{id}", api.Authorized(api.Handler(f.one), nil, admin))
	mux.Handle("POST /api/admin/backups/{id}/verify", api.Authorized(api.Handler(f.verifyOne), nil, admin))
	return api.Mux(mux)
}

// Health asks what the function depends on.
func (f *Function) Health(ctx context.Context) map[string]error {
	states := map[string]error{"postgres": f.pool.Ping(ctx), "s3": f.blob.Ready(ctx), "backups": f.store.Ready(ctx)}
	if f.offsite != nil {
		states["offsite"] = faas.Optional(f.offsite.Ready(ctx))
	}
	return states
}

// Close ends the connections.
func (f *Function) Close() { f.pool.Close() }
