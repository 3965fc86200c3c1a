package google

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/googleapi"

	"github.com/schedgen/schedgen/functions/google-sync/account"
)

// TestErrorsAskForTheRightThing, as Google's guide on errors has it.
func TestErrorsAskForTheRightThing(t *testing.T) {
	t.Parallel()
	answer := func(status int, reason string) error {
		return &googleapi.Error{Code: status, Body: "a secret", Message: "a secret", Header: http.Header{"Retry-After": {"7"}},
			Errors: []googleapi.ErrorItem{{Reason: reason, Message: "a secret"}}}
	}
	for _, c := range []struct {
		err       error
		kind      Kind
		temporary bool
	}{
		{answer(400, "invalid"), Refused, false}, {answer(401, "authError"), SignIn, false}, {answer(403, "forbidden"), Forbidden, false},
		{answer(403, "insufficientPermissions"), Forbidden, false}, {answer(403, "rateLimitExceeded"), Throttled, true},
		{answer(403, "userRateLimitExceeded"), Throttled, true}, {answer(403, "quotaExceeded"), Throttled, true}, {answer(404, "notFound"), NotFound, false},
		{answer(408, ""), Unavailable, true}, {answer(409, "duplicate"), Conflict, false}, {answer(410, "deleted"), NotFound, false},
		{answer(412, "conditionNotMet"), Changed, false}, {answer(429, ""), Throttled, true}, {answer(500, "backendError"), Unavailable, true},
		{answer(503, "bad\nreason 'quoted'"), Unavailable, true}, {context.DeadlineExceeded, Unavailable, true}, {context.Canceled, Unavailable, true},
		{errors.New("nonsense with a secret"), Unavailable, true}, {&Error{Kind: SignIn}, SignIn, false}, {&url.Error{Op: "Get", URL: "https://x/a%20secret", Err: account.ErrRevoked}, SignIn, false},
		{&url.Error{Op: "Get", URL: "https://x/a%20secret", Err: errors.New("connection refused")}, Unavailable, true},
	} {
		e := classify(c.err)
		if e.Kind != c.kind || e.Temporary() != c.temporary || strings.Contains(e.Error(), "secret") || strings.Contains(e.Error(), "\n") {
			t.Errorf("%v: got %v (temporary %v), want %s (%v)", c.err, e, e.Temporary(), c.kind, c.temporary)
		}
		if e.Status != 0 && e.RetryAfter != 7*time.Second {
			t.Errorf("%v: Retry-After is %v", c.err, e.RetryAfter)
		}
		if !Is(e, Conflict, c.kind) || Is(e, "other") || Is(errors.New("x"), c.kind) {
			t.Errorf("%v: its kind is not told", c.err)
		}
	}
	for header, want := range map[string]time.Duration{"": 0, "soon": 0, "-3": 0, "9999999": maxRetryAfter} {
		if got := retryAfter(http.Header{"Retry-After": {header}}); got != want {
			t.Errorf("Retry-After %q gives %v, want %v", header, got, want)
		}
	}
}

// TestQuotaIsOfEachAccount, and bounded in memory.
func TestQuotaIsOfEachAccount(t *testing.T) {
	t.Parallel()
	q, now := newQuotas(60, 2), time.Now()
	var waits []time.Duration
	for range 4 {
		waits = append(waits, q.of("a").reserve(now))
	}
	if waits[0] != 0 || waits[1] != 0 || waits[2] != time.Second || waits[3] != 2*time.Second || q.of("b").reserve(now) != 0 {
		t.Errorf("the waits are %v, want 0, 0, 1s, 2s, and none for another account", waits)
	}
	for n := range 3 * maxQuotas {
		q.of(string(rune(0x4e00 + n))).reserve(now)
	}
	if len(q.all) > maxQuotas {
		t.Errorf("%d accounts are kept, want at most %d", len(q.all), maxQuotas)
	}
}

// seen notes what a client tells.
type seen struct {
	calls, waits []string
}

func (s *seen) Called(method, result string)          { s.calls = append(s.calls, method+" "+result) }
func (s *seen) Waited(reason string, _ time.Duration) { s.waits = append(s.waits, reason) }

type fixed struct{ err error }

func (f fixed) Token(context.Context) (string, error)         { return "token", nil }
func (f fixed) Renew(context.Context, string) (string, error) { return "token", f.err }

func client(t *testing.T, cfg Config, tokens Tokens) (*Client, *seen) {
	t.Helper()
	s := &seen{}
	all, err := New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(all.Close)
	c, err := all.Of(t.Context(), "account", tokens)
	if err != nil {
		t.Fatal(err)
	}
	return c, s
}

// TestRetriesEnd: after so many attempts, when time does not suffice, when the lease is lost, and when a new
// token is refused, too.
func TestRetriesEnd(t *testing.T) {
	t.Parallel()
	away := func(context.Context) error { return &Error{Kind: Unavailable, Status: 503} }
	c, s := client(t, Config{Attempts: 3, Backoff: time.Nanosecond, BackoffMost: time.Nanosecond}, fixed{})
	if err := c.do(t.Context(), "x", away); !Is(err, Unavailable) || len(s.calls) != 3 || len(s.waits) != 2 {
		t.Errorf("it ends with %v after %v and the waits %v", err, s.calls, s.waits)
	}
	c, s = client(t, Config{Backoff: time.Hour}, fixed{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.do(ctx, "x", away); !Is(err, Unavailable) || len(s.calls) != 1 || len(s.waits) != 0 {
		t.Errorf("with too little time it ends with %v after %v", err, s.calls)
	}
	c, s = client(t, Config{PerMinute: 1, Burst: 1}, fixed{})
	fine := func(context.Context) error { return nil }
	if err := errors.Join(c.do(ctx, "x", fine), nil); err != nil {
		t.Error(err)
	}
	short, end := context.WithTimeout(t.Context(), time.Second)
	defer end()
	if err := c.do(short, "x", fine); !Is(err, Throttled) || len(s.calls) != 1 {
		t.Errorf("beyond the quota it ends with %v after %v", err, s.calls)
	}
	c, s = client(t, Config{}, fixed{})
	lost := errors.New("lost")
	c.Before(func(context.Context) error { return lost })
	if err := c.do(ctx, "x", fine); !errors.Is(err, lost) || len(s.calls) != 0 {
		t.Errorf("without the lease it ends with %v after %v", err, s.calls)
	}
	denied := func(context.Context) error { return &Error{Kind: SignIn, Status: 401} }
	c, s = client(t, Config{}, fixed{})
	if err := c.do(ctx, "x", denied); !Is(err, SignIn) || len(s.calls) != 2 {
		t.Errorf("a refused token ends with %v after %v, want one more attempt", err, s.calls)
	}
	c, s = client(t, Config{}, fixed{&Error{Kind: SignIn}})
	if err := c.do(ctx, "x", denied); !Is(err, SignIn) || len(s.calls) != 1 {
		t.Errorf("without a new token it ends with %v after %v", err, s.calls)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	c, _ = client(t, Config{Backoff: time.Hour}, fixed{})
	if err := c.do(gone, "x", away); !Is(err, Unavailable) {
		t.Errorf("after the caller went away it ends with %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"calendar", "ftp://x", "https://", "\x00"} {
		if _, err := New(Config{CalendarURL: bad}, &seen{}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
