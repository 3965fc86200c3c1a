package manifests

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// stack is what faas-cli reads of stack.yml; anything else is an error here, for faas-cli ignores it. That is
// so of `platforms`, too, which its schema names: it takes them from its command line alone.
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
	Limits       amounts           `yaml:"limits"`
	Requests     amounts           `yaml:"requests"`
	ReadOnlyRoot bool              `yaml:"readonly_root_filesystem"`
}

type amounts struct {
	CPU    string `yaml:"cpu"`
	Memory string `yaml:"memory"`
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

// templateFile is where faas-cli looks for the language of every function. What is missing there it clones from
// its store, once for each function, and without a way to the store nothing is built.
const templateFile = "template/dockerfile/template.yml"

var comment = regexp.MustCompile(`(?m)^#.*\n`)

// OpenFaaS gives stack.yml's part of the problems.
func (c *Checker) OpenFaaS(tree repo.Tree) []string {
	const file = "stack.yml"
	p := problems(passedOn(file, tree[file]))
	var s stack
	decoder := yaml.NewDecoder(bytes.NewReader(substitute(tree[file])))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		p.addf("%s: %v", file, err)
		return p
	}
	p.compare(file+": version", s.Version, "1.0")
	p.compare(file+": provider", s.Provider.Name, "openfaas")
	p.compare(file+": gateway", s.Provider.Gateway, "http://127.0.0.1:8080")
	p.compare(file+": configuration.copy", s.Configuration.Copy, "[functions shared]")
	p.compare(file+": functions", slices.Sorted(maps.Keys(s.Functions)), fmt.Sprint(c.onStack()))
	p.compare(templateFile, strings.TrimSpace(comment.ReplaceAllString(string(tree[templateFile]), "")), "language: dockerfile")
	for name, f := range s.Functions {
		p = append(p, c.onOpenFaaS(file+": "+name, name, f)...)
		if s.told()[name] && !slices.Contains(f.Secrets, "schedgen-event-token") {
			p.addf("%s: %s has no secret schedgen-event-token, which its callers carry", file, name)
		}
	}
	return p
}

// onStack are the functions of stack.yml, sorted.
func (c *Checker) onStack() []string {
	all := append(slices.Clone(c.scaling.Functions()), watch)
	slices.Sort(all)
	return all
}

// substitute is what faas-cli does before it reads: ${NAME:-default}.
func substitute(data []byte) []byte {
	return regexp.MustCompile(`\$\{[A-Z_]+:-([^}]*)\}`).ReplaceAll(data, []byte("$1"))
}

func (c *Checker) onOpenFaaS(where, name string, f stackFunction) []string {
	var p problems
	row := c.scaling[program(name)]
	p.compare(where+" lang", f.Lang, "dockerfile")
	p.compare(where+" handler", f.Handler, "./deploy/images/openfaas")
	p.compare(where+" image", f.Image, "schedgen/"+program(name)+":latest")
	p.compare(where+" readonly_root_filesystem", f.ReadOnlyRoot, true)
	args := map[string]string{"FUNCTION": name, "VERSION": "development", "COMMIT": ""}
	if name == "backup" {
		args["BASE"] = "postgres:" + images["postgres"]
	}
	if name == watch {
		args = nil
	}
	p.compare(where+" build_args", f.BuildArgs, args)
	p.compare(where+" skip_build", f.SkipBuild, name == watch)
	p.compare(where+" labels", f.Labels, map[string]string{
		"com.openfaas.scale.min": "1", "com.openfaas.scale.max": fmt.Sprint(row.MaxScale),
		"com.openfaas.scale.zero": fmt.Sprint(row.MinScale == 0), "com.openfaas.scale.zero-duration": "10m",
		"com.openfaas.scale.type": "capacity", "com.openfaas.scale.target": fmt.Sprint(row.Concurrency),
	})
	p.compare(where+" annotations", f.Annotations, notes(name))
	p.amount(where+" limits", f.Limits, row.Limits.CPU, row.Limits.Memory)
	p.amount(where+" requests", f.Requests, row.Requests.CPU, row.Requests.Memory)
	return append(append(p, c.watched(where, name, f)...), c.openFaaSEnvironment(where, name, f)...)
}

// notes are a function's annotations; cron-connector posts to the root of those that name its topic.
func notes(name string) map[string]string {
	all := map[string]string{
		"com.openfaas.health.http.path": "/_/health", "com.openfaas.health.http.initialDelay": "2s", "com.openfaas.ready.http.path": "/_/ready",
		"com.openfaas.retry.attempts": "3", "com.openfaas.retry.codes": "408,429,500,502,503,504",
		"com.openfaas.retry.min_wait": "2s", "com.openfaas.retry.max_wait": "1m",
	}
	schedule := map[string]string{"upload-ingest": "*/1 * * * *", "google-sync": "*/1 * * * *", "calendar-generate": "*/1 * * * *",
		"backup": "0 0 * * *", watch: "30 * * * *"}[name]
	if schedule != "" {
		all["topic"], all["schedule"] = "cron-function", schedule
	}
	return all
}

