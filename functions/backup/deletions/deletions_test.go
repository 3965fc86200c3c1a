package deletions_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup/deletions"
	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/secret"
)

// bucket is a backup bucket, as a function with a signing key sees it and as whoever may write to it does.
func bucket(t *testing.T) (*store.Store, *blob.Store) {
	t.Helper()
	raw := s3test.New(t).Store(t)
	if err := raw.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return signedBy(t, store.New(raw, 0), "s"), raw
}

func signedBy(t *testing.T, s *store.Store, letter string) *store.Store {
	t.Helper()
	keys, err := sign.ParseKeys(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))), nil)
	if err != nil {
		t.Fatal(err)
	}
	return s.WithKeys(keys)
}

func entry(owner string, at time.Time) personal.Entry {
	hash := sha256.Sum256([]byte(owner))
	return personal.Entry{OwnerHash: hash[:], Requested: at}
}

func publish(t *testing.T, s *store.Store, entries ...personal.Entry) {
	t.Helper()
	backups, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := deletions.Publish(t.Context(), s, entries, backups); err != nil {
		t.Fatal(err)
	}
}

// listed fails the test unless the list has that many entries.
func listed(t *testing.T, s *store.Store, want int) {
	t.Helper()
	if got, err := deletions.Read(t.Context(), s); err != nil || len(got) != want {
		t.Errorf("the list has %d entries, %v; want %d", len(got), err, want)
	}
}

// manifest makes a backup of that time.
func manifest(t *testing.T, s *store.Store, at time.Time) {
	t.Helper()
	if _, err := s.Commit(t.Context(), store.Manifest{ID: store.NewID(at), CreatedAt: at}); err != nil {
		t.Fatal(err)
	}
}

func TestAListGrowsAndForgetsWhatNoBackupBringsBack(t *testing.T) {
	t.Parallel()
	s, _ := bucket(t)
	monday := time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)
	listed(t, s, 0)
	publish(t, s)
	listed(t, s, 0)
	publish(t, s, entry("a", monday))
	publish(t, s, entry("b", monday.AddDate(0, 0, 2))) // of another database: a stays
	listed(t, s, 2)
	manifest(t, s, monday.AddDate(0, 0, -1))
	publish(t, s)
	listed(t, s, 2)
	if err := s.Delete(t.Context(), newest(t, s)); err != nil {
		t.Fatal(err)
	}
	manifest(t, s, monday.AddDate(0, 0, 1))
	publish(t, s, entry("b", monday.AddDate(0, 0, 2)))
	listed(t, s, 1)
}

func newest(t *testing.T, s *store.Store) string {
	t.Helper()
	list, err := s.List(t.Context())
	if err != nil || len(list) == 0 {
		t.Fatalf("%d backups, %v", len(list), err)
	}
	return list[0].ID
}

// TestAListThatCannotBeUsed is an error to a restore, and replaced by who knows the deletions; what was found is kept.
func TestAListThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"no JSON":         {"{\"document\":", store.ErrUnreadable},
		"another kind":    {`{"document": 7, "signature": []}`, store.ErrUnreadable},
		"no signature":    {`{"document": {"deletions": []}}`, sign.ErrUnsigned},
		"another's":       {`{"document": {"deletions": []}, "signature": "AAAA"}`, sign.ErrForged},
		"empty":           {"", store.ErrUnreadable},
		"bytes of a disk": {"\x00\x00\x00", store.ErrUnreadable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, raw := bucket(t)
			if _, err := raw.Put(t.Context(), "state/deletions.json", strings.NewReader(c.text), int64(len(c.text)), "application/json", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := deletions.Read(t.Context(), s); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			publish(t, s, entry("a", at))
			keptIsSeen(t, s, raw, int64(len(c.text)), 1)
		})
	}
}

