package manifests

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// serverOnly are variables of .env that the operator of a server on the internet adds.
var serverOnly = map[string]string{"SITE_HOST": "schedgen.example.org", "ACME_EMAIL": "operator@example.org",
	"DASHBOARD_HOST": "traefik.example.org", "DASHBOARD_USERS": "operator:$2y$05$hash"}

// replicas are how many of each function one server runs.
var replicas = map[string]int{"pdf-parse": 3, "upload-ingest": 2, "calendar-generate": 2, "google-sync": 1, "backup": 1, "web": 1}

// Compose checks the files for one server, alone and with those for the internet.
func (c *Checker) Compose(tree repo.Tree) []string {
	var p problems
	dir, err := os.MkdirTemp("", "schedgen-compose-") // the loader reads what files name from the disk
	if err != nil {
		p.addf("%v", err)
		return p
	}
	defer os.RemoveAll(dir) // nothing of it is needed again
	for _, name := range append(tree.Under("deploy/compose/"), tree.Under("deploy/kubernetes/base/")...) {
		file := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(file), 0o700)
		if err == nil {
			err = os.WriteFile(file, tree[name], 0o600)
		}
		if err != nil {
			p.addf("%v", err)
		}
	}
	for _, files := range [][]string{{"compose.yml"}, {"compose.yml", "compose.prod.yml"}} {
		p = append(p, c.composed(tree, dir, files)...)
	}
	return p
}

func (c *Checker) composed(tree repo.Tree, dir string, files []string) []string {
	where := strings.Join(files, " + ")
	p := problems(passedOn(where, tree["deploy/compose/"+files[len(files)-1]]))
	environment := maps.Clone(c.secrets.file)
	for name, value := range serverOnly {
		if len(files) > 1 {
			environment[name] = value
		}
	}
	at := filepath.Join(dir, "deploy", "compose")
	details := types.ConfigDetails{WorkingDir: at, Environment: environment}
	for _, file := range files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(at, file), Content: tree["deploy/compose/"+file]})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) { o.SetProjectName("schedgen", true) })
	if err != nil {
		p.addf("%s: %v", where, err)
		return p
	}
	for name, service := range project.Services {
		p = append(p, c.composeService(where+": "+name, name, service, project)...)
	}
	for _, name := range c.scaling.Functions() {
		if _, ok := project.Services[name]; !ok {
			p.addf("%s: no service %s", where, name)
		}
	}
	for _, config := range project.Configs {
		if _, err := os.Stat(config.File); err != nil {
			p.addf("%s: %v", where, err)
		}
	}
	p = append(p, c.alike(where, tree, project)...)
	p = append(p, c.traefik(where, project, len(files) > 1)...)
	p = append(p, mounted(where, project)...)
	p = append(p, c.routed(where, project, len(files) > 1)...)
	return append(p, published(where, project, len(files) > 1)...)
}

// composeService wants each container to be confined and bounded, and a function to be as the table says.
func (c *Checker) composeService(where, name string, s types.ServiceConfig, project *types.Project) []string {
	var p problems
	p.compare(where+" read_only", s.ReadOnly, true)
	p.compare(where+" cap_drop", s.CapDrop, "[ALL]")
	p.compare(where+" security_opt", s.SecurityOpt, "[no-new-privileges:true]")
	if user, _, _ := strings.Cut(s.User, ":"); name != "minio" && (user == "" || user == "0") {
		p.addf("%s: user %q", where, s.User)
	}
	if s.Restart != "unless-stopped" && s.Restart != "on-failure" {
		p.addf("%s: restart %q", where, s.Restart)
	}
	if name != "traefik" && (s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.NanoCPUs <= 0 || s.Deploy.Resources.Limits.MemoryBytes <= 0) {
		p.addf("%s has no limits", where)
		return p
	}
	image, tag, _ := strings.Cut(s.Image, ":")
	ours, isOurs := strings.CutPrefix(image, "schedgen/")
	if _, row := c.scaling[ours]; isOurs {
		if !row && ours != "schedgen" || tag != "latest" {
			p.addf("%s: image %s", where, s.Image)
		}
	} else if images[image] != tag {
		p.addf("%s: image %s is not %s:%s", where, s.Image, image, images[image])
	}
	if row, ok := c.scaling[name]; ok {
		p.compare(where+" image", s.Image, "schedgen/"+name+":latest")
		p.compare(where+" cpus", fmt.Sprint(s.Deploy.Resources.Limits.NanoCPUs.Value()), fmt.Sprint(row.Limits.CPU.AsApproximateFloat64()))
		p.compare(where+" memory", resource.NewQuantity(int64(s.Deploy.Resources.Limits.MemoryBytes), resource.BinarySI).Value(), row.Limits.Memory.Value())
		if s.Deploy.Replicas == nil || *s.Deploy.Replicas != replicas[name] {
			p.addf("%s has not %d replicas", where, replicas[name])
		}
		if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) < time.Duration(c.longest()+15)*time.Second {
			p.addf("%s: stop_grace_period %v is shorter than a request and the drain delay", where, s.StopGracePeriod)
		}
		p = append(p, c.composeEnvironment(where, name, s, project)...)
	}
	return p
}

