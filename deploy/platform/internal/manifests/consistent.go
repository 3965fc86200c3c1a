package manifests

import (
	"slices"
	"strings"
)

// consistent wants an object to agree with itself: names and labels that say the same, probes and volumes
// that fit the container, commands that read what is set.
func (c *cluster) consistent(o object) {
	switch o.kind() {
	case "Namespace":
		c.compare(o.String(), o.name()+" "+text(o.at("metadata", "labels", "pod-security.kubernetes.io/enforce")), "schedgen restricted")
	case "PodDisruptionBudget":
		c.compare(o.String()+" selects", o.at("spec", "selector", "matchLabels", nameLabel), o.name())
		c.compare(o.String()+" allows", text(o.at("spec", "maxUnavailable"))+text(o.at("spec", "minAvailable")), disruptions(o.name()))
	case "SinkBinding":
		c.compare(o.String()+" binds", o.at("spec", "subject", "name"), o.name())
	case "StatefulSet":
		for _, claim := range claims(o) {
			c.compare(o.String()+" volume", at(claim, "spec", "accessModes"), "[ReadWriteOnce]")
		}
		if _, ok := c.find("v1 Service", text(o.at("spec", "serviceName"))); !ok {
			c.addf("%s: no Service %v", o, o.at("spec", "serviceName"))
		}
	}
	template, ok := o.podTemplate()
	if !ok {
		return
	}
	for _, from := range []any{at(template, "metadata", "labels"), o.at("spec", "selector", "matchLabels")} {
		if from != nil {
			c.compare(o.String()+" label of its pods", at(from, nameLabel), program(o.name()))
		}
	}
	c.compare(o.String()+" part-of", at(template, "metadata", "labels", "app.kubernetes.io/part-of"), "schedgen")
	if own := o.at("metadata", "labels"); own != nil && o.kind() == "Service" {
		c.compare(o.String()+" labels", text(at(own, nameLabel))+" "+text(at(own, "app.kubernetes.io/part-of")), o.name()+" schedgen")
	}
	for _, container := range list(template, "spec", "containers") {
		c.container(o, template, container)
	}
}

const nameLabel = "app.kubernetes.io/name"

// disruptions are how many may go, of those that are several, or that none may go by itself.
func disruptions(name string) string {
	if name == "postgres" || name == "minio" {
		return "0"
	}
	return "1"
}

func (c *cluster) container(o object, template, container map[string]any) {
	c.compare(o.String()+" name of its container", container["name"], program(o.name()))
	if strings.HasPrefix(text(container["image"]), ours) {
		user := text(at(container, "securityContext", "runAsUser")) + text(at(template, "spec", "securityContext", "runAsUser"))
		c.compare(o.String()+" user", user, "65532")
	}
	if o.kind() == "JobSink" || o.kind() == "Job" {
		if policy := text(at(template, "spec", "restartPolicy")); policy != "Never" && policy != "OnFailure" {
			c.addf("%s: restartPolicy %q", o, policy)
		}
		c.once(o, template, container)
	}
	ports := map[string]bool{}
	for _, port := range list(container, "ports") {
		ports[text(port["name"])] = true
	}
	for _, probe := range []string{"readinessProbe", "livenessProbe"} {
		for _, sort := range []string{"httpGet", "tcpSocket"} {
			if port := text(at(container, probe, sort, "port")); port != "" && !ports[port] {
				c.addf("%s: its %s asks the port %s, which it does not have", o, probe, port)
			}
		}
	}
	c.paths(o, container)
	c.expanded(o, container)
}

