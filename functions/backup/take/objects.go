package take

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/functions/backup/archive"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/shared/blob"
)

// copiedObject is an object that was copied, with the ETag by which a later listing recognises it.
type copiedObject struct {
	archive.Object
	etag string
}

// copier copies the objects of the PDF bucket into the backup bucket, each content once.
type copier struct {
	*Taker

	mu          sync.Mutex
	present     map[string]bool         // names in the backup bucket that need not be stored
	copied      map[string]copiedObject // by key
	stored      int
	storedBytes int64
}

// newCopier reads which objects are stored already. Those that a verification found damaged are stored again.
func (t *Taker) newCopier(ctx context.Context) (*copier, error) {
	present, err := t.Store.Objects(ctx)
	if err != nil {
		return nil, err
	}
	list, err := t.Store.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Verification != nil {
			for _, name := range m.Verification.Damaged {
				delete(present, name)
			}
		}
	}
	return &copier{Taker: t, present: present, copied: map[string]copiedObject{}}, nil
}

// copyNew copies the objects that are new or changed since the last call.
func (c *copier) copyNew(ctx context.Context) error {
	var changed []string
	err := c.PDFs.List(ctx, "", func(i blob.Info) error {
		if last, ok := c.copied[i.Key]; !ok || last.etag != i.ETag {
			changed = append(changed, i.Key)
		}
		return nil
	})
	// Without a bucket nothing was uploaded yet, or it was lost; the snapshot tells which.
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	if len(changed) > 0 {
		progress.Report(ctx, "copying %d PDFs", len(changed))
	}
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(archive.Concurrency)
	for _, key := range changed {
		group.Go(func() error {
			err := c.copyObject(limited, key)
			if errors.Is(err, blob.ErrNotFound) {
				return nil // deleted since it was listed
			}
			return err
		})
	}
	return group.Wait()
}

func (c *copier) copyObject(ctx context.Context, key string) error {
	body, info, err := c.read(ctx, key)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	object := archive.Object{Key: key, Name: c.Namer.Name(sum), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body)),
		ContentType: info.ContentType, Meta: info.Meta}
	stored, storedBytes := 0, int64(0)
	if c.reserve(object.Name) {
		sealed, err := c.seal(body)
		if err != nil {
			return err
		}
		if err := c.Store.PutObject(ctx, object.Name, sealed); err != nil {
			return err
		}
		stored, storedBytes = 1, int64(len(sealed))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stored, c.storedBytes = c.stored+stored, c.storedBytes+storedBytes
	c.copied[key] = copiedObject{object, info.ETag}
	return nil
}

// reserve reports whether the caller must store that name. If storing it then fails, so does the run.
func (c *copier) reserve(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.present[name] {
		return false
	}
	c.present[name] = true
	return true
}

// read returns an object of the PDF bucket.
func (c *copier) read(ctx context.Context, key string) ([]byte, blob.Info, error) {
	reader, info, err := c.PDFs.Get(ctx, key)
	if err != nil {
		return nil, info, err
	}
	defer reader.Close() // only read
	body, err := io.ReadAll(io.LimitReader(reader, archive.MaxObject+1))
	if err != nil {
		return nil, info, fmt.Errorf("read %s: %w", key, err)
	}
	if len(body) > archive.MaxObject {
		return nil, info, fmt.Errorf("%s is larger than %s, the limit of a backup", key, progress.Bytes(archive.MaxObject))
	}
	if int64(len(body)) != info.Size {
		return nil, info, fmt.Errorf("read %s: got %d bytes of %d", key, len(body), info.Size)
	}
	return body, info, nil
}

func (c *copier) seal(body []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := seal.Writer(&sealed, c.Recipients)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(body)
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("seal an object: %w", err)
	}
	return sealed.Bytes(), nil
}

// ofSnapshot returns the objects that belong to a snapshot: the PDFs that it lists, and everything that is no PDF
// of a job. Missing counts the PDFs that the snapshot lists as stored and the bucket does not have.
func ofSnapshot(all map[string]copiedObject, listed map[string]bool) (chosen map[string]copiedObject, missing int) {
	chosen = map[string]copiedObject{}
	for key, object := range all {
		if _, ok := listed[key]; ok || !archive.IsUpload(key) {
			chosen[key] = object
		}
	}
	for key, stored := range listed {
		if _, ok := chosen[key]; stored && !ok {
			missing++
		}
	}
	return chosen, missing
}
