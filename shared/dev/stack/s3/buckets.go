package s3

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/johannesboyne/gofakes3"
)

// ListBuckets lists the buckets there are.
func (f *files) ListBuckets() (all []gofakes3.BucketInfo, err error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.IsDir() {
			continue // deleted meanwhile, or not ours
		}
		all = append(all, gofakes3.BucketInfo{Name: info.Name(), CreationDate: gofakes3.NewContentTime(info.ModTime())})
	}
	return all, nil
}

// CreateBucket makes a bucket.
func (f *files) CreateBucket(name string) error {
	if err := gofakes3.ValidateBucketName(name); err != nil {
		return err
	}
	err := os.Mkdir(f.bucket(name), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return gofakes3.ResourceError(gofakes3.ErrBucketAlreadyExists, name)
	}
	if err == nil && f.syncDir != nil {
		err = f.syncDir(f.dir)
	}
	return err
}

// BucketExists says whether there is a bucket of that name.
func (f *files) BucketExists(name string) (bool, error) {
	if gofakes3.ValidateBucketName(name) != nil {
		return false, nil // also keeps names that are paths away
	}
	info, err := os.Stat(f.bucket(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && info.IsDir(), err
}

// DeleteBucket removes a bucket without objects.
func (f *files) DeleteBucket(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	all, err := f.all(name)
	if err != nil {
		return err
	}
	if len(all) > 0 {
		return gofakes3.ResourceError(gofakes3.ErrBucketNotEmpty, name)
	}
	return os.RemoveAll(f.bucket(name))
}

// ForceDeleteBucket removes a bucket with its objects.
func (f *files) ForceDeleteBucket(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.all(name); err != nil {
		return err
	}
	return os.RemoveAll(f.bucket(name))
}

// writeFile replaces a file in one step, and makes it durable unless syncDir is nil. After an error of syncDir the
// file is replaced all the same; only a crash may bring the old one back.
func writeFile(path string, text []byte, syncDir func(string) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil && syncDir != nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if syncDir != nil {
		return syncDir(filepath.Dir(path))
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
