package manifests

import (
	"bytes"
	"fmt"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"

	"go.yaml.in/yaml/v3"
)

// monitoringOverlay is what watches a cluster.
const monitoringOverlay = "deploy/monitoring"

// monitoringSecrets are those that the operator makes, with their keys.
var monitoringSecrets = map[string]string{"grafana": "password", "alertmanager": "smtp-password"}

// mounted is where a ConfigMap must be mounted, and which files of deploy/monitoring it must have: all of them.
var mounted = map[string]struct{ at, files string }{
	"prometheus":          {"/etc/prometheus/config", "prometheus/kubernetes.yml"},
	"prometheus-rules":    {"/etc/prometheus/rules", "rules/"},
	"alertmanager":        {"/etc/alertmanager", "alertmanager/"},
	"grafana-datasources": {"/etc/grafana/provisioning/datasources", "grafana/provisioning/datasources/"},
	"grafana-providers":   {"/etc/grafana/provisioning/dashboards", "grafana/provisioning/dashboards/"},
	"grafana-dashboards":  {"/etc/grafana/dashboards", "dashboards/json/"},
}

// Monitoring checks what watches a cluster: its objects, that each file of deploy/monitoring is mounted where it is
// read, and that Prometheus, and nobody else, reaches all that it asks.
func (c *Checker) Monitoring(tree repo.Tree) []string {
	var p problems
	ours, err := build(tree, monitoringOverlay)
	if err != nil {
		p.addf("%v", err)
		return p
	}
	servers, err := build(tree, serversOverlay)
	if err != nil {
		p.addf("%v", err)
		return p
	}
	m := &cluster{Checker: c, overlay: monitoringOverlay, objects: append(servers, ours...)}
	for _, o := range ours {
		m.watcher(o, tree)
	}
	m.files(tree)
	m.flows(m.objects, m.asked(tree))
	return m.problems
}

// watcher checks one object.
func (m *cluster) watcher(o object, tree repo.Tree) {
	m.problems = append(m.problems, m.decode(o)...)
	if o.kind() == "Service" {
		m.leadsToPods(o)
	}
	template, ok := o.podTemplate()
	if !ok {
		return
	}
	pod, ok := m.podOf(o, template)
	if !ok {
		return
	}
	if o.name() == "node-exporter" { // it reads the machine, and is as restricted as the others otherwise
		pod.Spec.Volumes = slices.DeleteFunc(pod.Spec.Volumes, func(v core.Volume) bool { return v.HostPath != nil })
	}
	m.restricted(o, pod)
	if token := pod.Spec.AutomountServiceAccountToken; (token == nil || *token) && o.name() != "prometheus" {
		m.addf("%s gets a token of the API server", o)
	}
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil && monitoringSecrets[v.Secret.SecretName] == "" {
			m.addf("%s mounts the Secret %s, which nobody makes", o, v.Secret.SecretName)
		}
	}
	for _, container := range list(template, "spec", "containers") {
		m.bounded(o, template, container)
	}
	for _, container := range pod.Spec.Containers {
		if container.ReadinessProbe == nil || container.LivenessProbe == nil {
			m.addf("%s lacks probes", o)
		}
		if !bytes.Contains(tree["deploy/compose/compose.monitoring.yml"], []byte("image: "+container.Image+"\n")) {
			m.addf("%s: image %s is not the one of compose", o, container.Image)
		}
		m.passwords(o, container.Env)
	}
}

// leadsToPods wants each port of a Service to be one of a pod.
func (m *cluster) leadsToPods(o object) {
	ports := list(o.data, "spec", "ports")
	if len(ports) == 0 {
		m.addf("%s has no port", o)
	}
	for _, port := range ports {
		if len(m.behind(o, text(port["port"]))) == 0 {
			m.addf("%s leads from %v to no port of a pod", o, port["port"])
		}
	}
}

