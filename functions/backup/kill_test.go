package backup_test

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/personal"
	"github.com/schedgen/schedgen/shared/postgres"
)

// Ten processes are killed at random moments of a run, from its start to after its end. Whatever they
// leave, the list holds only whole backups, and the next run makes one and leaves nothing of theirs.
func TestKilledAtTenRandomPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(20)
	w.stuff(1 << 20)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))

	whole := w.process()
	output, err := whole.CombinedOutput()
	if err != nil {
		t.Fatalf("a run that is left alone: %v: %s", err, output)
	}
	lines := bytes.Count(output, []byte("\n"))
	w.cfg.Lease = time.Second // what a killed run keeps the next waiting
	f := w.function(func(c *backup.Config) { c.Lease = 4 * time.Second })
	killed := 0
	for point := range 10 {
		// Spread over the run: some milliseconds after a line of its progress, each in its tenth.
		line := (point*lines + random.IntN(lines)) / 10
		after := time.Duration(random.IntN(40)) * time.Millisecond
		if w.killedAfter(line, after) {
			killed++
		}
		w.fill(1)
		list, err := f.List(t.Context(), false)
		if err != nil {
			t.Fatalf("seed %d: list after kill %d: %v", seed, point, err)
		}
		for _, b := range list.Backups {
			if b.Status == "failed" {
				t.Errorf("seed %d: kill %d, after line %d, left a bad backup: %+v", seed, point, line, b.Verification)
			}
		}
	}
	if killed < 5 {
		t.Errorf("seed %d: only %d of 10 were killed before their end", seed, killed)
	}
	before, err := f.List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	w.backup(f)
	onlyWhole(t, f, len(before.Backups)+1)
	if keys := leftovers(t, w); len(keys) > 0 {
		t.Errorf("seed %d: the next run left %q", seed, keys)
	}
	if left := scratchDatabases(t, w.cfg.Postgres.URL.Reveal()); len(left) > 0 {
		t.Errorf("seed %d: the next run left the databases %q", seed, left)
	}
}

// killedAfter starts a run and kills it that long after a line of its progress. False means that it
// had ended.
func (w *world) killedAfter(line int, delay time.Duration) bool {
	w.t.Helper()
	victim := w.process()
	said, err := victim.StderrPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		w.t.Fatal(err)
	}
	progress := bufio.NewScanner(said)
	for n := 0; n < line && progress.Scan(); n++ {
	}
	timer := time.AfterFunc(delay, func() { _ = victim.Process.Kill() })
	defer timer.Stop()
	for progress.Scan() { // a pipe that nobody reads would hold it up
	}
	return victim.Wait() != nil
}

// TestAKilledRestoreBringsNobodyBack: a restore is killed at each line of its progress, again and again on the same
// database. Either no function is ready with what it leaves, or the deletion that no list knows is still there, and the
// PDF of each upload that is back; and the restore that is left alone applies the deletion.
func TestAKilledRestoreBringsNobodyBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.Lease = time.Second // what a killed restore keeps the next waiting
	job, err := w.addJob(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	other, err := w.addJob(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	f := w.function()
	w.backup(f)
	if _, err := w.pool.Exec(t.Context(), "delete from jobs where id = $1::uuid", other.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := personal.NewStore(w.pool).Request(t.Context(), job.Owner); err != nil {
		t.Fatal(err)
	}
	one := func(sql string, args ...any) int {
		t.Helper()
		n, err := postgres.QueryOne(t.Context(), w.pool, pgx.RowTo[int], sql, args...)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	unfinished, killed := 0, true
	for line := 1; killed; line++ {
		if err := w.pdfs.Delete(t.Context(), other.ObjectKey); err != nil && !errors.Is(err, blob.ErrNotFound) {
			t.Fatal(err)
		}
		victim := w.process()
		victim.Env = append(victim.Env, killAtEnv+"="+strconv.Itoa(line))
		output, err := victim.CombinedOutput()
		killed = victim.ProcessState.ExitCode() == -1
		if err != nil && !killed {
			t.Fatalf("line %d: %v: %s", line, err, output)
		}
		err = w.pool.Ping(t.Context())
		if errors.Is(err, postgres.ErrRestoring) {
			unfinished++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if one("select count(*)::int from deletions where owner_hash = sha256(convert_to($1::text, 'UTF8'))", job.Owner) != 1 {
			t.Errorf("killed at line %d: the deletion is lost and the database looks whole", line)
		}
		_, err = w.pdfs.Stat(t.Context(), other.ObjectKey)
		if back := one("select count(*)::int from jobs where id = $1::uuid", other.ID); back == 1 && err != nil {
			t.Errorf("killed at line %d: an upload is back without its PDF, and the database looks whole: %v", line, err)
		}
	}
	if unfinished < 3 {
		t.Errorf("only %d kills left an unfinished restore, want one at each step", unfinished)
	}
	if n := one("select count(*)::int from jobs where owner = $1::uuid", job.Owner); n != 0 {
		t.Errorf("%d uploads of a deleted person are back", n)
	}
	if n := one("select count(*)::int from jobs"); n != 1 {
		t.Errorf("%d uploads were restored, want the other one", n)
	}
	if n := one("select count(*)::int from pg_namespace where starts_with(nspname, $1)", postgres.ReplacedPrefix); n != 0 {
		t.Errorf("%d schemas of killed restores are left", n)
	}
}
