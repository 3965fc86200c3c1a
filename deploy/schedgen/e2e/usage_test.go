package e2e_test

import (
	"context"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/load-tests/report"
	"github.com/schedgen/schedgen/shared/postgres"
)

// gauges are metrics that each function has, with the names that a report gives them and the size of their units.
var gauges = []struct {
	metric *regexp.Regexp
	name   string
	unit   float64
}{
	{regexp.MustCompile(`(?m)^go_goroutines (\S+)`), "goroutines", 1},
	{regexp.MustCompile(`(?m)^process_open_fds (\S+)`), "open files", 1},
	{regexp.MustCompile(`(?m)^process_resident_memory_bytes (\S+)`), "memory, MiB", 1 << 20},
	{regexp.MustCompile(`(?m)^process_cpu_seconds_total (\S+)`), report.Seconds, 1},
}

// watch notes every ten seconds what the functions and the database hold, until it is told to end.
func (s *site) watch(ctx context.Context) []report.Usage {
	const every = 10 * time.Second
	pool, err := postgres.Open(postgres.Config{URL: s.dsn, StatementTimeout: every})
	if err != nil {
		s.t.Errorf("watch the database: %v", err)
		return nil
	}
	defer pool.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	var samples []report.Usage
	for {
		samples = append(samples, s.usage(ctx, pool))
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
	}
}

// usage is what is held now. What is away, as it is in chaos, is left out.
func (s *site) usage(ctx context.Context, pool *postgres.Pool) report.Usage {
	now := report.Usage{}
	functions := map[string][]*instance{
		"upload-ingest": {s.ingest}, "pdf-parse": s.parse, "calendar-generate": {s.calendar}, "google-sync": {s.google}, "backup": {s.backup},
	}
	for name, instances := range functions {
		for _, i := range instances {
			metrics, err := get(ctx, http.DefaultClient, i.url+"/metrics")
			if err != nil {
				continue
			}
			for _, h := range gauges {
				if found := h.metric.FindSubmatch(metrics.body); found != nil {
					value, _ := strconv.ParseFloat(string(found[1]), 64) // a metric's value is a number
					now[name+": "+h.name] += value / h.unit
				}
			}
		}
	}
	const database = "select count(*)::float8, pg_database_size(current_database())::float8 from pg_stat_activity where datname = current_database()"
	type size struct{ Connections, Bytes float64 }
	if found, err := postgres.QueryOne(ctx, pool, pgx.RowToStructByPos[size], database); err == nil {
		now["PostgreSQL: connections"], now["PostgreSQL: "+report.Kept] = found.Connections, found.Bytes/(1<<20)
	}
	now["machine: "+report.Seconds] = busy()
	return now
}

// busy is how long the machine's processors have worked since its start, all of its programs together, in seconds (proc(5)).
func busy() float64 {
	stat, _ := os.ReadFile("/proc/stat") // 0 where there is none
	line, _, _ := strings.Cut(string(stat), "\n")
	ticks := 0
	for i, field := range strings.Fields(line) {
		if n, err := strconv.Atoi(field); err == nil && i <= 8 && i != 4 && i != 5 { // without idle and iowait, and what guests count twice
			ticks += n
		}
	}
	return float64(ticks) / 100 // USER_HZ
}
