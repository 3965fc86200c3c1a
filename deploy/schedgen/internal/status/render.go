package status

import (
	"fmt"
	"io"
	"maps"
	"math"
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
	switch h.Reason {
	case "checking":
		states = append(states, unknown+": the first check has not ended")
	case "draining":
		states = append(states, "it is stopping")
	}
	s.line("depends on", "%s", strings.Join(states, ", "))
}

// unknown is what could not be read, which is neither 0 nor well.
const unknown = "unknown"

// number is the sum of a metric, in the form given.
func (s screen) number(form func(float64) string, name string, labels ...string) string {
	if n, known := s.now.Metrics.sum(name, labels...); known {
		return form(n)
	}
	return unknown
}

func (s screen) count(name string, labels ...string) string {
	return s.number(func(n float64) string { return fmt.Sprintf("%.0f", n) }, name, labels...)
}

// within is the time in which 95 % of what a histogram saw was done. It is unknown where it saw nothing.
func (s screen) within(name string, labels ...string) string {
	p95, ok := s.now.Metrics.quantile(0.95, name, labels...)
	switch {
	case !ok:
		return unknown + " time"
	case math.IsInf(p95, 1):
		return "more than its longest bucket"
	}
	return seconds(p95)
}

// rate is a counter's increase a second where there is an earlier state, else its value.
func (s screen) rate(name string, labels ...string) string {
	n, known := s.now.Metrics.sum(name, labels...)
	if !known {
		return unknown
	}
	if s.before == nil {
		return fmt.Sprintf("%.0f since the start", n)
	}
	earlier, _ := s.before.Metrics.sum(name, labels...)
	increase := n - earlier
	if increase < 0 { // it started again
		increase = n
	}
	return fmt.Sprintf("%.1f/s", increase/max(s.now.At.Sub(s.before.At).Seconds(), 0.001))
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
		s.line("requests", "%s: %s, %.0f failed, %s in flight, 95 %% within %s", f, s.rate("http_requests_total", "function", f), failed,
			s.count("http_requests_in_flight", "function", f), s.within("http_request_duration_seconds", "function", f))
	}
}

func (s screen) jobs() {
	if s.now.QueueErr != nil {
		s.line("queue", "%s: %v", unknown, s.now.QueueErr)
	} else {
		pending := s.now.Queue.Queue["pending"]
		s.line("queue", "%d wait (high %d, normal %d, low %d), %d are read, the oldest waits %s", total(pending),
			pending["high"], pending["normal"], pending["low"], total(s.now.Queue.Queue["processing"]), seconds(s.now.Queue.OldestWaitSeconds))
	}
	ended := func(status string) string { return s.count("schedgen_jobs_ended", "status", status) }
	s.line("last hour", "%s uploads; %s read, %s rejected, %s failed through our fault", s.count("schedgen_uploads_last_hour"), ended("completed"), ended("rejected"), ended("failed"))
	s.line("reading", "%s, 95 %% within %s; %s stalled, %s dead letters", s.rate("schedgen_parse_jobs_total"), s.within("schedgen_parse_seconds"),
		s.count("schedgen_queue_stalled_leases"), s.count("schedgen_dead_letters"))
}

func total(all map[string]int) (n int) {
	for _, one := range all {
		n += one
	}
	return n
}

func (s screen) servers() {
	s.line("database", "%s of %s connections in use, %s idle; 95 %% of queries within %s; %s failed, %s leaks",
		s.count("schedgen_db_connections", "state", "in_use"), s.count("schedgen_db_connections_max"), s.count("schedgen_db_connections", "state", "idle"),
		s.within("schedgen_db_query_seconds"), s.rate("schedgen_db_query_errors_total"), s.count("schedgen_db_connections_held_total"))
	s.line("Redis", "%s", s.redis())
	s.line("storage", "%s of PDFs; %s failed", s.number(bytes, "schedgen_storage_bytes"), s.rate("schedgen_s3_errors_total"))
}

func (s screen) redis() string {
	if s.now.Metrics["schedgen_cache_up"] == nil {
		return "none is configured here"
	}
	state := "up"
	s.now.Metrics.each("schedgen_cache_up", func(_ map[string]string, c *dto.Metric) {
		if value(c) != 1 {
			state = "down"
		}
	})
	hits, _ := s.now.Metrics.sum("schedgen_cache_requests_total", "outcome", "hit")
	misses, _ := s.now.Metrics.sum("schedgen_cache_requests_total", "outcome", "miss")
	if hits+misses == 0 {
		return state + "; nothing was read from it yet"
	}
	return fmt.Sprintf("%s; %.0f %% of %.0f reads found something", state, 100*hits/(hits+misses), hits+misses)
}

func (s screen) upkeep() {
	m := s.now.Metrics
	s.line("sweep", "%s", s.number(s.ago, "schedgen_sweep_last_timestamp_seconds"))
	verified, known := m.sum("schedgen_backup_verified")
	proved := map[bool]string{true: "proved by a restore", false: "not proved by a restore"}[verified == 1]
	switch {
	case known:
		s.line("backup", "%s, %s; %s are stored", s.number(s.ago, "schedgen_backup_last_success_timestamp_seconds"), proved, s.count("schedgen_backup_stored"))
	case m["schedgen_backup_runs_total"] != nil:
		s.line("backup", "%s: the list of backups cannot be read", unknown)
	default:
		s.line("backup", "none is made here")
	}
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
	if s.now.AlertErr != nil {
		s.line("alerts", "%s: %s does not answer: %v", unknown, s.now.AlertsOf, s.now.AlertErr)
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
		return fmt.Sprintf("%.3g ms", s*1000)
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
