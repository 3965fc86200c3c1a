package pdfparse

import (
	"sync"

	"github.com/schedgen/schedgen/shared/jobs"
)

// slots bounds how many PDFs are read at once. Low priority yields first: with four slots and a
// reserve of one, low takes at most two, normal three, high all four.
type slots struct {
	mu             sync.Mutex
	taken          int
	total, reserve int
}

func newSlots(total, reserve int) *slots {
	return &slots{total: max(1, total), reserve: max(0, reserve)}
}

// room is how many slots may be taken for a job of this priority to get one. Each gets at least one.
func (s *slots) room(priority jobs.Priority) int {
	switch priority {
	case jobs.High:
		return s.total
	case jobs.Low:
		return max(1, s.total-2*s.reserve)
	}
	return max(1, s.total-s.reserve)
}

// take gives a slot, or false at once. To free it twice is to free it once.
func (s *slots) take(priority jobs.Priority) (free func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.room(priority) {
		return nil, false
	}
	s.taken++
	return sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken--
	}), true
}
