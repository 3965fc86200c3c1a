package s3

import (
	"bytes"
	"crypto/md5" // an ETag is one (S3 API), nothing here trusts it
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
)

// files keeps objects as files: <bucket>/<hash of key>.json describes an object and names the file
// with its content. Contents are written whole before the description is moved into place, so a
// crash leaves the old object or the new one, and at worst a content that nothing names until the next start.
type files struct {
	dir     string
	syncDir func(string) error                  // makes the names in a directory durable; nil gives that up for speed
	mu      sync.RWMutex                        // a description's change against its readers
	stored  func(bucket string, o object) error // called with each new object before its PUT is answered
}

// object is a description.
type object struct {
	Key      string            `json:"key"`
	Size     int64             `json:"size"`
	MD5      []byte            `json:"md5"`
	Modified time.Time         `json:"modified"`
	Meta     map[string]string `json:"meta"`
	Content  string            `json:"content"` // file name
}

var _ gofakes3.Backend = (*files)(nil)

// openFiles uses dir, which is made if needed.
func openFiles(dir string, fast bool) (*files, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the directory of objects: %w", err)
	}
	f := &files{dir: dir, syncDir: syncDir, stored: func(string, object) error { return nil }}
	if fast {
		f.syncDir = nil
	}
	return f, nil
}

func (f *files) bucket(name string) string { return filepath.Join(f.dir, name) }

// description is the file that describes an object; a key may be too long or odd for a file's name.
func (f *files) description(bucket, key string) string {
	name := sha256.Sum256([]byte(key))
	return filepath.Join(f.dir, bucket, hex.EncodeToString(name[:])+".json")
}

// need is an error unless the bucket exists. Errors of gofakes3 go back unwrapped, for it looks at
// their type alone to answer.
func (f *files) need(bucket string) error {
	there, err := f.BucketExists(bucket)
	if err == nil && !there {
		return gofakes3.BucketNotFound(bucket)
	}
	return err
}

// read is the description of an object, with f.mu held.
func (f *files) read(bucket, key string) (o object, err error) {
	if err := f.need(bucket); err != nil {
		return o, err
	}
	text, err := os.ReadFile(f.description(bucket, key))
	if errors.Is(err, fs.ErrNotExist) {
		return o, gofakes3.KeyNotFound(key)
	}
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}

// PutObject stores an object, durably, before it returns.
func (f *files) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	var none gofakes3.PutObjectResult
	if err := f.need(bucket); err != nil {
		return none, err
	}
	o := object{Key: key, Modified: time.Now().UTC().Truncate(time.Second), Meta: kept(meta)}
	content, err := f.writeContent(bucket, input, size, &o)
	if err != nil {
		return none, err
	}
	old, err := f.place(bucket, o, conditions)
	if err != nil {
		if f.unnamed(bucket, o) {
			_ = os.Remove(content) // at worst it takes room
		}
		return none, err
	}
	if old != "" {
		_ = os.Remove(filepath.Join(f.bucket(bucket), old)) // at worst it takes room
	}
	return none, f.stored(bucket, o)
}

// unnamed reports whether the object of o's key is certainly another one.
func (f *files) unnamed(bucket string, o object) bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	now, err := f.read(bucket, o.Key)
	return err == nil && now.Content != o.Content || gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey)
}

// kept is the metadata that describes the object, without that of the request.
func kept(meta map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range meta {
		if strings.HasPrefix(name, "X-Amz-Meta-") || !strings.HasPrefix(name, "X-Amz-") {
			out[name] = value
		}
	}
	return out
}

// writeContent writes the content to a file of its own and notes what it was.
func (f *files) writeContent(bucket string, input io.Reader, size int64, o *object) (path string, err error) {
	file, err := os.CreateTemp(f.bucket(bucket), contentPrefix)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // at worst it takes room
		}
	}()
	hash := md5.New()
	o.Size, err = io.Copy(io.MultiWriter(file, hash), input)
	if err == nil && size >= 0 && o.Size != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err == nil && f.syncDir != nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return "", err
	}
	o.MD5, o.Content = hash.Sum(nil), filepath.Base(file.Name())
	return file.Name(), nil
}

// place makes o the object of its key, and returns the content that it replaced.
func (f *files) place(bucket string, o object, conditions *gofakes3.PutConditions) (old string, err error) {
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before, err := f.read(bucket, o.Key)
	there := err == nil
	if err != nil && !gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return "", err
	}
	if conditions != nil {
		if err := gofakes3.CheckPutConditions(conditions, &gofakes3.ConditionalObjectInfo{Exists: there, Hash: before.MD5}); err != nil {
			return "", err
		}
	}
	return before.Content, writeFile(f.description(bucket, o.Key), text, f.syncDir)
}

