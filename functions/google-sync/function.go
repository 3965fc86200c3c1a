// Package googlesync keeps Google calendars in step with timetables: sign-in with Google, choosing or making a
// calendar, and syncs that can be repeated, interrupted and run twice without harm.
//
// This package holds the handlers of what comes in: HTTP requests, events and the sweep. The work is done by packages
// that know no HTTP:
//
//   - account: Google accounts, their sign-in and their encrypted tokens
//   - content: what a calendar should hold, from a request, one timetable, or all of a person's timetables
//   - plan: the differences between that and what schedgen wrote before
//   - syncs: the queue of syncs, one for each account, in PostgreSQL
//   - worker: carries out a sync: claim, plan, apply, yield
//   - autosync: makes the syncs that no request asks for
//   - google: the calls to the Calendar API, with deadlines, quotas and retries
//
// Events that are not schedgen's are never changed, and a person's edit stays unless the timetable changed the same
// field. A sync is worked on within its request. If the time does not suffice, the answer is 202 and the sync
// continues by event; the sweep finds the syncs that no event will finish.
package googlesync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/autosync"
	"github.com/schedgen/schedgen/functions/google-sync/content"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/functions/google-sync/worker"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/years"
)

// Config is everything google-sync needs.
type Config struct {
	Postgres postgres.Config
	Cache    cache.Config
	Session  session.Config
	Limits   ratelimit.Limits
	SignIn   account.Config
	Google   google.Config
	// Events carry a sync that continues: to the broker, or at EVENT_TARGETS to this function's own /events/google.
	// Events and tasks that arrive must carry EVENT_TOKEN, too.
	Events events.Config
	Years  years.Config
	// Paths of events and tasks that need no token, for callers that cannot send one: Knative's broker and
	// PingSource, OpenFaaS' cron-connector. Open a path only if it cannot be reached from outside.
	OpenPaths []string `env:"OPEN_PATHS"`

	PublicURL string `env:"PUBLIC_URL"` // the site's public address; defaults to the request's
	// The frontend's address, https://host, if it is another site. A sign-in that returns to a path returns to it.
	FrontendURL string `env:"FRONTEND_URL"`
	// Other sites, https://host, ..., to which a sign-in may return, and whose pages may send requests that change
	// something.
	TrustedOrigins []string `env:"TRUSTED_ORIGINS"`

	BodyLimit   int64 `env:"BODY_LIMIT, default=2097152"` // bytes of a request's JSON
	EventsLimit int   `env:"EVENTS_LIMIT, default=5000"`  // the most events of one request; 100 printed pages have fewer
	// The most calendars that schedgen makes for one person. Those that the person deleted at Google do not count.
	CalendarsPerOwner int `env:"CALENDARS_PER_OWNER, default=20"`
	Worker            worker.Config
	Auto              autosync.Config
	Lease             time.Duration `env:"SYNC_LEASE, default=1m"` // how long a dead worker blocks its account
}

// Function answers the calls about Google. It is safe for concurrent use.
type Function struct {
	cfg         Config
	pool        *postgres.Pool
	sessions    *session.Sessions
	accounts    *account.Store // nil, as signIns, tokens and revocations, where Google is not set up
	signIns     *account.SignIns
	tokens      *account.Tokens
	revocations *account.Revocations
	syncs       *syncs.Store
	content     content.Builder
	worker      *worker.Worker
	auto        *autosync.Scheduler
	google      *google.Calendars
	events      *events.Publisher
	calls       calls
	results     *prometheus.CounterVec // of sign-ins
	returns     map[string]bool        // origins that a sign-in may lead back to
	frontend    string                 // the origin of paths that a sign-in leads back to; empty for this site's
	origins     *api.Origins
	cache       *cache.Cache
	guard       *ratelimit.Guard
}

// New checks cfg and connects nothing: connections open with the first request that needs them. Without
// GOOGLE_CLIENT_ID the function answers that Google is not set up.
func New(_ context.Context, cfg Config) (*Function, error) {
	f := &Function{cfg: settings.WithDefaults(cfg), calls: newCalls(), results: newSignInResults()}
	err := errors.Join(f.addresses(), f.signIn())
	if err != nil {
		return nil, err
	}
	if f.sessions, err = session.New(cfg.Session); err != nil {
		return nil, fmt.Errorf("prepare sessions: %w", err)
	}
	if f.google, err = google.New(cfg.Google, f.calls); err != nil {
		return nil, err
	}
	if f.events, err = events.NewPublisher(cfg.Events); err != nil {
		return nil, err
	}
	if f.cache, err = cache.Open(cfg.Cache); err != nil {
		return nil, err
	}
	if f.guard, err = ratelimit.NewGuard(f.cfg.Limits, f.cache, f.sessions); err != nil {
		return nil, errors.Join(err, f.cache.Close())
	}
	f.guard.WithTokens(ratelimit.Tokens{Open: cfg.OpenPaths, Event: cfg.Events.Token})
	if f.pool, err = postgres.Open(cfg.Postgres); err != nil {
		return nil, errors.Join(err, f.cache.Close())
	}
	f.connect()
	return f, nil
}

