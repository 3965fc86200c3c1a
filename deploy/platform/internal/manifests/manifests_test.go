package manifests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
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
	root, tree, err := repo.Here(Sources()...)
	if err != nil {
		t.Fatal(err)
	}
	file := operator(secretsSh(t, root, "new"))
	path := filepath.Join(t.TempDir(), "secrets.env")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	crds, err := definitions()
	if err != nil {
		t.Fatalf("read the definitions of Knative's and Traefik's objects: %v", err)
	}
	c, err := New(tree, crds, secretsSh(t, root, "kubernetes", path), secretsSh(t, root, "openfaas", path), file)
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

// definitionModules are the modules that carry the definitions of Knative's and Traefik's objects, with their files.
var definitionModules = map[string][]string{
	"knative.dev/serving@v0.51.0": {"config/core/300-resources/service.yaml", "config/core/300-resources/domain-mapping.yaml"},
	"knative.dev/eventing@v0.46.0": {"config/core/resources/broker.yaml", "config/core/resources/trigger.yaml", "config/core/resources/pingsource.yaml",
		"config/core/resources/sinkbindings.yaml", "config/core/resources/jobsink.yaml"},
	"github.com/traefik/traefik/v3@v3.7.13": {"docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"},
}

// definitions are the custom resource definitions of Knative and Traefik, which their Go modules carry: the go command
// downloads them once, as it does the modules that a test links. SCHEDGEN_CRDS names a folder with other versions.
var definitions = sync.OnceValues(func() (*Definitions, error) {
	if dir := os.Getenv("SCHEDGEN_CRDS"); dir != "" {
		files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("SCHEDGEN_CRDS: no definitions in %s", dir)
		}
		return ReadDefinitions(files...)
	}
	var files []string
	for module, names := range definitionModules {
		command := exec.Command("go", "mod", "download", "-json", module)
		command.Dir = os.TempDir()
		out, err := command.Output()
		var downloaded struct{ Dir, Error string }
		if jsonErr := json.Unmarshal(out, &downloaded); jsonErr != nil || downloaded.Dir == "" {
			return nil, fmt.Errorf("download %s: %w: %s", module, err, downloaded.Error)
		}
		for _, name := range names {
			files = append(files, filepath.Join(downloaded.Dir, filepath.FromSlash(name)))
		}
	}
	return ReadDefinitions(files...)
})

// TestManifests holds everything that is deployed to all checks.
func TestManifests(t *testing.T) {
	t.Parallel()
	tree, c := world(t)
	for _, problem := range c.Check(tree) {
		t.Error(problem)
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
