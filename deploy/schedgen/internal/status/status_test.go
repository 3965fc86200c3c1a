package status

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/secret"
)

const page = `# TYPE http_requests_total counter
http_requests_total{function="schedgen",route="/api/upload",method="POST",code="201"} 90
http_requests_total{function="schedgen",route="/api/upload",method="POST",code="503"} 10
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{function="schedgen",route="/api/upload",method="POST",le="0.1"} 90
http_request_duration_seconds_bucket{function="schedgen",route="/api/upload",method="POST",le="0.5"} 96
http_request_duration_seconds_bucket{function="schedgen",route="/api/upload",method="POST",le="+Inf"} 100
http_request_duration_seconds_sum{function="schedgen",route="/api/upload",method="POST"} 9
http_request_duration_seconds_count{function="schedgen",route="/api/upload",method="POST"} 100
# TYPE http_requests_in_flight gauge
http_requests_in_flight{function="schedgen"} 2
# TYPE schedgen_uploads_last_hour gauge
schedgen_uploads_last_hour 310
# TYPE schedgen_jobs_ended gauge
schedgen_jobs_ended{status="completed"} 301
schedgen_jobs_ended{status="rejected"} 9
schedgen_jobs_ended{status="failed"} 0
# TYPE schedgen_parse_jobs_total counter
schedgen_parse_jobs_total{outcome="completed",code=""} 312
# TYPE schedgen_queue_stalled_leases gauge
schedgen_queue_stalled_leases 0
# TYPE schedgen_dead_letters gauge
schedgen_dead_letters 1
# TYPE schedgen_sweep_last_timestamp_seconds gauge
schedgen_sweep_last_timestamp_seconds 0
# TYPE schedgen_db_connections gauge
schedgen_db_connections{function="pdf-parse",state="in_use"} 3
schedgen_db_connections{function="pdf-parse",state="idle"} 1
# TYPE schedgen_db_connections_max gauge
schedgen_db_connections_max{function="pdf-parse"} 8
# TYPE schedgen_cache_up gauge
schedgen_cache_up{function="pdf-parse"} 1
schedgen_cache_up{function="upload-ingest"} 0
# TYPE schedgen_storage_bytes gauge
schedgen_storage_bytes 5.24288e+06
`

// answers is a system whose health is of the form given, with a Prometheus.
func answers(t *testing.T, dependencies string) (Source, *[]string) {
	t.Helper()
	var tokens []string
	mux := http.NewServeMux()
	reply := func(path, body string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			tokens = append(tokens, path+" "+r.Header.Get("Authorization"))
			_, _ = w.Write([]byte(body))
		})
	}
	reply("/system/health", `{"status":"degraded","version":"v1","uptimeSeconds":7260,"dependencies":`+dependencies+`}`)
	reply("/system/metrics", page)
	reply("/system/api/jobs/metrics", `{"queue":{"pending":{"high":1,"normal":4,"low":0},"processing":{"normal":2}},"oldestWaitSeconds":12.5}`)
	reply("/prometheus/api/v1/alerts", `{"status":"success","data":{"alerts":[
		{"labels":{"alertname":"QueueLong","severity":"warning"},"annotations":{"summary":"231 timetables wait"},"state":"firing","activeAt":"2026-11-27T10:00:00Z"},
		{"labels":{"alertname":"Restarts","severity":"warning"},"state":"pending","activeAt":"2026-11-27T10:00:00Z"}]}}`)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return Source{URL: server.URL + "/system", Token: secret.New("secret"), Prometheus: server.URL + "/prometheus", Client: server.Client()}, &tokens
}

