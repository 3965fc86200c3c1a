// Package manifests checks what is deployed, without a cluster: every overlay is built, every object is
// decoded strictly, every name that one object has of another is looked up, every number is compared with
// the scaling table, and every environment variable with the Config of the function that gets it.
//
// A check takes the files as data and gives the problems that it finds as sentences, so that the tests can
// break the files line by line and see that it tells.
package manifests

import (
	"fmt"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/scaling"
	"github.com/schedgen/schedgen/deploy/platform/internal/settings"
)

// Sources are the paths, from the project's root, of what a Checker needs.
func Sources() []string {
	return []string{"deploy/scaling.json", "deploy/kubernetes", "deploy/compose", "deploy/images", "knative", "stack.yml", "template", "scripts/deploy.sh", ".ko.yaml", "functions", "shared"}
}

// Checker is what the files are compared with.
type Checker struct {
	crds      *Definitions // nil: Knative's and Traefik's own objects are checked for references alone
	secrets   secrets
	scaling   scaling.Table
	functions map[string]function // those that have a folder
}

// function is what the source says of a function.
type function struct {
	settings []settings.Setting
	serving  settings.Serving
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
		if f.serving, err = settings.ServingOf(tree, name); err != nil {
			return nil, err
		}
		c.functions[name] = f
	}
	return c, nil
}

// Check gives every problem of all the files.
func (c *Checker) Check(tree repo.Tree) []string {
	var all []string
	for _, part := range []func(repo.Tree) []string{c.Defaults, c.Cluster, c.Values, c.OpenFaaS, c.Compose, c.Images} {
		all = append(all, part(tree)...)
	}
	return all
}

// CheckFor gives the problems of the files that depend on path: the rest is as it was.
func (c *Checker) CheckFor(tree repo.Tree, path string) []string {
	switch {
	case path == "stack.yml" || path == templateFile:
		return c.OpenFaaS(tree)
	case path == valuesFile:
		return c.Values(tree)
	case path == ".ko.yaml" || strings.HasPrefix(path, "deploy/images/"):
		return c.Images(tree)
	case strings.HasPrefix(path, "deploy/compose/"):
		return c.Compose(tree)
	case strings.HasPrefix(path, "knative/") || strings.HasPrefix(path, "deploy/kubernetes/"):
		tree = withComponents(tree)
		found := c.overlays(tree, above(tree, path))
		if strings.HasPrefix(path, "deploy/kubernetes/") && len(found) == 0 {
			found = c.Compose(tree) // whose servers are compared with these
		}
		return found
	}
	return c.Check(tree)
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

// Defaults compares the functions' own defaults with the scaling table.
func (c *Checker) Defaults(repo.Tree) []string {
	var p problems
	for name, f := range c.functions {
		row, ok := c.scaling[name]
		if !ok {
			p.addf("functions/%s has no row in %s", name, scaling.Path)
			continue
		}
		p.compare(name+": RequestTimeout of its main", f.serving.Timeout.Seconds(), float64(row.TimeoutSeconds))
		concurrency := f.serving.Concurrency
		if concurrency == 0 { // it counts its work itself
			concurrency = f.number("PARSE_CONCURRENCY")
		}
		p.compare(name+": Concurrency of its main", concurrency, row.Concurrency)
	}
	return p
}

// number is the default of a setting that is a number.
func (f function) number(name string) (n int) {
	for _, s := range f.settings {
		if s.Name == name {
			_, _ = fmt.Sscan(s.Default, &n) // 0 is no number of the table
		}
	}
	return n
}

// has says whether the function reads a variable.
func (f function) has(name string) (settings.Setting, bool) {
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
