package ratelimit

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
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
	now      func() time.Time
	// room says why no upload can be taken now; nil is always room.
	room func(r *http.Request) *api.Error
}

// WithRoom asks room about each upload before anything of it is read. Its refusals are counted and logged as the policy
// pending, and use up nothing of what the caller may upload.
func (g *Guard) WithRoom(room func(r *http.Request) *api.Error) *Guard {
	g.room = room
	return g
}

// NewGuard is the guard of one function. All functions with the same Redis and the same key of sessions count together.
func NewGuard(limits Limits, c *cache.Cache, callers Callers) *Guard {
	return &Guard{
		limits: limits, buckets: buckets{cache: c}, names: names{callers: callers},
		blocks: blocks{cache: c, limit: limits.SignIn}, refusals: newRefusals(), now: time.Now,
	}
}

// Collectors are the guard's metrics.
func (g *Guard) Collectors() []prometheus.Collector {
	return []prometheus.Collector{g.refusals.total, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "schedgen_limits_local", Help: "1 while Redis is away and this instance counts callers' requests alone, else 0.",
	}, func() float64 {
		if g.buckets.alone.Load() {
			return 1
		}
		return 0
	})}
}

// Describe names the caller of a request for the log.
func (g *Guard) Describe(r *http.Request, address netip.Addr) []slog.Attr {
	return g.names.attributes(g.names.caller(r, address), g.now())
}

// policy is one limit of a caller.
type policy struct {
	name string
	rate Rate
	key  string
}

// Admit decides whether a request goes on, and adds what the caller should know of its limits to the header of the
// answer. The status of the answer is told to done, which may be nil.
func (g *Guard) Admit(header http.Header, r *http.Request, address netip.Addr) (done func(status int), err error) {
	route, class := classify(r)
	if class == exempt {
		return nil, nil
	}
	who := g.names.caller(r, address)
	if class == signIn {
		return g.admitSignIn(header, r, route, who)
	}
	if class == uploads && g.room != nil {
		if err := g.room(r); err != nil {
			g.refusals.note(r.Context(), refused{route: route, who: who, policy: policy{name: "pending"}}, g.now())
			err.Logged = true
			return nil, err
		}
	}
	taken, err := g.take(header, r, route, who, g.own(class, r, who))
	if err != nil || class != uploads {
		return nil, err
	}
	return func(status int) {
		if status >= http.StatusInternalServerError { // we could not take the upload
			g.giveBack(context.WithoutCancel(r.Context()), taken)
		}
	}, nil
}

// admitSignIn is Admit of what may be tried with a wrong token or answer.
func (g *Guard) admitSignIn(header http.Header, r *http.Request, route string, who caller) (done func(status int), err error) {
	subjects := g.subjects(who)
	if left := g.blocks.left(r.Context(), blocking(subjects), g.now()); left > 0 {
		blocked := refused{route, who, policy{name: "sign-in", rate: g.limits.SignIn}, Decision{RetryAfter: left}}
		setHeaders(header, blocked.policy, blocked.decision)
		return nil, g.refuse(header, r, blocked)
	}
	if _, err := g.take(header, r, route, who, g.own(signIn, r, who)); err != nil {
		return nil, err
	}
	failed := markAttempt(r)
	return func(status int) {
		if failed.Load() || failedSignIn(r, route, status) {
			g.blocks.fail(context.WithoutCancel(r.Context()), subjects, g.now())
		}
	}, nil
}

// take takes one of each limit that a request meets, or none: what is refused uses up nothing.
func (g *Guard) take(header http.Header, r *http.Request, route string, who caller, own []policy) (taken []policy, err error) {
	for _, p := range append(own, policy{"all", g.limits.All, "all"}) {
		if !p.rate.limited() {
			continue
		}
		decision := g.buckets.take(r.Context(), p.key, p.rate.redis())
		if len(taken) == 0 || !decision.Allowed {
			setHeaders(header, p, decision)
		}
		if !decision.Allowed {
			g.giveBack(r.Context(), taken)
			return nil, g.refuse(header, r, refused{route, who, p, decision})
		}
		taken = append(taken, p)
	}
	return taken, nil
}

// own are the limits of one caller: the first is that of its session, or of its address without one, and the second of
// all that comes from its address.
func (g *Guard) own(class class, r *http.Request, who caller) []policy {
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
		{name, rate, name + ":" + key},
		{"address", rate.times(g.limits.Address), name + ":of:" + g.names.bucket("address", who.address)},
	}
}

// giveBack puts back what a request took that was not carried out.
func (g *Guard) giveBack(ctx context.Context, taken []policy) {
	for _, p := range taken {
		g.buckets.giveBack(ctx, p.key, p.rate.redis())
	}
}

// refused is a request that met a limit.
type refused struct {
	route    string
	who      caller
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
