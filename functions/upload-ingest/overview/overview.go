// Package overview reads the numbers of the whole system from PostgreSQL for Prometheus: the queue, the results of the
// last hour, who uses the system, what is stored.
//
// Counters of an instance are lost when the platform scales it to zero. These numbers are not: each instance of
// upload-ingest returns the same ones, so a rule takes the max of them. A scrape costs at most one query of the queue
// every 5 s and one of everything else every minute, for each instance; both use indexes. While the database is away
// the metrics are absent, which the metrics of the database's own exporter explain.
package overview

import (
	"context"
	_ "embed" // the queries
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
)

// systemFaults are the codes of failures that are ours and not the file's.
var systemFaults = []string{jobs.CodeAttempts, jobs.CodeTimeout, jobs.CodeUploadIncomplete, jobs.CodePDFMissing, api.ProcessingFailed}

const (
	queueTTL  = 5 * time.Second
	systemTTL = time.Minute
	timeout   = 5 * time.Second // of both queries, so that a scrape ends before Prometheus gives it up
)

// queueSQL has an arm for each status, so that each uses its own index.
//
//go:embed queue.sql
var queueSQL string

// systemSQL counts owners by the time in their jobs' ids, which are UUIDv7: the primary key is the index.
//
//go:embed system.sql
var systemSQL string

// Overview is a prometheus.Collector. It is safe for concurrent use.
type Overview struct {
	pool *postgres.Pool

	mu     sync.Mutex
	queue  cached[queue]
	system cached[system]
}

// cached is what a query returned last.
type cached[T any] struct {
	until time.Time
	value T
	err   error
}

// read returns what query returned last, or asks again if that is older than ttl. An error holds as well, for queueTTL: a
// database that hangs is not asked at each scrape.
func (c *cached[T]) read(ttl time.Duration, query func() (T, error)) (T, error) {
	if time.Now().Before(c.until) {
		return c.value, c.err
	}
	c.value, c.err = query()
	if c.err != nil {
		ttl = queueTTL
	}
	c.until = time.Now().Add(ttl)
	return c.value, c.err
}

// New returns the Overview of a database. It connects with the first scrape.
func New(pool *postgres.Pool) *Overview { return &Overview{pool: pool} }

// queue is what queueSQL returns.
type queue []queueRow

type queueRow struct {
	Status        string
	Priority      string
	Jobs          float64
	OldestSeconds float64 // of the pending jobs that are due
	Stalled       float64 // processing, with an expired lease
}

// system is the row that systemSQL returns.
type system struct {
	Completed, Rejected, Failed             float64
	DeadLetters                             float64
	SweptAt                                 float64 // Unix time
	Uploads                                 float64
	ActiveHour, ActiveDay, ActiveWeek       float64
	Returning                               float64
	StoredBytes                             float64
	SyncsPending, SyncsOldestSeconds, Feeds float64
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("schedgen_"+name, help, labels, nil)
}

var (
	queueJobs    = desc("queue_jobs", "Jobs that wait or are being read, by status (pending, processing) and priority.", "status", "priority")
	queueOldest  = desc("queue_oldest_seconds", "How long the oldest pending job that is due has waited.", "priority")
	queueStalled = desc("queue_stalled_leases", "Jobs whose worker stopped renewing its lease; the sweep gives them to another.")
	jobsEnded    = desc("jobs_ended", "Jobs that ended within the last hour, by status: completed, rejected (the file's fault), failed (ours).", "status")
	deadLetters  = desc("dead_letters", "Dead letters that are kept.")
	sweepLast    = desc("sweep_last_timestamp_seconds", "When the sweep last ran to its end; 0 if it never did.")
	uploads      = desc("uploads_last_hour", "Uploads of the last hour.")
	ownersActive = desc("owners_active", "Owners who uploaded within the window: 1h, 24h, 7d.", "window")
	returning    = desc("owners_returning", "Owners who uploaded within the last 7 days and had uploaded before.")
	storage      = desc("storage_bytes", "Bytes of the PDFs that are stored.")
	syncs        = desc("syncs_pending", "Syncs to Google Calendar that are not finished.")
	syncsOldest  = desc("syncs_oldest_seconds", "How long the oldest pending sync that is due has waited.")
	feeds        = desc("feeds", "Feeds that exist.")
)

// Describe is part of prometheus.Collector.
func (o *Overview) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queueJobs, queueOldest, queueStalled, jobsEnded, deadLetters, sweepLast, uploads,
		ownersActive, returning, storage, syncs, syncsOldest, feeds} {
		out <- d
	}
}

// Collect is part of prometheus.Collector.
func (o *Overview) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	o.mu.Lock()
	defer o.mu.Unlock()
	queue, err := o.queue.read(queueTTL, func() (queue, error) {
		rows, err := postgres.Query(ctx, o.pool, pgx.RowToStructByPos[queueRow], queueSQL, jobs.ProbeOwner)
		return rows, logged(ctx, "queue", err)
	})
	if err != nil {
		return
	}
	queue.collect(out)
	system, err := o.system.read(systemTTL, func() (system, error) {
		row, err := postgres.QueryOne(ctx, o.pool, pgx.RowToStructByPos[system], systemSQL, systemFaults, jobs.ProbeOwner)
		return row, logged(ctx, "system", err)
	})
	if err != nil {
		return
	}
	system.collect(out)
}

// logged logs an error of a query once, and returns it.
func logged(ctx context.Context, numbers string, err error) error {
	if err != nil {
		slog.WarnContext(ctx, "reading the numbers for Prometheus failed", "numbers", numbers, "error", err.Error())
	}
	return err
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// collect sends the queue's numbers, 0 where there are no jobs.
func (q queue) collect(out chan<- prometheus.Metric) {
	type key struct{ status, priority string }
	counts, oldest := map[key]float64{}, map[string]float64{}
	stalled := 0.0
	for _, row := range q {
		counts[key{row.Status, row.Priority}] = row.Jobs
		oldest[row.Priority] = max(oldest[row.Priority], row.OldestSeconds)
		stalled += row.Stalled
	}
	for _, priority := range []jobs.Priority{jobs.High, jobs.Normal, jobs.Low} {
		p := string(priority)
		for _, status := range []jobs.Status{jobs.Pending, jobs.Processing} {
			gauge(out, queueJobs, counts[key{string(status), p}], string(status), p)
		}
		gauge(out, queueOldest, oldest[p], p)
	}
	gauge(out, queueStalled, stalled)
}

// collect sends the system's numbers.
func (s system) collect(out chan<- prometheus.Metric) {
	gauge(out, jobsEnded, s.Completed, "completed")
	gauge(out, jobsEnded, s.Rejected, "rejected")
	gauge(out, jobsEnded, s.Failed, "failed")
	gauge(out, deadLetters, s.DeadLetters)
	gauge(out, sweepLast, s.SweptAt)
	gauge(out, uploads, s.Uploads)
	gauge(out, ownersActive, s.ActiveHour, "1h")
	gauge(out, ownersActive, s.ActiveDay, "24h")
	gauge(out, ownersActive, s.ActiveWeek, "7d")
	gauge(out, returning, s.Returning)
	gauge(out, storage, s.StoredBytes)
	gauge(out, syncs, s.SyncsPending)
	gauge(out, syncsOldest, s.SyncsOldestSeconds)
	gauge(out, feeds, s.Feeds)
}
