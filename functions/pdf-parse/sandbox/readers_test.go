package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/parse"
	"github.com/schedgen/schedgen/functions/pdf-parse/sandbox"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// patient are limits that a machine under load keeps: no clock decides what is right.
var patient = sandbox.Limits{Wall: 5 * time.Minute}

// ends counts why readers ended.
type ends struct {
	mu  sync.Mutex
	why []string
}

func (e *ends) add(reason string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.why = append(e.why, reason)
}

func (e *ends) all() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.why)
}

func newReaders(t *testing.T, limits sandbox.Limits, stay sandbox.Stay, most int) (*sandbox.Readers, *ends) {
	t.Helper()
	readers, ended := sandbox.NewReaders(limits, stay, most), &ends{}
	readers.Ended = ended.add
	t.Cleanup(func() {
		readers.Close()
		for _, pid := range readers.Pids() {
			t.Errorf("reader %d is left", pid)
		}
	})
	return readers, ended
}

// said is all that a reading tells, as text.
func said(doc timetable.Document, err error) string {
	var e *parse.Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case err != nil:
		return "error: " + err.Error()
	}
	text, _ := json.Marshal(doc) // texts and numbers
	return string(text)
}

// sample is a document with what a reader that reads nothing else says of it.
type sample struct {
	name, alone string
	pdf         []byte
	costly      bool
}

// samplesAlone are timetables that differ, and every hostile file, each read alone.
func samplesAlone(t *testing.T) (all []sample) {
	t.Helper()
	pdfs := corpus(t)
	for seed := range uint64(40) {
		kind := []timetable.Kind{timetable.Lecture, timetable.Test, timetable.Exam}[seed%3]
		pdf, _, err := fixture.Generate(fixture.Options{Kind: kind, Seed: 100 + seed, Compress: seed%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		pdfs[fmt.Sprintf("%s %d", kind, seed)] = pdf
	}
	for name, pdf := range pdfs {
		start := time.Now()
		alone := said(sandbox.Parse(t.Context(), bytes.NewReader(pdf), patient))
		all = append(all, sample{name, alone, pdf, time.Since(start) > 100*time.Millisecond})
	}
	return all
}

// TestNothingOfOneDocumentIsInAnothersAnswer reads thousands of documents in random order, hostile ones among them, and
// compares each answer with that of a reader that reads nothing else. What takes long is read once.
func TestNothingOfOneDocumentIsInAnothersAnswer(t *testing.T) {
	t.Parallel()
	samples := samplesAlone(t)
	var quick, order []sample
	for _, s := range samples {
		if s.costly {
			order = append(order, s)
		} else {
			quick = append(quick, s)
		}
	}
	count := 2000
	if os.Getenv("SCHEDGEN_TEST_ALL") != "" {
		count = 20000
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range count {
		order = append(order, quick[random.IntN(len(quick))])
	}
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })

	readers, ended := newReaders(t, patient, sandbox.Stay{Documents: 20, Age: time.Hour}, 2)
	next, workers := make(chan sample), sync.WaitGroup{}
	for range 2 {
		workers.Go(func() {
			for s := range next {
				if got := said(readers.Parse(t.Context(), s.pdf)); got != s.alone {
					t.Errorf("seed %d, %s: got %.300s, alone %.300s", seed, s.name, got, s.alone)
				}
			}
		})
	}
	for _, s := range order {
		next <- s
	}
	close(next)
	workers.Wait()
	why := map[string]int{}
	for _, reason := range ended.all() {
		why[reason]++
	}
	t.Logf("%d documents, %d kinds; readers ended: %v", len(order), len(samples), why)
	if why["documents"] == 0 || why["failed"] == 0 {
		t.Errorf("readers ended by %v, want some by age and some by hostile files", why)
	}
}

// TestWhyReadersEnd reads a timetable twice with limits of which one ends the first reader.
func TestWhyReadersEnd(t *testing.T) {
	t.Parallel()
	pdf, want := timetablePDF(t)
	for reason, stay := range map[string]sandbox.Stay{
		"documents": {Documents: 1}, "age": {Age: 1}, "memory": {Growth: -1 << 40}, "": {},
	} {
		t.Run("by "+reason, func(t *testing.T) {
			t.Parallel()
			readers, ended := newReaders(t, patient, stay, 1)
			if reason == "memory" {
				readers.SetGrowth(-1 << 40) // no process is as small as that
			}
			for range 2 {
				got, err := readers.Parse(t.Context(), pdf)
				if err != nil {
					t.Fatal(err)
				}
				if diff := fixture.Equal(got, want); diff != "" {
					t.Error(diff)
				}
			}
			var wanted []string
			if reason != "" {
				wanted = []string{reason, reason}
			}
			if got := ended.all(); !slices.Equal(got, wanted) {
				t.Errorf("readers ended by %v, want %v", got, wanted)
			}
		})
	}
}

// TestDocumentsShareNoProcessorTime reads documents that together take more than one may: none of them is refused, and
// the reader ends between two of them.
func TestDocumentsShareNoProcessorTime(t *testing.T) {
	t.Parallel()
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 2, Pages: 20})
	if err != nil {
		t.Fatal(err)
	}
	readers, ended := newReaders(t, sandbox.Limits{CPU: time.Second, Wall: patient.Wall}, sandbox.Stay{Documents: 1 << 30, Age: time.Hour, Growth: 1 << 40}, 1)
	for len(ended.all()) == 0 {
		if _, err := readers.Parse(t.Context(), pdf); err != nil {
			t.Fatal(err)
		}
	}
	if got := ended.all(); !slices.Equal(got, []string{"cpu"}) {
		t.Errorf("the reader ended by %v, want cpu", got)
	}
}

