package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestABucketThatIsFullInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(40)
	w.stuff(2 << 20)
	b, who := w.between(), somebody(t)
	f := w.function(through(b), who.alerts)
	w.backup(f)
	var parts atomic.Int32
	b.set(func(out http.ResponseWriter, r *http.Request) bool {
		if !isPart(r) || parts.Add(1) < 3 {
			return false
		}
		out.Header().Set("Content-Type", "application/xml")
		out.WriteHeader(http.StatusInsufficientStorage)
		io.WriteString(out, `<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its minimum free drive threshold.</Message></Error>`)
		return true
	})
	if m, err := f.Run(t.Context()); err == nil || m.ID != "" || !strings.Contains(err.Error(), "minimum free drive") {
		t.Fatalf("got %+v, %v; want the store's own words", m.ID, err)
	}
	if keys := leftovers(t, w); len(keys) > 0 {
		t.Errorf("the failed run left %q", keys)
	}
	onlyWhole(t, f, 1)
	b.set(nil)
	w.backup(f)
	onlyWhole(t, f, 2)
	who.heard(t, "the backup failed", "recovered")
}

// stuff adds that many bytes of entries which do not compress.
func (w *world) stuff(bytes int) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `insert into dead_letters (source, reason, event)
		select 'test', 'filler', jsonb_build_object('filler', (select string_agg(sha256(random()::text::bytea || convert_to((n * m)::text, 'UTF8'))::text, '') from generate_series(1, 16) m))
		from generate_series(1, $1::int / 1024) n`, bytes)
	if err != nil {
		w.t.Fatalf("fill the database: %v", err)
	}
}

func TestABucketThatIsGoneInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(10)
	w.stuff(2 << 20)
	b, who := w.between(), somebody(t)
	f := w.function(through(b), who.alerts)
	var parts atomic.Int32
	var once sync.Once
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if isPart(r) && parts.Add(1) == 3 {
			once.Do(func() { w.dropBucket("schedgen-backups") })
		}
		return false
	})
	if m, err := f.Run(t.Context()); err == nil {
		t.Fatalf("got the backup %s of a bucket that was deleted under it", m.ID)
	}
	b.set(nil)
	w.backup(f)
	onlyWhole(t, f, 1)
	who.heard(t, "the backup failed", "recovered")
}

// dropBucket deletes a bucket with everything in it. A part that is stored meanwhile makes it try again.
func (w *world) dropBucket(name string) {
	w.t.Helper()
	bucket := w.bucket(name)
	for {
		var keys []string
		if err := bucket.List(context.Background(), "", func(i blob.Info) error { keys = append(keys, i.Key); return nil }); err != nil {
			w.t.Errorf("list the bucket to delete: %v", err)
		}
		for _, key := range keys {
			if err := bucket.Delete(context.Background(), key); err != nil {
				w.t.Errorf("delete: %v", err)
			}
		}
		err := client(w.t, w.s3.URL).RemoveBucket(context.Background(), name)
		if minio.ToErrorResponse(err).Code != "BucketNotEmpty" {
			if err != nil {
				w.t.Errorf("delete the bucket: %v", err)
			}
			return
		}
	}
}

func TestABucketOfPDFsThatIsLostIsNotBackedUpAsEmpty(t *testing.T) {
	t.Parallel()
	w, f, _ := backedUp(t, 3)
	w.dropBucket("schedgen-pdfs")
	if m, err := f.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "none of the 3") {
		t.Errorf("got %+v, %v; want an error", m.ID, err)
	}
	onlyWhole(t, f, 1)
}

// Who deletes all that there is while a backup is made, deletes it from the bucket first, and then from the database.
func TestPDFsThatAreDeletedMeanwhileAreNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	job, err := w.addJob(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.pdfs.Delete(t.Context(), job.ObjectKey); err != nil {
		t.Fatal(err)
	}
	asked := 0
	ctx := progress.With(t.Context(), func(line string) {
		if !strings.HasPrefix(line, "asking again") {
			return
		}
		if asked++; asked != 2 {
			return
		}
		if _, err := w.pool.Exec(t.Context(), "delete from jobs"); err != nil {
			t.Error(err)
		}
	})
	m, err := w.function().Run(ctx)
	if err != nil || asked != 2 || m.Objects != 0 || m.ObjectsMissing != 1 {
		t.Errorf("got %d objects, %d missing, %v, and the database was asked %d times; want a backup without the PDF", m.Objects, m.ObjectsMissing, err, asked)
	}
}

func TestAPDFThatIsMissingIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	job, err := w.addJob(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.pdfs.Delete(t.Context(), job.ObjectKey); err != nil {
		t.Fatal(err)
	}
	if m := w.backup(w.function()); m.Objects != 2 || m.ObjectsMissing != 1 {
		t.Errorf("got %d objects and %d missing, want 2 and 1", m.Objects, m.ObjectsMissing)
	}
}

func TestADatabaseThatRestartsInTheMiddle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := pgtest.Own(t, dir)
	w := worldOn(t, server.DSN(), s3test.New(t))
	w.cfg.PartSize = 64 << 10
	w.fill(5)
	w.stuff(8 << 20)
	b, who := w.between(), somebody(t)
	f := w.function(through(b), who.alerts)
	var once sync.Once
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if isPart(r) {
			once.Do(func() { _ = server.Kill() })
		}
		return false
	})
	if m, err := f.Run(t.Context()); err == nil || m.ID != "" {
		t.Fatalf("got %q, %v; want an error", m.ID, err)
	}
	again, err := pg.Start(t.Context(), dir, pg.Fast(), pg.Port(server.Port()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := again.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.backup(f)
	onlyWhole(t, f, 1)
	if keys := leftovers(t, w); len(keys) > 0 {
		t.Errorf("the failed run left %q", keys)
	}
	who.heard(t, "the backup failed", "recovered")
}

// flip changes one bit of a stored object and leaves its metadata as they are.
func flip(t testing.TB, bucket *blob.Store, key string) {
	t.Helper()
	body, info, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)/2] ^= 1
	if _, err := bucket.Put(t.Context(), key, bytes.NewReader(content), int64(len(content)), info.ContentType, info.Meta); err != nil {
		t.Fatal(err)
	}
}

// keyLike is the first key with that prefix.
func keyLike(t testing.TB, bucket *blob.Store, prefix string) (key string) {
	t.Helper()
	err := bucket.List(t.Context(), prefix, func(i blob.Info) error {
		if key == "" {
			key = i.Key
		}
		return nil
	})
	if err != nil || key == "" {
		t.Fatalf("no object begins with %s: %v", prefix, err)
	}
	return key
}

// damage flips a bit of the first object of the backup bucket whose key begins so.
func (w *world) damage(prefix string) {
	w.t.Helper()
	flip(w.t, w.backups(), keyLike(w.t, w.backups(), prefix))
}

// findsDamage fails the test unless a restore ends because the backup is damaged.
func findsDamage(t testing.TB, f *backup.Function, o restore.Options) {
	t.Helper()
	if _, err := f.Restore(t.Context(), o); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want the damage", err)
	}
}

func TestAFlippedBitIsFoundAndAlerted(t *testing.T) {
	t.Parallel()
	for _, depth := range []string{store.ByRestore, store.ByChecksums} {
		for what, prefix := range map[string]string{"dump": "runs/ID/dump.", "contents": "runs/ID/contents.", "names": "runs/ID/objects.",
			"object": "objects/", "manifest": "manifests/"} {
			t.Run(depth+" "+what, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.fill(3)
				who := somebody(t)
				f := w.function(who.alerts, func(c *backup.Config) {
					if depth == store.ByChecksums {
						c.IdentityFile = emptyFile(t) // as a platform mounts one where no identity is configured
					}
				})
				m := w.backup(f)
				if m.Verification.By != depth || !m.Good() {
					t.Fatalf("got a verification by %s, want by %s", m.Verification.By, depth)
				}
				w.damage(strings.Replace(prefix, "ID", m.ID, 1))
				got, err := f.Verify(t.Context(), m.ID, false)
				if err == nil || got.Good() {
					t.Errorf("got %s, %v; want it found", got.Status(), err)
				}
				who.heard(t, "a stored backup failed its verification")
				list, err := f.List(t.Context(), false)
				if err != nil || list.LastGood != "" || list.Healthy {
					t.Errorf("the list says %+v, %v; want no good backup", list, err)
				}
				// The next backup is whole, also where it shares what was damaged.
				next := w.backup(f)
				if what == "object" && next.ObjectsStored != 1 {
					t.Errorf("the next backup stored %d objects, want the damaged one again", next.ObjectsStored)
				}
				told := []string{"a stored backup failed its verification", "recovered"}
				if what == "manifest" { // whoever can write to the bucket may have put it there
					told = append(told, "stored backups are not to be trusted")
				}
				who.heard(t, told...)
			})
		}
	}
}

