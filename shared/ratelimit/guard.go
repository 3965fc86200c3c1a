package ratelimit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/faas"
)

// Limits say how much callers may ask for: a count and a time (100/1m), or off.
type Limits struct {
	Client  Rate `env:"LIMIT_CLIENT, default=100/1m"` // requests of one session, or of one address without a session; fetches of one feed
	Status  Rate `env:"LIMIT_STATUS, default=100/1m"` // questions how a job or sync goes, likewise
	Uploads Rate `env:"LIMIT_UPLOADS, default=10/1h"` // uploads, likewise
	All     Rate `env:"LIMIT_ALL, default=100/1s"`    // requests of all callers together
	SignIn  Rate `env:"LIMIT_SIGNIN, default=5/15m"`  // Failed sign-ins and wrong admin tokens; then the address is blocked for that time.
	// How many sessions' worth an address may use in all, with all its sessions together: a campus has many behind one.
	Address int `env:"LIMIT_ADDRESS, default=30"`
}

// Unlimited are limits that are all switched off.
var Unlimited = Limits{Client: Off, Status: Off, Uploads: Off, All: Off, SignIn: Off}

// Guard limits what callers ask for, before anything of a request is read. It is safe for concurrent use.
type Guard struct {
	limits   Limits
	buckets  buckets
	names    names
	blocks   blocks
	refusals refusals
	tokens   Tokens
	now      func() time.Time
	// room says why no upload can be taken now; nil is always room.
	room func(r *http.Request) error
}

// NewGuard is the guard of one function. All functions with the same Redis and the same key of sessions count together.
func NewGuard(limits Limits, c *cache.Cache, callers Callers) (*Guard, error) {
	if limits.Address < 0 || limits.Address > mostAddress {
		return nil, fmt.Errorf("LIMIT_ADDRESS: use a number from 1 to %d", mostAddress)
	}
	limits.Address = max(1, limits.Address) // where a test gives none
	return &Guard{
		limits: limits, buckets: buckets{cache: c}, names: names{callers: callers},
		blocks: blocks{cache: c, limit: limits.SignIn}, refusals: newRefusals(), now: time.Now,
	}, nil
}

// mostAddress keeps one of the widest limit of an address above a nanosecond.
const mostAddress = 1000

// WithRoom asks room about each upload before anything of it is read. Where its error is QUEUE_FULL that is counted and
// logged as a refusal, by the policy pending. It uses up nothing of what the caller may upload.
func (g *Guard) WithRoom(room func(r *http.Request) error) *Guard {
	g.room = room
	return g
}

// Collectors are the guard's metrics.
func (g *Guard) Collectors() []prometheus.Collector { return []prometheus.Collector{g.refusals.total} }

// Caller is who sent a request.
type Caller struct {
	guard   *Guard
	owner   string // of the session; empty without one
	address string // of IPv6 the /64
}

// OwnerName names an owner in the log, as [Caller.Attributes] does: by a hash that holds for a day.
func (g *Guard) OwnerName(owner string) string { return g.names.log("owner", owner, g.now()) }

// Caller is who sent a request from an address.
func (g *Guard) Caller(r *http.Request, address netip.Addr) faas.Caller {
	owner, _ := g.names.callers.SignedOwner(r)
	return &Caller{guard: g, owner: owner, address: address.String()}
}

// Attributes name the caller in the log.
func (c *Caller) Attributes() []slog.Attr {
	names, now := &c.guard.names, c.guard.now()
	all := []slog.Attr{slog.String("client", names.log("address", c.address, now))}
	if c.owner != "" {
		all = append(all, slog.String("owner", names.log("owner", c.owner, now)))
	}
	return all
}

// policy is one limit of a caller.
type policy struct {
	name string
	rate Rate
	key  string
	// share and reserve are those of a bucket.
	share   bool
	reserve int
}

func (p policy) bucket() bucket {
	return bucket{key: p.key, limit: p.rate.redis(), share: p.share, reserve: p.reserve}
}

