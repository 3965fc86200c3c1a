// Package restore brings a backup back: the database in one transaction, and the PDFs. Then it compares both with
// the snapshot and checks that a system can run on them.
//
// The database must be empty, unless Options.Replace is set: then its tables are renamed out of the way first. They
// come back if any step fails, and are dropped when the database and the PDFs are there and compared. One of the steps
// deletes again who deleted everything since the backup was made. A restore that is killed leaves a database that no
// function is ready with, and that still has the replaced tables: the next restore finds in them who deleted everything,
// and brings them back if it fails. When either the new or the old tables are gone, so are the PDFs that only those listed.
// Other PDFs that are not in the backup are left alone.
package restore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/deletions"
	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// Options are what to restore, and where to.
type Options struct {
	ID      string        // a backup; empty means the newest good one
	At      time.Time     // without an ID: the newest good one that is not after this time; zero means now
	To      secret.String // the database; empty means the one that is backed up
	Replace bool          // also restore into a database that is not empty
	Offsite bool          // from the second bucket
	// Unsigned also restores a backup, and believes a list of deletions, that no known key signed.
	Unsigned bool
	// IgnoreDeletions also restores where the list of deletions cannot be used. Then people come back who deleted
	// everything since the backup, except those that the databases know.
	IgnoreDeletions bool
	// WithoutDamagedPDFs also ends a restore where PDFs are damaged in the backup and are not in the bucket either.
	WithoutDamagedPDFs bool
}

// usage is what ParseArgs takes.
const usage = "a restore takes [ID] [--replace] [--offsite] [--unsigned] [--ignore-deletions] [--without-damaged-pdfs]"

// ParseArgs reads the arguments of a restore, in any order. An unknown flag is an
// error: ignoring a misspelt one could destroy what the correct one protects.
func ParseArgs(args []string) (o Options, err error) {
	for _, arg := range args {
		switch {
		case arg == "--replace":
			o.Replace = true
		case arg == "--offsite":
			o.Offsite = true
		case arg == "--unsigned":
			o.Unsigned = true
		case arg == "--ignore-deletions":
			o.IgnoreDeletions = true
		case arg == "--without-damaged-pdfs":
			o.WithoutDamagedPDFs = true
		case arg == "" || strings.HasPrefix(arg, "-"):
			return Options{}, fmt.Errorf("unknown argument %q: %s", arg, usage)
		case o.ID != "":
			return Options{}, fmt.Errorf("a restore takes one ID, got %q and %q", o.ID, arg)
		default:
			o.ID = arg
		}
	}
	return o, nil
}

// Result is what a restore did.
type Result struct {
	Backup  store.Summary `json:"backup"`
	Objects int           `json:"objects"`
	Bytes   int64         `json:"bytes"` // of the dump and the objects, uncompressed
	Seconds float64       `json:"seconds"`
	Checks  []Check       `json:"checks"`
	Lost    []string      `json:"lost,omitempty"` // keys of PDFs that are damaged in the backup, sorted
}

// Check is one check of the restored system.
type Check struct {
	Name   string `json:"name"`
	Err    string `json:"error,omitempty"`
	Detail string `json:"says,omitempty"`
}

// ErrLost means that PDFs are damaged in the backup, and Options.WithoutDamagedPDFs is not set.
var ErrLost = errors.New("not all PDFs could be restored")

// ErrNoBackup means that there is nothing to restore.
var ErrNoBackup = errors.New("there is no good backup to restore")

// Restorer restores backups.
type Restorer struct {
	DatabaseURL  secret.String // of the system that is backed up
	IdentityFile string        // the secret key
	PDFs         *blob.Store
	Lease        time.Duration
	Now          func() time.Time
	Dependencies func() map[string]faas.Check // of the system that is backed up
}

