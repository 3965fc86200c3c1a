// Package api is the one place where what went wrong becomes what a caller sees. A handler returns
// a value or an error and writes no status itself: Handler turns the value into JSON, and the error
// into the error object that every schedgen function answers with:
//
//	{"statusCode":404,"error":"JOB_NOT_FOUND","message":"There is no such job.","details":null,
//	 "timestamp":"2026-02-09T08:00:00Z","path":"/api/jobs/1","requestId":"..."}
//
// "error" is a stable CODE from the table in codes.go, "message" a sentence for people. An error
// that is not an *Error is never shown: it is logged, once, and answered as INTERNAL, or as the
// outage of a dependency where the error says that it is one.
package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"time"
)

// Error is a failure that the caller can act on.
type Error struct {
	Code       string        // stable, from the table in codes.go
	Message    string        // one sentence for people; empty means the table's
	Details    any           // what exactly, as JSON; may be nil
	RetryAfter time.Duration // when trying again makes sense; 0 means the table's default
	Header     http.Header   // added to the answer's; may be nil
	Err        error         // the cause: logged for 5xx, never shown
}

// New is the error of that code, with the table's sentence. The first detail, if any, is shown.
func New(code string, details ...any) *Error {
	e := &Error{Code: code, Message: codes[code].sentence}
	if len(details) > 0 {
		e.Details = details[0]
	}
	return e
}

// Wrap returns e with the cause that led to it, which is logged and not shown.
func (e *Error) Wrap(err error) *Error {
	copied := *e
	copied.Err = err
	return &copied
}

// WithMessage returns e with another sentence for people.
func (e *Error) WithMessage(message string) *Error {
	copied := *e
	copied.Message = message
	return &copied
}

// WithRetryAfter returns e with the time after which trying again makes sense.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	copied := *e
	copied.RetryAfter = d
	return &copied
}

// WithHeader returns e with headers that go with the answer, such as a new caller's cookie.
func (e *Error) WithHeader(header http.Header) *Error {
	copied := *e
	copied.Header = header
	return &copied
}

// Status is the HTTP status of e's code.
func (e *Error) Status() int { return Status(e.Code) }

// Retry is when trying again makes sense: what After said, or the table's time; 0 if neither does.
func (e *Error) Retry() time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return codes[e.Code].retry
}

func (e *Error) Error() string {
	text := e.Code + ": " + e.Message
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// outage is what an error of a dependency that is away looks like: Unavailable gives the CODE.
// The packages that talk to a dependency give their errors this method.
type outage interface{ Unavailable() string }

// From is err as what the caller sees. An *Error anywhere in the chain is taken as it is.
func From(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var down outage
	if errors.As(err, &down) {
		return New(down.Unavailable()).Wrap(err)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return New(PayloadTooLarge, map[string]int64{"limit": tooLarge.Limit}).Wrap(err)
	}
	if errors.Is(err, context.Canceled) {
		return New(ClientClosed).Wrap(err)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return New(Timeout).Wrap(err)
	}
	var network *net.OpError
	if errors.As(err, &network) {
		return New(Unavailable).Wrap(err)
	}
	return New(Internal).Wrap(err)
}

// Refusal says that a limit stopped a request: of its caller, of all, or of the queue. That is nobody's fault, and what
// refuses counts it.
func Refusal(err error) bool {
	code := From(err).Code
	return code == RateLimited || code == QueueFull
}
