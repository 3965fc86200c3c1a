package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// control is one restriction that the child puts on itself before it reads the first byte of a PDF.
// None can be lifted again by the process that it holds.
type control struct {
	name string
	// offered is nil, or why this kernel does not have the control; as a function, nil stands for every kernel.
	offered func() error
	apply   func(Limits) error
}

// controls are all of them, in the order in which they are applied: seccomp comes last, because it
// refuses the system calls that the others need. Landlock and seccomp need no-new-privs.
var controls = []control{
	{"limits", nil, limitResources},
	{"environment", nil, forgetEnvironment},
	{"no-new-privs", nil, refusePrivileges},
	{"landlock", landlockOffered, refuseFiles},
	{"seccomp", seccompOffered, filterCalls},
}

// Controls are the restrictions of the process that reads a PDF, by name: nil where it is in force, and
// otherwise why this kernel does not offer it. (A control that is offered and fails ends the child.)
func Controls() map[string]error {
	states := make(map[string]error, len(controls))
	for _, c := range controls {
		states[c.name] = c.missing()
	}
	return states
}

// missing is why the kernel does not offer the control, or nil.
func (c control) missing() error {
	if c.offered == nil {
		return nil
	}
	return c.offered()
}

// confine applies those of the controls that the kernel offers, to every thread of this process.
func confine(controls []control, limits Limits) error {
	runtime.LockOSThread() // some calls hold for the calling thread until they are spread to the others
	defer runtime.UnlockOSThread()
	for _, c := range controls {
		if c.missing() != nil {
			continue
		}
		if err := c.apply(limits); err != nil {
			return fmt.Errorf("confine the parser: %s: %w", c.name, err)
		}
	}
	return nil
}

// limitResources sets the limits that the kernel enforces. RLIMIT_DATA counts private writable memory
// (getrlimit(2), Linux 4.7 and later); the address space that Go reserves ahead does not count. The parent moves the limit
// of processor time with each document, up to that of the reader's life.
func limitResources(limits Limits) error {
	if err := limitUse(uint64(limits.Memory), limits); err != nil {
		return err
	}
	return limit(syscall.RLIMIT_FSIZE, 0, 0)
}

// limitUse sets the limits of what a reading uses, whatever it writes.
func limitUse(memory uint64, limits Limits) error {
	return errors.Join(
		limit(syscall.RLIMIT_DATA, memory, memory),
		limit(syscall.RLIMIT_CPU, limits.seconds(), limits.lifetime()),
		limit(syscall.RLIMIT_CORE, 0, 0),
	)
}

// limit sets a limit, or leaves a lower one that the process was started with.
func limit(resource int, value, most uint64) error {
	var given syscall.Rlimit
	if err := syscall.Getrlimit(resource, &given); err != nil {
		return fmt.Errorf("ask for resource %d: %w", resource, err)
	}
	most = min(most, given.Max)
	if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: min(value, most), Max: most}); err != nil {
		return fmt.Errorf("resource %d: %w", resource, err)
	}
	return nil
}

// forgetEnvironment empties the environment. The parent passes on none of its own; this removes the
// child's settings too.
func forgetEnvironment(Limits) error {
	os.Clearenv()
	return nil
}

// refusePrivileges sets no_new_privs: no program that is executed from now on gains privileges.
func refusePrivileges(Limits) error {
	return llsyscall.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}

// landlockOffered asks for the version of Landlock.
func landlockOffered() error {
	if _, err := llsyscall.LandlockGetABIVersion(); err != nil {
		return fmt.Errorf("the kernel has no Landlock, or it was not enabled at boot: %w", err)
	}
	return nil
}

// refuseFiles denies everything that the kernel's Landlock can deny: files, and on newer kernels TCP
// and UDP ports, and signals and abstract sockets of other processes.
func refuseFiles(Limits) error {
	return landlock.V11.BestEffort().Restrict()
}
