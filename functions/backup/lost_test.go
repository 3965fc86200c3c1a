package backup_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/restore"
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
