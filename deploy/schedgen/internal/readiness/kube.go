package readiness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// namespaces are where the functions and their servers run, on either platform.
var namespaces = []string{"schedgen", "openfaas-fn"}

// kubeServices asks kubectl for what runs in the cluster of its current context. Of secrets only the names are kept.
func (s *system) kubeServices(ctx context.Context) (map[string]service, error) {
	found := objects{values: map[string]map[string]string{}, services: map[string]service{}}
	for _, namespace := range namespaces {
		for _, kinds := range []string{"configmaps", "secrets", "statefulsets.apps,deployments.apps", "services.serving.knative.dev"} {
			out, err := s.Runner(ctx, "kubectl", "--namespace", namespace, "get", kinds, "--ignore-not-found", "--output", "json")
			if err != nil && strings.Contains(err.Error(), "the server doesn't have a resource type") {
				continue // a cluster without Knative
			}
			if err != nil {
				return nil, fmt.Errorf("ask the cluster for %s: %w", kinds, err)
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
	values   map[string]map[string]string // by "ConfigMap/name"
	services map[string]service
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
				o.values[kind+"/"+nameOf(object)] = environmentOf(object["data"])
			case "Secret":
				o.values[kind+"/"+nameOf(object)] = namesOnly(object["data"])
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
		if one.memory, err = parseBytes(memory); err != nil {
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
	one.env = o.environment(container)
	one.command = strings.Join(append(listOf(at(container, "command")), listOf(at(container, "args"))...), " ")
	one.probed = at(container, "readinessProbe") != nil || at(container, "livenessProbe") != nil
	one.storage = at(object, "spec", "volumeClaimTemplates") != nil || at(pod, "volumes") != nil
	return one, nil
}

// environment is what the container is given, also from ConfigMaps and Secrets.
func (o objects) environment(container any) map[string]string {
	all := map[string]string{}
	whole, _ := at(container, "envFrom").([]any)
	for _, source := range whole {
		for key, kind := range map[string]string{"configMapRef": "ConfigMap/", "secretRef": "Secret/"} {
			for name, value := range o.values[kind+text(at(source, key, "name"))] {
				all[name] = value
			}
		}
	}
	single, _ := at(container, "env").([]any)
	for _, one := range single {
		name := text(at(one, "name"))
		all[name] = text(at(one, "value"))
		if at(one, "valueFrom", "secretKeyRef") != nil {
			all[name] = fromSecret
		}
		if from := at(one, "valueFrom", "configMapKeyRef"); from != nil {
			all[name] = o.values["ConfigMap/"+text(at(from, "name"))][text(at(from, "key"))]
		}
	}
	return all
}
