package jobs_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/jobs"
)

type pgxRow = pgx.CollectableRow

const grace = 30 * time.Second

// due are the ids that a round of the sweep sends again.
func (w *world) due(limit int) map[string]bool {
	w.t.Helper()
	found, err := w.Due(w.t.Context(), grace, limit)
	w.must(err)
	ids := map[string]bool{}
	for _, job := range found {
		ids[job.ID] = true
	}
	return ids
}

func TestDueFindsWhatNoEventWillFinish(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	lost, fresh, died, held, retried, done := w.stored(), w.stored(), w.stored(), w.stored(), w.stored(), w.stored()
	w.age(lost.ID, time.Minute)
	w.claim(died.ID)
	w.age(died.ID, time.Minute)
	w.claim(held.ID)
	_, err := w.Retry(ctx, w.claim(retried.ID), "X", "x")
	w.must(err)
	w.age(retried.ID, 3*time.Second)
	w.must(w.Complete(ctx, w.claim(done.ID), document(1)))
	w.age(done.ID, time.Minute)

	got := w.due(100)
	for id, name := range map[string]string{lost.ID: "lost", died.ID: "died", retried.ID: "retried"} {
		if !got[id] {
			t.Errorf("the %s job is not due", name)
		}
	}
	if len(got) != 3 || got[fresh.ID] {
		t.Errorf("got %d jobs, want 3", len(got))
	}
	if again := w.due(100); len(again) != 0 {
		t.Errorf("at once again: got %d jobs, want none within the grace", len(again))
	}
	w.age(lost.ID, time.Minute)
	if again := w.due(100); !again[lost.ID] || len(again) != 1 {
		t.Errorf("after the grace: got %v, want the lost job", again)
	}
}

