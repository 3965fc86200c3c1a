package manifests

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// TestImagesAreSignedBeforeTheyAreApplied runs what deploy.sh would run, with stand-ins for the programs:
// with a key each image is signed by its digest, and nothing is applied where that fails.
func TestImagesAreSignedBeforeTheyAreApplied(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key, cosign string
		want        string
	}{
		"no key":           {"", "exit 1", "applied manifests "},
		"a key":            {"cosign.key", `echo "$*" >>$LOG.signed`, "applied manifests signed sign --yes --key cosign.key r/a@sha256:1 r/b@sha256:2"},
		"signing does not": {"cosign.key", "exit 1", "applied  "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := rolledOut(t, c.key, c.cosign); strings.TrimSpace(got) != strings.TrimSpace(c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestOpenFaaSImagesAreSignedBetweenPublishingAndDeploying reads the order of a dry run.
func TestOpenFaaSImagesAreSignedBetweenPublishingAndDeploying(t *testing.T) {
	t.Parallel()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"": 0, "cosign.key": 6} {
		dry := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "deploy.sh"), "openfaas", "--dry-run")
		dry.Env = append(os.Environ(), "COSIGN_KEY="+key, "REGISTRY=r", "VERSION=v1")
		said, err := dry.Output()
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(said), "faas-cli publish")
		between, _, deployed := strings.Cut(after, "faas-cli deploy")
		if got := strings.Count(between, "cosign sign --yes"); got != want || !deployed {
			t.Errorf("with the key %q %d images are signed between publishing and deploying, want %d: %s", key, got, want, said)
		}
	}
}

// rolledOut runs the command of a dry run that builds and applies Knative's manifests, and tells what was applied
// and signed.
func rolledOut(t *testing.T, key, cosign string) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for program, does := range map[string]string{
		"cosign":  cosign,
		"ko":      `while [ $# -gt 0 ]; do [ "$1" != --image-refs ] || printf 'r/a@sha256:1\nr/b@sha256:2\n' >"$2"; shift; done; cat`,
		"kubectl": `case $1 in kustomize) printf manifests ;; apply) cat >$LOG.applied ;; esac`,
	} {
		if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/bash\n"+does+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	environment := append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LOG="+filepath.Join(dir, "log"), "COSIGN_KEY="+key, "REGISTRY=r")
	dry := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "deploy.sh"), "knative", "--dry-run")
	dry.Env = environment
	said, err := dry.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(said)) {
		if !strings.Contains(line, "kubectl kustomize knative/overlays/") {
			continue
		}
		run := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c", line)
		run.Env = environment
		_ = run.Run() // what was applied says how it went
	}
	applied, _ := os.ReadFile(filepath.Join(dir, "log.applied")) // absent: nothing was
	signed, err := os.ReadFile(filepath.Join(dir, "log.signed"))
	if err != nil {
		return "applied " + string(applied) + " "
	}
	return "applied " + string(applied) + " signed " + string(signed)
}
