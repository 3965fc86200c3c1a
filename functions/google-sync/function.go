// Package googlesync keeps Google calendars like the timetable: sign-in with Google, choosing or making a
// calendar, and syncs that can be repeated, interrupted and doubled without harm.
//
// A sync is plan and apply. The events that a calendar should hold are built from a timetable as .ics files
// are; they are compared with what schedgen put there before (package plan), and the least that has to be
// done is done. What is not schedgen's is never touched, and what a person edited stays, unless the
// timetable changed that very field. Syncs wait in a queue of their account (package syncs) and are worked on
// within the request's time; what is not finished then is answered with 202 and goes on by event, and what no
// event finishes is found by the sweep.
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
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/years"
)

// Config is everything google-sync needs.
type Config struct {
	Postgres postgres.Config
	Session  session.Config
	SignIn   account.Config
	Google   google.Config
	// Events take a sync that goes on: to the broker, or at EVENT_TARGETS to this function's own
	// /events/google. Events and tasks that come must carry EVENT_TOKEN, too.
	Events events.Config
	Years  years.Config
	// Paths of events and tasks that need no token, for callers that cannot carry one: Knative's broker and PingSource,
	// OpenFaaS' cron-connector. Open a path only where nobody outside can reach it.
	OpenPaths []string `env:"OPEN_PATHS"`

	PublicURL string `env:"PUBLIC_URL"` // how people reach the site; else as the request was
	// The frontend, https://host, where it is not this site: a sign-in that is told to end at a path ends there.
	FrontendURL string `env:"FRONTEND_URL"`
	// Other sites, https://host, ..., to which a sign-in may lead back, and whose pages may ask for what
	// changes something.
	TrustedOrigins []string `env:"TRUSTED_ORIGINS"`

	BodyLimit   int64 `env:"BODY_LIMIT, default=2097152"` // bytes of a request's JSON
	EventsLimit int   `env:"EVENTS_LIMIT, default=5000"`  // events of a request: 100 printed pages have fewer
	Worker      worker.Config
	Auto        autosync.Config
	Lease       time.Duration `env:"SYNC_LEASE, default=1m"` // how long a dead worker keeps an account waiting
}

// Function answers the calls about Google. It is safe for concurrent use.
type Function struct {
	cfg      Config
	pool     *postgres.Pool
	sessions *session.Sessions
	accounts *account.Store // nil, as signIns and tokens, where Google is not set up
	signIns  *account.SignIns
	tokens   *account.Tokens
	syncs    *syncs.Store
	content  content.Builder
	worker   *worker.Worker
	auto     *autosync.Scheduler
	google   *google.Calendars
	events   *events.Publisher
	calls    calls
	results  *prometheus.CounterVec // of sign-ins
	returns  map[string]bool        // origins that a sign-in may lead back to
	frontend string                 // the origin of paths that a sign-in leads back to; empty for this site's
	origins  *api.Origins
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
	if f.pool, err = postgres.Open(cfg.Postgres); err != nil {
		return nil, err
	}
	f.connect()
	return f, nil
}

// connect makes the parts that use the pool.
func (f *Function) connect() {
	f.sessions.On(f.pool)
	f.syncs = syncs.NewStore(f.pool, f.cfg.Lease)
	if f.signIns != nil {
		f.accounts = f.accounts.On(f.pool)
		f.tokens = account.NewTokens(f.accounts, f.signIns)
	}
	f.content = content.Builder{
		Jobs: jobs.NewStore(f.pool), Years: years.NewSource(f.cfg.Years, f.pool), Typed: years.NewTyped(f.pool, "google-sync"),
	}
	f.worker = worker.New(f.cfg.Worker, f.syncs, f.accounts, f.tokens, f.google, f.events)
	f.auto = autosync.New(f.cfg.Auto, f.syncs, f.accounts, f.content, f.worker)
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
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
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

// ForgetCalendars deletes what the database has of every calendar. The Google of `schedgen up --google=fake` keeps calendars
// in memory: after a restart their events would look as if people had deleted them.
func (f *Function) ForgetCalendars(ctx context.Context) error { return f.syncs.DeleteCalendars(ctx) }

// Health asks the dependencies. Google is not among them: without it all else goes on.
func (f *Function) Health(ctx context.Context) map[string]error {
	return map[string]error{"postgres": f.pool.Ping(ctx)}
}

// Close ends the connections.
func (f *Function) Close() {
	f.pool.Close()
	f.events.Close()
	f.google.Close()
	if f.signIns != nil {
		f.signIns.Close()
	}
}
