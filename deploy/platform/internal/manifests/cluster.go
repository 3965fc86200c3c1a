package manifests

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

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

// withComponents adds an overlay for each component, which is built by those who want it.
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

// serversOverlay is the overlay that the functions' are compared with.
const serversOverlay = "deploy/kubernetes/overlays/production"

func (c *Checker) overlays(tree repo.Tree, all []string) []string {
	var found problems
	servers, err := build(tree, serversOverlay)
	if err != nil {
		found.addf("%v", err)
	}
	for _, overlay := range all {
		objects, err := build(tree, overlay)
		if err != nil {
			found.addf("%v", err)
			continue
		}
		one := &cluster{Checker: c, overlay: overlay, objects: objects}
		one.check()
		if strings.Contains(overlay, "/ingress/") {
			one.follows(tree)
		}
		if strings.HasSuffix(overlay, "/openfaas") && !strings.Contains(overlay, "/ingress/") {
			one.problems = append(one.problems, c.flows(objects, c.wantedOnOpenFaaS())...)
		}
		found = append(found, one.problems...)
		if strings.HasPrefix(overlay, "knative/") {
			found = append(found, c.together(objects, servers)...)
		}
	}
	found = append(found, c.flows(servers, c.wanted())...)
	return append(found, c.arithmetic(tree, servers)...)
}

func (c *cluster) check() {
	seen := map[string]bool{}
	for _, o := range c.objects {
		c.problems = append(c.problems, c.decode(o)...)
		id := o.apiVersion() + o.kind() + o.name()
		if seen[id] {
			c.addf("%s is there twice", o)
		}
		seen[id] = true
		if ns := text(o.at("metadata", "namespace")); o.kind() != "Namespace" && ns != "schedgen" {
			c.addf("%s is in namespace %q, want schedgen", o, ns)
		}
		c.pods(o)
		c.references(o)
		c.consistent(o)
	}
	c.jobs()
	if strings.HasPrefix(c.overlay, "knative/") {
		c.services()
		c.events()
	}
	if strings.Contains(c.overlay, "/ingress/") {
		c.ingress()
	}
}

// find is the object of that kind and name.
func (c *cluster) find(kind, name string) (object, bool) {
	return find(c.objects, kind, name)
}

func find(objects []object, kind, name string) (object, bool) {
	for _, o := range objects {
		if o.name() == name && (o.kind() == kind || o.apiVersion()+" "+o.kind() == kind) {
			return o, true
		}
	}
	return object{}, false
}

// knativeService is the kind, as find takes it, for Kubernetes has another Service.
const knativeService = "serving.knative.dev/v1 Service"

// services compares each function's Service with the scaling table.
func (c *cluster) services() {
	for _, name := range c.scaling.Functions() {
		o, ok := c.find(knativeService, name)
		if !ok {
			c.addf("%s: no Service of %s", c.overlay, name)
			continue
		}
		c.service(o, name)
	}
	for _, o := range c.objects {
		if o.apiVersion() == "serving.knative.dev/v1" {
			if _, ok := c.scaling[o.name()]; !ok {
				c.addf("%s has no row in the scaling table", o)
			}
		}
	}
}

func (c *cluster) service(o object, name string) {
	row := c.scaling[name]
	spec := o.at("spec", "template", "spec")
	notes := o.at("spec", "template", "metadata", "annotations")
	c.compare(o.String()+" containerConcurrency", at(spec, "containerConcurrency"), row.Concurrency)
	c.compare(o.String()+" timeoutSeconds", at(spec, "timeoutSeconds"), row.TimeoutSeconds)
	c.compare(o.String()+" min-scale", at(notes, "autoscaling.knative.dev/min-scale"), row.MinScale)
	c.compare(o.String()+" max-scale", at(notes, "autoscaling.knative.dev/max-scale"), row.MaxScale)
	for key := range labels(notes) {
		if !slices.Contains([]string{"autoscaling.knative.dev/min-scale", "autoscaling.knative.dev/max-scale"}, key) {
			c.addf("%s: annotation %s is none that is known", o, key)
		}
	}
	c.compare(o.String()+" traffic", o.at("spec", "traffic"), "[map[latestRevision:true percent:100]]")
	c.compare(o.String()+" visibility", o.at("metadata", "labels", "networking.knative.dev/visibility"), "cluster-local")
	c.compare(o.String()+" label of functions", o.at("spec", "template", "metadata", "labels", "schedgen.dev/function"), "true")
	c.compare(o.String()+" enableServiceLinks", at(spec, "enableServiceLinks"), false)
	containers := list(spec, "containers")
	if len(containers) != 1 {
		c.addf("%s has %d containers, want 1", o, len(containers))
		return
	}
	one := containers[0]
	c.compare(o.String()+" container's name", one["name"], name)
	c.compare(o.String()+" image", one["image"], fmt.Sprintf("ko://github.com/schedgen/schedgen/functions/%s/cmd/%s", name, name))
	c.amounts(o, at(one, "resources"), name)
	c.probes(o, one)
	set := c.environment(o, name, one, []string{"K_SINK"})
	c.openPaths(o.String(), set, c.tokenless(name))
	if name == "upload-ingest" {
		c.carried(o.String(), set) // by MinIO
	}
	c.keeps(o, name, one)
}

// keeps wants those that keep files for a while to have a place for them.
func (c *cluster) keeps(o object, name string, container map[string]any) {
	if name == "upload-ingest" || name == "backup" {
		mounted := slices.ContainsFunc(list(container, "volumeMounts"), func(m map[string]any) bool { return text(m["mountPath"]) == "/tmp" })
		c.compare(o.String()+" keeps files for a while under /tmp", mounted, true)
	}
}

