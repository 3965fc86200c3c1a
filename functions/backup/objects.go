package backup

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

	"github.com/schedgen/schedgen/functions/backup/seal"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
)

// moving is how many objects are copied, verified or restored at once.
const moving = 4

// maxObject bounds an object, which is sealed in memory. Uploads are some megabytes.
const maxObject = 64 << 20

// entry is one object of a backup: what to restore, and under which name its content is kept.
type entry struct {
	Key         string            `json:"key"`
	Name        string            `json:"name"`
	SHA256      string            `json:"sha256"`
	Size        int64             `json:"size"`
	ContentType string            `json:"contentType,omitempty"`
	Meta        map[string]string `json:"meta,omitempty"`

	etag string // by which a second look knows it again
}

// copier brings the objects of the PDF bucket into the backup bucket, each content once.
type copier struct {
	f *Function

	mu          sync.Mutex
	there       map[string]bool  // names in the backup bucket that need not be stored
	entries     map[string]entry // by key
	stored      int
	storedBytes int64
}

// newCopier knows what is stored already. What a verification found damaged counts as not stored.
func (f *Function) newCopier(ctx context.Context) (*copier, error) {
	there, err := f.store.Objects(ctx)
	if err != nil {
		return nil, err
	}
	list, err := f.store.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range list {
		if m.Verification != nil {
			for _, name := range m.Verification.Damaged {
				delete(there, name)
			}
		}
	}
	return &copier{f: f, there: there, entries: map[string]entry{}}, nil
}

// copy brings what is in the bucket now and was not there, or was another, the last time.
func (c *copier) copy(ctx context.Context) error {
	var wanted []blob.Info
	err := c.f.blob.List(ctx, "", func(i blob.Info) error {
		if known, ok := c.entries[i.Key]; !ok || known.etag != i.ETag {
			wanted = append(wanted, i)
		}
		return nil
	})
	// No bucket yet: nothing was ever uploaded, or it was lost; the snapshot will tell.
	if err != nil && !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	if len(wanted) > 0 {
		progress(ctx, "copying %d PDFs", len(wanted))
	}
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(moving)
	for _, i := range wanted {
		group.Go(func() error {
			err := c.one(limited, i.Key)
			if errors.Is(err, blob.ErrNotFound) {
				return nil // deleted since it was listed
			}
			return err
		})
	}
	return group.Wait()
}

// one copies an object.
func (c *copier) one(ctx context.Context, key string) error {
	body, info, err := c.read(ctx, key)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	e := entry{Key: key, Name: c.f.names.Name(sum), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(body)),
		ContentType: info.ContentType, Meta: info.Meta, etag: info.ETag}
	if c.claim(e.Name) {
		sealed, err := c.seal(body)
		if err != nil {
			return err
		}
		if err := c.f.store.PutObject(ctx, e.Name, sealed); err != nil {
			return err
		}
		c.mu.Lock()
		c.stored, c.storedBytes = c.stored+1, c.storedBytes+int64(len(sealed))
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[key] = e
	return nil
}

// claim says whether the caller is the one to store that name. Where it then fails, so does the run.
func (c *copier) claim(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.there[name] {
		return false
	}
	c.there[name] = true
	return true
}

// read gives an object of the PDF bucket.
func (c *copier) read(ctx context.Context, key string) ([]byte, blob.Info, error) {
	reader, info, err := c.f.blob.Get(ctx, key)
	if err != nil {
		return nil, info, err
	}
	defer reader.Close() // only read
	body, err := io.ReadAll(io.LimitReader(reader, maxObject+1))
	if err != nil {
		return nil, info, fmt.Errorf("read %s: %w", key, err)
	}
	if len(body) > maxObject {
		return nil, info, fmt.Errorf("%s is larger than %s: no backup can hold it", key, size(maxObject))
	}
	if int64(len(body)) != info.Size {
		return nil, info, fmt.Errorf("read %s: got %d bytes of %d", key, len(body), info.Size)
	}
	return body, info, nil
}

func (c *copier) seal(body []byte) ([]byte, error) {
	var sealed bytes.Buffer
	w, err := seal.Writer(&sealed, c.f.recipients)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, errors.Join(fmt.Errorf("seal an object: %w", err), w.Close())
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("seal an object: %w", err)
	}
	return sealed.Bytes(), nil
}

// belonging leaves out what the snapshot does not know: a PDF that came after it, or whose job was
// deleted before it, would come back as one that nobody ever deletes. Missing counts what the
// snapshot knows to be stored and the bucket did not have.
func belonging(all map[string]entry, known map[string]bool) (ours map[string]entry, missing int) {
	ours = map[string]entry{}
	for key, e := range all {
		if _, ok := known[key]; ok || !isUpload(key) {
			ours[key] = e
		}
	}
	for key, stored := range known {
		if _, ok := ours[key]; stored && !ok {
			missing++
		}
	}
	return ours, missing
}

// open gives the content of a sealed object, checked against its entry.
func (o opener) open(ctx context.Context, e entry) (body []byte, sealed int64, err error) {
	stored, err := o.from.GetObject(ctx, e.Name)
	if err != nil {
		return nil, 0, err
	}
	plain, err := seal.Reader(bytes.NewReader(stored), o.identities)
	if err != nil {
		return nil, 0, fmt.Errorf("open object %s: %w", e.Name, err)
	}
	defer plain.Close() // only read
	if body, err = io.ReadAll(io.LimitReader(plain, maxObject+1)); err != nil {
		return nil, 0, fmt.Errorf("open object %s: %w", e.Name, err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != e.SHA256 {
		return nil, 0, &store.DamagedError{Key: "object " + e.Name, Reason: "its content has another hash"}
	}
	return body, int64(len(stored)), nil
}
