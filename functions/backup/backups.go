package backup

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/deletions"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/functions/backup/watch"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/sweeps"
)

// Run makes one backup, verifies it, copies it off site and prunes old ones, as run.Runner says.
func (f *Function) Run(ctx context.Context) (store.Manifest, error) { return f.runIfDue(ctx, 0) }

// runIfDue is Run, or run.ErrNotDue if a good backup is younger than minAge.
func (f *Function) runIfDue(ctx context.Context, minAge time.Duration) (store.Manifest, error) {
	if !f.Enabled() {
		return store.Manifest{}, ErrDisabled
	}
	defer f.gauges.Invalidate()
	stop := f.keepListing(ctx)
	m, err := f.runner.Run(ctx, minAge)
	stop()
	if err == nil {
		// The backup is made and good, whatever these find. The next watch looks again.
		if err := sweeps.Finished(ctx, f.pool, sweeps.Backup); err != nil {
			api.Logger(ctx).WarnContext(ctx, "the backup was not noted in the database", "backup", m.ID, "error", err.Error())
		}
		list, err := f.store.List(ctx)
		unlisted := f.publishDeletions(ctx, list)
		if unlisted != nil {
			api.Logger(ctx).ErrorContext(ctx, "deletions not listed beside the backups", "backup", m.ID, "error", unlisted)
		}
		f.reportUnlisted(ctx, unlisted)
		if err == nil {
			f.watcher.ReportSuspects(ctx, list)
		}
	}
	return m, err
}

// Verify verifies a stored backup again and records the result in its manifest. An error means that the backup is
// bad, which the manifest then says, or that it could not be verified; people are alerted of either.
func (f *Function) Verify(ctx context.Context, id string, offsite bool) (store.Manifest, error) {
	bucket, err := f.bucket(offsite)
	if err != nil {
		return store.Manifest{}, err
	}
	lock, held, err := bucket.Lock(ctx, f.cfg.Lease) // so that nothing prunes or changes it meanwhile
	if err != nil {
		return store.Manifest{}, err
	}
	defer lock.Release(ctx)
	list, err := bucket.List(held)
	if err != nil {
		return store.Manifest{}, err
	}
	i := slices.IndexFunc(list, func(m store.Manifest) bool { return m.ID == id })
	if i < 0 {
		return store.Manifest{}, store.ErrNotFound
	}
	defer f.gauges.Invalidate()
	m, err := f.verifier.Verify(held, bucket, list[i])
	list[i] = m
	switch {
	case err != nil && archive.IsDamage(err):
		err = fmt.Errorf("the backup %s: %w", m.ID, err)
		f.incidents.Report(ctx, watch.DamagedBackup, "a stored backup failed its verification", err.Error())
		return m, err
	case err != nil:
		err = fmt.Errorf("the backup %s: %w", m.ID, err)
		f.incidents.Report(ctx, watch.UnverifiedBackup, "a stored backup could not be verified", err.Error())
		return m, err
	}
	f.incidents.Resolve(ctx, watch.UnverifiedBackup)
	damaged := func(m store.Manifest) bool { return m.Status() == store.Failed }
	if !slices.ContainsFunc(list, damaged) {
		f.incidents.Resolve(ctx, watch.DamagedBackup)
	}
	return m, nil
}

// Restore restores a backup, as restore.Restorer says.
func (f *Function) Restore(ctx context.Context, o restore.Options) (restore.Result, error) {
	bucket, err := f.bucket(o.Offsite)
	if err != nil {
		return restore.Result{}, err
	}
	return f.restorer.Restore(ctx, bucket, o)
}

// Watch brings the buckets' lists of deletions up to date, and reports what is wrong with the backups, as watch.Watcher
// says. The lists come first: a mail server that hangs must not keep them waiting.
func (f *Function) Watch(ctx context.Context) (watch.State, error) {
	if !f.Enabled() {
		return watch.State{}, nil
	}
	list, err := f.watcher.List(ctx)
	unlisted := f.publishDeletions(ctx, list)
	state, err := f.watcher.Check(ctx, list, err)
	if err == nil { // else people know already that the bucket is not to be reached
		f.reportUnlisted(ctx, unlisted)
	}
	return state, errors.Join(err, unlisted)
}

