package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/load-tests/report"
)

const exported = `{"root_group":{},"metrics":{
"http_req_duration":{"avg":12.5,"med":10,"p(95)":40.4,"p(99)":90,"max":120,"count":300,"thresholds":{"p(95)<2000":false}},
"http_req_failed":{"passes":3,"fails":297,"value":0.01,"thresholds":{"rate<0.001":true}},
"http_req_duration{name:upload}":{"avg":12.5,"med":11,"p(95)":41,"p(99)":91,"max":121,"count":30,"thresholds":{"max>=0":false}},
"http_req_duration{name:poll}":{"avg":0,"med":0,"p(95)":0,"p(99)":0,"max":0,"count":0,"thresholds":{"max>=0":false}},
"http_reqs":{"count":300,"rate":30.25}}}`

// TestMarkdown shows the figures, and which thresholds were kept.
func TestMarkdown(t *testing.T) {
	t.Parallel()
	summary, err := report.ParseSummary([]byte(exported))
	if err != nil {
		t.Fatal(err)
	}
	page := report.Run{
		Scenario: "baseline", Began: time.Date(2026, 2, 9, 8, 0, 0, 0, time.UTC), Lasted: 5*time.Minute + 300*time.Millisecond,
		Machine: "2 cores", Commit: "abc1234", Audit: "audit: nothing lost", Summary: summary,
		Usage: []report.Usage{
			{"web: memory, MiB": 20, "web: processor, s": 5}, {"web: memory, MiB": 31, "web: processor, s": 7}, {"web: memory, MiB": 30, "web: processor, s": 8},
			{"web: memory, MiB": 40, "web: processor, s": 10}, {"web: memory, MiB": 33, "web: processor, s": 12},
		},
	}.Markdown()
	for _, unwanted := range []string{"max>=0", "name:poll"} {
		if strings.Contains(page, unwanted) {
			t.Errorf("the page has %q:\n%s", unwanted, page)
		}
	}
	for _, want := range []string{
		"# Load test: baseline\n", "2026-02-09T08:00:00Z, 5m0s, commit abc1234, on 2 cores.", "audit: nothing lost",
		"| `http_req_duration` | `p(95)<2000` | yes |", "| `http_req_failed` | `rate<0.001` | **no** |",
		"| `http_req_duration` | 300 | 10 | 40 | 90 | 120 |", "| `http_reqs` | 300 | 30.2 |", "| web: memory, MiB | 20 | 31 | 40 | 40 |",
		"| `http_req_duration{name:upload}` | 30 | 11 | 41 | 91 | 121 |", "| web: processor, s | 0 | 2 | 7 | 7 |",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

// TestParseSummary refuses what is no summary.
func TestParseSummary(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", `{"metrics":{"a":{"avg":"x"}}}`, `{"metrics":{"a":{"thresholds":{"x":1}}}}`} {
		if _, err := report.ParseSummary([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

// TestGrowth tells what grows to the end from what fills once, swings or accumulates.
func TestGrowth(t *testing.T) {
	t.Parallel()
	var samples []report.Usage
	for i := range 40 {
		n := float64(i)
		s := report.Usage{
			"leak: goroutines": 10 + 2*n, "cache: memory, MiB": 100 * min(1, n/8), "collector: memory, MiB": 60 + 20*float64(i%2),
			"few: open files": 2 + n/8, "PostgreSQL: connections": 4 + n/4, "work: " + report.Seconds: 5 * n, "database: " + report.Kept: 9 * n,
		}
		if i < 30 {
			s["away: memory, MiB"] = 40
		}
		samples = append(samples, s)
	}
	if got := strings.Join(report.Growth(samples), "; "); got != "PostgreSQL: connections: 8, then 13; leak: goroutines: 40, then 80" {
		t.Errorf("got %q", got)
	}
	if got := report.Growth(nil); len(got) > 0 {
		t.Errorf("nothing grew: %q", got)
	}
	if got := report.Growth(samples[:1]); len(got) > 0 {
		t.Errorf("one moment grew: %q", got)
	}
}
