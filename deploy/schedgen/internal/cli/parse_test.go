package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// commandOf is the command in a process of its own.
func commandOf(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// TestParseInAProcessOfItsOwn holds that the command, which confines its own process, says the same as where it
// has a reader's process, whether a person sends its output into a file or a pipe, and however the file comes.
func TestParseInAProcessOfItsOwn(t *testing.T) {
	t.Parallel()
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Exam, Seed: 3, Pages: 2})
	if err != nil {
		t.Fatal(err)
	}
	good, bad := filepath.Join(t.TempDir(), "good.pdf"), filepath.Join(t.TempDir(), "bad.pdf")
	for name, content := range map[string][]byte{good: pdf, bad: []byte("text")} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{good, bad, "-", "nowhere.pdf"} {
		want := runLine(t, pdf, "parse", file)
		out, err := os.Create(filepath.Join(t.TempDir(), "out.json"))
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close() // read from its path
		var errs bytes.Buffer
		cmd := commandOf(t, "parse", file)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(pdf), out, &errs
		if err := cmd.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
			t.Fatal(err)
		}
		printed, err := os.ReadFile(out.Name())
		if err != nil {
			t.Fatal(err)
		}
		if got := (outcome{cmd.ProcessState.ExitCode(), string(printed), testkit.ChildErrors(errs.String())}); got != want {
			t.Errorf("parse %s: got %+v, want %+v", file, got, want)
		}
	}
}

// TestParseSaysWhyItEnds holds that a file that takes too much ends the command with one sentence.
func TestParseSaysWhyItEnds(t *testing.T) {
	t.Parallel()
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.MayParse {
			continue
		}
		var out, errs bytes.Buffer
		cmd := commandOf(t, "parse", "-")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(file.PDF), &out, &errs
		err := cmd.Run()
		said := testkit.ChildErrors(errs.String())
		if code := cmd.ProcessState.ExitCode(); err == nil || code != exitFailed || out.Len() > 0 || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: got code %d, %q and %q, want one sentence", file.Name, code, out.String(), said)
		}
	}
}

// TestAnInterruptEndsParseWhileItWaits holds that nobody has to end their input to end the command.
func TestAnInterruptEndsParseWhileItWaits(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	cmd := commandOf(t, "parse", "-")
	cmd.Stderr = &errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// More than a pipe holds: the command reads, so it listens to signals.
	if _, err := io.Copy(in, bytes.NewReader(make([]byte, 1<<20))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitFailed || strings.Contains(errs.String(), parse.TooComplex) {
		t.Errorf("got %v and %q, want code %d", err, errs.String(), exitFailed)
	}
}