// Admit decides whether a request goes on, and adds what the caller should know of its limits to the header of the
// answer. The status of the answer is told to done, which may be nil.
func (c *Caller) Admit(header http.Header, r *http.Request) (done func(status int), err error) {
	switch route, class := classify(r); {
	case class == exempt:
		return nil, nil
	case class == tokens:
		return c.admitToken(header, r, route)
	case class == signIn, class == health && api.SendsBearer(r):
		return c.admitSignIn(header, r, route, class)
	case class == uploads:
		return c.admitUpload(header, r, route)
	default:
		_, err := c.take(header, r, route, class)
		return nil, err
	}
}

// admitUpload is Admit of an upload. One that we could not take is given back.
func (c *Caller) admitUpload(header http.Header, r *http.Request, route string) (done func(status int), err error) {
	g := c.guard
	if g.room != nil {
		if err := g.room(r); err != nil {
			if api.From(err).Code == api.QueueFull {
				g.refusals.note(r.Context(), refused{route: route, who: c, policy: policy{name: "pending"}}, g.now())
			}
			return nil, err
		}
	}
	taken, err := c.take(header, r, route, uploads)
	if err != nil {
		return nil, err
	}
	return func(status int) {
		if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
			g.buckets.giveBack(context.WithoutCancel(r.Context()), taken...)
		}
	}, nil
}

// admitToken is Admit of an event or a task. With its own token it is never kept out, for it keeps the system going; what
// comes without is as any other.
func (c *Caller) admitToken(header http.Header, r *http.Request, route string) (done func(status int), err error) {
	if known := c.guard.tokens; slices.Contains(known.Open, r.URL.Path) || api.Bears(r, known.Event) {
		return nil, nil
	}
	return c.admitSignIn(header, r, route, tokens)
}

// admitSignIn is Admit of what may be tried with a wrong token or answer.
func (c *Caller) admitSignIn(header http.Header, r *http.Request, route string, class class) (done func(status int), err error) {
	done, err = c.check(header, r, route, class)
	if err != nil {
		return nil, err
	}
	if _, err := c.take(header, r, route, class); err != nil {
		done(http.StatusTooManyRequests)
		return nil, err
	}
	return done, nil
}

// check refuses a caller that is blocked. Where the request is a guess, done counts it if it was wrong.
func (c *Caller) check(header http.Header, r *http.Request, route string, class class) (done func(status int), err error) {
	g := c.guard
	wait, end := g.blocks.check(r.Context(), g.subjects(c, g.now()), g.guesses(r, class, route), g.now())
	if wait > 0 {
		blocked := refused{route, c, policy{name: "sign-in", rate: g.limits.SignIn}, Decision{RetryAfter: wait}}
		setHeaders(header, blocked.policy, blocked.decision)
		return nil, g.refuse(header, r, blocked)
	}
	failed := markAttempt(r)
	return func(status int) { end(failed.Load() || failedSignIn(route, status), g.now()) }, nil
}

// take takes one of each limit that a request meets, or none: what is refused uses up nothing. Taken is what can be given
// back.
func (c *Caller) take(header http.Header, r *http.Request, route string, class class) (taken []bucket, err error) {
	g := c.guard
	var met []policy
	var of []bucket
	for _, p := range append(g.own(class, r, c), g.all(c)...) {
		if p.rate.limited() {
			met, of = append(met, p), append(of, p.bucket())
		}
	}
	if len(met) == 0 {
		return nil, nil
	}
	taken, number, decision := g.buckets.take(r.Context(), of...)
	if decision.Allowed {
		number = slices.IndexFunc(met, func(p policy) bool { return !p.share })
	}
	setHeaders(header, met[number], decision)
	if !decision.Allowed {
		return nil, g.refuse(header, r, refused{route, c, met[number], decision})
	}
	return taken, nil
}

