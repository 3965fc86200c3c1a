package store_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/s3"
	"github.com/schedgen/schedgen/shared/secret"
)

// A run is a backup from the moment its manifest is committed, and not before.
func Example() {
	if err := example(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// before the commit: true
	// 1 backup, unverified
	// sealed rows
}

func example(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "store-example-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := s3.Start(dir, s3.Config{AccessKey: "key", SecretKey: secret.New("secret")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	bucket, err := blob.Open(blob.Config{URL: server.URL(), Bucket: "backups", AccessKey: "key", SecretKey: secret.New("secret")})
	if err != nil {
		return err
	}
	s := store.New(bucket, store.DefaultPartSize)
	if err := s.Ready(ctx); err != nil { // makes the bucket
		return err
	}

	lock, held, err := s.Lock(ctx, 30*time.Second)
	if err != nil {
		return err // store.ErrLocked: another run is at work
	}
	defer lock.Release(ctx)
	m := store.Manifest{ID: store.NewID(time.Now()), CreatedAt: time.Now()}
	if err := s.Begin(held, m.ID); err != nil {
		return err
	}
	dump := s.Writer(held, m.ID, "dump")
	defer dump.Stop()
	if _, err := io.Copy(dump, strings.NewReader("sealed rows\n")); err != nil {
		return err
	}
	if m.Dump, err = dump.Finish(); err != nil {
		return err
	}
	_, err = s.Get(held, m.ID)
	fmt.Println("before the commit:", errors.Is(err, store.ErrNotFound))
	if _, err := s.Commit(held, m); err != nil {
		return err
	}

	list, err := s.List(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%d backup, %s\n", len(list), list[0].Status())
	_, err = io.Copy(os.Stdout, s.Reader(ctx, list[0].ID, list[0].Dump))
	return err
}
