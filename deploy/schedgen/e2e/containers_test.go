package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/fixture"
	"github.com/schedgen/schedgen/shared/localstack/process"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/xtest"
	"github.com/schedgen/schedgen/shared/xtest/pgtest"
	"github.com/schedgen/schedgen/shared/xtest/redistest"
	"github.com/schedgen/schedgen/shared/xtest/s3test"
)

// namespace keeps the containers of this process apart from all others.
var namespace = fmt.Sprint("schedgen-test-", os.Getpid())

// containerd is the address of a containerd of our own that has the functions' images.
var containerd = sync.OnceValues(func() (address string, err error) {
	archives, err := images()
	if err != nil {
		return "", err
	}
	dir, err := xtest.Dir("containerd")
	if err != nil {
		return "", err
	}
	address = filepath.Join(dir, "containerd.sock")
	// No network of its own and no Kubernetes: what is left starts containers.
	config := fmt.Sprintf("version = 2\nroot = %q\nstate = %q\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = %q\n",
		filepath.Join(dir, "root"), filepath.Join(dir, "state"), address)
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		return "", err
	}
	program, err := exec.LookPath("containerd")
	if err != nil {
		return "", fmt.Errorf("%w: run make test-platform", err)
	}
	child, err := process.Start(process.Spec{Path: program, Args: []string{"--config", filepath.Join(dir, "config.toml")}, Dir: dir,
		Env: os.Environ(), Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM})
	if err != nil {
		return "", err
	}
	if err := xtest.Reap(dir, child.Pid()); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := child.Ready(ctx, func(ctx context.Context) error { return ctr(ctx, address, "version") }); err != nil {
		return "", err
	}
	for _, name := range built {
		if err := ctr(ctx, address, "images", "import", "--snapshotter", "native", filepath.Join(archives, name+".tar")); err != nil {
			return "", err
		}
	}
	return address, nil
})

func ctr(ctx context.Context, address string, args ...string) error {
	out, err := exec.CommandContext(ctx, "ctr", append([]string{"--address", address, "--namespace", namespace}, args...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ctr %q: %w: %s", args, err, out)
	}
	return nil
}

// row is one of deploy/scaling.json.
type row struct {
	Concurrency int
	Limits      struct{ CPU, Memory string }
}

func (r row) bytes(t *testing.T) int64 {
	t.Helper()
	for suffix, unit := range map[string]int64{"Mi": 1 << 20, "Gi": 1 << 30} {
		if number, ok := strings.CutSuffix(r.Limits.Memory, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n * unit
		}
	}
	t.Fatalf("the table's memory is %q", r.Limits.Memory)
	return 0
}

// scaling reads the table that all platforms follow.
func scaling(t *testing.T) map[string]row {
	t.Helper()
	data, err := os.ReadFile("../../scaling.json")
	if err != nil {
		t.Fatal(err)
	}
	var table map[string]row
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// capabilities are those that containerd would give by default.
var capabilities = []string{"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"}

// containers counts them, for their names.
var containers atomic.Int64

// container runs a function as a cluster does: the scaling table's limits, a read-only root file system,
// no capability, no privilege to gain, a user that is not root.
func (f *fleet) container(name string, settings ...string) *instance {
	f.t.Helper()
	address, err := containerd()
	if err != nil {
		f.t.Fatal(err)
	}
	program, err := exec.LookPath("ctr")
	if err != nil {
		f.t.Fatal(err)
	}
	limits := scaling(f.t)[name]
	id := fmt.Sprintf("%s-%d", name, containers.Add(1))
	port := unusedPort(f.t)
	args := []string{"--address", address, "--namespace", namespace, "run", "--rm", "--net-host", "--snapshotter", "native", "--read-only", "--seccomp",
		"--memory-limit", strconv.FormatInt(limits.bytes(f.t), 10), "--cpus", limits.Limits.CPU, "--mount", "type=tmpfs,src=tmpfs,dst=/tmp,options=nosuid:nodev:mode=1777"}
	for _, one := range capabilities {
		args = append(args, "--cap-drop", "CAP_"+one)
	}
	for _, setting := range append(append([]string{fmt.Sprint("PORT=", port)}, f.settings...), settings...) {
		args = append(args, "--env", setting)
	}
	dir := f.t.TempDir()
	i := &instance{t: f.t, url: fmt.Sprint("http://127.0.0.1:", port), spec: process.Spec{
		Path: program, Args: append(args, "schedgen.local/"+name+":latest", id), Dir: dir, Env: os.Environ(), Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM,
	}}
	began := time.Now()
	if err := i.start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Logf("%s answers %s after its start was asked for", id, time.Since(began).Round(10*time.Millisecond))
	f.t.Cleanup(func() {
		f.t.Logf("%s: at most %.0f MiB of %s", id, float64(memory(f.t, id, "memory.max_usage_in_bytes", "memory.peak"))/(1<<20), limits.Limits.Memory)
		if err := i.process.Stop(patience); err != nil {
			f.t.Errorf("stop %s: %v", id, err)
		}
	})
	return i
}

// memory is a number that the kernel keeps of a container, by its name in either version of cgroups.
func memory(t *testing.T, id, v1, v2 string) int64 {
	t.Helper()
	for _, file := range []string{filepath.Join("/sys/fs/cgroup/memory", namespace, id, v1), filepath.Join("/sys/fs/cgroup", namespace, id, v2)} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		return n
	}
	t.Errorf("the kernel counts no memory of %s", id)
	return 0
}

// oomKills counts the processes of a container that the kernel ended because it was full.
func oomKills(t *testing.T, i *instance) int {
	t.Helper()
	id := i.spec.Args[len(i.spec.Args)-1]
	for _, file := range []string{filepath.Join("/sys/fs/cgroup/memory", namespace, id, "memory.oom_control"), filepath.Join("/sys/fs/cgroup", namespace, id, "memory.events")} {
		data, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if number, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
				n, err := strconv.Atoi(number)
				if err != nil {
					t.Error(err)
				}
				return n
			}
		}
	}
	t.Errorf("the kernel counts no kills of %s", id)
	return 0
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

