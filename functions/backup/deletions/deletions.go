// Package deletions keeps a list of the people who deleted everything beside the backups, so that a restore does not
// bring them back. A person is named by a hash of a random id, which tells nothing of who it is.
package deletions

import (
	"context"
	"crypto/sha256"
	"encoding/json"
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

// ErrInvalid means that the list is not as one is written here.
var ErrInvalid = errors.New("it is not a list of deletions")

// Read is the list of a bucket, which is empty before the first deletion. One that nobody known signed, or that cannot
// be read, is an error.
func Read(ctx context.Context, bucket *store.Store) ([]personal.Entry, error) {
	var l list
	err := bucket.ReadSigned(ctx, state, &l)
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, nil
	case errors.As(err, &syntax), errors.As(err, &kind):
		err = fmt.Errorf("%w: %w", ErrInvalid, err)
	case err == nil && slices.ContainsFunc(l.Deletions, func(e personal.Entry) bool { return len(e.OwnerHash) != sha256.Size }):
		err = fmt.Errorf("%w: a hash has another length", ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of deletions: %w", err)
	}
	return l.Deletions, nil
}

// unusable tells a list that cannot be used from a bucket that cannot be asked.
func unusable(err error) bool {
	return errors.Is(err, sign.ErrUnsigned) || errors.Is(err, sign.ErrForged) || errors.Is(err, ErrInvalid)
}

// Publish adds deletions to the list of a bucket. It drops those that no backup is from before: none could bring
// these people back. A list that cannot be used is replaced, for the database has all that a list of ours had; a copy
// of it stays beside it, in case the database is a new one.
func Publish(ctx context.Context, bucket *store.Store, entries []personal.Entry) error {
	known, err := Read(ctx, bucket)
	if unusable(err) {
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
	return bucket.WriteSigned(ctx, state, list{all})
}
