package monitoring_test

import (
	"flag"
	"os"
	"strings"
	"testing"
	"text/template"
)

var update = flag.Bool("update", false, "write rules/budgets.yml")

// TestBudgetsAreWritten compares rules/budgets.yml with what its template gives for each window; -update writes it.
func TestBudgetsAreWritten(t *testing.T) {
	t.Parallel()
	const path = "rules/budgets.yml"
	var file strings.Builder
	tmpl, err := template.New("budgets").Delims("<<", ">>").Parse(read(t, "budgets.yml.tmpl")) // {{ }} are Prometheus' own
	if err != nil {
		t.Fatal(err)
	}
	err = tmpl.Execute(&file, struct {
		Windows       []string
		Faults, Quick string
	}{
		Windows: []string{"5m", "30m", "1h", "2h", "6h", "1d", "3d"},
		// The codes of failures that are ours. A test of functions/upload-ingest/overview compares them with its own.
		Faults: "ATTEMPTS_EXHAUSTED|PROCESSING_TIMEOUT|UPLOAD_INCOMPLETE|PDF_MISSING|PROCESSING_FAILED",
		Quick:  "/api/(jobs|generate|feeds|years).*",
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, path) != file.String() {
		t.Error("rules/budgets.yml is not what its template gives: run go test -run BudgetsAreWritten . -update in deploy/monitoring")
	}
}
