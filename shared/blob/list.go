package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/minio/minio-go/v7"
)

// ErrCondition says that the object was not as PutIf was told to expect it: nothing was stored.
var ErrCondition = errors.New("blob: the object is not as expected")

// List gives every object whose key begins with prefix to each, in the order of keys, without its
// content type and metadata. It ends with the first error of each. A bucket that is missing is
// ErrNoBucket: nothing in it and no bucket are not the same.
func (s *Store) List(ctx context.Context, prefix string, each func(Info) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the listing when each fails
	defer cancel()
	options := minio.ListObjectsOptions{Prefix: prefix, Recursive: true}
	for object := range s.client.ListObjectsIter(ctx, s.cfg.Bucket, options) {
		if object.Err != nil {
			return s.failed("list", prefix+"*", object.Err)
		}
		if err := each(info(object)); err != nil {
			return err
		}
	}
	return nil
}

// Expect is what must hold of an object for PutIf to store it: the zero value, that there is none.
type Expect struct {
	ETag string // the object is there and has this ETag
}

// PutIf stores a small object if the one of that key is as expected, in one step that no other
// writer can come between; ErrCondition if it is not. A store that knows no conditions must not be
// given to callers of it.
func (s *Store) PutIf(ctx context.Context, key string, body []byte, contentType string, expect Expect) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.ensure(ctx); err != nil {
		return Info{}, err
	}
	options := minio.PutObjectOptions{ContentType: contentType, DisableMultipart: true}
	if expect.ETag == "" {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(expect.ETag)
	}
	stored, err := s.client.PutObject(ctx, s.cfg.Bucket, key, bytes.NewReader(body), int64(len(body)), options)
	if err == nil {
		return Info{Key: key, Size: stored.Size, ETag: strings.Trim(stored.ETag, `"`), Modified: stored.LastModified, ContentType: contentType}, nil
	}
	switch code := minio.ToErrorResponse(err).Code; {
	case code == "PreconditionFailed", code == "ConditionalRequestConflict",
		code == "NoSuchKey" && expect.ETag != "": // one that is gone has no ETag
		return Info{}, fmt.Errorf("store %s: %w", key, ErrCondition)
	}
	return Info{}, s.failed("store", key, err)
}