// amounts compares requests and limits with the table.
func (c *cluster) amounts(o object, resources any, name string) {
	row := c.scaling[name]
	for _, a := range []struct {
		kind, what string
		want       resource.Quantity
	}{
		{"limits", "cpu", row.Limits.CPU}, {"limits", "memory", row.Limits.Memory},
		{"requests", "cpu", row.Requests.CPU}, {"requests", "memory", row.Requests.Memory},
	} {
		got, err := resource.ParseQuantity(text(at(resources, a.kind, a.what)))
		if err != nil || got.Cmp(a.want) != 0 {
			c.addf("%s %s.%s: got %v, want %s", o, a.kind, a.what, at(resources, a.kind, a.what), a.want.String())
		}
	}
}

// probes wants both, on shared/faas's paths, and more patient than the second that a function asks its
// dependencies for.
func (c *cluster) probes(o object, container map[string]any) {
	for probe, path := range map[string]string{"readinessProbe": "/ready", "livenessProbe": "/health"} {
		c.compare(o.String()+" "+probe, at(container, probe, "httpGet", "path"), path)
		var seconds float64
		_, _ = fmt.Sscan(text(at(container, probe, "timeoutSeconds")), &seconds) // 0 is too short
		if seconds < 2 {
			c.addf("%s %s: timeoutSeconds is %v, want 2 at least", o, probe, seconds)
		}
		for _, field := range []string{"periodSeconds", "failureThreshold"} {
			if text(at(container, probe, field)) == "" {
				c.addf("%s %s: no %s", o, probe, field)
			}
		}
	}
}

// events checks the broker, who is told of what, and the schedules.
func (c *cluster) events() {
	for _, o := range c.objects {
		switch o.kind() {
		case "Broker", "Trigger":
			c.delivery(o)
		case "SinkBinding":
			c.target(o, o.at("spec", "subject"), "")
		case "PingSource":
			c.compare(o.String()+" timezone", o.at("spec", "timezone"), "Africa/Johannesburg")
			c.compare(o.String()+" contentType", o.at("spec", "contentType"), "application/json")
			c.data(o)
		}
		for _, field := range []string{"sink", "subscriber"} {
			if to := o.at("spec", field); to != nil {
				c.target(o, at(to, "ref"), text(at(to, "uri")))
			}
		}
	}
	c.schedules()
	c.triggers()
}

// delivery wants what a lost delivery needs.
func (c *cluster) delivery(o object) {
	d := o.at("spec", "delivery")
	for field, want := range map[string]string{"retry": "3", "backoffPolicy": "exponential", "backoffDelay": "PT2S", "timeout": "PT5M"} {
		c.compare(o.String()+" "+field, at(d, field), want)
	}
	c.compare(o.String()+" deadLetterSink", at(d, "deadLetterSink", "ref", "name"), "upload-ingest")
	c.compare(o.String()+" deadLetterSink's path", at(d, "deadLetterSink", "uri"), "/events/dead-letter")
	c.target(o, at(d, "deadLetterSink", "ref"), text(at(d, "deadLetterSink", "uri")))
	if o.kind() == "Trigger" {
		if _, ok := c.find("Broker", text(o.at("spec", "broker"))); !ok {
			c.addf("%s: no Broker %v", o, o.at("spec", "broker"))
		}
	}
}

// target wants an object that is there, and a path that the function has.
func (c *cluster) target(o object, ref any, uri string) {
	kind, name := text(at(ref, "apiVersion"))+" "+text(at(ref, "kind")), text(at(ref, "name"))
	if _, ok := c.find(kind, name); !ok {
		c.addf("%s names %s %s, which is not there", o, kind, name)
	}
	f, known := c.functions[name]
	if known && kind == knativeService && o.kind() != "SinkBinding" {
		if uri == "" {
			uri = "/{$}"
		}
		if !f.routes[uri] {
			c.addf("%s: %s has no path %s", o, name, uri)
		}
	}
}

// schedules wants each task to have one.
func (c *cluster) schedules() {
	for name, want := range map[string]string{
		"sweep": "* * * * * upload-ingest/tasks/sweep", "sweep-google": "* * * * * google-sync/tasks/google",
		"sweep-feeds": "* * * * * calendar-generate/tasks/feeds",
		"backup":      "0 2 * * * backup", "backup-watch": "30 * * * * backup",
	} {
		o, ok := c.find("PingSource", name)
		if !ok {
			c.addf("%s: no PingSource %s", c.overlay, name)
			continue
		}
		if _, asJob := c.find("JobSink", "backup"); name == "backup" {
			c.compare(o.String()+" starts", o.at("spec", "sink", "ref", "kind"), map[bool]string{false: "Service", true: "JobSink"}[asJob])
		}
		got := text(o.at("spec", "schedule")) + " " + text(o.at("spec", "sink", "ref", "name")) + text(o.at("spec", "sink", "uri"))
		c.compare(o.String(), got, want)
	}
}

// data wants what backup tells its tasks by.
func (c *cluster) data(o object) {
	want := map[string]string{"sweep": "sweep", "sweep-google": "sweep", "sweep-feeds": "sweep", "backup": "backup", "backup-watch": "watch"}[o.name()]
	c.compare(o.String()+" data", o.at("spec", "data"), fmt.Sprintf(`{"task":%q}`, want))
}
