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
	want := w.tables()
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
	sameTables(t, w.tables(), want)
}

// TestARestoreWithoutItsPDFsIsUndone: the tables come back, and the bucket of PDFs is as it was.
func TestARestoreWithoutItsPDFsIsUndone(t *testing.T) {
	t.Parallel()
	w, f, m := backedUp(t, 3)
	w.emptyBucket() // as their time has come
	w.deleteJobs()
	want := w.tables()
	w.damage("objects/")
	findsDamage(t, f, restore.Options{ID: m.ID, Replace: true})
	sameTables(t, w.tables(), want)
	if left := objects(t, w.pdfs); len(left) != 0 {
		t.Errorf("%d PDFs are left that no table lists", len(left))
	}
	if err := w.pool.Ping(t.Context()); err != nil {
		t.Errorf("the database is as it was, and Ping says %v", err)
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
	w.deleteJobs()
	want := w.tables()
	w.cfg.Lease = time.Second // what the killed restore keeps the next waiting
	w.killRestoreAt("ending the restore")
	w.damage("runs/" + m.ID + "/dump.")
	b := w.between()
	b.set(w.readyWhenPDFsGo)
	f := w.function(func(c *backup.Config) { c.Lease, c.Blob.URL = 4*time.Second, b.URL })
	findsDamage(t, f, restore.Options{ID: m.ID, Replace: true})
	sameTables(t, w.tables(), want)
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
	w.deleteJobs()
	w.emptyBucket()
	w.fill(1)
	second := w.backup(f)
	want, pdfs := w.tables(), objects(t, w.pdfs)
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
	w.damage("runs/" + second.ID + "/dump.")
	f = w.function(func(c *backup.Config) { c.Lease = 4 * time.Second })
	findsDamage(t, f, restore.Options{Replace: true})
	sameTables(t, w.tables(), want)
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
		f := w.function(pdfsThrough(b))
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
		b.set(w.readyWhenPDFsGo)
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
		restored := w.tables()["jobs"]
		w.deleteJobs()
		if fails {
			w.emptyBucket()
			w.damage("objects/")
		}
		w.fill(3)
		want, orphans := restored, 3
		if fails {
			want, orphans = w.tables()["jobs"], 1
		}
		victim := w.process()
		victim.Env = append(victim.Env, killAtEnv+"=deleting "+map[bool]string{false: "3", true: "2"}[fails]+" PDFs")
		if output, err := victim.CombinedOutput(); victim.ProcessState.ExitCode() != -1 {
			t.Fatalf("the restore was not killed: %v: %s", err, output)
		}
		if err := w.pool.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if got := w.tables()["jobs"]; !slices.Equal(got, want) {
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
	f := w.function(pdfsThrough(b))
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
