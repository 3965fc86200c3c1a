package manifests

import (
	"fmt"
	"maps"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// valuesFile is what Traefik's chart is installed with.
const valuesFile = "deploy/kubernetes/ingress/traefik-values.yaml"

// values are those of valuesFile, by their paths; "" is one that an operator sets.
var values = map[string]string{
	"deployment.replicas": "1",
	"ports.web.port":      "8000", "ports.web.exposedPort": "80",
	"ports.websecure.port": "8443", "ports.websecure.exposedPort": "443",
	"service.spec.externalTrafficPolicy": "Local",
	"providers.kubernetesCRD.enabled":    "true", "providers.kubernetesCRD.allowExternalNameServices": "true",
	"providers.kubernetesIngress.enabled": "false", "ingressRoute.dashboard.enabled": "false",
	"certificatesResolvers.letsencrypt.acme.email": "", "certificatesResolvers.letsencrypt.acme.storage": "/data/acme.json",
	"certificatesResolvers.letsencrypt.acme.tlsChallenge": "true",
	"logs.access.enabled": "false", "persistence.enabled": "true", "persistence.size": "",
	"additionalArguments": "[--entryPoints.websecure.transport.respondingTimeouts.readTimeout=75s --entryPoints.web.transport.lifeCycle.requestAcceptGraceTimeout=5s " +
		"--entryPoints.websecure.transport.lifeCycle.requestAcceptGraceTimeout=5s]",
	"podSecurityContext.runAsNonRoot": "true", "podSecurityContext.runAsUser": "65532", "podSecurityContext.fsGroup": "65532",
	"podSecurityContext.seccompProfile.type": "RuntimeDefault",
}

// Values compares the chart's values with what they must be. An empty one is found too: the chart makes no
// argument of it, so that `tlsChallenge: {}` would be a resolver that gets no certificate.
func (c *Checker) Values(tree repo.Tree) []string {
	var p problems
	var set map[string]any
	if err := yaml.Unmarshal(tree[valuesFile], &set); err != nil {
		p.addf("%s: %v", valuesFile, err)
		return p
	}
	got, want := map[string]string{}, maps.Clone(values)
	flatten(got, "", set)
	for path, value := range want {
		if value == "" && got[path] != "" {
			want[path] = got[path]
		}
	}
	p.compare(valuesFile, got, want)
	return p
}

// flatten puts the values below a map into all, by their paths. A map without any is a value.
func flatten(all map[string]string, path string, value any) {
	inner, ok := value.(map[string]any)
	if !ok || len(inner) == 0 {
		all[path] = fmt.Sprint(value)
		return
	}
	for name, v := range inner {
		under := name
		if path != "" {
			under = path + "." + name
		}
		flatten(all, under, v)
	}
}
