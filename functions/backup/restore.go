package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/postgres"
)

// Restore says what to restore, and where to.
type Restore struct {
	ID      string    // a backup; empty means the newest good one
	At      time.Time // of several, the newest that is not after it; zero means now
	To      string    // the database; empty means the one that is backed up
	Replace bool      // also into a database that is not empty
	Offsite bool      // from the second bucket
}

// Restored is what a restore did.
type Restored struct {
	Backup  Shown   `json:"backup"`
	Objects int     `json:"objects"`
	Bytes   int64   `json:"bytes"` // of the archive and the objects, as they were before
	Seconds float64 `json:"seconds"`
	Checks  []Check `json:"checks"`
}

// Check is one look at the restored system.
type Check struct {
	Name string `json:"name"`
	Err  string `json:"error,omitempty"`
	Says string `json:"says,omitempty"`
}

// ErrNoBackup says that there is nothing to restore.
var ErrNoBackup = errors.New("there is no good backup to restore")

// Restore brings back a backup: the database, in one transaction, and the PDFs; then it compares both
// with the snapshot and looks whether a system could run on them. The database must be empty, unless
// Replace says otherwise: then its content is put aside, comes back if anything of the restore
// fails, and is deleted after it succeeded. PDFs that are not in the backup are left alone.
func (f *Function) Restore(ctx context.Context, what Restore) (r Restored, err error) {
	began := time.Now()
	identities, err := f.identities()
	if err != nil {
		return r, err
	}
	bucket, err := f.bucket(what.Offsite)
	if err != nil {
		return r, err
	}
	if what.To == "" {
		what.To = f.cfg.Postgres.URL
	}
	m, err := f.chosen(ctx, bucket, what)
	if err != nil {
		return r, err
	}
	r.Backup = Show(m)
	ctx, release, err := f.hold(ctx, bucket)
	if err != nil {
		return r, err
	}
	defer release()
	progress(ctx, "restoring backup %s (%s): the state of %s", m.ID, m.Status(), m.CreatedAt.Format(time.RFC3339))
	open := opener{bucket, identities}
	c, err := open.contents(ctx, m)
	if err != nil {
		return r, err
	}
	if err := f.restoreDatabase(ctx, open, m, c, what); err != nil {
		return r, err
	}
	if err := f.restoreObjects(ctx, open, c.Objects); err != nil {
		return r, err
	}
	r.Objects, r.Bytes, r.Seconds = len(c.Objects), c.DumpSize+m.ObjectBytes, time.Since(began).Seconds()
	progress(ctx, "restored %s in %.1f s: %.1f MB/s", size(r.Bytes), r.Seconds, float64(r.Bytes)/1e6/r.Seconds)
	r.Checks, err = f.examine(ctx, m, c, what.To)
	return r, err
}

func (f *Function) identities() ([]age.Identity, error) {
	if f.cfg.IdentityFile == "" {
		return nil, errors.New("no identity is given: a restore needs the secret key, which the system does not have (BACKUP_IDENTITY_FILE, --identity)")
	}
	return seal.Identities(f.cfg.IdentityFile)
}

// chosen is the backup to restore.
func (f *Function) chosen(ctx context.Context, bucket *store.Store, what Restore) (store.Manifest, error) {
	if what.ID != "" {
		return bucket.Get(ctx, what.ID) // also one that is not verified: who names it knows why
	}
	list, err := bucket.List(ctx)
	if err != nil {
		return store.Manifest{}, err
	}
	until := what.At
	if until.IsZero() {
		until = f.Now().Add(ahead)
	}
	for _, m := range list {
		if m.Good() && !m.CreatedAt.After(until) {
			return m, nil
		}
	}
	return store.Manifest{}, fmt.Errorf("%w: of %d, none is good and from before %s", ErrNoBackup, len(list), until.UTC().Format(time.RFC3339))
}

// hold takes the lock, so that nothing is pruned meanwhile. A bucket that can only be read is no
// reason to restore nothing.
func (f *Function) hold(ctx context.Context, bucket *store.Store) (context.Context, func(), error) {
	lock, held, err := bucket.Lock(ctx, f.cfg.Lease)
	switch {
	case errors.Is(err, store.ErrLocked):
		return nil, nil, err
	case err != nil:
		progress(ctx, "restoring without the lock of the backup bucket: %v", err)
		return ctx, func() {}, nil
	}
	return held, func() { lock.Release(ctx) }, nil
}

