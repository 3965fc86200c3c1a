package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/retention"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
)

// ErrDisabled says that no key is configured to encrypt to.
var ErrDisabled = errors.New("backups are disabled: no recipient is configured")

// Run makes one backup, verifies it, copies it off site and prunes old ones. An error means that no
// backup was made (the manifest has no ID then), or that one was made and something after it failed;
// in either case nothing was pruned, and people were alerted. While another run works it does nothing
// and says store.ErrLocked.
func (f *Function) Run(ctx context.Context) (store.Manifest, error) {
	return f.runUnless(ctx, func(context.Context) bool { return false })
}

// errSpared says that no backup was made because none was needed.
var errSpared = errors.New("there is no need of a backup")

// runUnless is Run, or errSpared if spare says so once no other run can change the answer.
func (f *Function) runUnless(ctx context.Context, spare func(context.Context) bool) (store.Manifest, error) {
	if !f.Enabled() {
		return store.Manifest{}, ErrDisabled
	}
	began := time.Now()
	m, err := f.locked(ctx, spare)
	switch {
	case errors.Is(err, store.ErrLocked):
		f.metrics.runs.WithLabelValues("locked").Inc()
	case !errors.Is(err, errSpared):
		f.finished(ctx, m, err, time.Since(began))
	}
	return m, err
}

// locked is runUnless under the lock.
func (f *Function) locked(ctx context.Context, spare func(context.Context) bool) (store.Manifest, error) {
	lock, held, err := f.store.Lock(ctx, f.cfg.Lease)
	if err != nil {
		return store.Manifest{}, err
	}
	defer lock.Release(ctx)
	if spare(held) {
		return store.Manifest{}, errSpared
	}
	m, err := f.make(held, lock)
	if err != nil {
		if cause := context.Cause(held); errors.Is(cause, store.ErrLockLost) && !errors.Is(err, store.ErrLockLost) {
			err = errors.Join(cause, err)
		}
		return store.Manifest{}, err
	}
	m, err = f.after(held, m)
	return m, err
}

// run is a backup on its way.
type run struct {
	f       *Function
	id      string
	objects *copier
	m       store.Manifest
}

// make stores a backup. What a failure leaves is deleted, here or by the next run.
func (f *Function) make(ctx context.Context, lock *store.Lock) (m store.Manifest, err error) {
	began := time.Now()
	r := &run{f: f, id: store.NewID(f.Now())}
	if err := f.clean(ctx); err != nil {
		return m, err
	}
	if err := f.store.Begin(ctx, r.id); err != nil {
		return m, fmt.Errorf("begin the run: %w", err)
	}
	defer func() {
		if err != nil {
			f.discard(ctx, r.id)
		}
	}()
	if err := r.fill(ctx); err != nil {
		return m, err
	}
	r.m.Seconds = time.Since(began).Seconds()
	// Nobody else may have begun to prune what this backup needs.
	if err := lock.Confirm(ctx); err != nil {
		return m, fmt.Errorf("confirm the lock: %w", err)
	}
	m, err = f.store.Commit(ctx, r.m)
	if err != nil {
		return m, err
	}
	progress(ctx, "stored backup %s: %d rows in %d tables, %d PDFs, %s in %.1f s", m.ID, m.Rows, m.Tables, m.Objects, size(m.StoredBytes), m.Seconds)
	return m, nil
}

// clean deletes what crashed runs left: it takes room, and a verification's database holds everything
// in plain.
func (f *Function) clean(ctx context.Context) error {
	swept, err := f.store.SweepRuns(ctx, f.Now())
	if err != nil {
		return fmt.Errorf("look for what crashed runs left: %w", err)
	}
	if swept > 0 {
		progress(ctx, "deleted what %d crashed runs left", swept)
	}
	if f.cfg.IdentityFile == "" {
		return nil
	}
	// A scratch server that is away must not prevent a backup; its verification will tell.
	if err := dump.DropScratch(ctx, f.cfg.ScratchURL); err != nil {
		api.Logger(ctx).WarnContext(ctx, "scratch databases that crashed runs left may still be there", "error", err)
	}
	return nil
}

// discard deletes what a failed run stored, as far as that is possible now.
func (f *Function) discard(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	if err := f.store.Discard(ctx, id, f.Now()); err != nil {
		api.Logger(ctx).WarnContext(ctx, "a failed run leaves parts for the next to delete", "run", id, "error", err)
	}
}

// fill stores everything but the manifest, and describes it.
//
// The PDFs are copied before the snapshot is taken, and those that came meanwhile after it: a PDF
// that is deleted while the backup runs is there for the snapshot that knows it.
func (r *run) fill(ctx context.Context) (err error) {
	f := r.f
	if r.objects, err = f.newCopier(ctx); err != nil {
		return err
	}
	if err := r.objects.copy(ctx); err != nil {
		return err
	}
	snapshot, err := dump.Open(ctx, f.cfg.Postgres.URL)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	tools, err := dump.FindTools(ctx, snapshot.Major)
	if err != nil {
		return err
	}
	r.m = store.Manifest{ID: r.id, CreatedAt: f.Now().UTC(), Postgres: snapshot.Version, PgDump: tools.Version,
		Schema: snapshot.Schema, Recipients: f.cfg.Recipients}
	if err := r.objects.copy(ctx); err != nil {
		return err
	}
	known, jobs, err := snapshot.PDFs(ctx)
	if err != nil {
		return err
	}
	objects, missing := r.objects.entries, 0
	if jobs {
		objects, missing = belonging(objects, known)
	}
	if len(known) > 0 && missing > 0 && len(objects) == 0 {
		return fmt.Errorf("the bucket of PDFs has none of the %d that the database knows: it was lost, and is not backed up as empty", missing)
	}
	r.m.ObjectsMissing = missing
	c := contents{SnapshotAt: snapshot.At}
	if err := r.database(ctx, snapshot, tools, &c); err != nil {
		return err
	}
	return r.describe(ctx, c, objects)
}

