package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestStudentsUseThePage does in a real browser what students do: functions/web/app/e2e holds the flows. SCHEDGEN_PAGE_SHOTS
// is a folder to keep pictures of each state in.
func TestStudentsUseThePage(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("needs Chromium: run `make setup`, or apt-get install chromium")
	}
	app := filepath.Join("..", "..", "..", "functions", "web", "app")
	if _, err := os.Stat(filepath.Join(app, "node_modules", "playwright-core")); err != nil {
		t.Skip("needs playwright-core: run `make setup`, or npm ci in functions/web/app")
	}
	if _, err := os.Stat(filepath.Join(app, "..", "dist", "page", "index.html")); err != nil {
		t.Skip("needs the page: run `make setup` and `make build`")
	}
	papers := t.TempDir()
	w := start(t, stack.Config{Google: stack.FakeGoogle}, "YEARS_FILE", presentYear(t))
	for name, options := range map[string]fixture.Options{
		"lectures": {Kind: timetable.Lecture, Seed: 27, Modules: 5}, "tests": {Kind: timetable.Test, Seed: 8, Modules: 5}, "exams": {Kind: timetable.Exam, Seed: 9, Modules: 5},
	} {
		writePaper(t, filepath.Join(papers, name+".pdf"), generated(t, options).pdf)
	}
	writePaper(t, filepath.Join(papers, "broken.pdf"), []byte("%PDF-1.7\nThis is none.\n"))
	run := exec.CommandContext(t.Context(), "node", filepath.Join(app, "e2e", "run.mjs"))
	run.Env = append(os.Environ(), "PAGE_URL="+w.url, "PAGE_PDFS="+papers, "PAGE_CHROMIUM="+chromium, "PAGE_SHOTS="+os.Getenv("SCHEDGEN_PAGE_SHOTS"))
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("the flows: %v", err)
	}
}

// presentYear is a file with the dates of this year, in whichever the test runs: the page would ask for them.
func presentYear(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "years.json")
	year := time.Now().In(zone).Year()
	years := fmt.Sprintf(`{"%[1]d": {"source": "made up for a test", "terms": {"S1": "%[1]d-02-09..%[1]d-05-22", "S2": "%[1]d-07-13..%[1]d-10-16"}}}`, year)
	if err := os.WriteFile(name, []byte(years), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func writePaper(t *testing.T, name string, pdf []byte) {
	t.Helper()
	if err := os.WriteFile(name, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
}
