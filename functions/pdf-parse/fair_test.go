package pdfparse

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

// flooded is a world where one owner's slow PDFs take all slots that they may, and more of them wait.
type flooded struct {
	*world
	gate   *gate
	events sync.WaitGroup
}

func flood(t *testing.T, priority jobs.Priority, n int) *flooded {
	f := &flooded{world: newWorld(t, func(c *Config) { c.Concurrency, c.Reserve = 4, 1 }), gate: newGate()}
	f.f.Parse = f.gate.parse
	for range n {
		f.deliver(f.upload([]byte("%PDF-"), priority))
	}
	for range map[jobs.Priority]int{jobs.High: 4, jobs.Normal: 3, jobs.Low: 2}[priority] {
		<-f.gate.entered
	}
	return f
}

// deliver sends a job's event again and again, as an object store does, until nobody needs it any more.
func (f *flooded) deliver(job jobs.Job) {
	body := notification(record(f.T, job))
	f.events.Go(func() {
		for f.Context().Err() == nil {
			a, err := f.post(f.url, body)
			if err != nil || a.StatusCode != http.StatusNoContent && a.StatusCode != http.StatusTooManyRequests {
				f.Errorf("got %d %s, %v", a.StatusCode, a.Body, err)
			}
			if a.StatusCode == http.StatusNoContent {
				return
			}
		}
	})
}

// ends lets one PDF be read, until its slot is taken again.
func (f *flooded) ends() {
	f.gate.open <- struct{}{}
	<-f.gate.entered
}

func (f *flooded) begun(job jobs.Job) bool { return f.find(job.ID).Attempts > 0 }

// Whatever priority one owner's flood has, another's upload is read after the first job that ends, whichever event
// comes first.
func TestAFloodHoldsNobodyUp(t *testing.T) {
	for _, priority := range []jobs.Priority{jobs.High, jobs.Normal, jobs.Low} {
		t.Run(string(priority), func(t *testing.T) {
			f := flood(t, priority, 12)
			f.owner = uuid.NewString()
			mine := f.upload([]byte("%PDF-"), priority) // nobody tells of it
			for range 2 {
				f.ends()
			}
			if !f.begun(mine) {
				t.Error("the student's job is not among the next two")
			}
			close(f.gate.open)
			f.events.Wait()
			if n := f.count("select count(*) from jobs where status <> 'completed'"); n != 0 {
				t.Errorf("%d jobs are left", n)
			}
		})
	}
}

// Slots that a flood of low priority may not have are free for others at once.
func TestAFloodOfLowPriorityLeavesSlots(t *testing.T) {
	f := flood(t, jobs.Low, 12)
	f.owner = uuid.NewString()
	mine := f.upload([]byte("%PDF-"), jobs.Normal)
	f.deliver(mine)
	<-f.gate.entered
	if !f.begun(mine) {
		t.Error("another job was begun")
	}
	close(f.gate.open)
	f.events.Wait()
}

// While normal jobs keep coming, one of low priority has its turn all the same.
func TestLowPriorityDoesNotStarve(t *testing.T) {
	f := flood(t, jobs.Normal, 20)
	low := f.upload([]byte("%PDF-"), jobs.Low)
	for range yields + 1 - 3 {
		f.ends()
	}
	if !f.begun(low) {
		t.Errorf("the job of low priority is not among the first %d", yields+1)
	}
	close(f.gate.open)
	f.events.Wait()
}

// An event is answered when its own job is taken, so that each that is lost loses one job to the sweep, and not more.
func TestAnEventIsNotDoneBeforeItsOwnJobIsTaken(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	var all []jobs.Job
	for range 20 {
		all = append(all, w.lectures())
	}
	w.notify(all[len(all)-1]).Want(204)
	for _, job := range all {
		w.completed(job.ID, truth)
	}
}

// A worker goes on after its event's own job while jobs are due: those whose events were refused or lost wait for nobody.
func TestNoSlotIsEmptyWhileAJobIsDue(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	first := w.lectures()
	var lost []jobs.Job
	for range 20 {
		lost = append(lost, w.lectures())
	}
	later := w.lectures()
	w.sql("update jobs set run_after = now() + interval '1 hour' where id = $1::uuid", later.ID)
	w.notify(first).Want(204)
	for _, job := range append(lost, first) {
		w.completed(job.ID, truth)
	}
	if got := w.find(later.ID); got.Status != jobs.Pending || got.Attempts != 0 {
		t.Errorf("got %+v, want the job that is not due untouched", got)
	}
}

// An event that is done with does not come again for what went wrong with another's job.
func TestAnothersJobFailsNoEventThatIsDone(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Backoff = time.Hour })
	_, truth := lecture()
	own, other := w.lectures(), w.lectures()
	if err := w.f.blob.Delete(t.Context(), other.ObjectKey); err != nil {
		t.Fatal(err)
	}
	w.notify(own).Want(204)
	w.completed(own.ID, truth)
	if got := w.find(other.ID); got.Attempts != 1 || got.Status != jobs.Pending {
		t.Errorf("got %+v, want the other's first attempt failed", got)
	}
	// Nor does one whose job another worker has done meanwhile.
	first, mine := w.lectures(), w.lectures()
	parsePDF := w.f.Parse
	w.f.Parse = func(ctx context.Context, pdf []byte) (timetable.Document, error) {
		w.f.Parse = parsePDF
		w.sql("update jobs set status = 'completed', completed_at = now() where id = $1::uuid", mine.ID)
		return timetable.Document{}, errors.New("not now")
	}
	w.notify(mine).Want(204)
	if got := w.find(first.ID); got.Attempts != 1 || got.Status != jobs.Pending {
		t.Errorf("got %+v, want the first one's first attempt failed", got)
	}
}

