package scaling_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
	"github.com/schedgen/schedgen/deploy/platform/internal/scaling"
)

// TestANumberReachesEveryPlatform changes the table and wants the manifests to follow.
func TestANumberReachesEveryPlatform(t *testing.T) {
	t.Parallel()
	_, tree, err := repo.Here(scaling.Sources...)
	if err != nil {
		t.Fatal(err)
	}
	table, err := scaling.Read(tree)
	if err != nil {
		t.Fatal(err)
	}
	row := table["pdf-parse"]
	row.Concurrency, row.MaxScale, row.TimeoutSeconds = 7, 77, 777
	row.Limits.Memory.Add(row.Limits.Memory)
	table["pdf-parse"] = row
	files, err := scaling.Apply(tree, table)
	if err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string][]string{
		"knative/base/pdf-parse.yaml":               {"containerConcurrency: 7\n", "      timeoutSeconds: 777\n", `max-scale: "77"`, `limits: {cpu: "2", memory: 4Gi}`},
		"stack.yml":                                 {`max_inflight: "7"`, "exec_timeout: 777s\n", "write_timeout: 782s\n", `scale.target: "7"`, `limits: {cpu: "2", memory: 4Gi}`},
		"deploy/compose/compose.yml":                {`resources: {limits: {cpus: "2", memory: 4G}}`},
		"functions/pdf-parse/function.go":           {`env:"PARSE_CONCURRENCY, default=7"`},
		"functions/pdf-parse/cmd/pdf-parse/main.go": {"RequestTimeout: 777 * time.Second}"},
		"knative/base/google-sync.yaml":             {string(tree["knative/base/google-sync.yaml"])},
		"deploy/kubernetes/backup/job.yaml":         {string(tree["deploy/kubernetes/backup/job.yaml"])},
	} {
		for _, want := range wanted {
			if !strings.Contains(string(files[path]), want) {
				t.Errorf("%s has no %q", path, want)
			}
		}
	}
	const file = "knative/base/pdf-parse.yaml"
	without := tree.With(file, bytes.Replace(tree[file], []byte("containerConcurrency"), []byte("concurrency"), 1))
	if _, err := scaling.Apply(without, table); err == nil || !strings.Contains(err.Error(), "containerConcurrency") {
		t.Errorf("a manifest without a place for a number: got %v", err)
	}
}
