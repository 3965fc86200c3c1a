package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
)

// Reader opens the sealed backups of a bucket.
type Reader struct {
	Store      *store.Store
	Identities []age.Identity
}

// Contents reads what a backup must be.
func (r Reader) Contents(ctx context.Context, m store.Manifest) (c Contents, err error) {
	plain, err := seal.Reader(r.Store.Reader(ctx, m.ID, m.Contents), r.Identities)
	if err != nil {
		return c, fmt.Errorf("open the contents: %w", err)
	}
	defer plain.Close() // only read
	lines := json.NewDecoder(plain)
	if err := lines.Decode(&c); err != nil {
		return c, fmt.Errorf("read the contents: %w", err)
	}
	for {
		var object Object
		err := lines.Decode(&object)
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, fmt.Errorf("read the contents: %w", err)
		}
		c.Objects = append(c.Objects, object)
	}
}

// Object reads and checks the content of an object. It also returns the size of the sealed content.
func (r Reader) Object(ctx context.Context, o Object) (body []byte, sealedSize int64, err error) {
	sealed, err := r.Store.GetObject(ctx, o.Name)
	if err != nil {
		return nil, 0, err
	}
	plain, err := seal.Reader(bytes.NewReader(sealed), r.Identities)
	if err != nil {
		return nil, 0, fmt.Errorf("open object %s: %w", o.Name, err)
	}
	defer plain.Close() // only read
	if body, err = io.ReadAll(io.LimitReader(plain, MaxObject+1)); err != nil {
		return nil, 0, fmt.Errorf("open object %s: %w", o.Name, err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != o.SHA256 {
		return nil, 0, &store.DamagedError{Key: "object " + o.Name, Reason: "its content has another hash"}
	}
	return body, int64(len(sealed)), nil
}

// RestoreDatabase restores the dump into the empty database at dsn and compares the result with the snapshot.
func (r Reader) RestoreDatabase(ctx context.Context, m store.Manifest, c Contents, dsn string) error {
	major, err := dump.ServerMajor(ctx, dsn)
	if err != nil {
		return err
	}
	// The programs must know both the dump's format and the server.
	tools, err := dump.FindTools(ctx, max(major, dump.Major(m.PgDump)))
	if err != nil {
		return err
	}
	progress.Report(ctx, "restoring the database: %d rows, %s", m.Rows, progress.Bytes(c.DumpSize))
	if err := r.restoreDump(ctx, m, c, tools, dsn); err != nil {
		return err
	}
	progress.Report(ctx, "comparing %d tables with the snapshot", len(c.Tables))
	return compareTables(ctx, dsn, c.Tables)
}

func (r Reader) restoreDump(ctx context.Context, m store.Manifest, c Contents, tools dump.Tools, dsn string) error {
	plain, err := seal.Reader(r.Store.Reader(ctx, m.ID, m.Dump), r.Identities)
	if err != nil {
		return fmt.Errorf("open the dump: %w", err)
	}
	defer plain.Close() // only read
	sum := newCountingHash()
	hashed := io.TeeReader(plain, sum)
	if err := tools.Restore(ctx, dsn, hashed); err != nil {
		return fmt.Errorf("restore the dump: %w", err)
	}
	if _, err := io.Copy(io.Discard, hashed); err != nil {
		return fmt.Errorf("read the end of the dump: %w", err)
	}
	if sum.hex() != c.DumpSHA256 || sum.size != c.DumpSize {
		return &store.DamagedError{Key: "the dump", Reason: "its content has another hash"}
	}
	return nil
}

// compareTables returns an error unless the database at dsn holds exactly the wanted rows.
func compareTables(ctx context.Context, dsn string, want []dump.Table) error {
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
