package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// asParent makes the test's binary a program that has a child wait for its input, tells the error
// that this ends in, and stops waiting at SIGTERM.
const asParent = "SCHEDGEN_TEST_PARENT"

func TestMain(m *testing.M) {
	if mode := os.Getenv(attemptEnv); mode != "" {
		if err := modes[mode](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	sandbox.MaybeChild()
	if os.Getenv(asParent) != "" {
		parent()
		return
	}
	os.Exit(m.Run())
}

func parent() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	_, err := sandbox.Parse(ctx, waiting{}, sandbox.Limits{})
	var e *parse.Error
	switch {
	case errors.As(err, &e):
		fmt.Println("the file's:", e.Code)
	case errors.Is(err, context.Canceled):
		fmt.Println("the context's")
	default:
		fmt.Println("retryable:", err)
	}
}

// waiting never gives a byte, nor an end.
type waiting struct{}

func (waiting) Read([]byte) (int, error) { select {} }

// until is a reader that gives nothing before the context ends.
type until struct{ ctx context.Context }

func (u until) Read([]byte) (int, error) {
	<-u.ctx.Done()
	return 0, io.ErrUnexpectedEOF
}

// startParent starts parent as a process and gives it with its child, once that runs.
func startParent(t *testing.T) (cmd *exec.Cmd, said *bytes.Buffer, child int) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	said = &bytes.Buffer{}
	cmd = exec.Command(self)
	cmd.Env = append(os.Environ(), asParent+"=1")
	cmd.Stdout = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // most have ended
		_ = cmd.Wait()
	})
	// With its first process the os package also starts one that only tries what the kernel can do.
	testkit.Eventually(t, "the parent has a child that leads a group", func() bool {
		for _, pid := range children(t, cmd.Process.Pid) {
			if group, err := syscall.Getpgid(pid); err == nil && group == pid {
				child = pid
				return true
			}
		}
		return false
	})
	return cmd, said, child
}

func timetablePDF(t *testing.T) ([]byte, timetable.Document) {
	t.Helper()
	pdf, truth, err := fixture.Generate(fixture.Options{Kind: timetable.Test, Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	return pdf, truth
}

// children are the processes that a process has started and that have not ended, from /proc.
func children(t *testing.T, pid int) []int {
	t.Helper()
	if _, err := os.Stat("/proc/thread-self/children"); err != nil {
		t.Skip("needs the children of tasks in /proc: run the tests on Linux with CONFIG_PROC_CHILDREN")
	}
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		data, _ := os.ReadFile(file) // a thread that ended has no children
		for field := range strings.FieldsSeq(string(data)) {
			if child, err := strconv.Atoi(field); err == nil && running(child) {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// running reports whether a process is there and is no zombie.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
