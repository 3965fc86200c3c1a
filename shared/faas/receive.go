package faas

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// How bodies come. A request is in flight once its body is here, or so much of it that the rest is read while it
// comes: a connection that sends nothing holds nobody up.
const (
	bodyAhead    = 16 << 10 // read before the request counts as in flight
	bodyRate     = 512      // bytes a second, the least over the whole body, after a first stall
	mostReceived = 2000     // requests whose body is on its way, at least

	// What is still sent after the answer is taken for so long: a caller who sends does not read it, and who closes on
	// him resets the connection before he does.
	lingerBytes = 1 << 30
	lingerTime  = 30 * time.Second
	lingerStall = 5 * time.Second
)

// body is a request's body, read as long as bytes keep coming.
type body struct {
	io.ReadCloser
	connection *http.ResponseController
	stall      time.Duration
	began      time.Time
	end        time.Time // of the whole request
	read       int64
	over       bool
}

// errSlow is a body that comes too slowly to be waited for.
var errSlow = errors.Join(errors.New("the body comes too slowly"), os.ErrDeadlineExceeded)

func newBody(w http.ResponseWriter, r *http.Request, cfg Config) *body {
	now := time.Now()
	// Else net/http reads what is left of a body before it sends a refusal: for a caller who sends nothing, for ever.
	connection := http.NewResponseController(w)
	_ = connection.EnableFullDuplex() // not there in tests that have a recorder, where nothing waits
	return &body{ReadCloser: r.Body, connection: connection, stall: cfg.BodyStall, began: now,
		end: now.Add(cfg.RequestTimeout)}
}

// Read gives the connection a new deadline before each read, and its old one back at the end: what is read then
// tells only whether the caller is still there.
func (b *body) Read(p []byte) (int, error) {
	if b.over {
		return b.ReadCloser.Read(p)
	}
	now := time.Now()
	if late := now.Sub(b.began.Add(b.stall)); late > 0 && float64(b.read) < bodyRate*late.Seconds() {
		return 0, errSlow
	}
	deadline := now.Add(b.stall)
	if deadline.After(b.end) {
		deadline = b.end
	}
	b.setDeadline(deadline)
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		b.over = true
		b.setDeadline(b.end)
	}
	return n, err
}

// setDeadline does nothing where there is no connection: in tests that have a recorder for one.
func (b *body) setDeadline(at time.Time) {
	if err := b.connection.SetReadDeadline(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		b.end = time.Time{} // the connection is gone: the next read says so
	}
}

// ahead reads the body's beginning, and leaves the body as it was.
func (b *body) ahead() (io.ReadCloser, error) {
	var begin bytes.Buffer
	_, err := io.CopyN(&begin, b, bodyAhead)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return readCloser{io.MultiReader(&begin, b), b}, nil
}

type readCloser struct {
	io.Reader
	io.Closer
}

// linger takes what a caller still sends after the answer, within bounds, so that the answer reaches him.
func (b *body) linger(r *http.Request) {
	if b.over || b.read == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		return // nothing comes any more
	}
	if err := b.connection.Flush(); err != nil {
		return
	}
	now := time.Now()
	b.stall, b.began, b.read, b.end = lingerStall, now, 0, now.Add(lingerTime)
	_, _ = io.CopyN(io.Discard, b, lingerBytes) // whatever ends it, it is over
}
