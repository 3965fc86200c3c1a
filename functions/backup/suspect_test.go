package backup_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/personal"
)

// objectCount is how many sealed PDFs the backup bucket has.
func (w *world) objectCount() (n int) {
	w.t.Helper()
	if err := w.backups().List(w.t.Context(), "objects/", func(blob.Info) error { n++; return nil }); err != nil {
		w.t.Fatal(err)
	}
	return n
}

// TestABackupOfAnotherKeyIsReported, and one without a signature beside older ones with one. Those from before there was
// a key are not.
func TestABackupOfAnotherKeyIsReported(t *testing.T) {
	t.Parallel()
	w, who := newWorld(t), somebody(t)
	w.fill(1)
	w.backup(w.function()) // before there was a key
	f := w.function(signed("s"), who.alerts)
	w.backup(f)
	who.heard(t)
	theirs := []string{w.backup(w.function(signed("x"))).ID, w.backup(w.function()).ID}
	damaged := store.NewID(time.Now())
	w.putObject("manifests/"+damaged+".json", []byte("{}"))
	for range 2 {
		if s, err := f.Watch(t.Context()); err != nil || !s.Healthy {
			t.Errorf("got %+v, %v; want a good backup beside the others", s, err)
		}
	}
	who.heard(t, "not to be trusted")
	for _, want := range []string{theirs[0] + " is not signed by a known key", theirs[1] + " is not signed, although", damaged + " cannot be read"} {
		if !strings.Contains(who.told[0], want) {
			t.Errorf("%q is missing in %s", want, who.told[0])
		}
	}
	for _, id := range append(theirs, damaged) {
		if err := w.backups().Delete(t.Context(), "manifests/"+id+".json"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	who.heard(t, "not to be trusted", "recovered")
}

// TestAForgedBackupStopsNoPruning: it names objects that nobody can read, and is from the future.
func TestAForgedBackupStopsNoPruning(t *testing.T) {
	t.Parallel()
	w, at := newWorld(t), monday()
	w.cfg.Retention.Daily = 1
	job, err := w.addJob(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	f := at.of(w.function(signed("s")))
	m := w.backup(f)
	forged := store.NewID(at.now.AddDate(50, 0, 0))
	w.putObject("manifests/"+forged+".json", forge(t, w.object("manifests/"+m.ID+".json"), func(manifest map[string]any) {
		manifest["id"], manifest["createdAt"] = forged, at.now.AddDate(50, 0, 0)
	}))
	if err := w.pdfs.Delete(t.Context(), job.ObjectKey); err != nil {
		t.Fatal(err)
	}
	if err := w.jobs.PDFDeleted(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	at.now = at.now.AddDate(0, 0, 40)
	w.cfg.Retention.Weekly, w.cfg.Retention.Monthly = 1, 1
	w.backup(at.of(w.function(signed("s"))))
	if n := w.objectCount(); n != 0 {
		t.Errorf("%d PDFs that no backup needs are left", n)
	}
}

// TestKeysThatOnlyVerify: backups that are made all the same are reported, and old ones go.
func TestKeysThatOnlyVerify(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	w.cfg.Retention.Daily, w.cfg.Retention.Weekly, w.cfg.Retention.Monthly = 1, 1, 1
	f := at.of(w.function(who.alerts, func(c *backup.Config) { c.VerifyKeys = []string{publicKey(t, "s")} }))
	for range 3 {
		w.backup(f)
		at.now = at.now.Add(5 * time.Hour)
	}
	who.heard(t, "BACKUP_SIGNING_KEY is not")
	at.now = at.now.AddDate(0, 0, 40)
	w.backup(f)
	list, err := f.List(t.Context(), false)
	if err != nil || len(list.Backups) != 1 {
		t.Errorf("%d backups are left, %v; want the newest", len(list.Backups), err)
	}
}

// TestAListThatCannotBeWrittenIsReported: the backup beside it is good all the same.
func TestAListThatCannotBeWrittenIsReported(t *testing.T) {
	t.Parallel()
	w, who, at := newWorld(t), somebody(t), monday()
	w.fill(1)
	w.requestDeletion()
	b := w.between()
	f := at.of(w.function(through(b), who.alerts))
	b.set(func(out http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.HasSuffix(r.URL.Path, "state/deletions.json") {
			return false
		}
		out.WriteHeader(http.StatusForbidden)
		return true
	})
	if m := w.backup(f); !m.Good() {
		t.Errorf("the backup is %s", m.Status())
	}
	at.now = at.now.Add(10 * time.Minute)
	if _, err := f.Watch(t.Context()); err == nil {
		t.Error("the watch succeeded without the list")
	}
	who.heard(t, "the list of deletions could not be written")
	b.set(nil)
	if _, err := f.Watch(t.Context()); err != nil {
		t.Error(err)
	}
	who.heard(t, "the list of deletions could not be written", "recovered")
	registry := prometheus.NewRegistry()
	registry.MustRegister(f.Collectors()...)
	want := `
# HELP schedgen_backup_deletion_lists_total Lists of people who deleted everything, by outcome: ok (up to date in each bucket), failed.
# TYPE schedgen_backup_deletion_lists_total counter
schedgen_backup_deletion_lists_total{outcome="failed"} 2
schedgen_backup_deletion_lists_total{outcome="ok"} 1
`
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "schedgen_backup_deletion_lists_total"); err != nil {
		t.Error(err)
	}
}

// requestDeletion notes that a person deleted everything.
func (w *world) requestDeletion() {
	w.t.Helper()
	job, err := w.addJob(w.t.Context(), 1)
	if err == nil {
		_, err = personal.NewStore(w.pool).Request(w.t.Context(), job.Owner)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}
