package backup_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/schedgen/schedgen/functions/backup"
)

// childEnv holds the configuration of a process that makes one backup and ends.
const childEnv = "SCHEDGEN_TEST_BACKUP_CHILD"

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
	err := json.Unmarshal([]byte(text), &cfg)
	if err == nil {
		var f *backup.Function
		if f, err = backup.New(context.Background(), cfg); err == nil {
			err = f.Command(context.Background(), "run", nil, os.Stderr)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a run in a process of its own, not started.
func (w *world) process() *exec.Cmd {
	w.t.Helper()
	text, err := json.Marshal(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	return cmd
}