// Restore restores a backup of a bucket. An error with a Backup in the result came after the restore had begun.
func (r *Restorer) Restore(ctx context.Context, bucket *store.Store, o Options) (result Result, err error) {
	began := time.Now()
	identities, err := r.identities()
	if err != nil {
		return result, err
	}
	if o.To.IsZero() {
		o.To = r.DatabaseURL
	}
	if o.Unsigned {
		bucket = bucket.WithKeys(sign.Keys{})
	}
	ctx, release, err := r.lock(ctx, bucket)
	if err != nil {
		return result, err
	}
	defer release()
	m, err := r.choose(ctx, bucket, o)
	if err != nil {
		return result, err
	}
	result.Backup = m.Summary()
	if err := m.Trust(); err != nil {
		return result, fmt.Errorf("the backup %s may be forged: %w. It may be from before BACKUP_SIGNING_KEY was set, or need an older key in BACKUP_VERIFY_KEYS. To restore it all the same, add --unsigned", m.ID, err)
	}
	if !bucket.ChecksSignatures() {
		progress.Report(ctx, "no key is configured to check signatures with (BACKUP_VERIFY_KEYS): whoever could write to the bucket could have forged this backup")
	}
	gone, err := readDeletions(ctx, bucket, o)
	if err != nil {
		return result, err
	}
	progress.Report(ctx, "restoring backup %s (%s): the state of %s", m.ID, m.Status(), m.CreatedAt.Format(time.RFC3339))
	sealed := archive.Reader{Store: bucket, Identities: identities}
	c, err := sealed.Contents(ctx, m)
	if err != nil {
		return result, err
	}
	checks, lost, err := r.restoreAll(ctx, sealed, m, &c, o, gone)
	result.Lost = lost
	if err != nil {
		return result, err
	}
	result.Objects, result.Bytes, result.Seconds = len(c.Objects), c.DumpSize+m.ObjectBytes, time.Since(began).Seconds()
	progress.Report(ctx, "restored %s in %.1f s: %.1f MB/s", progress.Bytes(result.Bytes), result.Seconds, float64(result.Bytes)/1e6/result.Seconds)
	result.Checks, err = r.checkSystem(ctx, checks, o.To.Reveal())
	return result, err
}

func (r *Restorer) identities() ([]age.Identity, error) {
	if r.IdentityFile == "" {
		return nil, errors.New("a restore needs the secret key, which the system does not have: give its file (BACKUP_IDENTITY_FILE, --identity)")
	}
	return seal.Identities(r.IdentityFile)
}

// choose returns the backup to restore. A named backup need not be verified.
func (r *Restorer) choose(ctx context.Context, bucket *store.Store, o Options) (store.Manifest, error) {
	if o.ID != "" {
		return bucket.Get(ctx, o.ID)
	}
	list, err := bucket.List(ctx)
	if err != nil {
		return store.Manifest{}, err
	}
	m, ok := store.NewestGood(list, r.Now())
	if !o.At.IsZero() {
		m, ok = store.NewestGoodUntil(list, o.At)
	}
	if !ok {
		err = fmt.Errorf("%w: of %d, none is good and from before %s", ErrNoBackup, len(list), cmp.Or(o.At, r.Now()).UTC().Format(time.RFC3339))
	}
	return m, err
}

// readDeletions reads who deleted everything, as the bucket knows.
func readDeletions(ctx context.Context, bucket *store.Store, o Options) ([]personal.Entry, error) {
	gone, err := deletions.Read(ctx, bucket)
	if !deletions.Unusable(err) {
		return gone, err // a bucket that is away says nothing of its list
	}
	if o.IgnoreDeletions {
		progress.Report(ctx, "WARNING: restoring without a list of deletions (%v): people who deleted everything since the backup come back, except those that another list or the databases know", err)
		return gone, nil
	}
	advice := "If the system still runs, `backup watch` there writes the list again"
	if errors.As(err, new(*deletions.ReplacedError)) {
		advice = "If a former key signed it, add that to BACKUP_VERIFY_KEYS. If the system had the same database before and after it was replaced, the new list has all of it: delete that object of the bucket"
	}
	return nil, fmt.Errorf("%w. Without it people who deleted everything would come back. %s; to restore without it, add --ignore-deletions", err, advice)
}

// withPeople calls f with what a database has of people.
func withPeople[T any](ctx context.Context, dsn string, f func(*personal.Store) (T, error)) (result T, err error) {
	pool, err := postgres.Open(postgres.Config{URL: secret.New(dsn), StatementTimeout: 10 * time.Minute})
	if err != nil {
		return result, err
	}
	defer pool.Close()
	return f(personal.NewStore(pool))
}

