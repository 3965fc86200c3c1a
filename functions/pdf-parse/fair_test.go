package pdfparse

import (
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/jobs"
)

func TestSlots(t *testing.T) {
	t.Parallel()
	s := newSlots(0, -1) // one, without a reserve
	free, may, ok := s.take()
	if !ok || len(may) != 3 {
		t.Fatalf("the only slot is not for all: got %v, %v", may, ok)
	}
	if _, _, ok := s.take(); ok {
		t.Error("there is a second slot")
	}
	free()
	free()
	for i, want := range []bool{true, false} {
		if _, _, ok := s.take(); ok != want {
			t.Errorf("take %d after freeing twice: got %v, want %v", i+1, ok, want)
		}
	}
}

// Low priority yields first, but not for ever.
func TestWhatASlotIsFor(t *testing.T) {
	t.Parallel()
	s := newSlots(4, 1)
	all := [][]jobs.Priority{{jobs.High, jobs.Normal, jobs.Low}, {jobs.High, jobs.Normal, jobs.Low}, {jobs.High, jobs.Normal}, {jobs.High}}
	for i, want := range all {
		if _, may, ok := s.take(); !ok || !slices.Equal(may, want) {
			t.Errorf("slot %d: got %v, %v; want %v", i+1, may, ok, want)
		}
	}
	s = newSlots(4, 1)
	for range 2 {
		for range 3 {
			s.take()
		}
		for range yields {
			s.start()
		}
		free, may, ok := s.take()
		if want := []jobs.Priority{jobs.Low, jobs.Normal, jobs.High}; !ok || !slices.Equal(may, want) {
			t.Errorf("after %d starts: got %v, %v; want %v", yields, may, ok, want)
		}
		s.start()
		free()
		if _, may, _ := s.take(); !slices.Equal(may, []jobs.Priority{jobs.High}) {
			t.Errorf("after one start more: got %v, want high alone", may)
		}
		s.taken = 0
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
	var others []jobs.Job
	for range mostTurns - 1 {
		others = append(others, w.lectures())
	}
	last := w.lectures()
	w.notify(last).Want(204)
	for _, job := range append(others, last) {
		w.completed(job.ID, truth)
	}
	for range mostTurns {
		w.lectures()
	}
	last = w.lectures()
	w.notify(last).refused(429, api.Busy)
	w.notify(last).Want(204)
}
