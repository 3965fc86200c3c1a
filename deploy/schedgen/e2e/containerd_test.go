package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// namespace keeps the containers of this process apart from all others.
var namespace = fmt.Sprint("schedgen-test-", os.Getpid())

// containerd is the address of a containerd of our own that has the images.
var containerd = sync.OnceValues(func() (address string, err error) {
	if !containersWanted() {
		return "", errors.New("the test must begin with needContainers")
	}
	made, err := images()
	if err != nil {
		return "", err
	}
	dir, err := testkit.Dir("containerd")
	if err != nil {
		return "", err
	}
	address = filepath.Join(dir, "containerd.sock")
	if err := startContainerd(dir, address); err != nil {
		return "", err
	}
	out, err := ctr(context.Background(), address, "images", "import", "--snapshotter", "native", made.archive()).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("import the images: %w: %s", err, out)
	}
	return address, nil
})

// startContainerd starts one that keeps everything in a directory, which goes with it.
func startContainerd(dir, address string) error {
	// No Kubernetes: what is left starts containers.
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = %q\n",
		filepath.Join(dir, "root"), filepath.Join(dir, "state"), address)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		return err
	}
	program, err := exec.LookPath("containerd")
	if err != nil {
		return fmt.Errorf("%w: run make test-platform", err)
	}
	child, err := process.Start(process.Spec{Path: program, Args: []string{"--config", filepath.Join(dir, "config.toml")}, Dir: dir,
		Env: os.Environ(), Log: filepath.Join(dir, "log")}) // no signal at our death: closer ends it
	if err != nil {
		return err
	}
	last, err := closing(address, child.Pid())
	if err != nil {
		return errors.Join(err, child.Kill())
	}
	if err := testkit.Reap(dir, last, child.Pid()); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return child.Ready(ctx, func(ctx context.Context) error { return ctr(ctx, address, "version").Run() })
}

// closer ends containerd after us, and its containers before it: they are no children of ours, and the kernel does
// not end them with us. Most end by the signal that ctr gets when we die; what does not is killed.
const closer = `cat >/dev/null; ctr="ctr --address $1 --namespace $2"
n=0; while [ -n "$($ctr task ls -q)" ] && [ $n -lt 40 ]; do n=$((n+1)); sleep 0.1; done
for id in $($ctr task ls -q); do $ctr task rm --force "$id"; done
kill "$3"
rmdir /sys/fs/cgroup/*/"$2" /sys/fs/cgroup/"$2"`

