package monitoring_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is one of a file of rules.
type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	var all []rule
	for _, path := range glob(t, "rules/*.yml") {
		var file struct{ Groups []struct{ Rules []rule } }
		if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, group := range file.Groups {
			all = append(all, group.Rules...)
		}
	}
	return all
}

const runbooks = "../../docs/runbooks"

var sections = []string{"## What it means\n", "## How to see it\n", "## How to fix it\n", "## How to know that it is fixed\n"}

// TestEachAlertSaysWhatToDo wants of each alert a severity, what it is, what people notice, and its page; and each page
// to be an alert's.
func TestEachAlertSaysWhatToDo(t *testing.T) {
	t.Parallel()
	index, pages := read(t, filepath.Join(runbooks, "README.md")), map[string]bool{}
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		pages[r.Alert+".md"] = true
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q, want critical or warning", r.Alert, s)
		}
		for _, name := range []string{"summary", "description"} {
			if len(r.Annotations[name]) < 20 {
				t.Errorf("%s: %s %q says too little", r.Alert, name, r.Annotations[name])
			}
		}
		if got, want := r.Annotations["runbook_url"], "{{ $externalLabels.runbooks }}/"+r.Alert+".md"; got != want {
			t.Errorf("%s: runbook_url %s, want %s", r.Alert, got, want)
		}
		if !strings.Contains(index, "]("+r.Alert+".md)") {
			t.Errorf("%s is not in the list of docs/runbooks/README.md", r.Alert)
		}
		expectRunbook(t, r.Alert)
	}
	entries, err := os.ReadDir(runbooks)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "README.md" && !pages[name] {
			t.Errorf("docs/runbooks/%s is the page of no alert", name)
		}
	}
}

func expectRunbook(t *testing.T, alert string) {
	t.Helper()
	page, at := read(t, filepath.Join(runbooks, alert+".md")), 0
	for _, section := range sections {
		i := strings.Index(page, section)
		if i < at {
			t.Errorf("%s.md: no section %q after the one before", alert, strings.TrimSpace(section))
		}
		at = max(at, i)
	}
	if !strings.Contains(page, "`") {
		t.Errorf("%s.md names no command or query", alert)
	}
}

// TestOperatorsCanTypeWhatRunbooksSay: kubectl prints ten lines of what a selector finds unless it is told otherwise, and no
// function and no server of the monitoring has an address that an operator reaches.
func TestOperatorsCanTypeWhatRunbooksSay(t *testing.T) {
	t.Parallel()
	commands := regexp.MustCompile("(?s)```sh\n(.*?)```")
	inside := regexp.MustCompile(`https?://(localhost:90\d\d|[a-z-]+:8080)|example\.org/api/admin`)
	for _, path := range append(glob(t, runbooks+"/*.md"), "../../docs/incident-response.md", "../../docs/troubleshooting.md") {
		for _, block := range commands.FindAllStringSubmatch(read(t, path), -1) {
			for line := range strings.Lines(block[1]) {
				if strings.Contains(line, "kubectl logs") && strings.Contains(line, " -l ") && !strings.Contains(line, "--tail") {
					t.Errorf("%s: ten lines of each pod: %s", filepath.Base(path), line)
				}
				if inside.MatchString(line) && !strings.Contains(line, " exec ") && !strings.HasPrefix(line, "ask()") {
					t.Errorf("%s: nobody reaches this from outside: %s", filepath.Base(path), line)
				}
			}
		}
	}
}

// TestEachAlertIsTested wants each alert, with each of its severities, to fire in a test, and each test to be silent too.
func TestEachAlertIsTested(t *testing.T) {
	t.Parallel()
	var tests string
	for _, path := range glob(t, "tests/*.yml") {
		tests += read(t, path)
	}
	for _, r := range rules(t) {
		if want := `{alertname="` + r.Alert + `",severity="` + r.Labels["severity"] + `"}`; r.Alert != "" && !strings.Contains(tests, want) {
			t.Errorf("no test sees %s fire as %s", r.Alert, r.Labels["severity"])
		}
	}
	for one := range strings.SplitSeq(tests, "  - name: ") {
		if name, checks, _ := strings.Cut(one, "\n"); strings.Contains(checks, "alertname=") && !strings.Contains(checks, "exp_samples: []") && !strings.Contains(name, "at zero") {
			t.Errorf("the test %q never sees its alert silent", name)
		}
	}
}

