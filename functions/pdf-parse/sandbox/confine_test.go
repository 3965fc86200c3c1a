package sandbox_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	llsyscall "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// How a test tells a process of its own binary what it is. Production reads none of these.
const (
	attemptEnv  = "SCHEDGEN_TEST_ATTEMPT"  // a key of modes
	controlsEnv = "SCHEDGEN_TEST_CONTROLS" // of the attempts: the controls that hold them, by comma
	targetEnv   = "SCHEDGEN_TEST_TARGET"   // of the attempts: a target, as JSON
)

// modes are what a process of the test's binary does.
var modes map[string]func() error

func init() { // a mode starts processes of other modes
	modes = map[string]func() error{
		"nothing":     func() error { return nil },
		"confine":     confineAsTold,
		"attempts":    tellAttempts,
		"old kernel":  tellControlsOfOldKernel,
		"descriptors": tellDescriptors,
		"parent":      func() error { return startChild(sandbox.CloseFilesOnExec) },
		"leaky parent": func() error {
			return startChild(func() error { return nil })
		},
		"serve or die":       sandbox.ServeOrDie,
		"without MaybeChild": withoutMaybeChild,
		"here":               tellHere,
		"attempts here":      tellAttemptsHere,
	}
}

// runMode runs a process of this binary and gives what it wrote.
func runMode(t *testing.T, mode string, change func(*exec.Cmd)) ([]byte, error) {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "/proc/self/exe")
	cmd.Env, cmd.Stderr = append(os.Environ(), attemptEnv+"="+mode), &stderr
	if change != nil {
		change(cmd)
	}
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, stderr.String())
	}
	return out, err
}

// TestControls makes every attempt with all controls in force, with each alone, and with none. An
// attempt must fail where a control that stops it is in force, and must work where none is: a control
// that did nothing would fail the one, and an attempt that cannot work anyway the other.
func TestControls(t *testing.T) {
	t.Parallel()
	allowTracing(t)
	sets := map[string][]string{"none": nil, "all": slices.Collect(maps.Keys(sandbox.Controls()))}
	for name := range sandbox.Controls() {
		sets[name+" alone"] = []string{"no-new-privs", name} // Landlock and seccomp need that one
	}
	sets["environment alone"], sets["limits alone"] = []string{"environment"}, []string{"limits"}
	version, _ := llsyscall.LandlockGetABIVersion() // 0 where the kernel has none
	for set, inForce := range sets {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			outcome := attemptWith(t, "attempts", inForce)
			for name, a := range attempts {
				stopped := slices.ContainsFunc(inForce, func(control string) bool {
					return slices.Contains(a.stoppedBy, control) || control == "landlock" && a.landlock > 0 && version >= a.landlock
				})
				failed, made := outcome[name]
				switch {
				case !made:
					t.Errorf("%s: was not attempted", name)
				case stopped && failed == "":
					t.Errorf("%s: worked with %v in force", name, inForce)
				case !stopped && failed != "":
					t.Errorf("%s: failed with only %v in force: %s", name, inForce, failed)
				}
			}
		})
	}
}

// allowTracing lets every process of this user trace this one, which some machines forbid by default.
func allowTracing(t *testing.T) {
	t.Helper()
	const any = ^uintptr(0)
	if err := unix.Prctl(unix.PR_SET_PTRACER, any, 0, 0, 0); err != nil && !errors.Is(err, syscall.EINVAL) {
		t.Fatal(err) // EINVAL: a machine that does not forbid it
	}
}

// attemptWith makes all attempts in a process that is held by the controls, or as its mode says.
func attemptWith(t *testing.T, mode string, controls []string) map[string]string {
	t.Helper()
	aim := newTarget(t)
	out, err := runMode(t, mode, func(cmd *exec.Cmd) {
		cmd.Env = append(cmd.Env, secret+"=planted", controlsEnv+"="+strings.Join(controls, ","), targetEnv+"="+aim)
	})
	if err != nil {
		t.Fatal(err)
	}
	var outcome map[string]string
	if err := json.Unmarshal(out, &outcome); err != nil {
		t.Fatalf("%v: %q", err, out)
	}
	return outcome
}