// TestADeadReaderSaysNothingOfItsDocument kills the reader that has read something before it is given the next document,
// and while it has it.
func TestADeadReaderSaysNothingOfItsDocument(t *testing.T) {
	t.Parallel()
	pdf, want := timetablePDF(t)
	readers, ended := newReaders(t, patient, sandbox.Stay{}, 1)
	read := func() error {
		got, err := readers.Parse(t.Context(), pdf)
		if err != nil {
			return err
		}
		if diff := fixture.Equal(got, want); diff != "" {
			return errors.New(diff)
		}
		return nil
	}
	signal := func(pid int, signal syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	used := func() int {
		t.Helper()
		if err := read(); err != nil {
			t.Fatal(err)
		}
		pids := readers.Used()
		if len(pids) != 1 {
			t.Fatalf("readers %v have read something, want one", pids)
		}
		return pids[0]
	}
	pid := used()
	signal(pid, syscall.SIGKILL)
	testkit.Eventually(t, "the reader is waited for", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	if err := read(); err != nil {
		t.Errorf("killed before it had the document: %v", err)
	}
	pid = used()
	signal(pid, syscall.SIGSTOP) // it has the document for as long as it is to
	answer := make(chan error, 1)
	go func() { answer <- read() }()
	testkit.Eventually(t, "the reader is given the document", func() bool { return len(readers.Used()) == 0 })
	signal(pid, syscall.SIGKILL)
	if err := <-answer; err != nil {
		t.Errorf("killed while it had the document: %v", err)
	}
	if got := ended.all(); !slices.Equal(got, []string{"failed", "failed"}) {
		t.Errorf("readers ended by %v, want twice by a failure", got)
	}
}

// TestReadersAreReadyAhead holds that one waits, confined, before it is needed, also after one was taken.
func TestReadersAreReadyAhead(t *testing.T) {
	t.Parallel()
	pdf, _ := timetablePDF(t)
	readers, _ := newReaders(t, patient, sandbox.Stay{Documents: 1}, 1)
	readers.Prepare()
	for range 3 {
		testkit.Eventually(t, "a reader waits", func() bool { return len(readers.Pids()) == 1 })
		pid := readers.Pids()[0]
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil || !strings.Contains(string(status), "\nSeccomp:\t2\n") {
			t.Errorf("the reader that waits is not confined: %v", err)
		}
		if _, err := readers.Parse(t.Context(), pdf); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(readers.Pids(), pid) {
			t.Error("the reader has read its document and stays")
		}
	}
}

func TestReadersEndWithTheirCallersTime(t *testing.T) {
	t.Parallel()
	pdf, _ := timetablePDF(t)
	readers, ended := newReaders(t, sandbox.Limits{Wall: time.Nanosecond}, sandbox.Stay{}, 1)
	if got := said(readers.Parse(t.Context(), pdf)); got != parse.TooComplex {
		t.Errorf("a document without time: got %s, want %s", got, parse.TooComplex)
	}
	if got := ended.all(); !slices.Equal(got, []string{"failed"}) {
		t.Errorf("readers ended by %v", got)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := readers.Parse(over, pdf); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller without time: got %v", err)
	}
	readers.Close()
	if _, err := readers.Parse(t.Context(), pdf); err == nil {
		t.Error("readers read after their end")
	}
}

// withoutMaybeChild runs before this binary calls MaybeChild: nothing may be started, for it would be the whole program.
func withoutMaybeChild() error {
	_, err := sandbox.Parse(context.Background(), strings.NewReader(""), sandbox.Limits{})
	if err == nil || !strings.Contains(err.Error(), "MaybeChild") {
		return fmt.Errorf("got %v, want an error that says what is missing", err)
	}
	return nil
}

func TestAProgramThatIsNoReaderStartsNone(t *testing.T) {
	t.Parallel()
	if out, err := runMode(t, "without MaybeChild", nil); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// BenchmarkReaders reads a timetable in a process of its own and by a reader that stays. cpu-µs/op is the processor time
// of this process and its readers.
func BenchmarkReaders(b *testing.B) {
	pdf, _, err := fixture.Generate(fixture.Options{Kind: timetable.Lecture, Seed: 1, Pages: 3, Compress: true})
	if err != nil {
		b.Fatal(err)
	}
	run := func(name string, read func(context.Context) error) {
		b.Run(name, func(b *testing.B) {
			before := processorTime(b)
			for b.Loop() {
				if err := read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
	run("a process each", func(ctx context.Context) error {
		_, err := sandbox.Parse(ctx, bytes.NewReader(pdf), sandbox.Limits{})
		return err
	})
	var readers *sandbox.Readers
	run("readers that stay", func(ctx context.Context) error {
		if readers == nil {
			readers = sandbox.NewReaders(sandbox.Limits{}, sandbox.Stay{}, 1)
		}
		_, err := readers.Parse(ctx, pdf)
		return err
	})
	readers.Close()
}

// processorTime is what this process and its ended children have taken.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		if err := syscall.Getrusage(who, &usage); err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return sum
}
