package sandbox

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Here the parent measures what a reader has taken. It asks the kernel: what the reader itself says is foreign. It asks while
// the process is there or was not yet waited for, so that its number is no other process's.

// processorTime is what a process has taken so far, from its clock (clock_getcpuclockid(3)).
func processorTime(pid int) (time.Duration, error) {
	const allThreads = 2 // CPUCLOCK_SCHED, in posix-timers.h of Linux
	var taken unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|allThreads), &taken); err != nil {
		return 0, fmt.Errorf("ask for the parser's processor time: %w", err)
	}
	return time.Duration(taken.Nano()), nil
}

// privateMemory is what a process has of the memory that RLIMIT_DATA counts, in bytes; see proc_pid_statm(5).
func privateMemory(pid int) (int64, error) {
	const data = 5
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0, fmt.Errorf("ask for the parser's memory: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) <= data {
		return 0, fmt.Errorf("ask for the parser's memory: got %q", text)
	}
	pages, err := strconv.ParseInt(fields[data], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("ask for the parser's memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}

// allow moves the reader's limit of processor time, so that its next document may take what a first one may. The kernel
// counts in seconds: it may take up to one more.
func (r *reader) allow() error {
	taken, err := processorTime(r.cmd.Process.Pid)
	if err != nil {
		return err
	}
	until := uint64((taken+time.Second-1)/time.Second) + r.limits.seconds()
	limit := unix.Rlimit{Cur: until, Max: r.limits.lifetime()}
	if err := unix.Prlimit(r.cmd.Process.Pid, unix.RLIMIT_CPU, &limit, nil); err != nil {
		return fmt.Errorf("move the parser's limit of processor time to %d s: %w", until, err)
	}
	return nil
}
