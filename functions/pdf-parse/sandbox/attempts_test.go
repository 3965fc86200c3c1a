package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// target is what the attempts of a confined process aim at, all of it the test's own.
type target struct {
	File   string // that exists, may be read and written, and is beside nothing else
	TCP    string // an address that accepts connections
	Socket string // the name of an abstract Unix socket
	Parent int    // the process that runs the test
}

// secret is a variable of the environment that the parser's process must not keep.
const secret = "SCHEDGEN_TEST_SECRET"

// attempt is something that a PDF that has taken over the parser would do next.
type attempt struct {
	do        func(target) error // nil: it worked
	stoppedBy []string           // each of these controls alone is enough
	landlock  int                // the version of Landlock from which on it stops this, too; 0: none does
}

// attempts are made on every thread.
var attempts = map[string]attempt{
	"read a file": {readFile(func(t target) string { return t.File }), []string{"seccomp"}, 1},
	"read its parent's environment": {readFile(func(t target) string { return fmt.Sprintf("/proc/%d/environ", t.Parent) }),
		[]string{"seccomp"}, 1},
	"read its own memory map":  {readFile(func(target) string { return "/proc/self/maps" }), []string{"seccomp"}, 1},
	"list a directory":         {listDirectory, []string{"seccomp"}, 1},
	"make a file":              {makeFile, []string{"seccomp"}, 1},
	"write to a file":          {writeFile, []string{"limits", "seccomp"}, 1},
	"delete a file":            {func(t target) error { return os.Remove(t.File + ".spare") }, []string{"seccomp"}, 1},
	"change the directory":     {func(target) error { return os.Chdir("/") }, []string{"seccomp"}, 0},
	"connect by TCP":           {dial("tcp", func(t target) string { return t.TCP }), []string{"seccomp"}, 4},
	"send by UDP":              {dial("udp", func(target) string { return "127.0.0.1:9" }), []string{"seccomp"}, 10},
	"connect to a Unix socket": {dial("unix", func(t target) string { return t.Socket }), []string{"seccomp"}, 6},
	"make a pair of sockets":   {socketPair, []string{"seccomp"}, 0},
	"start a program":          {startProgram, []string{"seccomp"}, 1},
	"fork":                     {fork, []string{"seccomp"}, 0},
	"trace its parent":         {traceParent, []string{"seccomp"}, 1},
	"read its parent's memory": {readMemory, []string{"seccomp"}, 1},
	"signal its parent":        {func(t target) error { return syscall.Kill(t.Parent, 0) }, []string{"seccomp"}, 6},
	"signal a thread of its parent": {func(t target) error { return unix.Tgkill(t.Parent, t.Parent, 0) },
		[]string{"seccomp"}, 6},
	"see its parent's limits": {func(t target) error { return unix.Prlimit(t.Parent, unix.RLIMIT_CORE, nil, &unix.Rlimit{}) },
		[]string{"seccomp"}, 0},
	"map memory that runs":    {mapCode, []string{"seccomp"}, 0},
	"make its memory run":     {runMemory, []string{"seccomp"}, 0},
	"make a file in memory":   {memoryFile, []string{"seccomp"}, 0},
	"take a gigabyte":         {takeMemory, []string{"limits"}, 0},
	"read its environment":    {readEnvironment, []string{"environment"}, 0},
	"gain privileges by exec": {mayGainPrivileges, []string{"no-new-privs", "seccomp"}, 1},
}

func readFile(path func(target) string) func(target) error {
	return func(t target) error {
		_, err := os.ReadFile(path(t))
		return err
	}
}

func listDirectory(t target) error {
	_, err := os.ReadDir(filepath.Dir(t.File))
	return err
}

func makeFile(t target) error {
	f, err := os.CreateTemp(filepath.Dir(t.File), "made")
	if err != nil {
		return err
	}
	return f.Close()
}

func writeFile(t target) error {
	signal.Ignore(syscall.SIGXFSZ) // where it is not ignored, the limit ends the process
	f, err := os.OpenFile(t.File, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write([]byte("written"))
	return err
}

func dial(network string, address func(target) string) func(target) error {
	return func(t target) error {
		conn, err := net.Dial(network, address(t))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

func socketPair(target) error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	return errors.Join(syscall.Close(pair[0]), syscall.Close(pair[1]))
}

func startProgram(target) error {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{attemptEnv + "=nothing"}
	return cmd.Run()
}

// fork makes a process that ends at once; nothing of Go's runs in it.
func fork(target) error {
	pid, _, errno := syscall.RawSyscall6(syscall.SYS_CLONE, uintptr(syscall.SIGCHLD), 0, 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if pid == 0 {
		_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 0, 0, 0)
	}
	_, err := syscall.Wait4(int(pid), nil, 0, nil)
	return err
}

func traceParent(t target) error {
	_, _, errno := syscall.Syscall6(syscall.SYS_PTRACE, unix.PTRACE_SEIZE, uintptr(t.Parent), 0, 0, 0, 0)
	if errno != 0 {
		return errno
	}
	if err := unix.PtraceInterrupt(t.Parent); err != nil {
		return err
	}
	if _, err := syscall.Wait4(t.Parent, nil, unix.WALL, nil); err != nil {
		return err
	}
	return syscall.PtraceDetach(t.Parent)
}

func readMemory(t target) error {
	word := make([]byte, 1)
	remote := unix.RemoteIovec{Base: uintptr(unsafe.Pointer(&word[0])), Len: 1}
	_, err := unix.ProcessVMReadv(t.Parent, []unix.Iovec{{Base: &word[0], Len: 1}}, []unix.RemoteIovec{remote}, 0)
	if errors.Is(err, syscall.EFAULT) {
		return nil // it was let at the memory, of which that address is none
	}
	return err
}

func mapCode(target) error {
	memory, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	return unix.Munmap(memory)
}

func runMemory(target) error {
	memory, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil // another attempt says so
	}
	return errors.Join(unix.Mprotect(memory, unix.PROT_READ|unix.PROT_EXEC), unix.Munmap(memory))
}

func memoryFile(target) error {
	fd, err := unix.MemfdCreate("file", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

func takeMemory(target) error {
	memory, err := unix.Mmap(-1, 0, 1<<30, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return err
	}
	return unix.Munmap(memory)
}

func readEnvironment(target) error {
	if os.Getenv(secret) == "" {
		return errors.New("the variable is not there")
	}
	return nil
}

func mayGainPrivileges(target) error {
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	switch {
	case err != nil:
		return err
	case set == 1:
		return errors.New("no_new_privs is set")
	}
	return nil
}

// onThreads makes each attempt on a thread that was there before confine, and on one that came after it.
// An attempt that works on either worked.
func onThreads(t target, confine func() error) (map[string]string, error) {
	early, results := make(chan struct{}), make(chan map[string]string)
	ready := make(chan struct{})
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		close(ready)
		<-early
		results <- makeAttempts(t)
	}()
	<-ready
	if err := confine(); err != nil {
		return nil, err
	}
	close(early)
	outcome := <-results
	go func() {
		runtime.LockOSThread()
		results <- makeAttempts(t)
	}()
	for name, failed := range <-results {
		if failed == "" {
			outcome[name] = ""
		}
	}
	return outcome, nil
}

// makeAttempts gives how each failed, or "".
func makeAttempts(t target) map[string]string {
	outcome := make(map[string]string, len(attempts))
	for name, a := range attempts {
		if err := a.do(t); err != nil {
			outcome[name] = err.Error()
			continue
		}
		outcome[name] = ""
	}
	return outcome
}
