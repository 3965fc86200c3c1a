package store_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestTheLockIsOneHoldersUntilItIsReleased(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	const lease = 500 * time.Millisecond
	var mu sync.Mutex
	holding, most, turns := 0, 0, 0
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			lock, held, err := s.Lock(t.Context(), lease)
			if errors.Is(err, store.ErrLocked) {
				return
			}
			if err != nil {
				t.Errorf("lock: %v", err)
				return
			}
			mu.Lock()
			holding, turns = holding+1, turns+1
			most = max(most, holding)
			mu.Unlock()
			if err := lock.Confirm(held); err != nil {
				t.Errorf("confirm: %v", err)
			}
			mu.Lock()
			holding--
			mu.Unlock()
			lock.Release(t.Context())
		})
	}
	group.Wait()
	if most != 1 || turns == 0 {
		t.Errorf("%d held it at once, %d in all; want one at a time", most, turns)
	}
}

func TestALivingHolderKeepsTheLock(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	lock, held, err := s.Lock(t.Context(), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := s.Lock(t.Context(), 3*time.Second); !errors.Is(err, store.ErrLocked) {
			t.Errorf("got %v, want ErrLocked", err)
		}
	}
	if held.Err() != nil {
		t.Errorf("the holder lost it: %v", context.Cause(held))
	}
	lock.Release(t.Context())
	next, _, err := s.Lock(t.Context(), time.Second)
	if err != nil {
		t.Fatalf("after its release: %v", err)
	}
	next.Release(t.Context())
}

func TestADeadHoldersLockIsTakenOverAndItsContextEnds(t *testing.T) {
	t.Parallel()
	s, bucket := newStore(t)
	lock, held, err := s.Lock(t.Context(), time.Hour) // its next renewal is far away: as good as dead
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := s.Lock(t.Context(), 300*time.Millisecond)
	if err != nil {
		t.Fatalf("after the lease: %v", err)
	}
	if err := lock.Confirm(held); !errors.Is(err, store.ErrLockLost) {
		t.Errorf("the dead one wakes: got %v, want ErrLockLost", err)
	}
	lock.Release(t.Context()) // must not free what is another's
	if err := next.Confirm(t.Context()); err != nil {
		t.Errorf("the new holder: %v", err)
	}
	next.Release(t.Context())

	// One that renews notices by itself.
	lock, held, err = s.Lock(t.Context(), 400*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.Put(t.Context(), "lock.json", strings.NewReader(`{"holder":"another"}`), 20, "", nil); err != nil {
		t.Fatal(err)
	}
	<-held.Done()
	if !errors.Is(context.Cause(held), store.ErrLockLost) {
		t.Errorf("got %v, want ErrLockLost", context.Cause(held))
	}
	lock.Release(t.Context())
}

func TestAStoreThatKnowsNoConditionsGetsNoBackups(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"0123"`) // and takes everything
	}))
	defer server.Close()
	bucket, err := blob.Open(blob.Config{URL: server.URL, Bucket: "backups", AccessKey: "a", SecretKey: secret.New("b")})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.New(bucket, 0).Lock(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), "If-None-Match") {
		t.Errorf("got %v, want an error about conditions", err)
	}
}