// passwords wants variables to be written out, or to come from a Secret that somebody makes.
func (m *cluster) passwords(o object, variables []core.EnvVar) {
	for _, v := range variables {
		switch {
		case v.ValueFrom == nil:
		case v.ValueFrom.SecretKeyRef == nil:
			m.addf("%s: %s comes from neither the manifest nor a Secret", o, v.Name)
		default:
			name, key := v.ValueFrom.SecretKeyRef.Name, v.ValueFrom.SecretKeyRef.Key
			if _, server := m.secrets.kubernetes[name][key]; !server && monitoringSecrets[name] != key {
				m.addf("%s names the Secret %s with the key %s, which nobody makes", o, name, key)
			}
		}
	}
}

// files wants each ConfigMap to have the files of its folder, and to be mounted where they are read.
func (m *cluster) files(tree repo.Tree) {
	for name, want := range mounted {
		var generated object
		for _, o := range m.objects {
			if stem := strings.TrimRight(o.name(), "0123456789bcdfghkmt"); o.kind() == "ConfigMap" && stem == name+"-" {
				generated = o
			}
		}
		inside := labels(generated.at("data"))
		for _, file := range tree.Under(monitoringOverlay + "/" + want.files) {
			if inside[path.Base(file)] != string(tree[file]) {
				m.addf("%s is not in the ConfigMap %s", file, name)
			}
		}
		found := false
		for _, o := range m.objects {
			template, _ := o.podTemplate()
			for _, v := range list(template, "spec", "volumes") {
				if text(at(v, "configMap", "name")) != generated.name() || generated.name() == "" {
					continue
				}
				for _, container := range list(template, "spec", "containers") {
					found = found || slices.ContainsFunc(list(container, "volumeMounts"), func(mount map[string]any) bool {
						return mount["name"] == v["name"] && mount["mountPath"] == want.at
					})
				}
			}
		}
		if !found {
			m.addf("the ConfigMap %s is not mounted at %s", name, want.at)
		}
	}
	if p, _ := m.find("StatefulSet", "prometheus"); !strings.Contains(fmt.Sprint(p.data), "--config.file=/etc/prometheus/config/kubernetes.yml") {
		m.addf("Prometheus does not read its configuration")
	}
}

// watching is a pod of ours in the namespace of what watches.
func watching(name string) end {
	return end{name: name, namespace: "monitoring", labels: map[string]string{nameLabel: name}}
}

