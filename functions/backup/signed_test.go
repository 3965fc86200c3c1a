package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/deletions"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/functions/backup/sign"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/secret"
)

// signingKey is a key as an operator makes it.
func signingKey(letter string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Repeat(letter, 32)))
}

func signed(letter string) func(*backup.Config) {
	return func(c *backup.Config) { c.SigningKey = secret.New(signingKey(letter)) }
}

// elsewhere restores into a new database and a new bucket.
func (w *world) elsewhere(change ...func(*backup.Config)) *backup.Function {
	w.t.Helper()
	return w.function(append(change, pdfsIn(s3test.New(w.t)), func(c *backup.Config) {
		c.Postgres.URL, c.ScratchURL = secret.New(pgtest.Empty(w.t)), secret.String{}
	})...)
}

// object reads and writes an object of the backup bucket, as who may write there.
func (w *world) object(key string) []byte {
	w.t.Helper()
	reader, _, err := w.backups().Get(w.t.Context(), key)
	if err != nil {
		w.t.Fatal(err)
	}
	defer reader.Close()
	body, err := io.ReadAll(reader)
	if err != nil {
		w.t.Fatal(err)
	}
	return body
}

func (w *world) putObject(key string, body []byte) {
	w.t.Helper()
	if _, err := w.backups().Put(w.t.Context(), key, bytes.NewReader(body), int64(len(body)), "application/json", nil); err != nil {
		w.t.Fatal(err)
	}
}

// TestNobodyForgesABackup: who may write to the bucket can encrypt to the public key, and still cannot sign.
func TestNobodyForgesABackup(t *testing.T) {
	t.Parallel()
	w, f, m := backedUp(t, 2, signed("s"))
	if m.Trust() != nil || m.Status() != store.Verified {
		t.Fatalf("the backup is %s: %v", m.Status(), m.Trust())
	}
	genuine := w.object("manifests/" + m.ID + ".json")
	unsignedID := w.backup(w.function(func(c *backup.Config) { c.SigningKey = secret.String{} })).ID // what an intruder makes of a database
	other := w.backup(w.function(signed("x"))).ID                                                    // or with a key of their own
	renamed := store.NewID(time.Now().Add(time.Minute))
	w.putObject("manifests/"+renamed+".json", forge(t, genuine, func(manifest map[string]any) { manifest["id"] = renamed }))
	swapped := store.NewID(time.Now().Add(2 * time.Minute))
	w.putObject("manifests/"+swapped+".json", bytes.ReplaceAll(genuine, []byte(m.ID), []byte(swapped)))

	list, err := f.List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{m.ID: store.Verified, unsignedID: store.Unsigned, other: store.Forged, renamed: store.Forged, swapped: store.Failed}
	for _, b := range list.Backups {
		if b.Status != want[b.ID] && !(b.ID == swapped && b.Status == store.Forged) {
			t.Errorf("%s is %s, want %s", b.ID, b.Status, want[b.ID])
		}
	}
	if list.LastGood != m.ID {
		t.Errorf("the newest good backup is %s, want %s", list.LastGood, m.ID)
	}
	// The newest that is believed is restored, and no other without a word.
	onlyPublic := func(c *backup.Config) { c.VerifyKeys = []string{publicKey(t, "s")} }
	restored, err := w.elsewhere(onlyPublic).Restore(t.Context(), restore.Options{})
	if err != nil || restored.Backup.ID != m.ID {
		t.Errorf("restored %s, %v; want %s", restored.Backup.ID, err, m.ID)
	}
	for _, id := range []string{unsignedID, other, renamed} {
		if _, err := w.elsewhere(onlyPublic).Restore(t.Context(), restore.Options{ID: id}); !errors.Is(err, sign.ErrForged) && !errors.Is(err, sign.ErrUnsigned) {
			t.Errorf("restore %s: %v, want it refused", id, err)
		}
		if _, err := f.Verify(t.Context(), id, false); !errors.Is(err, sign.ErrForged) && !errors.Is(err, sign.ErrUnsigned) {
			t.Errorf("verify %s: %v, want it refused: its dump would be executed", id, err)
		}
	}
	if _, err := w.elsewhere(onlyPublic).Restore(t.Context(), restore.Options{ID: unsignedID, Unsigned: true}); err != nil {
		t.Errorf("restore an unsigned backup on purpose: %v", err)
	}
}

