// Package verify reads a stored backup back and decides whether it is good.
//
// With the secret key it proves the backup: it restores the dump into a scratch database, compares every table with
// the snapshot, and opens every object. Without the key it reads everything and compares checksums; that pg_restore
// could list the dump was recorded while it was written. The result goes into the backup's manifest, unless a
// server was down: then nothing is known, and the manifest stays as it was.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
)

// Verifier verifies backups.
type Verifier struct {
	IdentityFile string        // the secret key; without one only checksums are compared
	ScratchURL   secret.String // a database of the server on which scratch databases are made
	Now          func() time.Time

	// Total counts verifications by depth and outcome. New sets it.
	Total *prometheus.CounterVec
}

// New returns a Verifier with its metric.
func New(identityFile string, scratchURL secret.String, now func() time.Time) *Verifier {
	return &Verifier{IdentityFile: identityFile, ScratchURL: scratchURL, Now: now,
		Total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_backup_verifications_total",
			Help: "Verifications by depth and outcome: ok, bad, unknown (could not be done)."}, []string{"by", "outcome"})}
}

// Verify verifies a backup of a bucket and records the result in its manifest. The caller holds the bucket's lock.
func (v *Verifier) Verify(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Manifest, error) {
	began := time.Now()
	result, err := v.inspect(ctx, bucket, m)
	result.At, result.Seconds = v.Now().UTC(), time.Since(began).Seconds()
	v.count(result.By, err)
	if err != nil && !archive.IsDamage(err) {
		return m, err
	}
	result.OK = err == nil
	if err != nil {
		result.Error = err.Error()
	}
	m.Verification = &result
	updated, updateErr := bucket.Update(ctx, m)
	if err == nil && updateErr == nil {
		progress.Report(ctx, "verified by %s: read %s in %.1f s", result.By, progress.Bytes(result.Bytes), result.Seconds)
	}
	return updated, errors.Join(err, updateErr)
}

func (v *Verifier) count(by string, err error) {
	outcome := "ok"
	switch {
	case err != nil && archive.IsDamage(err):
		outcome = "bad"
	case err != nil:
		outcome = "unknown"
	}
	v.Total.WithLabelValues(by, outcome).Inc()
}

// DropLeftovers drops the scratch databases of crashed verifications, which hold everything in plain. A scratch
// server that is down must not prevent a backup, so its error is only logged. The caller holds the bucket's lock.
func (v *Verifier) DropLeftovers(ctx context.Context) {
	if v.IdentityFile == "" {
		return
	}
	if err := dump.DropScratch(ctx, v.ScratchURL.Reveal()); err != nil {
		api.Logger(ctx).WarnContext(ctx, "scratch databases of crashed runs not dropped", "error", err)
	}
}

// inspect verifies a backup as deeply as it can.
func (v *Verifier) inspect(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Verification, error) {
	if err := m.Trust(); err != nil {
		return store.Verification{By: store.ByChecksums}, fmt.Errorf("the backup %s is not read: %w", m.ID, err)
	}
	if m.Dump.Name == "" {
		return store.Verification{By: store.ByChecksums}, &store.DamagedError{Key: "the manifest", Reason: "it cannot be read"}
	}
	if v.IdentityFile == "" {
		return compareChecksums(ctx, bucket, m)
	}
	return v.restoreAndCompare(ctx, bucket, m)
}

// compareChecksums reads everything and compares hashes.
func compareChecksums(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Verification, error) {
	progress.Report(ctx, "verifying by checksums (no identity is configured to restore with)")
	result := store.Verification{By: store.ByChecksums}
	var errs []error
	for _, stream := range []store.Stream{m.Dump, m.Contents} {
		n, err := io.Copy(io.Discard, bucket.Reader(ctx, m.ID, stream))
		result.Bytes += n
		errs = append(errs, err)
	}
	if m.ListedItems == 0 {
		errs = append(errs, &store.DamagedError{Key: "the dump", Reason: "pg_restore listed nothing in it"})
	}
	names, err := bucket.ObjectNames(ctx, m)
	errs = append(errs, err, readObjects(ctx, &result, len(names), func(ctx context.Context, i int) (string, int64, error) {
		sealed, err := bucket.GetObject(ctx, names[i])
		return names[i], int64(len(sealed)), err
	}))
	return result, errors.Join(errs...)
}

// restoreAndCompare restores into a scratch database and compares everything by content.
func (v *Verifier) restoreAndCompare(ctx context.Context, bucket *store.Store, m store.Manifest) (result store.Verification, err error) {
	progress.Report(ctx, "verifying by a restore into a scratch database")
	result = store.Verification{By: store.ByRestore}
	identities, err := seal.Identities(v.IdentityFile)
	if err != nil {
		return result, err
	}
	sealed := archive.Reader{Store: bucket, Identities: identities}
	c, err := sealed.Contents(ctx, m)
	if err != nil {
		return result, err
	}
	result.Bytes = m.Dump.Size + m.Contents.Size
	databaseErr := v.restoreToScratch(ctx, sealed, m, c)
	objectsErr := readObjects(ctx, &result, len(c.Objects), func(ctx context.Context, i int) (string, int64, error) {
		_, size, err := sealed.Object(ctx, c.Objects[i])
		return c.Objects[i].Name, size, err
	})
	return result, errors.Join(databaseErr, objectsErr, checkNames(ctx, bucket, m, c.Objects))
}

// restoreToScratch restores the dump into a scratch database, compares it with the snapshot, and drops it.
func (v *Verifier) restoreToScratch(ctx context.Context, sealed archive.Reader, m store.Manifest, c archive.Contents) (err error) {
	scratch, drop, err := dump.CreateScratch(ctx, v.ScratchURL.Reveal())
	if err != nil {
		return err
	}
	err = sealed.RestoreDatabase(ctx, m, c, scratch)
	if dropErr := drop(); dropErr != nil {
		// The server went away meanwhile. What the restore met says nothing of the backup, so it is not wrapped.
		return fmt.Errorf("%w (the restore: %v)", dropErr, err)
	}
	return err
}

// maxNamed is how many damaged objects an error names.
const maxNamed = 5

// readObjects reads n objects, several at once, and records the damaged ones. It continues after a damaged one, so
// that all of them are found, and stops at any other error.
func readObjects(ctx context.Context, result *store.Verification, n int, read func(context.Context, int) (name string, bytes int64, err error)) error {
	var mu sync.Mutex
	var damages []error
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(archive.Concurrency)
	for i := range n {
		group.Go(func() error {
			name, bytes, err := read(limited, i)
			if err != nil && !archive.IsDamage(err) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			result.Bytes += bytes
			if err != nil {
				result.Damaged = append(result.Damaged, name)
				damages = append(damages, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if len(damages) > maxNamed {
		damages = append(damages[:maxNamed], fmt.Errorf("and %d objects more", len(damages)-maxNamed))
	}
	return errors.Join(damages...)
}

// checkNames checks that the list by which pruning spares objects has every object that the backup needs.
func checkNames(ctx context.Context, bucket *store.Store, m store.Manifest, objects []archive.Object) error {
	names, err := bucket.ObjectNames(ctx, m)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if _, ok := slices.BinarySearch(names, object.Name); !ok {
			return &store.DamagedError{Key: "the list of objects", Reason: "it lacks " + object.Name}
		}
	}
	return nil
}
