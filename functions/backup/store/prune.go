package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schedgen/schedgen/shared/blob"
)

// Delete deletes a backup: its manifest first, so that nothing half deleted looks like one.
func (s *Store) Delete(ctx context.Context, id string) error {
	if err := s.blob.Delete(ctx, manifestKey(id)); err != nil {
		return err
	}
	return s.removeRun(ctx, id)
}

// removeRun deletes what a run stored for itself; the mark that it began goes last.
func (s *Store) removeRun(ctx context.Context, id string) error {
	keys, err := s.keys(ctx, runPrefix(id))
	if err != nil {
		return err
	}
	for _, key := range keys {
		if key == runPrefix(id)+"started" {
			continue
		}
		if err := s.blob.Delete(ctx, key); err != nil {
			return err
		}
	}
	return s.blob.Delete(ctx, runPrefix(id)+"started")
}

// tombstoneRetention is for how long an abandoned run's name stays taken: far beyond the life of any run.
const tombstoneRetention = 7 * 24 * time.Hour

// SweepRuns deletes what crashed runs left, under the lock: each is abandoned first, so that whoever
// still works on it cannot make it a backup.
func (s *Store) SweepRuns(ctx context.Context, now time.Time) (deleted int, err error) {
	orphans, err := s.orphans(ctx)
	if err != nil {
		return 0, err
	}
	for _, id := range orphans {
		if err := s.Discard(ctx, id, now); err != nil {
			return deleted, err
		}
		deleted++
	}
	return deleted, s.deleteOldTombstones(ctx, now)
}

// Discard abandons a run and deletes what it stored; one that became a backup stays.
func (s *Store) Discard(ctx context.Context, id string, now time.Time) error {
	if err := s.Abandon(ctx, id, now); err != nil && !errors.Is(err, blob.ErrCondition) {
		return err
	}
	if _, err := s.Get(ctx, id); !errors.Is(err, ErrNotFound) {
		return err
	}
	return s.removeRun(ctx, id)
}

// orphans are the runs that are no backups.
func (s *Store) orphans(ctx context.Context) (ids []string, err error) {
	list, err := s.List(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range list {
		seen[m.ID] = true
	}
	keys, err := s.keys(ctx, "runs/")
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		id, _, _ := strings.Cut(strings.TrimPrefix(key, "runs/"), "/")
		if !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// deleteOldTombstones deletes those that are old enough.
func (s *Store) deleteOldTombstones(ctx context.Context, now time.Time) error {
	var old []string
	err := s.blob.List(ctx, "manifests/", func(i blob.Info) error {
		if now.Sub(i.Modified) > tombstoneRetention {
			old = append(old, strings.TrimSuffix(strings.TrimPrefix(i.Key, "manifests/"), ".json"))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range old {
		if _, err := s.Get(ctx, id); !errors.Is(err, ErrNotFound) {
			continue
		}
		if err := s.blob.Delete(ctx, manifestKey(id)); err != nil {
			return err
		}
	}
	return nil
}

// confirmEvery is how many objects are deleted between two confirmations of the lock.
const confirmEvery = 16

// SweepObjects deletes the objects that no backup needs. While a backup's manifest or the names that it needs cannot be
// read, none is deleted. Of a backup that is not to be believed, names that cannot be read are ignored; a manifest that
// cannot be read may be of any backup, so it keeps all objects, and the watch reports it (package watch).
//
// The lock is confirmed before objects are deleted, every now and then: a holder that slept may wake when another's
// backup needs them. So the objects are listed before the manifests, too.
func (s *Store) SweepObjects(ctx context.Context, lock *Lock) (deleted int, err error) {
	all, err := s.Objects(ctx)
	if err != nil {
		return 0, err
	}
	list, err := s.List(ctx)
	if err != nil {
		return 0, err
	}
	needed := map[string]bool{}
	for _, m := range list {
		if !m.Readable() {
			return 0, nil // what it needs is not known
		}
		names, err := s.ObjectNames(ctx, m)
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			if m.Trust() != nil {
				continue
			}
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			needed[name] = true
		}
	}
	for name := range all {
		if needed[name] || !validName(name) {
			continue
		}
		if deleted%confirmEvery == 0 {
			if err := lock.Confirm(ctx); err != nil {
				return deleted, fmt.Errorf("confirm the lock: %w", err)
			}
		}
		if err := s.blob.Delete(ctx, objectKey(name)); err != nil {
			return deleted, fmt.Errorf("delete an object that no backup needs: %w", err)
		}
		deleted++
	}
	return deleted, nil
}