func publicKey(t *testing.T, letter string) string {
	t.Helper()
	keys, err := sign.ParseKeys(secret.New(signingKey(letter)), nil)
	if err != nil {
		t.Fatal(err)
	}
	return keys.Public()
}

// forge changes a manifest and everything about it but the signature.
func forge(t *testing.T, genuine []byte, change func(map[string]any)) []byte {
	t.Helper()
	var envelope map[string]json.RawMessage
	var manifest map[string]any
	err := json.Unmarshal(genuine, &envelope)
	if err == nil {
		err = json.Unmarshal(envelope["manifest"], &manifest)
	}
	if err != nil {
		t.Fatal(err)
	}
	change(manifest)
	if envelope["manifest"], err = json.Marshal(manifest); err == nil {
		envelope["sha256"], err = json.Marshal(hashOf(envelope["manifest"]))
	}
	body, encodeErr := json.Marshal(envelope)
	if err := errors.Join(err, encodeErr); err != nil {
		t.Fatal(err)
	}
	return body
}

// TestWhatTheSignatureCoversCounts: hashes that were changed beside a genuine signature are not used.
func TestWhatTheSignatureCoversCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	f := w.function(signed("s"))
	m, theirs := w.backup(f), w.backup(w.function(signed("x")))
	dump := w.object("runs/" + theirs.ID + "/dump.000001")
	w.putObject("runs/"+m.ID+"/dump.000001", dump)
	key := "manifests/" + m.ID + ".json"
	w.putObject(key, forge(t, w.object(key), func(manifest map[string]any) {
		manifest["dump"].(map[string]any)["parts"] = theirs.Dump.Parts
		manifest["dump"].(map[string]any)["size"] = theirs.Dump.Size
	}))
	_, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID})
	var damaged *store.DamagedError
	if !errors.As(err, &damaged) {
		t.Errorf("restored a dump that nobody signed: %v", err)
	}
}

// TestForgedBackupsMakeNoOtherExpire: the retention judges what is believed by itself.
func TestForgedBackupsMakeNoOtherExpire(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	// The last days of a month, and the next month: each keeps its newest backup.
	at := &clock{time.Date(2026, 1, 28, 2, 0, 0, 0, time.UTC)}
	m := w.backup(at.of(w.function(signed("s"))))
	intruder := at.of(w.function(signed("x")))
	for range 3 {
		at.now = at.now.AddDate(0, 0, 1)
		w.backup(intruder)
	}
	at.now = at.now.AddDate(0, 0, 7)
	few := at.of(w.function(signed("s"), func(c *backup.Config) { c.Retention.Daily, c.Retention.Weekly, c.Retention.Monthly = 1, 1, 2 }))
	newest := w.backup(few)
	list, err := few.List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, b := range list.Backups {
		if b.Status == store.Verified {
			left = append(left, b.ID)
		}
	}
	if want := []string{newest.ID, m.ID}; !slices.Equal(left, want) {
		t.Errorf("left are %v, want %v: of each month one", left, want)
	}
}

