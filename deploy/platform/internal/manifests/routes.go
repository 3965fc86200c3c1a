package manifests

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// rule is what leads to a function from outside: whole paths and beginnings.
type rule struct {
	function     string
	exact, begin []string
}

var matchers = regexp.MustCompile("(PathPrefix|Path)\\(`([^`]*)`\\)")

func readRule(function, match string) rule {
	r := rule{function: function}
	for _, m := range matchers.FindAllStringSubmatch(match, -1) {
		if m[1] == "Path" {
			r.exact = append(r.exact, m[2])
		} else {
			r.begin = append(r.begin, m[2])
		}
	}
	return r
}

// leads reports whether the rule takes a path.
func (r rule) leads(path string) bool {
	return slices.Contains(r.exact, path) || slices.ContainsFunc(r.begin, func(p string) bool { return strings.HasPrefix(path, p) })
}

// private are paths that callers from outside may not reach.
var private = []string{"/events/", "/tasks/", "/api/admin/", "/metrics", "/health", "/ready", "/_/"}

// reach compares rules with the functions' own paths: every public one leads to its function, no other leads anywhere.
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
			if !c.functions[r.function].serves(path) {
				p.addf("%s: %s leads to %s, which does not serve it", where, path, r.function)
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

// ingress checks the way in to a cluster: through HTTPS, the rate limit and the headers to the function of the path.
func (c *cluster) ingress() {
	var rules []rule
	for _, o := range c.objects {
		for _, route := range list(o.data, "spec", "routes") {
			var through []string
			for _, m := range list(route, "middlewares") {
				c.names(o, "Middleware", text(m["name"]))
				through = append(through, text(m["name"]))
			}
			want := map[string][]string{"to-https": {"https"}, "dashboard": {"rate", "headers", "dashboard"}}[o.name()]
			if o.name() == "schedgen" {
				name := strings.TrimPrefix(strings.Join(through[min(2, len(through)):], ","), "to-")
				want = []string{"rate", "headers", "to-" + name}
				rules = append(rules, readRule(name, text(route["match"])))
				c.leads(name)
			}
			c.compare(o.String()+" goes through", through, want)
			for _, s := range list(route, "services") {
				if name := text(s["name"]); !strings.HasSuffix(name, "@internal") {
					c.compare(o.String()+" leads to", hasPort(c.objects, name, text(s["port"])), true)
				}
			}
		}
		if o.kind() == "IngressRoute" {
			secure := o.at("spec", "tls", "certResolver") == "letsencrypt" && o.at("spec", "tls", "options", "name") == "modern"
			c.compare(o.String()+" entry points, TLS", []any{o.at("spec", "entryPoints"), secure}, map[bool]string{true: "[[web] false]", false: "[[websecure] true]"}[o.name() == "to-https"])
		}
	}
	gateway, _ := c.find("v1 Service", "functions")
	c.compare(gateway.String()+" externalName", gateway.at("spec", "externalName"), gateways[path.Base(c.overlay)])
	c.problems = append(c.problems, c.reach(c.overlay, rules)...)
}

// gateways are what takes requests for functions, by platform.
var gateways = map[string]string{"knative": "kourier-internal.kourier-system.svc.cluster.local", "openfaas": "gateway.openfaas.svc.cluster.local"}

// leads checks how the cluster's gateway finds a function.
func (c *cluster) leads(function string) {
	to, _ := c.find("Middleware", "to-"+function)
	if strings.HasSuffix(c.overlay, "/knative") {
		c.compare(to.String(), to.at("spec", "headers", "customRequestHeaders", "Host"), function+".schedgen.svc.cluster.local")
		return
	}
	c.compare(to.String(), to.at("spec", "addPrefix", "prefix"), "/function/"+function)
}
