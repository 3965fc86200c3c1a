package pdfparse

import (
	"context"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/faas"
)

// rateWait lets one worker of an instance wait for the rate: the one that may wait for the longest. Each that waits holds
// one of the requests that the platform sends to an instance.
type rateWait struct {
	mu       sync.Mutex
	until    time.Time     // how long the one that waits may
	relieved chan struct{} // closed when another waits in its place; nil while nobody waits
}

// wait waits for d, until at the latest, and reports whether the caller should try again. It does not wait where another
// worker does that may wait for as long or longer, and stops when one comes that may wait for longer, or the instance
// drains.
func (r *rateWait) wait(ctx context.Context, d time.Duration, until time.Time) bool {
	relieved, ok := r.begin(until)
	if !ok {
		return false
	}
	defer r.end(relieved)
	timer := time.NewTimer(min(d, time.Until(until)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-relieved:
	case <-faas.Draining(ctx):
	}
	return false
}

func (r *rateWait) begin(until time.Time) (relieved chan struct{}, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.relieved != nil && !until.After(r.until) {
		return nil, false
	}
	if r.relieved != nil {
		close(r.relieved)
	}
	r.until, r.relieved = until, make(chan struct{})
	return r.relieved, true
}

func (r *rateWait) end(relieved chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.relieved == relieved {
		r.relieved = nil
	}
}
