package pdfparse

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/jobs"
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
