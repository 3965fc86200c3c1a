// Package google is the way to the Google Calendar API: one client of one account, over Google's own Go
// library. Every call has a deadline, waits for the account's share of the quota, and repeats what may
// pass as Google's guide says (truncated exponential backoff with jitter). Whatever goes wrong comes
// back as an [Error] whose kind says what to do about it, and which quotes neither a token nor an answer.
//
// The addresses come from the configuration, so that a test or a demonstration differs from the real
// thing in nothing else.
package google

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"google.golang.org/api/calendar/v3"
	"google.golang.org/api/option"

	"github.com/schedgen/schedgen/shared/retry"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Config is how the Calendar API is called.
type Config struct {
	CalendarURL string        `env:"GOOGLE_CALENDAR_URL, default=https://www.googleapis.com/calendar/v3/"` // address of the Calendar API
	CallTimeout time.Duration `env:"GOOGLE_CALL_TIMEOUT, default=10s"`                                     // timeout of one attempt of a call
	Attempts    int           `env:"GOOGLE_ATTEMPTS, default=5"`                                           // the most attempts of one call
	Backoff     time.Duration `env:"GOOGLE_BACKOFF, default=1s"`                                           // wait before the second attempt; doubles each time
	BackoffMost time.Duration `env:"GOOGLE_BACKOFF_MOST, default=16s"`                                     // the longest wait between two attempts
	// Calls that one account may make in a minute. Google allows 600 unless the project has other quotas.
	PerMinute int `env:"GOOGLE_CALLS_PER_MINUTE, default=480"`
	Burst     int `env:"GOOGLE_CALLS_BURST, default=30"` // calls that one account may make at once after a pause
}

// Tokens gives an account's access token. Renew replaces a token that Google refused. [account.ErrRevoked] means that the
// person must sign in again.
type Tokens interface {
	Token(ctx context.Context) (string, error)
	Renew(ctx context.Context, refused string) (string, error)
}

// Observer is told of each call to Google, for metrics.
type Observer interface {
	Called(method, result string)
	Waited(reason string, d time.Duration)
}

// Calendars makes clients that share connections and the count of the quotas. It is safe for
// concurrent use.
type Calendars struct {
	cfg      Config
	quotas   *quotas
	observer Observer
	base     *http.Transport
	traced   http.RoundTripper // base, with a span for each request
}

// New checks cfg and connects nothing.
func New(cfg Config, observer Observer) (*Calendars, error) {
	cfg = settings.WithDefaults(cfg)
	cfg.BackoffMost = max(cfg.BackoffMost, cfg.Backoff)
	if !settings.IsWebAddress(cfg.CalendarURL) {
		return nil, fmt.Errorf("GOOGLE_CALENDAR_URL is not an address such as https://www.googleapis.com/calendar/v3/")
	}
	base := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout: 5 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 32,
		IdleConnTimeout:     90 * time.Second,
	}
	return &Calendars{cfg: cfg, quotas: newQuotas(cfg.PerMinute, cfg.Burst), observer: observer, base: base,
		traced: tracing.Transport(base, func(r *http.Request) string { return "Google Calendar " + r.Method })}, nil
}

// Close ends idle connections.
func (c *Calendars) Close() { c.base.CloseIdleConnections() }

// Client calls for one account. It is for one goroutine at a time.
type Client struct {
	cfg      Config
	service  *calendar.Service
	bearer   *bearer
	quota    *quota
	observer Observer
	before   func(context.Context) error
}

// Of is the client of the account of that name, whose calls are counted together.
func (c *Calendars) Of(ctx context.Context, account string, tokens Tokens) (*Client, error) {
	b := &bearer{base: c.traced, tokens: tokens}
	service, err := calendar.NewService(ctx, option.WithHTTPClient(&http.Client{Transport: b}), option.WithEndpoint(c.cfg.CalendarURL))
	if err != nil {
		return nil, fmt.Errorf("prepare the calendar service: %w", err)
	}
	service.UserAgent = "schedgen"
	return &Client{cfg: c.cfg, service: service, bearer: b, quota: c.quotas.of(account), observer: c.observer}, nil
}

// Before is called before every attempt of every call; its error ends the call. A worker checks there
// that it still holds its lease.
func (c *Client) Before(f func(context.Context) error) { c.before = f }

// bearer adds the access token to each request.
type bearer struct {
	base   http.RoundTripper
	tokens Tokens
	last   string
}

func (b *bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := b.tokens.Token(r.Context())
	if err != nil {
		return nil, err
	}
	b.last = token
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return b.base.RoundTrip(r)
}

// do makes one call, with as many attempts as make sense. It gives up early where the next attempt
// would begin after ctx's deadline: what is left is better handed on.
func (c *Client) do(ctx context.Context, method string, call func(context.Context) error) error {
	backoff, renewed := c.cfg.Backoff, false
	for try := 1; ; try++ {
		if c.before != nil {
			if err := c.before(ctx); err != nil {
				return err
			}
		}
		if err := c.wait(ctx); err != nil {
			return err
		}
		err := c.once(ctx, method, call)
		if err == nil {
			return nil
		}
		switch {
		case err.Kind == SignIn && err.Status == http.StatusUnauthorized && !renewed:
			renewed = true // Google may end a token before its time; once, a new one is worth a try
			if _, err := c.bearer.tokens.Renew(ctx, c.bearer.last); err != nil {
				return classify(err)
			}
			continue
		case err.Temporary() && try < c.cfg.Attempts:
			pause := max(backoff+rand.N(c.cfg.Backoff), err.RetryAfter)
			if !c.sleep(ctx, err.Kind, pause) {
				return err
			}
			backoff = min(2*backoff, c.cfg.BackoffMost)
			continue
		}
		return err
	}
}

// once is one attempt.
func (c *Client) once(ctx context.Context, method string, call func(context.Context) error) *Error {
	attempt, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	defer cancel()
	err := call(attempt)
	if err == nil {
		c.observer.Called(method, "ok")
		return nil
	}
	e := classify(err)
	c.observer.Called(method, string(e.Kind))
	return e
}

// wait waits for the account's share of the quota.
func (c *Client) wait(ctx context.Context) error {
	pause := c.quota.reserve(time.Now())
	if pause <= 0 {
		return nil
	}
	if !c.sleep(ctx, Throttled, pause) {
		return &Error{Kind: Throttled, RetryAfter: pause}
	}
	return nil
}

// sleep waits, and says whether it is worth going on: not when ctx ends before.
func (c *Client) sleep(ctx context.Context, reason Kind, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return false
	}
	c.observer.Waited(string(reason), d)
	return retry.Wait(ctx, d) == nil
}
