// Package calendargenerate turns timetable entries into calendars: ICS files to import, and feeds to
// subscribe to.
//
// A file is made of what the request holds or of one job's entries, and nothing is kept. A feed is an unguessable
// address whose calendar is made of all that its owner uploaded: of each kind (lectures, tests, exams) and each
// semester or session, what the newest job says. It is rendered when the event of a newer job arrives, and, should
// that have been lost, when it is next fetched; an event that did not change keeps its SEQUENCE and LAST-MODIFIED, so
// that subscribers see only what really changed.
package calendargenerate

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/years"
)

// Config is everything calendar-generate needs.
type Config struct {
	Postgres postgres.Config
	Cache    cache.Config
	Session  session.Config
	Limits   ratelimit.Limits
	Years    years.Config

	// Paths of events and tasks that need no token, for callers that cannot send one: Knative's broker and
	// PingSource, OpenFaaS' cron-connector. Open a path only if it cannot be reached from outside.
	OpenPaths      []string      `env:"OPEN_PATHS"`
	EventToken     secret.String `env:"EVENT_TOKEN"`                   // the Bearer token that events and tasks must carry
	TrustedOrigins []string      `env:"TRUSTED_ORIGINS"`               // Other sites, https://host, ..., whose pages may make calendars, and create, change and delete feeds.
	PublicURL      string        `env:"PUBLIC_URL"`                    // the site's public address, used in feed addresses; defaults to the request's
	FeedRefresh    time.Duration `env:"FEED_REFRESH, default=6h"`      // how often calendar programs should fetch a feed
	FeedsPerOwner  int           `env:"FEEDS_PER_OWNER, default=20"`   // the most feeds of one owner
	FeedUnfetched  time.Duration `env:"FEED_UNFETCHED, default=9600h"` // a feed that no program has fetched for so long is deleted; 400 days
	BodyLimit      int64         `env:"BODY_LIMIT, default=2097152"`   // bytes of a request's JSON
	EventsLimit    int           `env:"EVENTS_LIMIT, default=5000"`    // the most events of one request; 100 printed pages have fewer
	ReplanBatch    int           `env:"REPLAN_BATCH, default=3000"`    // the most feeds that one sweep updates to a corrected academic year
	ReplanTime     time.Duration `env:"REPLAN_TIME, default=20s"`      // the longest time that one sweep spends on these; the next sweep continues
}

// Function answers the calls about calendars. It is safe for concurrent use.
type Function struct {
	cfg      Config
	pool     *postgres.Pool
	jobs     *jobs.Store
	feeds    *feed.Store
	years    *years.Source
	typed    *years.TypedDates
	cache    *cache.Cache
	sessions *session.Sessions
	origins  *api.Origins
	guard    *ratelimit.Guard
	metrics  *metrics
	now      func() time.Time
}

// New checks cfg and connects nothing: the first request that needs the database connects to it.
func New(_ context.Context, cfg Config) (*Function, error) {
	cfg = settings.WithDefaults(cfg)
	if cfg.PublicURL != "" {
		if !settings.IsWebAddress(cfg.PublicURL) {
			return nil, errors.New("PUBLIC_URL is not an address such as https://schedgen.example.org")
		}
		cfg.PublicURL = strings.TrimRight(cfg.PublicURL, "/")
	}
	sessions, err := session.New(cfg.Session)
	if err != nil {
		return nil, fmt.Errorf("prepare sessions: %w", err)
	}
	origins, err := api.NewOrigins(cfg.TrustedOrigins...)
	if err != nil {
		return nil, fmt.Errorf("TRUSTED_ORIGINS: %w", err)
	}
	redis, err := cache.Open(cfg.Cache)
	if err != nil {
		return nil, err
	}
	guard, err := ratelimit.NewGuard(cfg.Limits, redis, sessions)
	if err != nil {
		return nil, errors.Join(err, redis.Close())
	}
	pool, err := postgres.Open(cfg.Postgres)
	if err != nil {
		return nil, errors.Join(err, redis.Close())
	}
	return &Function{
		cfg:      cfg,
		pool:     pool,
		jobs:     jobs.NewStore(pool),
		feeds:    feed.NewStore(pool),
		years:    years.NewSource(cfg.Years, pool),
		typed:    years.NewTypedDates(pool),
		metrics:  newMetrics(),
		sessions: sessions.UseDatabase(pool),
		origins:  origins,
		cache:    redis,
		guard:    guard.WithTokens(ratelimit.Tokens{Open: cfg.OpenPaths, Event: cfg.EventToken}),
		now:      time.Now,
	}, nil
}

// Routes is the function's whole HTTP surface; shared/faas adds what every function has.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /api/generate/ics", api.Handler(f.origins.Guard(f.sessions.Bearer, f.generate)))
	mux.Handle("POST /api/feeds", api.Handler(f.origins.Guard(f.sessions.Bearer, f.createFeed)))
	mux.Handle("GET /api/feeds", api.Handler(f.listFeeds))
	mux.Handle("GET /api/feeds/{token}", http.HandlerFunc(f.serveFeed))
	mux.Handle("PUT /api/feeds/{token}", api.Handler(f.origins.Guard(f.sessions.Bearer, f.changeFeed)))
	mux.Handle("DELETE /api/feeds/{token}", api.Handler(f.origins.Guard(f.sessions.Bearer, f.deleteFeed)))
	mux.Handle("GET /api/me/calendar.ics", api.Handler(f.myCalendar))
	mux.Handle("GET /api/timetable", api.Handler(f.timetable))
	mux.Handle("GET /api/years", http.HandlerFunc(f.listYears))
	mux.Handle("GET /api/years/{year}", http.HandlerFunc(f.showYear))
	open, event := f.cfg.OpenPaths, f.cfg.EventToken
	mux.Handle("POST /events/timetable", api.Authorized(api.Handler(events.Receive(f.timetableParsed)), open, event))
	mux.Handle("POST /tasks/feeds", api.Authorized(api.Handler(f.sweepTask), open, event))
	return f.origins.Share(api.Mux(mux))
}

// Guard limits callers.
func (f *Function) Guard() faas.Guard { return f.guard }

// Share lets pages of trusted origins read an answer.
func (f *Function) Share(next http.Handler) http.Handler { return f.origins.Share(next) }

// Dependencies are the database, Redis, and the years that an operator added.
func (f *Function) Dependencies() map[string]faas.Check {
	years := func(context.Context) error { return faas.Optional(f.years.LastError()) }
	return map[string]faas.Check{"postgres": f.pool.Ping, "redis": faas.OptionalCheck(f.cache.Ping), "years": years}
}

// Close ends the connections.
func (f *Function) Close() {
	f.pool.Close()
	_ = f.cache.Close() // nothing there is worth an error at the end
}
