// Package checkup sums up how the whole system is, for GET /api/health: what a student may know, which is whether uploads,
// reading, calendars and Google Calendar work, and for operators each part with what was found.
//
// No function is called for it, so none is started that scaled to zero. What this function stands on is checked; of the
// others PostgreSQL tells when their sweeps last ran; and whether timetables are read is tried with one, see Probe.
package checkup

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/sweeps"
)

// Status is how a part is, or the whole.
type Status string

// What a part is. Unknown is no fault: nothing was found out yet, or what would tell it is away.
const (
	OK       Status = "ok"
	Unknown  Status = "unknown"
	Degraded Status = "degraded" // it works, but late or in part
	Down     Status = "down"
)

// ranks are what a status is from best to worst; what is not known is better than a fault.
var ranks = []Status{OK, Unknown, Degraded, Down}

// worse returns the worse of two.
func worse(a, b Status) Status {
	return ranks[max(slices.Index(ranks, a), slices.Index(ranks, b))]
}

// Part is what was found of one part.
type Part struct {
	Status    Status     `json:"status"`
	Problem   string     `json:"problem,omitempty"` // a code, or what is late
	LatencyMs float64    `json:"latencyMs,omitempty"`
	LastAt    *time.Time `json:"lastAt,omitempty"` // when it last did its work
	Pending   *int       `json:"pending,omitempty"`
}

// Services are what students use.
type Services struct {
	Uploads   Status `json:"uploads"`
	Reading   Status `json:"reading"`
	Calendars Status `json:"calendars"`
	Google    Status `json:"google"`
}

// Report is the answer of GET /api/health.
type Report struct {
	Status    Status          `json:"status"` // ok, degraded or down
	Message   string          `json:"message"`
	CheckedAt time.Time       `json:"checkedAt"`
	Services  Services        `json:"services"`
	Parts     map[string]Part `json:"parts,omitempty"` // for operators alone
}

// Checkup asks all parts.
type Checkup struct {
	Checks map[string]faas.Check // of what the function itself needs
	Queue  func(context.Context) (jobs.Metrics, error)
	Pool   *postgres.Pool
	Probe  *Probe
}

// timeout is how long all parts together may take, however they hang.
const timeout = 4 * time.Second

// Report asks all parts at the same time. A caller that goes away stops nothing: a probe would stay half uploaded.
func (c *Checkup) Report(ctx context.Context) (Report, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	var mu sync.Mutex
	var asking sync.WaitGroup
	parts := map[string]Part{}
	ask := func(find func(context.Context) map[string]Part) {
		asking.Go(func() {
			found := find(ctx)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(parts, found)
		})
	}
	for name, check := range c.Checks {
		ask(func(ctx context.Context) map[string]Part { return map[string]Part{name: tried(ctx, check)} })
	}
	ask(c.queue)
	ask(c.sweeps)
	ask(func(ctx context.Context) map[string]Part { return map[string]Part{"parser": c.Probe.Part(ctx)} })
	asking.Wait()
	return sumUp(parts, time.Now()), nil
}

func tried(ctx context.Context, check faas.Check) Part {
	began := time.Now()
	err := check(ctx)
	part := Part{Status: OK, LatencyMs: float64(time.Since(began).Microseconds()) / 1000}
	if err != nil {
		part.Status, part.Problem = Down, api.From(err).Code
		if faas.IsOptional(err) {
			part.Status = Degraded
		}
	}
	return part
}

// late is the wait of a job after which students notice that reading is slow. The alert JobsWaitLong says the same.
const late = 5 * time.Minute

func (c *Checkup) queue(ctx context.Context) map[string]Part {
	m, err := c.Queue(ctx)
	if err != nil {
		return map[string]Part{"queue": {Status: Unknown, Problem: api.From(err).Code}}
	}
	pending := m.Total[jobs.Pending]
	part := Part{Status: OK, Pending: &pending}
	if m.OldestWaitSeconds > late.Seconds() {
		part.Status, part.Problem = Degraded, "jobs wait for minutes"
	}
	return map[string]Part{"queue": part}
}

// intervals are how old the last run may be of what a schedule calls, by the part that it is of. Sweeps run each minute,
// backups each night.
var intervals = map[string]struct {
	name string
	most time.Duration
}{
	"sweep":             {sweeps.Jobs, 5 * time.Minute},
	"calendar-generate": {sweeps.Feeds, 5 * time.Minute},
	"google-sync":       {sweeps.Google, 5 * time.Minute},
	"backup":            {sweeps.Backup, 26 * time.Hour},
}

func (c *Checkup) sweeps(ctx context.Context) map[string]Part {
	last, err := sweeps.Last(ctx, c.Pool)
	parts := map[string]Part{}
	for part, interval := range intervals {
		run, ran := last[interval.name]
		at := run.At.UTC()
		switch {
		case err != nil:
			parts[part] = Part{Status: Unknown, Problem: api.From(err).Code}
		case !ran:
			parts[part] = Part{Status: Unknown, Problem: "it has not run yet"}
		case run.Ago > interval.most.Seconds():
			parts[part] = Part{Status: Degraded, Problem: "it has not run for long", LastAt: &at}
		default:
			parts[part] = Part{Status: OK, LastAt: &at}
		}
	}
	return parts
}

// sumUp tells what the parts mean for people.
func sumUp(parts map[string]Part, now time.Time) Report {
	all := func(names ...string) Status {
		status := OK
		for _, name := range names {
			if part, ok := parts[name]; ok { // a disk is checked only where the database is beside it
				status = worse(status, part.Status)
			}
		}
		return status
	}
	r := Report{Status: OK, CheckedAt: now.UTC().Truncate(time.Millisecond), Parts: parts, Services: Services{
		Uploads: all("postgres", "s3", "disk"), Reading: all("postgres", "s3", "parser", "queue"),
		Calendars: all("postgres", "calendar-generate"), Google: all("postgres", "google-sync"),
	}}
	for _, part := range parts {
		if part.Status == Degraded || part.Status == Down {
			r.Status = Degraded
		}
	}
	r.Message = "Everything works."
	if r.Status == Degraded {
		r.Message = "Most things work, but something may be slower than usual. You can use the site as always."
	}
	switch {
	case r.Services.Uploads == Down:
		r.Status, r.Message = Down, "You cannot upload a timetable right now. Try again in a few minutes."
	case r.Services.Reading == Down:
		r.Status, r.Message = Down, "You can upload a timetable, but it is not read right now. We keep it and read it as soon as we can."
	}
	return r
}
