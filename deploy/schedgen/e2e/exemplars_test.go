package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/otlptest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestExemplarsLeadToTheTraceOfAnUpload asks Prometheus for the exemplars of the request and of its reading, and
// a second one, which stores native histograms, for the time of the upload.
func TestExemplarsLeadToTheTraceOfAnUpload(t *testing.T) {
	t.Parallel()
	needsMonitoring(t)
	w := start(t, stack.Config{Monitoring: &stack.Monitoring{Faster: 60}}, "OTEL_EXPORTER_OTLP_ENDPOINT", otlptest.New(t).URL)
	native := nativePrometheus(t, w.url)
	const trace = "0af7651916cd43dd8448eb211c80319c"
	contentType, body := form(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 7}).pdf)
	w.student(t).call(http.StatusCreated, http.MethodPost, "/api/upload", body, "Content-Type", contentType, "Prefer", "wait=20",
		"Traceparent", "00-"+trace+"-b7ad6b7169203331-01")
	for _, histogram := range []string{
		`http_request_duration_seconds_bucket{route="/api/upload"}`, `schedgen_job_stage_seconds_bucket{stage="read"}`, `schedgen_parse_seconds_bucket`,
	} {
		eventually(t, func() error {
			if got := exemplars(t, w.system.Prometheus(), histogram); !slices.Contains(got, trace) {
				return fmt.Errorf("exemplars of %s are of the traces %q, want %s among them", histogram, got, trace)
			}
			return nil
		})
	}
	const upload = `http_request_duration_seconds{route="/api/upload"}`
	eventually(t, func() error {
		count, sum := promValue(t, native, "histogram_count("+upload+")"), promValue(t, native, "histogram_sum("+upload+")")
		p99 := promValue(t, native, "histogram_quantile(0.99, "+upload+")")
		if count != 1 || p99 < sum/1.1 || p99 > sum*1.1 {
			return fmt.Errorf("99 %% of %v uploads took %v s, want within 10 %% of the only one's %v s", count, p99, sum)
		}
		return nil
	})
}

// nativePrometheus is the address of a Prometheus that asks a system, and stores native histograms.
func nativePrometheus(t *testing.T, system string) string {
	t.Helper()
	target, err := url.Parse(system)
	if err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	dir, at := t.TempDir(), "127.0.0.1:"+freePort(t)
	config := fmt.Sprintf("scrape_configs: [{job_name: functions, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: [%q]}]}]\n", target.Host)
	if err := os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(process.Spec{Path: program, Dir: dir, Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM, Env: []string{},
		Args: []string{"--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=" + at, "--enable-feature=native-histograms"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	return "http://" + at
}

// exemplars are the traces that those of a query name.
func exemplars(t *testing.T, prometheus, query string) []string {
	t.Helper()
	var found []struct {
		Exemplars []struct {
			Labels map[string]string
		}
	}
	promData(t, prometheus+"/api/v1/query_exemplars?"+url.Values{"query": {query},
		"start": {"0"}, "end": {strconv.FormatInt(time.Now().Unix()+1, 10)}}.Encode(), &found)
	var traces []string
	for _, series := range found {
		for _, e := range series.Exemplars {
			traces = append(traces, e.Labels["trace_id"])
		}
	}
	return traces
}

// promValue is what a query has as its only value, or 0.
func promValue(t *testing.T, prometheus, query string) float64 {
	t.Helper()
	var found struct {
		Result []struct{ Value [2]any }
	}
	promData(t, prometheus+"/api/v1/query?"+url.Values{"query": {query}}.Encode(), &found)
	if len(found.Result) != 1 {
		return 0
	}
	text, _ := found.Result[0].Value[1].(string)
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

// promData reads the data of Prometheus' answer. One that is not there yet answers nothing.
func promData(t *testing.T, address string, data any) {
	t.Helper()
	got, err := get(t.Context(), http.DefaultClient, address)
	if err != nil || got.StatusCode == http.StatusServiceUnavailable {
		return
	}
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	got.into(t, &answer)
	if answer.Status != "success" {
		t.Fatalf("%s: %s", strings.SplitN(address, "?", 2)[0], cmp.Or(answer.Error, answer.Status))
	}
}