// deleteAgain deletes who deleted everything, as the bucket's list and the database know, and leaves their PDFs out of
// the contents.
func (r *Restorer) deleteAgain(ctx context.Context, dsn string, gone []personal.Entry, c *archive.Contents) (string, error) {
	progress.Report(ctx, "deleting again who deleted everything")
	keys, err := withPeople(ctx, dsn, func(people *personal.Store) ([]string, error) {
		// Those of the replaced tables, and of the restored ones: not all uploads were deleted at the snapshot.
		known, err := people.Deletions(ctx)
		if err != nil {
			return nil, err
		}
		gone = personal.Union(gone, known)
		return people.Reapply(ctx, gone)
	})
	if err != nil {
		return "", err
	}
	for _, key := range keys {
		if err := r.PDFs.Delete(ctx, key); err != nil && !errors.Is(err, blob.ErrNotFound) {
			return "", err
		}
	}
	c.Objects = slices.DeleteFunc(c.Objects, func(o archive.Object) bool { return slices.Contains(keys, o.Key) })
	return fmt.Sprintf("%d deletions of people hold, %d uploads of theirs were deleted again", len(gone), len(keys)), nil
}

// lock takes the bucket's lock, so that nothing is pruned during the restore. A restore from a bucket that can only
// be read goes on without it.
func (r *Restorer) lock(ctx context.Context, bucket *store.Store) (context.Context, func(), error) {
	lock, held, err := bucket.Lock(ctx, r.Lease)
	switch {
	case errors.Is(err, store.ErrLocked):
		return nil, nil, err
	case err != nil:
		progress.Report(ctx, "restoring without the lock of the backup bucket: %v", err)
		return ctx, func() {}, nil
	}
	return held, func() { lock.Release(ctx) }, nil
}

