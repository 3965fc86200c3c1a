package manifests

import (
	"maps"
	"net/url"
	"slices"
)

// references wants everything that an object names to be there, or to be the operator's to make.
func (c *cluster) references(o object) {
	c.walk(o, o.data, nil)
	switch o.kind() {
	case "PodDisruptionBudget", "NetworkPolicy":
		c.selects(o)
	case "Service":
		if o.apiVersion() == "v1" && text(o.at("spec", "type")) != "ExternalName" {
			c.ports(o)
		}
	}
}

// walk follows the names of ConfigMaps, Secrets and accounts, wherever they stand.
func (c *cluster) walk(o object, value any, path []string) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			c.reference(o, key, v[key])
			c.walk(o, v[key], append(path, key))
		}
	case []any:
		for _, item := range v {
			c.walk(o, item, path)
		}
	}
}

func (c *cluster) reference(o object, key string, value any) {
	name := text(at(value, "name"))
	switch key {
	case "configMapRef", "configMapKeyRef":
		c.config(o, name)
	case "configMap":
		if _, ok := value.(map[string]any); ok {
			c.config(o, name)
		}
	case "secretRef":
		c.secret(o, name, "")
	case "secretKeyRef":
		c.secret(o, name, text(at(value, "key")))
	case "secretName", "secret":
		if s, ok := value.(string); ok {
			c.secret(o, s, "")
		}
	case "serviceAccountName":
		if _, ok := c.find("ServiceAccount", text(value)); !ok {
			c.addf("%s names the ServiceAccount %v, which is not there", o, value)
		}
	}
}

func (c *cluster) config(o object, name string) {
	if _, ok := c.find("ConfigMap", name); !ok {
		c.addf("%s names the ConfigMap %q, which is not there", o, name)
	}
}

func (c *cluster) secret(o object, name, key string) {
	if _, ok := operators[name]; ok {
		return
	}
	keys, ok := c.secrets.kubernetes[name]
	if !ok {
		c.addf("%s names the Secret %q, which scripts/secrets.sh does not make", o, name)
		return
	}
	if _, ok := keys[key]; key != "" && !ok {
		c.addf("%s names the key %q of the Secret %s, which has %q", o, key, name, slices.Sorted(maps.Keys(keys)))
	}
}

// selects wants a selector to match some pod of this overlay, unless it means those of others.
func (c *cluster) selects(o object) {
	field := "selector"
	if o.kind() == "NetworkPolicy" {
		field = "podSelector"
	}
	for name, value := range labels(o.at("spec", field, "matchLabels")) {
		if name == "schedgen.dev/function" {
			c.compare(o.String()+" selects "+name, value, "true")
			continue
		}
		if !c.hasPod(name, value) {
			c.addf("%s selects %s=%s, which no pod has", o, name, value)
		}
	}
}

// elsewhere are pods that other overlays make.
var elsewhere = []string{"migrate", "google-sync", "backup"}

func (c *cluster) hasPod(name, value string) bool {
	if slices.Contains(elsewhere, value) {
		return name == "app.kubernetes.io/name"
	}
	for _, o := range c.objects {
		if template, ok := o.podTemplate(); ok && labels(at(template, "metadata", "labels"))[name] == value {
			return true
		}
	}
	return false
}

// ports wants a Service to lead to a port that its pods have.
func (c *cluster) ports(o object) {
	for _, workload := range c.objects {
		template, ok := workload.podTemplate()
		if !ok || !within(labels(o.at("spec", "selector")), labels(at(template, "metadata", "labels"))) {
			continue
		}
		names := map[string]string{}
		for _, container := range list(template, "spec", "containers") {
			for _, port := range list(container, "ports") {
				names[text(port["name"])] = text(port["containerPort"])
			}
		}
		for _, port := range list(o.data, "spec", "ports") {
			if names[text(port["targetPort"])] != text(port["port"]) || servers[o.name()] != text(port["port"]) {
				c.addf("%s leads from %v to the port %v, which is not what %s has", o, port["port"], port["targetPort"], workload)
			}
		}
		return
	}
	c.addf("%s selects no pod", o)
}

// within says whether all of a are in b; nothing is in nothing.
func within(a, b map[string]string) bool {
	for name, value := range a {
		if b[name] != value {
			return false
		}
	}
	return len(a) > 0
}

// together wants the addresses in the functions' settings to be those of servers.
func (c *Checker) together(functions, servers []object) []string {
	var p problems
	for _, o := range functions {
		if o.kind() != "ConfigMap" {
			continue
		}
		if address := text(o.at("data", "S3_URL")); address != "" {
			p.server(o.String()+": S3_URL", address, servers)
		}
	}
	for secret, key := range map[string]string{"schedgen-database": "DATABASE_URL", "schedgen-database-direct": "DATABASE_URL", "schedgen-redis": "REDIS_URL"} {
		p.server("the Secret "+secret, c.secrets.kubernetes[secret][key], servers)
	}
	return p
}

// server wants an address to be that of one of the servers.
func (p *problems) server(what, address string, servers []object) {
	parsed, err := url.Parse(address)
	if err != nil || !hasPort(servers, parsed.Hostname(), parsed.Port()) {
		p.addf("%s is for no server that is there", what) // not which: it holds a password
	}
}

func hasPort(objects []object, name, port string) bool {
	o, _ := find(objects, "v1 Service", name)
	return slices.ContainsFunc(list(o.data, "spec", "ports"), func(p map[string]any) bool { return text(p["port"]) == port })
}