// TestDeletedPeopleStayDeleted: what a restore brings back of people who deleted everything since is deleted again.
func TestDeletedPeopleStayDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(2)
	job, err := w.addJob(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	w.addFeed(t.Context(), job.Owner)
	visitor, err := w.addJob(t.Context(), 1) // whose uploads an account takes over after the backup
	if err != nil {
		t.Fatal(err)
	}
	f := w.function(signed("s"))
	m := w.backup(f)

	account := uuid.NewString()
	for _, sql := range []string{`update jobs set owner = $2::uuid where owner = $1::uuid`, `insert into former_owners (owner, former) values ($2::uuid, $1::uuid)`} {
		if _, err := w.pool.Exec(t.Context(), sql, visitor.Owner, account); err != nil {
			t.Fatal(err)
		}
	}
	people := personal.NewStore(w.pool)
	for _, owner := range []string{job.Owner, account} {
		if _, err := people.Request(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
		if err := people.Erase(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := w.object("state/deletions.json"); bytes.Contains(list, []byte(job.Owner)) {
		t.Errorf("the list names a person: %s", list)
	}

	to := w.elsewhere(signed("s"))
	restored, err := to.Restore(t.Context(), restore.Options{ID: m.ID})
	if err != nil {
		t.Fatal(err)
	}
	if restored.Objects != 2 {
		t.Errorf("%d PDFs were restored, want those of the other two", restored.Objects)
	}
	found := slices.ContainsFunc(restored.Checks, func(c restore.Check) bool {
		return c.Name == "deletions" && strings.Contains(c.Detail, "2 uploads")
	})
	if !found {
		t.Errorf("the checks do not tell of the deletions: %+v", restored.Checks)
	}

	// A list that nobody signed deletes nobody, and stops the restore.
	w.putObject("state/deletions.json", []byte(`{"document":{"deletions":[]}}`))
	if _, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID}); !errors.Is(err, sign.ErrUnsigned) {
		t.Errorf("restored with a forged list of deletions: %v", err)
	}
	ignoring, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID, IgnoreDeletions: true})
	if err != nil || ignoring.Objects != 4 {
		t.Errorf("told to ignore the list: %d PDFs, %v; want all of the backup", ignoring.Objects, err)
	}
	// The next watch writes its own again.
	if _, err := f.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID}); !errors.As(err, new(*deletions.ReplacedError)) {
		t.Errorf("restored although nobody looked at the list that was replaced: %v", err)
	}
	again, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID, IgnoreDeletions: true})
	if err != nil || again.Objects != 2 {
		t.Errorf("told to ignore that list: %d PDFs, %v; want that the new list holds", again.Objects, err)
	}
	if err := w.backups().Delete(t.Context(), keyLike(t, w.backups(), "state/deletions-replaced-")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.elsewhere(signed("s")).Restore(t.Context(), restore.Options{ID: m.ID}); err != nil {
		t.Errorf("with the list written again: %v", err)
	}
	if _, _, err := w.pdfs.Get(t.Context(), visitor.ObjectKey); errors.Is(err, blob.ErrNotFound) {
		t.Error("the test deleted what it did not mean to")
	}
}

// TestPeopleOfTheReplacedDatabaseStayDeleted: a deletion that no list has yet.
func TestPeopleOfTheReplacedDatabaseStayDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	job, err := w.addJob(t.Context(), 3)
	if err != nil {
		t.Fatal(err)
	}
	w.fill(1)
	f := w.function()
	m := w.backup(f)
	if _, err := personal.NewStore(w.pool).Request(t.Context(), job.Owner); err != nil {
		t.Fatal(err)
	}
	restored, err := f.Restore(t.Context(), restore.Options{ID: m.ID, Replace: true})
	if err != nil || restored.Objects != 1 {
		t.Errorf("%d PDFs were restored, %v; want the other one", restored.Objects, err)
	}
	if _, err := w.jobs.Find(t.Context(), job.ID); err == nil {
		t.Error("the upload is back")
	}
	if _, err := w.pdfs.Stat(t.Context(), job.ObjectKey); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("its PDF is back: %v", err)
	}
}

// TestADeletionIsListedWhereTheClockIsAhead: the only backup seems to be newer than the deletion that follows it.
func TestADeletionIsListedWhereTheClockIsAhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := &clock{time.Now().AddDate(30, 0, 0)}
	f := at.of(w.function())
	w.backup(f)
	w.requestDeletion()
	if _, err := f.Watch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list := w.object("state/deletions.json"); !bytes.Contains(list, []byte("ownerHash")) {
		t.Errorf("the list is %s", list)
	}
}

// TestAListKeepsWhatAnotherProcessAddsMeanwhile: both read the list, and each writes what it knows.
func TestAListKeepsWhatAnotherProcessAddsMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := store.New(w.backups(), 0)
	hash := sha256.Sum256([]byte("of another database"))
	entry := personal.Entry{OwnerHash: hash[:], Requested: time.Now()}
	b := w.between()
	f := w.function(through(b))
	for want := range 2 { // makes the list, and then adds to it
		w.requestDeletion()
		entry.Requested = entry.Requested.Add(time.Hour)
		var added atomic.Bool
		b.set(func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/state/deletions.json") && !added.Swap(true) {
				if err := deletions.Publish(context.Background(), other, []personal.Entry{entry}, nil); err != nil {
					t.Error(err)
				}
			}
			return false
		})
		if _, err := f.Watch(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := deletions.Read(t.Context(), other)
		if err != nil || !added.Load() || len(list) != want+2 || !slices.ContainsFunc(list, entry.Equal) {
			t.Errorf("the list has %d entries, %v; want %d, with the other's newest", len(list), err, want+2)
		}
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
