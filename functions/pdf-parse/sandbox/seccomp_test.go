package sandbox_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
)

// What the filter may answer.
const (
	allowed = uint32(unix.SECCOMP_RET_ALLOW)
	refused = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	absent  = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	killed  = uint32(unix.SECCOMP_RET_KILL_PROCESS)
)

const self = 4321 // the process that the filter is for

// call is a system call as a filter sees it.
type call struct {
	arch   uint32
	number uint32
	args   [6]uint64
}

// decide runs the filter on a machine made of software, so that no call is really made.
func decide(t *testing.T, c call) uint32 {
	t.Helper()
	machine, err := bpf.NewVM(sandbox.Filter(self))
	if err != nil {
		t.Fatal(err)
	}
	// struct seccomp_data, of which each word is in the order of bytes that this machine reads.
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data, c.number)
	binary.BigEndian.PutUint32(data[4:], c.arch)
	for i, arg := range c.args {
		binary.BigEndian.PutUint32(data[16+8*i:], uint32(arg)) // the lower half comes first
		binary.BigEndian.PutUint32(data[20+8*i:], uint32(arg>>32))
	}
	answer, err := machine.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(answer)
}

func TestFilter(t *testing.T) {
	t.Parallel()
	const runtimeThread = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_SYSVSEM | unix.CLONE_THREAD
	for name, test := range map[string]struct {
		call call
		want uint32
	}{
		"read":                     {call{number: unix.SYS_READ}, allowed},
		"execve":                   {call{number: unix.SYS_EXECVE}, refused},
		"execveat":                 {call{number: unix.SYS_EXECVEAT}, refused},
		"openat":                   {call{number: unix.SYS_OPENAT}, refused},
		"openat2":                  {call{number: unix.SYS_OPENAT2}, refused},
		"io_uring":                 {call{number: unix.SYS_IO_URING_SETUP}, refused},
		"bpf":                      {call{number: unix.SYS_BPF}, refused},
		"another filter":           {call{number: unix.SYS_SECCOMP}, refused},
		"kill":                     {call{number: unix.SYS_KILL, args: [6]uint64{self, 9}}, refused},
		"signal to itself":         {call{number: unix.SYS_TGKILL, args: [6]uint64{self, self, 23}}, allowed},
		"signal to another":        {call{number: unix.SYS_TGKILL, args: [6]uint64{self + 1, self + 1, 23}}, refused},
		"Go's thread":              {call{number: unix.SYS_CLONE, args: [6]uint64{runtimeThread}}, allowed},
		"fork by clone":            {call{number: unix.SYS_CLONE, args: [6]uint64{uint64(unix.SIGCHLD)}}, refused},
		"vfork by clone":           {call{number: unix.SYS_CLONE, args: [6]uint64{unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD)}}, refused},
		"a thread in a namespace":  {call{number: unix.SYS_CLONE, args: [6]uint64{runtimeThread | unix.CLONE_NEWNS}}, refused},
		"a user namespace":         {call{number: unix.SYS_CLONE, args: [6]uint64{unix.CLONE_NEWUSER}}, refused},
		"a thread that is traced":  {call{number: unix.SYS_CLONE, args: [6]uint64{runtimeThread | unix.CLONE_PTRACE}}, refused},
		"clone3":                   {call{number: unix.SYS_CLONE3}, absent},
		"memory":                   {call{number: unix.SYS_MMAP, args: [6]uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}}, allowed},
		"memory that runs":         {call{number: unix.SYS_MMAP, args: [6]uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}}, refused},
		"memory made to run":       {call{number: unix.SYS_MPROTECT, args: [6]uint64{0, 4096, unix.PROT_EXEC}}, refused},
		"memory made to run (key)": {call{number: unix.SYS_PKEY_MPROTECT, args: [6]uint64{0, 4096, unix.PROT_EXEC}}, refused},
		"another architecture":     {call{arch: unix.AUDIT_ARCH_I386, number: unix.SYS_READ}, killed},
		"the x32 ABI":              {call{number: 0x40000000 | unix.SYS_READ}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.call.arch == 0 {
				test.call.arch = sandbox.AuditArch
			}
			if got := decide(t, test.call); got != test.want {
				t.Errorf("got %#x, want %#x", got, test.want)
			}
		})
	}
}

// TestFilterAllowsNothingElse tries every number, with arguments that no check of a rule refuses: a rule
// that is added has to be added here, by somebody who thinks about it.
func TestFilterAllowsNothingElse(t *testing.T) {
	t.Parallel()
	want := []uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FUTEX, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_SCHED_YIELD,
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MADVISE, unix.SYS_MPROTECT,
		unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGACTION, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
		unix.SYS_GETTID, unix.SYS_GETPID, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
		unix.SYS_GETRANDOM, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
	}
	for number := range uint32(2048) {
		got := decide(t, call{arch: sandbox.AuditArch, number: number}) == allowed
		if want := slices.Contains(want, number); got != want {
			t.Errorf("call %d: allowed %v, want %v", number, got, want)
		}
	}
}