// longest is the longest request of those that many wait for; a backup that is cut is made again.
func (c *Checker) longest() int {
	most := 0
	for name, row := range c.scaling {
		if name != "backup" {
			most = max(most, row.TimeoutSeconds)
		}
	}
	return most
}

func (c *Checker) composeEnvironment(where, name string, s types.ServiceConfig, project *types.Project) []string {
	var p problems
	set := map[string]given{}
	for variable, value := range s.Environment {
		if value != nil {
			set[variable] = given{*value, *value != ""}
		}
	}
	for _, variable := range []string{"DATABASE_URL", "REDIS_URL", "S3_URL"} {
		address, err := url.Parse(set[variable].value)
		if err != nil || address.Host == "" {
			continue // not set, which is told of where it is needed
		}
		if _, ok := project.Services[address.Hostname()]; !ok || address.Port() != servers[address.Hostname()] {
			p.addf("%s: %s is at %s, where no server is", where, variable, address.Host)
		}
	}
	_, internet := project.Environment["SITE_HOST"]
	kind := map[bool]string{false: "schedgen-database", true: "schedgen-database-direct"}[name == "backup"]
	for variable, want := range map[string]string{
		"DATABASE_URL": c.secrets.kubernetes[kind]["DATABASE_URL"], "REDIS_URL": c.secrets.kubernetes["schedgen-redis"]["REDIS_URL"],
		"SESSION_SECURE": strconv.FormatBool(internet), "PUBLIC_URL": map[bool]string{false: "http://localhost:8080", true: "https://" + serverOnly["SITE_HOST"]}[internet],
		"GOOGLE_CLIENT_ID": c.secrets.file["GOOGLE_CLIENT_ID"], "GOOGLE_CLIENT_SECRET": c.secrets.file["GOOGLE_CLIENT_SECRET"],
		"BACKUP_RECIPIENTS": c.secrets.file["BACKUP_RECIPIENTS"],
	} {
		if got, ok := set[variable]; ok && got.value != want {
			p.addf("%s: %s is not what it must be", where, variable) // it may be secret
		}
	}
	for _, variable := range []string{"EVENT_TARGETS", "PARSED_TARGETS"} {
		for target := range strings.SplitSeq(set[variable].value, ",") {
			if target == "" {
				continue
			}
			path, ok := strings.CutPrefix(target, "http://traefik:8081/")
			to, path, _ := strings.Cut(path, "/")
			p = append(p, c.takes(where+": "+variable, ok, to, path)...)
		}
	}
	if file := set["BACKUP_IDENTITY_FILE"].value; name == "backup" && (len(s.Secrets) != 1 || file != "/run/secrets/"+s.Secrets[0].Source) {
		p.addf("%s: %s is no secret of it", where, file)
	}
	for variable, want := range unhurried {
		if name == "backup" {
			p.compare(where+" "+variable, set[variable].value, want)
		}
	}
	p.openPaths(where, set, nil) // all callers there carry the token
	if name != "web" {           // which nobody tells anything
		p.carried(where, set)
	}
	return append(p, c.told(where, name, set, nil)...)
}