func TestScreen(t *testing.T) {
	t.Parallel()
	source, tokens := answers(t, `{"database":"up","redis":{"status":"down","error":"connection refused","latencyMs":3}}`)
	state, err := source.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	screen := rendered(t, state, nil)
	for _, want := range []string{
		"degraded, version v1, up 2h01m", "database up, redis down: connection refused",
		"schedgen: 100 since the start, 10 failed, 2 in flight, 95 % within 500 ms",
		"5 wait (high 1, normal 4, low 0), 2 are read, the oldest waits 12.5 s",
		"310 uploads; 301 read, 9 rejected, 0 failed", "312 since the start, 95 % within unknown time; 0 stalled, 1 dead letters",
		"3 of 8 connections in use, 1 idle", "Redis       down", "5 MiB of PDFs", "never", "none is made here",
		"ALERT       warning QueueLong", "231 timetables wait",
	} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "Restarts") {
		t.Errorf("an alert that does not fire yet is shown:\n%s", screen)
	}
	if got := strings.Join(*tokens, "\n"); strings.Count(got, "Bearer secret") != 3 || strings.Contains(got, "/prometheus/api/v1/alerts Bearer") {
		t.Errorf("the token went to\n%s\nwant the system alone", got)
	}
}

// TestWhatIsNotKnownIsNotWell shows a system whose database is away: what comes from there is absent, as it is of a
// function that does something else. Of none of it the screen says 0, or up.
func TestWhatIsNotKnownIsNotWell(t *testing.T) {
	t.Parallel()
	state := State{At: time.Now(), Health: Health{Status: "down", Reason: "checking"}, QueueErr: errors.New("503 Service Unavailable"),
		AlertsOf: "http://prometheus:9090", AlertErr: errors.New("connection refused")}
	screen := rendered(t, state, nil)
	for _, want := range []string{
		"depends on  unknown: the first check has not ended", "queue       unknown: 503 Service Unavailable",
		"unknown uploads; unknown read, unknown rejected, unknown failed", "unknown, 95 % within unknown time; unknown stalled, unknown dead letters",
		"unknown of unknown connections in use, unknown idle", "Redis       none is configured here", "unknown of PDFs; unknown failed",
		"sweep       unknown", "backup      none is made here", "alerts      unknown: http://prometheus:9090 does not answer: connection refused",
	} {
		if !strings.Contains(screen, want) {
			t.Errorf("the screen lacks %q:\n%s", want, screen)
		}
	}
	if regexp.MustCompile(`\b0\b|none \(`).MatchString(screen) {
		t.Errorf("the screen tells what nobody knows:\n%s", screen)
	}
	var err error
	if state.Metrics, err = parseMetrics("schedgen_backup_runs_total{outcome=\"ok\"} 3\n"); err != nil {
		t.Fatal(err)
	}
	if screen := rendered(t, state, nil); !strings.Contains(screen, "backup      unknown: the list of backups cannot be read") {
		t.Errorf("the bucket of backups is away:\n%s", screen)
	}
}

func TestRatesSinceTheScreenBefore(t *testing.T) {
	t.Parallel()
	source, _ := answers(t, `{}`)
	now, err := source.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := State{At: now.At.Add(-10 * time.Second)}
	if before.Metrics, err = parseMetrics("http_requests_total{function=\"schedgen\",code=\"201\"} 80\n"); err != nil {
		t.Fatal(err)
	}
	if screen := rendered(t, now, &before); !strings.Contains(screen, "schedgen: 2.0/s") {
		t.Errorf("20 requests in 10 s:\n%s", screen)
	}
}

func TestASystemThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	source, _ := answers(t, `{}`)
	source.URL += "/elsewhere"
	if _, err := source.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("got %v, want the status", err)
	}
	source, _ = answers(t, `{}`)
	source.Prometheus += "/elsewhere"
	state, err := source.Read(t.Context())
	if err != nil || !strings.Contains(rendered(t, state, nil), "does not answer") {
		t.Errorf("a Prometheus that is away: got %v", err)
	}
}

func rendered(t *testing.T, now State, before *State) string {
	t.Helper()
	var b strings.Builder
	if err := Render(&b, now, before); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestShort(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{"0s": -time.Second, "59s": 59 * time.Second, "2m": 2 * time.Minute, "3h05m": 185 * time.Minute, "3 days": 72 * time.Hour} {
		if got := short(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
