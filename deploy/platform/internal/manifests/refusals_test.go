package manifests

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/deploy/platform/internal/repo"
)

// TestRefusalsAreFound breaks what an API server or faas-cli once refused, or took without doing it.
func TestRefusalsAreFound(t *testing.T) {
	t.Parallel()
	tree, c := world(t)
	for _, broken := range []struct{ path, old, new string }{
		{"stack.yml", "    lang: dockerfile\n", "    lang: dockerfile\n    platforms: linux/amd64\n"},
		// Secrets in the access log.
		{"deploy/compose/compose.yml", "      - --accessLog.fields.names.RequestPath=drop\n", ""},
		{"deploy/compose/compose.prod.yml", "accessLog.fields.headers.defaultMode=drop", "accessLog.fields.headers.defaultMode=keep"},
		// A path open without need, and callers that are let in nowhere.
		{"stack.yml", `OPEN_PATHS: "/tasks/feeds"`, `OPEN_PATHS: "/tasks/feeds,/events/timetable"`},
		{"stack.yml", `      OPEN_PATHS: "/tasks/google"` + "\n", ""},
		{"stack.yml", "      - schedgen-event-token\n      - schedgen-google-client-id\n", "      - schedgen-google-client-id\n"},
		{"knative/base/pdf-parse.yaml", "            - name: OPEN_PATHS\n              value: \"/\"\n", ""},
		{"knative/base/upload-ingest.yaml", "/events/dead-letter,/tasks/sweep", "/events/dead-letter,/events/s3,/tasks/sweep"},
		{"knative/base/upload-ingest.yaml", "            - secretRef: {name: schedgen-tokens}\n", ""},
		{"deploy/compose/compose.yml", "      EVENT_TOKEN: ${EVENT_TOKEN:?}\n      EVENT_TARGETS: http://traefik:8081/google-sync", "      EVENT_TARGETS: http://traefik:8081/google-sync"},
		{"deploy/compose/compose.yml", "      EVENT_TOKEN: ${EVENT_TOKEN:?}\n", "      EVENT_TOKEN: ${EVENT_TOKEN:?}\n      OPEN_PATHS: /tasks/sweep\n"},
		{"knative/base/kustomization.yaml", "COOKIE_SAMESITE=lax", "COOKIE_SAMESITE=laxx"},
		{"stack.yml", "${FRONTEND_URL:-}", "${FRONTEND:-}"},
		{"deploy/compose/compose.yml", "${TRUSTED_ORIGINS:-}", "${TRUSTED:-}"},
		{"knative/base/kustomization.yaml", "127.0.0.0/8,10.0.0.0/8", "127.0.0.0/8,11.0.0.0/8"},
		// A cluster that is not watched, or by what could do more than watch.
		{"deploy/monitoring/kustomization.yaml", "rules/costs.yml, ", ""},
		{"deploy/monitoring/kustomization.yaml", "      - dashboards/json/queue.json\n", ""},
		{"deploy/monitoring/prometheus/kubernetes.yml", "redis-exporter.schedgen:9121", "redis-exporter.schedgen:9122"},
		{"deploy/monitoring/prometheus/kubernetes.yml", "redis-exporter.schedgen:9121", "redis-exporter:9121"},
		{"deploy/monitoring/kubernetes/prometheus.yaml", "mountPath: /etc/prometheus/rules", "mountPath: /etc/prometheus/rule"},
		{"deploy/monitoring/kubernetes/prometheus.yaml", "config/kubernetes.yml", "config/compose.yml"},
		{"deploy/monitoring/kubernetes/prometheus.yaml", "prom/prometheus:v", "prom/prometheus:v1"},
		{"deploy/monitoring/kubernetes/grafana.yaml", "key: password", "key: passwords"},
		{"deploy/monitoring/kubernetes/exporters.yaml", "containerPort: 9187", "containerPort: 9188"},
		{"deploy/monitoring/kubernetes/node-exporter.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "automountServiceAccountToken: false", "automountServiceAccountToken: true"},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "memory: 256Mi", "memory: 256MiB"},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "secretName: alertmanager", "secretName: alertmanagers"},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "{name: password, mountPath", "{name: passwords, mountPath"},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "    - {name: http, port: 9093, targetPort: http}\n", ""},
		{"deploy/monitoring/kubernetes/alertmanager.yaml", "- {name: http, port: 9093, targetPort: http}\n", "- {name: http, port: 9093, targetPort: http}\n    - {name: mesh, port: 9094, targetPort: mesh}\n"},
		{"deploy/monitoring/kubernetes/grafana.yaml", "secretKeyRef: {name: grafana, key: password}", "fieldRef: {fieldPath: metadata.uid}"},
		{"deploy/monitoring/prometheus/kubernetes.yml", `["redis-exporter.schedgen:9121"]`, `["redis-exporter:9121", "redis-exporter.schedgen:9121"]`},
	} {
		was := string(tree[broken.path])
		now := strings.Replace(was, broken.old, broken.new, 1)
		if now == was {
			t.Errorf("%s has no %q to break", broken.path, broken.old)
			continue
		}
		if len(c.CheckFor(tree.With(broken.path, []byte(now)), broken.path)) == 0 {
			t.Errorf("no check reports %q in %s where %q should be", broken.new, broken.path, broken.old)
		}
	}
}

// TestCommunityEdition wants the stack for OpenFaaS' Community Edition to be the other's, without the labels
// that it refuses: its validateScalingLabels takes neither scale to zero nor targets nor more than five.
func TestCommunityEdition(t *testing.T) {
	t.Parallel()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	original, err := os.ReadFile(filepath.Join(root, "stack.yml"))
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "bash", filepath.Join(root, "scripts", "deploy.sh"), "community")
	command.Env = append(os.Environ(), "VERSION=v1", "COMMIT=c1")
	out, err := command.Output()
	if err != nil {
		t.Fatalf("deploy.sh community: %v", err)
	}
	want, got := readStack(t, original), readStack(t, out)
	for name, f := range want.Functions {
		for _, refused := range []string{"zero", "zero-duration", "type", "target"} {
			delete(f.Labels, "com.openfaas.scale."+refused)
		}
		if most, err := strconv.Atoi(f.Labels["com.openfaas.scale.max"]); err != nil {
			t.Errorf("%s: com.openfaas.scale.max: %v", name, err)
		} else {
			f.Labels["com.openfaas.scale.max"] = strconv.Itoa(min(most, 5))
		}
	}
	if g, w := slices.Sorted(maps.Keys(got.Functions)), slices.Sorted(maps.Keys(want.Functions)); !slices.Equal(g, w) {
		t.Fatalf("functions: got %q, want %q", g, w)
	}
	var differs problems
	for name := range want.Functions {
		differs.compare(name, got.Functions[name], want.Functions[name])
	}
	differs.compare("the rest", got.Provider, want.Provider)
	differs.compare("configuration", got.Configuration, want.Configuration)
	for _, difference := range differs {
		t.Error(difference)
	}
}

func readStack(t *testing.T, data []byte) (s stack) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}
