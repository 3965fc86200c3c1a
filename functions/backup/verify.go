package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
)

// Verify reads a backup back and proves it: with an identity by a restore, without one by what can be
// known without reading it. The result is noted in its manifest. An error means that the backup is
// bad, which the manifest then says and people are alerted of, or that nobody could find out.
func (f *Function) Verify(ctx context.Context, id string, offsite bool) (store.Manifest, error) {
	bucket, err := f.bucket(offsite)
	if err != nil {
		return store.Manifest{}, err
	}
	m, err := bucket.Get(ctx, id)
	if err != nil {
		return m, err
	}
	lock, held, err := bucket.Lock(ctx, f.cfg.Lease) // nobody may prune it meanwhile
	if err != nil {
		return m, err
	}
	defer lock.Release(ctx)
	m, err = f.verified(held, bucket, m)
	if err != nil {
		err = fmt.Errorf("the backup %s: %w", m.ID, err)
		f.alarm(ctx, kindVerify, "a stored backup failed its verification", err.Error())
		return m, err
	}
	if list, err := bucket.List(ctx); err == nil && !slices.ContainsFunc(list, failed) {
		f.recovered(ctx, kindVerify)
	}
	return m, nil
}

// failed says that a backup was found bad.
func failed(m store.Manifest) bool { return m.Status() == "failed" }

// bucket is the backup bucket, or the second one.
func (f *Function) bucket(offsite bool) (*store.Store, error) {
	switch {
	case !offsite:
		return f.store, nil
	case f.offsite == nil:
		return nil, errors.New("no off-site bucket is configured")
	}
	return f.offsite, nil
}

// verified verifies and notes the verdict. A store or a server that is away is no verdict.
func (f *Function) verified(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Manifest, error) {
	began := time.Now()
	v, err := f.look(ctx, bucket, m)
	v.At, v.Seconds = f.Now().UTC(), time.Since(began).Seconds()
	f.metrics.verified(v.By, err)
	if err != nil && !condemns(err) {
		return m, err
	}
	v.OK = err == nil
	if err != nil {
		v.Error = err.Error()
	}
	m.Verification = &v
	updated, updateErr := bucket.Update(ctx, m)
	if err == nil && updateErr == nil {
		progress(ctx, "verified by %s: read %s in %.1f s", v.By, size(v.Bytes), v.Seconds)
	}
	return updated, errors.Join(err, updateErr)
}

// condemns says that an error is the backup's own.
func condemns(err error) bool {
	var damaged *store.DamagedError
	var tool *dump.ToolError
	return errors.As(err, &damaged) || errors.As(err, &tool) || errors.Is(err, seal.ErrDamaged) || errors.Is(err, seal.ErrWrongKey)
}

// look does the verification that is possible.
func (f *Function) look(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Verification, error) {
	if m.Dump.Name == "" {
		return store.Verification{By: store.ByChecksums}, &store.DamagedError{Key: "the manifest", Reason: "it cannot be read"}
	}
	if f.cfg.IdentityFile == "" {
		return f.checksums(ctx, bucket, m)
	}
	return f.proof(ctx, bucket, m)
}

// checksums reads everything and compares hashes. That pg_restore can list the archive was seen while
// it was written, and ListedItems says so: of a sealed one nobody here can know more.
func (f *Function) checksums(ctx context.Context, bucket *store.Store, m store.Manifest) (store.Verification, error) {
	progress(ctx, "verifying by checksums (no identity is configured to restore with)")
	v := store.Verification{By: store.ByChecksums}
	var errs []error
	for _, stream := range []store.Stream{m.Dump, m.Contents} {
		n, err := io.Copy(io.Discard, bucket.Reader(ctx, m.ID, stream))
		v.Bytes += n
		errs = append(errs, err)
	}
	if m.ListedItems == 0 {
		errs = append(errs, &store.DamagedError{Key: "the dump", Reason: "pg_restore listed nothing in it"})
	}
	names, err := bucket.ReadNames(ctx, m)
	errs = append(errs, err, readAll(ctx, &v, len(names), func(ctx context.Context, i int) (string, int64, error) {
		sealed, err := bucket.GetObject(ctx, names[i])
		return names[i], int64(len(sealed)), err
	}))
	return v, errors.Join(errs...)
}

// proof restores into a scratch database and compares everything by content.
func (f *Function) proof(ctx context.Context, bucket *store.Store, m store.Manifest) (v store.Verification, err error) {
	progress(ctx, "verifying by a restore into a scratch database")
	v = store.Verification{By: store.ByRestore}
	identities, err := seal.Identities(f.cfg.IdentityFile)
	if err != nil {
		return v, err
	}
	open := opener{bucket, identities}
	c, err := open.contents(ctx, m)
	if err != nil {
		return v, err
	}
	v.Bytes = m.Dump.Size + m.Contents.Size
	databaseErr := f.rehearse(ctx, open, m, c)
	objectsErr := readAll(ctx, &v, len(c.Objects), func(ctx context.Context, i int) (string, int64, error) {
		_, sealed, err := open.open(ctx, c.Objects[i])
		return c.Objects[i].Name, sealed, err
	})
	names, namesErr := bucket.ReadNames(ctx, m)
	if namesErr == nil {
		namesErr = agree(names, c.Objects)
	}
	return v, errors.Join(databaseErr, objectsErr, namesErr)
}

// rehearse restores the dump into a scratch database, which is gone afterwards.
func (f *Function) rehearse(ctx context.Context, open opener, m store.Manifest, c contents) (err error) {
	scratch, drop, err := dump.Scratch(ctx, f.cfg.ScratchURL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, drop()) }()
	tools, err := restoreTools(ctx, m, scratch)
	if err != nil {
		return err
	}
	if err := open.restore(ctx, m, c, tools, scratch); err != nil {
		return err
	}
	return compare(ctx, scratch, c.Tables)
}

// readAll reads n objects, some at once, and notes which are damaged. It goes on after a damaged one, so
// that all are known, and ends with any other error.
func readAll(ctx context.Context, v *store.Verification, n int, read func(context.Context, int) (name string, bytes int64, err error)) error {
	var mu sync.Mutex
	var damages []error
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(moving)
	for i := range n {
		group.Go(func() error {
			name, bytes, err := read(limited, i)
			if err != nil && !condemns(err) {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			v.Bytes += bytes
			if err != nil {
				v.Damaged = append(v.Damaged, name)
				damages = append(damages, err)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if len(damages) > told {
		damages = append(damages[:told], fmt.Errorf("and %d objects more", len(damages)-told))
	}
	return errors.Join(damages...)
}

// told is how many damages an error names.
const told = 5

// restoreTools are programs that know both the archive and the server.
func restoreTools(ctx context.Context, m store.Manifest, dsn string) (dump.Tools, error) {
	major, err := dump.Server(ctx, dsn)
	if err != nil {
		return dump.Tools{}, err
	}
	return dump.FindTools(ctx, max(major, dump.Major(m.PgDump)))
}

// agree says whether pruning knows every object that the backup needs.
func agree(names []string, objects []entry) error {
	for _, e := range objects {
		if _, ok := slices.BinarySearch(names, e.Name); !ok {
			return &store.DamagedError{Key: "the list of objects", Reason: "it lacks " + e.Name}
		}
	}
	return nil
}
