package backup_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

// load writes jobs, entries, PDFs and feeds until it is stopped.
type load struct {
	w     *world
	stop  context.CancelFunc
	group sync.WaitGroup
	ready chan struct{} // one for each writer that has begun

	mu      sync.Mutex
	written [][]string // job ids by writer, in the order in which they were completed
}

func startLoad(w *world, writers int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{w: w, stop: stop, written: make([][]string, writers), ready: make(chan struct{}, writers)}
	for i := range writers {
		l.group.Go(func() { l.write(ctx, i) })
	}
	return l
}

func (l *load) write(ctx context.Context, writer int) {
	for n := 0; ctx.Err() == nil; n++ {
		job, err := l.w.addJob(context.WithoutCancel(ctx), 4)
		if err != nil {
			l.w.t.Errorf("writer %d: %v", writer, err)
			return
		}
		l.w.addFeed(context.WithoutCancel(ctx), job.Owner)
		l.mu.Lock()
		l.written[writer] = append(l.written[writer], job.ID)
		l.mu.Unlock()
		if n == 5 {
			l.ready <- struct{}{}
		}
	}
}

// soFar is what every writer has completed.
func (l *load) soFar() [][]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	copied := make([][]string, len(l.written))
	for i, ids := range l.written {
		copied[i] = append([]string(nil), ids...)
	}
	return copied
}

// The whole way: a backup of a live system under load, its database and its bucket destroyed, a
// restore from the bucket and the identity alone, compared by content.
func TestDatabaseAndBucketDestroyedUnderLoadComeBack(t *testing.T) {
	t.Parallel()
	dir, pdfs := t.TempDir(), t.TempDir()
	server := pgtest.Own(t, dir)
	live := s3test.NewAt(t, pdfs, "")
	safe := s3test.New(t) // another machine
	w := worldOn(t, server.DSN(), live)
	w.cfg.Bucket = backup.Target{URL: safe.URL, AccessKey: s3test.AccessKey, SecretKey: secret.New(s3test.SecretKey)}
	w.fill(10)

	const writers = 3
	l := startLoad(w, writers)
	for range writers {
		<-l.ready
	}
	before := l.soFar()
	m := w.backup(w.function())
	during := l.soFar()
	l.stop()
	l.group.Wait()
	after := l.soFar()
	lastRows, lastObjects := tables(t, server.DSN()), objects(t, w.pdfs)
	if len(during[0]) == len(before[0]) {
		t.Errorf("writer 0 wrote nothing during the backup: it was no backup under load")
	}

	// Nothing survives but the backups and the key.
	w.pool.Close()
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := live.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, lost := range []string{dir, pdfs} {
		if err := os.RemoveAll(lost); err != nil {
			t.Fatal(err)
		}
	}

	fresh := newServer(t)
	freshPDFs := s3test.New(t)
	w.cfg.Postgres.URL, w.cfg.Blob = secret.New(fresh.DSN()), freshPDFs.Config()
	f := w.function()
	var lines []string
	restored, err := f.Restore(progress.With(t.Context(), func(line string) { lines = append(lines, line) }), restore.Options{})
	if err != nil {
		t.Fatalf("restore: %v\n%s", err, strings.Join(lines, "\n"))
	}
	if restored.Backup.ID != m.ID || len(restored.Checks) != 6 {
		t.Errorf("got backup %s and checks %+v, want %s and tables, migrations, deletions, objects, postgres, s3", restored.Backup.ID, restored.Checks, m.ID)
	}
	gotRows, gotObjects := tables(t, fresh.DSN()), objects(t, freshPDFs.Store(t))

	isOneMoment(t, gotRows["jobs"], before, during, after)
	for _, table := range []string{"entries", "feeds", "feed_events"} {
		isPartOf(t, table, gotRows[table], lastRows[table])
	}
	eachCompletedJobIsWhole(t, gotRows, lastRows, gotObjects, lastObjects)
	if len(gotRows["feeds"]) < 10+len(before[0])+len(before[1])+len(before[2]) {
		t.Errorf("got %d feeds, want those from before the backup at least", len(gotRows["feeds"]))
	}
}

