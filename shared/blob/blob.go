// Package blob keeps objects in an S3 bucket (MinIO, or the embedded server). It connects with the
// first call, makes the bucket if it is missing, and ends every call by a deadline. It tries each
// call once more at most: retrying is for the caller, who knows what a job may still cost.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Config says which server and bucket.
type Config struct {
	URL       string        `env:"S3_URL, required"`                 // http://host:9000 or https://host
	Bucket    string        `env:"S3_BUCKET, default=schedgen-pdfs"` // where PDFs are kept; made if it is missing
	AccessKey string        `env:"S3_ACCESS_KEY, required"`          // of a user that may read and write the bucket
	SecretKey secret.String `env:"S3_SECRET_KEY, required"`          // its secret
	Region    string        `env:"S3_REGION, default=us-east-1"`     // MinIO has but one
	Timeout   time.Duration `env:"S3_TIMEOUT, default=30s"`          // one call, its body included
}

// ErrNotFound says that there is no such object.
var ErrNotFound = tracing.NewError(api.NotFound, "blob: no such object")

// ErrNoBucket says that the bucket is missing. For the caller who looks for an object it is [ErrNotFound], too. But it is
// an outage of the store, which an operator can mend, and says nothing of the object.
var ErrNoBucket error = noBucket{}

type noBucket struct{}

func (noBucket) Error() string { return "blob: no such bucket" }

func (noBucket) Is(err error) bool { return err == ErrNotFound }

// Unavailable is the CODE that package api answers.
func (noBucket) Unavailable() string { return api.StorageUnavailable }

// DownError says that the server could not be asked.
type DownError struct{ Err error }

func (e *DownError) Error() string { return "object storage unavailable: " + e.Err.Error() }

func (e *DownError) Unwrap() error { return e.Err }

// Unavailable is the CODE that package api answers.
func (e *DownError) Unavailable() string { return api.StorageUnavailable }

// FullError says that the server has no room for more: nothing was stored.
type FullError struct{ Err error }

func (e *FullError) Error() string { return "object storage full: " + e.Err.Error() }

func (e *FullError) Unwrap() error { return e.Err }

// Unavailable is the CODE that package api answers.
func (e *FullError) Unavailable() string { return api.StorageFull }

// Info is what the server knows of an object.
type Info struct {
	Key      string
	Size     int64
	ETag     string
	Modified time.Time
	// ContentType and Meta are as given to Put, the names of Meta in canonical header form.
	ContentType string
	Meta        map[string]string
}

// Store is one bucket. It is safe for concurrent use.
type Store struct {
	cfg     Config
	client  *minio.Client
	metrics *metrics
	mu      sync.Mutex
	made    bool // the bucket was seen or made
}

