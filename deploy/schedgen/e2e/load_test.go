package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/load-tests/audit"
	"github.com/schedgen/schedgen/load-tests/fixtures"
	"github.com/schedgen/schedgen/load-tests/report"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// scenarios are those of load-tests/scenarios.
var scenarios = []string{"baseline", "upload", "status", "feeds", "stress", "spike", "soak", "chaos", "semester-start"}

// TestLoad runs each scenario for some seconds, with the limits of production, and audits what it left. With
// SCHEDGEN_LOAD=scenario it runs that one in full and writes its report (make load).
func TestLoad(t *testing.T) {
	t.Parallel()
	k6 := k6Program(t)
	files := filepath.Join(t.TempDir(), "fixtures")
	truths, err := fixtures.Write(files, 1, 60)
	if err != nil {
		t.Fatal(err)
	}
	l := &loadTest{k6: k6, files: files, truths: truths, site: loadSite(t)}
	wanted, full := scenarios, os.Getenv("SCHEDGEN_LOAD")
	if full != "" {
		wanted = []string{full}
	}
	for _, name := range wanted {
		t.Run(name, func(t *testing.T) { l.run(t, name, full != "") })
	}
}

// k6Program is k6, which make setup builds.
func k6Program(t *testing.T) string {
	t.Helper()
	program := os.Getenv("SCHEDGEN_TEST_K6")
	if program == "" {
		t.Skip("needs k6: run `make setup`, or set SCHEDGEN_TEST_K6 to the program")
	}
	return program
}

// loadTest is a system under load.
type loadTest struct {
	k6, files string
	truths    map[string]fixtures.File
	site      *site
}

// loadSite is the functions as processes with production's limits, on a PostgreSQL that keeps what it commits, PgBouncer,
// redis-server and MinIO with its webhook. Sweeps are made as a schedule makes them.
func loadSite(t *testing.T) *site {
	t.Helper()
	f := processes(t, "TRUSTED_PROXIES=127.0.0.0/8", "LOG_LEVEL=warn")
	f.database, f.limited = newDatabase(t), true
	s := newSite(f, f.database.dsn, s3test.MinIO, f.run)
	s.schedule()
	return s
}

// schedule sweeps until the test ends.
func (s *site) schedule() {
	ctx, cancel := context.WithCancel(context.Background())
	var sweeps sync.WaitGroup
	sweeps.Go(func() { s.sweepEvery(ctx, 10*time.Second) })
	s.t.Cleanup(func() {
		cancel()
		sweeps.Wait()
	})
}

// run runs a scenario and audits what it left.
func (l *loadTest) run(t *testing.T, name string, full bool) {
	dir := t.TempDir()
	began := time.Now()
	var beside sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	if name == "chaos" {
		beside.Go(func() { l.breakThings(ctx, t, full) })
	}
	var usage []report.Usage
	if full {
		beside.Go(func() { usage = l.site.watch(ctx) })
	}
	err := l.users(t, name, dir, full)
	cancel()
	beside.Wait()
	if err != nil {
		t.Errorf("k6: %v", err)
	}
	found, err := l.audit(t, filepath.Join(dir, "records"), began)
	text := found.String()
	if err != nil {
		text = fmt.Sprint("no audit: ", err)
	}
	t.Log(text)
	if full {
		l.report(t, dir, report.Run{Scenario: name, Began: began, Lasted: time.Since(began), Audit: text, Usage: usage})
	}
	if growth := report.Growth(usage); name == "soak" && len(growth) > 0 {
		t.Errorf("what grows with time: %s", strings.Join(growth, "; "))
	}
	if err != nil || len(found.Faults) > 0 || found.Accepted == 0 {
		t.Errorf("%d uploads were accepted; %s", found.Accepted, text)
	}
}

