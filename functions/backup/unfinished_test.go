package backup_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// killRestore kills a restore right after it moved aside what the database held.
func (w *world) killRestore() { w.t.Helper(); w.killRestoreAt("moved aside") }

// killRestoreAt kills a restore at the line of its progress that begins so.
func (w *world) killRestoreAt(line string) {
	w.t.Helper()
	victim := w.process()
	victim.Env = append(victim.Env, killAtEnv+"="+line)
	if output, err := victim.CombinedOutput(); err == nil {
		w.t.Fatalf("the restore was not killed: %s", output)
	}
	if err := w.pool.Ping(w.t.Context()); !errors.Is(err, postgres.ErrRestoring) {
		w.t.Fatalf("the killed restore left a database of which Ping says %v", err)
	}
}

// TestNoBackupOfAnUnfinishedRestore: it would be a good backup without a row, and the newest; the next restore would
// take it and drop the tables that the first one moved aside.
func TestNoBackupOfAnUnfinishedRestore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	told := somebody(t)
	f := w.function(told.alerts)
	w.backup(f)
	want := tables(t, w.cfg.Postgres.URL.Reveal())
	w.cfg.Lease = time.Second // what the killed restore keeps the next waiting
	w.killRestore()
	f = w.function(told.alerts, func(c *backup.Config) { c.Lease = 4 * time.Second })
	if _, err := f.Run(t.Context()); !errors.Is(err, postgres.ErrRestoring) {
		t.Errorf("a run after a killed restore: %v, want ErrRestoring", err)
	}
	told.heard(t, "the backup failed")
	onlyWhole(t, f, 1)
	if _, err := f.Restore(t.Context(), restore.Options{Replace: true}); err != nil {
		t.Fatal(err)
	}
	sameTables(t, tables(t, w.cfg.Postgres.URL.Reveal()), want)
}

// TestARestoreWithoutItsPDFsIsUndone: the tables come back, and the bucket of PDFs is as it was.
func TestARestoreWithoutItsPDFsIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	f := w.function()
	m := w.backup(f)
	for key := range objects(t, w.pdfs) { // as their time has come
		if err := w.pdfs.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.pool.Exec(t.Context(), "delete from jobs"); err != nil {
		t.Fatal(err)
	}
	want := tables(t, w.cfg.Postgres.URL.Reveal())
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want the damage", err)
	}
	sameTables(t, tables(t, w.cfg.Postgres.URL.Reveal()), want)
	if left := objects(t, w.pdfs); len(left) != 0 {
		t.Errorf("%d PDFs are left that no table lists", len(left))
	}
	if err := w.pool.Ping(t.Context()); err != nil {
		t.Errorf("the database is as it was, and Ping says %v", err)
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

// TestADatabaseIsRestoredWithoutDamagedPDFs: on new servers the restore would else never end.
func TestADatabaseIsRestoredWithoutDamagedPDFs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	f := w.function()
	m := w.backup(f)
	want := tables(t, w.cfg.Postgres.URL.Reveal())
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	w.emptyBucket()
	to := pgtest.Empty(t)
	failed, err := f.Restore(t.Context(), restore.Options{ID: m.ID, To: secret.New(to)})
	if !errors.Is(err, restore.ErrLost) || !strings.Contains(err.Error(), "--without-damaged-pdfs") || len(failed.Lost) != 1 {
		t.Errorf("%q are lost, %v; want one, and advice", failed.Lost, err)
	}
	if there := objects(t, w.pdfs); len(there) != 2 {
		t.Errorf("%d PDFs were restored, want all others", len(there))
	}
	without, err := f.Restore(t.Context(), restore.Options{ID: m.ID, To: secret.New(to), Replace: true, WithoutDamagedPDFs: true})
	if err != nil || !slices.Equal(without.Lost, failed.Lost) {
		t.Errorf("without them: %q are lost, %v; want %q", without.Lost, err, failed.Lost)
	}
	sameTables(t, tables(t, to), want)
	restored, err := postgres.Open(postgres.Config{URL: secret.New(to)})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	if err := restored.Ping(t.Context()); err != nil {
		t.Errorf("the restore has not ended: %v", err)
	}
}

// TestAPDFThatTheBucketHasIsNotLost, also if it is damaged in the backup.
func TestAPDFThatTheBucketHasIsNotLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	f := w.function()
	m := w.backup(f)
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	if restored, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); err != nil || len(restored.Lost) != 0 {
		t.Errorf("%q are lost, %v", restored.Lost, err)
	}
}

