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

// world is the project's files and what they are checked by, where the operator filled in what is empty.
func world(t *testing.T) (repo.Tree, *Checker) {
	t.Helper()
	return worldOf(t, filled)
}

// filled is a new file of secrets as an operator fills it in, but for the file of a key, which is not there.
func filled(file []byte) []byte {
	file = regexp.MustCompile(`(?m)^([A-Z0-9_]+)=$`).ReplaceAll(file, []byte("$1=an-operators-$1"))
	return bytes.Replace(file, []byte("an-operators-BACKUP_IDENTITY\n"), []byte("\n"), 1)
}

// chosen is filled, with another value for each default that the file tells of in a comment.
func chosen(file []byte) []byte {
	return regexp.MustCompile(`(?m)^# ([A-Z0-9_]+=.+)$`).ReplaceAll(filled(file), []byte("${1}9"))
}

// worldOf is the project's files and what they are checked by, for an operator's file of secrets.
func worldOf(t *testing.T, operator func(new []byte) []byte) (repo.Tree, *Checker) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	tree, err := repo.Read(root, Sources()...)
	if err != nil {
		t.Fatal(err)
	}
	file := operator(secretsSh(t, root, "new"))
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

// TestEveryChoiceReachesTheBackup holds the same to the checks for an operator who leaves nothing as it is.
func TestEveryChoiceReachesTheBackup(t *testing.T) {
	t.Parallel()
	tree, c := worldOf(t, chosen)
	for _, s := range c.functions["backup"].settings {
		if value, made := c.secrets.file[s.Name]; choices.MatchString(s.Name) && (!made || value == s.Default) {
			t.Errorf("scripts/secrets.sh new offers no choice of %s: got %q", s.Name, value)
		}
	}
	for _, part := range []func(repo.Tree) []string{c.Cluster, c.OpenFaaS, c.Compose} {
		for _, problem := range part(tree) {
			t.Error(problem)
		}
	}
}
