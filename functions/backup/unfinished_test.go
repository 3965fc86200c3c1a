package backup_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
)

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
