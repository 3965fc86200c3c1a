package backup_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// TestADatabaseIsRestoredWithoutDamagedPDFs: on new servers the restore would else never end.
func TestADatabaseIsRestoredWithoutDamagedPDFs(t *testing.T) {
	t.Parallel()
	w, f, m := backedUp(t, 3)
	want := w.tables()
	w.damage("objects/")
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
	w, f, m := backedUp(t, 2)
	w.damage("objects/")
	if restored, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); err != nil || len(restored.Lost) != 0 {
		t.Errorf("%q are lost, %v", restored.Lost, err)
	}
}

// TestARestoreThatFailsKeepsThePDFsThatTheTablesList: only the bucket was lost, and is back but for one PDF.
func TestARestoreThatFailsKeepsThePDFsThatTheTablesList(t *testing.T) {
	t.Parallel()
	w, f, m := backedUp(t, 3)
	want := w.tables()
	w.emptyBucket()
	w.damage("objects/")
	if _, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true}); !errors.Is(err, restore.ErrLost) {
		t.Errorf("got %v, want that one is lost", err)
	}
	sameTables(t, w.tables(), want)
	if there := objects(t, w.pdfs); len(there) != 2 {
		t.Errorf("%d PDFs are there, want the two that could be restored", len(there))
	}
}

// TestAPDFIsNotLostBecauseTheBucketIsAway: the backup's copy is damaged, and nobody knows whether the bucket has it.
func TestAPDFIsNotLostBecauseTheBucketIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	b := w.between()
	f := w.function(pdfsThrough(b))
	m := w.backup(f)
	w.damage("objects/")
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
	w, f, m := backedUp(t, 3)
	w.emptyBucket()
	w.damage("objects/")
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
