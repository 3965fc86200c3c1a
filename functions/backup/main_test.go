package backup_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
	"github.com/schedgen/schedgen/functions/backup/progress"
	"github.com/schedgen/schedgen/functions/backup/restore"
	"github.com/schedgen/schedgen/shared/dev/testkit/childtest"
)

const (
	childEnv  = "SCHEDGEN_TEST_BACKUP_CHILD"    // the configuration of a process that makes one backup and ends
	killAtEnv = "SCHEDGEN_TEST_RESTORE_KILL_AT" // the number of the line of its progress at which a restore kills itself, or how the line begins
)

// The test binary is also the process that is killed.
func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		os.Exit(child(text))
	}
	slog.SetDefault(slog.New(slog.DiscardHandler)) // faults are caused here, and are in the log as they should be
	os.Exit(m.Run())
}

func child(text string) int {
	var cfg backup.Config
	err := childtest.DecodeConfig(text, &cfg)
	if err == nil {
		var f *backup.Function
		if f, err = backup.New(context.Background(), cfg); err == nil {
			if at := os.Getenv(killAtEnv); at != "" {
				return killedRestore(f, at)
			}
			err = f.Command(context.Background(), "run", nil, os.Stderr)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// killedRestore restores with --replace and kills this process at a line of its progress.
func killedRestore(f *backup.Function, at string) int {
	line := 0
	ctx := progress.With(context.Background(), func(text string) {
		if line++; strconv.Itoa(line) == at || strings.HasPrefix(text, at) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal comes at once, but not always before the next statement
		}
	})
	if _, err := f.Restore(ctx, restore.Options{Replace: true}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a run in a process of its own, not started.
func (w *world) process() *exec.Cmd {
	w.t.Helper()
	text, err := childtest.EncodeConfig(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+text)
	return cmd
}
