package manifests

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// cluster is the objects of one overlay while they are checked.
type cluster struct {
	*Checker
	problems
	overlay string
	objects []object
}

// Cluster checks everything that is applied to a cluster.
func (c *Checker) Cluster(tree repo.Tree) []string {
	tree = withComponents(tree)
	return c.overlays(tree, overlays(tree))
}

// withComponents adds an overlay for each component, so that it is built too.
func withComponents(tree repo.Tree) repo.Tree {
	for _, file := range tree.Under("knative/components/") {
		if path.Base(file) == "kustomization.yaml" {
			name := path.Base(path.Dir(file))
			tree = tree.With("knative/overlays/with-"+name+"/kustomization.yaml", []byte("apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"+
				"resources: [../production]\ncomponents: [../../components/"+name+"]\n"))
		}
	}
	return tree
}

// serversOverlay is what the functions of every cluster need to run.
const serversOverlay = "deploy/kubernetes/overlays/production"

func (c *Checker) overlays(tree repo.Tree, names []string) []string {
	var p problems
	stack, err := build(tree, serversOverlay)
	if err != nil {
		p.addf("%v", err)
	}
	for _, overlay := range names {
		objects, err := build(tree, overlay)
		if err != nil {
			p.addf("%v", err)
			continue
		}
		one := &cluster{Checker: c, overlay: overlay, objects: objects}
		for _, o := range objects {
			one.object(o)
		}
		switch {
		case strings.HasPrefix(overlay, "knative/"):
			one.services()
			one.events()
		case strings.Contains(overlay, "/ingress/"):
			one.ingress()
		case strings.HasSuffix(overlay, "/openfaas"):
			one.flows(objects, c.wantedOnOpenFaaS())
		}
		p = append(p, one.problems...)
	}
	one := &cluster{Checker: c, overlay: serversOverlay, objects: stack}
	one.flows(stack, c.wanted())
	one.connections(tree)
	one.quota()
	return append(p, one.problems...)
}

// object checks what every object must be: valid, confined, and naming only what is there.
func (c *cluster) object(o object) {
	c.problems = append(c.problems, c.decode(o)...)
	if ns := text(o.at("metadata", "namespace")); o.kind() != "Namespace" && ns != "schedgen" {
		c.addf("%s is in namespace %q, want schedgen", o, ns)
	}
	c.references(o, o.data)
	if o.kind() == "Service" && o.apiVersion() == "v1" && text(o.at("spec", "type")) != "ExternalName" {
		c.ports(o)
	}
	template, ok := o.podTemplate()
	if !ok {
		return
	}
	c.compare(o.String()+" label of its pods", at(template, "metadata", "labels", nameLabel), program(o.name()))
	c.confined(o, template)
	for _, container := range list(template, "spec", "containers") {
		c.container(o, template, container)
	}
}

const nameLabel = "app.kubernetes.io/name"

// evaluator holds pods to the restricted level of the Pod Security Standards.
var evaluator, evaluatorError = policy.NewEvaluator(policy.DefaultChecks(), nil)

// confined wants pods to be restricted, and none to reach the API server.
func (c *cluster) confined(o object, template map[string]any) {
	pod, ok := c.podOf(o, template)
	if !ok {
		return
	}
	c.restricted(o, pod)
	account, _ := c.find("ServiceAccount", pod.Spec.ServiceAccountName)
	if inPod := pod.Spec.AutomountServiceAccountToken; (inPod == nil || *inPod) && text(account.data["automountServiceAccountToken"]) != "false" {
		c.addf("%s gets a token of the API server", o)
	}
}

// podOf is a template as Kubernetes reads it.
func (c *cluster) podOf(o object, template map[string]any) (pod core.PodTemplateSpec, ok bool) {
	data, err := json.Marshal(template)
	if err == nil {
		err = json.Unmarshal(data, &pod)
	}
	if err != nil {
		c.addf("%s: its pod cannot be checked: %v", o, err)
	}
	return pod, err == nil
}