// exporters are the metrics of servers that are not ours, of those whose names we use. Their documents: prometheus/node_exporter,
// prometheus-community/postgres_exporter, oliver006/redis_exporter, MinIO, Traefik, cAdvisor, Prometheus and Alertmanager.
var exporters = strings.Fields(`up
	node_cpu_seconds_total node_memory_MemAvailable_bytes node_memory_MemTotal_bytes node_filesystem_avail_bytes node_filesystem_size_bytes
	node_time_seconds node_timex_offset_seconds node_disk_io_time_seconds_total node_network_receive_bytes_total node_network_transmit_bytes_total
	pg_up pg_stat_activity_count pg_settings_max_connections pg_database_size_bytes pg_stat_database_xact_commit pg_stat_database_xact_rollback pg_stat_database_deadlocks
	redis_up redis_memory_used_bytes redis_memory_max_bytes redis_evicted_keys_total redis_db_keys redis_commands_processed_total redis_connected_clients
	minio_cluster_capacity_usable_free_bytes minio_cluster_capacity_usable_total_bytes minio_s3_requests_total
	traefik_tls_certs_not_after traefik_entrypoint_requests_total
	container_memory_working_set_bytes container_spec_memory_limit_bytes container_cpu_usage_seconds_total container_spec_cpu_quota container_spec_cpu_period
	process_start_time_seconds process_cpu_seconds_total process_resident_memory_bytes process_open_fds process_max_fds go_goroutines go_memstats_heap_inuse_bytes
	prometheus_rule_evaluation_failures_total prometheus_target_scrape_pool_targets prometheus_tsdb_head_series alertmanager_notifications_failed_total ALERTS`)

// TestMetricsOfRulesExist compares the metrics that rules and runbooks name with those that are documented, which are
// those that the functions have: see the test beside `schedgen up`.
func TestMetricsOfRulesExist(t *testing.T) {
	t.Parallel()
	known := knownMetrics(t)
	for _, r := range rules(t) {
		expectKnown(t, known, r.Alert+r.Record, r.Expr)
	}
	query := regexp.MustCompile("(?s)```promql\n(.*?)```")
	for _, path := range glob(t, runbooks+"/*.md") {
		for _, found := range query.FindAllStringSubmatch(read(t, path), -1) {
			for line := range strings.Lines(found[1]) {
				expectKnown(t, known, filepath.Base(path), line)
			}
		}
	}
}

// knownMetrics are the documented ones, the exporters' and those that rules record.
func knownMetrics(t *testing.T) []string {
	t.Helper()
	known := slices.Clone(exporters)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(read(t, "../../docs/metrics.md"), -1) {
		known = append(known, row[1], row[1]+"_bucket", row[1]+"_count", row[1]+"_sum")
	}
	for _, r := range rules(t) {
		known = append(known, r.Record)
	}
	return known
}

func expectKnown(t *testing.T, known []string, where, expr string) {
	t.Helper()
	for _, name := range metricsOf(expr) {
		if !slices.Contains(known, name) {
			t.Errorf("%s names %s, which no function has (docs/metrics.md) and no exporter that is used", where, name)
		}
	}
}

var (
	notMetrics = regexp.MustCompile(`"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring|group_left|group_right) *\([^)]*\)|\b\d[\w.]*`)
	name       = regexp.MustCompile(`[a-zA-Z_:][a-zA-Z0-9_:]*\b *\(?`)
	keywords   = []string{"and", "or", "unless", "offset", "bool", "by", "without", "on", "ignoring", "group_left", "group_right"}
)

// metricsOf are the metrics that an expression names: what is left without strings, labels and functions.
func metricsOf(expr string) []string {
	var all []string
	for _, found := range name.FindAllString(notMetrics.ReplaceAllString(expr, " "), -1) {
		if found = strings.TrimSpace(found); !strings.HasSuffix(found, "(") && !slices.Contains(keywords, found) {
			all = append(all, found)
		}
	}
	return all
}

func TestMetricsOfAnExpression(t *testing.T) {
	t.Parallel()
	got := metricsOf(`sum by (le) (rate(a_bucket{le=~"1(\\.0)?"}[5m] offset 1h)) / on() max(b:c:d > 1e3) unless vector(0) or x1`)
	if want := []string{"a_bucket", "b:c:d", "x1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
