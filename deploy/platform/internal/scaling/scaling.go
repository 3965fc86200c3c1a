// Package scaling is the one table of how each function runs, deploy/scaling.json, and writes its numbers where the
// manifests of each platform and the functions' own defaults repeat them.
package scaling

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// Path is where the table is.
const Path = "deploy/scaling.json"

// Table is each function's row, by its name.
type Table map[string]Row

// Row is how one function runs.
type Row struct {
	Concurrency    int       `json:"concurrency"` // requests at once in one instance
	MinScale       int       `json:"minScale"`
	MaxScale       int       `json:"maxScale"`
	TimeoutSeconds int       `json:"timeoutSeconds"` // of a request
	Limits         Resources `json:"limits"`
	Requests       Resources `json:"requests"`
}

// Resources are Kubernetes quantities.
type Resources struct {
	CPU    resource.Quantity `json:"cpu"`
	Memory resource.Quantity `json:"memory"`
}

// Read reads the table. An unknown field is an error.
func Read(tree repo.Tree) (Table, error) {
	decoder := json.NewDecoder(bytes.NewReader(tree[Path]))
	decoder.DisallowUnknownFields()
	var table Table
	if err := decoder.Decode(&table); err != nil {
		return nil, fmt.Errorf("%s: %w", Path, err)
	}
	return table, nil
}

// Functions are the names, sorted.
func (t Table) Functions() []string { return slices.Sorted(maps.Keys(t)) }

// Quantities are both amounts by their names in a manifest.
func (r Resources) Quantities() map[string]any {
	return map[string]any{"cpu": r.CPU.String(), "memory": r.Memory.String()}
}
