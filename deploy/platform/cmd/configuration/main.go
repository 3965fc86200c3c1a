// Command configuration writes docs/configuration.md: every environment variable of every function, from
// the source of its Config. With -check it says whether the file is current, and writes nothing.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/schedgen/schedgen/deploy/platform/internal/reference"
	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

func main() {
	check := flag.Bool("check", false, "only say whether the file is current")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintf(os.Stderr, "configuration: %v\n", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	tree, err := repo.Read(root, "functions", "shared", "deploy/scaling.json")
	if err != nil {
		return err
	}
	page, err := reference.Page(tree)
	if err != nil {
		return err
	}
	file := filepath.Join(root, filepath.FromSlash(reference.Path))
	if !check {
		return os.WriteFile(file, page, 0o644)
	}
	written, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(written, page) {
		err = fmt.Errorf("%s is not current: run make docs", reference.Path)
	}
	return err
}
