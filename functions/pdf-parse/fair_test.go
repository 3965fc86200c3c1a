package pdfparse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	s := newSlots(0, -1) // one, without a reserve
	only := s.take(jobs.Normal)
	if only == nil || len(only.may) != 3 {
		t.Fatalf("the only slot is not for all: got %v", only)
	}
	if s.take(jobs.High) != nil {
		t.Error("there is a second slot")
	}
	only.free()
	only.free()
	for i, want := range []bool{true, false} {
		if got := s.take("") != nil; got != want {
			t.Errorf("take %d after freeing twice: got %v, want %v", i+1, got, want)
		}
	}
}

// Low priority yields first, but not for ever.
func TestWhatASlotIsFor(t *testing.T) {
	t.Parallel()
	s := newSlots(4, 1)
	all := [][]jobs.Priority{{jobs.High, jobs.Normal, jobs.Low}, {jobs.High, jobs.Normal, jobs.Low}, {jobs.High, jobs.Normal}, {jobs.High}}
	for i, want := range all {
		if slot := s.take(""); slot == nil || !slices.Equal(slot.may, want) {
			t.Errorf("slot %d: got %v; want %v", i+1, slot, want)
		}
	}
	s = newSlots(4, 1)
	for range 2 {
		for range 3 {
			s.take("")
		}
		for range yields {
			s.begin("")
		}
		slot := s.take(jobs.Low)
		if want := []jobs.Priority{jobs.Low, jobs.Normal, jobs.High}; slot == nil || !slices.Equal(slot.may, want) {
			t.Errorf("after %d starts: got %v; want %v", yields, slot, want)
		}
		s.begin("")
		slot.free()
		if s.take(jobs.Low) != nil || s.take(jobs.Normal) != nil {
			t.Error("after one start more: the last slot is not for high alone")
		}
		s.taken = 0
	}
}

// What an event waits for is a slot for its priority, in the order of the events, or the beginning of its job.
func TestWaitingForASlot(t *testing.T) {
	t.Parallel()
	s := newSlots(2, 1) // one for all, one for high priority alone
	held := s.take(jobs.Normal)
	if slot, begun := s.wait(t.Context(), "impatient", jobs.Normal, 0); slot != nil || begun {
		t.Fatalf("without patience: got %v, %v", slot, begun)
	}
	ended := make(chan string, 4)
	wait := func(ctx context.Context, job string, patience time.Duration) {
		t.Helper()
		s.mu.Lock()
		before := len(s.waiting)
		s.mu.Unlock()
		go func() {
			slot, begun := s.wait(ctx, job, jobs.Normal, patience)
			ended <- fmt.Sprintf("%s: slot %v, begun %v", job, slot != nil, begun)
		}()
		testkit.Eventually(t, job+" waits", func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.waiting) > before
		})
	}
	expect := func(want string) {
		t.Helper()
		if got := <-ended; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	gone, leave := context.WithCancel(t.Context())
	wait(gone, "gone", time.Hour)
	wait(t.Context(), "begun", time.Hour)
	wait(t.Context(), "first", time.Hour)
	wait(t.Context(), "second", time.Hour)
	leave()
	expect("gone: slot false, begun false")
	s.begin("begun")
	expect("begun: slot false, begun true")
	if high := s.take(jobs.High); high == nil {
		t.Error("those who wait hold the slot of high priority")
	} else {
		high.free()
	}
	held.free()
	expect("first: slot true, begun false")
	if len(s.waiting) != 1 {
		t.Errorf("%d wait, want the second", len(s.waiting))
	}
	go func() {
		slot, _ := s.wait(t.Context(), "late", jobs.Normal, time.Nanosecond)
		ended <- fmt.Sprintf("late: slot %v", slot != nil)
	}()
	expect("late: slot false")
	for range mostWaiting * s.total { // however many come, so many wait
		s.waiting = append(s.waiting, &waiter{end: make(chan *grant, 1), priority: jobs.Low})
	}
	if slot, _ := s.wait(t.Context(), "too many", jobs.Normal, time.Hour); slot != nil {
		t.Error("there is a slot too many")
	}
}

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