// inContainers is a system whose functions are the images, on real servers.
func inContainers(t *testing.T) *world {
	t.Helper()
	return containerFleet(t).world
}

type contained struct {
	*fleet
	world *world
}

func containerFleet(t *testing.T) contained {
	t.Helper()
	to, webhook := relay(t)
	f := &fleet{t: t, redis: redistest.New(t), minio: s3test.MinIO(t, s3test.Webhook{URL: webhook + "/events/s3", Token: eventToken})}
	f.settings = []string{
		"SESSION_SECURE=false", "SESSION_KEY=a key of a test that has 32 bytes",
		"DATABASE_URL=" + pooled(t, pgtest.New(t)), "DATABASE_POOLED=true", "REDIS_URL=" + f.redis.URL(), "S3_URL=" + f.minio.URL,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket,
		"EVENT_TOKEN=" + eventToken, "ADMIN_TOKEN=" + adminToken,
	}
	front := newGateway(t)
	f.calendar = f.container("calendar-generate", "PUBLIC_URL="+front.url)
	told := f.calendar.url + "/events/timetable"
	f.parse = []*instance{f.container("pdf-parse", "EVENT_TARGETS="+told, "PARSE_MEMORY=402653184", "PARSE_RESERVE=0")}
	f.ingest = f.container("upload-ingest", "EVENT_TARGETS="+f.parse[0].url, "PARSED_TARGETS="+told)
	front.leadTo(t, f.ingest.url, f.calendar.url)
	at, err := url.Parse(f.ingest.url)
	if err != nil {
		t.Fatal(err)
	}
	to.Store(at)
	return contained{f, newWorld(t, front.url)}
}

// TestABombTakesDownOneParseAndNotTheContainer uploads every hostile file, decompression bombs among them, at
// once to a container with the scaling table's limit of memory: each ends in an error of its own, nothing
// dies but parsers, and the same process reads a timetable afterwards.
func TestABombTakesDownOneParseAndNotTheContainer(t *testing.T) {
	t.Parallel()
	if !containersWanted() {
		t.Skip("runs containers: run make test-platform")
	}
	c := containerFleet(t)
	uptime := func() int64 {
		var report struct {
			UptimeSeconds   int64
			Version, Commit string
		}
		got, err := get(t.Context(), http.DefaultClient, c.parse[0].url+"/health")
		if err != nil {
			t.Fatal(err)
		}
		got.into(t, &report)
		if report.Version != builtVersion || report.Commit != builtCommit {
			t.Errorf("/health tells of version %q, commit %q; want %q, %q", report.Version, report.Commit, builtVersion, builtCommit)
		}
		return report.UptimeSeconds
	}
	before, began := uptime(), time.Now()
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			t.Run(file.Name, func(t *testing.T) {
				t.Parallel()
				got := c.world.student(t).verdict(file.PDF)
				if !slices.Contains(file.Codes, got) && !(file.MayParse && got == "") {
					t.Errorf("got %q, want one of %q", got, file.Codes)
				}
			})
		}
	})
	c.world.student(t).upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf)
	if after := uptime(); after < before || time.Duration(after-before+1)*time.Second < time.Since(began)-time.Second {
		t.Errorf("it was started again: up for %ds, %ds before, %s ago", after, before, time.Since(began))
	}
	if killed := oomKills(t, c.parse[0]); killed != 0 {
		t.Errorf("the kernel ended %d processes for memory; the parsers' own limits should have", killed)
	}
}

// TestAContainerCannotDoWhatItNeedNot looks at a function's container from outside.
func TestAContainerCannotDoWhatItNeedNot(t *testing.T) {
	t.Parallel()
	if !containersWanted() {
		t.Skip("runs containers: run make test-platform")
	}
	f := &fleet{t: t, settings: []string{"DATABASE_URL=postgres://nobody@127.0.0.1:1/none", "SESSION_KEY=a key of a test that has 32 bytes"}}
	i := f.container("calendar-generate")
	pid, err := taskOf(t, i)
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Uid:\t65532\t65532", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(string(status), want) {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
	mounts, err := os.ReadFile(filepath.Join("/proc", pid, "mountinfo"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(mounts), "\n")
	if fields := strings.Fields(first); len(fields) < 6 || fields[4] != "/" || !strings.HasPrefix(fields[5], "ro") {
		t.Errorf("the root file system is not read-only: %s", first)
	}
}

// taskOf is the process that runs in a container.
func taskOf(t *testing.T, i *instance) (string, error) {
	t.Helper()
	address, err := containerd()
	if err != nil {
		return "", err
	}
	out, err := exec.CommandContext(t.Context(), "ctr", "--address", address, "--namespace", namespace, "task", "ls").Output()
	if err != nil {
		return "", err
	}
	id := i.spec.Args[len(i.spec.Args)-1]
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == id {
			return fields[1], nil
		}
	}
	return "", errors.New("no task " + id)
}
