package pdfparse

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/jobs"
)

// slots bounds how many PDFs are read at once, and says of which priorities the next one may be. Low priority yields
// first: with four slots and a reserve of one, low takes at most two, normal three, high all four. So that it does not
// yield for ever, each eighth start is for the lowest priority that waits, whatever is reserved.
//
// An event for whose priority no slot is free waits here, in no slot, until one is, or until another worker has begun its
// job. Slots are handed on in the order in which events came.
type slots struct {
	mu             sync.Mutex
	taken, started int
	total, reserve int
	waiting        []*waiter
}

// yields is how many starts low priority yields before one is its own.
const yields = 7

// mostWaiting is how many events wait for each slot. Others come again.
const mostWaiting = 16

// waiter is an event that waits.
type waiter struct {
	job      string
	priority jobs.Priority
	end      chan *grant // gets what the wait ended with: nil says that the job was begun
}

// grant is a slot that was given, and the priorities that it may be used for, the first to be preferred. To free it twice
// is to free it once.
type grant struct {
	may  []jobs.Priority
	free func()
}

func newSlots(total, reserve int) *slots {
	return &slots{total: max(1, total), reserve: max(0, reserve)}
}

// take gives a slot that may be used for the priority, or nil at once. For no priority it gives any.
func (s *slots) take(priority jobs.Priority) *grant {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.give(priority)
}

// wait is take for an event that has some patience. It ends with a slot, with begun where another worker has begun the
// event's job meanwhile, or with neither.
func (s *slots) wait(ctx context.Context, job string, priority jobs.Priority, patience time.Duration) (g *grant, begun bool) {
	s.mu.Lock()
	if g := s.give(priority); g != nil || patience <= 0 || len(s.waiting) >= mostWaiting*s.total {
		s.mu.Unlock()
		return g, false
	}
	w := &waiter{job, priority, make(chan *grant, 1)}
	s.waiting = append(s.waiting, w)
	s.mu.Unlock()
	over := time.NewTimer(patience)
	defer over.Stop()
	select {
	case g := <-w.end:
		return g, g == nil
	case <-over.C:
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(other *waiter) bool { return other == w })
	select {
	case g := <-w.end: // it came all the same
		return g, g == nil
	default:
		return nil, false
	}
}

// give gives a slot, or nil. The caller holds the lock.
func (s *slots) give(priority jobs.Priority) *grant {
	if s.taken >= s.total {
		return nil
	}
	s.taken++
	may := s.priorities()
	if priority != "" && !slices.Contains(may, priority) {
		s.taken--
		return nil
	}
	return &grant{may, sync.OnceFunc(s.free)}
}

// free hands a slot to those who wait for it.
func (s *slots) free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	s.waiting = slices.DeleteFunc(s.waiting, func(w *waiter) bool {
		g := s.give(w.priority)
		if g != nil {
			w.end <- g
		}
		return g != nil
	})
}

// priorities are those that the slot just taken is for. Each has at least one slot.
func (s *slots) priorities() []jobs.Priority {
	if s.started >= yields {
		return []jobs.Priority{jobs.Low, jobs.Normal, jobs.High}
	}
	may := []jobs.Priority{jobs.High}
	if s.taken <= max(1, s.total-s.reserve) {
		may = append(may, jobs.Normal)
	}
	if s.taken <= max(1, s.total-2*s.reserve) {
		may = append(may, jobs.Low)
	}
	return may
}

// begin counts a job that was begun, for which no event has to wait any more.
func (s *slots) begin(job string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = (s.started + 1) % (yields + 1)
	s.waiting = slices.DeleteFunc(s.waiting, func(w *waiter) bool {
		if w.job == job {
			w.end <- nil
		}
		return w.job == job
	})
}
