package manifests

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// world is the project's files and what they are checked by.
func world(t *testing.T) (repo.Tree, *Checker) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Read(root, Sources()...)
	if err != nil {
		t.Fatal(err)
	}
	file := secretsSh(t, root, "new")
	// What the operator fills in, but for the file, which is not there.
	file = regexp.MustCompile(`(?m)^([A-Z0-9_]+)=$`).ReplaceAll(file, []byte("$1=an-operators-$1"))
	file = bytes.Replace(file, []byte("an-operators-BACKUP_IDENTITY\n"), []byte("\n"), 1)
	path := filepath.Join(t.TempDir(), "secrets.env")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := New(tree, definitions(t), secretsSh(t, root, "kubernetes", path), secretsSh(t, root, "openfaas", path), file)
	if err != nil {
		t.Fatal(err)
	}
	return tree, c
}

// secretsSh is what scripts/secrets.sh prints.
func secretsSh(t *testing.T, root string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "secrets.sh"), args...)
	var complaints bytes.Buffer
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("secrets.sh %q: %v: %s", args, err, complaints.String())
	}
	return out
}

// definitions are the custom resource definitions of Knative and Traefik, where they are at hand.
func definitions(t *testing.T) *Definitions {
	t.Helper()
	dir := os.Getenv("SCHEDGEN_CRDS")
	if dir == "" {
		return nil
	}
	d, err := ReadDefinitions(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestManifests holds everything that is deployed to all checks.
func TestManifests(t *testing.T) {
	t.Parallel()
	tree, c := world(t)
	for _, problem := range c.Check(tree) {
		t.Error(problem)
	}
	if c.crds == nil {
		t.Log("Knative's and Traefik's own objects were not compared with their definitions: set SCHEDGEN_CRDS to a folder with their YAML")
	}
}
