package readiness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// namespaces are where the functions and their servers run, on either platform.
var namespaces = []string{"schedgen", "openfaas-fn"}

// knative is its kind of service, which not each cluster has.
const knative = "services.serving.knative.dev"

// kubeServices asks kubectl for what runs in the cluster of its current context. Of secrets only the names are kept.
func (s *system) kubeServices(ctx context.Context) (map[string]service, error) {
	found := objects{values: map[string]map[string]string{}, services: map[string]service{}, live: true}
	for _, namespace := range namespaces {
		for _, kinds := range []string{"configmaps", "secrets", "statefulsets.apps,deployments.apps", knative} {
			out, err := s.Runner(ctx, "kubectl", "--namespace", namespace, "get", kinds, "--ignore-not-found", "--output", "json")
			if err != nil && kinds == knative && strings.Contains(err.Error(), "the server doesn't have a resource type") {
				continue // a cluster without Knative
			}
			if err != nil {
				return nil, notLooked{fmt.Sprintf("the cluster does not tell its %s: %v", kinds, err), "kubectl --namespace " + namespace + " get " + kinds + ", with rights to read them"}
			}
			if err := found.read(out); err != nil {
				return nil, err
			}
		}
	}
	if len(found.services) == 0 {
		return nil, fmt.Errorf("nothing of schedgen runs in the namespaces %s of the cluster", strings.Join(namespaces, " and "))
	}
	return found.services, nil
}

// manifestServices reads what kustomize wrote.
func manifestServices(file string) (map[string]service, error) {
	written, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the deployment: %w", err)
	}
	found := objects{values: map[string]map[string]string{}, services: map[string]service{}}
	if err := found.read(written); err != nil {
		return nil, err
	}
	return found.services, nil
}

// objects are those of a cluster: the values of ConfigMaps and the names of those of Secrets, and what runs.
type objects struct {
	values   map[string]map[string]string // by "namespace/ConfigMap/name"
	services map[string]service
	live     bool // they are of a cluster, which tells what of them runs
}

// read takes documents of YAML or JSON: objects, or lists of them. ConfigMaps come before what names them.
func (o objects) read(written []byte) error {
	var later []map[string]any
	documents := yaml.NewDecoder(bytes.NewReader(written))
	for {
		var document map[string]any
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read the cluster's objects: %w", err)
		}
		list, _ := document["items"].([]any)
		if list == nil {
			list = []any{document}
		}
		for _, entry := range list {
			object, _ := entry.(map[string]any)
			switch kind := text(object["kind"]); kind {
			case "ConfigMap":
				o.values[namespaceOf(object)+"/"+kind+"/"+nameOf(object)] = environmentOf(object["data"])
			case "Secret":
				names := namesOnly(object["data"])
				maps.Copy(names, namesOnly(object["stringData"]))
				o.values[namespaceOf(object)+"/"+kind+"/"+nameOf(object)] = names
			case "Service", "Deployment", "StatefulSet":
				later = append(later, object)
			}
		}
	}
	for _, object := range later {
		if at(object, "spec", "template") == nil {
			continue // a Service of the core, which runs nothing
		}
		one, err := o.service(object)
		if err != nil {
			return fmt.Errorf("%s: %w", nameOf(object), err)
		}
		o.services[nameOf(object)] = one
	}
	return nil
}

func nameOf(object map[string]any) string { return text(at(object, "metadata", "name")) }

func namespaceOf(object map[string]any) string { return text(at(object, "metadata", "namespace")) }

func namesOnly(data any) map[string]string {
	all := environmentOf(data)
	for name, value := range all {
		if value != "" {
			all[name] = fromSecret
		}
	}
	return all
}

// service reads one that runs: its first container is the program.
func (o objects) service(object map[string]any) (one service, err error) {
	pod := at(object, "spec", "template", "spec")
	containers, _ := at(pod, "containers").([]any)
	if len(containers) == 0 {
		return one, errors.New("it has no container")
	}
	container := containers[0]
	if cpus := text(at(container, "resources", "limits", "cpu")); cpus != "" {
		if one.cpus, err = parseCPUs(cpus); err != nil {
			return one, fmt.Errorf("read its limit of CPU: %w", err)
		}
	}
	if memory := text(at(container, "resources", "limits", "memory")); memory != "" {
		if one.memory, err = parseQuantity(memory); err != nil {
			return one, fmt.Errorf("read its limit of memory: %w", err)
		}
	}
	one.replicas = 1
	for _, n := range []any{at(object, "spec", "replicas"), at(object, "spec", "template", "metadata", "annotations", "autoscaling.knative.dev/max-scale"),
		at(object, "spec", "template", "metadata", "labels", "com.openfaas.scale.max")} {
		if n != nil {
			_, err = fmt.Sscan(text(n), &one.replicas)
		}
	}
	if err != nil {
		return one, fmt.Errorf("read how many run: %w", err)
	}
	one.env, one.open = o.environment(namespaceOf(object), container)
	one.command = strings.Join(append(listOf(at(container, "command")), listOf(at(container, "args"))...), " ")
	for _, probe := range []string{"readinessProbe", "livenessProbe"} {
		about, _ := at(container, probe).(map[string]any)
		one.probed = one.probed || len(about) > 0
	}
	one.storage = claimed(object, pod, container)
	if o.live {
		one.fault = unready(object)
	}
	return one, nil
}

