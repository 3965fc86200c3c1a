package jobs

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/postgres"
)

// Metrics counts the jobs that wait, are being read, or ended within the window, without the system's own probes.
type Metrics struct {
	Queue             map[Status]map[Priority]int `json:"queue"`             // every status and priority, 0 included
	Total             map[Status]int              `json:"total"`             // the same, without priorities
	OldestWaitSeconds float64                     `json:"oldestWaitSeconds"` // of the pending jobs that are due
	AvgSeconds        float64                     `json:"avgSeconds"`        // from stored to completed
	P95Seconds        float64                     `json:"p95Seconds"`
	SuccessRate       float64                     `json:"successRate"` // completed of all ended within MetricsWindow; 1 when none ended
}

// $3 is the owner of probes. Each arm of the union has an index; one condition for all of them would read the whole table.
const countsSQL = `
select status, priority, count(*)::int from (
	select status, priority from jobs where status in ('pending', 'processing') and owner <> $3::uuid
	union all
	select status, priority from jobs
	where status = 'completed' and completed_at > now() - make_interval(secs => $1::float8) and owner <> $3::uuid
	union all
	select status, priority from jobs
	where status = 'failed' and completed_at > now() - make_interval(secs => $2::float8) and owner <> $3::uuid) as counted
group by status, priority`

const timesSQL = `
select
	coalesce((select extract(epoch from now() - min(run_after)) from jobs
		where status = 'pending' and uploaded_at is not null and run_after <= now() and owner <> $2::uuid), 0)::float8,
	coalesce(avg(seconds), 0)::float8,
	coalesce(percentile_cont(0.95) within group (order by seconds), 0)::float8,
	count(*)::int,
	(select count(*)::int from jobs where status = 'failed' and completed_at > now() - make_interval(secs => $1::float8) and owner <> $2::uuid)
from (select extract(epoch from completed_at - coalesce(uploaded_at, created_at)) as seconds from jobs
	where status = 'completed' and completed_at > now() - make_interval(secs => $1::float8) and owner <> $2::uuid) as ended`

// times is a row of timesSQL.
type times struct {
	Oldest, Avg, P95  float64
	Completed, Failed int
}

// Metrics counts the jobs that wait, are being read, or ended within the window.
func (s *Store) Metrics(ctx context.Context) (Metrics, error) {
	m := emptyMetrics()
	type row struct {
		Status   Status
		Priority Priority
		Count    int
	}
	counts, err := postgres.Query(ctx, s.pool, pgx.RowToStructByPos[row], countsSQL,
		s.limits.MetricsWindow.Seconds(), s.limits.MetricsWindowFailed.Seconds(), ProbeOwner)
	if err != nil {
		return Metrics{}, fmt.Errorf("count jobs: %w", err)
	}
	for _, c := range counts {
		m.Queue[c.Status][c.Priority] = c.Count
		m.Total[c.Status] += c.Count
	}
	t, err := postgres.QueryOne(ctx, s.pool, pgx.RowToStructByPos[times],
		timesSQL, s.limits.MetricsWindow.Seconds(), ProbeOwner)
	if err != nil {
		return Metrics{}, fmt.Errorf("time jobs: %w", err)
	}
	m.OldestWaitSeconds, m.AvgSeconds, m.P95Seconds = t.Oldest, t.Avg, t.P95
	if ended := t.Completed + t.Failed; ended > 0 {
		m.SuccessRate = float64(t.Completed) / float64(ended)
	}
	return m, nil
}

// emptyMetrics has every status and priority, so that a reader finds 0 and not nothing.
func emptyMetrics() Metrics {
	m := Metrics{Queue: map[Status]map[Priority]int{}, Total: map[Status]int{}, SuccessRate: 1}
	for _, status := range []Status{Pending, Processing, Completed, Failed} {
		m.Queue[status] = map[Priority]int{High: 0, Normal: 0, Low: 0}
		m.Total[status] = 0
	}
	return m
}
