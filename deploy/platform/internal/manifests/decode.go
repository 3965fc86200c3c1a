package manifests

import (
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
)

// strict decodes Kubernetes' own kinds, and refuses unknown fields.
var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// decode checks one object's form: Kubernetes' own kinds by their Go types, others by their definition.
func (c *Checker) decode(o object) []string {
	var p problems
	kind := o.apiVersion() + " " + o.kind()
	if _, custom := c.crds.kinds[kind]; custom {
		for _, problem := range c.crds.Validate(o.data) {
			p.addf("%s: %s", o, problem)
		}
		return p
	}
	if _, _, err := strict.Decode(o.raw, nil, nil); err != nil {
		p.addf("%s: %v", o, err)
	}
	return p
}
