package sandbox

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
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

// Close ends all readers, once nobody reads any more.
func (rs *Readers) Close() {
	rs.mu.Lock()
	rs.closed = true
	idle := rs.idle
	rs.idle = nil
	rs.mu.Unlock()
	rs.cancel()
	for _, r := range idle {
		r.end()
	}
	rs.group.Wait()
}

// Parse gives the timetable that a PDF prints. Its errors are those of the function Parse.
func (rs *Readers) Parse(ctx context.Context, pdf []byte) (timetable.Document, error) {
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
	out, stays, err := rs.read(ctx, r, pdf)
	if !stays && !alone && ctx.Err() == nil {
		if r, err = rs.fresh(ctx); err == nil {
			out, _, err = rs.read(ctx, r, pdf)
		}
	}
	if err != nil {
		return timetable.Document{}, err
	}
	return decode(out)
}

// read has a reader read a document, and keeps or ends it.
func (rs *Readers) read(ctx context.Context, r *reader, pdf []byte) (out []byte, stays bool, err error) {
	if r.documents == 0 {
		r.began = time.Now()
		r.memory, _ = privateMemory(r.cmd.Process.Pid) // it is not kept where this cannot be asked
	}
	out, stays, err = r.read(ctx, taskParse, bytes.NewReader(pdf))
	why := endFailed
	if stays {
		why = r.over(rs.stay)
	}
	if why != "" {
		rs.drop(r, why)
		return out, stays, err
	}
	rs.put(r)
	return out, stays, err
}

// over says why a reader that has answered must end all the same, or nothing.
func (r *reader) over(stay Stay) string {
	memory, unknown := privateMemory(r.cmd.Process.Pid)
	taken, unknownToo := processorTime(r.cmd.Process.Pid)
	switch {
	case int(r.documents) >= stay.Documents:
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
	if r := rs.pop(func(*reader) bool { return true }); r != nil || rs.closed {
		rs.mu.Unlock()
		return r, rs.ctx.Err()
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
		if r.expire != nil {
			r.expire.Stop()
		}
		if !r.alive() { // somebody has killed it
			rs.group.Go(r.end)
			continue
		}
		rs.prepare()
		return r
	}
	return nil
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
	rs.mu.Lock()
	defer rs.mu.Unlock()
	switch {
	case rs.closed:
		defer r.end()
	case len(rs.waiting) > 0:
		rs.give(started{reader: r})
	case r.documents == 0: // however old: nothing of a document is in it
		rs.idle = slices.Insert(rs.idle, 0, r)
	default:
		r.expire = time.AfterFunc(time.Until(r.began.Add(rs.stay.Age)), func() { rs.expire(r) })
		rs.idle = append(rs.idle, r)
	}
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
