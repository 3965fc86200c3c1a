// Package sandbox reads foreign PDFs in a child process of the same binary. A file that makes the
// reader loop, crash or devour memory takes down the child alone, and only within its limits.
//
// A program that uses it calls MaybeChild before anything else in main.
package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Limits are what one PDF may cost; zero fields take their defaults.
type Limits struct {
	Memory int64         `env:"PARSE_MEMORY, default=402653184"` // bytes of private memory, 384 MiB; 100 full pages need up to 205 MiB
	CPU    time.Duration `env:"PARSE_CPU, default=10s"`          // whole seconds; a timetable takes milliseconds
	Wall   time.Duration `env:"PARSE_TIMEOUT, default=10s"`      // of one PDF, by the clock
}

// Parse gives the timetable that a PDF prints. A *parse.Error is final; ctx's error and any other
// say nothing about the file, which may be tried again. It returns in time even where a Read of pdf
// does not; that Read is the caller's to end.
func Parse(ctx context.Context, pdf io.Reader, limits Limits) (timetable.Document, error) {
	var doc timetable.Document
	out, err := run(ctx, taskParse, pdf, limits)
	if err != nil {
		return doc, err
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return timetable.Document{}, fmt.Errorf("read the parser's answer: %w", err)
	}
	return doc, nil
}

// Draw writes an SVG of what is seen on a PDF's pages; its errors are those of Parse.
func Draw(ctx context.Context, w io.Writer, pdf io.Reader, limits Limits) error {
	out, err := run(ctx, taskDraw, pdf, limits)
	if err != nil {
		return err
	}
	if _, err := w.Write(out); err != nil {
		return fmt.Errorf("write the drawing: %w", err)
	}
	return nil
}

// maxAnswer bounds what the child may answer to each task, in bytes. A timetable's entries hold no more than
// parse.MaxText, of which JSON may write each byte as six; the drawing of 100 full pages is some 20 MB.
var maxAnswer = map[string]int{taskParse: 10 << 20, taskDraw: 128 << 20}

// run starts the child, feeds it the PDF and waits for its end, whatever end that is.
func run(ctx context.Context, task string, pdf io.Reader, limits Limits) ([]byte, error) {
	limits = settings.WithDefaults(limits)
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the parser's binary: %w", err)
	}
	if err := closeFilesOnExec(); err != nil {
		return nil, err
	}
	inTime, cancel := context.WithTimeout(ctx, limits.Wall)
	defer cancel()

	out, diagnosis := &bounded{limit: maxAnswer[task], fail: true}, &bounded{limit: 8 << 10}
	cmd := command(inTime, self, task, limits)
	cmd.Stdout, cmd.Stderr = out, diagnosis

	// The kernel sends Pdeathsig when the thread that started the child ends, not the process.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	fed, err := start(cmd, pdf)
	if err != nil {
		return nil, cmp.Or(outOfTime(ctx, inTime), fmt.Errorf("start the parser: %w", err))
	}
	err = cmd.Wait()
	select {
	case broken := <-fed:
		if broken != nil && ctx.Err() == nil && inTime.Err() == nil {
			return nil, fmt.Errorf("read the PDF: %w", broken)
		}
	default: // the child ended without all of its input
	}
	if err == nil {
		return out.data, nil
	}
	if late := outOfTime(ctx, inTime); late != nil {
		return nil, late
	}
	if cmd.ProcessState.ExitCode() == refused {
		return nil, answered(diagnosis.data)
	}
	return nil, ended(err, string(diagnosis.data), limits)
}

// command is the child's process: it gets no variable of this one's environment.
func command(ctx context.Context, self, task string, limits Limits) *exec.Cmd {
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = []string{
		childEnv + "=" + task,
		memoryEnv + "=" + strconv.FormatInt(limits.Memory, 10),
		cpuEnv + "=" + strconv.Itoa(max(1, int(limits.CPU.Seconds()))),
		"GOGC=400", // a timetable is read before the first collection is due
		"GOTRACEBACK=none",
		"GOMAXPROCS=1",
		"GODEBUG=containermaxprocs=0", // the runtime keeps no file of the cgroup open
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	return cmd
}

// closeFilesOnExec keeps every child from inheriting a file that this process was started with. Files that Go opens are
// not inherited anyway.
func closeFilesOnExec() error {
	const first = 3 // after standard input, output and error
	err := unix.CloseRange(first, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	open, err := os.ReadDir("/proc/self/fd") // kernels before Linux 5.11
	if err != nil {
		return fmt.Errorf("list open files: %w", err)
	}
	for _, file := range open {
		if fd, err := strconv.Atoi(file.Name()); err == nil && fd >= first {
			syscall.CloseOnExec(fd)
		}
	}
	return nil
}

// outOfTime is why no time is left: the caller's is over, or the file took all that it may.
func outOfTime(ctx, inTime context.Context) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case inTime.Err() != nil:
		return parse.New(parse.TooComplex)
	}
	return nil
}

// start starts the child and feeds it. What comes of reading the PDF is known before the child can
// see its end. exec.Cmd's own Stdin will not do: its Wait waits for a Read that never returns.
func start(cmd *exec.Cmd, pdf io.Reader) (fed <-chan error, err error) {
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		_, err := io.Copy(stdin, pdf)
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
			err = nil // the child has read enough, or has ended
		}
		done <- err
		_ = stdin.Close() // Wait may have closed it
	}()
	return done, nil
}

// answered is the error that the child reported. More may follow it: a binary built to measure
// coverage has its say at exit.
func answered(data []byte) error {
	var e parse.Error
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&e); err != nil || e.Code == "" {
		return fmt.Errorf("the parser answered neither a timetable nor an error: %.200q", data)
	}
	return &e
}

// ended tells what the end of the child says about the file. A kill from outside says nothing.
func ended(err error, stderr string, limits Limits) error {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("run the parser: %w", err)
	}
	spent := exit.UserTime() + exit.SystemTime()
	for _, sign := range []string{"out of memory", "cannot allocate memory", "stack overflow", "stack exceeds"} {
		if strings.Contains(stderr, sign) {
			return parse.New(parse.TooComplex)
		}
	}
	switch {
	case strings.Contains(stderr, "pthread_create failed") && peak(exit) > limits.Memory/4:
		return parse.New(parse.TooComplex) // no room for another stack; the machine's own lack of threads is not the file's
	case strings.HasPrefix(stderr, "SIGSEGV") && peak(exit) > limits.Memory/4:
		return parse.New(parse.TooComplex) // Go's own collector got no memory; a mistake of ours begins with "panic:"
	case spent >= limits.CPU: // the kernel killed it: it did not get to say so itself
		return parse.New(parse.TooComplex)
	case strings.Contains(stderr, "panic:") || strings.Contains(stderr, "fatal error:"):
		return parse.New(parse.Damaged)
	}
	return fmt.Errorf("the parser ended early: %w: %.200s", err, stderr)
}

// peak is the most memory that the child had resident, in bytes.
func peak(exit *exec.ExitError) int64 {
	usage, ok := exit.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}

// bounded keeps the first bytes written to it, and fails or forgets beyond its limit.
type bounded struct {
	data  []byte
	limit int
	fail  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	room := b.limit - len(b.data)
	if len(p) > room {
		if b.fail {
			return 0, errors.New("the parser's answer is too long")
		}
		b.data = append(b.data, p[:room]...)
		return len(p), nil
	}
	b.data = append(b.data, p...)
	return len(p), nil
}
