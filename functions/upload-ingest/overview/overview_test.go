package overview_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/functions/upload-ingest/overview"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestNumbersOfTheSystem makes one job of each kind that is counted apart, and reads the numbers as Prometheus does.
func TestNumbersOfTheSystem(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	store := jobs.NewStore(pool)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	stored := func(owner string, priority jobs.Priority) string {
		t.Helper()
		job, err := store.Create(t.Context(), jobs.NewJob{Owner: owner, Priority: priority, Filename: "lectures.pdf", Size: 10})
		must(err)
		must(store.Uploaded(t.Context(), job.ID))
		return job.ID
	}
	claim := func(id string) *jobs.Claim {
		t.Helper()
		c, err := store.Claim(t.Context(), id, 30*time.Second)
		must(err)
		return c
	}
	run := func(sql string, args ...any) {
		t.Helper()
		_, err := pool.Exec(t.Context(), sql, args...)
		must(err)
	}
	one, two, old := uuid.NewString(), uuid.NewString(), uuid.NewString()
	must(store.Complete(t.Context(), claim(stored(one, jobs.Normal)), timetable.Document{Kind: timetable.Lecture}))
	must(store.Fail(t.Context(), claim(stored(one, jobs.Normal)), "NOT_A_PDF", "x"))
	must(store.Fail(t.Context(), claim(stored(two, jobs.Normal)), jobs.CodeTimeout, "x"))
	stored(two, jobs.High)
	waiting := stored(two, jobs.Low)
	run(`update jobs set run_after = now() - interval '90 seconds' where id = $1::uuid`, waiting)
	stalled := claim(stored(one, jobs.Normal)).Job.ID
	run(`update jobs set lease_until = now() - interval '1 minute' where id = $1::uuid`, stalled)
	// The owner old uploaded a month ago and today.
	stored(old, jobs.High)
	earlier := stored(old, jobs.High)
	run(`update jobs set id = $2::uuid, created_at = now() - interval '30 days' where id = $1::uuid`, earlier, before(t, 30*24*time.Hour))
	run(`insert into sweeps (name, finished_at) values ('jobs', to_timestamp(1767225600))`)

	stored(jobs.ProbeOwner, jobs.Normal)
	must(store.Fail(t.Context(), claim(stored(jobs.ProbeOwner, jobs.Normal)), jobs.CodeTimeout, "x"))

	want := `
# HELP schedgen_jobs_ended Jobs that ended within the last hour, by status: completed, rejected (the file's fault), failed (ours).
# TYPE schedgen_jobs_ended gauge
schedgen_jobs_ended{status="completed"} 1
schedgen_jobs_ended{status="failed"} 1
schedgen_jobs_ended{status="rejected"} 1
# HELP schedgen_owners_active Owners who uploaded within the window: 1h, 24h, 7d.
# TYPE schedgen_owners_active gauge
schedgen_owners_active{window="1h"} 3
schedgen_owners_active{window="24h"} 3
schedgen_owners_active{window="7d"} 3
# HELP schedgen_owners_returning Owners who uploaded within the last 7 days and had uploaded before.
# TYPE schedgen_owners_returning gauge
schedgen_owners_returning 1
# HELP schedgen_queue_jobs Jobs that wait or are being read, by status (pending, processing) and priority.
# TYPE schedgen_queue_jobs gauge
schedgen_queue_jobs{priority="high",status="pending"} 3
schedgen_queue_jobs{priority="high",status="processing"} 0
schedgen_queue_jobs{priority="low",status="pending"} 1
schedgen_queue_jobs{priority="low",status="processing"} 0
schedgen_queue_jobs{priority="normal",status="pending"} 0
schedgen_queue_jobs{priority="normal",status="processing"} 1
# HELP schedgen_queue_stalled_leases Jobs whose worker stopped renewing its lease; the sweep gives them to another.
# TYPE schedgen_queue_stalled_leases gauge
schedgen_queue_stalled_leases 1
# HELP schedgen_storage_bytes Bytes of the PDFs that are stored.
# TYPE schedgen_storage_bytes gauge
schedgen_storage_bytes 100
# HELP schedgen_sweep_last_timestamp_seconds When the sweep last ran to its end; 0 if it never did.
# TYPE schedgen_sweep_last_timestamp_seconds gauge
schedgen_sweep_last_timestamp_seconds 1.7672256e+09
# HELP schedgen_uploads_last_hour Uploads of the last hour.
# TYPE schedgen_uploads_last_hour gauge
schedgen_uploads_last_hour 7
`
	collector := overview.New(pool)
	err := testutil.CollectAndCompare(collector, strings.NewReader(want), "schedgen_jobs_ended", "schedgen_owners_active",
		"schedgen_owners_returning", "schedgen_queue_jobs", "schedgen_queue_stalled_leases", "schedgen_storage_bytes",
		"schedgen_sweep_last_timestamp_seconds", "schedgen_uploads_last_hour")
	if err != nil {
		t.Error(err)
	}
	problems, err := testutil.CollectAndLint(collector)
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", problems, err)
	}
	run(`drop table google_syncs`)
	if n := testutil.CollectAndCount(overview.New(pool), "schedgen_queue_jobs", "schedgen_feeds"); n != 6 {
		t.Errorf("while the other numbers cannot be read %d of the queue are returned, want 6", n)
	}
	pool.Close()
	if n := testutil.CollectAndCount(overview.New(pool)); n != 0 {
		t.Errorf("without a database %d numbers are returned, want none rather than old or wrong ones", n)
	}
}

// before is a UUIDv7 of some time ago.
func before(t *testing.T, ago time.Duration) string {
	t.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	ms := time.Now().Add(-ago).UnixMilli()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	return id.String()
}
