// Package reference writes the page of every environment variable out of the functions' source, so that
// what is documented is what is read.
package reference

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/settings"
)

// Path is where the page is.
const Path = "docs/configuration.md"

const head = `# Configuration

Every function reads environment variables and nothing else. This page is made from the source of their Config
structs by ` + "`make generate`" + `; a test fails where it is not current. Durations are written as Go does: 500ms, 30s, 2m, 24h.
Lists are separated by commas. A renamed setting works under its old name for one more version; the log warns and
gives the new name. A secret is printed as stars wherever it is printed. On OpenFaaS a secret is a file:
` + "`schedgen-session-key`" + ` is SESSION_KEY, and ` + "`schedgen-s3-secret-key.pdf-parse`" + ` is S3_SECRET_KEY of that function alone.

`

// shared is a setting that several functions have, with those that do.
type shared struct {
	settings.Setting
	functions []string
}

// Page is the page. Settings of packages that several functions use are told of once, by package.
func Page(tree repo.Tree) ([]byte, error) {
	functions := settings.Functions(tree)
	var ours []shared // of shared packages, in the order in which they are met
	own := map[string][]settings.Setting{}
	for _, name := range functions {
		all, err := settings.Of(tree, name)
		if err != nil {
			return nil, err
		}
		for _, s := range all {
			if !strings.HasPrefix(s.Package, "shared/") {
				own[name] = append(own[name], s)
				continue
			}
			i := slices.IndexFunc(ours, func(o shared) bool { return o.Name == s.Name && o.Package == s.Package })
			if i < 0 {
				ours, i = append(ours, shared{Setting: s}), len(ours)
			}
			ours[i].functions = append(ours[i].functions, name)
		}
	}
	page := bytes.NewBufferString(head)
	for _, name := range functions {
		fmt.Fprintf(page, "## %s\n\n", name)
		table(page, own[name])
	}
	for _, group := range byPackage(ours) {
		fmt.Fprintf(page, "## %s\n\nRead by %s.\n\n", group[0].Package, strings.Join(readers(group), ", "))
		var rows []settings.Setting
		for _, s := range group {
			rows = append(rows, s.Setting)
		}
		table(page, rows)
	}
	return append(bytes.TrimRight(page.Bytes(), "\n"), '\n'), nil
}

// table writes one row for each setting.
func table(page *bytes.Buffer, rows []settings.Setting) {
	if len(rows) == 0 {
		page.WriteString("Nothing of its own.\n\n")
		return
	}
	page.WriteString("| variable | type | default | meaning |\n|---|---|---|---|\n")
	for _, s := range rows {
		fallback := "none"
		switch {
		case s.Required:
			fallback = "**required**"
		case s.Default != "":
			fallback = "`" + s.Default + "`"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s | %s |\n", s.Name, kind(s.Type), fallback, strings.ReplaceAll(s.Meaning, "|", "\\|"))
	}
	page.WriteString("\n")
}

// kind is a Go type in a reader's words.
func kind(name string) string {
	words := map[string]string{"string": "text", "[]string": "list", "secret.String": "secret text", "[]secret.String": "secret list", "time.Duration": "duration", "bool": "true or false",
		"slog.Level": "debug, info, warn or error", "int": "number", "int32": "number", "int64": "number"}
	if word, ok := words[name]; ok {
		return word
	}
	return name
}

// byPackage groups settings, the packages sorted.
func byPackage(all []shared) [][]shared {
	groups := map[string][]shared{}
	for _, s := range all {
		groups[s.Package] = append(groups[s.Package], s)
	}
	var sorted [][]shared
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		sorted = append(sorted, groups[name])
	}
	return sorted
}

// readers are the functions that read any of the settings.
func readers(group []shared) []string {
	var all []string
	for _, s := range group {
		all = append(all, s.functions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
