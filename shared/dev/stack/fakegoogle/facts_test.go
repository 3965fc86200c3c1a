package fakegoogle

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write facts.json from Google's description")

// description is Google's document, as far as it is compared.
type description struct {
	Parameters map[string]theirParam
	Resources  map[string]struct {
		Methods map[string]struct {
			ID         string
			HTTPMethod string
			Path       string
			Parameters map[string]theirParam
			Request    struct {
				Ref string `json:"$ref"`
			}
			Scopes []string
		}
	}
	Schemas map[string]theirField
}

type theirParam struct {
	Location, Type, Format, Minimum, Maximum string
	Enum                                     []string
	Required, Repeated                       bool
}

type theirField struct {
	Type, Format         string
	Ref                  string `json:"$ref"`
	Enum                 []string
	Items                *theirField
	Properties           map[string]theirField
	AdditionalProperties *theirField
	Annotations          struct{ Required []string }
}

// served are the resources that the server has.
var served = []string{"events", "calendars", "calendarList", "colors"}

func factsOf(d description) facts {
	f := facts{Common: params(d.Parameters), Methods: map[string]method{}, Schemas: map[string]field{}}
	for name, resource := range d.Resources {
		if !slices.Contains(served, name) {
			continue
		}
		for _, m := range resource.Methods {
			f.Methods[m.ID] = method{HTTP: m.HTTPMethod, Path: m.Path, Params: params(m.Parameters), Body: m.Request.Ref, Scopes: m.Scopes}
			addSchema(f.Schemas, d.Schemas, m.Request.Ref)
		}
	}
	return f
}

func params(theirs map[string]theirParam) map[string]param {
	ours := make(map[string]param, len(theirs))
	for name, p := range theirs {
		ours[name] = param{In: p.Location, Type: p.Type, Format: p.Format, Enum: p.Enum, Min: p.Minimum, Max: p.Maximum, Required: p.Required, Repeated: p.Repeated}
	}
	return ours
}

// addSchema adds a schema and those it refers to.
func addSchema(ours map[string]field, theirs map[string]theirField, name string) {
	if _, done := ours[name]; done || name == "" {
		return
	}
	ours[name] = field{}
	ours[name] = fieldOf(theirs[name], func(ref string) { addSchema(ours, theirs, ref) })
}

func fieldOf(t theirField, refer func(string)) field {
	f := field{Type: t.Type, Format: t.Format, Enum: t.Enum, Ref: t.Ref, Required: t.Annotations.Required}
	if t.Ref != "" {
		refer(t.Ref)
	}
	if t.Items != nil {
		items := fieldOf(*t.Items, refer)
		f.Items = &items
	}
	if t.AdditionalProperties != nil {
		values := fieldOf(*t.AdditionalProperties, refer)
		f.Values = &values
	}
	for name, property := range t.Properties {
		if f.Fields == nil {
			f.Fields = map[string]field{}
		}
		f.Fields[name] = fieldOf(property, refer)
	}
	return f
}

// TestFactsAreGoogles holds the facts against Google's own document, wherever the module cache is.
func TestFactsAreGoogles(t *testing.T) {
	t.Parallel()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "google.golang.org/api").Output()
	if err != nil || strings.TrimSpace(string(dir)) == "" {
		t.Fatalf("find google.golang.org/api: %v", err)
	}
	document, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "calendar", "v3", "calendar-api.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d description
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	want, err := json.MarshalIndent(factsOf(d), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("facts.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if len(d.Schemas) < 30 || len(d.Resources) < 5 {
		t.Errorf("Google's document has %d schemas and %d resources: it is not read as it should be", len(d.Schemas), len(d.Resources))
	}
	if bytes.Equal(want, factsJSON) {
		return
	}
	wants, gots := strings.Split(string(want), "\n"), strings.Split(string(factsJSON), "\n")
	for i := range min(len(wants), len(gots)) {
		if wants[i] != gots[i] {
			t.Fatalf("facts.json, line %d: got %q, want %q; if Google changed its API, run go test -run TestFactsAreGoogles -update here and look what changed", i+1, gots[i], wants[i])
		}
	}
	t.Fatalf("facts.json has %d lines, want %d; run go test -run TestFactsAreGoogles -update here", len(gots), len(wants))
}
