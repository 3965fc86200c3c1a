package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/timetable"
)

// inContainers is a system whose functions are containers on the machine's network.
func inContainers(t *testing.T) *world {
	t.Helper()
	return containerSite(t, nil).world
}

// throughCNI is a system whose functions are containers with a network of their own each.
func throughCNI(t *testing.T) *world {
	t.Helper()
	n, err := newNode()
	if err != nil {
		t.Fatal(err)
	}
	return containerSite(t, n).world
}

// Where the manifests of what ends by itself are.
const (
	migrateJob = "deploy/kubernetes/migrate/job.yaml"
	backupJob  = "deploy/kubernetes/backup/job.yaml"
)

// containerSite is a site of containers. Its database was empty until the Job of migrations ran.
func containerSite(t *testing.T, n *node, settings ...string) *site {
	t.Helper()
	f := &fleet{t: t, node: n, settings: settings}
	dsn := pgtest.Empty(t)
	if said, err := f.job(podOf(t, migrateJob), "SCHEDGEN_POSTGRES="+f.reach(dsn)); err != nil {
		t.Fatalf("migrate: %v: %s", err, said)
	}
	return newSite(f, dsn, s3test.MinIO, f.containerOf)
}

// TestABombTakesDownOneParseAndNotTheContainer uploads every hostile file, decompression bombs among them, at
// once to a container with the scaling table's limit of memory: each ends in an error of its own, nothing
// dies but parsers, and the same process reads a timetable afterwards.
func TestABombTakesDownOneParseAndNotTheContainer(t *testing.T) {
	t.Parallel()
	needContainers(t)
	c := containerSite(t, nil)
	uptime := func() int64 {
		var report struct {
			UptimeSeconds   int64
			Version, Commit string
		}
		got, err := get(t.Context(), http.DefaultClient, c.parse[0].url+"/health")
		if err != nil {
			t.Fatal(err)
		}
		got.into(t, &report)
		if report.Version != builtVersion || report.Commit != builtCommit {
			t.Errorf("/health tells of version %q, commit %q; want %q, %q", report.Version, report.Commit, builtVersion, builtCommit)
		}
		return report.UptimeSeconds
	}
	before, began := uptime(), time.Now()
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			t.Run(file.Name, func(t *testing.T) {
				t.Parallel()
				got := c.world.student(t).verdict(file.PDF)
				if !slices.Contains(file.Codes, got) && !(file.MayParse && got == "") {
					t.Errorf("got %q, want one of %q", got, file.Codes)
				}
			})
		}
	})
	c.world.student(t).upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf)
	if after := uptime(); after < before || time.Duration(after-before+1)*time.Second < time.Since(began)-time.Second {
		t.Errorf("it was started again: up for %ds, %ds before, %s ago", after, before, time.Since(began))
	}
	if killed := counted(t, c.parse[0].id(), kills); killed != 0 {
		t.Errorf("the kernel ended %d processes for memory; the parsers' own limits should have", killed)
	}
}

// TestContainersCannotDoWhatTheyNeedNot looks at a container of each image from outside.
func TestContainersCannotDoWhatTheyNeedNot(t *testing.T) {
	t.Parallel()
	needContainers(t)
	f := &fleet{t: t, keys: t.TempDir(), settings: []string{
		"DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "SESSION_KEY=" + sessionKey,
		"S3_URL=http://127.0.0.1:1", "S3_ACCESS_KEY=none", "S3_SECRET_KEY=none",
	}}
	r, err := readRecipe()
	if err != nil {
		t.Fatal(err)
	}
	for name := range r.packages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *f
			own.t = t
			if name != "schedgen" {
				confined(t, own.containerOf(name).id(), functionPod(t, name))
				return
			}
			// It ends by itself, but not while the server says nothing.
			p := podOf(t, migrateJob)
			c := own.contain(p, "SCHEDGEN_POSTGRES=postgres://nobody@"+silentServer(t)+"/none")
			child, err := process.Start(c.spec(t.TempDir()))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := child.Stop(patience); err != nil {
					t.Error(err)
				}
			})
			eventually(t, func() error {
				if task(t, c.id) == "" {
					return errors.New("it does not run yet")
				}
				return nil
			})
			confined(t, c.id, p)
		})
	}
}

// silentServer takes connections and says nothing.
func silentServer(t *testing.T) (address string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	})
	return listener.Addr().String() // the kernel takes them
}

