package store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

func newStore(t testing.TB) (*store.Store, *blob.Store) {
	t.Helper()
	bucket := s3test.New(t).Store(t)
	if err := bucket.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store.New(bucket, 1000), bucket
}

// storeWithObject is newStore with one object, which no backup needs.
func storeWithObject(t testing.TB) (s *store.Store, bucket *blob.Store, name string) {
	t.Helper()
	s, bucket = newStore(t)
	name = strings.Repeat("ab", 32)
	if err := s.PutObject(t.Context(), name, []byte("x")); err != nil {
		t.Fatal(err)
	}
	return s, bucket, name
}

// lockOf takes the store's lock for the rest of the test.
func lockOf(t testing.TB, s *store.Store) *store.Lock {
	t.Helper()
	lock, _, err := s.Lock(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lock.Release(context.Background()) })
	return lock
}

// run stores a whole run and gives its manifest, not committed.
func run(t testing.TB, s *store.Store, content []byte, names ...string) store.Manifest {
	t.Helper()
	m := store.Manifest{ID: store.NewID(time.Now()), CreatedAt: time.Now().UTC()}
	if err := s.Begin(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	m.Dump = stream(t, s, m.ID, "dump", content)
	m.Contents = stream(t, s, m.ID, "contents", []byte("c"))
	m.ObjectNames = stream(t, s, m.ID, "objects", []byte(strings.Join(names, "\n")))
	return m
}

func stream(t testing.TB, s *store.Store, id, name string, content []byte) store.Stream {
	t.Helper()
	w := s.Writer(t.Context(), id, name)
	defer w.Stop()
	for len(content) > 0 {
		n := min(len(content), 1+rand.IntN(700))
		if _, err := w.Write(content[:n]); err != nil {
			t.Fatal(err)
		}
		content = content[n:]
	}
	done, err := w.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return done
}

func commit(t testing.TB, s *store.Store, m store.Manifest) store.Manifest {
	t.Helper()
	m, err := s.Commit(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestStreamsComeBackWhole(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	for _, size := range []int{0, 1, 999, 1000, 1001, 54321} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(rand.Uint32())
		}
		m := run(t, s, content)
		if want := (size + 999) / 1000; len(m.Dump.Parts) != want || m.Dump.Size != int64(size) {
			t.Errorf("%d bytes: got %d parts of %d bytes, want %d", size, len(m.Dump.Parts), m.Dump.Size, want)
		}
		got, err := io.ReadAll(s.Reader(t.Context(), m.ID, m.Dump))
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
		if err := s.CheckParts(t.Context(), m); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestAPartThatIsGoneOrShortIsDamage(t *testing.T) {
	t.Parallel()
	s, bucket := newStore(t)
	m := commit(t, s, run(t, s, make([]byte, 5000)))
	key := "runs/" + m.ID + "/dump.000003"
	if _, err := bucket.Put(t.Context(), key, strings.NewReader("short"), 5, "", nil); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := io.ReadAll(s.Reader(t.Context(), m.ID, m.Dump))
		var damaged *store.DamagedError
		if !errors.As(err, &damaged) || damaged.Key != key {
			t.Errorf("got %v, want the damage of %s", err, key)
		}
		if err := s.CheckParts(t.Context(), m); !errors.As(err, &damaged) {
			t.Errorf("a look: got %v, want damage", err)
		}
		if err := bucket.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}

func TestARunThatWasGivenUpNeverBecomesABackup(t *testing.T) {
	t.Parallel()
	s, bucket := newStore(t)
	zombie := run(t, s, make([]byte, 3000))
	if n, err := s.SweepRuns(t.Context(), time.Now()); err != nil || n != 1 {
		t.Fatalf("swept %d, %v; want 1", n, err)
	}
	if _, err := s.Commit(t.Context(), zombie); !errors.Is(err, blob.ErrCondition) {
		t.Errorf("it wakes and commits: got %v, want ErrCondition", err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %d backups, %v; want none", len(list), err)
	}
	if _, err := s.Get(t.Context(), zombie.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	left := 0
	count := func(blob.Info) error { left++; return nil }
	if err := bucket.List(t.Context(), "runs/", count); err != nil || left != 0 {
		t.Errorf("%d objects of it are left, %v", left, err)
	}
	// Its name stays taken, for a week.
	if _, err := s.SweepRuns(t.Context(), time.Now().Add(6*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := bucket.List(t.Context(), "manifests/", count); err != nil || left != 1 {
		t.Errorf("%d tombstones after six days, %v; want 1", left, err)
	}
	if _, err := s.SweepRuns(t.Context(), time.Now().Add(8*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	left = 0
	if err := bucket.List(t.Context(), "manifests/", count); err != nil || left != 0 {
		t.Errorf("%d tombstones after eight days, %v; want none", left, err)
	}
}

func TestASweepLeavesBackupsAlone(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	namer, err := store.NewNamer(secret.New("secret"))
	if err != nil {
		t.Fatal(err)
	}
	needed, other := namer.Name(sha256.Sum256([]byte("a"))), namer.Name(sha256.Sum256([]byte("b")))
	for _, name := range []string{needed, other} {
		if err := s.PutObject(t.Context(), name, []byte(name)); err != nil {
			t.Fatal(err)
		}
	}
	lock := lockOf(t, s)
	m := commit(t, s, run(t, s, make([]byte, 2000), needed))
	run(t, s, make([]byte, 2000), other) // crashed
	if n, err := s.SweepRuns(t.Context(), time.Now()); err != nil || n != 1 {
		t.Errorf("swept %d runs, %v; want 1", n, err)
	}
	if n, err := s.SweepObjects(t.Context(), lock); err != nil || n != 1 {
		t.Errorf("swept %d objects, %v; want 1", n, err)
	}
	if err := s.CheckParts(t.Context(), m); err != nil {
		t.Errorf("the backup: %v", err)
	}
	if _, err := s.GetObject(t.Context(), needed); err != nil {
		t.Errorf("its object: %v", err)
	}
	if err := s.Discard(t.Context(), m.ID, time.Now()); err != nil {
		t.Errorf("discard: %v", err)
	}
	if err := s.CheckParts(t.Context(), m); err != nil {
		t.Errorf("a backup was discarded: %v", err)
	}
	if err := s.Delete(t.Context(), m.ID); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SweepObjects(t.Context(), lock); err != nil || n != 1 {
		t.Errorf("without the backup: swept %d objects, %v; want 1", n, err)
	}
}

// TestAHolderThatSleptDeletesNothing: another took the lock, and its backup may need what no manifest names yet.
func TestAHolderThatSleptDeletesNothing(t *testing.T) {
	t.Parallel()
	s, bucket, name := storeWithObject(t)
	lock := lockOf(t, s)
	if _, err := bucket.Put(t.Context(), "lock.json", strings.NewReader("{}"), 2, "application/json", nil); err != nil {
		t.Fatal(err)
	}
	if n, err := s.SweepObjects(t.Context(), lock); n != 0 || !errors.Is(err, store.ErrLockLost) {
		t.Errorf("swept %d objects, %v; want none, and ErrLockLost", n, err)
	}
	if _, err := s.GetObject(t.Context(), name); err != nil {
		t.Error(err)
	}
}

func TestObjectsAreKeptWhileABackupsNeedsAreNotKnown(t *testing.T) {
	t.Parallel()
	s, bucket, name := storeWithObject(t)
	lock := lockOf(t, s)
	m := commit(t, s, run(t, s, nil, name))
	for _, damaged := range []string{"runs/" + m.ID + "/objects.000001", "manifests/" + m.ID + ".json"} {
		if _, err := bucket.Put(t.Context(), damaged, strings.NewReader("?"), 1, "", nil); err != nil {
			t.Fatal(err)
		}
		if n, err := s.SweepObjects(t.Context(), lock); err != nil || n != 0 {
			t.Errorf("with %s damaged: swept %d objects, %v; want none", damaged, n, err)
		}
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Status() != "failed" {
		t.Errorf("got %+v, %v; want the damaged one in the list, as failed", list, err)
	}
}

func TestTwoUpdatesOfOneManifest(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t)
	commit(t, s, run(t, s, nil))
	list, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, second := list[0], list[0]
	first.Verification = &store.Verification{OK: true, By: store.ByChecksums}
	first, err = s.Update(t.Context(), first)
	if err != nil || first.Status() != "checked" {
		t.Fatalf("got %s, %v", first.Status(), err)
	}
	second.Rows = 7
	if _, err := s.Update(t.Context(), second); !errors.Is(err, blob.ErrCondition) {
		t.Errorf("of what was read before: got %v, want ErrCondition", err)
	}
	first.Rows = 8
	if _, err := s.Update(t.Context(), first); err != nil {
		t.Errorf("again by the same: %v", err)
	}
}

func TestNamesTellNothingWithoutTheKey(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("a known PDF"))
	a, err := store.NewNamer(secret.New("one secret"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := store.NewNamer(secret.New("another"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.NewNamer(secret.New("one secret"))
	if err != nil {
		t.Fatal(err)
	}
	if a.Name(sum) != again.Name(sum) || a.Name(sum) == b.Name(sum) || len(a.Name(sum)) != 64 {
		t.Errorf("one secret gives %s and %s, another %s; want the first two alike", a.Name(sum), again.Name(sum), b.Name(sum))
	}
}

// A stream is ten times larger than what memory may grow by while it is stored.
func TestMemoryStaysFlat(t *testing.T) {
	// Not parallel: it measures the memory of the whole process.
	const total, allowed = 400 << 20, 40 << 20
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	bucket, err := blob.Open(blob.Config{URL: server.URL, Bucket: "backups", AccessKey: "a", SecretKey: secret.New("b")})
	if err != nil {
		t.Fatal(err)
	}
	before, most := heap(), uint64(0)
	w := store.New(bucket, 4<<20).Writer(t.Context(), "id", "dump")
	defer w.Stop()
	chunk := make([]byte, 1<<20)
	for i := range total / len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
		if i%16 == 0 {
			most = max(most, heap())
		}
	}
	done, err := w.Finish()
	if err != nil || done.Size != total {
		t.Fatalf("stored %d bytes, %v; want %d", done.Size, err, total)
	}
	if most > before+allowed {
		t.Errorf("memory grew by %d MiB while %d MiB were stored, want at most %d", (most-before)>>20, total>>20, allowed>>20)
	}
}

// heap is what is in use after a collection.
func heap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestAPartIsSentAgainAfterAnOutage(t *testing.T) {
	t.Parallel()
	var puts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodPut && puts.Add(1) < 4 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	bucket, err := blob.Open(blob.Config{URL: server.URL, Bucket: "backups", AccessKey: "a", SecretKey: secret.New("b")})
	if err != nil {
		t.Fatal(err)
	}
	w := store.New(bucket, 100).Writer(t.Context(), "id", "dump")
	defer w.Stop()
	if _, err := w.Write(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Finish(); err != nil {
		t.Errorf("got %v after %d tries, want the part stored", err, puts.Load())
	}
}

func TestACopyIsABackupOfItsOwn(t *testing.T) {
	t.Parallel()
	s, bucket := newStore(t)
	to, _ := newStore(t)
	name := strings.Repeat("cd", 32)
	if err := s.PutObject(t.Context(), name, []byte("x")); err != nil {
		t.Fatal(err)
	}
	m := commit(t, s, run(t, s, make([]byte, 4321), name))
	if n, err := s.CopyTo(t.Context(), to, m); err != nil || n < 4322 {
		t.Fatalf("copied %d bytes, %v", n, err)
	}
	list, err := to.List(t.Context())
	if err != nil || len(list) != 1 || list[0].ID != m.ID {
		t.Errorf("got %+v, %v", list, err)
	}
	if _, err := to.GetObject(t.Context(), name); err != nil {
		t.Error(err)
	}
	broken := commit(t, s, run(t, s, make([]byte, 3000)))
	if err := bucket.Delete(t.Context(), "runs/"+broken.ID+"/dump.000002"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CopyTo(t.Context(), to, broken); err == nil {
		t.Error("what is damaged was copied")
	}
	if list, err := to.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("got %d copies, %v; want the whole one", len(list), err)
	}
}
