// Command generate writes what other files of the project say already: docs/configuration.md from the Config structs,
// and the numbers of deploy/scaling.json into the manifests and programs. `make generate` runs it; tests compare.
package main

import (
	"fmt"
	"maps"
	"os"

	"github.com/schedgen/schedgen/deploy/platform/internal/reference"
	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/scaling"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "generate: %v\n", err)
		os.Exit(1)
	}
}

func run() error {
	root, tree, err := repo.Here(append(scaling.Sources, "shared")...)
	if err != nil {
		return err
	}
	table, err := scaling.Read(tree)
	if err != nil {
		return err
	}
	files, err := scaling.Apply(tree, table)
	if err != nil {
		return err
	}
	maps.Copy(tree, files)
	if files[reference.Path], err = reference.Page(tree); err != nil {
		return err
	}
	return files.Write(root, "")
}
