package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
)

// network is one of its own, as a pod has: nothing but a loopback device, on which every program listens on
// the ports that it always has. Gates lead in and out.
type network struct {
	t    *testing.T
	path string // what setns(2) takes
	do   chan func()
}

// newNetwork needs root. The network is gone with the test and what the test started in it.
func newNetwork(t *testing.T) *network {
	t.Helper()
	n := &network{t: t, do: make(chan func())}
	made := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and nobody else ever runs on it
		err := syscall.Unshare(syscall.CLONE_NEWNET)
		if err == nil {
			err = loopbackUp()
		}
		n.path = fmt.Sprintf("/proc/%d/task/%d/ns/net", os.Getpid(), syscall.Gettid())
		made <- err
		for f := range n.do {
			f()
		}
	}()
	t.Cleanup(func() { close(n.do) })
	if err := <-made; err != nil {
		t.Fatalf("make a network for a real proxy, which root may: %v", err)
	}
	return n
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device)
}

// inside runs f where sockets are the network's. They stay so wherever they are used.
func inside[T any](n *network, f func() (T, error)) (value T, err error) {
	done := make(chan struct{})
	n.do <- func() {
		defer close(done)
		value, err = f()
	}
	<-done
	return value, err
}

// in is an address from which a gate leads to a port of the network.
func (n *network) in(port string) string {
	n.t.Helper()
	listener, err := new(net.ListenConfig).Listen(n.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		n.t.Fatal(err)
	}
	return gateAt(n.t, listener, func(ctx context.Context) (net.Conn, error) {
		return inside(n, func() (net.Conn, error) { return dialTo("127.0.0.1:" + port)(ctx) })
	}).address
}

// out makes an address outside reachable, as the same.
func (n *network) out(address string) {
	n.t.Helper()
	listener, err := inside(n, func() (net.Listener, error) { return new(net.ListenConfig).Listen(n.t.Context(), "tcp", address) })
	if err != nil {
		n.t.Fatal(err)
	}
	gateAt(n.t, listener, dialTo(address))
}

// start runs a program in the network, as an instance at an address of the outside, and waits until it is up.
func (n *network) start(program, url string, env []string, up func(context.Context) error) *instance {
	n.t.Helper()
	dir := n.t.TempDir()
	i := &instance{t: n.t, url: url, spec: process.Spec{Path: "/usr/bin/nsenter", Args: []string{"--net=" + n.path, program}, Dir: dir,
		Env: append(env, "TMPDIR="+dir), Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM}}
	var err error
	if i.process, err = process.Start(i.spec); err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() {
		if err := i.kill(); err != nil {
			n.t.Error(err)
		}
		if log, err := os.ReadFile(i.spec.Log); n.t.Failed() {
			n.t.Logf("the end of what %s said: %v\n%s", filepath.Base(program), err, log[max(0, len(log)-8000):])
		}
	})
	ctx, cancel := context.WithTimeout(n.t.Context(), patience)
	defer cancel()
	if err := i.process.Ready(ctx, up); err != nil {
		n.t.Fatal(err)
	}
	return i
}

// healthy asks until a server answers 200 there.
func healthy(address string, headers ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		got, err := kubeletProbe(ctx, address, headers...)
		if err == nil && got.StatusCode != http.StatusOK {
			err = errors.New(got.Status)
		}
		return err
	}
}

// network is one from which the backends can be reached.
func (b *backends) network() *network {
	b.t.Helper()
	n := newNetwork(b.t)
	for _, address := range []string{b.database.address, b.objects.address, b.redis.Addr()} {
		n.out(address)
	}
	return n
}

// realWatchdog runs functions as their containers on OpenFaaS do: of-watchdog starts the function, by the
// settings of stack.yml and the image, but for its timeouts.
func realWatchdog(program string) func(*backends, string, time.Duration) *pod {
	return func(b *backends, function string, timeout time.Duration) *pod {
		b.t.Helper()
		settings, n := onOpenFaaS(b.t, function), b.network()
		own := "http://" + n.in(settings["PORT"])
		settings["fprocess"] = b.program(function)
		settings["exec_timeout"], settings["read_timeout"], settings["write_timeout"] = timeout.String(), timeout.String(), (timeout + 5*time.Second).String()
		front := "http://" + n.in(settings["port"])
		i := n.start(program, front, slices.Concat(pairs(settings), b.settings), healthy(front+"/_/health"))
		end := func() error { return errors.Join(i.stop(patience), i.kill()) } // with it the container ends
		eventually(b.t, func() error { return healthy(own + "/health")(b.t.Context()) })
		return openfaasPod(front, own, end, i.kill)
	}
}

// realQueueProxy runs functions as pods on Knative: the environment is what its controller gives (knative/serving,
// pkg/reconciler/revision/resources/queue.go), the end what the kubelet does.
func realQueueProxy(program string) func(*backends, string, time.Duration) *pod {
	return func(b *backends, function string, timeout time.Duration) *pod {
		b.t.Helper()
		const userPort, queuePort, adminPort = 8080, "8012", "8022"
		n := b.network()
		concurrency, ready, settings := onKnative(b.t, function)
		own, front := "http://"+n.in(fmt.Sprint(userPort)), "http://"+n.in(queuePort)
		i := n.start(b.program(function), own, slices.Concat(settings, b.settings, []string{fmt.Sprint("PORT=", userPort)}), healthy(own+"/health"))
		ready.HTTPGet.Host, ready.HTTPGet.Port, ready.HTTPGet.Scheme = "127.0.0.1", userPort, "HTTP"
		probe, err := json.Marshal(ready)
		if err != nil {
			b.t.Fatal(err)
		}
		p := knativePod(front, i, nil)
		q := n.start(program, front, []string{
			fmt.Sprint("CONTAINER_CONCURRENCY=", concurrency), fmt.Sprint("REVISION_TIMEOUT_SECONDS=", timeout.Seconds()), fmt.Sprint("USER_PORT=", userPort),
			"QUEUE_SERVING_PORT=" + queuePort, "QUEUE_SERVING_TLS_PORT=8112", "SERVING_READINESS_PROBE=" + string(probe), "SERVING_LOGGING_CONFIG=", "SERVING_LOGGING_LEVEL=",
			"SERVING_NAMESPACE=schedgen", "SERVING_CONFIGURATION=" + function, "SERVING_REVISION=" + function + "-00001", "SERVING_POD=" + function, "SERVING_POD_IP=127.0.0.1",
		}, healthy(front, "K-Network-Probe", "queue"))
		admin := "http://" + n.in(adminPort)
		p.end = func() error {
			ended := make(chan error, 1)
			go func() { ended <- q.stop(patience) }()
			// The function's preStop hook: it gets its signal when this is answered.
			got, err := get(context.WithoutCancel(b.t.Context()), http.DefaultClient, admin+"/wait-for-drain")
			if err == nil && got.StatusCode != http.StatusOK {
				err = errors.New(got.Status)
			}
			return errors.Join(err, i.stop(patience), <-ended)
		}
		p.kill = func() error { return errors.Join(q.kill(), i.kill()) }
		return p
	}
}