// TestARestoreThatFailsKeepsThePDFsThatTheTablesList: only the bucket was lost, and is back but for one PDF.
func TestARestoreThatFailsKeepsThePDFsThatTheTablesList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	f := w.function()
	m := w.backup(f)
	want := tables(t, w.cfg.Postgres.URL.Reveal())
	w.emptyBucket()
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); !errors.Is(err, restore.ErrLost) {
		t.Errorf("got %v, want that one is lost", err)
	}
	sameTables(t, tables(t, w.cfg.Postgres.URL.Reveal()), want)
	if there := objects(t, w.pdfs); len(there) != 2 {
		t.Errorf("%d PDFs are there, want the two that could be restored", len(there))
	}
}

// TestPDFsOfAKilledRestoreAreDeleted by the next one that fails, after the tables that listed them are gone: if it were
// killed between, no job would be without its PDF.
func TestPDFsOfAKilledRestoreAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	m := w.backup(w.function())
	w.emptyBucket()
	if _, err := w.pool.Exec(t.Context(), "delete from jobs"); err != nil {
		t.Fatal(err)
	}
	want := tables(t, w.cfg.Postgres.URL.Reveal())
	w.cfg.Lease = time.Second // what the killed restore keeps the next waiting
	w.killRestoreAt("ending the restore")
	flip(t, w.backups(), keyLike(t, w.backups(), "runs/"+m.ID+"/dump."))
	b := w.between()
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/uploads/") {
			if err := w.pool.Ping(context.Background()); err != nil {
				t.Errorf("a PDF is deleted before the tables are back: %v", err)
			}
		}
		return false
	})
	f := w.function(func(c *backup.Config) { c.Lease, c.Blob.URL = 4*time.Second, b.URL })
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want the damage", err)
	}
	sameTables(t, tables(t, w.cfg.Postgres.URL.Reveal()), want)
	if left := objects(t, w.pdfs); len(left) != 0 {
		t.Errorf("%d PDFs are left that no table lists", len(left))
	}
}

// TestPDFsOfAKilledRestoreOfAnotherBackupAreDeleted: the restore that fails does not know them.
func TestPDFsOfAKilledRestoreOfAnotherBackupAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	f := w.function()
	w.cfg.Lease = time.Second // what the killed restore keeps the next waiting
	w.backup(f)
	if _, err := w.pool.Exec(t.Context(), "delete from jobs"); err != nil {
		t.Fatal(err)
	}
	w.emptyBucket()
	w.fill(1)
	second := w.backup(f)
	want, pdfs := tables(t, w.cfg.Postgres.URL.Reveal()), objects(t, w.pdfs)
	// The killed restore is of the first backup: the newest is not there for it.
	newest := "manifests/" + second.ID + ".json"
	manifest := w.object(newest)
	if err := w.backups().Delete(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	w.killRestoreAt("ending the restore")
	w.putObject(newest, manifest)
	if there := objects(t, w.pdfs); len(there) != 3 {
		t.Fatalf("%d PDFs are there, want the killed restore's and that of the database", len(there))
	}
	flip(t, w.backups(), keyLike(t, w.backups(), "runs/"+second.ID+"/dump."))
	f = w.function(func(c *backup.Config) { c.Lease = 4 * time.Second })
	if _, err := f.Restore(t.Context(), restore.Options{Replace: true}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v, want the damage", err)
	}
	sameTables(t, tables(t, w.cfg.Postgres.URL.Reveal()), want)
	sameObjects(t, objects(t, w.pdfs), pdfs)
}

// TestARestoreDeletesThePDFsOfUploadsThatItReplaced: nothing would ever delete them. It does so after their tables are
// gone, and not if they are of another database.
func TestARestoreDeletesThePDFsOfUploadsThatItReplaced(t *testing.T) {
	t.Parallel()
	for _, other := range []bool{false, true} {
		w := newWorld(t)
		w.fill(2)
		b := w.between()
		f := w.function(func(c *backup.Config) { c.Blob.URL = b.URL })
		m := w.backup(f)
		want := objects(t, w.pdfs)
		o := restore.Options{ID: m.ID, Replace: true}
		if other { // a copy of the system's database, as it was later
			w.fill(1)
			want = objects(t, w.pdfs)
			later := w.backup(f)
			o.To = secret.New(pgtest.Empty(t))
			if _, err := f.Restore(t.Context(), restore.Options{ID: later.ID, To: o.To}); err != nil {
				t.Fatal(err)
			}
		} else {
			w.fill(1)
		}
		b.set(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete && strings.Contains(r.URL.Path, "/uploads/") {
				if err := w.pool.Ping(context.Background()); err != nil {
					t.Errorf("a PDF is deleted before the restore has ended: %v", err)
				}
			}
			return false
		})
		if _, err := f.Restore(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		sameObjects(t, objects(t, w.pdfs), want)
	}
}