// Open checks cfg and connects nothing.
func Open(cfg Config) (*Store, error) {
	cfg = settings.WithDefaults(cfg)
	address, err := url.Parse(cfg.URL)
	if err != nil || !settings.IsWebAddress(cfg.URL) {
		return nil, errors.New("S3_URL is not an address such as http://host:9000")
	}
	metrics := newMetrics()
	client, err := minio.New(address.Host, &minio.Options{
		Creds:        credentials.NewStaticV4(cfg.AccessKey, cfg.SecretKey.Reveal(), ""),
		Secure:       address.Scheme == "https",
		Region:       cfg.Region,
		BucketLookup: minio.BucketLookupPath,
		MaxRetries:   2,
		Transport: metrics.measure(&http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: cfg.Timeout,
			MaxIdleConnsPerHost:   32,
			IdleConnTimeout:       90 * time.Second,
			// Objects are handed on as they are; a transport that unpacks them would change their size.
			DisableCompression: true,
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the object storage client: %w", err)
	}
	return &Store{cfg: cfg, client: client, metrics: metrics}, nil
}

// Put stores an object; replacing one of the same key is not an error. A negative size means
// unknown: the body is then sent in parts of 5 MiB. A body that can seek is sent again if the
// connection breaks at the start.
func (s *Store) Put(ctx context.Context, key string, body io.Reader, size int64, contentType string, meta map[string]string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	if err := s.ensure(ctx); err != nil {
		return Info{}, err
	}
	options := minio.PutObjectOptions{ContentType: contentType, UserMetadata: meta, SendContentMd5: false, DisableMultipart: size >= 0}
	if size < 0 {
		options.PartSize = 5 << 20 // the least that S3 allows: parts are held in memory
	}
	watched, reader := watch(body)
	stored, err := s.client.PutObject(ctx, s.cfg.Bucket, key, reader, size, options)
	if watched.err != nil {
		return Info{}, fmt.Errorf("store %s: read what to store: %w", key, watched.err)
	}
	if err != nil {
		return Info{}, s.failed("store", key, err)
	}
	return Info{Key: key, Size: stored.Size, ETag: strings.Trim(stored.ETag, `"`), Modified: stored.LastModified, ContentType: contentType, Meta: meta}, nil
}

// source notes why the caller's body could not be read, which is not the server's fault.
type source struct {
	io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// watch is the source of body, and the reader to hand on, which can seek if body can.
func watch(body io.Reader) (*source, io.Reader) {
	watched := &source{Reader: body}
	if seeker, ok := body.(io.Seeker); ok {
		return watched, struct {
			io.Reader
			io.Seeker
		}{watched, seeker}
	}
	return watched, watched
}

// Get opens an object. The reader must be closed, and ends with the timeout or with ctx.
func (s *Store) Get(ctx context.Context, key string) (io.ReadCloser, Info, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	// The core client answers with the first bytes at once; the other one asks twice.
	core := minio.Core{Client: s.client}
	body, object, _, err := core.GetObject(ctx, s.cfg.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		cancel()
		return nil, Info{}, s.failed("open", key, err)
	}
	return &reader{ReadCloser: body, cancel: cancel}, info(object), nil
}

// reader ends its context when it is closed.
type reader struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (r *reader) Close() error {
	defer r.cancel()
	return r.ReadCloser.Close()
}

// Stat asks for an object without its content.
func (s *Store) Stat(ctx context.Context, key string) (Info, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	object, err := s.client.StatObject(ctx, s.cfg.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return Info{}, s.failed("look for", key, err)
	}
	return info(object), nil
}

// Delete removes an object; one that is not there is no error.
func (s *Store) Delete(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	err := s.client.RemoveObject(ctx, s.cfg.Bucket, key, minio.RemoveObjectOptions{})
	if err = s.failed("delete", key, err); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	return nil
}

// Ready asks whether the bucket can be reached, and makes it if it is missing.
func (s *Store) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	there, err := s.client.BucketExists(ctx, s.cfg.Bucket)
	if err != nil {
		return s.failed("look for bucket", s.cfg.Bucket, err)
	}
	if there {
		return nil
	}
	return s.create(ctx)
}

// ensure makes the bucket once; a bucket that goes away later is an error of the call that meets it.
func (s *Store) ensure(ctx context.Context) error {
	s.mu.Lock()
	made := s.made
	s.mu.Unlock()
	if made {
		return nil
	}
	// Not under the lock: a server that hangs must not make every caller wait for the first.
	if err := s.Ready(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	s.made = true
	s.mu.Unlock()
	return nil
}

// create makes the bucket; another who made it first is no error.
func (s *Store) create(ctx context.Context) error {
	err := s.client.MakeBucket(ctx, s.cfg.Bucket, minio.MakeBucketOptions{Region: s.cfg.Region})
	if err == nil {
		return nil
	}
	switch minio.ToErrorResponse(err).Code {
	case "BucketAlreadyOwnedByYou", "BucketAlreadyExists":
		return nil
	}
	return s.failed("make bucket", s.cfg.Bucket, err)
}

// info is the server's answer in our words.
func info(o minio.ObjectInfo) Info {
	i := Info{Key: o.Key, Size: o.Size, ETag: strings.Trim(o.ETag, `"`), Modified: o.LastModified,
		ContentType: o.ContentType, Meta: map[string]string{}}
	for name, values := range o.Metadata {
		if short, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok && len(values) > 0 {
			i.Meta[short] = values[0]
		}
	}
	return i
}

// failed says what was being done, and tells what is not there and what is away from the rest.
func (s *Store) failed(doing, key string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s %s: %w", doing, key, err)
	}
	answer := minio.ToErrorResponse(err)
	switch {
	case answer.Code == "NoSuchKey":
		return fmt.Errorf("%s %s: %w", doing, key, ErrNotFound)
	case answer.Code == "NoSuchBucket":
		s.mu.Lock()
		s.made = false
		s.mu.Unlock()
		return fmt.Errorf("%s %s: %w", doing, key, ErrNoBucket)
	case answer.Code == "XMinioStorageFull", answer.StatusCode == http.StatusInsufficientStorage:
		return &FullError{Err: fmt.Errorf("%s %s: %w", doing, key, err)}
	case answer.StatusCode >= 500, answer.StatusCode == 0:
		return &DownError{Err: fmt.Errorf("%s %s: %w", doing, key, err)}
	}
	return fmt.Errorf("%s %s: %w", doing, key, err)
}
