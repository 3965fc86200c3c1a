package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
)

// world is a store on a database of the test's own. Time passes by moving rows back in it.
type world struct {
	*jobs.Store
	t     *testing.T
	pool  *postgres.Pool
	owner string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	t.Parallel()
	pool := pgtest.Pool(t)
	return &world{Store: jobs.NewStore(pool), t: t, pool: pool, owner: uuid.NewString()}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// stored is a new job whose object is stored.
func (w *world) stored() jobs.Job {
	w.t.Helper()
	job, err := w.Create(w.t.Context(), jobs.NewJob{Owner: w.owner, Filename: "lectures.pdf", Size: 10})
	w.must(err)
	w.must(w.Uploaded(w.t.Context(), job.ID))
	return job
}

func (w *world) claim(id string) *jobs.Claim {
	w.t.Helper()
	claim, err := w.Claim(w.t.Context(), id, 30*time.Second)
	w.must(err)
	return claim
}

// refused expects that the job cannot be claimed for that reason.
func (w *world) refused(id string, want jobs.Reason) {
	w.t.Helper()
	_, err := w.Claim(w.t.Context(), id, 30*time.Second)
	var refusal *jobs.NotClaimable
	if !errors.As(err, &refusal) || !errors.Is(err, jobs.ErrNotClaimable) || refusal.Reason != want {
		w.t.Errorf("claim: got %v, want %q", err, want)
	}
}

// age moves all times of a job into the past.
func (w *world) age(id string, by time.Duration) {
	w.t.Helper()
	_, err := w.pool.Exec(w.t.Context(), `update jobs set
		created_at = created_at - d, updated_at = updated_at - d, uploaded_at = uploaded_at - d, started_at = started_at - d,
		completed_at = completed_at - d, run_after = run_after - d, lease_until = lease_until - d, dispatched_at = dispatched_at - d
		from make_interval(secs => $2::float8) d where id = $1::uuid`, id, by.Seconds())
	w.must(err)
}

func (w *world) find(id string) jobs.Job {
	w.t.Helper()
	job, err := w.Find(w.t.Context(), id)
	w.must(err)
	return job
}

func document(entries int) timetable.Document {
	doc := timetable.Document{Kind: timetable.Lecture}
	for i := range entries {
		doc.Entries = append(doc.Entries, timetable.Entry{Module: fmt.Sprintf("COS %d", 100+i), Venues: []string{"IT 2-26 \\ \"é\""}, Page: 1})
	}
	return doc
}

func TestAJobFromUploadToResult(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	if job.ObjectKey != "uploads/normal/"+job.ID+".pdf" || job.Status != jobs.Pending {
		t.Errorf("created: got %+v", job)
	}
	claim := w.claim(job.ID)
	if claim.Job.Attempts != 1 || claim.Job.Status != jobs.Processing {
		t.Errorf("claimed: got %+v", claim.Job)
	}
	w.must(claim.Renew(ctx, 30*time.Second))
	want := document(3)
	w.must(w.Complete(ctx, claim, want))
	got, err := w.Get(ctx, w.owner, job.ID)
	w.must(err)
	if got.Status != jobs.Completed || got.Kind != timetable.Lecture || got.CompletedAt == nil || !got.Done() {
		t.Errorf("completed: got %+v", got)
	}
	entries, err := w.Entries(ctx, w.owner, job.ID)
	w.must(err)
	if fmt.Sprint(entries) != fmt.Sprint(want.Entries) {
		t.Errorf("entries: got %v, want %v", entries, want.Entries)
	}
	w.refused(job.ID, jobs.Done)
}

func TestAnEmptyDocumentCompletes(t *testing.T) {
	w := newWorld(t)
	job := w.stored()
	w.must(w.Complete(t.Context(), w.claim(job.ID), document(0)))
	entries, err := w.Entries(t.Context(), w.owner, job.ID)
	if err != nil || len(entries) != 0 || w.find(job.ID).Status != jobs.Completed {
		t.Errorf("got %v, %v", entries, err)
	}
}

func TestClaimIsExclusive(t *testing.T) {
	w := newWorld(t)
	job := w.stored()
	var won, leased atomic.Int32
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			_, err := w.Claim(context.Background(), job.ID, 30*time.Second)
			var refusal *jobs.NotClaimable
			switch {
			case err == nil:
				won.Add(1)
			case errors.As(err, &refusal) && refusal.Reason == jobs.Leased:
				leased.Add(1)
			default:
				t.Errorf("claim: %v", err)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || leased.Load() != 49 {
		t.Errorf("of 50 claims %d won and %d were told that it is leased, want 1 and 49", won.Load(), leased.Load())
	}
	if got := w.find(job.ID).Attempts; got != 1 {
		t.Errorf("got %d attempts, want 1", got)
	}
}

func TestAnExpiredLeaseGoesToExactlyOne(t *testing.T) {
	w := newWorld(t)
	job := w.stored()
	w.claim(job.ID)
	w.age(job.ID, time.Minute)
	var won atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := w.Claim(context.Background(), job.ID, 30*time.Second); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d claims won, want 1", won.Load())
	}
}

func TestAZombieWritesNothing(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	zombie := w.claim(job.ID)
	w.age(job.ID, time.Minute)
	alive := w.claim(job.ID)
	for name, write := range map[string]func() error{
		"complete": func() error { return w.Complete(ctx, zombie, document(7)) },
		"fail":     func() error { return w.Fail(ctx, zombie, "X", "x") },
		"retry":    func() error { _, err := w.Retry(ctx, zombie, "X", "x"); return err },
		"renew":    func() error { return zombie.Renew(ctx, time.Hour) },
	} {
		if err := write(); !errors.Is(err, jobs.ErrLeaseLost) {
			t.Errorf("%s: got %v, want ErrLeaseLost", name, err)
		}
	}
	w.must(w.Complete(ctx, alive, document(2)))
	if err := w.Complete(ctx, zombie, document(7)); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("after the end: got %v, want ErrLeaseLost", err)
	}
	entries, err := w.Entries(ctx, w.owner, job.ID)
	if err != nil || len(entries) != 2 {
		t.Errorf("got %d entries, %v; want the living worker's 2", len(entries), err)
	}
}

