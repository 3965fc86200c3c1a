package s3

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Beginnings of the names of files that are written before they count.
const (
	contentPrefix   = "content-"
	temporaryPrefix = "tmp-"
)

// removeLeftovers removes what a process left that was killed: files that were never moved into place, and contents
// that no object names, which are whole PDFs beyond their time. It is for the start, when nobody writes. Of a bucket
// with an object that cannot be read it removes nothing, for that object may name any content.
func (f *files) removeLeftovers() error {
	buckets, err := f.ListBuckets()
	if err != nil {
		return err
	}
	var failures []error
	for _, bucket := range buckets {
		all, err := f.all(bucket.Name)
		if err != nil {
			failures = append(failures, fmt.Errorf("bucket %s: %w", bucket.Name, err))
			continue
		}
		named := make(map[string]bool, len(all))
		for _, o := range all {
			named[o.Content] = true
		}
		failures = append(failures, removeFiles(f.bucket(bucket.Name), func(name string) bool {
			return strings.HasPrefix(name, temporaryPrefix) || strings.HasPrefix(name, contentPrefix) && !named[name]
		}))
	}
	return errors.Join(failures...)
}

// removeFiles removes the files of a directory that are not wanted, by their names.
func removeFiles(dir string, unwanted func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var failures []error
	for _, entry := range entries {
		if entry.Type().IsRegular() && unwanted(entry.Name()) {
			failures = append(failures, os.Remove(filepath.Join(dir, entry.Name())))
		}
	}
	return errors.Join(failures...)
}
