package manifests

import "slices"

// references follows the names of ConfigMaps, Secrets and accounts, wherever they stand.
func (c *cluster) references(o object, value any) {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			c.reference(o, key, inner)
			c.references(o, inner)
		}
	case []any:
		for _, item := range v {
			c.references(o, item)
		}
	}
}

func (c *cluster) reference(o object, key string, value any) {
	name := text(at(value, "name"))
	switch key {
	case "configMapRef", "configMapKeyRef", "configMap":
		c.names(o, "ConfigMap", name)
	case "serviceAccountName":
		c.names(o, "ServiceAccount", text(value))
	case "secretRef", "secretKeyRef":
		c.secret(o, name, text(at(value, "key")))
	case "secretName", "secret":
		if s, ok := value.(string); ok {
			c.secret(o, s, "")
		}
	}
}

// names wants an object to be there.
func (c *cluster) names(o object, kind, name string) {
	if _, ok := c.find(kind, name); !ok {
		c.addf("%s names the %s %q, which is not there", o, kind, name)
	}
}

// secret wants a Secret to be one that scripts/secrets.sh or, for Traefik's own pages, the operator makes.
func (c *cluster) secret(o object, name, key string) {
	keys, ok := c.secrets.kubernetes[name]
	if _, has := keys[key]; !ok && name != "schedgen-dashboard" || key != "" && !has {
		c.addf("%s names the Secret %q with the key %q, which scripts/secrets.sh does not make", o, name, key)
	}
}

// ports wants a Service to lead to a port that its pods have.
func (c *cluster) ports(o object) {
	for _, workload := range c.objects {
		template, ok := workload.podTemplate()
		if !ok || workload.kind() == "Job" || !matches(map[string]any{"matchLabels": o.at("spec", "selector")}, labels(at(template, "metadata", "labels"))) {
			continue
		}
		for _, port := range list(o.data, "spec", "ports") {
			if !leadsTo(port, template) || servers[o.name()] != text(port["port"]) {
				c.addf("%s leads from %v to the port %v, which %s does not have", o, port["port"], port["targetPort"], workload)
			}
		}
		return
	}
	c.addf("%s selects no pod", o)
}

// leadsTo reports whether a container of a pod has the port of a Service, by its name and its number.
func leadsTo(port, template map[string]any) bool {
	return slices.ContainsFunc(list(template, "spec", "containers"), func(container map[string]any) bool {
		return slices.ContainsFunc(list(container, "ports"), func(p map[string]any) bool {
			return p["name"] == port["targetPort"] && text(p["containerPort"]) == text(port["port"])
		})
	})
}

// hasPort reports whether a Service has a port.
func hasPort(objects []object, name, port string) bool {
	o, _ := find(objects, "v1 Service", name)
	return slices.ContainsFunc(list(o.data, "spec", "ports"), func(p map[string]any) bool { return text(p["port"]) == port })
}
