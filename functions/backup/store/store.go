// Package store is what a backup bucket holds, and the only truth about backups: the database may be
// what is lost.
//
//	lock.json                             who works on this bucket now
//	manifests/<id>.json                   a backup: written last, so without it there is none
//	runs/<id>/started                     a run began; without a manifest, what is beside it is an orphan
//	runs/<id>/dump.000001...              the sealed dump, in parts
//	runs/<id>/contents.000001...          sealed: what the dump and the objects must be (Contents)
//	runs/<id>/objects.000001...           the names of the objects that the backup needs, one a line
//	objects/<xx>/<name>                   a sealed object, kept once for all backups that need it
//	state/alert.json                      what was alerted
//	state/deletions.json                  who deleted everything, by hashes; signed
//	state/deletions-replaced-<hash>.json  the same as it was found when it could not be used
//
// Large streams are kept as numbered objects rather than as one multipart upload: a part that failed
// is sent again by itself, its hash is in the manifest, what a crash leaves is listed like any other
// object, and neither side holds more than some parts in memory.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/retry"
)

// DefaultPartSize is how much of a stream is held in memory and sent at once.
const DefaultPartSize = 8 << 20

// Store is one backup bucket. It is safe for concurrent use.
type Store struct {
	blob     *blob.Store
	partSize int
	signing  sign.Keys
	pause    time.Duration // before a part is sent again
}

// New is the Store of a bucket; partSize 0 is DefaultPartSize.
func New(bucket *blob.Store, partSize int) *Store {
	if partSize <= 0 {
		partSize = DefaultPartSize
	}
	return &Store{blob: bucket, partSize: partSize, pause: 300 * time.Millisecond}
}

// WithKeys is the store whose documents are signed and checked by keys.
func (s *Store) WithKeys(keys sign.Keys) *Store {
	signed := *s
	signed.signing = keys
	return &signed
}

// ChecksSignatures reports whether there is a key to check signatures with.
func (s *Store) ChecksSignatures() bool { return s.signing.Known() }

// Ready asks whether the bucket can be reached.
func (s *Store) Ready(ctx context.Context) error { return s.blob.Ready(ctx) }

// maxAttempts is how often a call is made that the server could not answer.
const maxAttempts = 4

// retry calls f until it succeeds, fails for good, or was tried often enough.
func (s *Store) retry(ctx context.Context, f func() error) error {
	passes := func(err error) bool { return errors.As(err, new(*blob.DownError)) }
	return retry.Do(ctx, maxAttempts, s.pause, passes, f)
}

// maxSmallObject bounds what get reads: manifests, the lock, states.
const maxSmallObject = 64 << 20

// get reads a small object.
func (s *Store) get(ctx context.Context, key string) (body []byte, info blob.Info, err error) {
	err = s.retry(ctx, func() error {
		var reader io.ReadCloser
		if reader, info, err = s.blob.Get(ctx, key); err != nil {
			return err
		}
		defer reader.Close() // only read
		if body, err = io.ReadAll(io.LimitReader(reader, maxSmallObject)); err != nil && ctx.Err() == nil {
			return &blob.DownError{Err: fmt.Errorf("read %s: %w", key, err)}
		}
		return err
	})
	return body, info, err
}

// put stores a small object, replacing one of the same key.
func (s *Store) put(ctx context.Context, key string, body []byte, contentType string, meta map[string]string) error {
	return s.retry(ctx, func() error {
		_, err := s.blob.Put(ctx, key, strings.NewReader(string(body)), int64(len(body)), contentType, meta)
		return err
	})
}

// keys are those with a prefix.
func (s *Store) keys(ctx context.Context, prefix string) (keys []string, err error) {
	err = s.blob.List(ctx, prefix, func(i blob.Info) error {
		keys = append(keys, i.Key)
		return nil
	})
	if errors.Is(err, blob.ErrNotFound) {
		return nil, fmt.Errorf("the backup bucket is missing: %w", err)
	}
	return keys, err
}

// ErrUnreadable means that a document beside the backups is not as one is written here.
var ErrUnreadable = errors.New("it is damaged")

// ReadState reads a small JSON document beside the backups, such as what was alerted. ErrNotFound (package
// blob) if there is none, ErrUnreadable if its content is of no use.
func (s *Store) ReadState(ctx context.Context, name string, into any) error {
	body, _, err := s.get(ctx, "state/"+name+".json")
	if err != nil {
		return err
	}
	return decodeState(name, body, into)
}

func decodeState(name string, document []byte, into any) error {
	if err := json.Unmarshal(document, into); err != nil {
		return fmt.Errorf("read the note %s: %w: %w", name, ErrUnreadable, err)
	}
	return nil
}

// WriteState replaces the document that ReadState reads.
func (s *Store) WriteState(ctx context.Context, name string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the note %s: %w", name, err)
	}
	return s.put(ctx, "state/"+name+".json", body, "application/json", nil)
}

// KeepState copies the document as it is, whatever it holds, under a name that its content gives. KeptStates finds it.
func (s *Store) KeepState(ctx context.Context, name string) error {
	body, _, err := s.get(ctx, "state/"+name+".json")
	if err != nil {
		return err
	}
	return s.put(ctx, "state/"+name+keptMark+"-"+hash(body)[:16]+".json", body, "application/json", nil)
}

// keptMark is in the names of documents that were replaced.
const keptMark = "-replaced"

// KeptStates are the names of what KeepState copied, sorted.
func (s *Store) KeptStates(ctx context.Context, name string) ([]string, error) {
	keys, err := s.keys(ctx, "state/"+name+keptMark)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		keys[i] = strings.TrimSuffix(strings.TrimPrefix(key, "state/"), ".json")
	}
	slices.Sort(keys)
	return keys, nil
}

// signedState is a document beside the backups with its signature.
type signedState struct {
	Document  json.RawMessage `json:"document"`
	Signature string          `json:"signature,omitempty"`
}

// ReadSigned is ReadState for a document that a restore believes: sign.ErrUnsigned or sign.ErrForged if it is not by a
// key that is known here, and was not signed as that. It returns the ETag of what it found, also if that is of no use.
func (s *Store) ReadSigned(ctx context.Context, name, signedAs string, into any) (etag string, err error) {
	body, info, err := s.get(ctx, "state/"+name+".json")
	if err != nil {
		return "", err
	}
	var state signedState
	if err := decodeState(name, body, &state); err != nil {
		return info.ETag, err
	}
	if err := s.signing.Check(signedAs, state.Document, state.Signature); err != nil {
		return info.ETag, fmt.Errorf("the note %s: %w", name, err)
	}
	return info.ETag, decodeState(name, state.Document, into)
}

// WriteSigned replaces the document that ReadSigned found with that ETag, or makes the first one if it is empty.
// ErrCondition (package blob) if another process did so meanwhile.
func (s *Store) WriteSigned(ctx context.Context, name string, value any, etag string) error {
	document, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode the note %s: %w", name, err)
	}
	body, err := json.Marshal(signedState{document, s.signing.Sign(name, document)})
	if err != nil {
		return fmt.Errorf("encode the note %s: %w", name, err)
	}
	_, err = s.putConditional(ctx, "state/"+name+".json", body, blob.Expect{ETag: etag})
	return err
}
