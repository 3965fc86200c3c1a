// Package manifests checks what is deployed, without a cluster, for what only this project knows: every object is valid
// and confined and names only what is there; a function gets the variables that it reads; events, schedules, routes and
// network policies lead where the functions receive them, and nowhere else. `make generate` writes the numbers, and
// the checks only compare them with what it would write.
//
// A check takes the files as data and returns each problem as a sentence. The tests can then break the files line by
// line and see that a check reports it.
package manifests

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/scaling"
	"github.com/schedgen/schedgen/deploy/platform/internal/settings"
)

// Sources are the paths, from the project's root, of what a Checker needs.
func Sources() []string {
	return []string{"deploy/scaling.json", "deploy/kubernetes", "deploy/compose", "deploy/monitoring", "deploy/images", "knative", "stack.yml", ".ko.yaml", "functions", "shared"}
}

// Checker is what the files are compared with.
type Checker struct {
	crds      *Definitions
	secrets   secrets
	scaling   scaling.Table
	functions map[string]function // those that have a folder
}

// function is what the source says of a function.
type function struct {
	settings []settings.Setting
	routes   map[string]bool
}

// New reads the functions' source and the scaling table. The secrets are what scripts/secrets.sh prints
// for Kubernetes, for OpenFaaS, and as a new file.
func New(tree repo.Tree, crds *Definitions, kubernetes, openfaas, file []byte) (*Checker, error) {
	c := &Checker{crds: crds, functions: map[string]function{}}
	var err error
	if c.scaling, err = scaling.Read(tree); err != nil {
		return nil, err
	}
	if c.secrets, err = readSecrets(kubernetes, openfaas, file); err != nil {
		return nil, err
	}
	for _, name := range settings.Functions(tree) {
		f := function{routes: settings.Routes(tree, name)}
		if f.settings, err = settings.Of(tree, name); err != nil {
			return nil, err
		}
		c.functions[name] = f
	}
	return c, nil
}

// Check gives every problem of all the files.
func (c *Checker) Check(tree repo.Tree) []string {
	var all []string
	for _, part := range []func(repo.Tree) []string{c.Scaled, c.Images, c.Cluster, c.OpenFaaS, c.Compose, c.Monitoring} {
		all = append(all, part(tree)...)
	}
	return all
}

// Scaled wants the scaling table's numbers in every manifest to be those that `make generate` writes.
func (c *Checker) Scaled(tree repo.Tree) []string {
	var p problems
	files, err := scaling.Apply(tree, c.scaling)
	if err != nil {
		p.addf("%v", err)
	}
	for path, data := range files {
		if !bytes.Equal(tree[path], data) {
			p.addf("%s is not as %s says: run make generate", path, scaling.Path)
		}
	}
	return p
}

// CheckFor returns the problems of the files that depend on path, when the others have none.
func (c *Checker) CheckFor(tree repo.Tree, path string) []string {
	if found := append(c.Scaled(tree), c.Images(tree)...); len(found) > 0 {
		return found
	}
	switch {
	case path == "stack.yml":
		return c.OpenFaaS(tree)
	case strings.HasPrefix(path, "deploy/compose/"):
		return c.Compose(tree)
	case strings.HasPrefix(path, "deploy/monitoring/"):
		return c.Monitoring(tree)
	}
	tree = withComponents(tree)
	return c.overlays(tree, above(tree, path))
}

// above are the overlays that a file is part of; of those that share a base, the one for production.
func above(tree repo.Tree, path string) []string {
	switch {
	case strings.HasPrefix(path, "knative/base/"):
		return []string{"knative/overlays/production"}
	case strings.HasPrefix(path, "knative/components/"):
		return []string{"knative/overlays/with-" + strings.Split(path, "/")[2]}
	case strings.HasPrefix(path, "deploy/kubernetes/base/"):
		return []string{serversOverlay}
	case strings.HasPrefix(path, "deploy/kubernetes/ingress/base/"):
		return []string{"deploy/kubernetes/ingress/knative"}
	}
	var all []string
	for _, overlay := range overlays(tree) {
		if strings.HasPrefix(path, overlay+"/") {
			all = append(all, overlay)
		}
	}
	return all
}

// images are those of others, with the version that everything uses.
var images = map[string]string{
	"postgres": "16", "redis": "7.2", "edoburu/pgbouncer": "v1.24.1-p1", "busybox": "1.37", "traefik": "v3.7",
	"minio/minio": "RELEASE.2025-09-07T16-13-09Z", "minio/mc": "RELEASE.2025-08-13T08-35-41Z",
	"schedgen/schedgen": "",
}

// version wants an image to be one of those, so that what runs everywhere is what was tested.
func (c *Checker) version(where, image string) []string {
	var p problems
	name, tag, _ := strings.Cut(image, ":")
	if want, known := images[name]; !known || tag != want {
		p.addf("%s: image %q is none of %v", where, image, images)
	}
	return p
}

// Images wants ko to build every function, on a base that has no root.
func (c *Checker) Images(tree repo.Tree) []string {
	const file = ".ko.yaml"
	var p problems
	for name := range c.functions {
		if line := fmt.Sprintf("  - {id: %s, dir: functions/%s, main: ./cmd/%s}\n", name, name, name); !bytes.Contains(tree[file], []byte(line)) {
			p.addf("%s does not build %s", file, name)
		}
	}
	for _, line := range []string{"defaultBaseImage: gcr.io/distroless/static-debian12:nonroot\n", "cmd/backup: postgres:" + images["postgres"] + "\n"} {
		if !bytes.Contains(tree[file], []byte(line)) {
			p.addf("%s has no line %q", file, line)
		}
	}
	return p
}

// setting is the variable of that name, if the function reads it.
func (f function) setting(name string) (settings.Setting, bool) {
	i := slices.IndexFunc(f.settings, func(s settings.Setting) bool { return s.Name == name })
	if i < 0 {
		return settings.Setting{}, false
	}
	return f.settings[i], true
}

// problems are sentences.
type problems []string

func (p *problems) addf(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// compare wants two values to be equal.
func (p *problems) compare(what string, got, want any) {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		p.addf("%s: got %s, want %s", what, g, w)
	}
}