// newServer is an empty server: not even migrated.
func newServer(t testing.TB) *pg.Server {
	t.Helper()
	dir := t.TempDir()
	if err := testkit.Passable(dir); err != nil {
		t.Fatal(err)
	}
	server, err := pg.Start(t.Context(), dir, pg.Fast())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// isOneMoment fails the test unless the restored jobs are what existed at one moment of the backup: of
// each writer all before some job and none after it, from what was there when it began to what was
// when it ended.
func isOneMoment(t testing.TB, jobs []string, before, during, after [][]string) {
	t.Helper()
	there := map[string]bool{}
	for _, row := range jobs {
		there[strings.Trim(strings.SplitN(row, ",", 2)[0], "(")] = true
	}
	for writer := range after {
		n := 0
		for n < len(after[writer]) && there[after[writer][n]] {
			n++
		}
		for _, id := range after[writer][n:] {
			if there[id] {
				t.Errorf("writer %d: job %s is there, and one before it is not", writer, id)
			}
		}
		// One that was being written when the backup ended may have been in the snapshot.
		if n < len(before[writer]) || n > len(during[writer])+1 {
			t.Errorf("writer %d: %d jobs are there; %d were completed before the backup and %d by its end", writer, n, len(before[writer]), len(during[writer]))
		}
	}
}

// isPartOf fails the test where a restored row, of a table whose rows do not change, is not as it was.
func isPartOf(t testing.TB, table string, got, all []string) {
	t.Helper()
	known := map[string]bool{}
	for _, row := range all {
		known[row] = true
	}
	for _, row := range got {
		if !known[row] {
			t.Errorf("table %s: the row %.200q was never there", table, row)
		}
	}
}

// eachCompletedJobIsWhole fails the test unless every restored job that is completed is as it last
// was, with all its entries and with its PDF, and no PDF is there without a job.
func eachCompletedJobIsWhole(t testing.TB, got, last map[string][]string, gotPDFs, lastPDFs map[string]string) {
	t.Helper()
	entries := map[string]int{}
	for _, row := range got["entries"] {
		entries[strings.Trim(strings.SplitN(row, ",", 2)[0], "(")]++
	}
	completed := map[string]bool{}
	for _, row := range last["jobs"] {
		completed[row] = true
	}
	keys := map[string]bool{}
	for _, row := range got["jobs"] {
		id := strings.Trim(strings.SplitN(row, ",", 2)[0], "(")
		key := "uploads/normal/" + id + ".pdf"
		keys[key] = true
		if !strings.Contains(row, ",completed,") {
			continue // it was being written
		}
		if !completed[row] {
			t.Errorf("job %s is not as it was: %s", id, row)
		}
		if n := entries[id]; n != 3 && n != 4 {
			t.Errorf("job %s has %d entries", id, n)
		}
		if gotPDFs[key] == "" || gotPDFs[key] != lastPDFs[key] {
			t.Errorf("the PDF of job %s: got %.100q, want %.100q", id, gotPDFs[key], lastPDFs[key])
		}
	}
	for key := range gotPDFs {
		if !keys[key] {
			t.Errorf("the PDF %s has no job", key)
		}
	}
}

func TestARestoreRefusesADatabaseThatIsNotEmpty(t *testing.T) {
	t.Parallel()
	w, f, _ := backedUp(t, 3)
	want := w.tables()
	w.fill(2)
	later := w.tables()
	if _, err := f.Restore(t.Context(), restore.Options{}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Fatalf("got %v, want a refusal", err)
	}
	sameTables(t, w.tables(), later)
	if _, err := f.Restore(t.Context(), restore.Options{Replace: true}); err != nil {
		t.Fatalf("told to replace it: %v", err)
	}
	sameTables(t, w.tables(), want)
}

func TestARestoreThatFailsLeavesTheDatabaseAsItWas(t *testing.T) {
	t.Parallel()
	w, f, m := backedUp(t, 3)
	w.fill(1)
	want := w.tables()
	w.damage("runs/" + m.ID + "/dump.")
	findsDamage(t, f, restore.Options{ID: m.ID, Replace: true})
	sameTables(t, w.tables(), want)
}

func TestARestoreToAnEarlierTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.function()
	day := time.Date(2026, 2, 9, 2, 0, 0, 0, time.UTC)
	var states []map[string][]string
	for i := range 3 {
		w.fill(1)
		f.Now = func() time.Time { return day.AddDate(0, 0, i) }
		w.backup(f)
		states = append(states, w.tables())
	}
	into := pgtest.Empty(t)
	if _, err := f.Restore(t.Context(), restore.Options{To: secret.New(into), At: day.Add(36 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	sameTables(t, tables(t, into), states[1])
	if _, err := f.Restore(t.Context(), restore.Options{To: secret.New(pgtest.Empty(t)), At: day.Add(-time.Hour)}); !errors.Is(err, restore.ErrNoBackup) {
		t.Errorf("before the first: got %v, want ErrNoBackup", err)
	}
}

func TestAnOffsiteCopyRestoresWhenAllElseIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dir := t.TempDir()
	address := freeAddr(t)
	away := s3test.NewAt(t, dir, address)
	w.cfg.Offsite = backup.Target{URL: away.URL, AccessKey: s3test.AccessKey, SecretKey: secret.New(s3test.SecretKey), Bucket: "copies"}
	w.fill(4)
	who := somebody(t)
	f := w.function(who.alerts)
	m := w.backup(f)
	if m.Offsite == nil || !m.Offsite.OK || m.Offsite.Bytes == 0 {
		t.Fatalf("got the copy %+v, want one", m.Offsite)
	}
	if checked, err := f.Verify(t.Context(), m.ID, true); err != nil || !checked.Good() {
		t.Errorf("verify the copy: got %s, %v", checked.Status(), err)
	}

	// The second target is away: the backup is made, and people know what is missing.
	if err := away.Stop(); err != nil {
		t.Fatal(err)
	}
	w.fill(1)
	second, err := f.Run(t.Context())
	if err == nil || !second.Good() || second.Offsite == nil || second.Offsite.OK || second.Offsite.Error == "" {
		t.Errorf("without the second target: got %s, %+v, %v; want a good backup, no copy, an error", second.Status(), second.Offsite, err)
	}
	who.heard(t, "its copy off site failed")
	again := s3test.NewAt(t, dir, address)
	w.cfg.Offsite.URL = again.URL
	third := w.backup(f)
	if !third.Offsite.OK {
		t.Errorf("the target is back: got %+v", third.Offsite)
	}
	who.heard(t, "its copy off site failed", "recovered")

	// A scratch server that is away proves nothing, and the copy is made all the same.
	unproved, err := w.function(func(c *backup.Config) { c.ScratchURL = secret.New("postgres://nobody@127.0.0.1:1/x?sslmode=disable") }).Run(t.Context())
	if err == nil || unproved.Status() != "unverified" || unproved.Offsite == nil || !unproved.Offsite.OK {
		t.Errorf("without a scratch server: got %s, %+v, %v; want a copy, unverified, and an error", unproved.Status(), unproved.Offsite, err)
	}

	want := w.tables()
	w.dropBucket("schedgen-backups")
	into := pgtest.Empty(t)
	if _, err := f.Restore(t.Context(), restore.Options{To: secret.New(into), Offsite: true}); err != nil {
		t.Fatalf("restore from the copy: %v", err)
	}
	sameTables(t, tables(t, into), want)
}

// freeAddr is an address that nobody listens on now.
func freeAddr(t testing.TB) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // another will listen there
	return listener.Addr().String()
}

func TestAnObjectThatIsNoUploadIsKeptToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(1)
	for key, body := range map[string]string{"notes/readme.txt": "hello", "uploads/normal/orphan.pdf": "an upload without a job"} {
		if _, err := w.pdfs.Put(t.Context(), key, bytes.NewReader([]byte(body)), int64(len(body)), "text/plain", map[string]string{"Of": "me"}); err != nil {
			t.Fatal(err)
		}
	}
	m := w.backup(w.function())
	other := s3test.New(t)
	f := w.function(pdfsIn(other))
	if _, err := f.Restore(t.Context(), restore.Options{To: secret.New(pgtest.Empty(t)), ID: m.ID}); err != nil {
		t.Fatal(err)
	}
	got := objects(t, other.Store(t))
	if want := fmt.Sprintf("text/plain %v hello", map[string]string{"Of": "me"}); got["notes/readme.txt"] != want {
		t.Errorf("got %q, want %q", got["notes/readme.txt"], want)
	}
	if _, there := got["uploads/normal/orphan.pdf"]; there {
		t.Error("an upload that no job knows came back: nothing would ever delete it")
	}
}
