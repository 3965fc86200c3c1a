// Package run is a backup from its beginning to its end: under the bucket's lock it takes one, verifies it, copies
// it off site, and only then deletes the backups that the retention policy does not keep. A run that fails deletes
// no backup.
package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/retention"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/functions/backup/take"
	"github.com/schedgen/schedgen/functions/backup/verify"
	"github.com/schedgen/schedgen/functions/backup/watch"
	"github.com/schedgen/schedgen/shared/api"
)

// ErrNotDue means that no backup was made because a good one is recent enough.
var ErrNotDue = errors.New("the newest good backup is recent enough")

// Runner makes runs.
type Runner struct {
	Store     *store.Store
	Offsite   *store.Store // nil without one
	Taker     *take.Taker
	Verifier  *verify.Verifier
	Incidents *watch.Incidents
	Retention retention.Policy
	Lease     time.Duration // of the bucket's lock
	Now       func() time.Time
	Total     *prometheus.CounterVec // runs by outcome; NewTotal makes it
}

// NewTotal returns the counter of runs.
func NewTotal() *prometheus.CounterVec {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_backup_runs_total",
		Help: "Runs by outcome: ok, failed, locked (another was running)."}, []string{"outcome"})
	for _, outcome := range []string{"ok", "failed", "locked"} {
		total.WithLabelValues(outcome) // at 0: what Prometheus first sees at 1 is no increase to it
	}
	return total
}

// Run makes a backup unless a good one is younger than minAge; then it returns ErrNotDue. The age is checked under
// the lock: a run that waited while another made a backup is not due any more.
//
// An error with no ID in the manifest means that no backup was made. Otherwise one was made and a later step
// failed. In either case nothing was pruned, and people were alerted. While another run works, Run does nothing
// and returns store.ErrLocked.
func (r *Runner) Run(ctx context.Context, minAge time.Duration) (store.Manifest, error) {
	began := time.Now()
	m, err := r.runLocked(ctx, minAge)
	switch {
	case errors.Is(err, store.ErrLocked):
		r.Total.WithLabelValues("locked").Inc()
	case !errors.Is(err, ErrNotDue):
		r.report(ctx, m, err, time.Since(began))
	}
	return m, err
}

// report counts and logs a run, and alerts people if they must know of it.
func (r *Runner) report(ctx context.Context, m store.Manifest, err error, took time.Duration) {
	log := api.Logger(ctx)
	if err != nil {
		r.Total.WithLabelValues("failed").Inc()
		log.ErrorContext(ctx, "backup failed", "backup", m.ID, "seconds", took.Seconds(), "error", err)
		r.Incidents.Report(ctx, watch.FailedRun, "the backup failed", err.Error())
		return
	}
	r.Total.WithLabelValues("ok").Inc()
	log.InfoContext(ctx, "backup made", "backup", m.ID, "status", m.Status(), "rows", m.Rows, "objects", m.Objects,
		"storedBytes", m.StoredBytes, "seconds", took.Seconds())
	over := []string{watch.FailedRun, watch.DamagedBackup, watch.UnverifiedBackup}
	if m.Signed() || !r.Store.ChecksSignatures() {
		over = append(over, watch.MissedBackup) // else it will not be believed
	}
	r.Incidents.Resolve(ctx, over...)
}

func (r *Runner) runLocked(ctx context.Context, minAge time.Duration) (store.Manifest, error) {
	lock, held, err := r.Store.Lock(ctx, r.Lease)
	if err != nil {
		return store.Manifest{}, err
	}
	defer lock.Release(ctx)
	if minAge > 0 && r.hasRecent(held, minAge) {
		return store.Manifest{}, ErrNotDue
	}
	r.Verifier.DropLeftovers(held)
	m, err := r.Taker.Take(held, lock)
	if err != nil {
		if cause := context.Cause(held); errors.Is(cause, store.ErrLockLost) && !errors.Is(err, store.ErrLockLost) {
			err = errors.Join(cause, err)
		}
		return store.Manifest{}, err
	}
	return r.complete(held, lock, m)
}

