package manifests

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// workloads are the servers that run in a cluster and on one server alike.
var workloads = []string{"postgres", "pgbouncer", "redis", "minio", "minio-setup", "migrate"}

// elsewhereSet are variables that differ, for addresses do.
var elsewhereSet = map[string]string{
	"MINIO_NOTIFY_WEBHOOK_ENDPOINT_SCHEDGEN": "http://upload-ingest:8080/events/s3",
	"HOME":                                   "", // where the root file system has none
}

// alike compares the servers of one server with those of a cluster: what was thought through for one holds
// for the other.
func (c *Checker) alike(where string, tree repo.Tree, project *types.Project) []string {
	var p problems
	var objects []object
	for _, overlay := range []string{serversOverlay, "deploy/kubernetes/migrate"} {
		built, err := build(tree, overlay)
		if err != nil {
			p.addf("%v", err)
		}
		objects = append(objects, built...)
	}
	for _, name := range workloads {
		i := slices.IndexFunc(objects, func(o object) bool {
			_, runs := o.podTemplate()
			return runs && o.name() == name
		})
		if i < 0 {
			p.addf("%s: %s runs in no cluster", where, name)
			continue
		}
		template, _ := objects[i].podTemplate()
		containers := list(template, "spec", "containers")
		c.compareServer(&p, where+": "+name, containers[0], template, project.Services[name])
	}
	return p
}

func (c *Checker) compareServer(p *problems, where string, container, template map[string]any, s types.ServiceConfig) {
	inCluster := c.variables(container)
	for name, value := range s.Environment {
		want, ok := inCluster[name]
		other, differs := elsewhereSet[name]
		switch {
		case differs:
			if other != "" {
				p.compare(where+" "+name, *value, other)
			}
		case name == "POSTGRES_PASSWORD" && strings.HasSuffix(where, "pgbouncer"): // it makes its file of users of it
		case !ok:
			p.addf("%s sets %s, and in a cluster it is not set", where, name)
		case value == nil || *value != want:
			p.addf("%s: %s is not as in a cluster", where, name) // the value may be secret
		}
	}
	for name := range inCluster {
		tellsMinIO := strings.HasSuffix(where, "minio-setup") && strings.HasPrefix(name, "MINIO_NOTIFY") // of the same Secret
		if _, ok := s.Environment[name]; !ok && name != "HOME" && !tellsMinIO {
			p.addf("%s does not set %s, which it does in a cluster", where, name)
		}
	}
	if !strings.HasSuffix(where, "pgbouncer") { // whose command makes files first
		got := strings.Join(append(slices.Clone(s.Entrypoint), s.Command...), " ")
		want := strings.Join(words(container["command"], container["args"]), " ")
		p.compare(where+" command", strings.TrimPrefix(got, "postgres "), want)
	}
	for what, got := range map[string]string{"memory": fmt.Sprint(int64(s.Deploy.Resources.Limits.MemoryBytes)), "cpu": fmt.Sprint(s.Deploy.Resources.Limits.NanoCPUs)} {
		q, err := resource.ParseQuantity(text(at(container, "resources", "limits", what)))
		want := fmt.Sprint(q.AsApproximateFloat64())
		if what == "memory" {
			want = fmt.Sprint(q.Value())
		}
		if err != nil || got != want {
			p.addf("%s: limit of %s is %s, in a cluster %s", where, what, got, want)
		}
	}
	c.compareMounts(p, where, container, template, s)
}

// compareMounts compares who a server is and where its data are.
func (c *Checker) compareMounts(p *problems, where string, container, template map[string]any, s types.ServiceConfig) {
	if group := text(at(template, "spec", "securityContext", "runAsGroup")); group != "" && s.User != "" {
		p.compare(where+" user", s.User, text(at(template, "spec", "securityContext", "runAsUser"))+":"+group)
		p.compare(where+" group of its volume", at(template, "spec", "securityContext", "fsGroup"), group)
	}
	var here, there []string
	for _, v := range s.Volumes {
		here = append(here, v.Target)
	}
	for t := range s.Tmpfs {
		path, _, _ := strings.Cut(s.Tmpfs[t], ":")
		here = append(here, path)
	}
	for _, m := range list(container, "volumeMounts") {
		if path := text(m["mountPath"]); !strings.HasPrefix(path, "/etc/") && path != "/setup" {
			there = append(there, path)
		}
	}
	slices.Sort(here)
	slices.Sort(there)
	if !strings.HasSuffix(where, "pgbouncer") {
		p.compare(where+" mounts", here, there)
	}
}

