package e2e_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/load-tests/report"
	"github.com/schedgen/schedgen/shared/postgres"
)

// gauges are metrics that each function has, with the names that a report gives them.
var gauges = []struct {
	metric *regexp.Regexp
	name   string
}{
	{regexp.MustCompile(`(?m)^go_goroutines (\S+)`), "goroutines"},
	{regexp.MustCompile(`(?m)^process_open_fds (\S+)`), "open files"},
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
			used := usedBy(i.pid())
			now[name+": "+report.Seconds] += used.seconds
			now[name+": memory, MiB"] += used.mebibytes
			metrics, err := get(ctx, http.DefaultClient, i.url+"/metrics")
			if err != nil {
				continue
			}
			for _, h := range gauges {
				if found := h.metric.FindSubmatch(metrics.body); found != nil {
					value, _ := strconv.ParseFloat(string(found[1]), 64) // a metric's value is a number
					now[name+": "+h.name] += value
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

// used is what a process and its children use.
type used struct{ seconds, mebibytes float64 }

// usedBy is what a process, its children, and those that have ended used (proc(5)): a PDF is read in a child. It is nothing
// of a process that has gone.
func usedBy(pid string) used {
	dir := filepath.Join("/proc", pid)
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	_, after, _ := strings.Cut(string(stat), ") ") // what is before is the program's name
	fields := strings.Fields(after)
	if len(fields) < 22 {
		return used{}
	}
	var u used
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, _ := strconv.ParseFloat(field, 64)
		u.seconds += ticks / userHZ
	}
	pages, _ := strconv.ParseFloat(fields[21], 64)
	u.mebibytes = pages * float64(os.Getpagesize()) / (1 << 20)
	tasks, _ := filepath.Glob(filepath.Join(dir, "task", "*", "children"))
	for _, task := range tasks {
		list, _ := os.ReadFile(task)
		for child := range strings.FieldsSeq(string(list)) {
			of := usedBy(child)
			u.seconds, u.mebibytes = u.seconds+of.seconds, u.mebibytes+of.mebibytes
		}
	}
	return u
}

// userHZ is how many ticks of proc(5) are a second.
const userHZ = 100

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