// hasRecent reports whether a good backup is younger than minAge.
func (r *Runner) hasRecent(ctx context.Context, minAge time.Duration) bool {
	list, err := r.Store.List(ctx)
	if err != nil {
		// Whatever is wrong with the bucket, the run meets it and reports it.
		api.Logger(ctx).WarnContext(ctx, "backups not listed", "error", err)
		return false
	}
	m, ok := store.NewestGood(list, r.Now())
	return ok && r.Now().Sub(m.CreatedAt) < minAge
}

// complete verifies a backup, copies it, and prunes if both succeeded. A backup that could not be verified is
// copied all the same: behind a broken scratch server it may be the only one that is left.
func (r *Runner) complete(ctx context.Context, lock *store.Lock, m store.Manifest) (store.Manifest, error) {
	m, verifyErr := r.Verifier.Verify(ctx, r.Store, m)
	if verifyErr != nil {
		verifyErr = fmt.Errorf("the backup %s is stored, its verification failed: %w", m.ID, verifyErr)
		if archive.IsDamage(verifyErr) {
			return m, verifyErr
		}
	}
	m, copyErr := r.copyOffsite(ctx, m)
	if copyErr != nil {
		copyErr = fmt.Errorf("the backup %s is stored, its copy off site failed: %w", m.ID, copyErr)
	}
	if err := errors.Join(verifyErr, copyErr); err != nil {
		return m, err
	}
	if err := r.prune(ctx, r.Store, lock); err != nil {
		return m, fmt.Errorf("the backup %s is stored and verified, pruning failed: %w", m.ID, err)
	}
	return m, nil
}

// copyOffsite copies the backup to the second bucket, if there is one, and records the result.
func (r *Runner) copyOffsite(ctx context.Context, m store.Manifest) (store.Manifest, error) {
	if r.Offsite == nil {
		return m, nil
	}
	var bytes int64
	lock, held, err := r.Offsite.Lock(ctx, r.Lease)
	if err == nil {
		bytes, err = r.copyLocked(held, lock, m)
		lock.Release(ctx)
	}
	m.Offsite = &store.Copy{At: r.Now().UTC(), OK: err == nil, Bytes: bytes}
	if err != nil {
		m.Offsite.Error = err.Error()
	}
	updated, updateErr := r.Store.Update(ctx, m)
	return updated, errors.Join(err, updateErr)
}

func (r *Runner) copyLocked(ctx context.Context, lock *store.Lock, m store.Manifest) (int64, error) {
	progress.Report(ctx, "copying off site")
	if _, err := r.Offsite.SweepRuns(ctx, r.Now()); err != nil {
		return 0, err
	}
	bytes, err := r.Store.CopyTo(ctx, r.Offsite, m)
	if err != nil {
		return bytes, err
	}
	progress.Report(ctx, "copied %s off site", progress.Bytes(bytes))
	if !m.Good() {
		return bytes, nil // what is not verified replaces no other backup
	}
	return bytes, r.prune(ctx, r.Offsite, lock)
}

// expired are the backups that the policy does not keep. One that is not to be believed makes no other expire: whoever
// can write to the bucket could have put it there.
func (r *Runner) expired(list []store.Manifest) (ids []string) {
	var all, believed []retention.Backup
	trusted := map[string]bool{}
	for _, m := range list {
		b := retention.Backup{ID: m.ID, At: m.CreatedAt, Good: m.Good()}
		all = append(all, b)
		if m.Trust() == nil {
			believed, trusted[m.ID] = append(believed, b), true
		}
	}
	ids = retention.Expired(believed, r.Retention, r.Now())
	for _, id := range retention.Expired(all, r.Retention, r.Now()) {
		if !trusted[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// prune deletes the backups that the policy does not keep, then the objects that no backup needs. The lock is the bucket's.
func (r *Runner) prune(ctx context.Context, bucket *store.Store, lock *store.Lock) error {
	list, err := bucket.List(ctx)
	if err != nil {
		return err
	}
	for _, id := range r.expired(list) {
		if err := bucket.Delete(ctx, id); err != nil {
			return err
		}
		progress.Report(ctx, "deleted backup %s, which the retention does not keep", id)
	}
	objects, err := bucket.SweepObjects(ctx, lock)
	if objects > 0 {
		progress.Report(ctx, "deleted %d objects that no backup needs", objects)
	}
	return err
}
