// Package testkit is what its sub-packages share: servers for tests, one for a whole test process,
// that leave nothing behind however the process ends.
package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// reaper waits for our end of its input to close, which our death does too, then for the processes
// to go, and removes the directory.
const reaper = `cat >/dev/null; dir=$1; shift
for pid; do n=0; while kill -0 "$pid" 2>/dev/null && [ $n -lt 200 ]; do n=$((n+1)); sleep 0.05; done; done
rm -rf "$dir"`

// Dir makes a directory for servers that live as long as this process, and Reap must be told of.
func Dir(name string) (string, error) {
	dir, err := os.MkdirTemp("", "schedgen-test-"+name+"-")
	if err != nil {
		return "", fmt.Errorf("make a directory for %s: %w", name, err)
	}
	// A server that runs as another user must get through.
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("open the directory for %s: %w", name, err)
	}
	return dir, nil
}

// Passable opens a directory of the test's own (testing.T.TempDir) and those above it to a server
// that runs as another user, who may then go through and see nothing.
func Passable(dir string) error {
	top := filepath.Clean(os.TempDir())
	for ; strings.HasPrefix(dir, top+string(filepath.Separator)); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o711); err != nil {
			return fmt.Errorf("open the directory to the server: %w", err)
		}
	}
	return nil
}

// Reap arranges that dir is removed after this process and then the given ones have ended. The
// servers end by themselves when we do (localstack/process); go test gives no hook for either.
func Reap(dir string, pids ...int) error {
	args := []string{"-c", reaper, "reaper", dir}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = "/"
	// A session of its own: a terminal's Ctrl-C must not end it before it has cleaned up.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("prepare the reaper: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the reaper: %w", err)
	}
	keep = append(keep, input)
	return nil
}

// keep holds the reapers' inputs open until we die.
var keep []interface{ Close() error }
