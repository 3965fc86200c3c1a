// Package deletions keeps a list of the people who deleted everything beside the backups, so that a restore does not
// bring them back. A person is named by a hash of a random id, which tells nothing of who it is.
package deletions

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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

// Read is the list of a bucket, which is empty before the first deletion. One that nobody known signed is an error.
func Read(ctx context.Context, bucket *store.Store) ([]personal.Entry, error) {
	var l list
	err := bucket.ReadSigned(ctx, state, &l)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of deletions: %w", err)
	}
	return l.Deletions, nil
}

// Publish adds deletions to the list of a bucket. It drops those that no backup is from before: none could bring
// these people back.
func Publish(ctx context.Context, bucket *store.Store, entries []personal.Entry) error {
	known, err := Read(ctx, bucket)
	if errors.Is(err, sign.ErrUnsigned) || errors.Is(err, sign.ErrForged) {
		known, err = nil, nil // the database has all that a list of ours had
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
	if slices.EqualFunc(all, known, same) {
		return nil
	}
	return bucket.WriteSigned(ctx, state, list{all})
}

func same(a, b personal.Entry) bool {
	at := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	return bytes.Equal(a.OwnerHash, b.OwnerHash) && a.Requested.Equal(b.Requested) && at(a.MadeBefore).Equal(at(b.MadeBefore))
}
