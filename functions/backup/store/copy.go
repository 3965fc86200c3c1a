package store

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// copyConcurrency is how many objects are copied at once.
const copyConcurrency = 4

// CopyTo copies a backup to another bucket as it is, sealed: the objects that are missing there, its
// parts, and its manifest last. Everything is checked against its hash on the way.
func (s *Store) CopyTo(ctx context.Context, to *Store, m Manifest) (bytes int64, err error) {
	existing, err := to.Objects(ctx)
	if err != nil {
		return 0, err
	}
	if err := to.Begin(ctx, m.ID); err != nil {
		return 0, err
	}
	objects, err := s.copyObjects(ctx, to, m, existing)
	if err != nil {
		return 0, err
	}
	parts, err := s.copyParts(ctx, to, m)
	bytes = objects + parts
	if err != nil {
		return bytes, err
	}
	if err := to.CheckParts(ctx, m); err != nil {
		return bytes, fmt.Errorf("check the copy: %w", err)
	}
	m.Offsite = nil
	_, err = to.Commit(ctx, m)
	return bytes, err
}

// copyObjects copies the backup's objects that do not exist there yet, several at once.
func (s *Store) copyObjects(ctx context.Context, to *Store, m Manifest, existing map[string]bool) (bytes int64, err error) {
	names, err := s.ObjectNames(ctx, m)
	if err != nil {
		return 0, err
	}
	sizes := make([]int64, len(names))
	group, limited := errgroup.WithContext(ctx)
	group.SetLimit(copyConcurrency)
	for i, name := range names {
		if existing[name] {
			continue
		}
		group.Go(func() error {
			sealed, err := s.GetObject(limited, name)
			if err != nil {
				return err
			}
			sizes[i] = int64(len(sealed))
			return to.PutObject(limited, name, sealed)
		})
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	for _, size := range sizes {
		bytes += size
	}
	return bytes, nil
}

// copyParts copies what the backup's streams are made of.
func (s *Store) copyParts(ctx context.Context, to *Store, m Manifest) (bytes int64, err error) {
	for _, stream := range []Stream{m.Dump, m.Contents, m.ObjectNames} {
		for i := range stream.Parts {
			part, err := s.part(ctx, m.ID, stream, i)
			if err != nil {
				return bytes, err
			}
			if err := to.put(ctx, partKey(m.ID, stream.Name, i), part, "application/octet-stream", nil); err != nil {
				return bytes, err
			}
			bytes += int64(len(part))
		}
	}
	return bytes, nil
}
