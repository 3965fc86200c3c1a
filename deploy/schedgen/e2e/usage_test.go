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
	"github.com/schedgen/schedgen/shared/secret"
)

// gauges are metrics that each function has, with the names that a report gives them.
var gauges = []struct {
	metric *regexp.Regexp
	name   string
}{
	{regexp.MustCompile(`(?m)^go_goroutines (\S+)`), "goroutines"},
	{regexp.MustCompile(`(?m)^process_open_fds (\S+)`), "open files"},
}

// watcher notes what a site holds.
type watcher struct {
	site  *site
	pool  *postgres.Pool
	spent map[string]map[string]float64 // processor time by function and process: some are stopped and started again
}

// watch notes every ten seconds what the functions and the database hold, until it is told to end.
func (s *site) watch(ctx context.Context) []report.Usage {
	const every = 10 * time.Second
	pool, err := postgres.Open(postgres.Config{URL: secret.New(s.dsn), StatementTimeout: every})
	if err != nil {
		s.t.Errorf("watch the database: %v", err)
		return nil
	}
	defer pool.Close()
	tick := time.NewTicker(every)
	defer tick.Stop()
	w := watcher{site: s, pool: pool, spent: map[string]map[string]float64{}}
	var samples []report.Usage
	for {
		samples = append(samples, w.usage(ctx))
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
	}
}

// usage is what is held now. What is away, as it is in chaos, holds nothing.
func (w *watcher) usage(ctx context.Context) report.Usage {
	now, s := report.Usage{}, w.site
	functions := map[string][]*instance{
		"upload-ingest": {s.ingest}, "pdf-parse": s.parse, "calendar-generate": {s.calendar}, "google-sync": {s.google}, "backup": {s.backup},
	}
	for name, instances := range functions {
		if w.spent[name] == nil {
			w.spent[name] = map[string]float64{}
		}
		for _, i := range instances {
			w.note(ctx, now, name, i)
		}
		for _, seconds := range w.spent[name] {
			now[name+": "+report.Seconds] += seconds
		}
	}
	const database = "select count(*)::float8, pg_database_size(current_database())::float8 from pg_stat_activity where datname = current_database()"
	type size struct{ Connections, Bytes float64 }
	if found, err := postgres.QueryOne(ctx, w.pool, pgx.RowToStructByPos[size], database); err == nil {
		now["PostgreSQL: connections"], now["PostgreSQL: "+report.Kept] = found.Connections, found.Bytes/(1<<20)
	}
	now["machine: "+report.Seconds] = busy()
	return now
}

// note adds what an instance holds.
func (w *watcher) note(ctx context.Context, now report.Usage, name string, i *instance) {
	pid := i.pid()
	seconds, mebibytes := usedBy(pid)
	if mebibytes == 0 {
		return // it was stopped
	}
	w.spent[name][pid] = seconds
	now[name+": memory, MiB"] += mebibytes
	metrics, err := get(ctx, http.DefaultClient, i.url+"/metrics")
	if err != nil {
		return
	}
	for _, g := range gauges {
		if found := g.metric.FindSubmatch(metrics.body); found != nil {
			value, _ := strconv.ParseFloat(string(found[1]), 64) // a metric's value is a number
			now[name+": "+g.name] += value
		}
	}
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
	return float64(ticks) / userHZ
}