// newTarget is a target as JSON. It lasts as long as the test.
func newTarget(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	aim := target{File: filepath.Join(dir, "file"), Socket: "@schedgen-" + filepath.Base(filepath.Dir(dir)) + strconv.Itoa(os.Getpid()), Parent: os.Getpid()}
	for _, name := range []string{aim.File, aim.File + ".spare"} {
		if err := os.WriteFile(name, []byte("content"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": aim.Socket} {
		listener, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		if network == "tcp" {
			aim.TCP = listener.Addr().String()
		}
	}
	data, err := json.Marshal(aim)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func tellAttempts() error { return attemptsAfter(confineAsTold) }

// attemptsAfter tells how each attempt went once something has confined the process.
func attemptsAfter(confine func() error) error {
	var aim target
	if err := json.Unmarshal([]byte(os.Getenv(targetEnv)), &aim); err != nil {
		return err
	}
	outcome, err := onThreads(aim, confine)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(outcome)
}

// confineAsTold puts the controls in force that the environment names.
func confineAsTold() error {
	return sandbox.Confine(sandbox.Limits{Memory: 384 << 20, CPU: 10 * time.Second}, strings.Split(os.Getenv(controlsEnv), ",")...)
}

// TestOldKernelIsTold holds that a kernel without Landlock is not passed over in silence, and that the
// other controls hold there.
func TestOldKernelIsTold(t *testing.T) {
	t.Parallel()
	out, err := runMode(t, "old kernel", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(out), "landlock"; got != want {
		t.Errorf("missing are %q, want %q", got, want)
	}
}

// tellControlsOfOldKernel answers Landlock's calls as a kernel without it does.
func tellControlsOfOldKernel() error {
	if err := refuseLandlock(); err != nil {
		return err
	}
	told := sandbox.Controls()
	all := slices.Collect(maps.Keys(told))
	if err := sandbox.Confine(sandbox.Limits{Memory: 384 << 20, CPU: 10 * time.Second}, all...); err != nil {
		return err
	}
	if _, err := os.Open("/"); !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("open: got %w, want EPERM of seccomp", err)
	}
	var missing []string
	for name, err := range told {
		if err != nil {
			missing = append(missing, name)
		}
	}
	_, err := os.Stdout.WriteString(strings.Join(missing, ","))
	return err
}

// refuseLandlock has the kernel answer ENOSYS to the first of Landlock's calls.
func refuseLandlock() error {
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.SYS_LANDLOCK_CREATE_RULESET, SkipTrue: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW},
	})
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if err := llsyscall.AllThreadsPrctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := syscall.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	return nil
}

// TestNoFileIsInherited starts a parent with a file that it was given, as a shell or a container's
// runtime may, and looks at what its child has.
func TestNoFileIsInherited(t *testing.T) {
	t.Parallel()
	for mode, inherited := range map[string]bool{"parent": false, "leaky parent": true} {
		given, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer given.Close()
		out, err := runMode(t, mode, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{given} })
		if err != nil {
			t.Fatal(err)
		}
		if (len(out) > 0) != inherited { // a shell may have given this test more than that one
			t.Errorf("%s: its child has the descriptors %q", mode, out)
		}
	}
}

// startChild starts a child as Parse does, which then tells what it has.
func startChild(closeFilesOnExec func() error) error {
	if err := closeFilesOnExec(); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := sandbox.Command(self, sandbox.Limits{Memory: 384 << 20, CPU: time.Second})
	cmd.Env = append(cmd.Env, attemptEnv+"=descriptors")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// tellDescriptors writes the numbers of the open files after standard error.
func tellDescriptors() error {
	for fd := 3; fd < 1024; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
			fmt.Printf("%d ", fd)
		}
	}
	return nil
}

