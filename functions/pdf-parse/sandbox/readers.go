package sandbox

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Stay is how long a reader stays; zero fields take their defaults. Whatever comes first ends it.
type Stay struct {
	Documents int           `env:"READER_DOCUMENTS, default=50"`    // that it has read; 1 gives each PDF a process of its own
	Age       time.Duration `env:"READER_AGE, default=5m"`          // since its first document
	Growth    int64         `env:"READER_GROWTH, default=33554432"` // bytes of private memory beyond what it started with, 32 MiB
}

// Readers are children that read one PDF after the other. One is always ready before it is needed. A reader that fails in any
// way but a *parse.Error, has grown, or has stayed as long as it may is ended with its group; the document that it failed
// with is read once more by a reader that has read nothing else, so that nobody gets the verdict on another's document.
type Readers struct {
	// Ended, if set, is told why each reader ended: one of Reasons.
	Ended func(reason string)

	limits Limits
	stay   Stay
	turns  chan struct{} // one for each document in hand
	ctx    context.Context
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	idle     []*reader // those that have read something come last
	starting int
	waiting  []chan started
	closed   bool
}

// errClosed is that no more is read.
var errClosed = errors.New("the readers have ended")

// started is a reader, or why there is none.
type started struct {
	reader *reader
	err    error
}

// Why readers end.
const (
	endDocuments = "documents"
	endAge       = "age"
	endMemory    = "memory"
	endCPU       = "cpu"
	endFailed    = "failed"
)

// Reasons are all that Ended may be told.
var Reasons = []string{endDocuments, endAge, endMemory, endCPU, endFailed}

// NewReaders reads at most so many PDFs at once. It starts nothing before Prepare or Parse.
func NewReaders(limits Limits, stay Stay, most int) *Readers {
	rs := &Readers{limits: settings.WithDefaults(limits), stay: settings.WithDefaults(stay), turns: make(chan struct{}, max(1, most))}
	rs.ctx, rs.cancel = context.WithCancel(context.Background())
	return rs
}

// Prepare has a reader ready soon. It does not wait for it.
func (rs *Readers) Prepare() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.prepare()
}

// Close ends all readers and waits for it. What is being read is broken off with context.Canceled; nothing is read afterwards.
func (rs *Readers) Close() {
	rs.mu.Lock()
	rs.closed = true
	idle := rs.idle
	rs.idle = nil
	rs.mu.Unlock()
	rs.cancel()
	for _, r := range idle {
		r.stopExpiry()
		r.end()
	}
	rs.group.Wait()
}

// begin notes that something is read, with a context that also ends with the readers.
func (rs *Readers) begin(ctx context.Context) (reading context.Context, end func(), err error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.closed {
		return nil, nil, errClosed
	}
	rs.group.Add(1)
	reading, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(rs.ctx, cancel)
	return reading, func() {
		stop()
		cancel()
		rs.group.Done()
	}, nil
}

// Parse gives the timetable that a PDF prints. Its errors are those of the function Parse.
func (rs *Readers) Parse(ctx context.Context, pdf []byte) (timetable.Document, error) {
	ctx, end, err := rs.begin(ctx)
	if err != nil {
		return timetable.Document{}, err
	}
	defer end()
	select {
	case rs.turns <- struct{}{}:
		defer func() { <-rs.turns }()
	case <-ctx.Done():
		return timetable.Document{}, ctx.Err()
	}
	r, err := rs.take(ctx)
	if err != nil {
		return timetable.Document{}, err
	}
	alone := r.documents == 0
	doc, answered, err := rs.read(ctx, r, pdf)
	if answered || alone || ctx.Err() != nil {
		return doc, err
	}
	if r, err = rs.fresh(ctx); err != nil {
		return timetable.Document{}, err
	}
	doc, _, err = rs.read(ctx, r, pdf)
	return doc, err
}

// read has a reader read a document, and keeps or ends it. answered reports a timetable, or a *parse.Error of a reader that
// did not fail.
func (rs *Readers) read(ctx context.Context, r *reader, pdf []byte) (doc timetable.Document, answered bool, err error) {
	if r.documents == 0 {
		r.noteStart()
	}
	ctx, end := tracing.Start(ctx, trace.SpanKindInternal, "read with a reader", attribute.Int("schedgen.reader.documents", r.documents))
	out, answered, err := r.read(ctx, taskParse, bytes.NewReader(pdf))
	end(err)
	if err == nil {
		doc, err = decode(out)
		answered = err == nil
	}
	why := endFailed
	if answered {
		why = r.over(rs.stay)
	}
	if why != "" {
		rs.drop(r, why)
	} else {
		rs.put(r)
	}
	return doc, answered, err
}

// noteStart notes what a reader begins its first document with.
func (r *reader) noteStart() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
	if !r.reaped {
		r.memory, _ = privateMemory(r.cmd.Process.Pid) // it is not kept where this cannot be asked
	}
}