// expanded wants what a shell takes from a variable to be set, and both health checks of MinIO to be its own.
func (c *cluster) expanded(o object, container map[string]any) {
	set := c.variables(container)
	for _, word := range words(container["args"], container["command"]) {
		if name := strings.Trim(word, `"`); strings.HasPrefix(name, "$") {
			if _, ok := set[name[1:]]; !ok {
				c.addf("%s: its command reads %s, which is not set", o, name)
			}
		}
	}
	if o.name() == "minio" {
		endpoint := "http://upload-ingest.schedgen.svc.cluster.local/events/s3"
		if strings.HasSuffix(c.overlay, "/openfaas") {
			endpoint = "http://gateway.openfaas.svc.cluster.local:8080/function/upload-ingest/events/s3"
		}
		c.compare(o.String()+" tells", set["MINIO_NOTIFY_WEBHOOK_ENDPOINT_SCHEDGEN"], endpoint)
		c.compare(o.String()+" probes", text(at(container, "readinessProbe", "httpGet", "path"))+" "+text(at(container, "livenessProbe", "httpGet", "path")), "/minio/health/ready /minio/health/live")
	}
	if o.name() == "pgbouncer" {
		c.compare(o.String()+" runs", container["command"], "[pgbouncer /etc/pgbouncer/pgbouncer.ini]")
	}
	for _, probe := range []string{"readinessProbe", "livenessProbe"} {
		if command := at(container, probe, "exec", "command"); command != nil {
			c.compare(o.String()+" "+probe, command, "[pg_isready -U schedgen -h 127.0.0.1]")
		}
	}
}

// once checks what a Job runs.
func (c *cluster) once(o object, template, container map[string]any) {
	want := map[string]string{"migrate": "[migrate]", "backup": "[run]", "restore": "[restore]", "minio-setup": "[sh /setup/minio-setup.sh]"}[o.name()]
	c.compare(o.String()+" runs", text(container["args"])+text(container["command"]), want)
	function := at(template, "metadata", "labels", "schedgen.dev/function")
	if (program(o.name()) == "backup") != (text(function) == "true") {
		c.addf("%s: label schedgen.dev/function is %v", o, function)
	}
	if o.name() == "minio-setup" && o.at("spec", "ttlSecondsAfterFinished") == nil {
		c.addf("%s stays when it is done, and what is applied over it is refused", o)
	}
	if o.name() == "restore" {
		c.compare(o.String()+" tries again", o.at("spec", "backoffLimit"), 0)
		c.writes(o, container)
	}
}

// writes wants a restore to have MinIO's own user: no function's may write the PDFs of all.
func (c *cluster) writes(o object, container map[string]any) {
	for variable, key := range map[string]string{"S3_ACCESS_KEY": "MINIO_ROOT_USER", "S3_SECRET_KEY": "MINIO_ROOT_PASSWORD"} {
		i := slices.IndexFunc(list(container, "env"), func(v map[string]any) bool { return v["name"] == variable })
		if i < 0 {
			c.addf("%s does not set %s", o, variable)
			continue
		}
		ref := at(list(container, "env")[i], "valueFrom", "secretKeyRef")
		c.compare(o.String()+" "+variable, text(at(ref, "name"))+" "+text(at(ref, "key")), "schedgen-minio "+key)
	}
}

// jobs wants a folder that is applied by itself to make the Job of its name.
func (c *cluster) jobs() {
	name := strings.TrimPrefix(c.overlay, "deploy/kubernetes/")
	if _, ok := c.find("Job", name); !ok && slices.Contains([]string{"backup", "migrate", "restore"}, name) {
		c.addf("%s makes no Job of that name", c.overlay)
	}
}

// paths wants a file or directory that is named by a variable or an argument to be on a mount.
func (c *cluster) paths(o object, container map[string]any) {
	var mounts []string
	for _, m := range list(container, "volumeMounts") {
		mounts = append(mounts, text(m["mountPath"]))
	}
	named := words(container["args"], container["command"])
	for _, variable := range list(container, "env") {
		if text(variable["name"]) != "OPEN_PATHS" { // paths of requests
			named = append(named, text(variable["value"]))
		}
	}
	for _, word := range named {
		if strings.HasPrefix(word, "/") && !slices.ContainsFunc(mounts, func(m string) bool { return word == m || strings.HasPrefix(word, m+"/") }) {
			c.addf("%s names %s, which is on none of its mounts %q", o, word, mounts)
		}
	}
}

// words are the arguments of a container, and what a shell would make of them.
func words(values ...any) []string {
	var all []string
	for _, value := range values {
		items, _ := value.([]any)
		for _, item := range items {
			all = append(all, strings.Fields(text(item))...)
		}
	}
	return all
}