// closing starts closer, which waits for our end.
func closing(address string, containerd int) (pid int, err error) {
	cmd := exec.Command("/bin/sh", "-c", closer, "closer", address, namespace, strconv.Itoa(containerd))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a terminal's Ctrl-C must not end it before it has done its work
	if held, err = cmd.StdinPipe(); err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

// held is open as long as we live.
var held io.Closer

// ctr is containerd's own client.
func ctr(ctx context.Context, address string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ctr", append([]string{"--address", address, "--namespace", namespace}, args...)...)
}

// containers counts them, for their names.
var containers atomic.Int64

// container is the command line that makes a container, its name, and where a server in it answers.
type container struct {
	id, url string
	command *exec.Cmd
}

// contain prepares a container; nothing runs yet.
func (f *fleet) contain(p podSpec, settings ...string) container {
	f.t.Helper()
	address, err := containerd()
	if err != nil {
		f.t.Fatal(err)
	}
	c := container{id: fmt.Sprintf("%s-%d", p.name(), containers.Add(1))}
	host, port, network := "127.0.0.1", 8080, ""
	if f.node == nil {
		port = unusedPort(f.t)
	} else {
		network, host = f.node.join(f.t, c.id)
	}
	c.url = fmt.Sprintf("http://%s:%d", host, port)
	args, err := p.run(c.id, f.keys, network, append(append([]string{fmt.Sprint("PORT=", port)}, f.settings...), settings...))
	if err != nil {
		f.t.Fatal(err)
	}
	c.command = ctr(context.Background(), address, args...)
	return c
}

// spec is how to run the container as a process of ours.
func (c container) spec(dir string) process.Spec {
	return process.Spec{Path: c.command.Path, Args: c.command.Args[1:], Dir: dir, Env: os.Environ(), Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM}
}

// containerOf runs a function in a container until the test ends, and tells of its start and its memory.
func (f *fleet) containerOf(name string, settings ...string) *instance {
	f.t.Helper()
	p := functionPod(f.t, name)
	c := f.contain(p, settings...)
	i := &instance{t: f.t, url: c.url, spec: c.spec(f.t.TempDir())}
	began := time.Now()
	if err := i.start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Logf("%s answers %s after its start was asked for", c.id, time.Since(began).Round(10*time.Millisecond))
	f.t.Cleanup(func() {
		f.t.Logf("%s: at most %s of %s; its program had at most %s in memory, shared files among them", c.id,
			mebibytes(counted(f.t, c.id, peak)), p.Resources.Limits.Memory, mebibytes(highest(f.t, task(f.t, c.id))))
		if err := i.process.Stop(patience); err != nil {
			f.t.Errorf("stop %s: %v", c.id, err)
		}
	})
	return i
}

func mebibytes(n int64) string { return fmt.Sprintf("%.0f MiB", float64(n)/(1<<20)) }

// job runs a Job's container to its end and gives what it said, and an error unless its exit code is 0.
func (f *fleet) job(p podSpec, settings ...string) (said string, err error) {
	f.t.Helper()
	c := f.contain(p, settings...)
	var out bytes.Buffer
	c.command.Stdout, c.command.Stderr = &out, &out
	began := time.Now()
	if err := c.command.Start(); err != nil {
		f.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.command.Wait() }()
	// The kernel's account ends with the container.
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for seen := int64(0); ; {
		select {
		case err := <-ended:
			f.t.Logf("%s %q ended %s after its start was asked for; at most %s of %s", c.id, p.Args, time.Since(began).Round(10*time.Millisecond),
				mebibytes(seen), p.Resources.Limits.Memory)
			return out.String(), err
		case <-tick.C:
			if now, err := account(c.id, peak); err == nil {
				seen = now
			}
		}
	}
}

// id is the name of an instance's container.
func (i *instance) id() string {
	for n, arg := range i.spec.Args {
		if strings.HasPrefix(arg, "schedgen.local/") {
			return i.spec.Args[n+1]
		}
	}
	i.t.Fatal("it is no container")
	return ""
}

// counter is a number that the kernel keeps of a container's memory: its file in each version of cgroups,
// and what the line begins with.
type counter struct{ v1, v2, line string }

var (
	most  = counter{v1: "memory.limit_in_bytes", v2: "memory.max"}
	peak  = counter{v1: "memory.max_usage_in_bytes", v2: "memory.peak"}
	kills = counter{v1: "memory.oom_control", v2: "memory.events", line: "oom_kill "}
)

// account reads it.
func account(id string, c counter) (int64, error) {
	data, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/memory", namespace, id, c.v1))
	if errors.Is(err, os.ErrNotExist) {
		data, err = os.ReadFile(filepath.Join("/sys/fs/cgroup", namespace, id, c.v2))
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if number, ok := strings.CutPrefix(line, c.line); ok {
			return strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		}
	}
	return 0, fmt.Errorf("no line %q in %q", c.line, data)
}

// counted is a number that must be there.
func counted(t *testing.T, id string, c counter) int64 {
	t.Helper()
	n, err := account(id, c)
	if err != nil {
		t.Errorf("the kernel's account of %s: %v", id, err)
	}
	return n
}

// highest is the most memory that a process had, with its program's own pages, which the kernel may have put on
// another's account.
func highest(t *testing.T, pid string) int64 {
	t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Errorf("no VmHWM of process %s", pid)
	return 0
}

// task is the process that runs in a container, "" before it does.
func task(t *testing.T, id string) string {
	t.Helper()
	address, err := containerd()
	if err != nil {
		t.Fatal(err)
	}
	out, err := ctr(context.Background(), address, "task", "ls").Output() // also after the test, when its context has ended
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == id && fields[2] == "RUNNING" {
			return fields[1]
		}
	}
	return ""
}

func unusedPort(t *testing.T) int {
	t.Helper()
	server := newGateway(t) // a server on a free port, which nobody else takes until it ends
	at, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	server.end()
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
