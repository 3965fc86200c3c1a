package testkit_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// linkedList names what each function's program links: the modules of others, and those packages of the standard library
// that cost a start something.
const linkedList = "testdata/linked.txt"

// costly are packages of the standard library that a start pays for, or that no function needs.
var costly = []string{"encoding/gob", "encoding/xml", "expvar", "go/ast", "html/template", "net/rpc", "plugin", "testing", "text/template"}

// TestFunctionsLinkWhatTheirListSays holds that nobody links more into a function by accident: every package that a program
// links is initialised at each start, and a start is what a first upload waits for.
func TestFunctionsLinkWhatTheirListSays(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: add its folder to PATH")
	}
	var lines []string
	programs, err := filepath.Glob("../../../functions/*/cmd/*/main.go")
	if err != nil || len(programs) == 0 {
		t.Fatalf("found no program of a function: %v", err)
	}
	for _, main := range programs {
		name := filepath.Base(filepath.Dir(main))
		out := goOutput(t, "list", "-deps", "-f", "{{if .Standard}}{{.ImportPath}}{{else}}{{.Module.Path}}{{end}}",
			importPrefix+path.Join("functions", name, "cmd", name))
		var linked []string
		for dependency := range strings.FieldsSeq(out) {
			foreign := strings.Contains(strings.Split(dependency, "/")[0], ".") && !strings.HasPrefix(dependency, importPrefix)
			if foreign || slices.Contains(costly, dependency) {
				linked = append(linked, name+" "+dependency)
			}
		}
		slices.Sort(linked)
		lines = append(lines, slices.Compact(linked)...)
	}
	got := strings.Join(lines, "\n") + "\n"
	want, err := os.ReadFile(linkedList)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	if *update {
		if err := os.WriteFile(linkedList, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was := strings.Split(strings.TrimSpace(string(want)), "\n")
	for _, line := range lines {
		if !slices.Contains(was, line) {
			t.Errorf("newly linked: %s", line)
		}
	}
	for _, line := range was {
		if !slices.Contains(lines, line) {
			t.Errorf("no more linked: %s", line)
		}
	}
	t.Logf("see what it costs with GODEBUG=inittrace=1 PROGRAM --version; then, in shared/dev/testkit: go test -run %s . -update", t.Name())
}
