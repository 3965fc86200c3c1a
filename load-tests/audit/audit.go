// Package audit looks, after a load test, whether anything was lost: it holds what users were answered against the
// database, the bucket and the feeds.
package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/load-tests/fixtures"
	"github.com/schedgen/schedgen/shared/blob"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Kinds of records.
const (
	Accepted   = "accepted"   // an upload was answered 201 or 202
	Unanswered = "unanswered" // one was answered 5xx or not at all: it may have been stored all the same, as the job if one is named
	Feed       = "feed"       // a feed of all uploads of a user was made
)

// Record is what a user of a load test was answered. Scenarios log each as one line of JSON.
type Record struct {
	Kind    string `json:"kind"`
	Job     string `json:"job,omitempty"`     // its id
	Fixture string `json:"fixture,omitempty"` // the uploaded file's name
	Status  int    `json:"status,omitempty"`  // HTTP's, 0 for no answer
	URL     string `json:"url,omitempty"`     // a feed's
}

// ReadRecords reads what k6 logged. Lines that are no record are other messages.
func ReadRecords(r io.Reader) ([]Record, error) {
	var records []Record
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var record Record
		if json.Unmarshal(lines.Bytes(), &record) == nil && record.Kind != "" {
			records = append(records, record)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read what the users were answered: %w", err)
	}
	return records, nil
}

// System is what was under load.
type System struct {
	Pool *postgres.Pool
	PDFs *blob.Store
	// Retention is how long a PDF stays after its job ended.
	Retention time.Duration
	// Fetch gives the calendar of a feed.
	Fetch func(ctx context.Context, url string) ([]byte, error)
}

// Report is what an audit found.
type Report struct {
	Accepted, Completed, Feeds int
	// Faults says of each thing that is not as it should be what and where. Empty is good.
	Faults []string
}

// String is the report as one line, and one more for each fault.
func (r Report) String() string {
	var text strings.Builder
	fmt.Fprintf(&text, "audit: %d uploads accepted, %d of them read as printed, %d feeds right, %d faults", r.Accepted, r.Completed, r.Feeds, len(r.Faults))
	for _, fault := range r.Faults {
		text.WriteString("\n  " + fault)
	}
	return text.String()
}

func (r *Report) fault(format string, args ...any) {
	r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
}

// Run holds records against a system whose jobs have all ended. Since is when the load began: what is older is no matter
// of this run.
func Run(ctx context.Context, s System, since time.Time, records []Record, files map[string]fixtures.File) (Report, error) {
	var r Report
	known, err := s.jobs(ctx, since)
	if err != nil {
		return r, err
	}
	unanswered := 0
	for _, record := range records {
		switch record.Kind {
		case Accepted:
			r.Accepted++
			if err := s.accepted(ctx, &r, record, known, files); err != nil {
				return r, err
			}
		case Unanswered:
			if j := known[record.Job]; j != nil {
				j.answered = true
			} else {
				unanswered++
			}
		case Feed:
			if err := s.feed(ctx, &r, record, files); err != nil {
				return r, err
			}
		}
	}
	s.unexplained(&r, known, unanswered)
	return r, s.objects(ctx, &r)
}

// job is what the audit asks of one.
type job struct {
	id, owner string
	status    jobs.Status
	kind      timetable.Kind
	code      string
	answered  bool
}

const jobsSQL = `
select id::text, owner::text, status, coalesce(kind, ''), coalesce(error_code, '') from jobs where created_at >= $1`

func scanJob(row pgx.CollectableRow) (*job, error) {
	j := &job{}
	return j, row.Scan(&j.id, &j.owner, &j.status, &j.kind, &j.code)
}

// jobs are those that were made since then, by id.
func (s System) jobs(ctx context.Context, since time.Time) (map[string]*job, error) {
	all, err := postgres.Query(ctx, s.Pool, scanJob, jobsSQL, since)
	if err != nil {
		return nil, fmt.Errorf("list the jobs: %w", err)
	}
	known := make(map[string]*job, len(all))
	for _, j := range all {
		known[j.id] = j
	}
	return known, nil
}

