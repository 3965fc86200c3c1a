package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/functions/backup"
	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/functions/web"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/settings"
)

// functions are all of them, configured as on a platform, by names and values.
type functions struct {
	ingest   *uploadingest.Function
	parse    *pdfparse.Function
	calendar *calendargenerate.Function
	google   *googlesync.Function
	backup   *backup.Function
	web      *web.Function
}

// functions makes them. None connects before it is asked for something.
func (s *System) functions(ctx context.Context, at addresses, known secrets) (f functions, err error) {
	toParse, toGoogle := "http://"+at.parse.Addr().String(), "http://"+at.google.Addr().String()+"/events/google"
	parsed := "http://" + at.calendar.Addr().String() + "/events/timetable," + toGoogle
	google := map[string]string{"EVENT_TARGETS": toGoogle}
	if s.cfg.Google == FakeGoogle {
		fake, err := s.fakeGoogle(ctx)
		if err != nil {
			return f, err
		}
		maps.Copy(google, fake)
	}
	all := s.settings(at, known)
	f.ingest, err = configured(ctx, all, uploadingest.New, map[string]string{"EVENT_TARGETS": toParse, "PARSED_TARGETS": parsed,
		"OWN_EVENTS": strconv.FormatBool(!s.cfg.S3.IsZero())}) // our own S3 server notifies at once
	if err != nil {
		return f, err
	}
	if f.parse, err = configured(ctx, all, pdfparse.New, map[string]string{"EVENT_TARGETS": parsed}); err != nil {
		return f, err
	}
	if f.calendar, err = configured(ctx, all, calendargenerate.New, nil); err != nil {
		return f, err
	}
	if f.google, err = configured(ctx, all, googlesync.New, google); err != nil {
		return f, err
	}
	if f.web, err = web.New(ctx, web.Config{}); err != nil {
		return f, err
	}
	f.backup, err = configured(ctx, all, backup.New, s.backupKeys())
	return f, err
}

// backupKeys are the settings of the keys that were given.
func (s *System) backupKeys() map[string]string {
	keys := map[string]string{}
	if len(s.cfg.BackupRecipients) > 0 {
		keys["BACKUP_RECIPIENTS"] = strings.Join(s.cfg.BackupRecipients, ",")
	}
	if s.cfg.BackupIdentity != "" {
		keys["BACKUP_IDENTITY_FILE"] = s.cfg.BackupIdentity
	}
	return keys
}

// configured makes one function from its own settings and those of all.
func configured[C, F any](ctx context.Context, all envconfig.Lookuper, make func(context.Context, C) (F, error), own map[string]string) (fn F, err error) {
	var cfg C
	lookup := envconfig.MultiLookuper(envconfig.MapLookuper(own), all)
	if err := settings.ReadFrom(ctx, &cfg, lookup); err != nil {
		return fn, err
	}
	if fn, err = make(ctx, cfg); err != nil {
		return fn, fmt.Errorf("configure: %w", err)
	}
	return fn, nil
}

// settings are what the functions find where a platform would set environment variables. What this
// system decided comes first, then what it was given, then what is good for one machine.
func (s *System) settings(at addresses, known secrets) envconfig.Lookuper {
	decided := map[string]string{
		"DATABASE_URL": at.database.Reveal(), "REDIS_URL": at.redis.Reveal(), "DATA_DIR": at.disk.Dir,
		"EVENT_TOKEN": known.EventToken.Reveal(), // also for who gave an empty one, with which no event would be taken
		"S3_URL":      at.s3.URL, "S3_ACCESS_KEY": at.s3.AccessKey, "S3_SECRET_KEY": at.s3.SecretKey.Reveal(),
	}
	if at.s3.Bucket != "" {
		decided["S3_BUCKET"] = at.s3.Bucket
	}
	usual := map[string]string{
		"SESSION_KEY": known.SessionKey.Reveal(), "ADMIN_TOKEN": known.AdminToken.Reveal(),
		"GOOGLE_TOKEN_KEYS":  known.TokenKey.Reveal(),
		"SESSION_SECURE":     strconv.FormatBool(s.https()),
		"DATABASE_MAX_CONNS": "8",
		// The rate guards a database that many instances share. Here the parser's slots are the limit.
		"PARSE_RATE": "100", "PARSE_BURST": "500",
		"PARSE_WAIT": "5s", // nothing else limits the events that come
	}
	if recipients, _ := s.cfg.Settings.Lookup("BACKUP_RECIPIENTS"); recipients == "" && len(s.cfg.BackupRecipients) == 0 {
		usual["BACKUP_RETENTION"] = "0s" // no backup is made here
	}
	return envconfig.MultiLookuper(envconfig.MapLookuper(decided), s.cfg.Settings, envconfig.MapLookuper(usual))
}

// https says whether people reach the system through a proxy that speaks HTTPS.
func (s *System) https() bool {
	address, _ := s.cfg.Settings.Lookup("PUBLIC_URL")
	return strings.HasPrefix(address, "https:")
}

// drain is how long requests in flight have at the end. What is cut is done again at the next start.
const drain = 20 * time.Second

