package backup_test

import (
	"bufio"
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/backup"
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
	if left := scratchDatabases(t, w.cfg.Postgres.URL); len(left) > 0 {
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
