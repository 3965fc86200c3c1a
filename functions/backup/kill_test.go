package backup_test

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Ten processes are killed at random moments of a run, from its start to after its end. Whatever they
// leave, the list holds only whole backups, and the next run makes one and leaves nothing of theirs.
func TestKilledAtTenRandomPoints(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(20)
	w.stuff(1 << 20)
	w.cfg.Lease = 400 * time.Millisecond // what a killed run keeps the next waiting
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 1))

	whole := w.process()
	began := time.Now()
	if output, err := whole.CombinedOutput(); err != nil {
		t.Fatalf("a run that is left alone: %v: %s", err, output)
	}
	usual := time.Since(began)
	f := w.function()
	killed := 0
	for point := range 10 {
		// Spread over the run, each somewhere in its tenth; a lock of the one before is waited for first.
		after := time.Duration((float64(point) + random.Float64()) / 10 * float64(usual))
		victim := w.process()
		if err := victim.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(after, func() { _ = victim.Process.Kill() })
		if err := victim.Wait(); err != nil {
			killed++
		}
		timer.Stop()
		w.fill(1)
		list, err := f.List(t.Context(), false)
		if err != nil {
			t.Fatalf("seed %d: list after kill %d: %v", seed, point, err)
		}
		for _, b := range list.Backups {
			if b.Status == "failed" {
				t.Errorf("seed %d: kill %d, after %v, left a bad backup: %+v", seed, point, after, b.Verification)
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
