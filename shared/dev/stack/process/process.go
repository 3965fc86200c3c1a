// Package process runs a server as a child that does not outlive us: the kernel ends it when the
// process that started it dies, however that dies.
package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Spec is what to run.
type Spec struct {
	Path string
	Args []string
	Dir  string
	Env  []string
	Log  string              // file that gets its output, emptied first
	User *syscall.Credential // nil: ours
	// Death is the signal that it gets when we die; Stop sends it too.
	Death syscall.Signal
}

// Process is a running child.
type Process struct {
	spec  Spec
	cmd   *exec.Cmd
	ended chan struct{} // closed after Wait, when err is set
	err   error
}

// Start runs the child. Its process group is its own, so that a terminal's Ctrl-C reaches us only,
// and we end it in order.
func Start(spec Spec) (*Process, error) {
	log, err := os.OpenFile(spec.Log, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", spec.Path, err)
	}
	defer log.Close() // the child has its own
	cmd := exec.Command(spec.Path, spec.Args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = spec.Dir, spec.Env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: spec.Death, Credential: spec.User}
	p := &Process{spec: spec, cmd: cmd, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel's notice is tied to the thread that started the child: this one must live.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
		close(p.ended)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", spec.Path, err)
	}
	return p, nil
}

// Pid is the child's process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.ended }

// Ready asks probe again and again until it answers nil, the child ends, or ctx does.
func (p *Process) Ready(ctx context.Context, probe func(context.Context) error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		attempt, cancel := context.WithTimeout(ctx, 5*time.Second)
		last = probe(attempt)
		cancel()
		if last == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended at once: %s", p.spec.Path, p.lastLine())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", p.spec.Path, errors.Join(last, ctx.Err()))
		case <-tick.C:
		}
	}
}

// Stop ends the child, by force after patience, and waits for it. It may be called twice.
func (p *Process) Stop(patience time.Duration) error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(p.spec.Death); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.spec.Path, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-p.ended:
		return nil
	case <-timer.C:
	}
	return p.Kill()
}

// Kill ends the child and its whole group at once, as a crash would, and waits for it.
func (p *Process) Kill() error {
	err := syscall.Kill(-p.Pid(), syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("kill %s: %w", p.spec.Path, err)
	}
	<-p.ended
	return nil
}

// lastLine is what the child said last, for an error that one can act on.
func (p *Process) lastLine() string {
	text, err := os.ReadFile(p.spec.Log)
	if err != nil {
		return "it left no log"
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(lines[len(lines)-1])
}
