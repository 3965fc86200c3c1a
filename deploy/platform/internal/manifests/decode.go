package manifests

import (
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/json"
)

// kinds are Kubernetes' own objects that the manifests use.
var kinds = map[string]func() any{
	"v1 ConfigMap":                       func() any { return new(core.ConfigMap) },
	"v1 LimitRange":                      func() any { return new(core.LimitRange) },
	"v1 Namespace":                       func() any { return new(core.Namespace) },
	"v1 ResourceQuota":                   func() any { return new(core.ResourceQuota) },
	"v1 Secret":                          func() any { return new(core.Secret) },
	"v1 Service":                         func() any { return new(core.Service) },
	"v1 ServiceAccount":                  func() any { return new(core.ServiceAccount) },
	"apps/v1 Deployment":                 func() any { return new(apps.Deployment) },
	"apps/v1 StatefulSet":                func() any { return new(apps.StatefulSet) },
	"batch/v1 Job":                       func() any { return new(batch.Job) },
	"networking.k8s.io/v1 NetworkPolicy": func() any { return new(networking.NetworkPolicy) },
	"policy/v1 PodDisruptionBudget":      func() any { return new(policy.PodDisruptionBudget) },
}

// decode checks one object's form: Kubernetes' own kinds by their Go types, others by their definition.
func (c *Checker) decode(o object) []string {
	var p problems
	if make, ok := kinds[o.apiVersion()+" "+o.kind()]; ok {
		strict, err := json.UnmarshalStrict(o.raw, make())
		if err != nil {
			p.addf("%s: %v", o, err)
		}
		for _, problem := range strict {
			p.addf("%s: %v", o, problem)
		}
		return p
	}
	if c.crds == nil {
		return nil
	}
	for _, problem := range c.crds.Validate(o.data) {
		p.addf("%s: %s", o, problem)
	}
	return p
}
