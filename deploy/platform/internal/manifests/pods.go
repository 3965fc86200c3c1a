package manifests

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// pods wants every pod to be confined: no root, no writable root file system, no capability, no token, and
// limits on what it may take.
func (c *cluster) pods(o object) {
	template, ok := o.podTemplate()
	if !ok {
		return
	}
	spec, _ := template["spec"].(map[string]any)
	inPod, _ := spec["securityContext"].(map[string]any)
	for _, container := range list(spec, "containers") {
		own, _ := container["securityContext"].(map[string]any)
		either := func(keys ...string) any {
			if v := at(own, keys...); v != nil {
				return v
			}
			return at(inPod, keys...)
		}
		c.compare(o.String()+" runAsNonRoot", either("runAsNonRoot"), true)
		c.compare(o.String()+" seccompProfile", either("seccompProfile", "type"), "RuntimeDefault")
		c.compare(o.String()+" allowPrivilegeEscalation", at(own, "allowPrivilegeEscalation"), false)
		c.compare(o.String()+" readOnlyRootFilesystem", at(own, "readOnlyRootFilesystem"), true)
		c.compare(o.String()+" capabilities", at(own, "capabilities", "drop"), "[ALL]")
		if user := text(either("runAsUser")); user == "" || user == "0" {
			c.addf("%s: runAsUser is %q, want a user that is not root", o, user)
		}
		c.bounded(o, container)
		c.mounts(o, spec, container)
		c.image(o, text(container["image"]))
		if path, ok := strings.CutPrefix(text(container["image"]), ours+"functions/"); ok && o.kind() != "Service" {
			name, _, _ := strings.Cut(path, "/")
			c.environment(o, name, container, nil)
			c.amounts(o, container["resources"], name)
			c.keeps(o, name, container)
		}
	}
	c.token(o, spec)
}

// bounded wants requests and limits, and no request above its limit.
func (c *cluster) bounded(o object, container map[string]any) {
	for _, what := range []string{"cpu", "memory"} {
		limit, err := resource.ParseQuantity(text(at(container, "resources", "limits", what)))
		request, err2 := resource.ParseQuantity(text(at(container, "resources", "requests", what)))
		if err != nil || err2 != nil || limit.Cmp(request) < 0 || request.Sign() <= 0 {
			c.addf("%s: %s: request %v, limit %v", o, what, at(container, "resources", "requests", what), at(container, "resources", "limits", what))
		}
	}
}

// mounts wants each mount to have its volume, and each volume its mount.
func (c *cluster) mounts(o object, spec, container map[string]any) {
	volumes := map[string]bool{}
	for _, v := range append(list(spec, "volumes"), claims(o)...) {
		name := text(v["name"])
		if name == "" {
			name = text(at(v, "metadata", "name"))
		}
		volumes[name] = false
	}
	paths := map[string]bool{}
	for _, m := range list(container, "volumeMounts") {
		name, path := text(m["name"]), text(m["mountPath"])
		if _, ok := volumes[name]; !ok {
			c.addf("%s mounts %q, which is no volume", o, name)
		}
		for other := range paths {
			if strings.HasPrefix(path+"/", other+"/") || strings.HasPrefix(other+"/", path+"/") {
				c.addf("%s mounts %s and %s, one inside the other", o, path, other)
			}
		}
		volumes[name], paths[path] = true, true
	}
	for name, used := range volumes {
		if !used {
			c.addf("%s has the volume %q, which is mounted nowhere", o, name)
		}
	}
}

func claims(o object) []map[string]any { return list(o.data, "spec", "volumeClaimTemplates") }

// ours is how ko is told of an image of the project.
const ours = "ko://github.com/schedgen/schedgen/"

// image wants a version: what runs tomorrow is what was tested today.
func (c *cluster) image(o object, image string) {
	if path, ok := strings.CutPrefix(image, ours); ok {
		if !slices.Contains(c.built(), path) {
			c.addf("%s: image %s is none of those that are built: %q", o, image, c.built())
		}
		return
	}
	name, tag, ok := strings.Cut(image, ":")
	if _, known := images[name]; !known || !ok || images[name] != tag {
		c.addf("%s: image %q is none of those that are known: %v", o, image, images)
	}
}

// images are those of others, with the version that everything uses.
var images = map[string]string{
	"postgres": "16", "redis": "7.2", "edoburu/pgbouncer": "v1.24.1-p1", "busybox": "1.37", "traefik": "v3.5",
	"minio/minio": "RELEASE.2025-09-07T16-13-09Z", "minio/mc": "RELEASE.2025-08-13T08-35-41Z",
}

// built are the packages that become images.
func (c *Checker) built() []string {
	all := []string{"deploy/schedgen"}
	for _, name := range c.scaling.Functions() {
		all = append(all, fmt.Sprintf("functions/%s/cmd/%s", name, name))
	}
	return all
}

// token wants no pod to have a way to the API server.
func (c *cluster) token(o object, spec map[string]any) {
	if text(spec["automountServiceAccountToken"]) == "false" {
		return
	}
	account, ok := c.find("ServiceAccount", text(spec["serviceAccountName"]))
	if !ok || text(account.data["automountServiceAccountToken"]) != "false" {
		c.addf("%s gets a token of the API server", o)
	}
}
