package monitoring_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// panels are the expressions of Grafana's pages, by page and title.
func panels(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, path := range glob(t, "dashboards/json/*.json") {
		var page struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal([]byte(read(t, path)), &page); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, p := range page.Panels {
			for _, target := range p.Targets {
				where := filepath.Base(path) + ": " + p.Title
				all[where] = append(all[where], strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
			}
		}
	}
	return all
}

// TestPromtoolTakesThePanels gives their expressions to promtool as rules.
func TestPromtoolTakesThePanels(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("groups: [{name: panels, rules: [\n")
	n := 0
	for _, expressions := range panels(t) {
		for _, expr := range expressions {
			n++
			fmt.Fprintf(&b, "{record: 'panel:%d', expr: '%s'},\n", n, strings.ReplaceAll(expr, "'", "''"))
		}
	}
	b.WriteString("]}]\n")
	path := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	tool(t, "promtool", "check", "rules", path)
}

// TestEachMetricIsOnAPanel wants each panel to name metrics that exist, and each of our metrics to be on one.
func TestEachMetricIsOnAPanel(t *testing.T) {
	t.Parallel()
	known := append(knownMetrics(t), "ALERTS")
	var used []string
	for where, expressions := range panels(t) {
		for _, expr := range expressions {
			expectKnown(t, known, where, expr)
			used = append(used, metricsOf(expr)...)
		}
	}
	for _, r := range rules(t) {
		if slices.Contains(used, r.Record) {
			used = append(used, metricsOf(r.Expr)...)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(read(t, "../../docs/metrics.md"), -1) {
		if !slices.Contains(used, row[1]) && !slices.Contains(used, row[1]+"_bucket") {
			t.Errorf("%s is on no panel", row[1])
		}
	}
}