func TestRetriesBackOffAndEndWithTheReason(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	for attempt, least := range []time.Duration{2 * time.Second, 4 * time.Second} {
		claim := w.claim(job.ID)
		after, err := w.Retry(ctx, claim, "STORAGE", "away")
		w.must(err)
		wait := after.RunAfter.Sub(after.UpdatedAt)
		if after.Status != jobs.Pending || wait < least || wait > least*5/4+time.Second {
			t.Errorf("attempt %d: got %s and a wait of %v, want pending and about %v", attempt+1, after.Status, wait, least)
		}
		w.refused(job.ID, jobs.NotDue)
		w.age(job.ID, 6*time.Second)
	}
	last, err := w.Retry(ctx, w.claim(job.ID), "STORAGE", "away")
	w.must(err)
	if last.Status != jobs.Failed || last.ErrorCode != "STORAGE" || last.Attempts != 3 || last.CompletedAt == nil {
		t.Errorf("after the last attempt: got %+v", last)
	}
}

func TestTextThatPostgreSQLRefusesDoesNotFailAJob(t *testing.T) {
	w := newWorld(t)
	doc := document(1)
	doc.Entries[0].Comments, doc.Entries[0].Campus = "a\x00b\\u0000\\\x00", "\x00"
	job := w.stored()
	w.must(w.Complete(t.Context(), w.claim(job.ID), doc))
	got, err := w.Entries(t.Context(), w.owner, job.ID)
	if err != nil || len(got) != 1 || got[0].Comments != "ab\\u0000\\" || got[0].Campus != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestTheWholeJobHasATimeout(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	claim := w.claim(job.ID)
	w.age(job.ID, 6*time.Minute)
	if err := claim.Renew(ctx, 30*time.Second); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("renew: got %v, want ErrLeaseLost", err)
	}
	w.refused(job.ID, jobs.Exhausted)
	expired, err := w.Expire(ctx, 10)
	w.must(err)
	if len(expired) != 1 || expired[0].ErrorCode != jobs.CodeTimeout || expired[0].ErrorMessage == "" {
		t.Errorf("got %+v", expired)
	}
}

func TestDeadAttemptsAreExpired(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job, held := w.stored(), w.stored()
	w.claim(held.ID)
	for range 3 {
		w.claim(job.ID)
		w.age(job.ID, 40*time.Second)
	}
	w.refused(job.ID, jobs.Exhausted)
	expired, err := w.Expire(ctx, 10)
	w.must(err)
	if len(expired) != 1 || expired[0].ID != job.ID || expired[0].ErrorCode != jobs.CodeAttempts {
		t.Errorf("got %+v, want only %s failed", expired, job.ID)
	}
}

