package blob_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
)

// both runs a test against the embedded server and, where it is there, against MinIO.
func both(t *testing.T, test func(*testing.T, *s3test.Server)) {
	t.Run("embedded", func(t *testing.T) { t.Parallel(); test(t, s3test.New(t)) })
	t.Run("MinIO", func(t *testing.T) { t.Parallel(); test(t, s3test.MinIO(t)) })
}

func TestListGivesKeysInOrder(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, server *s3test.Server) {
		store := server.Store(t)
		if err := store.List(t.Context(), "", func(blob.Info) error { return nil }); !errors.Is(err, blob.ErrNoBucket) {
			t.Errorf("a bucket that is missing: got %v, want ErrNoBucket", err)
		}
		for _, key := range []string{"b/2", "a", "b/1", "b/sub/3"} {
			if _, err := store.Put(t.Context(), key, strings.NewReader(key), int64(len(key)), "text/plain", nil); err != nil {
				t.Fatal(err)
			}
		}
		var keys []string
		var size int64
		if err := store.List(t.Context(), "b/", func(i blob.Info) error {
			keys, size = append(keys, i.Key), size+i.Size
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"b/1", "b/2", "b/sub/3"}; !slices.Equal(keys, want) || size != 13 {
			t.Errorf("got %q of %d bytes, want %q of 13", keys, size, want)
		}
		enough := errors.New("enough")
		if err := store.List(t.Context(), "", func(blob.Info) error { return enough }); !errors.Is(err, enough) {
			t.Errorf("a callback that fails: got %v, want its error", err)
		}
	})
}

func TestPutIfLetsOneWin(t *testing.T) {
	t.Parallel()
	both(t, func(t *testing.T, server *s3test.Server) {
		store, ctx := server.Store(t), t.Context()
		if err := store.Ready(ctx); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		var won []blob.Info
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				stored, err := store.PutIf(ctx, "lock", []byte{byte(i)}, "text/plain", blob.Expect{})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won = append(won, stored)
				} else if !errors.Is(err, blob.ErrCondition) {
					t.Errorf("one that lost: got %v, want ErrCondition", err)
				}
			})
		}
		group.Wait()
		if len(won) != 1 {
			t.Fatalf("%d of 8 stored an object that none may replace, want 1", len(won))
		}
		next, err := store.PutIf(ctx, "lock", []byte("next"), "text/plain", blob.Expect{ETag: won[0].ETag})
		if err != nil || next.ETag == won[0].ETag {
			t.Errorf("with the right ETag: got %+v, %v", next, err)
		}
		if _, err := store.PutIf(ctx, "lock", []byte("late"), "text/plain", blob.Expect{ETag: won[0].ETag}); !errors.Is(err, blob.ErrCondition) {
			t.Errorf("with the ETag before: got %v, want ErrCondition", err)
		}
		if _, err := store.PutIf(ctx, "gone", []byte("x"), "text/plain", blob.Expect{ETag: next.ETag}); !errors.Is(err, blob.ErrCondition) {
			t.Errorf("of an object that is not there: got %v, want ErrCondition", err)
		}
	})
}
