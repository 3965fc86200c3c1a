package status

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the screen into docs/monitoring.md")

// quietPage is the metrics of a quiet system.
const quietPage = `http_requests_total{function="schedgen",code="200"} 1204
http_requests_in_flight{function="schedgen"} 1
# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{function="schedgen",le="0.1"} 1150
http_request_duration_seconds_bucket{function="schedgen",le="+Inf"} 1204
http_request_duration_seconds_count{function="schedgen"} 1204
schedgen_uploads_last_hour 310
schedgen_jobs_ended{status="completed"} 301
schedgen_jobs_ended{status="rejected"} 9
schedgen_jobs_ended{status="failed"} 0
schedgen_parse_jobs_total{outcome="completed",code=""} 312
# TYPE schedgen_parse_seconds histogram
schedgen_parse_seconds_bucket{le="0.25"} 300
schedgen_parse_seconds_bucket{le="+Inf"} 312
schedgen_parse_seconds_count 312
schedgen_queue_stalled_leases 0
schedgen_dead_letters 0
schedgen_db_connections{state="in_use"} 2
schedgen_db_connections{state="idle"} 6
schedgen_db_connections_max 40
# TYPE schedgen_db_query_seconds histogram
schedgen_db_query_seconds_bucket{le="0.0025"} 990
schedgen_db_query_seconds_bucket{le="+Inf"} 1000
schedgen_db_query_seconds_count 1000
schedgen_db_query_errors_total 0
schedgen_db_connections_held_total 0
schedgen_cache_up 1
schedgen_cache_requests_total{outcome="hit"} 4150
schedgen_cache_requests_total{outcome="miss"} 973
schedgen_storage_bytes 67108864
schedgen_s3_errors_total{operation="get"} 0
schedgen_sweep_last_timestamp_seconds 1764244791
schedgen_backup_runs_total{outcome="ok"} 1
schedgen_backup_last_success_timestamp_seconds 1764218400
schedgen_backup_verified 1
schedgen_backup_stored 12
`

// TestTheScreenOfTheDocuments compares the screen that docs/monitoring.md shows with that of a quiet system; -update
// writes it.
func TestTheScreenOfTheDocuments(t *testing.T) {
	t.Parallel()
	state := State{At: time.Unix(1764244800, 0), AlertsOf: "http://127.0.0.1:41571", Health: Health{Status: "ok", Version: "v1.4.0", UptimeSeconds: 11520,
		Dependencies: map[string]dependency{"cache": {Status: "up"}, "database": {Status: "up"}, "disk": {Status: "up"}, "s3": {Status: "up"}}}}
	state.Queue.Queue = map[string]map[string]int{}
	var err error
	if state.Metrics, err = parseMetrics(quietPage); err != nil {
		t.Fatal(err)
	}
	want := rendered(t, state, nil)
	const path, fence = "../../../../docs/monitoring.md", "```\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), "\n"+fence+"schedgen ")
	_, after, closed := strings.Cut(rest, fence)
	if !found || !closed {
		t.Fatal("docs/monitoring.md shows no screen")
	}
	page := before + "\n" + fence + want + fence + after
	if *update {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if page != string(data) {
		t.Errorf("docs/monitoring.md does not show the screen as it is: run go test ./internal/status -update in deploy/schedgen\n%s", want)
	}
}
