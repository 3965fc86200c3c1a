package sandbox

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter lists the system calls that Go's runtime needs to compute, to read what is already open
// and to write to it. Everything else fails with EPERM: it is an allow-list, so a call that a later
// kernel adds is refused too.
//
// It is assembled here because the filter libraries build tables of every architecture's calls when a
// program starts, which takes longer than reading a timetable's first page.

// rule allows one system call: always, or where check says so.
type rule struct {
	call uint32
	// check runs with the call's number loaded and returns allow, or falls through to be refused.
	check []bpf.Instruction
}

// What the filter answers.
var (
	allow  = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	refuse = bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	absent = bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	kill   = bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS}
)

// Where struct seccomp_data holds what the filter looks at; see seccomp(2).
const (
	numberOffset   = 0
	archOffset     = 4
	argumentOffset = 16
)

// threadFlags are the flags of clone that make a thread: what Go's runtime passes, and what glibc adds
// in a program that is linked with C.
const threadFlags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD |
	unix.CLONE_SYSVSEM | unix.CLONE_SETTLS | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID

// rules are the allowed calls of a process, the frequent ones first.
func rules(pid uint32) []rule {
	var list []rule
	for _, call := range []uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_FUTEX, unix.SYS_MADVISE, unix.SYS_MUNMAP, unix.SYS_NANOSLEEP, unix.SYS_CLOCK_GETTIME,
		unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_RT_SIGACTION, unix.SYS_SIGALTSTACK,
		unix.SYS_SCHED_YIELD, unix.SYS_GETTID, unix.SYS_GETPID, unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_CLOSE,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, // the runtime's timers
		unix.SYS_GETRANDOM, unix.SYS_RESTART_SYSCALL,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, // threads of glibc
	} {
		list = append(list, rule{call: call})
	}
	list = append(list, machineRules()...)
	return append(list,
		rule{unix.SYS_MMAP, withoutBits(2, unix.PROT_EXEC)},
		rule{unix.SYS_MPROTECT, withoutBits(2, unix.PROT_EXEC)},
		rule{unix.SYS_TGKILL, equal(0, pid)}, // the runtime interrupts its own threads by a signal
		rule{unix.SYS_CLONE, []bpf.Instruction{ // a thread; never a process, nor a namespace
			argument(0),
			bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: ^uint32(threadFlags), SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpBitsNotSet, Val: unix.CLONE_THREAD, SkipTrue: 1},
			allow,
		}},
		// Its flags are in memory, which a filter cannot see: glibc falls back to clone.
		rule{unix.SYS_CLONE3, []bpf.Instruction{absent}},
	)
}

// argument loads the lower half of a call's argument; the kernel ignores the upper halves of those that
// are checked here, or they are flags that have none.
func argument(n uint32) bpf.Instruction {
	return bpf.LoadAbsolute{Off: argumentOffset + 8*n + lowHalf, Size: 4}
}

// withoutBits allows a call whose argument has none of the bits.
func withoutBits(n, bits uint32) []bpf.Instruction {
	return []bpf.Instruction{argument(n), bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: bits, SkipTrue: 1}, allow}
}

// equal allows a call whose argument is the value.
func equal(n, value uint32) []bpf.Instruction {
	return []bpf.Instruction{argument(n), bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: value, SkipTrue: 1}, allow}
}

// filter is the program that the kernel runs at each system call of a process; otherwise answers calls
// that no rule names. Another architecture's numbers mean other calls, so such a call ends the process.
func filter(pid uint32, otherwise bpf.Instruction) []bpf.Instruction {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		kill,
		bpf.LoadAbsolute{Off: numberOffset, Size: 4},
	}
	for _, r := range rules(pid) {
		body := append(r.check, otherwise)
		if r.check == nil {
			body = []bpf.Instruction{allow}
		}
		program = append(program, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: r.call, SkipTrue: uint8(len(body))})
		program = append(program, body...)
	}
	return append(program, otherwise)
}

// seccompOffered asks for filters of all threads with a filter that cannot be read: seccomp(2) advises
// to tell by the error.
func seccompOffered() error {
	if _, err := setFilter(nil); err != unix.EFAULT {
		return fmt.Errorf("the kernel has no seccomp filters: %w", err)
	}
	return nil
}

// filterCalls puts the filter in force.
func filterCalls(Limits) error { return load(refuse) }

// load puts the filter in force, for all threads at once or for none.
func load(otherwise bpf.Instruction) error {
	raw, err := bpf.Assemble(filter(uint32(os.Getpid()), otherwise))
	if err != nil {
		return fmt.Errorf("assemble the filter: %w", err)
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	thread, err := setFilter(&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
	if err == nil && thread != 0 {
		err = fmt.Errorf("thread %d has another filter", thread)
	}
	return err
}

// setFilter is seccomp(2); the thread is one that cannot take the filter, or 0.
func setFilter(program *unix.SockFprog) (thread uintptr, err error) {
	thread, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(program)))
	if errno != 0 {
		return 0, errno
	}
	return thread, nil
}