// claimed are the folders of a container that are on claimed volumes: others go with its pod.
func claimed(object map[string]any, pod, container any) (folders []string) {
	var claims []string
	templates, _ := at(object, "spec", "volumeClaimTemplates").([]any)
	for _, template := range templates {
		claims = append(claims, text(at(template, "metadata", "name")))
	}
	volumes, _ := at(pod, "volumes").([]any)
	for _, volume := range volumes {
		if at(volume, "persistentVolumeClaim") != nil {
			claims = append(claims, text(at(volume, "name")))
		}
	}
	mounts, _ := at(container, "volumeMounts").([]any)
	for _, mount := range mounts {
		if slices.Contains(claims, text(at(mount, "name"))) && text(at(mount, "readOnly")) != "true" {
			folders = append(folders, text(at(mount, "mountPath")))
		}
	}
	return folders
}

// unready says why an object of a cluster is not what runs; "" if it is.
func unready(object map[string]any) string {
	number := func(names ...string) (n int) {
		_, _ = fmt.Sscan(text(at(object, names...)), &n) // what is not told is 0
		return n
	}
	conditions, _ := at(object, "status", "conditions").([]any)
	if strings.HasPrefix(text(object["apiVersion"]), "serving.knative.dev/") {
		for _, c := range conditions {
			if text(at(c, "type")) == "Ready" && text(at(c, "status")) == "True" {
				return ""
			}
		}
		return "it is not ready: its newest version does not serve"
	}
	wanted := 1
	if at(object, "spec", "replicas") != nil {
		wanted = number("spec", "replicas")
	}
	ready, updated := number("status", "readyReplicas"), number("status", "updatedReplicas")
	switch {
	case number("status", "observedGeneration") < number("metadata", "generation"):
		return "the cluster has not taken its newest version up"
	case ready < wanted:
		return fmt.Sprintf("%d of %d are ready", ready, wanted)
	case updated < wanted:
		return fmt.Sprintf("%d of %d are of its newest version", updated, wanted)
	}
	return ""
}

// parseQuantity reads bytes as Kubernetes writes them: 2Gi counts in 1024, 2G in 1000.
func parseQuantity(text string) (int64, error) {
	if strings.HasSuffix(text, "i") {
		return parseBytes(text)
	}
	factor := 1.0
	for _, unit := range []struct {
		suffix string
		factor float64
	}{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}} {
		if number, has := strings.CutSuffix(text, unit.suffix); has {
			text, factor = number, unit.factor
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	return int64(n * factor), err
}

// environment is what the container is given, also from ConfigMaps and Secrets. It is open where one of these was not seen.
func (o objects) environment(namespace string, container any) (all map[string]string, open bool) {
	all = map[string]string{}
	seen := func(kind string, ref any) (map[string]string, bool) {
		values, found := o.values[namespace+"/"+kind+"/"+text(at(ref, "name"))]
		return values, found
	}
	kinds := [][2]string{{"configMap", "ConfigMap"}, {"secret", "Secret"}}
	whole, _ := at(container, "envFrom").([]any)
	for _, source := range whole {
		for _, kind := range kinds {
			ref := at(source, kind[0]+"Ref")
			values, found := seen(kind[1], ref)
			absent := o.live && text(at(ref, "optional")) == "true" // a cluster has what it is given
			open = open || ref != nil && !found && !absent
			for name, value := range values {
				all[text(at(source, "prefix"))+name] = value
			}
		}
	}
	single, _ := at(container, "env").([]any)
	for _, one := range single {
		name := text(at(one, "name"))
		all[name] = text(at(one, "value"))
		from := at(one, "valueFrom")
		if from == nil {
			continue
		}
		all[name] = unknownSource
		for _, kind := range kinds {
			ref := at(from, kind[0]+"KeyRef")
			if values, found := seen(kind[1], ref); found {
				all[name] = values[text(at(ref, "key"))]
			}
		}
	}
	return all, open
}
