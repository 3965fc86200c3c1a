package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/schedgen/schedgen/shared/blob"
)

// Stream is a sequence of bytes that is kept as parts.
type Stream struct {
	Name  string `json:"name"`
	Size  int64  `json:"size"`
	Parts []Part `json:"parts"`
}

// Part is one object of a stream.
type Part struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func runPrefix(id string) string { return "runs/" + id + "/" }

func partKey(id, name string, index int) string {
	return fmt.Sprintf("%s%s.%06d", runPrefix(id), name, index+1)
}

// Begin notes that a run works under this id, before anything else of it is stored.
func (s *Store) Begin(ctx context.Context, id string) error {
	return s.put(ctx, runPrefix(id)+"started", []byte("a run began; without a manifest of this id it never ended\n"), "text/plain", nil)
}

// maxSending is how many parts are on their way at once.
const maxSending = 2

// Writer stores a stream. Write blocks while enough parts are on their way, so that memory stays at
// some parts however long the stream is.
type Writer struct {
	store  *Store
	ctx    context.Context
	id     string
	stream Stream
	part   []byte
	free   chan []byte
	group  *errgroup.Group
}

// Writer begins a stream of a run. Stop must be called in the end, after Finish or without it.
func (s *Store) Writer(ctx context.Context, id, name string) *Writer {
	w := &Writer{store: s, id: id, stream: Stream{Name: name}, free: make(chan []byte, maxSending)}
	w.group, w.ctx = errgroup.WithContext(ctx)
	for range maxSending {
		w.free <- nil
	}
	return w
}

// Write takes bytes; an error is that of any part before.
func (w *Writer) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if w.part == nil {
			w.part = make([]byte, 0, min(w.store.partSize, 64<<10))
		}
		room := w.store.partSize - len(w.part)
		take := min(room, len(p))
		w.part = append(w.part, p[:take]...)
		p, n = p[take:], n+take
		if len(w.part) == w.store.partSize {
			if err := w.send(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// send puts the part on its way and takes another buffer.
func (w *Writer) send() error {
	part := w.part
	key := partKey(w.id, w.stream.Name, len(w.stream.Parts))
	described := Part{Size: int64(len(part)), SHA256: hash(part)}
	w.stream.Parts = append(w.stream.Parts, described)
	w.stream.Size += described.Size
	select {
	case <-w.ctx.Done():
		return w.failure()
	case buffer := <-w.free:
		w.part = buffer[:0:cap(buffer)]
	}
	w.group.Go(func() error {
		err := w.store.retry(w.ctx, func() error {
			_, err := w.store.blob.Put(w.ctx, key, bytes.NewReader(part), described.Size, "application/octet-stream", nil)
			return err
		})
		w.free <- part
		return err
	})
	return nil
}

// failure is why parts cannot be sent any more.
func (w *Writer) failure() error {
	if err := w.group.Wait(); err != nil {
		return err
	}
	return context.Cause(w.ctx)
}

// Finish sends what is left, waits for all parts and describes the stream.
func (w *Writer) Finish() (Stream, error) {
	if len(w.part) > 0 {
		if err := w.send(); err != nil {
			return Stream{}, err
		}
	}
	if err := w.group.Wait(); err != nil {
		return Stream{}, err
	}
	return w.stream, nil
}

// Stop waits for parts that are on their way; cancel the context to have it end soon.
func (w *Writer) Stop() { _ = w.group.Wait() } // Finish or Write told the error

// DamagedError says that something in the bucket is not what was stored there.
type DamagedError struct {
	Key    string
	Reason string
}

func (e *DamagedError) Error() string { return e.Key + " is damaged: " + e.Reason }

// Reader reads a stream of a backup. Each part is checked against its hash before a byte of it is
// given; *DamagedError if it differs or is missing.
func (s *Store) Reader(ctx context.Context, id string, stream Stream) io.Reader {
	return &partReader{store: s, ctx: ctx, id: id, stream: stream}
}

type partReader struct {
	store  *Store
	ctx    context.Context
	id     string
	stream Stream
	next   int
	part   []byte
}

func (r *partReader) Read(p []byte) (int, error) {
	for len(r.part) == 0 {
		if r.next == len(r.stream.Parts) {
			return 0, io.EOF
		}
		part, err := r.store.part(r.ctx, r.id, r.stream, r.next)
		if err != nil {
			return 0, err
		}
		r.part = part
		r.next++
	}
	n := copy(p, r.part)
	r.part = r.part[n:]
	return n, nil
}

// part reads and checks one part.
func (s *Store) part(ctx context.Context, id string, stream Stream, index int) ([]byte, error) {
	key, want := partKey(id, stream.Name, index), stream.Parts[index]
	body, _, err := s.get(ctx, key)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil, &DamagedError{key, "it is missing"}
	case err != nil:
		return nil, err
	case int64(len(body)) != want.Size:
		return nil, &DamagedError{key, fmt.Sprintf("it has %d bytes instead of %d", len(body), want.Size)}
	case hash(body) != want.SHA256:
		return nil, &DamagedError{key, "its hash differs"}
	}
	return body, nil
}

// Whole says that every part of the backup is stored with its size: a look, not a verification.
func (s *Store) CheckParts(ctx context.Context, m Manifest) error {
	sizes := map[string]int64{}
	err := s.blob.List(ctx, runPrefix(m.ID), func(i blob.Info) error {
		sizes[i.Key] = i.Size
		return nil
	})
	if err != nil {
		return err
	}
	for _, stream := range []Stream{m.Dump, m.Contents, m.ObjectNames} {
		for i, part := range stream.Parts {
			key := partKey(m.ID, stream.Name, i)
			if size, ok := sizes[key]; !ok || size != part.Size {
				return &DamagedError{key, "it is missing"}
			}
		}
	}
	return nil
}

// ObjectNames reads the names of the objects that a backup needs.
func (s *Store) ObjectNames(ctx context.Context, m Manifest) ([]string, error) {
	text, err := io.ReadAll(s.Reader(ctx, m.ID, m.ObjectNames))
	if err != nil {
		return nil, fmt.Errorf("read the names of the objects: %w", err)
	}
	return strings.Fields(string(text)), nil
}
