package testkit_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the drawing of the house into docs/architecture.md")

const (
	importPrefix = "github.com/schedgen/schedgen/"
	drawingPage  = "../../../docs/architecture.md"
	drawingStart = "```mermaid\nflowchart TD\n"
	drawingEnd   = "```\n"
)

// imports are the project's packages, each with those of the project that it imports, as paths from the root.
type imports map[string][]string

// TestArchitectureDrawsTheImports compares the drawing in docs/architecture.md with what the packages import.
func TestArchitectureDrawsTheImports(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: add its folder to PATH")
	}
	modules, all := readImports(t)
	want := draw(modules, all)
	page, err := os.ReadFile(drawingPage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(page), drawingStart)
	got, after, closed := strings.Cut(rest, drawingEnd)
	if !found || !closed {
		t.Fatalf("%s has no drawing that starts with %q", drawingPage, drawingStart)
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("the drawing is out of date; in shared/dev/testkit run: go test -run %s . -update\n got:\n%s\nwant:\n%s", t.Name(), got, want)
	}
	if err := os.WriteFile(drawingPage, []byte(before+drawingStart+want+drawingEnd+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestImportsPointDown holds the rules of the house: functions do not import each other, shared imports no function, and
// the domain packages import only each other.
func TestImportsPointDown(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: add its folder to PATH")
	}
	modules, all := readImports(t)
	domain := []string{"shared/timetable", "shared/calendar"}
	for from, targets := range all {
		for _, to := range targets {
			source, target := moduleOf(modules, from), moduleOf(modules, to)
			switch {
			case strings.HasPrefix(target, "functions/") && source != target && source != "deploy/schedgen":
				t.Errorf("%s imports %s: a function is imported only by the schedgen command", from, to)
			case slices.Contains(domain, from) && !slices.Contains(domain, to):
				t.Errorf("%s imports %s: the domain imports nothing else", from, to)
			}
		}
	}
}

// readImports lists the modules of the workspace and what their packages import, tests left out.
func readImports(t *testing.T) (modules []string, all imports) {
	t.Helper()
	out := goOutput(t, "list", "-m", "-f", "{{.Path}} {{.Dir}}")
	all = imports{}
	for line := range strings.Lines(out) {
		module, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules = append(modules, strings.TrimPrefix(module, importPrefix))
		decoder := json.NewDecoder(strings.NewReader(goOutput(t, "list", "-json=ImportPath,Imports,GoFiles", dir+"/...")))
		for {
			var p struct {
				ImportPath       string
				Imports, GoFiles []string
			}
			if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			if len(p.GoFiles) == 0 {
				continue
			}
			name := strings.TrimPrefix(p.ImportPath, importPrefix)
			all[name] = []string{}
			for _, i := range p.Imports {
				if to, ours := strings.CutPrefix(i, importPrefix); ours {
					all[name] = append(all[name], to)
				}
			}
		}
	}
	return modules, all
}

func goOutput(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = filepath.Clean("../../..")
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v: %s", strings.Join(args, " "), err, &problem)
	}
	return string(out)
}

// moduleOf gives the module of a package: the longest path that leads to it.
func moduleOf(modules []string, name string) string {
	longest := ""
	for _, m := range modules {
		if (name == m || strings.HasPrefix(name, m+"/")) && len(m) > len(longest) {
			longest = m
		}
	}
	return longest
}

// draw writes one box for each module with its packages in it. Arrows between modules stand for all imports between
// them; inside a module, an arrow that follows from others is left out.
func draw(modules []string, all imports) string {
	var b strings.Builder
	between := map[string]bool{}
	for _, module := range slices.Sorted(slices.Values(modules)) {
		fmt.Fprintf(&b, "  subgraph %s [%s]\n", id(module), module)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if moduleOf(modules, name) != module {
				continue
			}
			fmt.Fprintf(&b, "    %s[%s]\n", id(name+"/"), label(module, name))
			for _, to := range slices.Sorted(slices.Values(all[name])) {
				switch target := moduleOf(modules, to); {
				case target != module:
					between[fmt.Sprintf("  %s --> %s\n", id(module), id(target))] = true
				case !all.leadsIndirectly(name, to):
					fmt.Fprintf(&b, "    %s --> %s\n", id(name+"/"), id(to+"/"))
				}
			}
		}
		b.WriteString("  end\n")
	}
	for _, arrow := range slices.Sorted(maps.Keys(between)) {
		b.WriteString(arrow)
	}
	return b.String()
}

// leadsIndirectly reports whether another import of from imports to, directly or through more.
func (all imports) leadsIndirectly(from, to string) bool {
	return slices.ContainsFunc(all[from], func(via string) bool { return via != to && all.leads(via, to) })
}

func (all imports) leads(from, to string) bool {
	return slices.Contains(all[from], to) || slices.ContainsFunc(all[from], func(via string) bool { return all.leads(via, to) })
}

// id makes a path a name that Mermaid takes; a package's differs from that of its module by the last character.
func id(name string) string { return strings.NewReplacer("/", "_", "-", "_").Replace(name) }

func label(module, name string) string {
	if name == module {
		return path.Base(name)
	}
	return strings.TrimPrefix(name, module+"/")
}
