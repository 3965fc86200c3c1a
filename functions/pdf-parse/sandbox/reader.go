package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
)

// reader is a child from its parent's side. One goroutine at a time uses it.
type reader struct {
	cmd       *exec.Cmd
	in, out   *os.File
	diagnosis *bounded // what it wrote to standard error; whole once it has ended
	limits    Limits

	documents int       // that it was given
	began     time.Time // with the first of them
	memory    int64     // that it had before them; 0: not measured
	expire    *time.Timer

	mu     sync.Mutex
	reaped bool          // its number may be another process's
	ended  chan struct{} // closed when err is set
	err    error         // of its end
}

// startTime is how long a reader may take until it is ready. It takes milliseconds, more on a machine that is overloaded.
const startTime = 20 * time.Second

// startReader starts a reader and waits until it is confined. Its errors say nothing about any document, for it has none yet.
func startReader(ctx context.Context, limits Limits) (*reader, error) {
	if !mayHaveChildren.Load() {
		return nil, errors.New("this program does not call sandbox.MaybeChild first in main")
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the parser's binary: %w", err)
	}
	return startCommand(ctx, command(self, limits), limits)
}

// startCommand has the command be a reader.
func startCommand(ctx context.Context, cmd *exec.Cmd, limits Limits) (*reader, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := launch(cmd, limits)
	if err != nil {
		return nil, fmt.Errorf("start the parser: %w", err)
	}
	inTime, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	stop := context.AfterFunc(inTime, r.kill)
	a, err := receiveAnswer(r.out, 0, 0)
	if stop() && err == nil && a.outcome == ready {
		return r, nil
	}
	r.end()
	if late := cmp.Or(ctx.Err(), inTime.Err()); late != nil {
		return nil, fmt.Errorf("start the parser: %w", late)
	}
	return nil, fmt.Errorf("start the parser: %w: %.200s", errors.Join(err, r.err), r.diagnosis.data)
}

// launch starts the process.
func launch(cmd *exec.Cmd, limits Limits) (*reader, error) {
	if err := closeFilesOnExec(); err != nil {
		return nil, err
	}
	r := &reader{cmd: cmd, diagnosis: &bounded{limit: maxDiagnosis}, limits: limits, ended: make(chan struct{})}
	r.cmd.Stderr = r.diagnosis
	theirs := make([]*os.File, 2)
	var err error
	if theirs[0], r.in, err = os.Pipe(); err != nil {
		return nil, err
	}
	if r.out, theirs[1], err = os.Pipe(); err != nil {
		return nil, errors.Join(err, theirs[0].Close(), r.in.Close())
	}
	r.cmd.Stdin, r.cmd.Stdout = theirs[0], theirs[1]
	started := make(chan error)
	go r.run(started)
	err = errors.Join(<-started, theirs[0].Close(), theirs[1].Close())
	if err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// run starts the process and waits for its end. The kernel sends Pdeathsig when the thread that started the child ends,
// not the process, so this thread is the reader's for all its life.
func (r *reader) run(started chan<- error) {
	defer close(r.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := r.cmd.Start(); err != nil {
		r.err = err
		r.setReaped() // before anybody hears of the error and ends what is not there
		started <- err
		return
	}
	started <- nil
	// Until it is waited for, no other process gets its number: nobody may kill it from then on.
	for errors.Is(unix.Waitid(unix.P_PID, r.cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil), unix.EINTR) {
		continue
	}
	r.setReaped()
	r.err = r.cmd.Wait()
}

// setReaped notes that there is no process to kill any more.
func (r *reader) setReaped() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reaped = true
}

// command is the child's process: it gets no variable of this one's environment.
func command(self string, limits Limits) *exec.Cmd {
	cmd := exec.Command(self)
	cmd.Env = []string{
		childEnv + "=reader",
		memoryEnv + "=" + strconv.FormatInt(limits.Memory, 10),
		cpuEnv + "=" + strconv.FormatUint(limits.seconds(), 10),
		"GOGC=400", // a timetable is read before the first collection is due
		"GOTRACEBACK=none",
		"GOMAXPROCS=1",
		"GODEBUG=containermaxprocs=0", // the runtime keeps no file of the cgroup open
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
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

// kill ends the reader with its group. It may be called at any time, from any goroutine.
func (r *reader) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.reaped {
		_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) // it has ended, and is waited for
	}
}

// end kills the reader and waits until nothing of it is left.
func (r *reader) end() {
	r.kill()
	<-r.ended
	_ = r.in.Close() // both may hold nothing that anybody wants
	_ = r.out.Close()
}

// alive reports whether the reader has not ended.
func (r *reader) alive() bool {
	select {
	case <-r.ended:
		return false
	default:
		return true
	}
}

// read gives the reader a document and waits for its answer. reusable reports that it may be given another one: it answered,
// if only that this is no timetable. Where it is not, it has ended, whatever end that is.
func (r *reader) read(ctx context.Context, t task, pdf io.Reader) (out []byte, reusable bool, err error) {
	r.documents++
	number := newNumber()
	inTime, cancel := context.WithTimeout(ctx, r.limits.Wall)
	defer cancel()
	stop := context.AfterFunc(inTime, r.kill)
	defer stop()
	fed := make(chan error, 1)
	go func() {
		err := sendDocument(r.in, number, t, pdf)
		fed <- err
		if errors.As(err, new(sourceError)) {
			r.kill() // it would wait for the rest
		}
	}()
	a, err := receiveAnswer(r.out, number, maxAnswer[t])
	if err != nil || a.outcome == ending {
		r.end()
		return nil, false, r.verdict(ctx, inTime, fed, a, err)
	}
	if err := awaitFeed(inTime, fed); err != nil || !stop() {
		r.end()
		return nil, false, cmp.Or(outOfTime(ctx, inTime), err)
	}
	if a.outcome == done {
		return a.body, true, nil
	}
	err = reported(a.body)
	return nil, errors.As(err, new(*parse.Error)), err
}

// awaitFeed waits until a reader that has answered has its document, too. One that does not read it has until the
// document's time is over.
func awaitFeed(inTime context.Context, fed <-chan error) error {
	select {
	case err := <-fed:
		if err != nil {
			return fmt.Errorf("the parser answered before it had the PDF: %w", err)
		}
		return nil
	case <-inTime.Done():
		return inTime.Err()
	}
}

// verdict is what the end of a reader says about the document that it had.
func (r *reader) verdict(ctx, inTime context.Context, fed <-chan error, a answer, err error) error {
	if late := outOfTime(ctx, inTime); late != nil {
		return late
	}
	select {
	case broken := <-fed:
		if source := (sourceError{}); errors.As(broken, &source) {
			return fmt.Errorf("read the PDF: %w", source.error)
		}
	default: // it ended without all of its input
	}
	switch {
	case a.outcome == ending:
		return reported(a.body)
	case errors.Is(err, errFrame):
		return fmt.Errorf("read the parser's answer: %w", err)
	}
	return diagnose(r.err, string(r.diagnosis.data), r.limits)
}