// maxBody lets upload-ingest itself refuse a file that is too large, in its own words.
const maxBody = 64 << 20

// serve serves the functions: events on addresses of their own, all else on the public one.
func (s *System) serve(at addresses, f functions, public net.Listener, served faas.Config) {
	s.run("calendar-generate", f.calendar, at.calendar, faas.Config{RequestTimeout: 30 * time.Second, DrainTimeout: drain, Traces: served.Traces})
	s.run("pdf-parse", f.parse, at.parse, faas.Config{RequestTimeout: 5 * time.Minute, DrainTimeout: drain, Traces: served.Traces})
	s.run("google-sync", f.google, at.google, faas.Config{RequestTimeout: 2 * time.Minute, DrainTimeout: drain, Traces: served.Traces})
	s.run("schedgen", gateway{f}, public, served)
}

// perAddress is how many requests of one address are served at once: a campus behind one address has far fewer, and
// a fourth of all is left to others.
const perAddress = 300

// publicServer is how the public address is served. Where traces are sent holds for all functions.
func (s *System) publicServer(ctx context.Context) (faas.Config, error) {
	cfg := faas.Config{Concurrency: 400, PerAddress: perAddress, RequestTimeout: time.Minute, DrainTimeout: drain, MaxBody: maxBody}
	given := envconfig.LookuperFunc(func(name string) (string, bool) {
		if name != "FUNCTION_PER_ADDRESS" && name != "TRUSTED_PROXIES" && !strings.HasPrefix(name, "OTEL_") {
			return "", false
		}
		return s.cfg.Settings.Lookup(name)
	})
	return cfg, settings.ReadFrom(ctx, &cfg, given)
}

// run serves one function until the system stops, and closes it.
func (s *System) run(name string, fn faas.Function, listener net.Listener, cfg faas.Config) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := faas.Serve(ctx, name, fn, listener, s.cfg.Logger, cfg)
		if ctx.Err() == nil {
			s.fail(errors.Join(errors.New(name+" ended"), err))
		}
		ended <- err
	}()
	s.onStop(func() error {
		cancel()
		return <-ended
	})
}

// gateway is the functions behind one address, as a gateway shows them.
type gateway struct{ functions }

// Routes is every path that callers from outside may use, and the tasks, which operators call with the events' token.
func (w gateway) Routes() http.Handler {
	mux, calendar := http.NewServeMux(), w.calendar.Routes()
	mux.Handle("/api/generate/", calendar)
	mux.Handle("/api/feeds", calendar)
	mux.Handle("/api/feeds/", calendar)
	mux.Handle("/api/me/calendar.ics", calendar)
	mux.Handle("/api/years", calendar)
	mux.Handle("/api/years/", calendar)
	mux.Handle("/api/timetable", calendar)
	google, backups := w.google.Routes(), long(w.backup.Routes())
	mux.Handle("/api/auth/", google)
	mux.Handle("/api/calendars", google)
	mux.Handle("/api/calendars/", google)
	mux.Handle("/api/admin/backups", backups)
	mux.Handle("/api/admin/backups/", backups)
	mux.Handle("/tasks/watch", backups)
	mux.Handle("/tasks/google", google)
	mux.Handle("/tasks/feeds", calendar)
	page := w.web.Routes()
	for _, path := range []string{"/{$}", "/assets/", "/icons/", "/sw.js", "/manifest.webmanifest"} {
		mux.Handle(path, page)
	}
	mux.Handle("/", w.ingest.Routes())
	return mux
}

// backupTime is how long a request for a backup may take, as the scaling table has it.
const backupTime = 10 * time.Minute

// long gives requests more time than the others have. A caller who hangs up does not end them.
func long(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), backupTime)
		defer cancel()
		connection, end := http.NewResponseController(w), time.Now().Add(backupTime)
		if err := errors.Join(connection.SetReadDeadline(end), connection.SetWriteDeadline(end)); err != nil {
			api.WriteError(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Guard limits callers of all functions together. Routes that one function serves are limited once.
func (w gateway) Guard() faas.Guard { return w.ingest.Guard() }

// Share lets pages of trusted origins read an answer.
func (w gateway) Share(next http.Handler) http.Handler { return w.ingest.Share(next) }

// Dependencies are upload-ingest's, which depends on all that the others depend on, and what holds the process that
// reads PDFs.
func (w gateway) Dependencies() map[string]faas.Check {
	checks := w.ingest.Dependencies()
	maps.Copy(checks, pdfparse.Confinement())
	return checks
}

// Close closes those that have no server of their own, which ends later.
func (w gateway) Close() {
	w.ingest.Close()
	w.backup.Close()
}

// Collectors are the metrics of all of them.
func (w gateway) Collectors() []prometheus.Collector {
	var all []prometheus.Collector
	told := []faas.Function{w.ingest, w.parse, w.calendar, w.google}
	if w.backup.Enabled() {
		told = append(told, w.backup)
	}
	for _, fn := range told {
		if own, ok := fn.(faas.Collector); ok {
			all = append(all, own.Collectors()...)
		}
	}
	return all
}
