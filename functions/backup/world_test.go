package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
)

// world is a system with its database, its bucket of PDFs, and a backup bucket.
type world struct {
	t    testing.TB
	cfg  backup.Config
	s3   *s3test.Server
	pdfs *blob.Store
	jobs *jobs.Store
	pool *postgres.Pool
}

// newWorld is a world with the embedded S3 server, a key pair, and no rows.
func newWorld(t testing.TB) *world {
	t.Helper()
	return worldOn(t, pgtest.New(t), s3test.New(t))
}

func worldOn(t testing.TB, dsn string, s3 *s3test.Server) *world {
	t.Helper()
	identity, recipient := keys(t)
	cfg := backup.Config{Limits: ratelimit.Unlimited, Postgres: postgres.Config{URL: secret.New(dsn)}, Blob: s3.Config(), Recipients: []string{recipient}, IdentityFile: identity,
		AdminToken: secret.New("admin-token"), OpenPaths: []string{"/", "/tasks/watch"}, Lease: 30 * time.Second, PartSize: 256 << 10}
	pool, err := postgres.Open(cfg.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return &world{t: t, cfg: cfg, s3: s3, pdfs: s3.Store(t), jobs: jobs.NewStore(pool), pool: pool}
}

// keys writes an identity and gives its file and its public half.
func keys(t testing.TB) (file, recipient string) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte("# a test's\n"+identity.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, identity.Recipient().String()
}

// function is a function on the world, closed after the test.
func (w *world) function(changes ...func(*backup.Config)) *backup.Function {
	w.t.Helper()
	cfg := w.cfg
	for _, change := range changes {
		change(&cfg)
	}
	f, err := backup.New(context.Background(), cfg)
	if err != nil {
		w.t.Fatalf("configure: %v", err)
	}
	w.t.Cleanup(f.Close)
	return f
}

// bucket is the backup bucket as an S3 client sees it.
func (w *world) bucket(name string) *blob.Store {
	w.t.Helper()
	cfg := w.s3.Config()
	cfg.Bucket = name
	opened, err := blob.Open(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	return opened
}

func (w *world) backups() *blob.Store { return w.bucket("schedgen-backups") }

// backup makes a backup that must succeed.
func (w *world) backup(f *backup.Function) store.Manifest {
	w.t.Helper()
	m, err := f.Run(w.t.Context())
	if err != nil {
		w.t.Fatalf("backup: %v", err)
	}
	return m
}

// backedUp is a world with n jobs, a function on it, and the backup that it made.
func backedUp(t testing.TB, n int, changes ...func(*backup.Config)) (*world, *backup.Function, store.Manifest) {
	t.Helper()
	w := newWorld(t)
	w.fill(n)
	f := w.function(changes...)
	return w, f, w.backup(f)
}

// pdfsIn keeps the PDFs on another server. The backups stay where they are.
func pdfsIn(other *s3test.Server) func(*backup.Config) {
	return func(c *backup.Config) {
		c.Bucket = backup.Target{URL: c.Blob.URL, AccessKey: c.Blob.AccessKey, SecretKey: c.Blob.SecretKey}
		c.Blob = other.Config()
	}
}

// confidential is in every PDF and every entry: what a stolen bucket must not show.
const confidential = "COS 212 with Prof. Secretive in the Aula"

// addJob makes one completed job with its PDF and its entries, as the functions do.
func (w *world) addJob(ctx context.Context, entries int) (jobs.Job, error) {
	pdf := []byte(fmt.Sprintf("%%PDF-1.7 %s %d\n", confidential, rand.Uint64()))
	for range 200 {
		pdf = fmt.Appendf(pdf, "%d ", rand.Uint64())
	}
	sum := sha256.Sum256(pdf)
	job, err := w.jobs.Create(ctx, jobs.NewJob{Owner: uuid.NewString(), Filename: "timetable.pdf", Size: int64(len(pdf)), SHA256: hex.EncodeToString(sum[:])})
	if err != nil {
		return job, err
	}
	meta := map[string]string{"Job-Id": job.ID, "Priority": "normal"}
	if _, err := w.pdfs.Put(ctx, job.ObjectKey, bytes.NewReader(pdf), int64(len(pdf)), "application/pdf", meta); err != nil {
		return job, err
	}
	if err := w.jobs.Uploaded(ctx, job.ID); err != nil {
		return job, err
	}
	claim, err := w.jobs.Claim(ctx, job.ID, time.Minute)
	if err != nil {
		return job, err
	}
	doc := timetable.Document{Kind: timetable.Lecture}
	for i := range entries {
		doc.Entries = append(doc.Entries, timetable.Entry{Module: confidential, Group: fmt.Sprintf("G%02d", i)})
	}
	return job, w.jobs.Complete(ctx, claim, doc)
}

// fill makes n jobs with a few entries each, and a feed for each.
func (w *world) fill(n int) {
	w.t.Helper()
	for range n {
		job, err := w.addJob(w.t.Context(), 3)
		if err != nil {
			w.t.Fatalf("add a job: %v", err)
		}
		w.addFeed(w.t.Context(), job.Owner)
	}
}

func (w *world) addFeed(ctx context.Context, owner string) {
	w.t.Helper()
	_, err := w.pool.Exec(ctx, `with feed as (
		insert into feeds (id, token_hash, owner, options, body) values (gen_random_uuid(), sha256(gen_random_uuid()::text::bytea), $1::uuid, '{"reminders":[15]}', $2::bytea)
		returning id)
		insert into feed_events (feed_id, uid, fingerprint, last_modified) select id, 'uid@schedgen', $3, now() from feed`,
		owner, []byte("BEGIN:VCALENDAR\x00\xff"), confidential)
	if err != nil {
		w.t.Fatalf("add a feed: %v", err)
	}
}

// tables are all that a database holds, row by row, for a comparison by content that does not rely on
// the package's own hashes.
func tables(t testing.TB, dsn string) map[string][]string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	all := map[string][]string{}
	for _, table := range []string{"jobs", "entries", "feeds", "feed_events", "dead_letters", "schema_version"} {
		rows, err := conn.Query(t.Context(), "select x::text from "+table+" x order by 1")
		if err != nil {
			t.Fatal(err)
		}
		if all[table], err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// tables are what the world's own database holds.
func (w *world) tables() map[string][]string {
	w.t.Helper()
	return tables(w.t, w.cfg.Postgres.URL.Reveal())
}

// deleteJobs deletes the jobs from the database, and not their PDFs.
func (w *world) deleteJobs() {
	w.t.Helper()
	if _, err := w.pool.Exec(w.t.Context(), "delete from jobs"); err != nil {
		w.t.Fatal(err)
	}
}

// emptyBucket deletes all PDFs.
func (w *world) emptyBucket() {
	w.t.Helper()
	for key := range objects(w.t, w.pdfs) {
		if err := w.pdfs.Delete(w.t.Context(), key); err != nil {
			w.t.Fatal(err)
		}
	}
}

// sameTables fails the test where two databases differ.
func sameTables(t testing.TB, got, want map[string][]string) {
	t.Helper()
	for table, rows := range want {
		if !slices.Equal(got[table], rows) {
			t.Errorf("table %s: got %d rows that are not the %d wanted", table, len(got[table]), len(rows))
		}
	}
}

// objects are all that a bucket holds: key, metadata and content.
func objects(t testing.TB, bucket *blob.Store) map[string]string {
	t.Helper()
	var mu sync.Mutex
	all := map[string]string{}
	var keys []string
	if err := bucket.List(t.Context(), "", func(i blob.Info) error { keys = append(keys, i.Key); return nil }); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	room := make(chan struct{}, 8)
	for _, key := range keys {
		room <- struct{}{}
		group.Go(func() {
			defer func() { <-room }()
			body, info, err := bucket.Get(t.Context(), key)
			if err != nil {
				t.Errorf("get %s: %v", key, err)
				return
			}
			defer body.Close()
			content, err := io.ReadAll(body)
			if err != nil {
				t.Errorf("read %s: %v", key, err)
			}
			mu.Lock()
			defer mu.Unlock()
			all[key] = fmt.Sprintf("%s %v %s", info.ContentType, info.Meta, content)
		})
	}
	group.Wait()
	return all
}

// sameObjects fails the test where two buckets differ.
func sameObjects(t testing.TB, got, want map[string]string) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	for key := range want {
		if got[key] != want[key] {
			t.Errorf("object %s: got %.200q, want %.200q", key, got[key], want[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			t.Errorf("object %s is there, and was not in the snapshot", key)
		}
	}
}

// scratchDatabases are those that a verification left.
func scratchDatabases(t testing.TB, dsn string) []string {
	t.Helper()
	name, err := dump.DatabaseName(dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(t.Context(), "select datname from pg_database where datname like $1", name+"\\_verify\\_%")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// client is an S3 client for what package blob does not do.
func client(t testing.TB, address string) *minio.Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	c, err := minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(s3test.AccessKey, s3test.SecretKey, ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// noDatabase is the address of a database that is away: nobody listens on port 1.
func noDatabase(c *backup.Config) {
	c.ScratchURL, c.Postgres.URL = c.Postgres.URL, secret.New("postgres://schedgen@127.0.0.1:1/schedgen?sslmode=disable")
}
