package backup_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/secret"
)

// TestAPDFIsNotLostBecauseTheBucketIsAway: the backup's copy is damaged, and nobody knows whether the bucket has it.
func TestAPDFIsNotLostBecauseTheBucketIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(func(c *backup.Config) { c.Blob.URL = b.URL })
	m := w.backup(f)
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	b.set(func(out http.ResponseWriter, r *http.Request) bool {
		away := r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/uploads/")
		if away {
			out.WriteHeader(http.StatusForbidden)
		}
		return away
	})
	for _, without := range []bool{false, true} {
		got, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true, WithoutDamagedPDFs: without})
		if err == nil || errors.Is(err, restore.ErrLost) || len(got.Lost) != 0 {
			t.Errorf("without damaged PDFs %t: %q are lost, %v; want none, and the bucket's error", without, got.Lost, err)
		}
	}
}

// TestARestoreElsewhereThatFailsKeepsTheSystemsPDFs: the other database lists them no more, and the system still does.
func TestARestoreElsewhereThatFailsKeepsTheSystemsPDFs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(3)
	f := w.function()
	m := w.backup(f)
	w.emptyBucket()
	flip(t, w.backups(), keyLike(t, w.backups(), "objects/"))
	to := pgtest.New(t)
	want := tables(t, to)
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, To: secret.New(to), Replace: true}); !errors.Is(err, restore.ErrLost) {
		t.Errorf("got %v, want that one is lost", err)
	}
	sameTables(t, tables(t, to), want)
	if there := objects(t, w.pdfs); len(there) != 2 {
		t.Errorf("%d PDFs are there, want the two that could be restored", len(there))
	}
}
