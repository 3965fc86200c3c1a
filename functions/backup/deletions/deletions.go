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
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/personal"
)

// state is the name of the list in the bucket.
const state = "deletions"

type list struct {
	Deletions []personal.Entry `json:"deletions"`
}

// Read is the list of a bucket, which is empty before the first deletion. One that nobody known signed, or that cannot
// be read, is an error.
func Read(ctx context.Context, bucket *store.Store) ([]personal.Entry, error) {
	entries, _, err := read(ctx, bucket)
	return entries, err
}

// read is Read, with the ETag of what it found.
func read(ctx context.Context, bucket *store.Store) (entries []personal.Entry, etag string, err error) {
	var l list
	etag, err = bucket.ReadSigned(ctx, state, &l)
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

// Publish adds deletions to the list of a bucket. It drops those that no backup is from before: none could bring
// these people back. A list that cannot be used is replaced, for the database has all that a list of ours had; a copy
// of it stays beside it, in case the database is a new one.
func Publish(ctx context.Context, bucket *store.Store, entries []personal.Entry) error {
	err := publish(ctx, bucket, entries)
	if errors.Is(err, blob.ErrCondition) { // another process added to the list meanwhile
		err = publish(ctx, bucket, entries)
	}
	return err
}

func publish(ctx context.Context, bucket *store.Store, entries []personal.Entry) error {
	known, etag, err := read(ctx, bucket)
	if Unusable(err) {
		known, err = nil, bucket.CopyState(ctx, state, state+"-replaced")
	}
	if err != nil {
		return err
	}
	backups, err := bucket.List(ctx)
	if err != nil {
		return err
	}
	all := personal.Union(known, entries)
	if len(backups) > 0 {
		oldest := backups[len(backups)-1].CreatedAt.Add(-store.ClockTolerance)
		all = slices.DeleteFunc(all, func(e personal.Entry) bool { return e.Requested.Before(oldest) })
	}
	if slices.EqualFunc(all, known, personal.Entry.Equal) {
		return nil
	}
	return bucket.WriteSigned(ctx, state, list{all}, etag)
}
