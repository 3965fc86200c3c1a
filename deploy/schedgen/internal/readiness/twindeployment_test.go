package readiness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const soundCompose = `
x-function: &function
  environment: {PARSE_TIMEOUT: 10s, DATABASE_URL: "postgres://schedgen:${POSTGRES_PASSWORD:?}@db/x", JOBS: "${JOBS:-3}",
    NESTED: "${NONE:-${OTHER:-}}", BARE: $OTHER, PASSED: }
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

const soundContainers = `{"Service":"pdf-parse","State":"running","Health":""}
{"Service":"pdf-parse","State":"running","Health":""}
{"Service":"pdf-parse","State":"running","Health":"healthy"}
{"Service":"redis","State":"running","Health":""}
`

func soundSettings() map[string]string {
	return map[string]string{
		"POSTGRES_PASSWORD": "kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd", "ADMIN_TOKEN": "pF5gJw1Ue8Ra3Xo7Mi2Ks9Vb", "ALERT_WEBHOOK_URL": "https://hooks.example/x",
		"OTHER": "x", "PASSED": "y", "SITE_HOST": "schedgen.up.ac.za", "DASHBOARD_USERS": "admin:$$apr1$$x$$y",
		"BACKUP_RECIPIENTS": "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
	}
}

// deployedTwins break the deployment and its settings.
func deployedTwins() []twin {
	instead := func(old, new string) func(*world) {
		return func(w *world) { w.compose = strings.Replace(w.compose, old, new, 1) }
	}
	set := func(name, value string) func(*world) { return func(w *world) { w.settings[name] = value } }
	runs := func(told string) func(*world) { return func(w *world) { w.containers = told } }
	const secrets = "strong POSTGRES_PASSWORD ADMIN_TOKEN"
	return []twin{
		{"limits pdf-parse 2 2Gi", instead(`{limits: {cpus: "2", memory: 2G}}`, `{}`), "no limit of CPU", "limits of deploy/scaling.json: 2 CPUs, 2Gi"},
		{"limits pdf-parse 2 2Gi", instead(`, memory: 2G}`, `}`), "no limit of memory", "Give pdf-parse the limits"},
		{"limits pdf-parse 2 2Gi", instead(`memory: 2G`, `memory: 512M`), "2 CPUs and 512 MiB, less than it needs", "Give pdf-parse the limits"},
		{"limits redis 1 3Gi", instead("  redis:", "  keys:"), "redis is not deployed", "Give redis the limits"},
		{"all-limits", instead(`{cpus: "1", memory: 3G}`, `{cpus: "1"}`), "without limits of CPU or memory: redis", "limits"},
		{"replicas pdf-parse 3", func(w *world) { // by the files, where no Docker tells
			instead("replicas: 3, ", "")(w)
			w.containers = ""
		}, "deployed 1 times", "Deploy pdf-parse at least 3 times"},
		{"env pdf-parse DATABASE_URL", instead(`DATABASE_URL: "postgres`, `OTHER_URL: "postgres`), "without DATABASE_URL", "settings that are missing"},
		{"setting pdf-parse PARSE_TIMEOUT 10s", instead("PARSE_TIMEOUT: 10s", "PARSE_TIMEOUT: 10m"), "is 10m instead of 10s", "Set PARSE_TIMEOUT to 10s"},
		{"probed pdf-parse", instead("healthCheck.path", "sticky"), "pdf-parse has no health check", "health check"},
		{"redis maxmemory 2gb", instead("--maxmemory 2gb ", ""), "without --maxmemory", "Start Redis with --maxmemory 2gb"},
		{"redis maxmemory-policy allkeys-lru", instead("allkeys-lru", "noeviction"), "another --maxmemory-policy", "Start Redis"},
		{"storage pdf-parse:/data", instead(`    volumes: ["data:/data"]`, ""), "is lost with its container", "volume"},
		{"storage pdf-parse:/data", instead(`"data:/data"`, `"/data"`), "is lost with its container", "volume"},
		{"storage pdf-parse:/data", instead(`"data:/data"`, `"./conf:/data:ro"`), "is lost with its container", "volume"},
		{"storage pdf-parse:/data", instead(`"data:/data"`, `{type: tmpfs, target: /data}`), "is lost with its container", "volume"},
		{"storage pdf-parse:/data", instead(`"data:/data"`, `"data:/etc"`), "is lost with its container", "volume"},
		{"probed pdf-parse", instead("    labels: {traefik.http.services.pdf-parse.loadBalancer.healthCheck.path: /ready}", "    healthcheck: {disable: true}"), "pdf-parse has no health check", "health check"},
		{"probed pdf-parse", instead("    labels: {traefik.http.services.pdf-parse.loadBalancer.healthCheck.path: /ready}", "    healthcheck: {test: [NONE]}"), "pdf-parse has no health check", "health check"},
		{"redis maxmemory 2gb", instead("--requirepass", "--maxmemory 0 --requirepass"), "another --maxmemory", "Start Redis with --maxmemory 2gb"},
		{"env pdf-parse DATABASE_URL", set("POSTGRES_PASSWORD", ""), "without DATABASE_URL", "settings that are missing"},
		{"env pdf-parse NESTED", func(w *world) { w.settings["OTHER"] = "" }, "without NESTED", "settings that are missing"},
		{"env pdf-parse BARE", func(w *world) { w.settings["OTHER"] = "" }, "without BARE", "settings that are missing"},
		{"env pdf-parse PASSED", func(w *world) { delete(w.settings, "PASSED") }, "without PASSED", "settings that are missing"},
		{"setting pdf-parse PARSE_TIMEOUT 10s", func(w *world) {
			instead("PARSE_TIMEOUT: 10s, ", "")(w)
			instead("    deploy: {replicas: 3", "    env_file: [{path: more.env}]\n    deploy: {replicas: 3")(w)
			w.beside["more.env"] = 0o600
		}, "is 10m instead of 10s", "Set PARSE_TIMEOUT to 10s"},
		{"limits redis 1 3Gi", runs(`{"Service":"pdf-parse","State":"running"}`), "none of its containers runs", "Give redis the limits"},
		{"limits redis 1 3Gi", runs(`{"Service":"redis","State":"exited","ExitCode":0}`), "none of its containers runs", "Give redis the limits"},
		{"limits redis 1 3Gi", runs(`[{"Service":"redis","State":"running","Health":"unhealthy"}]`), "unhealthy", "Give redis the limits"},
		{"replicas pdf-parse 3", runs(`{"Service":"pdf-parse","State":"running"}` + "\n" + `{"Service":"pdf-parse","State":"exited","ExitCode":1}`), "deployed 1 times", "Deploy pdf-parse at least 3 times"},
		{"given ADMIN_TOKEN", set("ADMIN_TOKEN", " # fill in"), "has no ADMIN_TOKEN", "Fill in"},
		{"given ADMIN_TOKEN", set("ADMIN_TOKEN", `"" # fill in`), "has no ADMIN_TOKEN", "Fill in"},
		{"given SITE_HOST", set("SITE_HOST", "schedgen.example.org"), "is still that of the documents' examples", "Fill in"},
		{"given SITE_HOST", set("SITE_HOST", "https://up.ac.za/"), "does not have the form", "Fill in"},
		{"given DASHBOARD_USERS", set("DASHBOARD_USERS", "admin:admin"), "does not have the form", "Fill in"},
		{"given DASHBOARD_USERS", set("DASHBOARD_USERS", "admin:$apr1$x$y"), "does not have the form", "Fill in"}, // Docker Compose makes it admin:
		{"one-of ALERT_SMTP_SERVER+ALERT_TO ALERT_WEBHOOK_URL", func(w *world) {
			delete(w.settings, "ALERT_WEBHOOK_URL")
			w.settings["ALERT_SMTP_SERVER"] = "mail.up.ac.za:587"
		}, "none of ALERT_SMTP_SERVER+ALERT_TO", "one of the settings"},
		{secrets, set("POSTGRES_PASSWORD", ""), "POSTGRES_PASSWORD is empty", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "hunter2"), "fewer than 20", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "kS8vQm2Zr7$Lx4Wn9Tb3Yc6Hd"), "fewer than 20", "anew"}, // Docker Compose makes it kS8vQm2Zr7
		{secrets, set("POSTGRES_PASSWORD", "\"kS8vQm2Zr7Lx4Wn9Tb3Yc6Hd"), "is not what Docker Compose can read", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "aaaaaaaaaaaaaaaaaaaaaaaa"), "repeats itself", "anew"},
		{secrets, set("POSTGRES_PASSWORD", "MyOwnSecretPhrase-2026-xyz"), "tried first", "anew"},
		{secrets, set("POSTGRES_PASSWORD", soundSettings()["ADMIN_TOKEN"]), "are the same", "anew"},
		{"private", func(w *world) { w.mode = 0o644 }, "mode 0644", "right to read"},
		{"given ADMIN_TOKEN", set("ADMIN_TOKEN", ""), "has no ADMIN_TOKEN", "Fill in"},
		{"one-of ALERT_WEBHOOK_URL ALERT_SMTP_SERVER", set("ALERT_WEBHOOK_URL", ""), "none of ALERT_WEBHOOK_URL", "one of the settings"},
		{"encrypted", set("BACKUP_RECIPIENTS", ""), "no backup is made", "key pair"},
		{"encrypted", set("BACKUP_RECIPIENTS", "AGE-SECRET-KEY-1QQQ"), "a secret key where the public one belongs", "key pair"},
		{"encrypted", set("BACKUP_RECIPIENTS", "age1typo"), "no public key of age", "key pair"},
		{"encrypted", set("BACKUP_RECIPIENTS", "ssh-ed25519"), "no public key of age", "key pair"},
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
	o := Options{Compose: []string{checkout + "/deploy/compose/compose.yml", checkout + "/deploy/compose/compose.prod.yml"}, Runner: (&world{}).run}
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
{"kind":"Secret","metadata":{"name":"tokens"},"data":{"ADMIN_TOKEN":"c2VjcmV0LXZhbHVl","EMPTY":""}},
{"kind":"Service","metadata":{"name":"redis"},"spec":{"clusterIP":"10.0.0.1"}},
{"kind":"StatefulSet","metadata":{"name":"postgres","generation":2},"spec":{"replicas":1,"template":{"spec":{"volumes":[{"name":"run","emptyDir":{}}],"containers":[
{"volumeMounts":[{"name":"data","mountPath":"/data"},{"name":"run","mountPath":"/run"}],"resources":{"limits":{"cpu":"500m","memory":"4G"}}}]}},
"volumeClaimTemplates":[{"metadata":{"name":"data"}}]},"status":{"observedGeneration":2,"readyReplicas":1,"updatedReplicas":1}},
{"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":"pdf-parse"},"spec":{"template":{"metadata":{"annotations":{"autoscaling.knative.dev/max-scale":"50"}},"spec":{"containers":[
{"envFrom":[{"configMapRef":{"name":"common"}},{"secretRef":{"name":"tokens"}}],"env":[{"name":"PARSE_TIMEOUT","value":"10s"},
{"name":"HOST","valueFrom":{"fieldRef":{"fieldPath":"status.hostIP"}}},{"name":"TOKEN","valueFrom":{"secretKeyRef":{"name":"tokens","key":"EMPTY"}}}],
"readinessProbe":{"httpGet":{"path":"/ready"}},"resources":{"limits":{"cpu":"2","memory":"2Gi"}}}]}}},"status":{"conditions":[{"type":"Ready","status":"True"}]}}]}`

// inCluster looks at a cluster that tells this.
func inCluster(t *testing.T, told, check string) Finding {
	t.Helper()
	return newSystem(Options{Kube: true, Runner: func(context.Context, string, ...string) ([]byte, error) { return []byte(told), nil }}).
		look(t.Context(), Item{Check: check}, nil)
}

// TestBrokenClustersAreNotGreen breaks one thing of a sound cluster at a time.
func TestBrokenClustersAreNotGreen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check, old, new string
		want            State
		evidence        string
	}{
		{"limits pdf-parse 2 2Gi", `"Ready","status":"True"`, `"Ready","status":"False"`, Failed, "it is not ready"},
		{"limits pdf-parse 2 2Gi", `"memory":"2Gi"`, `"memory":"2G"`, Failed, "less than it needs"},
		{"limits postgres 0.5 3Gi", `"readyReplicas":1`, `"readyReplicas":0`, Failed, "0 of 1 are ready"},
		{"limits postgres 0.5 3Gi", `"updatedReplicas":1`, `"updatedReplicas":0`, Failed, "of its newest version"},
		{"limits postgres 0.5 3Gi", `"observedGeneration":2`, `"observedGeneration":1`, Failed, "has not taken its newest version up"},
		{"probed pdf-parse", `"readinessProbe":{"httpGet":{"path":"/ready"}}`, `"readinessProbe":{}`, Failed, "has no health check"},
		{"storage postgres:/data", `"name":"data","mountPath"`, `"name":"run","mountPath"`, Failed, "is lost with its container"},
		{"storage postgres:/data", `"mountPath":"/data"`, `"readOnly":true,"mountPath":"/data"`, Failed, "is lost with its container"},
		{"env pdf-parse LOG_LEVEL", `"name":"common"},"data"`, `"name":"another"},"data"`, NotLooked, "was not seen"},
		{"setting pdf-parse LOG_LEVEL info", `"name":"common"},"data"`, `"name":"another"},"data"`, NotLooked, "was not read"},
	} {
		if !strings.Contains(cluster, c.old) {
			t.Fatalf("the cluster has no %s", c.old)
		}
		expect(t, inCluster(t, cluster, c.check), OK, "")
		got := inCluster(t, strings.Replace(cluster, c.old, c.new, 1), c.check)
		expect(t, got, c.want, c.evidence)
		if strings.Contains(got.Command, "docker") {
			t.Errorf("%s: the command is %q, which no cluster knows", c.check, got.Command)
		}
	}
	optional := strings.Replace(cluster, `{"configMapRef":{"name":"common"}}`, `{"configMapRef":{"name":"common"}},{"secretRef":{"name":"none","optional":true}}`, 1)
	expect(t, inCluster(t, optional, "setting pdf-parse JOB_ATTEMPTS 3"), OK, "is not set")
	expect(t, inCluster(t, cluster, "setting pdf-parse HOST 10s"), NotLooked, "was not read")
	expect(t, inCluster(t, cluster, "env pdf-parse TOKEN"), Failed, "without TOKEN")
	expect(t, inCluster(t, `{"kind":"List","items":[]}`, "all-limits"), Failed, "nothing of schedgen runs")
	refused := Options{Kube: true, Runner: func(context.Context, string, ...string) ([]byte, error) {
		return nil, errors.New("kubectl: exit status 1: secrets is forbidden")
	}}
	expect(t, newSystem(refused).look(t.Context(), Item{Check: "all-limits"}, nil), NotLooked, "secrets is forbidden")
}

// TestADeploymentThatIsNotWholeIsNotLookedAt: what is included from elsewhere is not followed; without Docker the files alone
// are known, which is said.
func TestADeploymentThatIsNotWholeIsNotLookedAt(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.compose += "include: [more.yml]\n"
	expect(t, w.find(t, "limits redis 1 3Gi"), NotLooked, "include or extends")
	w = soundWorld()
	w.containers = ""
	expect(t, w.find(t, "limits redis 1 3Gi"), OK, "Docker does not tell what runs")
}

// TestALaterFileAddsToAnEarlierOne: a list over a map of variables takes none of them away.
func TestALaterFileAddsToAnEarlierOne(t *testing.T) {
	t.Parallel()
	w := soundWorld()
	w.compose = strings.Replace(w.compose, "PARSE_TIMEOUT: 10s", "PARSE_TIMEOUT: 10m", 1)
	w.options = func(o *Options) {
		more := filepath.Join(filepath.Dir(o.Compose[0]), "more.yml")
		if err := os.WriteFile(more, []byte("services: {pdf-parse: {environment: [LOG_LEVEL=info], volumes: ['./x:/x']}}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Compose = append(o.Compose, more)
	}
	expect(t, w.find(t, "setting pdf-parse PARSE_TIMEOUT 10s"), Failed, "is 10m")
	expect(t, w.find(t, "env pdf-parse LOG_LEVEL"), OK, "")
	expect(t, w.find(t, "storage pdf-parse:/data pdf-parse:/x"), OK, "")
}

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
