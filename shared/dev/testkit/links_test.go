package testkit_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProgramsLinkNothingOfDev lists what the programs link: a test kit, a local server or a validator costs a
// process time at its start and bytes in its image. Only the schedgen command links the local stack and the
// generator of PDFs.
func TestProgramsLinkNothingOfDev(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("needs the go command: add its folder to PATH")
	}
	const root = "../../.."
	functions, err := filepath.Glob(filepath.Join(root, "functions/*/go.mod"))
	if err != nil || len(functions) == 0 {
		t.Fatalf("got %v (%v), want the modules of the functions", functions, err)
	}
	for _, mod := range functions {
		expectNoLink(t, filepath.Dir(mod), "schedgen/shared/dev/", "kin-openapi")
	}
	expectNoLink(t, filepath.Join(root, "deploy/schedgen"), "shared/dev/testkit/openapitest", "shared/dev/testkit/pgtest", "kin-openapi")
}

// expectNoLink fails the test where a program of the module in dir links a package whose path has one of parts in it.
func expectNoLink(t *testing.T, dir string, parts ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if eq .Name "main"}}{{join .Deps "\n"}}{{end}}`, "./...")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	linked, err := cmd.Output()
	if err != nil {
		t.Fatalf("list what %s links: %v", dir, err)
	}
	if len(linked) == 0 {
		t.Errorf("%s has no program", dir)
	}
	for _, part := range parts {
		if strings.Contains(string(linked), part) {
			t.Errorf("a program of %s links %s", dir, part)
		}
	}
}