// connect makes the parts that use the pool.
func (f *Function) connect() {
	f.sessions.UseDatabase(f.pool)
	f.syncs = syncs.NewStore(f.pool, f.cfg.Lease)
	if f.signIns != nil {
		f.accounts = f.accounts.On(f.pool)
		f.tokens = account.NewTokens(f.accounts, f.signIns)
		f.revocations = account.NewRevocations(f.accounts, f.signIns)
	}
	f.content = content.Builder{
		Jobs: jobs.NewStore(f.pool), Years: years.NewSource(f.cfg.Years, f.pool), Typed: years.NewTypedDates(f.pool),
	}
	f.worker = worker.New(f.cfg.Worker, f.syncs, f.accounts, f.tokens, f.google, f.events)
	f.auto = autosync.New(f.cfg.Auto, f.syncs, f.accounts, f.content, f.worker, f.guard.OwnerName)
}

// addresses checks where people are led.
func (f *Function) addresses() error {
	f.returns = make(map[string]bool)
	for _, address := range append([]string{f.cfg.PublicURL}, f.cfg.TrustedOrigins...) {
		if address == "" {
			continue
		}
		origin, ok := originOf(address)
		if !ok {
			return errors.New("PUBLIC_URL or TRUSTED_ORIGINS: each must be an address such as https://schedgen.example.org")
		}
		f.returns[origin] = true
	}
	f.cfg.PublicURL = strings.TrimRight(f.cfg.PublicURL, "/")
	var err error
	if f.origins, err = api.NewOrigins(slices.Collect(maps.Keys(f.returns))...); err != nil {
		return err
	}
	return f.frontendAddress()
}

// frontendAddress reads FRONTEND_URL. That a sign-in leads there lets its pages change nothing: TRUSTED_ORIGINS does.
func (f *Function) frontendAddress() error {
	if f.cfg.FrontendURL == "" {
		return nil
	}
	origin, ok := originOf(f.cfg.FrontendURL)
	if !ok || !strings.EqualFold(strings.TrimRight(f.cfg.FrontendURL, "/"), origin) {
		return errors.New("FRONTEND_URL must be an address without a path, such as https://timetable.example.org")
	}
	f.frontend, f.returns[origin] = origin, true
	return nil
}

// originOf is the scheme, host and port of an address of the web.
func originOf(address string) (string, bool) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil || !settings.IsWebAddress(address) {
		return "", false
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), true
}

// signIn prepares sign-in where it is set up.
func (f *Function) signIn() error {
	if f.cfg.SignIn.ClientID == "" {
		return nil
	}
	keys, err := account.ParseKeys(f.cfg.SignIn.TokenKeys)
	if err != nil {
		return err
	}
	f.accounts = account.NewStore(nil, keys)
	f.signIns, err = account.NewSignIns(f.cfg.SignIn, keys)
	return err
}

// Routes is the function's whole HTTP surface; shared/faas adds what every function has.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /api/auth/google", api.Handler(f.beginSignIn))
	mux.Handle("GET /api/auth/google/callback", api.Handler(f.finishSignIn))
	mux.Handle("GET /api/auth/status", api.Handler(f.status))
	mux.Handle("POST /api/auth/logout", f.sameOrigin(f.logout))
	mux.Handle("DELETE /api/auth/sessions", f.sameOrigin(f.endSessions))
	mux.Handle("GET /api/calendars", api.Handler(f.listCalendars))
	mux.Handle("POST /api/calendars", f.sameOrigin(f.createCalendar))
	mux.Handle("POST /api/calendars/events", f.sameOrigin(f.syncEvents))
	mux.Handle("DELETE /api/calendars/events", f.sameOrigin(f.removeEvents))
	mux.Handle("POST /api/calendars/follow", f.sameOrigin(f.follow))
	mux.Handle("GET /api/calendars/syncs", api.Handler(f.listSyncs))
	mux.Handle("GET /api/calendars/syncs/{id}", api.Handler(f.showSync))
	open, event := f.cfg.OpenPaths, f.cfg.Events.Token
	mux.Handle("POST /events/google", api.Authorized(api.Handler(events.Receive(f.receiveEvent)), open, event))
	mux.Handle("POST /tasks/google", api.Authorized(api.Handler(f.sweepTask), open, event))
	return f.origins.Share(api.Mux(mux))
}

// sameOrigin refuses requests that a page of another site makes a browser send.
func (f *Function) sameOrigin(next func(*http.Request) (any, error)) http.Handler {
	return api.Handler(f.origins.Guard(f.sessions.Bearer, next))
}

// ForgetCalendars deletes what the database has of every calendar. The Google of `schedgen up --google=fake` keeps
// calendars in memory: after a restart their events would look as if people had deleted them.
func (f *Function) ForgetCalendars(ctx context.Context) error { return f.syncs.DeleteCalendars(ctx) }

// Guard limits callers.
func (f *Function) Guard() faas.Guard { return f.guard }

// Share lets pages of trusted origins read an answer.
func (f *Function) Share(next http.Handler) http.Handler { return f.origins.Share(next) }

// Dependencies are the database and Redis. Google is not among them: without it all else goes on.
func (f *Function) Dependencies() map[string]faas.Check {
	return map[string]faas.Check{"postgres": f.pool.Ping, "redis": faas.OptionalCheck(f.cache.Ping)}
}

// Close ends the connections.
func (f *Function) Close() {
	f.pool.Close()
	f.events.Close()
	_ = f.cache.Close() // nothing there is worth an error at the end
	f.google.Close()
	if f.signIns != nil {
		f.signIns.Close()
	}
}