// TestARestoreThatIsKilledAtItsEndHasEnded, whether it succeeded or failed: each job has its PDF, and the sweep knows the
// PDFs that no job lists.
func TestARestoreThatIsKilledAtItsEndHasEnded(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		w := newWorld(t)
		w.fill(2)
		w.backup(w.function())
		restored := tables(t, w.cfg.Postgres.URL.Reveal())["jobs"]
		if _, err := w.pool.Exec(t.Context(), "delete from jobs"); err != nil {
			t.Fatal(err)
		}
		if fails {
			w.emptyBucket()
			flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
		}
		w.fill(3)
		want, orphans := restored, 3
		if fails {
			want, orphans = tables(t, w.cfg.Postgres.URL.Reveal())["jobs"], 1
		}
		victim := w.process()
		victim.Env = append(victim.Env, killAtEnv+"=deleting "+map[bool]string{false: "3", true: "2"}[fails]+" PDFs")
		if output, err := victim.CombinedOutput(); victim.ProcessState.ExitCode() != -1 {
			t.Fatalf("the restore was not killed: %v: %s", err, output)
		}
		if err := w.pool.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if got := tables(t, w.cfg.Postgres.URL.Reveal())["jobs"]; !slices.Equal(got, want) {
			t.Errorf("fails %t: there are %d jobs, want %d", fails, len(got), len(want))
		}
		there := slices.Sorted(maps.Keys(objects(t, w.pdfs)))
		if found, err := w.jobs.Orphans(t.Context(), there); err != nil || len(found) != orphans || len(there) != orphans+len(want) {
			t.Errorf("fails %t: of %d PDFs the sweep would delete %d, %v; want %d, and one for each of %d jobs", fails, len(there), len(found), err, orphans, len(want))
		}
	}
}

// TestARestoreWhoseOrphansCannotBeDeletedHasEnded: the sweep deletes them.
func TestARestoreWhoseOrphansCannotBeDeletedHasEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(func(c *backup.Config) { c.Blob.URL = b.URL })
	m := w.backup(f)
	w.fill(1)
	b.set(func(out http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			out.WriteHeader(http.StatusForbidden)
		}
		return r.Method == http.MethodDelete
	})
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); err != nil {
		t.Error(err)
	}
	if err := w.pool.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestNoRestoreWhileABackupIsMade: one from the second bucket, which has a lock of its own, would make the backup fail, and
// could not drop the tables that the snapshot holds.
func TestNoRestoreWhileABackupIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	away := s3test.New(t)
	w.cfg.Offsite = backup.Target{URL: away.URL, AccessKey: s3test.AccessKey, SecretKey: secret.New(s3test.SecretKey), Bucket: "copies"}
	b := w.between()
	f := w.function(func(c *backup.Config) {
		c.Blob.URL, c.Bucket = b.URL, backup.Target{URL: c.Blob.URL, AccessKey: c.Blob.AccessKey, SecretKey: c.Blob.SecretKey}
	})
	first := w.backup(f)
	var lists atomic.Int32
	b.set(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("list-type") && lists.Add(1) == 2 { // what arrived until the snapshot
			_, err := w.function().Restore(context.Background(), restore.Options{ID: first.ID, Offsite: true, Replace: true})
			if !errors.Is(err, dump.ErrRestoreRuns) {
				t.Errorf("got %v, want that the restore waits", err)
			}
		}
		return false
	})
	if m := w.backup(f); m.Rows < first.Rows || lists.Load() < 2 {
		t.Errorf("the backup has %d rows instead of %d; PDFs were listed %d times", m.Rows, first.Rows, lists.Load())
	}
}

// TestAListOfDeletionsThatIsAwayIsNotIgnored: nothing is known of it then, so no flag may do without it.
func TestAListOfDeletionsThatIsAwayIsNotIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(through(b))
	m := w.backup(f)
	b.set(func(answer http.ResponseWriter, r *http.Request) bool {
		away := strings.HasSuffix(r.URL.Path, "/state/deletions.json")
		if away {
			http.Error(answer, "away", http.StatusServiceUnavailable)
		}
		return away
	})
	for _, ignore := range []bool{false, true} {
		_, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true, IgnoreDeletions: ignore})
		if !errors.As(err, new(*blob.DownError)) || strings.Contains(err.Error(), "--ignore-deletions") {
			t.Errorf("ignoring an unusable list %v: got %v, want that the bucket is away", ignore, err)
		}
	}
	w.putObject("state/deletions.json", []byte("{"))
	b.set(nil)
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); !errors.Is(err, store.ErrUnreadable) || !strings.Contains(err.Error(), "--ignore-deletions") {
		t.Errorf("a damaged list: got %v, want advice", err)
	}
}