// users has k6 run a scenario. What it shows while it runs is the test's output.
func (l *loadTest) users(t *testing.T, name, dir string, full bool) error {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), l.k6, "run", "--no-usage-report", "--log-format", "raw", "--console-output", filepath.Join(dir, "records"),
		"--summary-export", filepath.Join(dir, "summary.json"), filepath.Join("..", "..", "..", "load-tests", "scenarios", name+".js"))
	cmd.Env = append(os.Environ(), "TARGET="+l.site.world.url, "FIXTURES="+l.files)
	if full {
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		cmd.Env = append(cmd.Env, "FULL=1", "K6_WEB_DASHBOARD=true", "K6_WEB_DASHBOARD_PORT=-1", "K6_WEB_DASHBOARD_EXPORT="+filepath.Join(dir, "report.html"))
		return cmd.Run()
	}
	var out bytes.Buffer
	cmd.Args = append(cmd.Args, "--quiet")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w\n%s", err, out.String())
	}
	return nil
}

// audit waits until no job is left to do, and audits what users were answered.
func (l *loadTest) audit(t *testing.T, records string, began time.Time) (audit.Report, error) {
	t.Helper()
	file, err := os.Open(records)
	if err != nil {
		return audit.Report{}, err
	}
	defer file.Close() // read below
	answers, err := audit.ReadRecords(file)
	if err != nil {
		return audit.Report{}, err
	}
	pool, err := postgres.Open(postgres.Config{URL: secret.New(l.site.dsn), StatementTimeout: time.Minute})
	if err != nil {
		return audit.Report{}, err
	}
	defer pool.Close()
	if err := allEnded(t.Context(), pool); err != nil {
		return audit.Report{}, err
	}
	system := audit.System{Pool: pool, PDFs: l.site.minio.Store(t), Retention: 24 * time.Hour, Fetch: fetchFeed}
	return audit.Run(t.Context(), system, began, answers, l.truths)
}

// allEnded waits until each job has ended.
func allEnded(ctx context.Context, pool *postgres.Pool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*patience) // what is left of a full run
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := postgres.QueryOne(ctx, pool, pgx.RowTo[int], "select count(*) from jobs where status not in ('completed', 'failed')")
		if err == nil && n == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%d jobs have not ended", n), err)
		case <-tick.C:
		}
	}
}

// fetchFeed fetches a feed from an address of its own, as many programs do. An audit asks for thousands of them, so it comes
// again when the system says so.
func fetchFeed(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	n := crc32.ChecksumIEEE([]byte(url))
	request.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", byte(n>>16), byte(n>>8), byte(n)))
	for {
		got, err := send(http.DefaultClient, request)
		switch {
		case err != nil:
			return nil, err
		case got.StatusCode == http.StatusOK:
			return got.body, nil
		case got.StatusCode != http.StatusTooManyRequests:
			return nil, fmt.Errorf("got %s", got.Status)
		}
		seconds, err := strconv.Atoi(got.Header.Get("Retry-After"))
		if err != nil {
			return nil, fmt.Errorf("got %s, which does not say when to come again", got.Status)
		}
		select {
		case <-time.After(time.Duration(seconds) * time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// breakThings has one thing after the other go away while there are users, each twice in a full run. The last of them then
// finish in peace.
func (l *loadTest) breakThings(ctx context.Context, t *testing.T, full bool) {
	all, pause := l.site.faults(), 2*time.Second
	if full {
		all, pause = slices.Concat(all, all), 12*time.Second
	}
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for _, fault := range all {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if err := fault.begin(); err != nil {
			t.Errorf("%s: %v", fault.name, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if err := fault.end(); err != nil {
			t.Errorf("%s: %v", fault.name, err)
		}
	}
}

// report writes what the run showed beside the project's own reports.
func (l *loadTest) report(t *testing.T, dir string, r report.Run) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Summary, err = report.ParseSummary(data); err != nil {
		t.Fatal(err)
	}
	r.Machine, r.Commit = machine(), os.Getenv("SCHEDGEN_LOAD_COMMIT")
	out := os.Getenv("SCHEDGEN_LOAD_OUT")
	if err := os.WriteFile(filepath.Join(out, r.Scenario+".md"), []byte(r.Markdown()), 0o644); err != nil {
		t.Fatal(err)
	}
	html, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err == nil {
		err = os.WriteFile(filepath.Join(out, r.Scenario+".html"), html, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// machine is what the run was made on.
func machine() string {
	model := "a processor that is not named"
	data, _ := os.ReadFile("/proc/cpuinfo") // what is not told is said to be so
	for line := range strings.Lines(string(data)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("%d cores of %s, %s", runtime.NumCPU(), model, runtime.GOOS)
}
