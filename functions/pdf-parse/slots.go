package pdfparse

import (
	"sync"

	"github.com/schedgen/schedgen/shared/jobs"
)

// slots bounds how many PDFs are read at once, and says of which priorities the next one may be. Low priority yields
// first: with four slots and a reserve of one, low takes at most two, normal three, high all four. So that it does not
// yield for ever, each eighth start is for the lowest priority that waits, whatever is reserved.
type slots struct {
	mu             sync.Mutex
	taken, started int
	total, reserve int
}

// yields is how many starts low priority yields before one is its own.
const yields = 7

func newSlots(total, reserve int) *slots {
	return &slots{total: max(1, total), reserve: max(0, reserve)}
}

// take gives a slot, or false at once, and the priorities that it may be used for, the first to be preferred. To free
// it twice is to free it once.
func (s *slots) take() (free func(), may []jobs.Priority, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.total {
		return nil, nil, false
	}
	s.taken++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
	}), s.priorities(), true
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

// start counts a job that was begun.
func (s *slots) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = (s.started + 1) % (yields + 1)
}
