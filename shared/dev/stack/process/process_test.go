package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
)

// shell runs a script that touches the file "up" when it is ready.
func shell(t *testing.T, script string) (*process.Process, string) {
	t.Helper()
	dir := t.TempDir()
	p, err := process.Start(process.Spec{Path: "/bin/sh", Args: []string{"-c", script}, Dir: dir, Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p, dir
}

func up(dir string) func(context.Context) error {
	return func(context.Context) error {
		_, err := os.Stat(filepath.Join(dir, "up"))
		return err
	}
}

func TestStopEndsIt(t *testing.T) {
	t.Parallel()
	p, dir := shell(t, "touch up; exec tail -f /dev/null")
	if err := p.Ready(t.Context(), up(dir)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Fatal(err)
		}
	}
	<-p.Done()
}

func TestWhatIgnoresTheSignalIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()
	p, dir := shell(t, "trap '' TERM; tail -f /dev/null & touch up; wait; tail -f /dev/null")
	if err := p.Ready(t.Context(), up(dir)); err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(10 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
}

func TestReadySaysWhyItIsNot(t *testing.T) {
	t.Parallel()
	never := func(context.Context) error { return errors.New("not yet") }
	p, _ := shell(t, "echo first; echo the reason >&2; exit 3")
	if err := p.Ready(t.Context(), never); err == nil || !strings.Contains(err.Error(), "the reason") {
		t.Errorf("a process that ended: got %v", err)
	}
	p, _ = shell(t, "exec tail -f /dev/null")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Ready(ctx, never); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("a process that is not ready: got %v", err)
	}
}

func TestWhatCannotStartIsAnError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, spec := range []process.Spec{{Path: "/nonexistent", Log: filepath.Join(dir, "log")}, {Path: "/bin/sh", Log: filepath.Join(dir, "no", "log")}} {
		if _, err := process.Start(spec); err == nil {
			t.Errorf("%+v: got no error", spec)
		}
	}
}