// variables are those of a container in a cluster, with the values of scripts/secrets.sh.
func (c *Checker) variables(container map[string]any) map[string]string {
	all := map[string]string{}
	for _, from := range list(container, "envFrom") {
		maps.Copy(all, c.secrets.kubernetes[text(at(from, "secretRef", "name"))])
	}
	for _, variable := range list(container, "env") {
		all[text(variable["name"])] = text(variable["value"])
		if ref := at(variable, "valueFrom", "secretKeyRef"); ref != nil {
			all[text(variable["name"])] = c.secrets.kubernetes[text(at(ref, "name"))][text(at(ref, "key"))]
		}
	}
	return all
}

// flags are Traefik's, on a server without and with the internet.
var flags = map[bool]map[string]string{
	false: {"providers.docker": "true", "providers.docker.exposedByDefault": "false", "providers.docker.network": "schedgen_inside",
		"entryPoints.web.address": ":8080", "entryPoints.events.address": ":8081"},
	true: {"providers.docker": "true", "providers.docker.exposedByDefault": "false", "providers.docker.network": "schedgen_inside",
		"entryPoints.web.address": ":8080", "entryPoints.web.http.redirections.entryPoint.to": ":443", "entryPoints.web.http.redirections.entryPoint.scheme": "https",
		"entryPoints.websecure.address": ":8443", "entryPoints.websecure.http.tls.certResolver": "letsencrypt",
		"entryPoints.websecure.http.middlewares": "rate@docker,headers@docker", "entryPoints.websecure.transport.respondingTimeouts.readTimeout": "75s",
		"entryPoints.events.address": ":8081", "certificatesResolvers.letsencrypt.acme.email": serverOnly["ACME_EMAIL"],
		"certificatesResolvers.letsencrypt.acme.storage": "/certificates/acme.json", "certificatesResolvers.letsencrypt.acme.tlsChallenge": "true",
		"api.dashboard": "true"},
}

// accessLog is Traefik's, without what holds the tokens of feeds and the codes of sign-ins: paths with their queries,
// and headers, of which Referer repeats them. A dropped field is "-" in the common format.
var accessLog = map[string]string{"accessLog": "true", "accessLog.fields.names.RequestPath": "drop",
	"accessLog.fields.names.RequestLine": "drop", "accessLog.fields.headers.defaultMode": "drop"}

// proxyLabels are what Traefik is told by its own labels: as the cluster's middlewares, and a password.
var proxyLabels = map[string]string{
	"traefik.enable": "true",
	"traefik.http.middlewares.rate.rateLimit.average":                       "20",
	"traefik.http.middlewares.rate.rateLimit.period":                        "1s",
	"traefik.http.middlewares.rate.rateLimit.burst":                         "100",
	"traefik.http.middlewares.headers.headers.stsSeconds":                   "31536000",
	"traefik.http.middlewares.headers.headers.stsIncludeSubdomains":         "true",
	"traefik.http.middlewares.headers.headers.contentTypeNosniff":           "true",
	"traefik.http.middlewares.headers.headers.frameDeny":                    "true",
	"traefik.http.middlewares.headers.headers.referrerPolicy":               "strict-origin-when-cross-origin",
	"traefik.http.middlewares.headers.headers.permissionsPolicy":            "camera=(), microphone=(), geolocation=()",
	"traefik.http.middlewares.headers.headers.customResponseHeaders.Server": "",
	"traefik.http.middlewares.dashboard.basicAuth.users":                    serverOnly["DASHBOARD_USERS"],
	"traefik.http.routers.dashboard.rule":                                   "Host(`" + serverOnly["DASHBOARD_HOST"] + "`)",
	"traefik.http.routers.dashboard.entryPoints":                            "websecure",
	"traefik.http.routers.dashboard.service":                                "api@internal",
	"traefik.http.routers.dashboard.middlewares":                            "dashboard",
}