// restoreDatabase restores the dump into an empty database, or one whose content it puts aside.
func (f *Function) restoreDatabase(ctx context.Context, open opener, m store.Manifest, c contents, what Restore) error {
	err := dump.Empty(ctx, what.To)
	if err == nil {
		return f.fillDatabase(ctx, open, m, c, what.To)
	}
	if !errors.Is(err, dump.ErrNotEmpty) || !what.Replace {
		return err
	}
	progress(ctx, "putting the present tables aside until the restore has succeeded")
	done, err := dump.SetAside(ctx, what.To)
	if err != nil {
		return err
	}
	err = f.fillDatabase(ctx, open, m, c, what.To)
	return errors.Join(err, done(err == nil))
}

// fillDatabase restores the dump and compares it with the snapshot.
func (f *Function) fillDatabase(ctx context.Context, open opener, m store.Manifest, c contents, dsn string) error {
	tools, err := restoreTools(ctx, m, dsn)
	if err != nil {
		return err
	}
	progress(ctx, "restoring the database: %d rows, %s", m.Rows, size(c.DumpSize))
	if err := open.restore(ctx, m, c, tools, dsn); err != nil {
		return err
	}
	progress(ctx, "comparing %d tables with the snapshot", len(c.Tables))
	return compare(ctx, dsn, c.Tables)
}

// restoreObjects puts the PDFs back, with their metadata.
func (f *Function) restoreObjects(ctx context.Context, open opener, objects []entry) error {
	progress(ctx, "restoring %d PDFs", len(objects))
	if err := f.blob.Ready(ctx); err != nil {
		return err
	}
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(moving)
	for _, e := range objects {
		group.Go(func() error {
			body, _, err := open.open(limited, e)
			if err != nil {
				return err
			}
			_, err = f.blob.Put(limited, e.Key, bytes.NewReader(body), int64(len(body)), e.ContentType, e.Meta)
			return err
		})
	}
	return group.Wait()
}

// examine looks whether a system could run on what was restored. All looks are made.
func (f *Function) examine(ctx context.Context, m store.Manifest, c contents, dsn string) ([]Check, error) {
	checks := []Check{{Name: "tables", Says: fmt.Sprintf("%d rows in %d tables, as in the snapshot", m.Rows, m.Tables)}}
	var errs []error
	look := func(name string, f func() (string, error)) {
		says, err := f()
		check := Check{Name: name, Says: says}
		if err != nil {
			check.Err = err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		progress(ctx, "check %s: %s%s", name, says, check.Err)
		checks = append(checks, check)
	}
	progress(ctx, "check tables: %s", checks[0].Says)
	look("migrations", func() (string, error) { return migrated(ctx, dsn, m.Schema) })
	look("objects", func() (string, error) { return f.readable(ctx, c.Objects) })
	for _, name := range []string{"postgres", "s3"} {
		if name == "postgres" && dsn != f.cfg.Postgres.URL {
			continue // the system runs on another
		}
		look(name, func() (string, error) {
			if err := f.Health(ctx)[name]; err != nil {
				return "", err
			}
			return "up", nil
		})
	}
	return checks, errors.Join(errs...)
}

// migrated brings a backup of an older version to this one's schema.
func migrated(ctx context.Context, dsn string, from int) (string, error) {
	if err := postgres.Migrate(ctx, dsn); err != nil {
		return "", err
	}
	snapshot, err := dump.Open(ctx, dsn)
	if err != nil {
		return "", err
	}
	defer snapshot.Close()
	if snapshot.Schema == from {
		return fmt.Sprintf("schema %d is current", from), nil
	}
	return fmt.Sprintf("schema %d was migrated to %d", from, snapshot.Schema), nil
}

// readable reads every restored PDF and compares its hash.
func (f *Function) readable(ctx context.Context, objects []entry) (string, error) {
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(moving)
	for _, e := range objects {
		group.Go(func() error {
			reader, _, err := f.blob.Get(limited, e.Key)
			if err != nil {
				return err
			}
			defer reader.Close() // only read
			sum := sha256.New()
			if _, err := io.Copy(sum, reader); err != nil {
				return fmt.Errorf("read %s: %w", e.Key, err)
			}
			if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, e.SHA256) {
				return fmt.Errorf("%s has another content than in the backup", e.Key)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d PDFs, each with the hash of the backup", len(objects)), nil
}
