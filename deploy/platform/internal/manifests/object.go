package manifests

import (
	"fmt"
	"path"
	"strings"

	"sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// object is one Kubernetes object as it would be sent to the API server.
type object struct {
	overlay string
	raw     []byte // JSON
	data    map[string]any
}

func (o object) String() string { return fmt.Sprintf("%s: %s %s", o.overlay, o.kind(), o.name()) }

func (o object) kind() string       { return text(o.data["kind"]) }
func (o object) apiVersion() string { return text(o.data["apiVersion"]) }
func (o object) name() string       { return text(o.at("metadata", "name")) }

// at is the value under these keys, or nil.
func (o object) at(keys ...string) any { return at(o.data, keys...) }

func at(value any, keys ...string) any {
	for _, key := range keys {
		fields, _ := value.(map[string]any)
		value = fields[key]
	}
	return value
}

// list is the value under these keys as a list of maps.
func list(value any, keys ...string) []map[string]any {
	items, _ := at(value, keys...).([]any)
	all := make([]map[string]any, 0, len(items))
	for _, item := range items {
		fields, _ := item.(map[string]any)
		all = append(all, fields)
	}
	return all
}

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// labels are those of a map of labels.
func labels(value any) map[string]string {
	fields, _ := value.(map[string]any)
	all := map[string]string{}
	for name, v := range fields {
		all[name] = text(v)
	}
	return all
}

// podTemplate is where the object has its pods' specification, and whether it has one.
func (o object) podTemplate() (map[string]any, bool) {
	where := []string{"spec", "template"}
	if o.kind() == "JobSink" {
		where = []string{"spec", "job", "spec", "template"}
	}
	template, ok := o.at(where...).(map[string]any)
	return template, ok
}

// Overlays are the folders that are built and applied.
func overlays(tree repo.Tree) []string {
	var all []string
	for _, file := range append(tree.Under("knative/"), tree.Under("deploy/kubernetes/")...) {
		dir := path.Dir(file)
		if path.Base(file) == "kustomization.yaml" && !strings.HasSuffix(dir, "/base") && !strings.Contains(dir, "/components/") {
			all = append(all, dir)
		}
	}
	return all
}

// build is what kustomize makes of a folder.
func build(tree repo.Tree, overlay string) ([]object, error) {
	files := filesys.MakeFsInMemory()
	for name, data := range tree {
		if strings.HasPrefix(name, "knative/") || strings.HasPrefix(name, "deploy/kubernetes/") || strings.HasPrefix(name, "deploy/monitoring/") {
			if err := files.WriteFile("/"+name, data); err != nil {
				return nil, err
			}
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(files, "/"+overlay)
	if err != nil {
		return nil, fmt.Errorf("%s: kustomize: %w", overlay, err)
	}
	var all []object
	for _, resource := range built.Resources() {
		raw, err := resource.MarshalJSON()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", overlay, err)
		}
		var data map[string]any
		if err := json.UnmarshalCaseSensitivePreserveInts(raw, &data); err != nil {
			return nil, fmt.Errorf("%s: %w", overlay, err)
		}
		all = append(all, object{overlay: overlay, raw: raw, data: data})
	}
	return all, nil
}