// over says why a reader that has answered must end all the same, or nothing.
func (r *reader) over(stay Stay) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reaped {
		return endFailed
	}
	memory, unknown := privateMemory(r.cmd.Process.Pid)
	taken, unknownToo := processorTime(r.cmd.Process.Pid)
	switch {
	case r.documents >= stay.Documents:
		return endDocuments
	case time.Since(r.began) >= stay.Age:
		return endAge
	case unknown != nil, r.memory == 0, memory > r.memory+stay.Growth:
		return endMemory
	case unknownToo != nil, taken > r.limits.CPU, r.allow() != nil:
		return endCPU
	}
	return ""
}

// drop ends a reader, and has another one ready for it.
func (rs *Readers) drop(r *reader, why string) {
	if rs.Ended != nil {
		rs.Ended(why)
	}
	r.end()
	rs.Prepare()
}

// take is a reader: one that has read before rather than the one that is ready for what comes next.
func (rs *Readers) take(ctx context.Context) (*reader, error) {
	rs.mu.Lock()
	if r := rs.pop(func(*reader) bool { return true }); r != nil {
		rs.mu.Unlock()
		return r, nil
	}
	own := make(chan started, 1)
	rs.waiting = append(rs.waiting, own)
	if rs.starting < len(rs.waiting) {
		rs.start()
	}
	rs.mu.Unlock()
	select {
	case s := <-own:
		rs.Prepare()
		return s.reader, s.err
	case <-ctx.Done():
	}
	rs.mu.Lock()
	rs.waiting = slices.DeleteFunc(rs.waiting, func(w chan started) bool { return w == own })
	rs.mu.Unlock()
	select {
	case s := <-own: // it came all the same
		if s.reader != nil {
			rs.put(s.reader)
		}
	default:
	}
	return nil, ctx.Err()
}

// fresh is a reader that has read nothing.
func (rs *Readers) fresh(ctx context.Context) (*reader, error) {
	rs.mu.Lock()
	r := rs.pop(func(r *reader) bool { return r.documents == 0 })
	rs.mu.Unlock()
	if r != nil {
		return r, nil
	}
	return startReader(ctx, rs.limits)
}

// pop is the last idle reader that will do and has not ended, or nil. The caller holds the lock.
func (rs *Readers) pop(will func(*reader) bool) *reader {
	for i, r := range slices.Backward(rs.idle) {
		if !will(r) {
			continue
		}
		rs.idle = slices.Delete(rs.idle, i, i+1)
		r.stopExpiry()
		if !r.alive() { // somebody has killed it
			rs.group.Go(func() { rs.drop(r, endFailed) })
			continue
		}
		rs.prepare()
		return r
	}
	return nil
}

// stopExpiry keeps a reader that is not idle any more from ending by its age.
func (r *reader) stopExpiry() {
	if r.expire != nil {
		r.expire.Stop()
	}
}

// prepare starts a reader where none is idle or on its way. The caller holds the lock.
func (rs *Readers) prepare() {
	if len(rs.idle) == 0 && rs.starting == 0 {
		rs.start()
	}
}

// start starts a reader for whoever waits. The caller holds the lock.
func (rs *Readers) start() {
	if rs.closed {
		return
	}
	rs.starting++
	rs.group.Go(func() {
		r, err := startReader(rs.ctx, rs.limits)
		rs.mu.Lock()
		rs.starting--
		rs.mu.Unlock()
		if err == nil {
			rs.put(r)
			return
		}
		rs.mu.Lock()
		defer rs.mu.Unlock()
		if len(rs.waiting) > 0 {
			rs.give(started{err: err})
		}
	})
}

// give hands a reader, or an error, to who has waited longest. The caller holds the lock.
func (rs *Readers) give(s started) {
	first := rs.waiting[0]
	rs.waiting = rs.waiting[1:]
	first <- s
}

// put gives a reader to who waits, or makes it idle until it is too old.
func (rs *Readers) put(r *reader) {
	if !rs.keep(r) {
		r.end()
	}
}

// keep is put without the end of a reader that nobody needs any more.
func (rs *Readers) keep(r *reader) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	switch {
	case rs.closed:
		return false
	case len(rs.waiting) > 0:
		rs.give(started{reader: r})
	case r.documents == 0: // however old: nothing of a document is in it
		rs.idle = slices.Insert(rs.idle, 0, r)
	default:
		r.expire = time.AfterFunc(time.Until(r.began.Add(rs.stay.Age)), func() { rs.expire(r) })
		rs.idle = append(rs.idle, r)
	}
	return true
}

// expire ends an idle reader that is too old.
func (rs *Readers) expire(r *reader) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if i := slices.Index(rs.idle, r); i >= 0 && time.Since(r.began) >= rs.stay.Age {
		rs.idle = slices.Delete(rs.idle, i, i+1)
		rs.group.Go(func() { rs.drop(r, endAge) })
	}
}