// keptIsSeen fails the test unless one list of so many bytes is kept (0: any), a reader is told of it beside the new list,
// and is no longer when it was deleted.
func keptIsSeen(t *testing.T, s *store.Store, raw *blob.Store, size int64, entries int) {
	t.Helper()
	var kept []blob.Info
	if err := raw.List(t.Context(), "state/deletions-replaced-", func(i blob.Info) error { kept = append(kept, i); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || size != 0 && kept[0].Size != size {
		t.Fatalf("kept is %+v, want one list of %d bytes", kept, size)
	}
	var replaced *deletions.ReplacedError
	got, err := deletions.Read(t.Context(), s)
	if !errors.As(err, &replaced) || !deletions.Unusable(err) || "state/"+replaced.Name+".json" != kept[0].Key || len(got) != entries {
		t.Errorf("the list has %d entries, %v; want %d, and to be told of %s", len(got), err, entries, kept[0].Key)
	}
	if err := raw.Delete(t.Context(), kept[0].Key); err != nil {
		t.Fatal(err)
	}
	listed(t, s, entries)
}

// TestAnUnusableListIsReplacedByAnEmptyOne: else it stays, and no watch ever says so.
func TestAnUnusableListIsReplacedByAnEmptyOne(t *testing.T) {
	t.Parallel()
	s, raw := bucket(t)
	if _, err := raw.Put(t.Context(), "state/deletions.json", strings.NewReader("{"), 1, "application/json", nil); err != nil {
		t.Fatal(err)
	}
	publish(t, s)
	keptIsSeen(t, s, raw, 1, 0)
}

// TestEveryReplacedListIsKept, and is part of the list again once the key that signed it is known.
func TestEveryReplacedListIsKept(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)
	s, _ := bucket(t)
	publish(t, s, entry("a", at))
	x, y := signedBy(t, s, "x"), signedBy(t, s, "y")
	publish(t, x, entry("b", at))
	publish(t, y, entry("c", at))
	if kept, err := s.KeptStates(t.Context(), "deletions"); err != nil || len(kept) != 2 {
		t.Errorf("kept are %q, %v; want both that were replaced", kept, err)
	}
	var public []string
	for _, letter := range []string{"s", "x"} {
		keys, err := sign.ParseKeys(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))), nil)
		if err != nil {
			t.Fatal(err)
		}
		public = append(public, keys.Public())
	}
	keys, err := sign.ParseKeys(secret.New(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("y", 32)))), public)
	if err != nil {
		t.Fatal(err)
	}
	listed(t, s.WithKeys(keys), 3)
}

// TestAnEntryThatIsNoneIsRefused, also in a list that is signed: a database would refuse the whole restore.
func TestAnEntryThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	hash := entry("a", time.Time{}).OwnerHash
	for name, of := range map[string]map[string]any{
		"no hash":             {"ownerHash": nil, "requestedAt": "2026-02-09T02:00:00Z"},
		"a hash of no base64": {"ownerHash": "a hash", "requestedAt": "2026-02-09T02:00:00Z"},
		"a time that is none": {"ownerHash": hash, "requestedAt": "on Monday"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, raw := bucket(t)
			if err := s.WriteSigned(t.Context(), "deletions", map[string]any{"deletions": []any{of}}, ""); err != nil {
				t.Fatal(err)
			}
			if _, err := deletions.Read(t.Context(), s); !deletions.Unusable(err) {
				t.Errorf("got %v, want a list that cannot be used", err)
			}
			publish(t, s, entry("a", time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)))
			keptIsSeen(t, s, raw, 0, 1)
		})
	}
}

// TestABucketThatIsAwayKeepsItsList: nothing is known of it then.
func TestABucketThatIsAwayKeepsItsList(t *testing.T) {
	t.Parallel()
	server := s3test.New(t)
	s := store.New(server.Store(t), 0)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := deletions.Publish(t.Context(), s, nil, nil); err == nil || errors.Is(err, store.ErrUnreadable) {
		t.Errorf("got %v, want that the bucket is away", err)
	}
}
