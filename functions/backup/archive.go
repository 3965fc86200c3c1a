package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/jobs"
)

// contents is what a backup must be once it is opened. It is sealed: hashes and keys tell of what
// they are of. The entries of objects follow it, one a line.
type contents struct {
	SnapshotAt time.Time    `json:"snapshotAt"` // by the database's clock
	Tables     []dump.Table `json:"tables"`
	DumpSHA256 string       `json:"dumpSha256"` // of the archive as pg_dump wrote it
	DumpSize   int64        `json:"dumpSize"`

	Objects []entry `json:"-"`
}

// isUpload says that an object is a job's.
func isUpload(key string) bool {
	prefix, _, _ := strings.Cut(jobs.ObjectKey("", ""), "/")
	return strings.HasPrefix(key, prefix+"/")
}

// archive streams pg_dump into the bucket: hashed, listed by pg_restore on the way (for later nobody
// here can open it), compressed, encrypted, in parts.
func (r *run) archive(ctx context.Context, snapshot string, tools dump.Tools, c *contents) (items []string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	out := r.f.store.Writer(ctx, r.id, "dump")
	defer out.Stop()
	listing, toList := io.Pipe()
	group.Go(func() (err error) {
		items, err = tools.List(ctx, listing)
		return err
	})
	group.Go(func() error {
		sum := &summing{Hash: sha256.New()}
		err := sealInto(out, r.f.recipients, func(sealed io.Writer) error {
			return tools.Write(ctx, r.f.cfg.Postgres.URL, snapshot, io.MultiWriter(sum, sealed, toList))
		})
		_ = toList.CloseWithError(err) // never fails; nil ends the archive
		if err != nil {
			return err
		}
		c.DumpSHA256, c.DumpSize = hex.EncodeToString(sum.Sum(nil)), sum.size
		r.m.Dump, err = out.Finish()
		return err
	})
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("dump the database: %w", err)
	}
	return items, nil
}

// sealInto seals what write writes.
func sealInto(out io.Writer, recipients []age.Recipient, write func(io.Writer) error) error {
	sealed, err := seal.Writer(out, recipients)
	if err != nil {
		return err
	}
	if err := write(sealed); err != nil {
		_ = sealed.Close() // it is given up; what closing meets is the same error
		return err
	}
	return sealed.Close()
}

// holds says whether the archive has the data of every table of the snapshot.
func holds(items []string, tables []dump.Table) error {
	var missing []error
	for _, t := range tables {
		schema, name, _ := strings.Cut(t.Name, ".")
		data := " TABLE DATA " + schema + " " + name + " "
		if !slices.ContainsFunc(items, func(item string) bool { return strings.Contains(item+" ", data) }) {
			missing = append(missing, fmt.Errorf("the archive does not list table %s", t.Name))
		}
	}
	return errors.Join(missing...)
}

// summing hashes and counts.
type summing struct {
	hash.Hash
	size int64
}

func (s *summing) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return s.Hash.Write(p)
}

// sealContents stores the contents and the entries of the objects.
func (r *run) sealContents(ctx context.Context, c contents, objects map[string]entry) (store.Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	out := r.f.store.Writer(ctx, r.id, "contents")
	defer out.Stop()
	defer cancel()
	err := sealInto(out, r.f.recipients, func(sealed io.Writer) error {
		lines := json.NewEncoder(sealed)
		if err := lines.Encode(c); err != nil {
			return err
		}
		for _, key := range slices.Sorted(maps.Keys(objects)) {
			if err := lines.Encode(objects[key]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return store.Stream{}, err
	}
	return out.Finish()
}

// storeNames stores the names that the backup needs, in plain: pruning must know them.
func (r *run) storeNames(ctx context.Context, objects map[string]entry) (store.Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	out := r.f.store.Writer(ctx, r.id, "objects")
	defer out.Stop()
	defer cancel()
	names := map[string]bool{}
	for _, e := range objects {
		names[e.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if _, err := io.WriteString(out, name+"\n"); err != nil {
			return store.Stream{}, err
		}
	}
	return out.Finish()
}

// opener reads a sealed backup.
type opener struct {
	from       *store.Store
	identities []age.Identity
}

// contents reads what the backup must be.
func (o opener) contents(ctx context.Context, m store.Manifest) (c contents, err error) {
	plain, err := seal.Reader(o.from.Reader(ctx, m.ID, m.Contents), o.identities)
	if err != nil {
		return c, fmt.Errorf("open the contents: %w", err)
	}
	defer plain.Close() // only read
	lines := json.NewDecoder(plain)
	if err := lines.Decode(&c); err != nil {
		return c, fmt.Errorf("read the contents: %w", err)
	}
	for {
		var e entry
		err := lines.Decode(&e)
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, fmt.Errorf("read the contents: %w", err)
		}
		c.Objects = append(c.Objects, e)
	}
}

// restore opens the dump and restores it into the database of dsn, which is empty. Every byte of the
// archive is checked: against its part's hash, by the encryption, and as a whole.
func (o opener) restore(ctx context.Context, m store.Manifest, c contents, tools dump.Tools, dsn string) error {
	plain, err := seal.Reader(o.from.Reader(ctx, m.ID, m.Dump), o.identities)
	if err != nil {
		return fmt.Errorf("open the dump: %w", err)
	}
	defer plain.Close() // only read
	sum := &summing{Hash: sha256.New()}
	archive := io.TeeReader(plain, sum)
	if err := tools.Restore(ctx, dsn, archive); err != nil {
		return fmt.Errorf("restore the dump: %w", err)
	}
	if _, err := io.Copy(io.Discard, archive); err != nil {
		return fmt.Errorf("read the end of the dump: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != c.DumpSHA256 || sum.size != c.DumpSize {
		return &store.DamagedError{Key: "the dump", Reason: "it is not the archive that was written"}
	}
	return nil
}

// compare looks at a restored database: nil if it is the snapshot.
func compare(ctx context.Context, dsn string, want []dump.Table) error {
	snapshot, err := dump.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	got, err := snapshot.Tables(ctx, func(dump.Table) {})
	if err != nil {
		return err
	}
	if err := dump.Compare(got, want); err != nil {
		return &store.DamagedError{Key: "the restored database", Reason: err.Error()}
	}
	return nil
}
