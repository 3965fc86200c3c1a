package manifests

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// serverOnly are variables of .env that the operator of a server on the internet adds.
var serverOnly = map[string]string{"SITE_HOST": "schedgen.example.org", "ACME_EMAIL": "operator@example.org",
	"DASHBOARD_HOST": "traefik.example.org", "DASHBOARD_USERS": "operator:$2y$05$hash"}

// unhurried is what the backup of one server gets, where no platform limits its requests.
// TestTheScheduleOfOneServer holds schedule.sh to it.
var unhurried = map[string]string{"FUNCTION_TIMEOUT": "6h", "FUNCTION_DRAIN_TIMEOUT": "5m", "FUNCTION_CONCURRENCY": "3", "BACKUP_MIN_INTERVAL": "4h"}

// Compose checks the files for one server, alone and with those for the internet.
func (c *Checker) Compose(tree repo.Tree) []string {
	var p problems
	dir, err := os.MkdirTemp("", "schedgen-compose-") // the loader reads what files name from the disk
	if err != nil {
		p.addf("%v", err)
		return p
	}
	defer os.RemoveAll(dir) // the loader has read it
	if err := tree.Write(dir, "deploy/compose/", "deploy/kubernetes/base/"); err != nil {
		p.addf("%v", err)
	}
	for _, files := range [][]string{{"compose.yml"}, {"compose.yml", "compose.prod.yml"}} {
		p = append(p, c.composed(tree, dir, files)...)
	}
	return p
}

// composed is one set of files while it is checked.
type composed struct {
	*Checker
	problems
	where    string
	project  *types.Project
	internet bool
}

func (c *Checker) composed(tree repo.Tree, dir string, files []string) []string {
	one := &composed{Checker: c, where: strings.Join(files, " + "), internet: len(files) > 1}
	one.problems = passedOn(one.where, tree["deploy/compose/"+files[len(files)-1]])
	environment := maps.Clone(c.secrets.file)
	if one.internet {
		maps.Copy(environment, serverOnly)
	}
	at := filepath.Join(dir, "deploy", "compose")
	details := types.ConfigDetails{WorkingDir: at, Environment: environment}
	for _, file := range files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(at, file), Content: tree["deploy/compose/"+file]})
	}
	project, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) { o.SetProjectName("schedgen", true) })
	if err != nil {
		one.addf("%s: %v", one.where, err)
		return one.problems
	}
	one.project = project
	for name, service := range project.Services {
		one.service(one.where+": "+name, name, service)
	}
	var rules []rule
	for _, name := range c.scaling.Functions() {
		rules = append(rules, one.function(one.where+": "+name, name)...)
	}
	one.problems = append(one.problems, c.reach(one.where, rules)...)
	for _, config := range project.Configs {
		if _, err := os.Stat(config.File); err != nil {
			one.addf("%s: %v", one.where, err)
		}
	}
	if !bool(project.Networks["inside"].Internal) {
		one.addf("%s: the inner network leads outside", one.where)
	}
	one.proxy()
	return one.problems
}

// service wants a container to be confined and bounded, and only Traefik's ports to be published.
func (c *composed) service(where, name string, s types.ServiceConfig) {
	c.compare(where+" read_only, cap_drop, security_opt", fmt.Sprint(s.ReadOnly, s.CapDrop, s.SecurityOpt), "true [ALL] [no-new-privileges:true]")
	if user, _, _ := strings.Cut(s.User, ":"); name != "minio" && (user == "" || user == "0") {
		c.addf("%s: user %q", where, s.User)
	}
	if name != "traefik" && (s.Deploy == nil || s.Deploy.Resources.Limits == nil || s.Deploy.Resources.Limits.NanoCPUs <= 0 || s.Deploy.Resources.Limits.MemoryBytes <= 0) {
		c.addf("%s has no limits", where)
	}
	if !strings.HasPrefix(s.Image, "schedgen/") {
		c.problems = append(c.problems, c.version(where, s.Image)...)
	}
	_, outside := s.Networks["outside"]
	c.compare(where+" is on the network to the outside", outside, slices.Contains([]string{"traefik", "google-sync", "backup"}, name))
	for _, port := range s.Ports {
		published := fmt.Sprintf("%s:%s>%d", port.HostIP, port.Published, port.Target)
		if want := map[bool]string{false: "127.0.0.1:8080>8080", true: ":80>8080 :443>8443"}[c.internet]; name != "traefik" || !strings.Contains(want, published) {
			c.addf("%s publishes %s", where, published)
		}
	}
	for _, config := range s.Configs {
		reads := strings.Join(append(slices.Clone(s.Entrypoint), s.Command...), " ")
		if policy, ok := strings.CutPrefix(config.Source, "policy-"); ok {
			reads = "/setup/policy-" + policy + ".json"
		}
		if !strings.Contains(reads, config.Target) {
			c.addf("%s does not read %s", where, config.Target)
		}
	}
}