// A worker waits where the rate is used up: those whose events it has refused may have nobody else.
func TestTheRateLeavesNoJobBehind(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rate, c.Burst, c.RateReserve = 2, 1, 0 })
	_, truth := lecture()
	w.f.Parse = func(context.Context, []byte) (timetable.Document, error) { return truth, nil }
	var all []jobs.Job
	for range 5 {
		all = append(all, w.lectures())
	}
	w.notify(all[0]).Want(204)
	for _, job := range all {
		w.completed(job.ID, truth)
	}
}

// A job of high priority whose event was lost gets what is reserved of the rate.
func TestTheReserveOfTheRateIsForWhatIsDue(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rate, c.Burst, c.RateReserve = 2, 2, 1 })
	_, truth := lecture()
	w.f.Parse = func(context.Context, []byte) (timetable.Document, error) { return truth, nil }
	w.upload([]byte("%PDF-"), jobs.Low)
	high := w.upload([]byte("%PDF-"), jobs.High)
	for w.f.rate.Allow(t.Context(), false).Allowed { // until what is not reserved is used up
		continue
	}
	if over, wait, err := w.f.runDueJob(t.Context()); over || wait > 0 || err != nil {
		t.Errorf("got over %t, wait %s, %v; want a job done", over, wait, err)
	}
	w.completed(high.ID, truth)
}

// taken reports whether a worker waits.
func (r *rateWait) taken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.relieved != nil
}

// One worker of an instance waits for the rate, not each: the one that may for the longest.
func TestOneWorkerWaitsForTheRate(t *testing.T) {
	t.Parallel()
	var r rateWait
	if !r.wait(t.Context(), time.Nanosecond, time.Now().Add(patience)) || r.taken() {
		t.Error("the only one has not waited, or waits for ever")
	}
	end := time.Now().Add(time.Hour)
	first := make(chan bool)
	go func() { first <- r.wait(t.Context(), time.Hour, end) }()
	testkit.Eventually(t, "the first waits", r.taken)
	if r.wait(t.Context(), time.Hour, end) {
		t.Error("a second one has waited")
	}
	if !r.wait(t.Context(), time.Nanosecond, end.Add(time.Second)) || r.taken() {
		t.Error("one with more time has not waited")
	}
	if <-first {
		t.Error("the first has waited, too")
	}
}

// Workers that left when the rate was used up come back with the rate: no slot stays empty for long while jobs are due.
func TestWhoDidNotWaitForTheRateComesBack(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency, c.Reserve, c.Rate, c.Burst, c.RateReserve = 2, 0, 1, 1, 0 })
	g := newGate()
	w.f.Parse = g.parse
	all := []jobs.Job{w.lectures(), w.lectures(), w.lectures()}
	for w.f.rate.Allow(t.Context(), false).Allowed {
		continue
	}
	until := time.Now().Add(patience)
	var workers sync.WaitGroup
	workers.Go(func() { w.f.goOn(t.Context(), until) })
	testkit.Eventually(w, "one waits", w.f.rateWait.taken)
	workers.Go(func() { w.f.goOn(t.Context(), until) })
	for range 2 {
		select {
		case <-g.entered:
		case <-time.After(patience):
			t.Fatal("a slot is empty while jobs are due")
		}
	}
	close(g.open)
	workers.Wait()
	for _, job := range all {
		w.completed(job.ID, g.doc)
	}
}

// An instance that drains waits for no rate: others, or the sweep, do what is left.
func TestADrainWaitsForNoRate(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Rate, c.Burst, c.RateReserve = 1, 1, 0 })
	_, truth := lecture()
	own := w.lectures()
	for range 9 {
		w.lectures()
	}
	f, err := New(t.Context(), w.cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.Parse = func(context.Context, []byte) (timetable.Document, error) { return truth, nil }
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, drain := context.WithCancel(t.Context())
	var server sync.WaitGroup
	server.Go(func() {
		if err := faas.Serve(ctx, "pdf-parse", f, listener, slog.New(slog.DiscardHandler), faas.Config{RequestTimeout: patience}); err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	server.Go(func() {
		if a, err := w.post("http://"+listener.Addr().String(), notification(record(t, own))); err != nil || a.StatusCode != http.StatusNoContent {
			t.Errorf("got %d %s, %v", a.StatusCode, a.Body, err)
		}
	})
	testkit.Eventually(w, "a worker waits", f.rateWait.taken)
	drain()
	server.Wait()
	if n := w.count("select count(*) from jobs where status = 'pending'"); n == 0 {
		t.Error("the drain waited until every job was done")
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