// A PDF that is gone keeps nobody else's waiting.
func TestAPDFThatIsGoneKeepsNobodyWaiting(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Backoff = time.Hour })
	_, truth := lecture()
	own, gone, lost := w.lectures(), w.lectures(), w.lectures()
	if err := w.f.blob.Delete(t.Context(), gone.ObjectKey); err != nil {
		t.Fatal(err)
	}
	w.notify(own).Want(204)
	w.completed(own.ID, truth)
	w.completed(lost.ID, truth)
}

// A bucket that is missing is an outage, and no fault of any job: the first one tells, and the others keep their attempts.
func TestABucketThatIsMissingCostsNoJob(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.Backoff = time.Hour })
	for range 4 {
		w.lectures()
	}
	f, _ := w.instance(func(c *Config) { c.Blob.Bucket = "missing" })
	for range 2 {
		f.goOn(t.Context(), time.Now().Add(patience))
	}
	if n := w.count("select count(*) from jobs where status <> 'pending' or error_code = $1", jobs.CodePDFMissing); n != 0 {
		t.Errorf("%d jobs have failed, or are said to have lost their PDFs", n)
	}
	if n := w.count("select sum(attempts) from jobs"); n != 2 {
		t.Errorf("two workers spent %d attempts, want one each", n)
	}
}

// A job that could not be given back ends a worker's turn, whatever was wrong with its PDF.
func TestAJobThatCannotBeGivenBackIsNotPassedOver(t *testing.T) {
	w := newWorld(t)
	job := w.lectures()
	if err := w.f.blob.Delete(t.Context(), job.ObjectKey); err != nil {
		t.Fatal(err)
	}
	w.sql(`create function refuse() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`)
	w.sql("create trigger refuse before update on jobs for each row when (old.status = 'processing') execute function refuse()")
	if _, _, err := w.f.runDueJob(t.Context()); err == nil {
		t.Error("nothing is said of it")
	}
}

// A caller that hangs up while another's job is read leaves no slot empty: its event may be the last that comes.
func TestACallerThatHangsUpLeavesNoJobBehind(t *testing.T) {
	w := newWorld(t)
	_, truth := lecture()
	all := []jobs.Job{w.lectures(), w.lectures(), w.lectures()}
	last := all[2]
	ctx, hangUp := context.WithCancel(t.Context())
	parsePDF := w.f.Parse
	w.f.Parse = func(ctx context.Context, pdf []byte) (timetable.Document, error) {
		hangUp()
		return parsePDF(ctx, pdf)
	}
	object := events.Object{JobID: last.ID, Key: last.ObjectKey, Priority: string(last.Priority)}
	if err := w.f.handleObject(ctx, object); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own end", err)
	}
	for _, job := range all {
		w.completed(job.ID, truth)
	}
}

// An event that waits for a slot that it may not have keeps nobody from using it.
func TestAnEventThatWaitsKeepsNoSlotEmpty(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency, c.Reserve, c.Wait = 2, 1, patience })
	g := newGate()
	w.f.Parse = func(ctx context.Context, pdf []byte) (timetable.Document, error) {
		if string(pdf) == "%PDF-high" {
			return g.doc, nil
		}
		return g.parse(ctx, pdf)
	}
	var all sync.WaitGroup
	deliver := func() {
		body := notification(record(t, w.upload([]byte("%PDF-"), jobs.Normal)))
		all.Go(func() {
			if a, err := w.post(w.url, body); err != nil || a.StatusCode != http.StatusNoContent {
				t.Errorf("got %d %s, %v", a.StatusCode, a.Body, err)
			}
		})
	}
	deliver()
	<-g.entered
	deliver() // the slot that is left is for high priority
	testkit.Eventually(w, "an event waits", func() bool {
		w.f.slots.mu.Lock()
		defer w.f.slots.mu.Unlock()
		return len(w.f.slots.waiting) == 1
	})
	own, lost := w.upload([]byte("%PDF-high"), jobs.High), w.upload([]byte("%PDF-high"), jobs.High)
	w.notify(own).Want(204)
	if !w.find(own.ID).Done() || !w.find(lost.ID).Done() {
		t.Error("the slot was not used for the job whose event was lost")
	}
	close(g.open)
	all.Wait()
}

// In the second half of its time a request begins no job.
func TestARequestEndsInTime(t *testing.T) {
	w := newWorld(t)
	own, other := w.lectures(), w.lectures()
	object := events.Object{JobID: own.ID, Key: own.ObjectKey, Priority: string(own.Priority)}
	if err := w.f.handleObject(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if !w.find(other.ID).Done() {
		t.Error("a request with time left did not go on")
	}
	other = w.lectures()
	if w.f.goOn(t.Context(), time.Now()); w.find(other.ID).Done() {
		t.Error("the job was begun after the time")
	}
}

// Events for which no slot is free wait for one, or until another worker has begun their jobs. None is told to come again.
func TestEventsWaitForASlot(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency, c.Reserve, c.Wait = 2, 0, patience })
	_, truth := lecture()
	var all sync.WaitGroup
	var list []jobs.Job
	for range 24 {
		job := w.lectures()
		list = append(list, job)
		body := notification(record(t, job))
		all.Go(func() {
			if a, err := w.post(w.url, body); err != nil || a.StatusCode != http.StatusNoContent {
				t.Errorf("got %d %s, %v; want 204 at the first try", a.StatusCode, a.Body, err)
			}
		})
	}
	all.Wait()
	for _, job := range list {
		w.completed(job.ID, truth)
		if got := w.find(job.ID).Attempts; got != 1 {
			t.Errorf("got %d attempts, want one", got)
		}
	}
}
