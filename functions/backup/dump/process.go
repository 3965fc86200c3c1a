package dump

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/schedgen/schedgen/shared/postgres"
)

// child is one run of a program.
type child struct {
	path   string
	args   []string
	env    []string
	stdin  io.Reader
	stdout io.Writer
}

// run runs the program and waits for it. The program ends with ctx, and with this process however that ends. The
// error holds the last lines of its standard error.
func (c child) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LC_ALL=C", "PGAPPNAME=schedgen-backup"}, c.env...)
	// The program's own error is often that we stopped reading or writing; ours says why.
	in, out := &readRecorder{Reader: c.stdin}, &writeRecorder{Writer: c.stdout}
	if c.stdin != nil {
		cmd.Stdin = in
	}
	cmd.Stdout = out
	stderr := &tail{limit: 8 << 10}
	cmd.Stderr = stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.WaitDelay = 5 * time.Second
	ended := make(chan error, 1)
	go func() {
		// The kernel's notice of our death is tied to the thread that started the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		ended <- cmd.Run()
	}()
	err := <-ended
	if err == nil {
		return nil
	}
	if ioErr := errors.Join(in.err, out.err); ioErr != nil {
		return ioErr
	}
	name := filepath.Base(c.path)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ToolError{Tool: name, Stderr: stderr.lines()}
	}
	return fmt.Errorf("run %s: %w", name, err)
}

// readRecorder records why its reader failed.
type readRecorder struct {
	io.Reader
	err error
}

func (s *readRecorder) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// writeRecorder records why its writer failed.
type writeRecorder struct {
	io.Writer
	err error
}

func (s *writeRecorder) Write(p []byte) (int, error) {
	if s.Writer == nil {
		return len(p), nil
	}
	n, err := s.Writer.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// ToolError means that a program failed.
type ToolError struct {
	Tool   string
	Stderr string // its last lines
}

func (e *ToolError) Error() string { return e.Tool + " failed: " + e.Stderr }

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	text  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - t.limit; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// lines are the last few, as one.
func (t *tail) lines() string {
	all := strings.Split(string(bytes.TrimSpace(t.text)), "\n")
	return strings.Join(all[max(0, len(all)-4):], "; ")
}

// Write dumps the snapshot of the database in the custom format, uncompressed: what reads it
// compresses better and only once.
func (t Tools) Write(ctx context.Context, dsn, snapshot string, into io.Writer) error {
	a, err := parseAddress(dsn)
	if err != nil {
		return err
	}
	return child{path: t.dump, env: a.env(), stdout: into, args: []string{
		"--format=custom", "--compress=0", "--snapshot=" + snapshot, "--no-password", "--lock-wait-timeout=60s",
		"--exclude-schema=" + postgres.ReplacedPrefix + "*", "--dbname=" + a.uri}}.run(ctx)
}

// List reads an archive to its end and gives the items of its table of contents.
func (t Tools) List(ctx context.Context, archive io.Reader) (items []string, err error) {
	var listed bytes.Buffer
	// The program stops reading after the table of contents; the rest must be read all the same, or
	// the writer of the archive would wait for ever.
	feed, stop := io.Pipe()
	drained := make(chan error, 1)
	go func() {
		_, err := io.Copy(feedOrDiscard{stop}, archive)
		_ = stop.Close() // never fails
		drained <- err
	}()
	err = child{path: t.restore, args: []string{"--list"}, stdin: feed, stdout: &listed}.run(ctx)
	_ = feed.Close() // never fails
	if drainErr := <-drained; err == nil {
		err = drainErr
	}
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(listed.String()) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, ";") {
			items = append(items, line)
		}
	}
	return items, nil
}

// feedOrDiscard goes on taking bytes after the pipe's reader is gone.
type feedOrDiscard struct{ *io.PipeWriter }

func (f feedOrDiscard) Write(p []byte) (int, error) {
	_, _ = f.PipeWriter.Write(p)
	return len(p), nil
}

// Restore reads an archive into an empty database, in one transaction: all of it or nothing.
func (t Tools) Restore(ctx context.Context, dsn string, archive io.Reader) error {
	a, err := parseAddress(dsn)
	if err != nil {
		return err
	}
	env := append(a.env(), "PGOPTIONS=-c statement_timeout=0 -c maintenance_work_mem=128MB")
	return child{path: t.restore, env: env, stdin: archive, args: []string{
		"--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--no-password", "--dbname=" + a.uri}}.run(ctx)
}

// env is what the child's environment alone holds.
func (a address) env() []string {
	if a.password == "" {
		// A file of passwords, if the operator has one.
		return []string{"PGPASSFILE=" + os.Getenv("PGPASSFILE")}
	}
	return []string{"PGPASSWORD=" + a.password}
}