// traefik compares the proxy of one server with what it must be.
func (c *Checker) traefik(where string, project *types.Project, internet bool) []string {
	var p problems
	s := project.Services["traefik"]
	got := map[string]string{}
	for _, flag := range s.Command {
		name, value, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		got[name] = value
	}
	told := maps.Clone(flags[internet])
	maps.Copy(told, accessLog)
	p.compare(where+": Traefik's flags", got, told)
	var mounts []string
	for _, v := range s.Volumes {
		source := strings.TrimPrefix(v.Source, project.WorkingDir+"/")
		mounts = append(mounts, fmt.Sprint(source, ">", v.Target, " ", v.ReadOnly, " ", v.Bind != nil && bool(v.Bind.CreateHostPath)))
	}
	want := "[/var/run/docker.sock>/var/run/docker.sock true true]"
	if internet {
		// Docker would make a missing folder root's, and Traefik could keep no certificate.
		want = "[/var/run/docker.sock>/var/run/docker.sock true true certificates>/certificates false false]"
		p.compare(where+": Traefik's labels", map[string]string(s.Labels), proxyLabels)
	}
	p.compare(where+": Traefik's mounts", mounts, want)
	p.compare(where+": Traefik's user", s.User, "65532:999")
	schedule := project.Services["schedule"]
	p.compare(where+": the schedule", schedule.Command, "[sh /schedule.sh]")
	p.compare(where+": PostgreSQL's health check", project.Services["postgres"].HealthCheck.Test, "[CMD pg_isready -U schedgen -h 127.0.0.1]")
	p.compare(where+": the backups' key", filepath.Base(project.Secrets["backup-identity"].File), "backup-identity.txt")
	p.compare(where+": how PgBouncer starts", strings.Join(append(slices.Clone(project.Services["pgbouncer"].Entrypoint), project.Services["pgbouncer"].Command...), " "),
		"sh -c umask 077\nprintf '\"schedgen\" \"%s\"\\n' \"$POSTGRES_PASSWORD\" >/tmp/userlist.txt\n"+
			"sed 's#/etc/pgbouncer-users/userlist.txt#/tmp/userlist.txt#' /pgbouncer.ini >/tmp/pgbouncer.ini\nexec pgbouncer /tmp/pgbouncer.ini\n")
	if home := project.Services["minio-setup"].Environment["HOME"]; home == nil || *home != "/tmp" {
		p.addf("%s: minio-setup keeps its settings where it cannot write", where)
	}
	if zone := schedule.Environment["TZ"]; zone == nil || *zone != "UTC-2" {
		p.addf("%s: the schedule is not South Africa's", where)
	}
	return p
}

// mounted wants each file that a service mounts to be where its command looks for it, and every service that
// is ours to be the same user.
func mounted(where string, project *types.Project) []string {
	var p problems
	for name, s := range project.Services {
		for _, config := range s.Configs {
			command := strings.Join(append(slices.Clone(s.Entrypoint), s.Command...), " ")
			policy, isPolicy := strings.CutPrefix(config.Source, "policy-")
			switch {
			case isPolicy:
				p.compare(where+": "+name+" policy", config.Target, "/setup/policy-"+policy+".json")
			case !strings.Contains(command, config.Target):
				p.addf("%s: nothing in %s reads %s", where, name, config.Target)
			}
		}
		for _, tmpfs := range s.Tmpfs {
			if _, options, ok := strings.Cut(tmpfs, ":"); ok && !slices.Contains([]string{"size=1g,mode=1777", "mode=1777", "uid=999,gid=999"}, options) {
				p.addf("%s: %s: tmpfs with %q", where, name, options)
			}
		}
		if slices.Contains([]string{"schedule", "pgbouncer", "minio-setup", "migrate"}, name) || strings.HasPrefix(s.Image, "schedgen/") {
			p.compare(where+": "+name+" user", s.User, "65532:65532")
		}
	}
	return p
}