// restoreAll restores the database and the PDFs. What the database held stays aside until everything is there, and comes
// back if a step fails; an empty database keeps what was restored, and stays marked as unfinished. It returns the checks
// that it made, and the PDFs that are lost.
func (r *Restorer) restoreAll(ctx context.Context, sealed archive.Reader, m store.Manifest, c *archive.Contents, o Options, gone []personal.Entry) (checks []Check, lost []string, err error) {
	aside, err := dump.MoveAside(ctx, o.To.Reveal(), o.Replace)
	if err != nil {
		return nil, nil, err
	}
	defer aside.Close(ctx)
	if aside.Moved {
		progress.Report(ctx, "moved aside what the database held until the restore has succeeded")
	}
	checks, err = r.restoreDatabase(ctx, sealed, m, c, o.To.Reveal(), gone)
	if err == nil {
		if err = r.PDFs.Ready(ctx); err == nil {
			var check Check
			check, lost, err = r.restoreObjects(ctx, sealed, c.Objects, o.WithoutDamagedPDFs)
			checks = append(checks, check)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer cancel()
	if err != nil {
		orphans, undoErr := aside.Undo(ctx)
		r.deleteOrphans(ctx, o, orphans)
		return nil, lost, errors.Join(err, undoErr)
	}
	progress.Report(ctx, "ending the restore: deleting what it replaced")
	orphans, err := aside.Drop(ctx)
	r.deleteOrphans(ctx, o, orphans)
	return checks, lost, err
}

// endTime is how long the end of a restore may take, whatever became of its context.
const endTime = 5 * time.Minute

// deleteOrphans deletes the PDFs that no job lists any more, after the tables that did are gone: no job is ever without
// its PDF. Those that it cannot delete, or that a kill leaves, the sweep of upload-ingest finds later. In a bucket that
// may be another database's it deletes nothing.
func (r *Restorer) deleteOrphans(ctx context.Context, o Options, keys []string) {
	if len(keys) == 0 || o.To != r.DatabaseURL {
		return
	}
	progress.Report(ctx, "deleting %d PDFs that no upload lists any more", len(keys))
	var group errgroup.Group
	group.SetLimit(archive.Concurrency)
	for _, key := range keys {
		group.Go(func() error { return r.PDFs.Delete(ctx, key) })
	}
	if err := group.Wait(); err != nil {
		progress.Report(ctx, "WARNING: some of them are left for the sweep to delete: %v", err)
	}
}

// restoreDatabase restores the dump into a database without tables, and deletes again who deleted everything.
func (r *Restorer) restoreDatabase(ctx context.Context, sealed archive.Reader, m store.Manifest, c *archive.Contents, dsn string, gone []personal.Entry) ([]Check, error) {
	if err := sealed.RestoreDatabase(ctx, m, *c, dsn); err != nil {
		return nil, err
	}
	migrated, err := migrate(ctx, dsn, m.Schema)
	if err != nil {
		return nil, err
	}
	deleted, err := r.deleteAgain(ctx, dsn, gone, c)
	return []Check{
		{Name: "tables", Detail: fmt.Sprintf("%d rows in %d tables, as in the snapshot", m.Rows, m.Tables)},
		{Name: "migrations", Detail: migrated},
		{Name: "deletions", Detail: deleted},
	}, err
}

// restoreObjects puts the PDFs back, with their metadata, and compares them. All that can be restored are, and the others
// are lost: damaged in the backup, and not in the bucket. That is an error unless the caller does without them.
func (r *Restorer) restoreObjects(ctx context.Context, sealed archive.Reader, objects []archive.Object, without bool) (c Check, lost []string, err error) {
	progress.Report(ctx, "restoring %d PDFs", len(objects))
	lost, err = r.putObjects(ctx, sealed, objects)
	if err != nil {
		return c, lost, err
	}
	for _, key := range lost {
		progress.Report(ctx, "WARNING: %s is damaged in the backup, and lost", key)
	}
	if len(lost) > 0 && !without {
		return c, lost, fmt.Errorf("%w: %d of %d PDFs, such as %s, are damaged in the backup. PDFs are kept for a day only, and what was read in them is in the database. Restore another backup, or this one without them: add --without-damaged-pdfs, and --replace",
			ErrLost, len(lost), len(objects), lost[0])
	}
	whole := slices.DeleteFunc(slices.Clone(objects), func(o archive.Object) bool {
		_, is := slices.BinarySearch(lost, o.Key)
		return is
	})
	if err := forEach(ctx, whole, r.compareObject); err != nil {
		return c, lost, err
	}
	c = Check{Name: "objects", Detail: fmt.Sprintf("%d PDFs, each with the hash of the backup", len(whole))}
	if len(lost) > 0 {
		c.Detail += fmt.Sprintf("; %d are lost, because they are damaged in the backup", len(lost))
	}
	return c, lost, nil
}

// putObjects puts the PDFs back, and returns the keys of those that are lost, sorted.
func (r *Restorer) putObjects(ctx context.Context, sealed archive.Reader, objects []archive.Object) (lost []string, err error) {
	var mu sync.Mutex
	err = forEach(ctx, objects, func(ctx context.Context, o archive.Object) error {
		body, _, err := sealed.Object(ctx, o)
		if err != nil && archive.IsDamage(err) {
			// nil: the bucket still has it. Of a bucket that cannot be asked nobody knows.
			if err = r.compareObject(ctx, o); errors.Is(err, blob.ErrNotFound) || errors.Is(err, errOtherContent) {
				mu.Lock()
				defer mu.Unlock()
				lost = append(lost, o.Key)
				return nil
			}
			return err
		}
		if err != nil {
			return err
		}
		_, err = r.PDFs.Put(ctx, o.Key, bytes.NewReader(body), int64(len(body)), o.ContentType, o.Meta)
		return err
	})
	slices.Sort(lost)
	return lost, err
}

// forEach calls f for every object, several at once, and stops at the first error.
func forEach(ctx context.Context, objects []archive.Object, f func(context.Context, archive.Object) error) error {
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(archive.Concurrency)
	for _, o := range objects {
		group.Go(func() error { return f(limited, o) })
	}
	return group.Wait()
}

// checkSystem checks that a system can run on what was restored. It makes all checks, whatever they find.
func (r *Restorer) checkSystem(ctx context.Context, checks []Check, dsn string) ([]Check, error) {
	var errs []error
	for _, name := range []string{"postgres", "s3"} {
		if name == "postgres" && dsn != r.DatabaseURL.Reveal() {
			continue // the system runs on another
		}
		check := Check{Name: name, Detail: "up"}
		if err := r.Dependencies()[name](ctx); err != nil {
			check.Detail, check.Err = "", err.Error()
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		checks = append(checks, check)
	}
	for _, check := range checks {
		progress.Report(ctx, "check %s: %s%s", check.Name, check.Detail, check.Err)
	}
	return checks, errors.Join(errs...)
}

// migrate brings a backup of an older version to this version's schema.
func migrate(ctx context.Context, dsn string, from int) (string, error) {
	if err := postgres.MigrateRestored(ctx, dsn); err != nil {
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

// errOtherContent means that a PDF is not the one of the backup.
var errOtherContent = errors.New("the content is not that of the backup")

// compareObject reads a restored PDF and compares its hash.
func (r *Restorer) compareObject(ctx context.Context, o archive.Object) error {
	reader, _, err := r.PDFs.Get(ctx, o.Key)
	if err != nil {
		return err
	}
	defer reader.Close() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, reader); err != nil {
		return fmt.Errorf("read %s: %w", o.Key, err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, o.SHA256) {
		return fmt.Errorf("%s: %w", o.Key, errOtherContent)
	}
	return nil
}
