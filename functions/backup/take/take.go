// Package take makes one backup: a snapshot of the database and the PDFs that belong to it.
//
// The order matters. PDFs are copied first; then the snapshot is opened and held, and the PDFs that arrived in the
// meantime are copied. So a PDF that is deleted while the backup runs is still there for a snapshot that lists it.
// Objects that the snapshot does not list are left out: restored, they would be PDFs that nothing ever deletes.
//
// A run is a backup from the moment its manifest is stored, and not before. A failure leaves parts without a
// manifest, which Take deletes at once if it can, and which the next run deletes otherwise.
package take

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/secret"
)

// Taker makes backups.
type Taker struct {
	DatabaseURL   secret.String
	PDFs          *blob.Store
	Store         *store.Store // where backups go
	Namer         store.Namer
	Recipients    []age.Recipient
	RecipientKeys []string // the same as text, for the manifest
	Now           func() time.Time
}

// Take makes a backup and stores it; it is not verified yet. The caller holds the lock of the bucket.
func (t *Taker) Take(ctx context.Context, lock *store.Lock) (m store.Manifest, err error) {
	began := time.Now()
	if err := t.deleteOrphans(ctx); err != nil {
		return m, err
	}
	r := &run{Taker: t, out: archive.Writer{Store: t.Store, RunID: store.NewID(t.Now()), Recipients: t.Recipients}}
	if err := t.Store.Begin(ctx, r.out.RunID); err != nil {
		return m, fmt.Errorf("begin the run: %w", err)
	}
	defer func() {
		if err != nil {
			t.discard(ctx, r.out.RunID)
		}
	}()
	if err := r.storeAll(ctx); err != nil {
		return m, err
	}
	r.manifest.Seconds = time.Since(began).Seconds()
	// Another process must not have begun to prune what this backup needs.
	if err := lock.Confirm(ctx); err != nil {
		return m, fmt.Errorf("confirm the lock: %w", err)
	}
	m, err = t.Store.Commit(ctx, r.manifest)
	if err != nil {
		return m, err
	}
	progress.Report(ctx, "stored backup %s: %d rows in %d tables, %d PDFs, %s in %.1f s",
		m.ID, m.Rows, m.Tables, m.Objects, progress.Bytes(m.StoredBytes), m.Seconds)
	return m, nil
}

// deleteOrphans deletes what crashed runs left, which takes up room.
func (t *Taker) deleteOrphans(ctx context.Context) error {
	deleted, err := t.Store.SweepRuns(ctx, t.Now())
	if err != nil {
		return fmt.Errorf("delete what crashed runs left: %w", err)
	}
	if deleted > 0 {
		progress.Report(ctx, "deleted what %d crashed runs left", deleted)
	}
	return nil
}

// discard deletes what a failed run stored, as far as that is possible now.
func (t *Taker) discard(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := t.Store.Discard(ctx, id, t.Now()); err != nil {
		api.Logger(ctx).WarnContext(ctx, "parts of a failed run left for the next run to delete", "run", id, "error", err)
	}
}

// run is one backup that is being made.
type run struct {
	*Taker
	out      archive.Writer
	objects  *copier
	manifest store.Manifest
	contents archive.Contents
}

// storeAll stores everything except the manifest, and fills the manifest in.
func (r *run) storeAll(ctx context.Context) (err error) {
	if r.objects, err = r.newCopier(ctx); err != nil {
		return err
	}
	if err := r.objects.copyNew(ctx); err != nil {
		return err
	}
	snapshot, err := dump.OpenForBackup(ctx, r.DatabaseURL.Reveal())
	if err != nil {
		return err
	}
	defer snapshot.Close()
	tools, err := dump.FindTools(ctx, snapshot.Major)
	if err != nil {
		return err
	}
	r.contents.SnapshotAt = snapshot.At
	r.manifest = store.Manifest{ID: r.out.RunID, CreatedAt: r.Now().UTC(), SnapshotAt: snapshot.At.UTC(), Postgres: snapshot.Version, PgDump: tools.Version,
		Schema: snapshot.Schema, Recipients: r.RecipientKeys}
	if err := r.objects.copyNew(ctx); err != nil {
		return err
	}
	if err := r.chooseObjects(ctx, snapshot); err != nil {
		return err
	}
	if err := r.storeDatabase(ctx, snapshot, tools); err != nil {
		return err
	}
	return r.storeContents(ctx)
}