// asked are the ways to all that Prometheus' configuration names, which it has and others have not, and those of the
// rest.
func (m *cluster) asked(tree repo.Tree) []flow {
	prometheus, internet := watching("prometheus"), end{name: "the internet", address: "203.0.113.7"}
	dns, stranger := outside("kube-system"), watching("a stranger")
	all := []flow{{prometheus, dns, 53, true}, {prometheus, internet, 25, false}, {prometheus, end{name: "the API server", address: "10.0.0.1"}, 443, true},
		{prometheus, end{name: "the API server's node", address: "192.168.0.1"}, 6443, true},
		{watching("grafana"), prometheus, 9090, true}, {stranger, prometheus, 9090, false}, {outside("default"), watching("grafana"), 3000, false},
		{watching("grafana"), dns, 53, true}, {watching("grafana"), internet, 443, false}, {watching("node-exporter"), internet, 443, false},
		{watching("alertmanager"), dns, 53, true}, {prometheus, pod("postgres", false), 5432, false}, {watching("grafana"), watching("alertmanager"), 9093, false},
		{pod("postgres-exporter", false), pod("postgres", false), 5432, true}, {pod("redis-exporter", false), pod("redis", false), 6379, true},
		{pod("redis-exporter", false), pod("postgres", false), 5432, false}, {pod("postgres-exporter", false), pod("redis", false), 6379, false},
		{pod("postgres-exporter", false), internet, 443, false}, {pod("redis-exporter", false), internet, 443, false},
		{pod("upload-ingest", true), watching("collector"), 4318, true}}
	for _, port := range []int{443, 465, 587} {
		all = append(all, flow{watching("alertmanager"), internet, port, true})
		for _, private := range []string{"10.1.2.3", "172.20.1.2", "192.168.1.2", "169.254.169.254"} {
			all = append(all, flow{watching("alertmanager"), end{name: private, address: private}, port, false})
		}
	}
	var config struct {
		Jobs []struct {
			Name   string                       `yaml:"job_name"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal(tree[monitoringOverlay+"/prometheus/kubernetes.yml"], &config); err != nil {
		m.addf("Prometheus' configuration: %v", err)
	}
	for _, job := range config.Jobs {
		if job.Name == "containers" || job.Name == "prometheus" {
			continue // by way of the API server; itself
		}
		if len(job.Static) == 0 {
			ends, port := m.targets(job.Name)
			all = append(all, m.reached(job.Name, ends, port)...)
		}
		for _, static := range job.Static {
			for _, target := range static.Targets {
				ends, port := m.service(target)
				all = append(all, m.reached(target, ends, port)...)
			}
		}
	}
	return all
}

// reached are the ways to what a job or an address leads to: Prometheus has them, and others have not.
func (m *cluster) reached(what string, ends []end, port int) (all []flow) {
	if len(ends) == 0 {
		m.addf("Prometheus finds nothing at %s", what)
	}
	prometheus := watching("prometheus")
	for _, e := range ends {
		all = append(all, flow{prometheus, e, port, true}, flow{prometheus, e, port + 1, false})
		if len(e.labels) > 0 && e.namespace != "openfaas-fn" {
			all = append(all, flow{outside("default"), e, port, false}, flow{pod("a stranger", false), e, port, false})
		}
		if e.namespace == "monitoring" || strings.HasSuffix(e.name, "-exporter") {
			all = append(all, flow{watching("a stranger"), e, port, false})
		}
	}
	return all
}

// targets are the pods that a job finds by itself, and the port at which it asks them.
func (m *cluster) targets(job string) ([]end, int) {
	switch job {
	case "functions":
		ends := []end{{name: "OpenFaaS' functions", namespace: "openfaas-fn", labels: map[string]string{"faas_function": "web"}}}
		for _, name := range m.scaling.Functions() {
			ends = append(ends, pod(name, true))
		}
		return ends, 8080
	case "node":
		if o, _ := m.find("DaemonSet", "node-exporter"); strings.Contains(fmt.Sprint(o.data), "containerPort:9100") {
			return []end{watching("node-exporter")}, 9100
		}
	case "traefik":
		return []end{outside("traefik")}, 9100
	}
	return nil, 0
}

// service are the pods behind an address, name.namespace:port, and the port.
func (m *cluster) service(target string) (ends []end, port int) {
	host, number, err := net.SplitHostPort(target)
	port, err2 := strconv.Atoi(number)
	if err != nil || err2 != nil {
		m.addf("%s is no address", target)
	}
	name, namespace, elsewhere := strings.Cut(host, ".")
	if !elsewhere {
		namespace = "monitoring"
	}
	for _, o := range m.objects {
		if o.kind() == "Service" && o.name() == name && text(o.at("metadata", "namespace")) == namespace {
			ends = append(ends, m.behind(o, number)...)
		}
	}
	return ends, port
}

// behind are the pods to which a port of a Service leads.
func (m *cluster) behind(service object, port string) (ends []end) {
	namespace := text(service.at("metadata", "namespace"))
	for _, o := range m.objects {
		template, ok := o.podTemplate()
		selector := map[string]any{"matchLabels": service.at("spec", "selector")}
		if !ok || text(o.at("metadata", "namespace")) != namespace || !matches(selector, labels(at(template, "metadata", "labels"))) {
			continue
		}
		for _, p := range list(service.data, "spec", "ports") {
			if text(p["port"]) == port && leadsTo(p, template) {
				ends = append(ends, end{name: o.name(), namespace: namespace, labels: labels(at(template, "metadata", "labels"))})
			}
		}
	}
	return ends
}