// unhurried is what the backup of one server is told beside what the table says: no platform limits its
// requests there. TestTheScheduleOfOneServer holds schedule.sh to it.
var unhurried = map[string]string{"FUNCTION_TIMEOUT": "6h", "FUNCTION_DRAIN_TIMEOUT": "5m", "FUNCTION_CONCURRENCY": "3", "BACKUP_MIN_INTERVAL": "4h"}

// servers are the ports of the servers beside the functions.
var servers = map[string]string{"pgbouncer": "6432", "postgres": "5432", "redis": "6379", "minio": "9000"}

// routed checks Traefik's labels as the cluster's routes are checked.
func (c *Checker) routed(where string, project *types.Project, internet bool) []string {
	var p problems
	var rules []rule
	for _, name := range c.scaling.Functions() {
		s := project.Services[name]
		if s.Labels["traefik.enable"] != "true" {
			if name != "backup" {
				p.addf("%s: %s is not behind Traefik", where, name)
			}
			continue
		}
		service := "traefik.http.services." + name + ".loadBalancer."
		p.compare(where+": "+name+" port", s.Labels[service+"server.port"], "8080")
		p.compare(where+": "+name+" health check", s.Labels[service+"healthCheck.path"]+" "+s.Labels[service+"healthCheck.interval"], "/ready 2s")
		rules = append(rules, c.router(&p, where, name, s.Labels, internet)...)
		p = append(p, events(where, name, s.Labels)...)
	}
	return append(p, c.reach(where, rules)...)
}

func (c *Checker) router(p *problems, where, name string, labels types.Labels, internet bool) []rule {
	match, ok := labels["traefik.http.routers."+name+".rule"]
	if !ok || labels["traefik.http.routers."+name+".entryPoints"] == "events" {
		return nil
	}
	entry := map[bool]string{false: "web", true: "websecure"}[internet]
	p.compare(where+": "+name+" entry point", labels["traefik.http.routers."+name+".entryPoints"], entry)
	r := readRule(match)
	r.function = name
	if internet {
		p.compare(where+": "+name+" host", r.host, serverOnly["SITE_HOST"])
	}
	return []rule{r}
}

// events wants the router of a function's events to be on the inner entry point and to strip its prefix.
func events(where, name string, all types.Labels) []string {
	var p problems
	for label, value := range all {
		router, ok := strings.CutSuffix(strings.TrimPrefix(label, "traefik.http.routers."), ".rule")
		if !ok || router == name && name != "pdf-parse" {
			continue
		}
		p.compare(where+": "+router+" rule", value, "PathPrefix(`/"+name+"`)")
		p.compare(where+": "+router+" entry point", all["traefik.http.routers."+router+".entryPoints"], "events")
		p.compare(where+": "+router+" middleware", all["traefik.http.routers."+router+".middlewares"], router)
		p.compare(where+": "+router+" prefix", all["traefik.http.middlewares."+router+".stripPrefix.prefixes"], "/"+name)
	}
	return p
}

// published wants no way in but Traefik's, and none from outside to the entry point of events.
func published(where string, project *types.Project, internet bool) []string {
	var p problems
	want := "[127.0.0.1:8080>8080]"
	if internet {
		want = "[:80>8080 :443>8443]"
	}
	for name, s := range project.Services {
		var ports []string
		for _, port := range s.Ports {
			ports = append(ports, fmt.Sprintf("%s:%s>%d", port.HostIP, port.Published, port.Target))
		}
		switch {
		case name == "traefik":
			p.compare(where+": Traefik's ports", ports, want)
		case len(ports) > 0:
			p.addf("%s: %s publishes %q", where, name, ports)
		}
		outside := slices.Contains(slices.Collect(maps.Keys(s.Networks)), "outside")
		if needs := slices.Contains([]string{"traefik", "google-sync", "backup"}, name); outside != needs {
			p.addf("%s: %s is on the network to the outside: %v", where, name, outside)
		}
	}
	if !bool(project.Networks["inside"].Internal) {
		p.addf("%s: the inner network leads outside", where)
	}
	return p
}
