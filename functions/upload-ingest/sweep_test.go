package uploadingest

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/functions/upload-ingest/sweep"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
)

// waiting uploads n files whose notifications are lost, and gives their jobs.
func (w *world) waiting(n int) []string {
	w.Helper()
	s := w.student()
	var ids []string
	for range n {
		ids = append(ids, idOf(s.upload(pdf(), "Prefer", "wait=0").Want(202)))
	}
	return ids
}

func (w *world) completed(ids []string) bool {
	for _, id := range ids {
		if w.find(id).Status != jobs.Completed {
			return false
		}
	}
	return true
}

func TestALostNotificationIsFound(t *testing.T) {
	w := newWorld(t, silent)
	ids := w.waiting(3)
	if got := w.swept(); got.Redelivered != 0 {
		t.Errorf("at once: got %+v, want their notifications waited for", got)
	}
	w.age(time.Minute)
	if got := w.swept(); got.Redelivered != 3 || got.Unpublished != 0 || !w.completed(ids) {
		t.Errorf("got %+v, want all told and completed", got)
	}
}

func TestWhatADeadWorkerLeftIsFound(t *testing.T) {
	w := newWorld(t, silent)
	ids := w.waiting(2)
	for _, id := range ids {
		if _, err := w.f.jobs.Claim(t.Context(), id, time.Second); err != nil {
			t.Fatal(err)
		}
	}
	w.age(time.Minute) // its leases are over
	if got := w.swept(); got.Redelivered != 2 || !w.completed(ids) {
		t.Errorf("got %+v, want both told and completed", got)
	}
	if got := w.find(ids[0]); got.Attempts != 2 {
		t.Errorf("got %d attempts, want the dead one counted", got.Attempts)
	}
}

