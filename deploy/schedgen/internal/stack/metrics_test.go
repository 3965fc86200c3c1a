package stack

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup"
	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/functions/web"
	"github.com/schedgen/schedgen/shared/faas"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

const metricsPage = "../../../../docs/metrics.md"

// descPattern reads what a prometheus.Desc tells of itself, which has no other way out.
var descPattern = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)", unit: "[^"]*", constLabels: \{(.*)\}, variableLabels: \{(.*)\}\}$`)

// TestEveryMetricIsDocumented compares docs/metrics.md with what the functions say of themselves; -update writes it.
func TestEveryMetricIsDocumented(t *testing.T) {
	t.Parallel()
	type row struct {
		labels, help string
		functions    []string
	}
	rows := map[string]*row{}
	for name, fn := range everyFunction(t) {
		t.Cleanup(fn.Close)
		for _, desc := range faas.Metrics(name, fn) {
			parts := descPattern.FindStringSubmatch(desc.String())
			if parts == nil {
				t.Fatalf("not understood: %s", desc)
			}
			labels := strings.FieldsFunc(parts[4], func(c rune) bool { return c == ',' || c == ' ' })
			if strings.Contains(parts[3], "function=") {
				labels = append([]string{"function"}, labels...)
			}
			r := rows[parts[1]]
			if r == nil {
				r = &row{labels: strings.Join(labels, ", "), help: strings.ReplaceAll(parts[2], "|", "\\|")}
				rows[parts[1]] = r
			}
			r.functions = append(r.functions, name)
		}
	}
	var page strings.Builder
	page.WriteString(metricsHead)
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		slices.Sort(r.functions)
		from := strings.Join(slices.Compact(r.functions), ", ")
		if strings.Count(from, ",") == len(everyName)-1 {
			from = "all"
		}
		fmt.Fprintf(&page, "| `%s` | %s | %s | %s |\n", name, r.labels, from, r.help)
	}
	if *update {
		if err := os.WriteFile(metricsPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(metricsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != page.String() {
		t.Error("docs/metrics.md is not what the functions say: run go test -run EveryMetricIsDocumented ./internal/stack -update in deploy/schedgen")
	}
}

var metricsHead = strings.ReplaceAll(`# Metrics

Each function serves its metrics at ~/metrics~, in the text format of Prometheus and OpenMetrics, beside those of the
Go runtime (~go_*~) and the process (~process_*~). A test writes this table from the code.

A function that is scaled to zero takes its counters along. The numbers that must survive that come from PostgreSQL
(~schedgen_queue_*~, ~schedgen_jobs_ended~ and others of upload-ingest) or from the bucket (~schedgen_backup_*~); all
instances return the same ones, so take the ~max~ of them.

| metric | labels | of | meaning |
|---|---|---|---|
`, "~", "`")

var everyName = []string{"backup", "calendar-generate", "google-sync", "pdf-parse", "upload-ingest", "web"}

// everyFunction is one of each, configured with settings that are valid and lead nowhere.
func everyFunction(t *testing.T) map[string]faas.Function {
	t.Helper()
	all := envconfig.MapLookuper(map[string]string{
		"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "S3_URL": "http://127.0.0.1:1", "S3_ACCESS_KEY": "none", "S3_SECRET_KEY": "none",
		"REDIS_URL": "redis://127.0.0.1:1", "SESSION_KEY": strings.Repeat("k", 32), "EVENT_TOKEN": "none", "ADMIN_TOKEN": "none",
	})
	functions := map[string]faas.Function{}
	add := func(name string, fn faas.Function, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		functions[name] = fn
	}
	ingest, err := configured(t.Context(), all, uploadingest.New, nil)
	add("upload-ingest", ingest, err)
	parse, err := configured(t.Context(), all, pdfparse.New, nil)
	add("pdf-parse", parse, err)
	calendar, err := configured(t.Context(), all, calendargenerate.New, nil)
	add("calendar-generate", calendar, err)
	google, err := configured(t.Context(), all, googlesync.New, nil)
	add("google-sync", google, err)
	backups, err := configured(t.Context(), all, backup.New, nil)
	add("backup", backups, err)
	page, err := web.New(t.Context(), web.Config{})
	add("web", page, err)
	return functions
}