func TestTwoSweepsShareTheWork(t *testing.T) {
	w := newWorld(t)
	for range 40 {
		w.age(w.stored().ID, time.Minute)
	}
	var mu sync.Mutex
	seen := map[string]int{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 4 {
				found, err := w.Due(context.Background(), grace, 5)
				if err != nil {
					t.Errorf("due: %v", err)
				}
				mu.Lock()
				for _, job := range found {
					seen[job.ID]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for rest := w.due(100); len(rest) > 0; rest = w.due(100) { // what was skipped as locked
		for id := range rest {
			seen[id]++
		}
	}
	if len(seen) != 40 {
		t.Errorf("%d jobs were found, want 40", len(seen))
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("job %s was found %d times", id, times)
		}
	}
}

func TestHighPriorityIsSweptFirst(t *testing.T) {
	w := newWorld(t)
	for _, priority := range []jobs.Priority{jobs.Low, jobs.Normal, jobs.High} {
		job, err := w.Create(t.Context(), jobs.NewJob{Owner: w.owner, Priority: priority})
		w.must(err)
		w.must(w.Uploaded(t.Context(), job.ID))
		w.age(job.ID, time.Minute)
	}
	found, err := w.Due(t.Context(), grace, 1)
	if err != nil || len(found) != 1 || found[0].Priority != jobs.High {
		t.Errorf("got %+v, %v; want the high one", found, err)
	}
}

func TestUploadsThatNeverFinish(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	lost, err := w.Create(ctx, jobs.NewJob{Owner: w.owner})
	w.must(err)
	_, err = w.Create(ctx, jobs.NewJob{Owner: w.owner}) // still on its way
	w.must(err)
	w.age(lost.ID, time.Hour)
	found, err := w.Unfinished(ctx, 10*time.Minute, 10)
	w.must(err)
	if len(found) != 1 || found[0].ID != lost.ID {
		t.Fatalf("got %+v, want only %s", found, lost.ID)
	}
	if due := w.due(10); len(due) != 0 {
		t.Errorf("a job without an object is due")
	}
	w.must(w.Abandon(ctx, lost.ID, jobs.CodeUploadIncomplete, "never came"))
	if got := w.find(lost.ID); got.Status != jobs.Failed || got.ErrorCode != jobs.CodeUploadIncomplete {
		t.Errorf("got %+v", got)
	}
	if err := w.Uploaded(ctx, lost.ID); !errors.Is(err, jobs.ErrNotFound) {
		t.Errorf("an upload that ends after all: got %v, want ErrNotFound", err)
	}
}

func TestAbandonSparesWhatWasStored(t *testing.T) {
	w := newWorld(t)
	job := w.stored()
	w.must(w.Abandon(t.Context(), job.ID, "X", "x"))
	if got := w.find(job.ID); got.Status != jobs.Pending {
		t.Errorf("got %s, want pending", got.Status)
	}
}

func TestAnEventBeforeTheUploadIsNoted(t *testing.T) {
	w := newWorld(t)
	job, err := w.Create(t.Context(), jobs.NewJob{Owner: w.owner})
	w.must(err)
	claim := w.claim(job.ID)
	if claim.Job.UploadedAt == nil {
		t.Error("the claim did not note that the object is stored")
	}
	w.must(w.Uploaded(t.Context(), job.ID))
	if got := w.find(job.ID); got.Status != jobs.Processing || !got.UploadedAt.Equal(*claim.Job.UploadedAt) {
		t.Errorf("got %+v", got)
	}
}

func TestAnnouncements(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	job := w.stored()
	w.must(w.Complete(ctx, w.claim(job.ID), document(3)))
	w.age(job.ID, time.Minute)
	found, err := w.Unpublished(ctx, grace, 10)
	if err != nil || len(found) != 1 || found[0].Job.ID != job.ID || found[0].Entries != 3 {
		t.Fatalf("got %+v, %v; want the job with 3 entries", found, err)
	}
	w.must(w.MarkPublished(ctx, job.ID))
	if found, err = w.Unpublished(ctx, grace, 10); err != nil || len(found) != 0 {
		t.Errorf("after the announcement: got %d, %v", len(found), err)
	}
}

func TestRetention(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	old, young, pending := w.stored(), w.stored(), w.stored()
	for _, id := range []string{old.ID, young.ID} {
		w.must(w.Complete(ctx, w.claim(id), document(1)))
	}
	w.age(old.ID, 48*time.Hour)
	w.age(pending.ID, 48*time.Hour)
	pdfs, err := w.ExpiredPDFs(ctx, 24*time.Hour, 10)
	w.must(err)
	if len(pdfs) != 1 || pdfs[0] != (jobs.Object{JobID: old.ID, Key: old.ObjectKey}) {
		t.Fatalf("got %+v, want the old job's", pdfs)
	}
	if gone, err := w.DeleteOld(ctx, 24*time.Hour, 10); err != nil || gone != 0 {
		t.Errorf("with its PDF still there: forgot %d, %v; want 0", gone, err)
	}
	w.must(w.PDFDeleted(ctx, old.ID))
	if pdfs, err = w.ExpiredPDFs(ctx, 24*time.Hour, 10); err != nil || len(pdfs) != 0 {
		t.Errorf("after the deletion: got %+v, %v", pdfs, err)
	}
	if gone, err := w.DeleteOld(ctx, 24*time.Hour, 10); err != nil || gone != 1 {
		t.Errorf("forgot %d, %v; want 1", gone, err)
	}
	if pdfs, err = w.ExpiredPDFs(ctx, 0, 10); err != nil || len(pdfs) != 1 || pdfs[0].JobID != young.ID {
		t.Errorf("with retention 0: got %+v, %v; want the young job's", pdfs, err)
	}
}

func TestMetricsCountTheQueue(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	empty, err := w.Metrics(ctx)
	w.must(err)
	if empty.SuccessRate != 1 || empty.Queue[jobs.Pending][jobs.High] != 0 || len(empty.Queue) != 4 {
		t.Errorf("of no jobs: got %+v", empty)
	}
	var completed []string
	for range 3 {
		job := w.stored()
		w.must(w.Complete(ctx, w.claim(job.ID), document(1)))
		completed = append(completed, job.ID)
	}
	w.age(completed[0], 2*time.Hour) // ended before the window
	failed := w.stored()
	w.must(w.Fail(ctx, w.claim(failed.ID), "NOT_A_PDF", "x"))
	w.age(failed.ID, 2*time.Hour) // counted for a day, and no part of the success rate
	recent := w.stored()
	w.must(w.Fail(ctx, w.claim(recent.ID), "NOT_A_PDF", "x"))
	waiting := w.stored()
	w.age(waiting.ID, time.Minute)
	for range 3 { // probes: one waits for long, one failed, one was read
		probe, err := w.Create(ctx, jobs.NewJob{Owner: jobs.ProbeOwner, Priority: jobs.Normal, Filename: "probe.pdf", Size: 1})
		w.must(err)
		w.must(w.Uploaded(ctx, probe.ID))
		w.age(probe.ID, 30*time.Minute)
	}
	probes, err := w.Stored(ctx, jobs.ProbeOwner, 3)
	w.must(err)
	w.must(w.Fail(ctx, w.claim(probes[0].ID), "NOT_A_PDF", "x"))
	w.must(w.Complete(ctx, w.claim(probes[1].ID), document(1)))
	got, err := w.Metrics(ctx)
	w.must(err)
	if got.Total[jobs.Completed] != 2 || got.Total[jobs.Failed] != 2 || got.Queue[jobs.Pending][jobs.Normal] != 1 {
		t.Errorf("got %+v", got)
	}
	if math.Abs(got.SuccessRate-2.0/3) > 1e-9 || got.OldestWaitSeconds < 60 || got.OldestWaitSeconds > 10*60 || got.P95Seconds < got.AvgSeconds {
		t.Errorf("got %+v", got)
	}
}

func TestDeadLettersTakeAnything(t *testing.T) {
	w := newWorld(t)
	ctx := t.Context()
	for _, event := range []string{`{"a":1}`, "", "not json", "\x00\xff", `{"a":"\u0000"}`, strings.Repeat("x", 1<<20), `{"a":"` + strings.Repeat("é", 40000) + `"}`} {
		_, err := w.KeepDeadLetter(ctx, jobs.DeadLetter{Source: "s3", Reason: "unreadable", JobID: "no id", Event: []byte(event)})
		w.must(err)
	}
	letters, err := w.DeadLetters(ctx, math.MaxInt64, 10)
	w.must(err)
	if len(letters) != 7 || string(letters[6].Event) != `{"a": 1}` || len(letters[1].Event) > 1<<17 {
		t.Errorf("got %d letters, the first %s", len(letters), letters[6].Event)
	}
}

func TestPriorities(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]jobs.Priority{"": jobs.Normal, "high": jobs.High, "normal": jobs.Normal, "low": jobs.Low} {
		if got, ok := jobs.ParsePriority(text); !ok || got != want {
			t.Errorf("%q: got %q, %v", text, got, ok)
		}
	}
	if _, ok := jobs.ParsePriority("urgent"); ok {
		t.Error("urgent is taken for a priority")
	}
}