func (p *problems) amount(where string, got amounts, cpu, memory resource.Quantity) {
	for _, one := range []struct {
		what, got string
		want      resource.Quantity
	}{{"cpu", got.CPU, cpu}, {"memory", got.Memory, memory}} {
		q, err := resource.ParseQuantity(one.got)
		if err != nil || q.Cmp(one.want) != 0 {
			p.addf("%s.%s: got %q, want %s", where, one.what, one.got, one.want.String())
		}
	}
}

// watched checks of-watchdog's own settings. It hands SIGTERM on at once and goes on forwarding for its
// healthcheck_interval: the function must outlast that.
func (c *Checker) watched(where, name string, f stackFunction) []string {
	var p problems
	row := c.scaling[program(name)]
	p.compare(where+" max_inflight", f.Environment["max_inflight"], row.Concurrency)
	seconds := func(variable string) float64 {
		d, err := time.ParseDuration(f.Environment[variable])
		if err != nil {
			p.addf("%s: %s is %q", where, variable, f.Environment[variable])
		}
		return d.Seconds()
	}
	p.compare(where+" exec_timeout", seconds("exec_timeout"), row.TimeoutSeconds)
	p.compare(where+" read_timeout", seconds("read_timeout"), row.TimeoutSeconds)
	p.compare(where+" write_timeout", seconds("write_timeout"), row.TimeoutSeconds+5)
	if interval := seconds("healthcheck_interval"); interval < 1 || seconds("FUNCTION_DRAIN_DELAY") < interval+2 {
		p.addf("%s: FUNCTION_DRAIN_DELAY %s is not 2s more than healthcheck_interval %s", where, f.Environment["FUNCTION_DRAIN_DELAY"], f.Environment["healthcheck_interval"])
	}
	return p
}

func (c *Checker) openFaaSEnvironment(where, name string, f stackFunction) []string {
	var p problems
	set := map[string]given{}
	for variable, value := range f.Environment {
		if !slices.Contains(watchdog, variable) {
			set[variable] = given{value, true}
		}
	}
	for _, secret := range f.Secrets {
		value, ok := c.secrets.openfaas[secret]
		if !ok {
			p.addf("%s: the secret %s is none that scripts/secrets.sh makes", where, secret)
		}
		if variable, ok := strings.CutPrefix(secret, "schedgen-"); ok {
			variable = strings.TrimSuffix(variable, "."+program(name))
			set[strings.ToUpper(strings.ReplaceAll(variable, "-", "_"))] = given{value, value != ""}
		}
	}
	if url := set["S3_URL"].value; url != "" && url != "http://minio.schedgen.svc.cluster.local:9000" {
		p.addf("%s: S3_URL is %s, where no server is", where, url)
	}
	if url := set["PUBLIC_URL"].value; url != "" && url != "https://schedgen.example.org" {
		p.addf("%s: PUBLIC_URL is %s, not the site's", where, url)
	}
	if file := set["BACKUP_IDENTITY_FILE"].value; name == "backup" && !slices.Contains(f.Secrets, strings.TrimPrefix(file, "/var/openfaas/secrets/")) {
		p.addf("%s: %s is no secret of it", where, file)
	}
	p = append(p, c.gateways(where, set)...)
	p.openPaths(where, set, scheduled(f))
	return append(p, c.told(where, program(name), set, nil)...)
}

// gateways wants the addresses of events to be functions' paths behind the gateway's queue.
func (c *Checker) gateways(where string, set map[string]given) []string {
	var p problems
	for _, variable := range []string{"EVENT_TARGETS", "PARSED_TARGETS"} {
		for _, target := range strings.Split(set[variable].value, ",") {
			if target == "" {
				continue
			}
			path, ok := strings.CutPrefix(target, "http://gateway.openfaas.svc.cluster.local:8080/async-function/")
			to, path, _ := strings.Cut(path, "/")
			p = append(p, c.takes(where+": "+variable, ok, to, path)...)
		}
	}
	return p
}

// takes wants a function to have a path.
func (c *Checker) takes(where string, ok bool, name, path string) []string {
	var p problems
	if _, known := c.scaling[name]; !ok || !known {
		p.addf("%s leads to %q, which is no function", where, name)
	}
	if path == "" {
		path = "{$}"
	}
	if f, there := c.functions[name]; there && !f.routes["/"+path] {
		p.addf("%s: %s has no path /%s", where, name, path)
	}
	return p
}