// all are the limits of all callers together. Of these an address has a quarter as its share. What goes beyond its share
// gets what others leave: the reserve is for those within theirs, so nobody uses up everything for everybody.
func (g *Guard) all(c *Caller) []policy {
	all := g.limits.All
	if !all.limited() {
		return nil
	}
	share := Rate{max(1, all.Count/4), all.Per}
	return []policy{
		{name: "all", rate: share, key: "all:of:" + g.names.bucket("address", c.address), share: true},
		{name: "all", rate: all, key: "all", reserve: max(1, all.Count/2)},
	}
}

// own are the limits of one caller: the first is that of its session, or of its address without one, and the second of
// all that comes from its address.
func (g *Guard) own(class class, r *http.Request, who *Caller) []policy {
	name, rate := "client", g.limits.Client
	key := g.names.bucket("address", who.address)
	if who.owner != "" {
		key = g.names.bucket("owner", who.owner)
	}
	switch class {
	case status:
		name, rate = "status", g.limits.Status
	case uploads:
		name, rate = "uploads", g.limits.Uploads
	case feeds: // Google fetches everybody's from a few addresses, so each is a caller of its own
		name, key = "feeds", g.names.bucket("feed", strings.TrimSuffix(r.URL.Path, ".ics"))
	}
	return []policy{
		{name: name, rate: rate, key: name + ":" + key},
		{name: "address", rate: rate.times(g.limits.Address), key: name + ":of:" + g.names.bucket("address", who.address)},
	}
}

// refused is a request that met a limit.
type refused struct {
	route    string
	who      *Caller
	policy   policy
	decision Decision
}

// refuse counts a refusal, and says when to come back. A browser without a session gets one, and with it limits of its
// own: whoever else uses its address does not keep it out.
func (g *Guard) refuse(header http.Header, r *http.Request, no refused) error {
	g.refusals.note(r.Context(), no, g.now())
	wait := no.decision.RetryAfter
	own := no.policy.name == "client" || no.policy.name == "status" || no.policy.name == "uploads"
	if own && no.who.owner == "" && keepsCookies(r) {
		g.names.callers.Ensure(header, r)
		wait = time.Second
	}
	wait = max(time.Second, time.Duration(math.Ceil(wait.Seconds()))*time.Second)
	message := fmt.Sprintf(sentences[no.policy.name], inWords(wait))
	return api.New(api.RateLimited, map[string]any{"policy": no.policy.name, "retryAfterSeconds": int(wait.Seconds())}).
		WithMessage(message).WithRetryAfter(wait)
}

// sentences say what happened and what to do, by policy.
var sentences = map[string]string{
	"client":  "You have sent many requests in a short time. Try again in %s.",
	"status":  "You have asked for the status of your upload many times in a short time. Try again in %s.",
	"uploads": "You have uploaded as many files as one person may in a short time. Try again in %s.",
	"feeds":   "This calendar feed was fetched many times in a short time. Try again in %s.",
	"address": "Many requests come from your network right now. Try again in %s.",
	"all":     "We are very busy right now. Try again in %s.",
	"sign-in": "Signing in failed too often from your network, so we blocked it for a while. Try again in %s.",
}

// inWords is a whole number of seconds as people say it.
func inWords(d time.Duration) string {
	count, unit := int(d.Seconds()), "second"
	switch {
	case d > 90*time.Minute:
		count, unit = int(math.Ceil(d.Hours())), "hour"
	case d > 90*time.Second:
		count, unit = int(math.Ceil(d.Minutes())), "minute"
	}
	if count == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(count) + " " + unit + "s"
}

// setHeaders tells of the limit that the caller meets first: RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers),
// and the headers that most programs read.
func setHeaders(header http.Header, p policy, d Decision) {
	reset := seconds(cmp.Or(d.RetryAfter, d.ResetAfter))
	header.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", p.name, p.rate.Count, seconds(p.rate.Per)))
	header.Set("RateLimit", fmt.Sprintf("%q;r=%d;t=%d", p.name, d.Remaining, reset))
	header.Set("RateLimit-Limit", strconv.Itoa(p.rate.Count))
	header.Set("RateLimit-Remaining", strconv.Itoa(d.Remaining))
	header.Set("RateLimit-Reset", strconv.Itoa(reset))
}

func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