// database dumps the snapshot, and counts and hashes its tables at the same time.
func (r *run) database(ctx context.Context, snapshot *dump.Snapshot, tools dump.Tools, c *contents) error {
	progress(ctx, "dumping the database (PostgreSQL %s, pg_dump %s)", snapshot.Version, tools.Version)
	var items []string
	group, limited := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		c.Tables, err = snapshot.Tables(limited, func(t dump.Table) { progress(ctx, "  %s: %d rows", t.Name, t.Rows) })
		return err
	})
	group.Go(func() (err error) {
		items, err = r.archive(limited, snapshot.ID, tools, c)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range c.Tables {
		r.m.Rows += t.Rows
	}
	r.m.Tables, r.m.ListedItems = len(c.Tables), len(items)
	return holds(items, c.Tables)
}

// describe stores the contents and the names of objects, and looks that all of it is there.
func (r *run) describe(ctx context.Context, c contents, objects map[string]entry) (err error) {
	if r.m.Contents, err = r.sealContents(ctx, c, objects); err != nil {
		return fmt.Errorf("store the contents: %w", err)
	}
	if r.m.ObjectNames, err = r.storeNames(ctx, objects); err != nil {
		return fmt.Errorf("store the names of objects: %w", err)
	}
	for _, e := range objects {
		r.m.ObjectBytes += e.Size
	}
	r.m.Objects, r.m.ObjectsStored = len(objects), r.objects.stored
	r.m.StoredBytes = r.m.Dump.Size + r.m.Contents.Size + r.m.ObjectNames.Size + r.objects.storedBytes
	// A bucket that was deleted and made anew meanwhile took the parts before with it.
	if err := r.f.store.Whole(ctx, r.m); err != nil {
		return fmt.Errorf("look at what was stored: %w", err)
	}
	there, err := r.f.store.Objects(ctx)
	if err != nil {
		return err
	}
	for _, e := range objects {
		if !there[e.Name] {
			return fmt.Errorf("look at what was stored: object %s is gone", e.Name)
		}
	}
	return nil
}

// after verifies a backup, copies it, and prunes when both went well. One that could not be verified
// is copied all the same: what a broken scratch server hides may be the only backup that is left.
func (f *Function) after(ctx context.Context, m store.Manifest) (store.Manifest, error) {
	m, verifyErr := f.verified(ctx, f.store, m)
	if verifyErr != nil {
		verifyErr = fmt.Errorf("the backup %s is stored, its verification failed: %w", m.ID, verifyErr)
		if condemns(verifyErr) {
			return m, verifyErr
		}
	}
	m, copyErr := f.copied(ctx, m)
	if copyErr != nil {
		copyErr = fmt.Errorf("the backup %s is stored, its copy off site failed: %w", m.ID, copyErr)
	}
	if err := errors.Join(verifyErr, copyErr); err != nil {
		return m, err
	}
	if err := f.prune(ctx, f.store); err != nil {
		return m, fmt.Errorf("the backup %s is stored and verified, pruning failed: %w", m.ID, err)
	}
	return m, nil
}

// copied brings the backup to the second target, if there is one.
func (f *Function) copied(ctx context.Context, m store.Manifest) (store.Manifest, error) {
	if f.offsite == nil {
		return m, nil
	}
	var bytes int64
	lock, held, err := f.offsite.Lock(ctx, f.cfg.Lease)
	if err == nil {
		bytes, err = f.copyLocked(held, m)
		lock.Release(ctx)
	}
	m.Offsite = &store.Copy{At: f.Now().UTC(), OK: err == nil, Bytes: bytes}
	if err != nil {
		m.Offsite.Error = err.Error()
	}
	updated, updateErr := f.store.Update(ctx, m)
	return updated, errors.Join(err, updateErr)
}

func (f *Function) copyLocked(ctx context.Context, m store.Manifest) (int64, error) {
	progress(ctx, "copying off site")
	if _, err := f.offsite.SweepRuns(ctx, f.Now()); err != nil {
		return 0, err
	}
	bytes, err := f.store.CopyTo(ctx, f.offsite, m)
	if err != nil {
		return bytes, err
	}
	progress(ctx, "copied %s off site", size(bytes))
	if !m.Good() {
		return bytes, nil // nothing is pruned for it
	}
	return bytes, f.prune(ctx, f.offsite)
}

// prune deletes the backups that the policy does not keep, then what none needs any more.
func (f *Function) prune(ctx context.Context, bucket *store.Store) error {
	list, err := bucket.List(ctx)
	if err != nil {
		return err
	}
	var all []retention.Backup
	for _, m := range list {
		all = append(all, retention.Backup{ID: m.ID, At: m.CreatedAt, Good: m.Good()})
	}
	for _, id := range retention.Delete(all, f.cfg.Retention, f.Now()) {
		if err := bucket.Remove(ctx, id); err != nil {
			return err
		}
		progress(ctx, "deleted backup %s, which the retention does not keep", id)
	}
	objects, err := bucket.SweepObjects(ctx)
	if objects > 0 {
		progress(ctx, "deleted %d objects that no backup needs", objects)
	}
	return err
}
