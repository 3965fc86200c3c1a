package manifests

import (
	"regexp"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// ingress checks the way in: every public path of the API leads to its function, nothing else does, and
// everything goes through HTTPS, the rate limit and the headers.
func (c *cluster) ingress() {
	public, _ := c.find("IngressRoute", "schedgen")
	var rules []rule
	for _, route := range list(public.data, "spec", "routes") {
		rules = append(rules, c.route(public, route))
	}
	c.problems = append(c.problems, c.reach(public.String(), rules)...)
	for _, o := range c.objects {
		if o.kind() != "IngressRoute" {
			continue
		}
		for _, route := range list(o.data, "spec", "routes") {
			c.middlewares(o, route)
			c.backends(o, route)
		}
		secure := text(o.at("spec", "entryPoints")) == "[websecure]"
		if name := text(o.at("spec", "tls", "options", "name")); secure && (name != "modern" || text(o.at("spec", "tls", "certResolver")) != "letsencrypt") {
			c.addf("%s: its TLS is not that of the others", o)
		}
	}
	redirect, _ := c.find("IngressRoute", "to-https")
	c.compare(c.overlay+": entry point of to-https", redirect.at("spec", "entryPoints"), "[web]")
	c.compare(c.overlay+": entry point of the API", public.at("spec", "entryPoints"), "[websecure]")
	c.fixed()
}

// follows wants the site's host to stand once: another one there is another one everywhere.
func (c *cluster) follows(tree repo.Tree) {
	const file = "deploy/kubernetes/ingress/base/site.yaml"
	moved := strings.NewReplacer("schedgen.example.org", "moved.example.net", "traefik.example.org", "proxy.example.net").Replace(string(tree[file]))
	objects, err := build(tree.With(file, []byte(moved)), c.overlay)
	if err != nil {
		c.addf("%v", err)
	}
	for _, o := range objects {
		if o.kind() != "IngressRoute" {
			continue
		}
		want := map[bool]string{false: "moved.example.net", true: "proxy.example.net"}[o.name() == "dashboard"]
		for _, route := range list(o.data, "spec", "routes") {
			c.compare(o.String()+": host of another site", readRule(text(route["match"])).host, want)
		}
	}
}

// fixed are values that no other check would miss.
func (c *cluster) fixed() {
	for _, want := range []struct {
		kind, name, field string
		value             string
	}{
		{"Middleware", "https", "redirectScheme", "map[permanent:true scheme:https]"},
		{"Middleware", "rate", "rateLimit", "map[average:20 burst:100 period:1s]"},
		{"Middleware", "dashboard", "basicAuth", "map[secret:schedgen-dashboard]"},
		{"TLSOption", "modern", "minVersion", "VersionTLS12"},
		{"TLSOption", "modern", "sniStrict", "true"},
		{"Middleware", "headers", "headers.customResponseHeaders", "map[Server:]"},
	} {
		o, _ := c.find(want.kind, want.name)
		c.compare(c.overlay+": "+want.name+"."+want.field, o.at(append([]string{"spec"}, strings.Split(want.field, ".")...)...), want.value)
	}
	o, _ := c.find("Middleware", "headers")
	for field, value := range map[string]string{"stsSeconds": "31536000", "stsIncludeSubdomains": "true", "contentTypeNosniff": "true", "frameDeny": "true",
		"referrerPolicy": "strict-origin-when-cross-origin", "permissionsPolicy": "camera=(), microphone=(), geolocation=()"} {
		c.compare(c.overlay+": headers."+field, o.at("spec", "headers", field), value)
	}
}

// rule is what leads to a function: whole paths and beginnings.
type rule struct {
	function     string
	host         string
	exact, begin []string
}

var matchers = regexp.MustCompile("(Host|PathPrefix|Path)\\(`([^`]*)`\\)")

func readRule(match string) rule {
	var r rule
	for _, m := range matchers.FindAllStringSubmatch(match, -1) {
		switch m[1] {
		case "Host":
			r.host = m[2]
		case "Path":
			r.exact = append(r.exact, m[2])
		case "PathPrefix":
			r.begin = append(r.begin, m[2])
		}
	}
	return r
}

// leads says whether the rule takes a path.
func (r rule) leads(path string) bool {
	return slices.Contains(r.exact, path) ||
		slices.ContainsFunc(r.begin, func(p string) bool { return strings.HasPrefix(path, p) })
}

func (c *cluster) route(o object, route map[string]any) rule {
	r := readRule(text(route["match"]))
	site, _ := c.find("ConfigMap", "site")
	c.compare(o.String()+" host", r.host, site.at("data", "HOST"))
	for _, m := range list(route, "middlewares") {
		if name, ok := strings.CutPrefix(text(m["name"]), "to-"); ok {
			r.function = name
		}
	}
	for _, wanted := range []string{"rate", "headers", "to-" + r.function} {
		if !slices.ContainsFunc(list(route, "middlewares"), func(m map[string]any) bool { return text(m["name"]) == wanted }) {
			c.addf("%s: the route %v does not go through %s", o, route["match"], wanted)
		}
	}
	return r
}

// private are paths that nobody outside may reach.
var private = []string{"/events/", "/tasks/", "/api/admin/", "/metrics", "/health", "/ready", "/_/"}

// reach compares rules with the functions' own paths.
func (c *Checker) reach(where string, rules []rule) []string {
	var p problems
	for name, f := range c.functions {
		for pattern := range f.routes {
			closed := slices.ContainsFunc(private, func(s string) bool { return strings.HasPrefix(pattern+"/", s) }) || name == "backup" || name == "pdf-parse"
			path := strings.NewReplacer("{$}", "", "{", "", "}", "").Replace(pattern)
			var to []string
			for _, r := range rules {
				if r.leads(path) {
					to = append(to, r.function)
				}
			}
			switch {
			case path == "/" && name != "web": // the root is web's page
			case closed && slices.Contains(to, name):
				p.addf("%s: %s of %s can be reached from outside", where, pattern, name)
			case !closed && !slices.Equal(to, []string{name}):
				p.addf("%s: %s of %s leads to %q", where, pattern, name, to)
			}
		}
	}
	for _, r := range rules {
		for _, path := range append(slices.Clone(r.exact), r.begin...) {
			if f, ok := c.functions[r.function]; ok && !f.serves(path) {
				p.addf("%s: %s leads to %s, which has no such path", where, path, r.function)
			}
		}
	}
	return p
}

func (f function) serves(path string) bool {
	for pattern := range f.routes {
		if strings.HasPrefix(strings.TrimSuffix(pattern, "{$}"), path) {
			return true
		}
	}
	return false
}

func (c *cluster) middlewares(o object, route map[string]any) {
	for _, m := range list(route, "middlewares") {
		if _, ok := c.find("Middleware", text(m["name"])); !ok {
			c.addf("%s names the Middleware %v, which is not there", o, m["name"])
		}
	}
	var through []string
	for _, m := range list(route, "middlewares") {
		through = append(through, text(m["name"]))
	}
	switch o.name() {
	case "dashboard":
		c.compare(o.String()+" goes through", through, "[rate headers dashboard]")
		c.compare(o.String()+" entry point", o.at("spec", "entryPoints"), "[websecure]")
		c.compare(o.String()+" rule", readRule(text(route["match"])).begin, "[/dashboard /api]")
	case "to-https":
		c.compare(o.String()+" goes through", through, "[https]")
	}
	c.compare(o.String()+" kind of rule", route["kind"], "Rule")
}

// backends wants the Services of a route, and the way to each function behind them.
func (c *cluster) backends(o object, route map[string]any) {
	for _, s := range list(route, "services") {
		if text(s["kind"]) == "TraefikService" {
			want := map[string]string{"dashboard": "api@internal", "to-https": "noop@internal"}[o.name()]
			c.compare(o.String()+" service", s["name"], want)
			continue
		}
		if !hasPort(c.objects, text(s["name"]), text(s["port"])) {
			c.addf("%s leads to %v:%v, where no Service is", o, s["name"], s["port"])
		}
	}
	gateway, _ := c.find("v1 Service", "functions")
	onKnative := strings.HasSuffix(c.overlay, "/knative")
	want := "gateway.openfaas.svc.cluster.local"
	if onKnative {
		want = "kourier-internal.kourier-system.svc.cluster.local"
	}
	c.compare(gateway.String()+" externalName", gateway.at("spec", "externalName"), want)
	for _, m := range list(route, "middlewares") {
		name, ok := strings.CutPrefix(text(m["name"]), "to-")
		if !ok || name == "https" {
			continue
		}
		to, _ := c.find("Middleware", "to-"+name)
		if onKnative {
			c.compare(to.String(), to.at("spec", "headers", "customRequestHeaders", "Host"), name+".schedgen.svc.cluster.local")
		} else {
			c.compare(to.String(), to.at("spec", "addPrefix", "prefix"), "/function/"+name)
		}
	}
}