// accepted holds that an upload that was accepted has one job, which has ended with what its PDF prints.
func (s System) accepted(ctx context.Context, r *Report, record Record, known map[string]*job, files map[string]fixtures.File) error {
	j, file := known[record.Job], files[record.Fixture]
	switch {
	case j == nil:
		r.fault("job %s was accepted (%d) and is lost", record.Job, record.Status)
		return nil
	case j.answered:
		r.fault("job %s was given to two uploads", record.Job)
		return nil
	}
	j.answered = true
	if j.status != jobs.Completed {
		r.fault("job %s of %s is %s %s", record.Job, record.Fixture, j.status, j.code)
		return nil
	}
	entries, err := jobs.NewStore(s.Pool).Entries(ctx, j.owner, j.id)
	if err != nil {
		return fmt.Errorf("audit job %s: %w", j.id, err)
	}
	if diff := fixture.Equal(timetable.Document{Kind: j.kind, Entries: entries}, file.Truth); diff != "" {
		r.fault("job %s of %s: %s", record.Job, record.Fixture, diff)
		return nil
	}
	r.Completed++
	return nil
}

// unexplained tells of jobs of which nobody was told: no more of them may be than there were uploads without an answer.
func (s System) unexplained(r *Report, known map[string]*job, unanswered int) {
	var silent []string
	for id, j := range known {
		if !j.answered {
			silent = append(silent, id)
		}
		if j.status != jobs.Completed && j.status != jobs.Failed {
			r.fault("job %s has not ended: it is %s", id, j.status)
		}
	}
	if len(silent) > unanswered {
		r.fault("%d jobs of which no user was told, but only %d uploads without an answer: %s", len(silent), unanswered, strings.Join(silent, " "))
	}
}

const objectsSQL = `
select object_key, coalesce(completed_at, now()) < now() - make_interval(secs => $1::float8) from jobs where pdf_deleted_at is null`

// pdf is one that a job says is in the bucket.
type pdf struct {
	key string
	old bool
}

func scanPDF(row pgx.CollectableRow) (pdf, error) {
	var p pdf
	err := row.Scan(&p.key, &p.old)
	return p, err
}

// late is how much longer than its retention a PDF may stay: sweeps delete it.
const late = 10 * time.Minute

// objects holds that each PDF of the bucket belongs to a job, and that none is kept longer than it may be.
func (s System) objects(ctx context.Context, r *Report) error {
	all, err := postgres.Query(ctx, s.Pool, scanPDF, objectsSQL, (s.Retention + late).Seconds())
	if err != nil {
		return fmt.Errorf("list the PDFs: %w", err)
	}
	old := make(map[string]bool, len(all))
	for _, p := range all {
		old[p.key] = p.old
	}
	return s.PDFs.List(ctx, "uploads/", func(object blob.Info) error {
		switch isOld, owned := old[object.Key]; {
		case !owned:
			r.fault("the object %s belongs to no job", object.Key)
		case isOld:
			r.fault("the object %s is older than PDFs are kept", object.Key)
		}
		return nil
	})
}

// feed holds that a feed shows the modules of its user's timetable.
func (s System) feed(ctx context.Context, r *Report, record Record, files map[string]fixtures.File) error {
	calendar, err := s.Fetch(ctx, record.URL)
	if err != nil {
		return fmt.Errorf("audit a feed: %w", err)
	}
	calendar = bytes.ReplaceAll(calendar, []byte("\r\n "), nil) // RFC 5545, section 3.1: folded lines
	missing := map[string]bool{}
	for _, entry := range files[record.Fixture].Truth.Entries {
		if !bytes.Contains(calendar, []byte(entry.Module)) {
			missing[entry.Module] = true
		}
	}
	if len(missing) > 0 {
		r.fault("the feed of %s lacks %d of its modules", record.Fixture, len(missing))
		return nil
	}
	r.Feeds++
	return nil
}