// confined looks at the process of a container, and at what the kernel lets it have.
func confined(t *testing.T, id string, p podSpec) {
	t.Helper()
	if got, err := bytesOf(p.Resources.Limits.Memory); err != nil || got != counted(t, id, most) {
		t.Errorf("the limit of memory is %d (%v), want %s", counted(t, id, most), err, p.Resources.Limits.Memory)
	}
	pid := task(t, id)
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t" + imageUser + "\t" + imageUser, "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(mounts), "\n")
	if fields := strings.Fields(first); len(fields) < 6 || fields[4] != "/" || !strings.HasPrefix(fields[5], "ro") {
		t.Errorf("the root file system is not read-only: %s", first)
	}
}

// TestMigratingIsAJob holds that the Job may run any number of times, and fails where it should.
func TestMigratingIsAJob(t *testing.T) {
	t.Parallel()
	needContainers(t)
	f := &fleet{t: t}
	dsn := pgtest.Empty(t)
	for range 2 {
		if said, err := f.job(podOf(t, migrateJob), "SCHEDGEN_POSTGRES="+dsn); err != nil || !strings.Contains(said, "the database has the newest schema") {
			t.Errorf("got %v and %q, want success", err, said)
		}
	}
	if got, want := rows(t, dsn, "select * from schema_version"), rows(t, pgtest.New(t), "select * from schema_version"); !slices.Equal(got, want) {
		t.Errorf("the schema is %v, want %v", got, want)
	}
	said, err := f.job(podOf(t, migrateJob), "SCHEDGEN_POSTGRES="+dsn+"&user=nobody")
	var failed *exec.ExitError
	if !errors.As(err, &failed) || failed.ExitCode() != 1 || !strings.Contains(said, "nobody") {
		t.Errorf("got %v and %q, want exit code 1 and the reason", err, said)
	}
}

// TestContainersMakeABackupThatAJobRestores asks for a backup as a schedule does, loses the PDFs, has the
// Job of a restore fill an empty database, and serves the timetable from there.
func TestContainersMakeABackupThatAJobRestores(t *testing.T) {
	t.Parallel()
	needContainers(t)
	c := containerSite(t, nil)
	s := c.world.student(t)
	papers := timetables(t)
	var jobs []uploaded
	for _, p := range papers {
		jobs = append(jobs, s.upload(p.pdf))
	}
	s.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{"terms": terms2026})

	backups := &student{t: t, client: http.DefaultClient}
	event := func(want int) answer {
		return backups.call(want, "POST", c.backup.url+"/", map[string]any{"task": "backup"}, "Authorization", "Bearer "+eventToken)
	}
	var made struct {
		ID, Status string
		Objects    int
	}
	event(http.StatusOK).into(t, &made)
	if made.Status != "verified" || made.Objects != len(papers) {
		t.Errorf("got a backup that is %s with %d PDFs, want verified with %d", made.Status, made.Objects, len(papers))
	}
	event(http.StatusNoContent) // once more: it is fresh

	lose(t, c.minio.Store(t))
	into := pgtest.Empty(t)
	restore := podOf(t, backupJob)
	restore.Args = []string{"restore", made.ID} // what deploy/kubernetes/restore makes of it
	said, err := c.job(restore, "DATABASE_URL="+into, "DATABASE_POOLED=false")
	if err != nil || !strings.Contains(said, "verified") {
		t.Fatalf("restore: %v: %s", err, said)
	}
	for _, query := range []string{"select * from entries", "select id, owner, status, object_key from jobs", "select id, owner from feeds"} {
		if got, want := rows(t, into, query), rows(t, c.dsn, query); !slices.Equal(got, want) || len(got) == 0 {
			t.Errorf("%s: the restored database has %d rows, want the same %d", query, len(got), len(want))
		}
	}
	if got := len(objects(t, c.minio.Store(t))); got != len(papers) {
		t.Errorf("there are %d PDFs, want %d", got, len(papers))
	}
	again := c.containerOf("calendar-generate", "DATABASE_URL="+into, "DATABASE_POOLED=false")
	for n, p := range papers {
		file := s.call(http.StatusOK, "POST", again.url+"/api/generate/ics", map[string]any{"jobId": jobs[n].JobID, "year": 2026, "terms": terms2026})
		expectSame(t, "the calendar's dates", readBack(t, string(file.body)), dates(p.doc))
	}
}

// rows is what a query answers, sorted.
func rows(t *testing.T, dsn, query string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background()) // only asked
	answer, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(answer, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return fmt.Sprint(values), err
	})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	slices.Sort(all)
	return all
}

// objects are the keys of a bucket.
func objects(t *testing.T, store *blob.Store) []string {
	t.Helper()
	found := map[string]bool{}
	if err := store.List(t.Context(), "", func(one blob.Info) error {
		found[one.Key] = true
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(found))
}

// lose deletes all that a bucket has.
func lose(t *testing.T, store *blob.Store) {
	t.Helper()
	for _, key := range objects(t, store) {
		if err := store.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
}
