package archive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/dump"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
)

// Writer writes the streams of one run.
type Writer struct {
	Store      *store.Store
	RunID      string
	Recipients []age.Recipient
}

// Dump stores pg_dump's output and sets its hash and size in c. It returns the items that pg_restore lists in it.
func (w Writer) Dump(ctx context.Context, tools dump.Tools, dsn, snapshot string, c *Contents) (stream store.Stream, items []string, err error) {
	group, ctx := errgroup.WithContext(ctx)
	listed, toLister := io.Pipe()
	group.Go(func() (err error) {
		items, err = tools.List(ctx, listed)
		return err
	})
	group.Go(func() (err error) {
		sum := newCountingHash()
		stream, err = w.sealed(ctx, "dump", func(sealed io.Writer) error {
			return tools.Write(ctx, dsn, snapshot, io.MultiWriter(sum, sealed, toLister))
		})
		_ = toLister.CloseWithError(err) // never fails; nil ends the dump
		c.DumpSHA256, c.DumpSize = sum.hex(), sum.size
		return err
	})
	if err := group.Wait(); err != nil {
		return stream, nil, fmt.Errorf("dump the database: %w", err)
	}
	return stream, items, nil
}

// Contents stores c, sealed.
func (w Writer) Contents(ctx context.Context, c Contents) (store.Stream, error) {
	return w.sealed(ctx, "contents", func(sealed io.Writer) error {
		lines := json.NewEncoder(sealed)
		if err := lines.Encode(c); err != nil {
			return err
		}
		for _, object := range c.Objects {
			if err := lines.Encode(object); err != nil {
				return err
			}
		}
		return nil
	})
}

// ObjectNames stores the names of the objects that the backup needs, not sealed: pruning must be able to read them.
func (w Writer) ObjectNames(ctx context.Context, objects []Object) (store.Stream, error) {
	names := make([]string, 0, len(objects))
	for _, object := range objects {
		names = append(names, object.Name+"\n")
	}
	slices.Sort(names)
	return w.stream(ctx, "objects", func(out io.Writer) error {
		_, err := io.WriteString(out, strings.Join(slices.Compact(names), ""))
		return err
	})
}

// sealed stores what produce writes, sealed.
func (w Writer) sealed(ctx context.Context, name string, produce func(io.Writer) error) (store.Stream, error) {
	return w.stream(ctx, name, func(out io.Writer) error {
		sealed, err := seal.Writer(out, w.Recipients)
		if err != nil {
			return err
		}
		if err := produce(sealed); err != nil {
			_ = sealed.Close() // the stream is given up; Close fails for the same reason
			return err
		}
		return sealed.Close()
	})
}

// stream stores what produce writes. If produce fails, parts that are still being sent are cancelled.
func (w Writer) stream(ctx context.Context, name string, produce func(io.Writer) error) (store.Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	out := w.Store.Writer(ctx, w.RunID, name)
	defer out.Stop()
	defer cancel()
	if err := produce(out); err != nil {
		return store.Stream{}, err
	}
	return out.Finish()
}

// CheckListed returns an error for each table of the snapshot whose data pg_restore does not list in the dump.
func CheckListed(items []string, tables []dump.Table) error {
	var missing []error
	for _, t := range tables {
		schema, name, _ := strings.Cut(t.Name, ".")
		data := " TABLE DATA " + schema + " " + name + " "
		if !slices.ContainsFunc(items, func(item string) bool { return strings.Contains(item+" ", data) }) {
			missing = append(missing, fmt.Errorf("the dump does not list table %s", t.Name))
		}
	}
	return errors.Join(missing...)
}

// countingHash hashes and counts what is written to it.
type countingHash struct {
	hash.Hash
	size int64
}

func newCountingHash() *countingHash { return &countingHash{Hash: sha256.New()} }

func (h *countingHash) Write(p []byte) (int, error) {
	h.size += int64(len(p))
	return h.Hash.Write(p)
}

func (h *countingHash) hex() string { return hex.EncodeToString(h.Sum(nil)) }
