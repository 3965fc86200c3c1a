package google

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/schedgen/schedgen/functions/google-sync/account"
)

// Kind is what an error asks for.
type Kind string

// The kinds of errors.
const (
	SignIn      Kind = "sign in"     // the person must sign in again
	Forbidden   Kind = "forbidden"   // not granted, or not this person's to change
	NotFound    Kind = "not found"   // 404 and 410
	Conflict    Kind = "conflict"    // 409: the id is taken
	Changed     Kind = "changed"     // 412: another program changed it meanwhile
	Throttled   Kind = "throttled"   // too much, too fast: later
	Unavailable Kind = "unavailable" // Google, or the way to it, is away: later
	Refused     Kind = "refused"     // Google does not take it, now or later
)

// Error is a call that failed.
type Error struct {
	Kind       Kind
	Status     int    // 0 where there was no answer
	Reason     string // Google's word for it
	RetryAfter time.Duration
	Err        error // what else is known; never an answer's body
}

func (e *Error) Error() string {
	text := "google: " + string(e.Kind)
	if e.Status != 0 {
		text += fmt.Sprintf(" (%d %s)", e.Status, e.Reason)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// Temporary reports whether the same call may succeed later.
func (e *Error) Temporary() bool { return e.Kind == Throttled || e.Kind == Unavailable }

// Is reports whether err is an Error of one of these kinds.
func Is(err error, kinds ...Kind) bool {
	var e *Error
	return errors.As(err, &e) && slices.Contains(kinds, e.Kind)
}

// classify turns what the library gives into an Error.
func classify(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return fromAnswer(answer)
	}
	// The address that was called names a calendar, which is often a person: it is left out.
	switch {
	case errors.Is(err, account.ErrRevoked):
		return &Error{Kind: SignIn, Err: account.ErrRevoked}
	case errors.Is(err, context.Canceled):
		return &Error{Kind: Unavailable, Err: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Kind: Unavailable, Err: context.DeadlineExceeded}
	}
	var way *url.Error
	if errors.As(err, &way) {
		return &Error{Kind: Unavailable, Err: way.Err}
	}
	return &Error{Kind: Unavailable, Err: errors.New("no answer that can be read")}
}

// fromAnswer reads the status and the reason, as "Handle API errors" of Google's Calendar guide has them
// (developers.google.com/workspace/calendar/api/guides/errors).
func fromAnswer(answer *googleapi.Error) *Error {
	e := &Error{Status: answer.Code, RetryAfter: retryAfter(answer.Header)}
	if len(answer.Errors) > 0 {
		e.Reason = safeReason(answer.Errors[0].Reason)
	}
	switch {
	case answer.Code == http.StatusUnauthorized:
		e.Kind = SignIn
	case answer.Code == http.StatusForbidden && quotaReasons[e.Reason], answer.Code == http.StatusTooManyRequests:
		e.Kind = Throttled
	case answer.Code == http.StatusForbidden:
		e.Kind = Forbidden
	case answer.Code == http.StatusNotFound, answer.Code == http.StatusGone:
		e.Kind = NotFound
	case answer.Code == http.StatusConflict:
		e.Kind = Conflict
	case answer.Code == http.StatusPreconditionFailed:
		e.Kind = Changed
	case answer.Code >= 500, answer.Code == http.StatusRequestTimeout:
		e.Kind = Unavailable
	default:
		e.Kind = Refused
	}
	return e
}

// quotaReasons are the reasons of a 403 that pass with time.
var quotaReasons = map[string]bool{
	"rateLimitExceeded": true, "userRateLimitExceeded": true, "quotaExceeded": true, "calendarUsageLimitsExceeded": true,
}

// safeReason keeps the part of a reason that is safe in a log line.
func safeReason(s string) string {
	for i := range len(s) {
		if c := s[i]; i >= 40 || !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return s[:i]
		}
	}
	return s
}

// maxRetryAfter bounds what an answer can make us wait.
const maxRetryAfter = 5 * time.Minute

func retryAfter(header http.Header) time.Duration {
	seconds, err := strconv.Atoi(header.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, maxRetryAfter)
}
