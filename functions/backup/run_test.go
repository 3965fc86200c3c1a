package backup_test

import (
	"testing"

	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestABackupRestoresElsewhere(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]func(testing.TB, ...s3test.Webhook) *s3test.Server{"embedded": s3test.New, "MinIO": s3test.MinIO} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := worldOn(t, pgtest.New(t), server(t))
			w.fill(12)
			m := w.backup(w.function())
			if m.Status() != "verified" || m.Objects != 12 || m.ObjectsStored != 12 || m.Tables < 6 || m.ListedItems == 0 || m.Schema == 0 {
				t.Errorf("got %s %+v", m.Status(), m)
			}
			if left := scratchDatabases(t, w.cfg.Postgres.URL.Reveal()); len(left) > 0 {
				t.Errorf("scratch databases are left: %q", left)
			}
			elsewhere := pgtest.Empty(t)
			other := s3test.New(t)
			f := w.function(pdfsIn(other))
			got, err := f.Restore(t.Context(), restore.Options{To: secret.New(elsewhere)})
			if err != nil {
				t.Fatalf("restore: %v", err)
			}
			if len(got.Checks) < 4 {
				t.Errorf("got the checks %+v, want tables, migrations, objects, s3", got.Checks)
			}
			sameTables(t, tables(t, elsewhere), w.tables())
			sameObjects(t, objects(t, other.Store(t)), objects(t, w.pdfs))
		})
	}
}

func TestUnchangedObjectsAreNotStoredAgain(t *testing.T) {
	t.Parallel()
	w, f, first := backedUp(t, 5)
	w.fill(2)
	second := w.backup(f)
	if first.ObjectsStored != 5 || second.ObjectsStored != 2 || second.Objects != 7 {
		t.Errorf("stored %d of %d, then %d of %d; want 5 of 5, then 2 of 7",
			first.ObjectsStored, first.Objects, second.ObjectsStored, second.Objects)
	}
	stored := 0
	if err := w.backups().List(t.Context(), "objects/", func(blob.Info) error { stored++; return nil }); err != nil || stored != 7 {
		t.Errorf("the bucket has %d objects, %v; want 7", stored, err)
	}
}