// restricted wants a pod to keep the restricted level.
func (c *cluster) restricted(o object, pod core.PodTemplateSpec) {
	if evaluatorError != nil {
		c.addf("%s: its pod cannot be checked: %v", o, evaluatorError)
		return
	}
	for _, result := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			c.addf("%s: %s: %s", o, result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
}

// bounded checks the root file system, limits and mounts of a container, and gives the folders that it mounts.
func (c *cluster) bounded(o object, template, container map[string]any) (mounts []string) {
	c.compare(o.String()+" readOnlyRootFilesystem", at(container, "securityContext", "readOnlyRootFilesystem"), true)
	for _, what := range []string{"cpu", "memory"} {
		limit, err := resource.ParseQuantity(text(at(container, "resources", "limits", what)))
		request, err2 := resource.ParseQuantity(text(at(container, "resources", "requests", what)))
		if err != nil || err2 != nil || limit.Cmp(request) < 0 || request.Sign() <= 0 {
			c.addf("%s: %s: request %v, limit %v", o, what, at(container, "resources", "requests", what), at(container, "resources", "limits", what))
		}
	}
	var volumes []string
	for _, v := range append(list(template, "spec", "volumes"), list(o.data, "spec", "volumeClaimTemplates")...) {
		volumes = append(volumes, text(v["name"])+text(at(v, "metadata", "name")))
	}
	for _, m := range list(container, "volumeMounts") {
		mounts = append(mounts, text(m["mountPath"]))
		if !slices.Contains(volumes, text(m["name"])) {
			c.addf("%s mounts %v, which is no volume", o, m["name"])
		}
	}
	return mounts
}

// container checks a container and its image, and the environment of a function's.
func (c *cluster) container(o object, template, container map[string]any) {
	mounts := c.bounded(o, template, container)
	image := text(container["image"])
	name, ours := strings.CutPrefix(image, "ko://github.com/schedgen/schedgen/functions/")
	if !ours {
		c.problems = append(c.problems, c.version(o.String(), strings.Replace(image, "ko://github.com/schedgen/schedgen/deploy/", "schedgen/", 1))...)
		return
	}
	name, _, _ = strings.Cut(name, "/")
	c.compare(o.String()+" image", image, fmt.Sprintf("ko://github.com/schedgen/schedgen/functions/%s/cmd/%s", program(o.name()), program(o.name())))
	c.compare(o.String()+" label of functions", at(template, "metadata", "labels", "schedgen.dev/function"), "true")
	if (name == "upload-ingest" || name == "backup") && !slices.Contains(mounts, "/tmp") {
		c.addf("%s keeps files for a while and has no /tmp", o)
	}
	d := deployed{where: o.String(), function: name, set: c.environment(o, container), platform: []string{"K_SINK"}, files: mounts, job: o.kind() == "Job"}
	if o.kind() == "Service" {
		d.tokenless, d.called = c.tokenless(name), name == "upload-ingest" // by MinIO
	}
	c.problems = append(c.problems, c.Checker.deployed(d)...)
}

// environment is the variables of a container.
func (c *cluster) environment(o object, container map[string]any) map[string]variable {
	set := map[string]variable{}
	for _, from := range list(container, "envFrom") {
		config, _ := c.find("ConfigMap", text(at(from, "configMapRef", "name")))
		for key, value := range labels(config.data["data"]) {
			set[key] = variable{value, true}
		}
		for key, value := range c.secrets.kubernetes[text(at(from, "secretRef", "name"))] {
			set[key] = variable{value, value != ""}
		}
	}
	for _, v := range list(container, "env") {
		name, ref := text(v["name"]), at(v, "valueFrom", "secretKeyRef")
		if _, twice := set[name]; twice && ref == nil {
			c.addf("%s sets %s twice", o, name)
		}
		set[name] = variable{text(v["value"]), ref == nil}
	}
	return set
}

// services wants each function of the scaling table to have a Service that only Traefik's routes lead to.
func (c *cluster) services() {
	for _, name := range c.scaling.Functions() {
		o, ok := c.find(knativeService, name)
		if !ok {
			c.addf("%s: no Service of %s", c.overlay, name)
			continue
		}
		c.compare(o.String()+" visibility", o.at("metadata", "labels", "networking.knative.dev/visibility"), "cluster-local")
		for _, container := range list(o.data, "spec", "template", "spec", "containers") {
			for probe, path := range map[string]string{"readinessProbe": "/ready", "livenessProbe": "/health"} {
				c.compare(o.String()+" "+probe, at(container, probe, "httpGet", "path"), path)
			}
		}
	}
}

// knativeService is the kind, as find takes it; Kubernetes has another Service.
const knativeService = "serving.knative.dev/v1 Service"

func (c *cluster) find(kind, name string) (object, bool) { return find(c.objects, kind, name) }

// find is the object of that kind and name.
func find(objects []object, kind, name string) (object, bool) {
	for _, o := range objects {
		if o.name() == name && (o.kind() == kind || o.apiVersion()+" "+o.kind() == kind) {
			return o, true
		}
	}
	return object{}, false
}
