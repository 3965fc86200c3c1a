package manifests

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// stack is what faas-cli reads of stack.yml; anything else is an error here, because faas-cli ignores it. That is
// so of `platforms` too, which its schema names: it takes them from its command line alone.
type stack struct {
	Version  string `yaml:"version"`
	Provider struct {
		Name    string `yaml:"name"`
		Gateway string `yaml:"gateway"`
	} `yaml:"provider"`
	Configuration struct {
		Copy []string `yaml:"copy"`
	} `yaml:"configuration"`
	Functions map[string]stackFunction `yaml:"functions"`
}

type stackFunction struct {
	Lang         string            `yaml:"lang"`
	Handler      string            `yaml:"handler"`
	Image        string            `yaml:"image"`
	SkipBuild    bool              `yaml:"skip_build"`
	BuildArgs    map[string]string `yaml:"build_args"`
	Environment  map[string]string `yaml:"environment"`
	Secrets      []string          `yaml:"secrets"`
	Labels       map[string]string `yaml:"labels"`
	Annotations  map[string]string `yaml:"annotations"`
	Limits       map[string]string `yaml:"limits"`
	Requests     map[string]string `yaml:"requests"`
	ReadOnlyRoot bool              `yaml:"readonly_root_filesystem"`
}

// watchdog are of-watchdog's own variables (its config/config.go) that are set for a function.
var watchdog = []string{"max_inflight", "exec_timeout", "read_timeout", "write_timeout", "healthcheck_interval"}

// watch is backup once more, under another name: cron-connector calls one path of a function.
const watch = "backup-watch"

// program is what runs under a name: a restore and backup's watch are backup's.
func program(name string) string {
	if name == watch || name == "restore" {
		return "backup"
	}
	return name
}

// asynchronous is how a function on OpenFaaS reaches another: through the gateway's queue.
const asynchronous = "http://gateway.openfaas.svc.cluster.local:8080/async-function/"

// substituted is what faas-cli does before it reads: ${NAME:-default}.
func substituted(data []byte) []byte {
	return regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`).ReplaceAll(data, []byte("$1"))
}

// OpenFaaS checks stack.yml.
func (c *Checker) OpenFaaS(tree repo.Tree) []string {
	const file = "stack.yml"
	p := problems(passedOn(file, tree[file]))
	var s stack
	decoder := yaml.NewDecoder(bytes.NewReader(substituted(tree[file])))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		p.addf("%s: %v", file, err)
		return p
	}
	p.compare(file+": functions", slices.Sorted(maps.Keys(s.Functions)), slices.Sorted(slices.Values(append(c.scaling.Functions(), watch))))
	called := map[string]bool{"upload-ingest": true} // by MinIO
	for _, f := range s.Functions {
		for target := range strings.SplitSeq(f.Environment["EVENT_TARGETS"]+","+f.Environment["PARSED_TARGETS"], ",") {
			name, _, _ := strings.Cut(strings.TrimPrefix(target, asynchronous), "/")
			called[name] = true
		}
	}
	for name, f := range s.Functions {
		where := file + ": " + name
		p.compare(where+" lang, image, readonly_root_filesystem", fmt.Sprint(f.Lang, f.Image, f.ReadOnlyRoot), fmt.Sprint("dockerfile", "schedgen/"+program(name)+":latest", true))
		p.compare(where+" FUNCTION", f.BuildArgs["FUNCTION"], map[bool]string{true: name}[!f.SkipBuild])
		if base := f.BuildArgs["BASE"]; base != "" {
			p = append(p, c.version(where, base)...)
		}
		// of-watchdog hands SIGTERM on at once and forwards requests for its healthcheck_interval.
		interval, err := time.ParseDuration(f.Environment["healthcheck_interval"])
		if delay, err2 := time.ParseDuration(f.Environment["FUNCTION_DRAIN_DELAY"]); err != nil || err2 != nil || interval < time.Second || delay < interval+2*time.Second {
			p.addf("%s: FUNCTION_DRAIN_DELAY %s is not 2s more than healthcheck_interval %s", where, delay, interval)
		}
		d := c.onOpenFaaS(&p, where, name, f)
		d.called = called[name]
		p = append(p, c.deployed(d)...)
	}
	return p
}

// onOpenFaaS is a function of stack.yml with its variables: a secret is a file, named like its variable.
func (c *Checker) onOpenFaaS(p *problems, where, name string, f stackFunction) deployed {
	d := deployed{where: where, function: program(name), set: map[string]variable{}, gateway: asynchronous}
	for variableName, value := range f.Environment {
		if !slices.Contains(watchdog, variableName) {
			d.set[variableName] = variable{value, true}
		}
	}
	for _, secret := range f.Secrets {
		value, ok := c.secrets.openfaas[secret]
		if !ok {
			p.addf("%s: scripts/secrets.sh does not make the secret %s", where, secret)
		}
		d.files = append(d.files, "/var/openfaas/secrets/"+secret)
		if variableName, ok := strings.CutPrefix(strings.TrimSuffix(secret, "."+program(name)), "schedgen-"); ok {
			d.set[strings.ToUpper(strings.ReplaceAll(variableName, "-", "_"))] = variable{value, value != ""}
		}
	}
	if f.Annotations["topic"] == "cron-function" { // cron-connector cannot send a token
		d.tokenless = []string{cmp.Or(f.Environment["FUNCTION_TASK_PATH"], "/")}
	}
	schedule := ""
	switch {
	case name == "backup":
		schedule = "0 0 * * *"
	case len(d.tokenless) > 0:
		schedule = "*/1 * * * *"
	}
	p.compare(where+" schedule", schedule, f.Annotations["schedule"])
	return d
}

// namesake is a variable that gets what the operator sets, or a default.
var namesake = regexp.MustCompile(`(?m)^\s+([A-Z][A-Z0-9_]*): "?\$\{(\w+):-`)

// passedOn wants each variable that a file passes on with a default to have the operator's name.
func passedOn(file string, data []byte) []string {
	var p problems
	for _, found := range namesake.FindAllSubmatch(data, -1) {
		p.compare(file+": the operator's name of "+string(found[1]), string(found[2]), string(found[1]))
	}
	return p
}
