package monitoring_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/schedgen/schedgen/deploy/monitoring"
)

// tool runs one of the programs that come with Prometheus and Alertmanager, which must be content.
func tool(t *testing.T, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("needs %s: run `make setup`", name)
	}
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func TestPromtoolTakesTheRules(t *testing.T) {
	t.Parallel()
	tool(t, "promtool", "check", "rules", "rules/recording.yml", "rules/costs.yml", "rules/budgets.yml", "rules/service.yml", "rules/servers.yml")
}

// TestAlertsFireAndAreSilent runs promtool's own tests of the rules. See tests/.
func TestAlertsFireAndAreSilent(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, "tests/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			tool(t, "promtool", "test", "rules", file)
		})
	}
}

func TestAmtoolTakesTheReceivers(t *testing.T) {
	t.Parallel()
	tool(t, "amtool", "check-config", "alertmanager/alertmanager.yml")
}

// TestPromtoolTakesTheConfigurations checks them with the rules and the cluster's files at hand. Debian's promtool is
// built without Kubernetes, and older than classic histograms beside native ones: these are left out, and all else is checked.
func TestPromtoolTakesTheConfigurations(t *testing.T) {
	t.Parallel()
	for _, file := range glob(t, "prometheus/*.yml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			var config map[string]any
			if err := yaml.Unmarshal([]byte(strings.NewReplacer("/etc/prometheus/rules", abs(t, "rules"),
				"/var/run/secrets/kubernetes.io/serviceaccount/token", abs(t, "go.mod"),
				"/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", certificate(t)).Replace(read(t, file))), &config); err != nil {
				t.Fatal(err)
			}
			global, _ := config["global"].(map[string]any)
			if global["always_scrape_classic_histograms"] != true {
				t.Error("the classic histograms, which the rules read, are left out where native ones are stored")
			}
			delete(global, "always_scrape_classic_histograms")
			jobs, _ := config["scrape_configs"].([]any)
			for _, job := range jobs {
				delete(job.(map[string]any), "kubernetes_sd_configs")
			}
			data, err := yaml.Marshal(config)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "prometheus.yml")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			tool(t, "promtool", "check", "config", path)
		})
	}
}

// certificate is a file of certificates, as a cluster's own is.
func certificate(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Skip("needs the system's certificates: apt-get install ca-certificates")
	return ""
}

func TestFasterRulesAreTheSameButForTheirTimes(t *testing.T) {
	t.Parallel()
	const rule = "expr: rate(x[5m] offset 1h) > 300 # 5m\nfor: 10m\nrecord: a:b:rate5m\n"
	const want = "expr: rate(x[5000ms] offset 60000ms) > 300 # 5m\nfor: 10000ms\nrecord: a:b:rate5m\n"
	if got := string(monitoring.Faster([]byte(rule), 60, time.Second)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	all, err := monitoring.Rules()
	if err != nil || len(all) != 5 {
		t.Fatalf("got %d files (%v), want 5", len(all), err)
	}
	for name, rules := range all {
		fast := monitoring.Faster(rules, 60, 5*time.Second)
		if left := regexp.MustCompile(`\[\d+[mhd]\]|for: \d+[mhd]\b`).Find(fast); left != nil {
			t.Errorf("%s: %s is as long as before", name, left)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, fast, 0o600); err != nil {
			t.Fatal(err)
		}
		tool(t, "promtool", "check", "rules", path)
	}
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	all, err := filepath.Glob(pattern)
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: got %v (%v), want some files", pattern, all, err)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func abs(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
