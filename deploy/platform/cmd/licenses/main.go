// Command licenses lists the licence of every dependency, of tests and tools too, and fails where the
// project cannot take one. Its arguments are the module directories; it finds the npm lock files itself.
package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/deploy/platform/internal/licenses"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(modules []string) error {
	found, err := ofGo(modules)
	if err != nil {
		return err
	}
	packages, err := ofNPM()
	if err != nil {
		return err
	}
	var refused []string
	for _, d := range append(found, packages...) {
		fmt.Printf("%-60s %-40s %s\n", d.Name, d.Version, d.Licence)
		if !licenses.Allowed(d.Licence) {
			refused = append(refused, fmt.Sprintf("%s %s: licence %q", d.Name, d.Version, d.Licence))
		}
	}
	if len(refused) > 0 {
		return fmt.Errorf("these licences are not on the list in deploy/platform/internal/licenses; read them, then add or replace:\n%s", strings.Join(refused, "\n"))
	}
	return nil
}

func ofGo(directories []string) ([]licenses.Dependency, error) {
	var modules []licenses.Module
	for _, dir := range directories {
		list := exec.Command(cmp.Or(os.Getenv("GO"), "go"), "list", "-deps", "-test", "-json=Module", "./...")
		list.Dir, list.Stderr = dir, os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("list the modules of %s: %w", dir, err)
		}
		some, err := licenses.Modules(out)
		if err != nil {
			return nil, err
		}
		modules = append(modules, some...)
	}
	slices.SortFunc(modules, func(a, b licenses.Module) int { return strings.Compare(a.Path, b.Path) })
	reader, err := licenses.NewReader()
	if err != nil {
		return nil, err
	}
	var found []licenses.Dependency
	for _, m := range slices.Compact(modules) {
		d, err := reader.OfModule(m)
		if err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	return found, nil
}

func ofNPM() ([]licenses.Dependency, error) {
	out, err := exec.Command("git", "ls-files", "*package-lock.json").Output()
	if err != nil {
		return nil, fmt.Errorf("find the lock files: %w", err)
	}
	var found []licenses.Dependency
	for name := range strings.FieldsSeq(string(out)) {
		lock, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		some, err := licenses.NPM(lock)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found = append(found, some...)
	}
	return found, nil
}
