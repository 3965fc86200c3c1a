// Package report writes a load test's figures as a page that people read.
package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Run is one load test.
type Run struct {
	Scenario string
	Began    time.Time
	Lasted   time.Duration
	Machine  string // its processors
	Commit   string
	Audit    string // what the audit found
	Summary  Summary
	Usage    []Usage // what was held while it ran, at equal distances
}

// Summary is what k6 measured, by the name of the metric.
type Summary map[string]Metric

// Metric is one of k6's.
type Metric struct {
	Values     map[string]float64 // by k6's name of each: avg, p(95), count, rate
	Thresholds map[string]bool    // by their texts: whether each was kept
}

// ParseSummary reads what k6 writes with --summary-export.
func ParseSummary(data []byte) (Summary, error) {
	var exported struct {
		Metrics map[string]map[string]json.RawMessage `json:"metrics"`
	}
	if err := json.Unmarshal(data, &exported); err != nil {
		return nil, fmt.Errorf("read k6's summary: %w", err)
	}
	summary := Summary{}
	for name, fields := range exported.Metrics {
		metric := Metric{Values: map[string]float64{}, Thresholds: map[string]bool{}}
		for field, raw := range fields {
			if field == "thresholds" {
				var crossed map[string]bool // k6 tells which were crossed
				if err := json.Unmarshal(raw, &crossed); err != nil {
					return nil, fmt.Errorf("read the thresholds of %s: %w", name, err)
				}
				for text, is := range crossed {
					metric.Thresholds[text] = !is
				}
				continue
			}
			var value float64
			if err := json.Unmarshal(raw, &value); err != nil {
				return nil, fmt.Errorf("read %s of %s: %w", field, name, err)
			}
			metric.Values[field] = value
		}
		summary[name] = metric
	}
	return summary, nil
}

// Markdown is the page of a run.
func (r Run) Markdown() string {
	var page strings.Builder
	fmt.Fprintf(&page, "# Load test: %s\n\n", r.Scenario)
	fmt.Fprintf(&page, "%s, %s, commit %s, on %s.\n\n", r.Began.Format(time.RFC3339), r.Lasted.Round(time.Second), r.Commit, r.Machine)
	fmt.Fprintf(&page, "```\n%s\n```\n\n", r.Audit)
	page.WriteString(r.thresholds())
	page.WriteString(r.times())
	page.WriteString(r.counts())
	page.WriteString(r.usage())
	return page.String()
}

// shown is the threshold that has k6 give the times of a step (journey.js).
const shown = "max>=0"

func (r Run) thresholds() string {
	var rows strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Summary)) {
		metric := r.Summary[name]
		for _, text := range slices.Sorted(maps.Keys(metric.Thresholds)) {
			if text == shown {
				continue
			}
			kept := "**no**"
			if metric.Thresholds[text] {
				kept = "yes"
			}
			fmt.Fprintf(&rows, "| `%s` | `%s` | %s |\n", name, text, kept)
		}
	}
	return "| metric | threshold | kept |\n|---|---|---|\n" + rows.String() + "\n"
}

// times are the durations, in milliseconds.
func (r Run) times() string {
	columns := []string{"count", "med", "p(95)", "p(99)", "max"}
	var rows strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Summary)) {
		values := r.Summary[name].Values
		if values["count"] == 0 { // a step that these users do not take
			continue
		}
		if _, isTrend := values["med"]; !isTrend || !strings.HasPrefix(name, "http_req_duration") && name != "iteration_duration" {
			continue
		}
		fmt.Fprintf(&rows, "| `%s` |", name)
		for _, column := range columns {
			fmt.Fprintf(&rows, " %.0f |", values[column])
		}
		rows.WriteString("\n")
	}
	return "| milliseconds | " + strings.Join(columns, " | ") + " |\n|---|" + strings.Repeat("---:|", len(columns)) + "\n" + rows.String() + "\n"
}

func (r Run) counts() string {
	var rows strings.Builder
	for _, name := range []string{"http_reqs", "iterations", "dropped_iterations", "uploads_refused"} {
		if metric, ok := r.Summary[name]; ok {
			fmt.Fprintf(&rows, "| `%s` | %.0f | %.1f |\n", name, metric.Values["count"], metric.Values["rate"])
		}
	}
	return "| | number | a second |\n|---|---:|---:|\n" + rows.String()
}
