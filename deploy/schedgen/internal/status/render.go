package status

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// Render writes one screen. With an earlier state it shows rates since then, else numbers since the start.
func Render(out io.Writer, now State, before *State) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	s := screen{w: w, now: now, before: before}
	s.system()
	s.requests()
	s.jobs()
	s.servers()
	s.upkeep()
	s.alerts()
	return w.Flush()
}

type screen struct {
	w      io.Writer
	now    State
	before *State
}

func (s screen) line(name, format string, args ...any) {
	fmt.Fprintf(s.w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
}

func (s screen) system() {
	h := s.now.Health
	s.line("schedgen", "%s, version %s, up %s", h.Status, h.Version, short(time.Duration(h.UptimeSeconds)*time.Second))
	var states []string
	for _, name := range slices.Sorted(maps.Keys(h.Dependencies)) {
		d := h.Dependencies[name]
		states = append(states, strings.TrimSuffix(name+" "+d.Status+": "+d.Error, ": "))
	}
	s.line("depends on", "%s", strings.Join(states, ", "))
}

// requests shows what each function answered: of the public address, the function is schedgen.
func (s screen) requests() {
	functions := map[string]bool{}
	s.now.Metrics.each("http_requests_total", func(labels map[string]string, _ *dto.Metric) { functions[labels["function"]] = true })
	for _, f := range slices.Sorted(maps.Keys(functions)) {
		failed := 0.0
		s.now.Metrics.each("http_requests_total", func(labels map[string]string, m *dto.Metric) {
			if strings.HasPrefix(labels["code"], "5") {
				failed += value(m)
			}
		}, "function", f)
		p95, _ := s.now.Metrics.quantile(0.95, "http_request_duration_seconds", "function", f)
		s.line("requests", "%s: %s, %.0f failed, %.0f in flight, 95 %% within %s", f,
			s.rate("http_requests_total", "function", f), failed, s.now.Metrics.sum("http_requests_in_flight", "function", f), seconds(p95))
	}
}

// rate is a counter's increase a second where there is an earlier state, else its value.
func (s screen) rate(name string, labels ...string) string {
	n := s.now.Metrics.sum(name, labels...)
	if s.before == nil {
		return fmt.Sprintf("%.0f since the start", n)
	}
	since := s.now.At.Sub(s.before.At).Seconds()
	increase := n - s.before.Metrics.sum(name, labels...)
	if increase < 0 { // it started again
		increase = n
	}
	return fmt.Sprintf("%.1f/s", increase/max(since, 0.001))
}

func (s screen) jobs() {
	m := s.now.Metrics
	pending := s.now.Queue.Queue["pending"]
	s.line("queue", "%d wait (high %d, normal %d, low %d), %d are read, the oldest waits %s", pending["high"]+pending["normal"]+pending["low"],
		pending["high"], pending["normal"], pending["low"], total(s.now.Queue.Queue["processing"]), seconds(s.now.Queue.OldestWaitSeconds))
	s.line("last hour", "%.0f uploads; %.0f read, %.0f rejected, %.0f failed through our fault", m.sum("schedgen_uploads_last_hour"),
		m.sum("schedgen_jobs_ended", "status", "completed"), m.sum("schedgen_jobs_ended", "status", "rejected"), m.sum("schedgen_jobs_ended", "status", "failed"))
	reading, _ := m.quantile(0.95, "schedgen_parse_seconds")
	s.line("reading", "%s, 95 %% within %s; %.0f stalled, %.0f dead letters", s.rate("schedgen_parse_jobs_total"), seconds(reading),
		m.sum("schedgen_queue_stalled_leases"), m.sum("schedgen_dead_letters"))
}

func total(all map[string]int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

func (s screen) servers() {
	m := s.now.Metrics
	query, _ := m.quantile(0.95, "schedgen_db_query_seconds")
	s.line("database", "%.0f of %.0f connections in use, %.0f idle; 95 %% of queries within %s; %s failed, %.0f leaks",
		m.sum("schedgen_db_connections", "state", "in_use"), m.sum("schedgen_db_connections_max"), m.sum("schedgen_db_connections", "state", "idle"),
		seconds(query), s.rate("schedgen_db_query_errors_total"), m.sum("schedgen_db_connections_held_total"))
	hits, misses := m.sum("schedgen_cache_requests_total", "outcome", "hit"), m.sum("schedgen_cache_requests_total", "outcome", "miss")
	up := true
	m.each("schedgen_cache_up", func(_ map[string]string, c *dto.Metric) { up = up && value(c) == 1 })
	s.line("Redis", "%s; %.0f %% of %.0f reads found something", map[bool]string{true: "up", false: "down"}[up], 100*hits/max(hits+misses, 1), hits+misses)
	s.line("storage", "%s of PDFs; %s failed", bytes(m.sum("schedgen_storage_bytes")), s.rate("schedgen_s3_errors_total"))
}

func (s screen) upkeep() {
	m := s.now.Metrics
	s.line("sweep", "%s", s.ago(m.sum("schedgen_sweep_last_timestamp_seconds")))
	if _, ok := m["schedgen_backup_last_success_timestamp_seconds"]; !ok {
		s.line("backup", "none is made here")
		return
	}
	proved := map[bool]string{true: "proved by a restore", false: "not proved by a restore"}[m.sum("schedgen_backup_verified") == 1]
	s.line("backup", "%s, %s; %.0f are stored", s.ago(m.sum("schedgen_backup_last_success_timestamp_seconds")), proved, m.sum("schedgen_backup_stored"))
}

// ago is how long ago a time was, in seconds since 1970; 0 is never.
func (s screen) ago(at float64) string {
	if at == 0 {
		return "never"
	}
	return short(s.now.At.Sub(time.Unix(int64(at), 0))) + " ago"
}

func (s screen) alerts() {
	if s.now.AlertsOf == "" {
		s.line("alerts", "no Prometheus is known: schedgen up --monitoring, or --prometheus URL")
		return
	}
	shown := 0
	for _, a := range s.now.Alerts {
		if a.State == "firing" {
			shown++
			s.line("ALERT", "%s %s, for %s: %s", a.Labels["severity"], a.Labels["alertname"], short(s.now.At.Sub(a.ActiveAt)), a.Annotations["summary"])
			s.line("", "%s", a.Annotations["runbook_url"])
		}
	}
	if shown == 0 {
		s.line("alerts", "none (%s)", s.now.AlertsOf)
	}
}

// short is a duration as people say it, in its largest units.
func short(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%02dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

func seconds(s float64) string {
	if s < 1 {
		return fmt.Sprintf("%.0f ms", s*1000)
	}
	return fmt.Sprintf("%.1f s", s)
}

func bytes(n float64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 1024 {
			return fmt.Sprintf("%.0f %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%.1f TiB", n)
}
