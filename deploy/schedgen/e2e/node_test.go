package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// node is a machine of a cluster as far as the network goes: a network namespace, joined to ours by a cable,
// in which CNI's plugins give each container a network namespace and an address of its own. All of it is held by
// processes that end with us, and the kernel removes it with them. (`ctr run --cni` wants its configuration in
// /etc, for the whole machine.)
type node struct {
	ns      string // the network namespace
	host    string // our end of the cable, which containers reach
	network string // what a runtime tells CNI of the network
}

// plugins is where Debian keeps CNI's.
const plugins = "/usr/lib/cni"

// newNode makes the node, once for this process.
var newNode = sync.OnceValues(func() (*node, error) {
	dir, err := testkit.Dir("node")
	if err != nil {
		return nil, err
	}
	child, ns, err := holdNetwork(dir)
	if err != nil {
		return nil, err
	}
	if err := testkit.Reap(dir, child.Pid()); err != nil {
		return nil, err
	}
	// Addresses of 198.18.0.0/15, which nobody has: they are for tests of networks (RFC 2544).
	third := os.Getpid() % 256
	at := func(last int) string { return fmt.Sprintf("198.18.%d.%d", third, last) }
	pods := at(128) + "/25"
	network, err := json.Marshal(map[string]any{
		"cniVersion": "0.4.0", "name": "schedgen", "type": "bridge", "bridge": "cni0", "isGateway": true,
		"ipam": map[string]any{"type": "host-local", "dataDir": dir, "ranges": [][]any{{map[string]string{"subnet": pods}}}, "routes": []any{map[string]string{"dst": "0.0.0.0/0"}}},
	})
	if err != nil {
		return nil, err
	}
	return &node{ns: ns, host: at(1), network: string(network)}, layCable(child.Pid(), at(1), at(2), pods)
})

// layCable joins our network and that of a process, which leads to the containers.
func layCable(pid int, ours, theirs, pods string) error {
	cable := fmt.Sprint("sg", pid)
	inside := fmt.Sprintf("nsenter --target %d --net ip ", pid)
	for _, line := range []string{
		fmt.Sprintf("ip link add %s type veth peer name eth0 netns %d", cable, pid),
		fmt.Sprintf("ip addr add %s peer %s dev %s", ours, theirs, cable),
		fmt.Sprintf("ip link set %s up", cable),
		inside + fmt.Sprintf("addr add %s peer %s dev eth0", theirs, ours),
		inside + "link set eth0 up",
		inside + "link set lo up",
		fmt.Sprintf("ip route add %s via %s", pods, theirs),
	} {
		words := strings.Fields(line)
		if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", line, err, out)
		}
	}
	return nil
}

// holdNetwork starts a process that does nothing in a network namespace of its own.
func holdNetwork(dir string) (child *process.Process, ns string, err error) {
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return nil, "", err
	}
	program, err := exec.LookPath("unshare")
	if err != nil {
		return nil, "", err
	}
	child, err = process.Start(process.Spec{Path: program, Args: []string{"--net", "sleep", "infinity"}, Dir: dir,
		Env: os.Environ(), Log: filepath.Join(dir, "log"), Death: syscall.SIGKILL})
	if err != nil {
		return nil, "", err
	}
	ns = fmt.Sprintf("/proc/%d/ns/net", child.Pid())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return child, ns, child.Ready(ctx, func(context.Context) error {
		theirs, err := os.Readlink(ns)
		if err == nil && theirs == ours {
			err = errors.New("it is still in our network")
		}
		return err
	})
}

// join makes a network namespace for a container, with an address that CNI gave it.
func (n *node) join(t *testing.T, id string) (ns, address string) {
	t.Helper()
	child, ns, err := holdNetwork(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := child.Kill(); err != nil {
			t.Error(err)
		}
	})
	if _, err := n.plug("ADD", id, ns, "lo", `{"cniVersion":"0.4.0","name":"lo","type":"loopback"}`); err != nil {
		t.Fatal(err)
	}
	out, err := n.plug("ADD", id, ns, "eth0", n.network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := n.plug("DEL", id, ns, "eth0", n.network); err != nil {
			t.Error(err)
		}
	})
	var result struct{ IPs []struct{ Address string } }
	if err := json.Unmarshal(out, &result); err != nil || len(result.IPs) != 1 {
		t.Fatalf("CNI gave no address: %v, %s", err, out)
	}
	ip, _, err := net.ParseCIDR(result.IPs[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	return ns, ip.String()
}

// plug runs a plugin in the node's network, as a container runtime does (CNI specification, section 2).
func (n *node) plug(command, id, ns, device, network string) ([]byte, error) {
	var kind struct{ Type string }
	if err := json.Unmarshal([]byte(network), &kind); err != nil {
		return nil, err
	}
	run := exec.Command("nsenter", "--net="+n.ns, filepath.Join(plugins, kind.Type))
	run.Env = append(os.Environ(), "CNI_COMMAND="+command, "CNI_CONTAINERID="+id, "CNI_NETNS="+ns, "CNI_IFNAME="+device, "CNI_PATH="+plugins)
	run.Stdin = strings.NewReader(network)
	var said bytes.Buffer
	run.Stderr = &said
	out, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("CNI %s %s: %w: %s%s", command, kind.Type, err, out, said.String())
	}
	return out, nil
}

// reach is a server of this machine, by an address that the functions reach.
func (f *fleet) reach(address string) string {
	f.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		f.t.Fatal(err)
	}
	if f.node != nil {
		listener, err := new(net.ListenConfig).Listen(f.t.Context(), "tcp", net.JoinHostPort(f.node.host, "0"))
		if err != nil {
			f.t.Fatal(err)
		}
		at.Host = gateAt(f.t, listener, dialTo(at.Host)).address
	}
	return at.String()
}
