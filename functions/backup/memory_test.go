package backup_test

import (
	"os/exec"
	"syscall"
	"testing"
)

// A database that grows by 64 MB does not make the process that backs it up grow: what it needs is set
// by the size of a part, not by that of the dump.
func TestMemoryDoesNotGrowWithTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cfg.IdentityFile = "" // the restore of a proof is another process's memory
	w.cfg.PartSize = 1 << 20
	w.fill(1)
	peak := func() int64 {
		t.Helper()
		cmd := w.process()
		cmd.Env = append(cmd.Env, "GOGC=50")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("backup: %v: %s", err, output)
		}
		return maxMemory(t, cmd)
	}
	small := peak()
	const grown, allowed = 64 << 20, 24 << 20
	w.stuff(grown)
	if large := peak(); large > small+allowed {
		t.Errorf("a backup took %d MiB, and %d MiB after the database grew by %d MiB; want at most %d MiB more",
			small>>20, large>>20, grown>>20, allowed>>20)
	} else {
		t.Logf("%d MiB, and %d MiB after the database grew by %d MiB", small>>20, large>>20, grown>>20)
	}
}

// maxMemory is the most that an ended process used, in bytes.
func maxMemory(t *testing.T, cmd *exec.Cmd) int64 {
	t.Helper()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		t.Skip("this system does not tell a process's memory: run the tests on Linux")
	}
	return usage.Maxrss << 10 // Linux tells KiB
}