// TestABackupIsNotCalledDamagedBecauseAServerIsDown: nothing is known of it, so its manifest stays as it was.
func TestABackupIsNotCalledDamagedBecauseAServerIsDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	who := somebody(t)
	m := w.backup(w.function())
	down := w.function(who.alerts, func(c *backup.Config) {
		c.ScratchURL = secret.New("postgres://schedgen@127.0.0.1:1/schedgen?sslmode=disable")
	})
	if got, err := down.Verify(t.Context(), m.ID, false); err == nil || !got.Good() {
		t.Errorf("got %s, %v; want an error, and the backup as it was", got.Status(), err)
	}
	who.heard(t, "a stored backup could not be verified")
	if _, err := w.function(who.alerts).Verify(t.Context(), m.ID, false); err != nil {
		t.Fatal(err)
	}
	who.heard(t, "a stored backup could not be verified", "recovered")
}

func TestAWrongKeyOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	who := somebody(t)
	m := w.backup(w.function())
	other, _ := keys(t)
	f := w.function(who.alerts, func(c *backup.Config) { c.IdentityFile = other })
	if _, err := f.Verify(t.Context(), m.ID, false); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("verify: got %v, want ErrWrongKey", err)
	}
	who.heard(t, "none of the identities opens")
	into := pgtest.Empty(t)
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, To: secret.New(into)}); !errors.Is(err, seal.ErrWrongKey) {
		t.Errorf("restore: got %v, want ErrWrongKey", err)
	}
	if m, err := f.Run(t.Context()); !errors.Is(err, seal.ErrWrongKey) || m.Good() {
		t.Errorf("a run that verifies with another key than it encrypts to: got %s, %v; want ErrWrongKey", m.Status(), err)
	}
	onlyWhole(t, w.function(), 2)
}

func TestAStolenBucketRevealsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(5)
	job, err := w.addJob(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	pdf := objects(t, w.pdfs)[job.ObjectKey]
	w.backup(w.function())
	words := []string{confidential, "Secretive", "COS 212", "%PDF", job.ID, job.Owner, job.SHA256, "timetable.pdf", "uploads/", "BEGIN:VCALENDAR",
		"create table", "CREATE TABLE", "dead_letters", w.cfg.Postgres.URL.Reveal(), pdf[:40]}
	stolen := objects(t, w.backups())
	if len(stolen) < 10 {
		t.Fatalf("the bucket has %d objects, want a whole backup", len(stolen))
	}
	for key, content := range stolen {
		for _, word := range words {
			if strings.Contains(key, word) || strings.Contains(content, word) {
				t.Errorf("%s shows %q", key, word)
			}
		}
	}
}

func TestOfTwoStartsAtOnceOneRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(5)
	w.cfg.Lease = 8 * time.Second // who loses waits for a sign of life of the winner
	const starts = 3
	outcomes := make(chan error, starts)
	for range starts {
		f := w.function() // each as another instance
		go func() {
			_, err := f.Run(context.Background())
			outcomes <- err
		}()
	}
	won := 0
	for range starts {
		err := <-outcomes
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrLocked) {
			t.Errorf("got %v, want ErrLocked", err)
		}
	}
	if won == 0 {
		t.Error("none of the starts made a backup")
	}
	onlyWhole(t, w.function(), won)
}

func TestNoPasswordIsLoggedOrTold(t *testing.T) {
	t.Parallel()
	w, who := newWorld(t), somebody(t)
	const password = "s3cret-of-the-database"
	f := w.function(who.alerts, func(c *backup.Config) {
		c.Postgres.URL = secret.New("postgres://schedgen:" + password + "@127.0.0.1:1/schedgen?sslmode=disable")
		c.ScratchURL = c.Postgres.URL
	})
	var logged bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	lines := []string{}
	ctx := progress.With(api.WithLogger(t.Context(), logger), func(line string) { lines = append(lines, line) })
	_, err := f.Run(ctx)
	if err == nil {
		t.Fatal("a run without a database succeeded")
	}
	_, restoreErr := f.Restore(ctx, restore.Options{})
	who.mu.Lock()
	defer who.mu.Unlock()
	if len(who.told) == 0 || logged.Len() == 0 || restoreErr == nil {
		t.Fatalf("told %q, logged %q, %v; want an alert, a log and an error", who.told, logged.String(), restoreErr)
	}
	for what, text := range map[string]string{"error": err.Error(), "restore's error": restoreErr.Error(), "log": logged.String(), "alerts": strings.Join(who.told, "\n"), "progress": strings.Join(lines, "\n")} {
		if strings.Contains(text, password) || strings.Contains(text, s3test.SecretKey) {
			t.Errorf("the %s shows a password: %s", what, text)
		}
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
