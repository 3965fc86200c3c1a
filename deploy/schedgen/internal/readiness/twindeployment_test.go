package readiness

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const soundCompose = `
x-function: &function
  environment: {PARSE_TIMEOUT: 10s, DATABASE_URL: "postgres://schedgen:${POSTGRES_PASSWORD:?}@db/x", JOBS: "${JOBS:-3}"}
services:
  pdf-parse:
    <<: *function
    deploy: {replicas: 3, resources: {limits: {cpus: "2", memory: 2G}}}
    labels: {traefik.http.services.pdf-parse.loadBalancer.healthCheck.path: /ready}
    volumes: ["data:/data"]
  redis:
    command: [sh, -c, 'exec redis-server --maxmemory 2gb --maxmemory-policy allkeys-lru --requirepass "$$X"']
    deploy: {resources: {limits: {cpus: "1", memory: 3G}}}
`

func soundSettings() map[string]string {
	return map[string]string{
		"POSTGRES_PASSWORD": "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd", "ADMIN_TOKEN": "pF5gJw1Ue8Ra3Xo7Mi2Ks9Vb", "ALERT_WEBHOOK_URL": "https://hooks.example/x",
		"BACKUP_RECIPIENTS": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
	}
}

// deployedTwins break the deployment and its settings.
func deployedTwins() []twin {
	instead := func(old, new string) func(*world) {
		return func(w *world) { w.compose = strings.Replace(w.compose, old, new, 1) }
	}
	set := func(name, value string) func(*world) { return func(w *world) { w.settings[name] = value } }
	const secrets = "strong POSTGRES_PASSWORD ADMIN_TOKEN"
	return []twin{
		{"limits pdf-parse 2 2Gi", instead(`{limits: {cpus: "2", memory: 2G}}`, `{}`), "no limit of CPU", "limits of deploy/scaling.json: 2 CPUs, 2Gi"},
		{"limits pdf-parse 2 2Gi", instead(`, memory: 2G}`, `}`), "no limit of memory", "Give pdf-parse the limits"},
		{"limits pdf-parse 2 2Gi", instead(`memory: 2G`, `memory: 512M`), "2 CPUs and 512 MiB, less than it needs", "Give pdf-parse the limits"},
		{"limits redis 1 3Gi", instead("  redis:", "  keys:"), "redis is not deployed", "Give redis the limits"},
		{"all-limits", instead(`{cpus: "1", memory: 3G}`, `{cpus: "1"}`), "without limits of CPU or memory: redis", "limits"},
		{"replicas pdf-parse 3", instead("replicas: 3, ", ""), "deployed 1 times", "Deploy pdf-parse at least 3 times"},
		{"env pdf-parse DATABASE_URL", instead(`DATABASE_URL: "postgres`, `OTHER_URL: "postgres`), "without DATABASE_URL", "settings that are missing"},
		{"setting pdf-parse PARSE_TIMEOUT 10s", instead("PARSE_TIMEOUT: 10s", "PARSE_TIMEOUT: 10m"), "is 10m instead of 10s", "Set PARSE_TIMEOUT to 10s"},
		{"probed pdf-parse", instead("healthCheck.path", "sticky"), "nobody asks pdf-parse", "health check"},
		{"redis maxmemory 2gb", instead("--maxmemory 2gb ", ""), "without --maxmemory", "Start Redis with --maxmemory 2gb"},
		{"redis maxmemory-policy allkeys-lru", instead("allkeys-lru", "noeviction"), "another --maxmemory-policy", "Start Redis"},
		{"storage pdf-parse", instead(`    volumes: ["data:/data"]`, ""), "goes with its container", "volume"},
		{secrets, set("POSTGRES_PASSWORD", ""), "POSTGRES_PASSWORD is empty", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "hunter2"), "fewer than 20", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "aaaaaaaaaaaaaaaaaaaaaaaa"), "repeats itself", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "MyOwnSecretPhrase-2026-xyz"), "tried first", "anew"},
		{secrets, set("POSTGRES_PASSWORD", soundSettings()["ADMIN_TOKEN"]), "are the same", "anew"},
		{"private", func(w *world) { w.mode = 0o644 }, "mode 0644", "right to read"},
		{"given ADMIN_TOKEN", set("ADMIN_TOKEN", ""), "has no ADMIN_TOKEN", "Fill in"},
		{"one-of ALERT_WEBHOOK_URL ALERT_SMTP_SERVER", set("ALERT_WEBHOOK_URL", ""), "none of ALERT_WEBHOOK_URL", "one of the settings"},
		{"encrypted", set("BACKUP_RECIPIENTS", ""), "no backup is made", "key pair"},
		{"encrypted", set("BACKUP_RECIPIENTS", "AGE-SECRET-KEY-1QQQ"), "a secret key where the public one belongs", "key pair"},
		{"encrypted", set("BACKUP_RECIPIENTS", "age1typo"), "no public key of age", "key pair"},
		{"private", func(w *world) { w.beside["smtp-password"] = 0o640 }, "mode 0640", "right to read"},
	}
}