func TestUnknownJobs(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, id := range []string{uuid.NewString(), "", "../x", strings.Repeat("a", 36), "{" + uuid.NewString() + "}"} {
		w.refused(id, jobs.Unknown)
		if _, err := w.Get(ctx, w.owner, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("get %q: got %v", id, err)
		}
		if _, err := w.Find(ctx, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("find %q: got %v", id, err)
		}
		if err := w.Uploaded(ctx, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("uploaded %q: got %v", id, err)
		}
		if err := w.Delete(ctx, w.owner, id); !errors.Is(err, jobs.ErrNotFound) {
			t.Errorf("delete %q: got %v", id, err)
		}
	}
}

func TestAnotherOwnersJobIsNotThere(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	w.must(w.Complete(ctx, w.claim(job.ID), document(1)))
	other := uuid.NewString()
	if _, err := w.Get(ctx, other, job.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("get: got %v", err)
	}
	if entries, err := w.Entries(ctx, other, job.ID); err != nil || len(entries) != 0 {
		t.Errorf("entries: got %v, %v", entries, err)
	}
	if err := w.Delete(ctx, other, job.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("delete: got %v", err)
	}
	if all, err := w.AllEntries(ctx, other, []string{job.ID}, jobs.Bounds{Rows: 10, Bytes: 10 << 10}); err != nil || len(all) != 0 {
		t.Errorf("all entries: got %v, %v", all, err)
	}
	if completed, err := w.Completed(ctx, other, 10); err != nil || len(completed) != 0 {
		t.Errorf("completed: got %v, %v", completed, err)
	}
}

func TestDeleteRemovesAllThatTheJobMade(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	claim := w.claim(job.ID)
	w.must(w.Complete(ctx, claim, document(4)))
	_, err := w.KeepDeadLetter(ctx, jobs.DeadLetter{Source: "test", Reason: "x", JobID: job.ID, Event: []byte(`{}`)})
	w.must(err)
	w.must(w.Delete(ctx, w.owner, job.ID))
	left, err := postgres.QueryOne(ctx, w.pool, func(row pgxRow) (n int, err error) { err = row.Scan(&n); return n, err },
		`select ((select count(*) from jobs) + (select count(*) from entries) + (select count(*) from dead_letters))::int`)
	if err != nil || left != 0 {
		t.Errorf("%d rows are left, %v", left, err)
	}
	if err := w.Complete(ctx, claim, document(4)); !errors.Is(err, jobs.ErrLeaseLost) {
		t.Errorf("complete a deleted job: got %v", err)
	}
}

func TestCompletedAreTheNewestFirst(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	first, second := w.stored(), w.stored()
	w.stored() // pending: not one of them
	for _, id := range []string{second.ID, first.ID} {
		w.must(w.Complete(ctx, w.claim(id), document(2)))
	}
	w.age(first.ID, time.Hour)
	third := w.stored()
	exams := document(3)
	exams.Kind = timetable.Exam
	w.must(w.Complete(ctx, w.claim(third.ID), exams))
	want := []string{third.ID, second.ID, first.ID}
	for most := range 4 {
		completed, err := w.Completed(ctx, w.owner, most)
		var got []string
		for _, job := range completed {
			got = append(got, job.ID)
		}
		if err != nil || !slices.Equal(got, want[:most]) {
			t.Errorf("at most %d: got %v, %v; want %v", most, got, err, want[:most])
		}
	}
	if completed, err := w.Completed(ctx, "nobody", 10); err != nil || len(completed) != 0 {
		t.Errorf("of what is no owner: got %v, %v", completed, err)
	}
	const row = 500 // bytes, at most
	for most, whole := range map[jobs.Bounds][]string{
		{Rows: 7, Bytes: 7 * row}: want, {Rows: 6, Bytes: 7 * row}: want[:2], {Rows: 5, Bytes: 7 * row}: want[:2], {Rows: 4, Bytes: 7 * row}: want[:1],
		{Rows: 1, Bytes: 7 * row}: want[:1], {Rows: 7, Bytes: 1}: want[:1],
	} {
		all, err := w.AllEntries(ctx, w.owner, want, most)
		for n, id := range want {
			if got, wanted := len(all[id]), []int{3, 2, 2}[n]; err != nil || slices.Contains(whole, id) && got != wanted || !slices.Contains(whole, id) && got != 0 {
				t.Errorf("of at most %+v: job %d has %d, %v", most, n, got, err)
			}
		}
	}
}