// publishDeletions notes beside the backups who deleted everything. Without a list of the backups it drops no deletion.
func (f *Function) publishDeletions(ctx context.Context, list []store.Manifest) error {
	entries, err := personal.NewStore(f.pool).Deletions(ctx)
	if err == nil {
		err = f.listDeletions(ctx, entries, list)
	}
	if err != nil {
		return fmt.Errorf("the list of people who deleted everything is not up to date, so a restore could bring them back: %w", err)
	}
	return nil
}

// lastMade is when the newest good backup was made, as the database knows; zero if it knows of none, or cannot be asked.
func (f *Function) lastMade(ctx context.Context) time.Time {
	last, err := sweeps.Last(ctx, f.pool)
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "the database does not say when a backup was made", "error", err)
	}
	return last[sweeps.Backup].At
}

// reportUnlisted alerts people why the list of deletions could not be written, or that it could be again.
func (f *Function) reportUnlisted(ctx context.Context, err error) {
	if err == nil {
		f.incidents.Resolve(ctx, watch.UnlistedDeletions)
		return
	}
	f.incidents.Report(ctx, watch.UnlistedDeletions, "the list of deletions could not be written", err.Error())
}

// listDeletions writes to both buckets, and notes what is in both. One that fails does not stop the other.
func (f *Function) listDeletions(ctx context.Context, entries []personal.Entry, list []store.Manifest) error {
	err := deletions.Publish(ctx, f.store, entries, list)
	if f.offsite != nil {
		copies, offsiteErr := f.offsite.List(ctx)
		if offsiteErr == nil {
			offsiteErr = deletions.Publish(ctx, f.offsite, entries, copies)
		}
		if offsiteErr != nil {
			err = errors.Join(err, fmt.Errorf("off site: %w", offsiteErr))
		}
	}
	if err != nil {
		f.lists.WithLabelValues("failed").Inc()
		return err
	}
	f.lists.WithLabelValues("ok").Inc()
	f.listed.Store(&entries)
	return nil
}

// newLists returns the counter of lists of deletions.
func newLists() *prometheus.CounterVec {
	lists := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_backup_deletion_lists_total",
		Help: "Lists of people who deleted everything, by outcome: ok (up to date in each bucket), failed."}, []string{"outcome"})
	for _, outcome := range []string{"ok", "failed"} {
		lists.WithLabelValues(outcome) // at 0: what Prometheus first sees at 1 is no increase to it
	}
	return lists
}

// Listing is every backup, the newest first, and their state as a whole.
type Listing struct {
	Healthy    bool            `json:"healthy"`
	LastGood   string          `json:"lastGood,omitempty"`
	LastGoodAt *time.Time      `json:"lastGoodAt,omitempty"`
	Reason     string          `json:"reason,omitempty"`
	Backups    []store.Summary `json:"backups"`
}

// List returns the backups of the bucket, or of the second one.
func (f *Function) List(ctx context.Context, offsite bool) (Listing, error) {
	bucket, err := f.bucket(offsite)
	if err != nil {
		return Listing{}, err
	}
	if err := bucket.Ready(ctx); err != nil {
		return Listing{}, err
	}
	list, err := bucket.List(ctx)
	if err != nil {
		return Listing{}, err
	}
	s := f.watcher.Assess(list, time.Time{})
	out := Listing{Healthy: s.Healthy, LastGood: s.LastGood, LastGoodAt: s.LastGoodAt, Reason: s.Reason, Backups: []store.Summary{}}
	for _, m := range list {
		out.Backups = append(out.Backups, m.Summary())
	}
	return out, nil
}

// bucket returns the backup bucket, or the second one.
func (f *Function) bucket(offsite bool) (*store.Store, error) {
	switch {
	case !offsite:
		return f.store, nil
	case f.offsite == nil:
		return nil, errors.New("no off-site bucket is configured")
	}
	return f.offsite, nil
}