// HeadObject is an object without its content.
func (f *files) HeadObject(bucket, key string) (*gofakes3.Object, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	o, err := f.read(bucket, key)
	if err != nil {
		return nil, err
	}
	return f.answer(o, io.NopCloser(bytes.NewReader(nil))), nil
}

// GetObject opens an object. A replacement meanwhile does not touch what is being read.
func (f *files) GetObject(bucket, key string, wanted *gofakes3.ObjectRangeRequest) (*gofakes3.Object, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	o, err := f.read(bucket, key)
	if err != nil {
		return nil, err
	}
	content, err := os.Open(filepath.Join(f.bucket(bucket), o.Content))
	if err != nil {
		return nil, err
	}
	part, err := wanted.Range(o.Size)
	if err != nil {
		_ = content.Close() // nothing was read
		return nil, err
	}
	answer := f.answer(o, content)
	if part != nil {
		answer.Range = part
		answer.Contents = struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(content, part.Start, part.Length), content}
	}
	return answer, nil
}

func (f *files) answer(o object, content io.ReadCloser) *gofakes3.Object {
	return &gofakes3.Object{Name: o.Key, Metadata: o.Meta, Size: o.Size, Hash: o.MD5, Contents: content}
}

// DeleteObject removes an object; one that is not there is no error (S3 API).
func (f *files) DeleteObject(bucket, key string) (result gofakes3.ObjectDeleteResult, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.read(bucket, key)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return result, nil
	}
	if err != nil {
		return result, err
	}
	if err := os.Remove(f.description(bucket, key)); err != nil {
		return result, err
	}
	_ = os.Remove(filepath.Join(f.bucket(bucket), o.Content)) // at worst it takes room
	return result, nil
}

// DeleteMulti removes several objects.
func (f *files) DeleteMulti(bucket string, keys ...string) (result gofakes3.MultiDeleteResult, err error) {
	for _, key := range keys {
		if _, err := f.DeleteObject(bucket, key); err != nil {
			result.Error = append(result.Error, gofakes3.ErrorResult{Code: gofakes3.ErrInternal, Key: key})
			continue
		}
		result.Deleted = append(result.Deleted, gofakes3.ObjectID{Key: key})
	}
	return result, nil
}

// CopyObject copies an object.
func (f *files) CopyObject(fromBucket, fromKey, toBucket, toKey string, meta map[string]string) (gofakes3.CopyObjectResult, error) {
	return gofakes3.CopyObject(f, fromBucket, fromKey, toBucket, toKey, meta)
}

// ListBucket lists objects in the order of their keys.
func (f *files) ListBucket(bucket string, prefix *gofakes3.Prefix, page gofakes3.ListBucketPage) (*gofakes3.ObjectList, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	all, err := f.all(bucket)
	if err != nil {
		return nil, err
	}
	if prefix == nil {
		prefix = &gofakes3.Prefix{}
	}
	list := gofakes3.NewObjectList()
	last, group := "", ""
	for _, o := range all {
		var match gofakes3.PrefixMatch
		if page.HasMarker && o.Key <= page.Marker || !prefix.Match(o.Key, &match) {
			continue
		}
		if match.CommonPrefix && match.MatchedPart == group {
			last = o.Key
			continue
		}
		if page.MaxKeys > 0 && int64(len(list.Contents)+len(list.CommonPrefixes)) >= page.MaxKeys {
			list.IsTruncated, list.NextMarker = true, last
			break
		}
		last = o.Key
		if match.CommonPrefix {
			group = match.MatchedPart
			list.AddPrefix(group)
			continue
		}
		list.Add(&gofakes3.Content{Key: o.Key, Size: o.Size, ETag: gofakes3.FormatETag(o.MD5),
			LastModified: gofakes3.NewContentTime(o.Modified)})
	}
	return list, nil
}

// all are the objects of a bucket, sorted, with f.mu held.
func (f *files) all(bucket string) ([]object, error) {
	if err := f.need(bucket); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(f.bucket(bucket), "*.json"))
	if err != nil {
		return nil, err
	}
	all := make([]object, 0, len(names))
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var o object
		if err := json.Unmarshal(text, &o); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(name), err)
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b object) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}