// function checks how a function is started and what it gets, and returns the rules that lead to it.
func (c *composed) function(where, name string) []rule {
	s, ok := c.project.Services[name]
	if !ok {
		c.addf("%s is no service", where)
		return nil
	}
	c.compare(where+" image", s.Image, "schedgen/"+name+":latest")
	d := deployed{where: where, function: name, set: map[string]variable{}, gateway: "http://traefik:8081/", called: name != "web"}
	for variableName, value := range s.Environment {
		if value != nil {
			d.set[variableName] = variable{*value, *value != ""}
			if choice, made := c.secrets.file[variableName]; made && choice != *value {
				c.addf("%s: %s is not the operator's", where, variableName) // the value may be secret
			}
		}
	}
	for _, secret := range s.Secrets {
		d.files = append(d.files, "/run/secrets/"+secret.Source)
	}
	if secure, ok := d.set["SESSION_SECURE"]; ok {
		c.compare(where+" SESSION_SECURE", secure.value, c.internet)
	}
	for variableName, want := range unhurried {
		if name == "backup" {
			c.compare(where+" "+variableName, d.set[variableName].value, want)
		}
	}
	c.problems = append(c.problems, c.deployed(d)...)
	return c.routed(where, name, s.Labels)
}

// routed checks Traefik's labels, and returns the rules of those for callers from outside.
func (c *composed) routed(where, name string, all types.Labels) []rule {
	var rules []rule
	for label, value := range all {
		router, ok := strings.CutSuffix(strings.TrimPrefix(label, "traefik.http.routers."), ".rule")
		if !ok {
			continue
		}
		entry, through := all["traefik.http.routers."+router+".entryPoints"], all["traefik.http.routers."+router+".middlewares"]
		if entry == "events" {
			c.compare(where+": events", []string{value, all["traefik.http.middlewares."+through+".stripPrefix.prefixes"]}, []string{"PathPrefix(`/" + name + "`)", "/" + name})
			continue
		}
		c.compare(where+": entry point", entry, map[bool]string{false: "web", true: "websecure"}[c.internet])
		c.compare(where+": names the site", strings.HasPrefix(value, "Host(`"+serverOnly["SITE_HOST"]+"`) && "), c.internet)
		rules = append(rules, readRule(name, value))
	}
	if len(all) > 0 {
		service := "traefik.http.services." + name + ".loadBalancer."
		c.compare(where+" port, health check", all[service+"server.port"]+all[service+"healthCheck.path"], "8080/ready")
	}
	return rules
}

// secretsInLogs are what Traefik's access log must leave out: paths and queries hold the tokens of feeds and the codes
// of sign-ins, and the header Referer repeats them.
var secretsInLogs = []string{"--accessLog.fields.names.RequestPath=drop", "--accessLog.fields.names.RequestLine=drop", "--accessLog.fields.headers.defaultMode=drop"}

func (c *composed) proxy() {
	flags := c.project.Services["traefik"].Command
	for _, flag := range secretsInLogs {
		if !slices.Contains(flags, flag) {
			c.addf("%s: Traefik is started without %s", c.where, flag)
		}
	}
	if flag := "--entryPoints.websecure.http.middlewares=rate@docker,headers@docker"; c.internet && !slices.Contains(flags, flag) {
		c.addf("%s: Traefik is started without %s", c.where, flag)
	}
}
