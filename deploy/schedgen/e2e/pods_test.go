package e2e_test

import (
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"testing"
)

// podSpec is what a manifest says of the one container of a Service or a Job, as far as it is done here.
type podSpec struct {
	Image     string
	Args      []string
	Env       []struct{ Name, Value string } // those from Secrets have no value here
	Resources struct{ Limits limits }
	Mounts    []struct {
		Path string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

// limits are what a container may use.
type limits struct{ CPU, Memory string }

// podOf reads a manifest, a path from the project's folder.
func podOf(t *testing.T, file string) podSpec {
	t.Helper()
	var object struct {
		Spec struct {
			Template struct {
				Spec struct{ Containers []podSpec }
			}
		}
	}
	parseYAML(t, file, &object)
	containers := object.Spec.Template.Spec.Containers
	if len(containers) != 1 {
		t.Fatalf("%s has %d containers, want 1", file, len(containers))
	}
	return containers[0]
}

// functionPod is a function's, with the limits of the scaling table.
func functionPod(t *testing.T, name string) podSpec {
	t.Helper()
	p := podOf(t, path.Join("knative", "base", name+".yaml"))
	p.Resources.Limits = scaling(t)[name].Limits
	return p
}

// row is a function's of the scaling table.
type row struct {
	Concurrency int
	Limits      limits
}

// scaling reads the table that all platforms follow.
func scaling(t *testing.T) (table map[string]row) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, "deploy/scaling.json"), &table); err != nil {
		t.Fatal(err)
	}
	return table
}

// name is that of its image.
func (p podSpec) name() string { return path.Base(p.Image) }

// run are the arguments of `ctr run` that make a container as a cluster does: its limits, a read-only root
// file system, no capability, no privilege to gain, the image's user. keys is the folder in place of the
// Secret of that name; network, if it is not "", the network namespace to be in instead of the machine's.
func (p podSpec) run(id, keys, network string, settings []string) ([]string, error) {
	memory, err := bytesOf(p.Resources.Limits.Memory)
	if err != nil {
		return nil, err
	}
	cpus, err := cpusOf(p.Resources.Limits.CPU)
	if err != nil {
		return nil, err
	}
	args := []string{"run", "--rm", "--snapshotter", "native", "--read-only", "--seccomp",
		"--memory-limit", strconv.FormatInt(memory, 10), "--cpus", cpus}
	if network == "" {
		args = append(args, "--net-host")
	} else {
		args = append(args, "--with-ns", "network:"+network)
	}
	for _, one := range capabilities {
		args = append(args, "--cap-drop", "CAP_"+one)
	}
	for _, mount := range p.Mounts {
		switch mount.Path {
		case "/tmp":
			args = append(args, "--mount", "type=tmpfs,src=tmpfs,dst=/tmp,options=nosuid:nodev:mode=1777")
		case "/keys":
			args = append(args, "--mount", "type=bind,src="+keys+",dst=/keys,options=rbind:ro")
		default:
			return nil, fmt.Errorf("nothing to mount at %s", mount.Path)
		}
	}
	for _, one := range p.Env {
		if one.Value != "" {
			args = append(args, "--env", one.Name+"="+one.Value)
		}
	}
	for _, one := range settings { // of two of one name the later one counts
		args = append(args, "--env", one)
	}
	args = append(args, reference(p.name()), id)
	if len(p.Args) > 0 {
		args = append(append(args, "/ko-app/"+p.name()), p.Args...) // ctr puts arguments in place of the entry point
	}
	return args, nil
}

// capabilities are those that containerd would give by default.
var capabilities = []string{"CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP", "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE"}

// bytesOf reads an amount of memory such as 512Mi.
func bytesOf(memory string) (int64, error) {
	for suffix, unit := range map[string]int64{"Mi": 1 << 20, "Gi": 1 << 30} {
		if number, ok := strings.CutSuffix(memory, suffix); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			return n * unit, err
		}
	}
	return 0, fmt.Errorf("%q is no amount of memory", memory)
}

// cpusOf turns an amount of processors such as 500m into ctr's.
func cpusOf(cpu string) (string, error) {
	number, thousandths := strings.CutSuffix(cpu, "m")
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return "", fmt.Errorf("%q is no amount of processors", cpu)
	}
	if thousandths {
		n /= 1000
	}
	return strconv.FormatFloat(n, 'f', -1, 64), nil
}
