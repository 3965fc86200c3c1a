package e2e_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
)

// site is all functions, each by itself as a platform runs them, behind one address, on real servers and
// with PgBouncer in transaction mode in front of PostgreSQL, configured by the very file that clusters use.
type site struct {
	*fleet
	world  *world
	dsn    string // the database, by its server's own address
	google *instance
	backup *instance
}

// pooledProcesses is a site whose functions are processes.
func pooledProcesses(t *testing.T) *world {
	t.Helper()
	f := processes(t)
	return newSite(f, pgtest.New(t), s3test.New, f.run).world
}

// processes is a fleet whose functions are processes.
func processes(t *testing.T, settings ...string) *fleet {
	t.Helper()
	return &fleet{t: t, settings: append(settings, "PATH="+os.Getenv("PATH"), "HOME="+t.TempDir(), "TMPDIR="+t.TempDir())}
}

// run starts a function as a process, with the file of backup's secret key.
func (f *fleet) run(name string, settings ...string) *instance {
	f.t.Helper()
	dir, err := programs()
	if err != nil {
		f.t.Fatal(err)
	}
	return f.instance(filepath.Join(dir, name), append(settings, "BACKUP_IDENTITY_FILE="+filepath.Join(f.keys, "identity.txt"))...)
}

// newSite starts the servers and the functions, which run starts one by one.
func newSite(f *fleet, dsn string, store func(testing.TB, ...s3test.Webhook) *s3test.Server, run func(name string, settings ...string) *instance) *site {
	t, s := f.t, &site{fleet: f, dsn: dsn}
	t.Helper()
	ingest, ingestURL := relay(t)
	google, googleURL := relay(t)
	f.redis, f.minio = redistest.New(t), store(t, s3test.Webhook{URL: ingestURL + "/events/s3", Token: eventToken})
	f.settings = append(f.settings, "SESSION_SECURE=false", "SESSION_KEY="+sessionKey,
		"DATABASE_URL="+f.reach(pooled(t, dsn)), "DATABASE_POOLED=true", "REDIS_URL="+f.reach(f.redis.URL()), "S3_URL="+f.reach(f.minio.URL),
		"S3_ACCESS_KEY="+s3test.AccessKey, "S3_SECRET_KEY="+s3test.SecretKey, "S3_BUCKET="+f.minio.Config().Bucket,
		"EVENT_TOKEN="+eventToken, "ADMIN_TOKEN="+adminToken)
	if !f.limited {
		f.settings = append(f.settings, unlimited...)
	}
	front := newGateway(t)
	public := "PUBLIC_URL=" + front.url
	standIn, signIn := f.standInOfGoogle(front.url)

	f.calendar = run("calendar-generate", public)
	s.google = run("google-sync", append(signIn, public, "EVENT_TARGETS="+f.reach(googleURL)+"/events/google")...)
	told := f.calendar.url + "/events/timetable," + s.google.url + "/events/google"
	f.parse = []*instance{run("pdf-parse", "EVENT_TARGETS="+told)}
	f.ingest = run("upload-ingest", "EVENT_TARGETS="+f.parse[0].url, "PARSED_TARGETS="+told)
	s.backup = run("backup", f.backups(dsn)...)

	page := run("web")
	front.leadTo(t, map[string]string{"upload-ingest": f.ingest.url, "calendar-generate": f.calendar.url, "google-sync": s.google.url, "web": page.url})
	ingest.Store(parsed(t, f.ingest.url))
	google.Store(parsed(t, s.google.url))
	s.world = newWorld(t, front.url)
	s.world.google = standIn
	return s
}

func parsed(t *testing.T, address string) *url.URL {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// backups are the settings of backup: a key of the test's own, and the database by its server's address.
func (f *fleet) backups(dsn string) []string {
	f.t.Helper()
	identity, recipient := backupKeys(f.t)
	f.keys = filepath.Dir(identity)
	if err := os.Chmod(identity, 0o644); err != nil { // as a file of a Secret, which a container's user reads
		f.t.Fatal(err)
	}
	return []string{"DATABASE_URL=" + f.reach(dsn), "DATABASE_POOLED=false", "BACKUP_RECIPIENTS=" + recipient}
}

// standInOfGoogle is a Google for a system behind an address, with google-sync's settings for it.
func (f *fleet) standInOfGoogle(front string) (*fakegoogle.Server, []string) {
	f.t.Helper()
	const id, secret = "schedgen-test", "a secret of a test"
	web := newGateway(f.t)
	google, err := fakegoogle.New(fakegoogle.Config{
		BaseURL: f.reach(web.url), Users: []fakegoogle.User{{Email: person, Name: "A Student"}},
		Clients: []fakegoogle.Client{{ID: id, Secret: secret, Name: "schedgen", Redirects: []string{front + "/api/auth/google/callback"}}},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	web.mux.Handle("/", google)
	return google, []string{
		"GOOGLE_CLIENT_ID=" + id, "GOOGLE_CLIENT_SECRET=" + secret, "GOOGLE_ISSUER=" + google.Issuer(), "GOOGLE_CALENDAR_URL=" + google.CalendarURL(),
		"GOOGLE_TOKEN_KEYS=test:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)),
	}
}

// gateway is one address for the functions, with the routes that Traefik has.
type gateway struct {
	url string
	mux *http.ServeMux
	end func()
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	g := &gateway{mux: http.NewServeMux()}
	server := httptest.NewServer(g.mux)
	t.Cleanup(server.Close)
	g.url, g.end = server.URL, server.Close
	return g
}

// matchers are the parts of a rule of Traefik's that name a path.
var matchers = regexp.MustCompile("(Path|PathPrefix)\\(`([^`]*)`\\)")

// leadTo reads clusters' own routes to the functions, whose addresses are given. What has no route there is a
// 404 here.
func (g *gateway) leadTo(t *testing.T, functions map[string]string) {
	t.Helper()
	var ingress struct {
		Spec struct {
			Routes []struct {
				Match       string
				Middlewares []struct{ Name string }
			}
		}
	}
	parseYAML(t, "deploy/kubernetes/ingress/base/routes.yaml", &ingress)
	led := 0
	for _, route := range ingress.Spec.Routes {
		for _, middleware := range route.Middlewares {
			address, ok := functions[strings.TrimPrefix(middleware.Name, "to-")]
			if !ok {
				continue
			}
			led++
			for _, pattern := range patterns(route.Match) {
				g.mux.Handle(pattern, proxy(t, address))
			}
		}
	}
	if led != len(functions) {
		t.Fatalf("the routes lead to %d of %d functions", led, len(functions))
	}
}

// patterns are a rule's paths as net/http writes them.
func patterns(rule string) (all []string) {
	for _, found := range matchers.FindAllStringSubmatch(rule, -1) {
		path := found[2]
		switch {
		case found[1] == "PathPrefix" && !strings.HasSuffix(path, "/"):
			all = append(all, path, path+"/")
		case found[1] == "Path" && strings.HasSuffix(path, "/"):
			all = append(all, path+"{$}")
		default:
			all = append(all, path)
		}
	}
	return all
}
