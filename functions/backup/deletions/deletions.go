// Package deletions keeps a list of the people who deleted everything beside the backups, so that a restore does not
// bring them back. A person is named by a hash of a random id, which tells nothing of who it is.
package deletions

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/personal"
)

// state is the name of the list in the bucket.
const state = "deletions"

type list struct {
	Deletions []personal.Entry `json:"deletions"`
}

// Read is the list of a bucket, which is empty before the first deletion, with the lists that Publish replaced. One that
// nobody known signed, or that cannot be read, is an error, beside what the others have.
func Read(ctx context.Context, bucket *store.Store) ([]personal.Entry, error) {
	entries, _, err := read(ctx, bucket, state)
	if err != nil && !Unusable(err) {
		return nil, err
	}
	replaced, keptErr := bucket.KeptStates(ctx, state)
	if keptErr != nil {
		return nil, fmt.Errorf("look for lists of deletions that were replaced: %w", keptErr)
	}
	errs := []error{err}
	for _, name := range replaced {
		more, _, err := read(ctx, bucket, name)
		if err != nil && !Unusable(err) {
			return nil, err
		}
		if err != nil {
			errs = append(errs, &ReplacedError{name, err})
		}
		entries = personal.Union(entries, more)
	}
	return entries, errors.Join(errs...)
}

// ReplacedError says of a list that Publish replaced that it cannot be used. Who is on it is known if the database that
// wrote the new one was the same; whether it was, only a person can say.
type ReplacedError struct {
	Name string // of the state in the bucket
	Err  error
}

func (e *ReplacedError) Error() string {
	return fmt.Sprintf("state/%s.json was replaced: %v", e.Name, e.Err)
}

func (e *ReplacedError) Unwrap() error { return e.Err }

// read reads one list, with the ETag of what it found.
func read(ctx context.Context, bucket *store.Store, name string) (entries []personal.Entry, etag string, err error) {
	var l list
	etag, err = bucket.ReadSigned(ctx, name, state, &l)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, "", nil
	}
	if err == nil && slices.ContainsFunc(l.Deletions, func(e personal.Entry) bool { return len(e.OwnerHash) != sha256.Size }) {
		err = fmt.Errorf("%w: a hash has another length", store.ErrUnreadable)
	}
	if err != nil {
		return nil, etag, fmt.Errorf("read the list of deletions: %w", err)
	}
	return l.Deletions, etag, nil
}

// Unusable tells a list that cannot be used from a bucket that cannot be asked.
func Unusable(err error) bool {
	return errors.Is(err, sign.ErrUnsigned) || errors.Is(err, sign.ErrForged) || errors.Is(err, store.ErrUnreadable)
}

// Publish adds deletions to the list of a bucket. It drops those that none of its backups is from before: none could bring
// these people back. A list that cannot be used is replaced, for the database has all that a list of ours had; it is kept
// beside the new one, and Read asks for it, in case the database is a new one.
func Publish(ctx context.Context, bucket *store.Store, entries []personal.Entry, backups []store.Manifest) error {
	err := publish(ctx, bucket, entries, backups)
	if errors.Is(err, blob.ErrCondition) { // another process added to the list meanwhile
		err = publish(ctx, bucket, entries, backups)
	}
	return err
}

func publish(ctx context.Context, bucket *store.Store, entries []personal.Entry, backups []store.Manifest) error {
	known, etag, err := read(ctx, bucket, state)
	replace := Unusable(err)
	if replace {
		api.Logger(ctx).WarnContext(ctx, "list of deletions replaced", "error", err)
		err = bucket.KeepState(ctx, state)
	}
	if err != nil {
		return err
	}
	all := personal.Union(known, entries)
	if len(backups) > 0 {
		oldest := store.OldestSnapshot(backups).Add(-store.ClockTolerance)
		all = slices.DeleteFunc(all, func(e personal.Entry) bool { return e.Requested.Before(oldest) })
	}
	if !replace && slices.EqualFunc(all, known, personal.Entry.Equal) {
		return nil
	}
	return bucket.WriteSigned(ctx, state, list{all}, etag)
}