// TestNoSecretIsTold: a report may be shown to everybody.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.settings["ADMIN_TOKEN"], w.settings["POSTGRES_PASSWORD"] = "hunter2-weak", "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd"
	all, err := Run(t.Context(), w.build(t), Selection{})
	if err != nil {
		t.Fatal(err)
	}
	var report strings.Builder
	if err := RenderJSON(&report, all); err != nil {
		t.Fatal(err)
	}
	if err := Render(&report, all, true); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2-weak", "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd", token, "hooks.example"} {
		if strings.Contains(report.String(), secret) {
			t.Errorf("the report tells %q", secret)
		}
	}
}

// TestWhatTheSettingsFileWouldSayIsNotGuessed: without it, a variable of the deployment is not known.
func TestWhatTheSettingsFileWouldSayIsNotGuessed(t *testing.T) {
	t.Parallel()
	for _, check := range []string{"env pdf-parse DATABASE_URL", "setting pdf-parse JOBS 3"} {
		w := soundWorld()
		w.options = func(o *Options) { o.Settings = "" }
		if got := w.find(t, check); got.State != NotLooked || !strings.Contains(got.How, "--settings") {
			t.Errorf("%s: got %+v, want not looked", check, got)
		}
	}
}

// TestTheProjectsOwnDeploymentIsSound looks at deploy/compose as it is.
func TestTheProjectsOwnDeploymentIsSound(t *testing.T) {
	t.Parallel()
	o := Options{Compose: []string{checkout + "/deploy/compose/compose.yml", checkout + "/deploy/compose/compose.prod.yml"}}
	all, err := Run(t.Context(), o, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, r := range all {
		if r.State == Failed {
			t.Errorf("%s: %s", r.ID, r.Evidence)
		}
		if r.State == OK {
			looked++
		}
	}
	if looked < 20 {
		t.Errorf("%d items were looked at, want those of the deployment", looked)
	}
}

const cluster = `{"kind":"List","items":[
{"kind":"ConfigMap","metadata":{"name":"common"},"data":{"LOG_LEVEL":"info"}},
{"kind":"Secret","metadata":{"name":"tokens"},"data":{"ADMIN_TOKEN":"c2VjcmV0LXZhbHVl"}},
{"kind":"Service","metadata":{"name":"redis"},"spec":{"clusterIP":"10.0.0.1"}},
{"kind":"Service","metadata":{"name":"pdf-parse"},"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/max-scale":"50"}},"spec":{"containers":[
{"envFrom":[{"configMapRef":{"name":"common"}},{"secretRef":{"name":"tokens"}}],"env":[{"name":"PARSE_TIMEOUT","value":"10s"}],
"readinessProbe":{},"resources":{"limits":{"cpu":"2","memory":"2Gi"}}}]}}}}]}`

// TestAClusterIsReadByKubectl looks at what a stand-in of kubectl says; of secrets no value is kept.
func TestAClusterIsReadByKubectl(t *testing.T) {
	t.Parallel()
	bin, calls := t.TempDir(), filepath.Join(t.TempDir(), "calls")
	script := "#!/bin/sh\necho \"$@\" >>" + calls + "\ncase \"$*\" in *serving.knative.dev*) echo \"error: the server doesn't have a resource type\" >&2; exit 1;; esac\ncat <<'EOF'\n" + cluster + "\nEOF\n"
	if err := os.WriteFile(filepath.Join(bin, "kubectl"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	s := newSystem(Options{Kube: true, Runner: func(ctx context.Context, _ string, args ...string) ([]byte, error) {
		return runProgram(ctx, filepath.Join(bin, "kubectl"), args...)
	}})
	for check, want := range map[string]State{
		"limits pdf-parse 2 2Gi": OK, "limits pdf-parse 4 2Gi": Failed, "replicas pdf-parse 3": OK, "env pdf-parse ADMIN_TOKEN LOG_LEVEL": OK,
		"env pdf-parse SESSION_KEY": Failed, "setting pdf-parse PARSE_TIMEOUT 10s": OK, "probed pdf-parse": OK, "limits redis 1 3Gi": Failed,
	} {
		if got := s.look(t.Context(), Item{Check: check}, nil); got.State != want {
			t.Errorf("%s: got %+v, want %s", check, got, want)
		}
	}
	if got := s.deployed.value["pdf-parse"].env["ADMIN_TOKEN"]; got != fromSecret {
		t.Errorf("the secret's value %q was kept", got)
	}
	asked, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(asked)) {
		if !strings.Contains(line, " get ") {
			t.Errorf("kubectl was asked to %s", line)
		}
	}
}