// TestChildIsConfined looks at the child of Parse from outside: every thread is held before the first
// byte of the PDF is there, and the process has nothing but its pipes.
func TestChildIsConfined(t *testing.T) {
	t.Parallel()
	_, _, child := startParent(t)
	testkit.Eventually(t, "every thread has a filter and can gain no privileges", func() bool {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", child))
		if err != nil {
			t.Fatal(err)
		}
		return len(threads) > 0 && !slices.ContainsFunc(threads, func(file string) bool {
			status, err := os.ReadFile(file)
			return err == nil && (!bytes.Contains(status, []byte("\nSeccomp:\t2\n")) || !bytes.Contains(status, []byte("\nNoNewPrivs:\t1\n")))
		})
	})
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", child))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name, err := os.Readlink(file)
		if err == nil && !strings.HasPrefix(name, "pipe:") && !strings.HasPrefix(name, "anon_inode:") { // those are the runtime's timers
			t.Errorf("the child has %s open", name)
		}
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", child))
	if err != nil {
		t.Fatal(err)
	}
	for variable := range strings.SplitSeq(strings.Trim(string(environment), "\x00"), "\x00") {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasPrefix(name, "SCHEDGEN_SANDBOX") && !strings.HasPrefix(name, "GO") {
			t.Errorf("the child was started with the variable %s", name)
		}
	}
}

// TestNoCallIsRefused reads timetables and hostile files in a process that ends where it makes a system
// call that the filter refuses: the parser never needs one.
func TestNoCallIsRefused(t *testing.T) {
	t.Parallel()
	for name, pdf := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frames, err := sandbox.Frames(pdf, pdf)
			if err != nil {
				t.Fatal(err)
			}
			out, err := runMode(t, "serve or die", func(cmd *exec.Cmd) {
				cmd.Stdin = bytes.NewReader(frames)
				cmd.Env = append(sandbox.Command("", sandbox.Limits{Memory: 384 << 20, CPU: 10 * time.Second}).Env, attemptEnv+"=serve or die")
			})
			if err != nil && strings.Contains(err.Error(), "bad system call") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// samples are the real PDFs that SCHEDGEN_SAMPLES names, if it does.
func samples(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(os.Getenv("SCHEDGEN_SAMPLES"), "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("SCHEDGEN_SAMPLES") == "" {
		return nil
	}
	return names
}

// corpus is one PDF of each kind, every hostile file, and the real ones where there are some.
func corpus(t *testing.T) map[string][]byte {
	t.Helper()
	pdfs := map[string][]byte{}
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam} {
		pdf, _, err := fixture.Generate(fixture.Options{Kind: kind, Seed: 7})
		if err != nil {
			t.Fatal(err)
		}
		pdfs[string(kind)] = pdf
	}
	hostile, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range hostile {
		pdfs[f.Name] = f.PDF
	}
	for _, name := range samples(t) {
		pdf, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		pdfs[filepath.Base(name)] = pdf
	}
	return pdfs
}

// BenchmarkChild starts a process that confines itself and ends, and one that only ends: the difference
// is what the controls cost each PDF. It tells what the fastest start took, too, which a busy machine changes least.
func BenchmarkChild(b *testing.B) {
	for name, controls := range map[string]string{"confined": strings.Join(slices.Collect(maps.Keys(sandbox.Controls())), ","), "free": ""} {
		b.Run(name, func(b *testing.B) {
			fastest, cpu := time.Hour, time.Duration(0)
			for b.Loop() {
				cmd := sandbox.Command("/proc/self/exe", sandbox.Limits{Memory: 384 << 20, CPU: time.Second})
				cmd.Env = append(cmd.Env, attemptEnv+"=confine", controlsEnv+"="+controls)
				start := time.Now()
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				fastest = min(fastest, time.Since(start))
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(fastest.Microseconds()), "fastest-µs")
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}