func TestADueRetryIsTold(t *testing.T) {
	w := newWorld(t, silent)
	id := w.waiting(1)[0]
	claim, err := w.f.jobs.Claim(t.Context(), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.f.jobs.Retry(t.Context(), claim, "X", "x"); err != nil {
		t.Fatal(err)
	}
	if got := w.swept(); got.Redelivered != 0 {
		t.Errorf("before its time: got %+v", got)
	}
	w.age(10 * time.Second)
	if got := w.swept(); got.Redelivered != 1 || w.find(id).Status != jobs.Completed {
		t.Errorf("got %+v, want it told and completed", got)
	}
}

func TestJobsThatHadTheirChancesFail(t *testing.T) {
	w := newWorld(t, silent)
	ids := w.waiting(2)
	for range 3 {
		if _, err := w.f.jobs.Claim(t.Context(), ids[0], time.Second); err != nil {
			t.Fatal(err)
		}
		w.age(2 * time.Second)
	}
	if _, err := w.f.jobs.Claim(t.Context(), ids[1], time.Second); err != nil {
		t.Fatal(err)
	}
	w.age(10 * time.Minute)
	w.sql(`insert into jobs (id, owner, status, priority, object_key, uploaded_at, started_at, attempts) values (gen_random_uuid(), $1, 'pending', 'normal', 'probe', now(), now() - interval '1 hour', 3)`, jobs.ProbeOwner)
	if got := w.swept(); got.Failed != 3 || got.Redelivered != 0 {
		t.Errorf("got %+v, want both and a probe failed", got)
	}
	for i, want := range []string{jobs.CodeAttempts, jobs.CodeTimeout} {
		if got := metric(w, `schedgen_jobs_failed_total{code="`+want+`"}`); got != "1" {
			t.Errorf("%s: got %s counted, want 1", want, got)
		}
		if got := w.find(ids[i]); got.Status != jobs.Failed || got.ErrorCode != want || got.ErrorMessage == "" {
			t.Errorf("got %+v, want %s", got, want)
		}
	}
}

func TestManySweepsAtOnce(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Batch = 3 }))
	ids := w.waiting(10)
	old := w.waiting(4)
	for _, id := range old {
		claim, err := w.f.jobs.Claim(t.Context(), id, time.Minute)
		if err == nil {
			err = w.f.jobs.Complete(t.Context(), claim, lectures)
		}
		if err == nil {
			err = w.f.jobs.MarkPublished(t.Context(), id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w.age(25 * time.Hour)
	var all sync.WaitGroup
	var mu sync.Mutex
	var sum sweep.Counts
	for range 8 {
		all.Go(func() {
			got, err := w.f.Sweep(api.WithLogger(t.Context(), slog.New(slog.DiscardHandler)))
			if err != nil {
				t.Errorf("a sweep: %v", err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum.Redelivered, sum.Failed, sum.PDFs = sum.Redelivered+got.Redelivered, sum.Failed+got.Failed, sum.PDFs+got.PDFs
		})
	}
	all.Wait()
	if sum.Redelivered != int64(len(ids)) || sum.Failed != 0 || sum.PDFs < int64(len(old)) {
		t.Errorf("together: got %+v, want each of %d told once and %d PDFs deleted", sum, len(ids), len(old))
	}
	if !w.completed(ids) {
		t.Error("not all were completed")
	}
	if n := w.sql("delete from entries"); n != int64(2*(len(ids)+len(old))) {
		t.Errorf("got %d entries, want one set of 2 for each job", n)
	}
	for _, id := range old {
		if w.stored(jobs.ObjectKey(jobs.Normal, id)) {
			t.Errorf("the PDF of %s is kept", id)
		}
	}
}

func TestPDFsGoInTime(t *testing.T) {
	for retention, after := range map[time.Duration]time.Duration{0: 0, 24 * time.Hour: 24*time.Hour - 4*time.Minute} {
		t.Run(retention.String(), func(t *testing.T) {
			w := newWorld(t, with(func(c *Config) { c.PDFRetention = retention }))
			s := w.student()
			id := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
			if after > 0 {
				if got := w.swept(); got.PDFs != 0 || !w.stored(w.find(id).ObjectKey) {
					t.Errorf("at once: got %+v", got)
				}
			}
			w.age(after)
			// At the next sweep it would be too late.
			if got := w.swept(); got.PDFs != 1 || w.stored(w.find(id).ObjectKey) || w.find(id).PDFDeletedAt == nil {
				t.Errorf("after %v: got %+v, want the PDF gone", after, got)
			}
			if got := w.swept(); got.PDFs != 0 {
				t.Errorf("again: got %+v", got)
			}
			s.call("GET", "/api/jobs/"+id+"/result").Want(200) // the entries stay
		})
	}
}

// TestPDFsWithoutAJobGo, once they are older than any PDF may be; those of jobs stay, and all during a restore.
func TestPDFsWithoutAJobGo(t *testing.T) {
	w := newWorld(t)
	kept := idOf(w.student().upload(pdf(), "Prefer", "wait=20").Want(201))
	var orphans []string
	for _, id := range []string{uuid.NewString(), uuid.NewString()} {
		orphans = append(orphans, jobs.ObjectKey(jobs.Normal, id))
	}
	for _, key := range append([]string{"notes/readme.txt"}, orphans...) {
		if _, err := w.f.blob.Put(t.Context(), key, strings.NewReader("x"), 1, "application/pdf", nil); err != nil {
			t.Fatal(err)
		}
	}
	again := func() { w.sql("delete from sweeps where name = 'orphans'") }
	if got := w.swept(); got.Orphans != 0 {
		t.Errorf("at once: got %+v", got)
	}
	again()
	w.f.sweeper.OrphanRetention = -time.Minute // the store's clock
	w.sql("create schema " + postgres.ReplacedPrefix + "1")
	if got := w.swept(); got.Orphans != 0 {
		t.Errorf("during a restore: got %+v", got)
	}
	w.sql("drop schema " + postgres.ReplacedPrefix + "1")
	if got := w.swept(); got.Orphans != 0 {
		t.Errorf("within the hour: got %+v", got)
	}
	again()
	if got := w.swept(); got.Orphans != 2 || w.stored(orphans[0]) || w.stored(orphans[1]) {
		t.Errorf("later: got %+v, want both gone", got)
	}
	if !w.stored(w.find(kept).ObjectKey) || !w.stored("notes/readme.txt") {
		t.Error("the PDF of a job is gone, or what is none")
	}
	w.sql("update jobs set pdf_deleted_at = now()")
	again()
	if got := w.swept(); got.Orphans != 1 {
		t.Errorf("the job's PDF is back after its time: got %+v, want it gone", got)
	}
}

func TestRetentionOfRows(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.JobRetention, c.DeadLetterRetention, c.Batch = 48*time.Hour, 48*time.Hour, 2 }))
	s := w.student()
	for range 5 {
		s.upload(pdf(), "Prefer", "wait=20").Want(201)
		if _, err := w.f.jobs.KeepDeadLetter(t.Context(), jobs.DeadLetter{Source: "x", Reason: "x", Event: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
	}
	w.age(47 * time.Hour)
	if got := w.swept(); got.Jobs != 0 || got.DeadLetters != 0 || got.PDFs != 5 {
		t.Errorf("before: got %+v", got)
	}
	w.age(2 * time.Hour)
	w.sql("update dead_letters set received_at = received_at - interval '3 days'")
	if got := w.swept(); got.Jobs != 5 || got.DeadLetters != 5 {
		t.Errorf("after: got %+v, want all of them gone in one sweep, however small its batches", got)
	}
	for _, table := range []string{"jobs", "entries", "dead_letters"} {
		if n := w.sql("delete from " + table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
}

// What cannot be told must not keep the rest of a sweep from being done.
func TestAReaderThatIsAwayHoldsUpNothing(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Events.Retries = 0 }))
	ids := w.waiting(3)
	w.reader.set(func(r *reader) { r.status = http.StatusServiceUnavailable })
	w.age(time.Minute)
	if got := w.swept(); got.Redelivered != 0 || got.Unpublished != 3 {
		t.Errorf("got %+v, want none told", got)
	}
	if got := w.swept(); got.Unpublished != 0 {
		t.Errorf("at once again: got %+v, want a pause", got)
	}
	w.reader.set(func(r *reader) { r.status = 0 })
	w.age(time.Minute)
	if got := w.swept(); got.Redelivered != 3 || !w.completed(ids) {
		t.Errorf("when it is back: got %+v", got)
	}
}

func TestTimetablesAreAnnounced(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	w.age(time.Minute)
	if got := w.swept(); got.Announced != 1 {
		t.Errorf("got %+v", got)
	}
	if got := w.reader.told(events.TypeParsed); len(got) != 1 || got[0] != id {
		t.Errorf("told of %v, want %s", got, id)
	}
	if got := w.swept(); got.Announced != 0 {
		t.Errorf("again: got %+v", got)
	}
}

// What a receiver refuses for good is put aside, and does not come again for ever.
func TestAnAnnouncementThatIsRefused(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := idOf(s.upload(pdf(), "Prefer", "wait=20").Want(201))
	w.reader.set(func(r *reader) { r.status = http.StatusBadRequest })
	w.age(time.Minute)
	if got := w.swept(); got.Announced != 0 || got.Unpublished != 1 {
		t.Errorf("got %+v", got)
	}
	if got := w.swept(); got.Unpublished != 0 {
		t.Errorf("again: got %+v", got)
	}
	letters := w.letters()
	if len(letters) != 1 || letters[0].JobID != id || letters[0].Source != "sweep" || !strings.Contains(letters[0].Reason, "400") {
		t.Fatalf("got %+v, want one letter", letters)
	}
	w.reader.set(func(r *reader) { r.status = 0 })
	w.admin("POST", "/api/admin/dead-letters/%d/replay", letters[0].ID).Want(200)
	if got := w.reader.told(events.TypeParsed); len(got) != 1 || got[0] != id || len(w.letters()) != 0 {
		t.Errorf("after the replay: told of %v, %d letters", got, len(w.letters()))
	}
}

func TestASweepWithNobodyToTellSaysSo(t *testing.T) {
	w := newWorld(t, silent, with(func(c *Config) { c.Events.Targets = nil }))
	w.waiting(1)
	w.age(time.Minute)
	w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+eventToken).Refused(500, api.Internal)
}

func TestWhoMaySweep(t *testing.T) {
	w := newWorld(t)
	for _, token := range []string{"", "Bearer ", "Bearer x", "Basic " + eventToken, eventToken} {
		w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", token).Refused(401, api.Unauthorized)
	}
	w.do(w.client, "POST", "/tasks/sweep", nil, "Authorization", "Bearer "+adminToken).Want(200)
}

// TestRunbooksShowAnswersAsTheyAre compares the names in the answers that runbooks show with those of the real ones.
func TestRunbooksShowAnswersAsTheyAre(t *testing.T) {
	w := newWorld(t)
	for page, answer := range map[string]any{
		"JobsWaitLong": w.swept(),
		"QueueLong":    functest.Read[jobs.Metrics](w.do(w.client, "GET", "/api/jobs/metrics", nil).Want(200)).Total,
	} {
		data, err := os.ReadFile("../../docs/runbooks/" + page + ".md")
		if err != nil {
			t.Fatal(err)
		}
		_, block, _ := strings.Cut(string(data), "```json\n")
		shown, _, _ := strings.Cut(block, "```")
		real, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := keys(t, shown), keys(t, string(real)); !slices.Equal(got, want) {
			t.Errorf("%s.md shows %q, and the answer has %q", page, got, want)
		}
	}
}

func keys(t *testing.T, object string) []string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(object), &all); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return slices.Sorted(maps.Keys(all))
}
