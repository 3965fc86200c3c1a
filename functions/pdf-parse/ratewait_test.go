package pdfparse

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/timetable"
)

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

// A worker that leaves is gone, though the one that it began still works: the rate begins one for each job that waits.
func TestWorkersThatLeaveAreGone(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Concurrency, c.Reserve, c.Rate, c.Burst, c.RateReserve = 2, 0, 20, 1, 0 })
	_, truth := lecture()
	atWork := regexp.MustCompile(`\(\*Function\)\.(goOn|workOn)\(`)
	var most atomic.Int64
	w.f.Parse = func(context.Context, []byte) (timetable.Document, error) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		n := int64(len(atWork.FindAll(stacks, -1)))
		for was := most.Load(); n > was && !most.CompareAndSwap(was, n); was = most.Load() {
			continue
		}
		return truth, nil
	}
	for range 20 {
		w.lectures()
	}
	w.f.goOn(t.Context(), time.Now().Add(patience))
	if n := w.count("select count(*) from jobs where status <> 'completed'"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	// The first, one in each slot, one that waits, and one that finds no slot.
	if got := most.Load(); got > 5 {
		t.Errorf("%d workers were there at once, want 5 at the most", got)
	}
}