// chooseObjects decides which objects belong to the backup.
func (r *run) chooseObjects(ctx context.Context, snapshot *dump.Snapshot) error {
	listed, hasJobs, err := snapshot.PDFs(ctx)
	if err != nil {
		return err
	}
	chosen, missing := r.objects.copied, 0
	if hasJobs {
		chosen, missing = ofSnapshot(chosen, listed)
	}
	if missing > 0 && len(chosen) == 0 {
		if err := r.checkDeleted(ctx, listed); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(chosen)) {
		r.contents.Objects = append(r.contents.Objects, chosen[key].Object)
		r.manifest.ObjectBytes += chosen[key].Size
	}
	r.manifest.ObjectsMissing = missing
	return nil
}

// checkDeleted returns an error if PDFs that the bucket does not have are listed still: then the bucket was lost. Their
// owners may have deleted them all since the snapshot; who deletes one deletes it from the bucket first.
func (r *run) checkDeleted(ctx context.Context, missing map[string]bool) error {
	const times, interval = 10, 500 * time.Millisecond
	for n := 1; ; n++ {
		progress.Report(ctx, "asking again for PDFs that the bucket does not have")
		listed, err := dump.PDFs(ctx, r.DatabaseURL.Reveal())
		if err != nil {
			return err
		}
		lost := 0
		for key, stored := range missing {
			if stored && listed[key] {
				lost++
			}
		}
		if lost == 0 {
			return nil
		}
		if n == times {
			return fmt.Errorf("the bucket of PDFs has none of the %d that the database lists: it was lost, and is not backed up as empty", lost)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(interval):
		}
	}
}

// storeDatabase dumps the snapshot, and counts and hashes its tables at the same time.
func (r *run) storeDatabase(ctx context.Context, snapshot *dump.Snapshot, tools dump.Tools) error {
	progress.Report(ctx, "dumping the database (PostgreSQL %s, pg_dump %s)", snapshot.Version, tools.Version)
	var items []string
	group, limited := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.contents.Tables, err = snapshot.Tables(limited, func(t dump.Table) { progress.Report(ctx, "  %s: %d rows", t.Name, t.Rows) })
		return err
	})
	group.Go(func() (err error) {
		r.manifest.Dump, items, err = r.out.Dump(limited, tools, r.DatabaseURL.Reveal(), snapshot.ID, &r.contents)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range r.contents.Tables {
		r.manifest.Rows += t.Rows
	}
	r.manifest.Tables, r.manifest.ListedItems = len(r.contents.Tables), len(items)
	return archive.CheckListed(items, r.contents.Tables)
}

// storeContents stores the contents and the names of objects, and checks that everything is still in the bucket.
func (r *run) storeContents(ctx context.Context) (err error) {
	m := &r.manifest
	if m.Contents, err = r.out.Contents(ctx, r.contents); err != nil {
		return fmt.Errorf("store the contents: %w", err)
	}
	if m.ObjectNames, err = r.out.ObjectNames(ctx, r.contents.Objects); err != nil {
		return fmt.Errorf("store the names of objects: %w", err)
	}
	m.Objects, m.ObjectsStored = len(r.contents.Objects), r.objects.stored
	m.StoredBytes = m.Dump.Size + m.Contents.Size + m.ObjectNames.Size + r.objects.storedBytes
	// If the bucket was deleted and made anew in the meantime, the parts before that are gone.
	if err := r.Store.CheckParts(ctx, *m); err != nil {
		return fmt.Errorf("check what was stored: %w", err)
	}
	stored, err := r.Store.Objects(ctx)
	if err != nil {
		return err
	}
	for _, object := range r.contents.Objects {
		if !stored[object.Name] {
			return fmt.Errorf("check what was stored: object %s is gone", object.Name)
		}
	}
	return nil
}
