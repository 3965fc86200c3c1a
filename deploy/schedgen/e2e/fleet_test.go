package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/dev/stack/pg"
	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/postgres"
)

// programs is where the functions' own programs and the command are built, once for the test process.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := testkit.Dir("programs")
	if err != nil {
		return "", err
	}
	const module = "github.com/schedgen/schedgen/"
	for name, from := range map[string]string{
		"bare":              "deploy/schedgen/e2e/testdata/bare",
		"schedgen":          "deploy/schedgen",
		"upload-ingest":     "functions/upload-ingest/cmd/upload-ingest",
		"pdf-parse":         "functions/pdf-parse/cmd/pdf-parse",
		"calendar-generate": "functions/calendar-generate/cmd/calendar-generate",
		"google-sync":       "functions/google-sync/cmd/google-sync",
		"backup":            "functions/backup/cmd/backup",
		"web":               "functions/web/cmd/web",
	} {
		build := exec.Command("go", "build", "-o", filepath.Join(dir, name), module+from)
		if out, err := build.CombinedOutput(); err != nil {
			return "", fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return dir, testkit.Reap(dir)
})

// fleet is the functions as processes of their own, as a platform runs them, on real servers. Each
// of them can be stopped, killed and started.
type fleet struct {
	t        *testing.T
	settings []string // what all functions are told, NAME=value
	limited  bool     // by production's limits of what one caller may do
	node     *node    // whose network containers are in; nil: the machine's
	keys     string   // the folder of backup's secret key
	database *database
	redis    *redistest.Server
	minio    *s3test.Server
	webhook  *carelessWebhook
	ingest   *instance
	parse    []*instance
	calendar *instance
}

// newFleet starts everything: one upload-ingest and calendar-generate, two pdf-parse.
func newFleet(t *testing.T) *fleet {
	t.Helper()
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{t: t, database: newDatabase(t), redis: redistest.New(t), webhook: newCarelessWebhook(t)}
	f.minio = s3test.MinIO(t, s3test.Webhook{URL: f.webhook.url + "/events/s3", Token: eventToken})
	f.settings = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + t.TempDir(), "SESSION_SECURE=false", "SESSION_KEY=" + sessionKey,
		"DATABASE_URL=" + f.database.dsn, "DATABASE_MAX_CONNS=8", "REDIS_URL=" + f.redis.URL(), "S3_URL=" + f.minio.URL,
		"S3_ACCESS_KEY=" + s3test.AccessKey, "S3_SECRET_KEY=" + s3test.SecretKey, "S3_BUCKET=" + f.minio.Config().Bucket, "S3_TIMEOUT=5s",
		"EVENT_TOKEN=" + eventToken, "ADMIN_TOKEN=" + adminToken, "EVENT_TIMEOUT=5s",
		// Soon enough for a test; the rest is as in production.
		"UPLOAD_TIMEOUT=15s", "REDELIVER_AFTER=4s", "JOB_LEASE=4s", "PARSE_RATE=200",
	}
	f.settings = append(f.settings, unlimited...)
	f.calendar = f.instance(filepath.Join(dir, "calendar-generate"))
	told := f.calendar.url + "/events/timetable"
	for range 2 {
		f.parse = append(f.parse, f.instance(filepath.Join(dir, "pdf-parse"), "EVENT_TARGETS="+told))
	}
	f.ingest = f.instance(filepath.Join(dir, "upload-ingest"), "EVENT_TARGETS="+balanced(t, f.parse), "PARSED_TARGETS="+told)
	f.webhook.forwardTo(f.ingest.url)
	return f
}

// instance is one process of a function, which keeps its address when it is started again.
type instance struct {
	t    *testing.T
	spec process.Spec
	url  string

	mu      sync.Mutex
	process *process.Process
}

func (f *fleet) instance(program string, settings ...string) *instance {
	f.t.Helper()
	listener, err := new(net.ListenConfig).Listen(f.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	address := listener.Addr().(*net.TCPAddr)
	if err := listener.Close(); err != nil {
		f.t.Fatal(err)
	}
	dir := f.t.TempDir()
	env := append(append([]string{fmt.Sprint("PORT=", address.Port)}, f.settings...), settings...)
	i := &instance{t: f.t, url: "http://" + address.String(), spec: process.Spec{
		Path: program, Dir: dir, Env: env, Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM,
	}}
	if err := i.start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := i.process.Stop(30 * time.Second); err != nil {
			f.t.Errorf("stop %s: %v", filepath.Base(program), err)
		}
	})
	return i
}

// start starts the process and waits until it answers.
func (i *instance) start() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	var err error
	if i.process, err = process.Start(i.spec); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return i.process.Ready(ctx, func(ctx context.Context) error {
		_, err := get(ctx, http.DefaultClient, i.url+"/health")
		return err
	})
}

// kill ends the process as a crash does.
func (i *instance) kill() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.process.Kill()
}

// balanced is an address that hands requests to the instances in turn, as a platform does.
func balanced(t *testing.T, instances []*instance) string {
	t.Helper()
	var proxies []http.Handler
	for _, i := range instances {
		proxies = append(proxies, proxy(t, i.url))
	}
	var turn atomic.Uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[turn.Add(1)%uint64(len(proxies))].ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// proxy answers 502 while nobody is there.
func proxy(t *testing.T, to string) http.Handler {
	t.Helper()
	address, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	p := httputil.NewSingleHostReverseProxy(address)
	p.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return p
}

// database is a PostgreSQL that can crash and come back where it was.
type database struct {
	t   *testing.T
	dir string
	dsn string

	mu     sync.Mutex
	server *pg.Server
}

func newDatabase(t *testing.T) *database {
	t.Helper()
	d := &database{t: t, dir: dataDir(t)}
	if err := d.start(pg.Connections(100)); err != nil {
		t.Fatal(err)
	}
	d.dsn = d.server.DSN()
	if err := postgres.Migrate(t.Context(), d.dsn); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.server.Stop(); err != nil {
			t.Errorf("stop PostgreSQL: %v", err)
		}
	})
	return d
}

func (d *database) start(options ...pg.Option) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.server != nil {
		options = append(options, pg.Port(d.server.Port()))
	}
	server, err := pg.Start(context.Background(), d.dir, options...) // not pg.Fast: what it commits must survive
	if err == nil {
		d.server = server
	}
	return err
}

func (d *database) stop() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.server.Stop()
}

func (d *database) kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.server.Kill()
}

// carelessWebhook stands between MinIO and its webhook. Of every ten notifications it loses one and
// delivers one ten times at once.
type carelessWebhook struct {
	url     string
	client  http.Client
	to      atomic.Pointer[string]
	count   atomic.Int64
	lost    atomic.Int64
	doubled atomic.Int64
}

func newCarelessWebhook(t *testing.T) *carelessWebhook {
	t.Helper()
	c := &carelessWebhook{client: http.Client{Timeout: 30 * time.Second}}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

func (c *carelessWebhook) forwardTo(address string) { c.to.Store(&address) }

// ServeHTTP answers what MinIO is to believe.
func (c *carelessWebhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	times := 1
	if len(body) > 0 {
		switch c.count.Add(1) % 10 {
		case 3:
			c.lost.Add(1)
			return // MinIO is told that it was taken
		case 7:
			c.doubled.Add(1)
			times = 10
		}
	}
	statuses := make([]int, times)
	var all sync.WaitGroup
	for n := range times {
		all.Go(func() { statuses[n] = c.forward(r, body) })
	}
	all.Wait()
	w.WriteHeader(statuses[0])
}

// forward is one delivery.
func (c *carelessWebhook) forward(r *http.Request, body []byte) (status int) {
	address := c.to.Load()
	if address == nil {
		return http.StatusServiceUnavailable
	}
	request, err := http.NewRequestWithContext(r.Context(), r.Method, *address+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		return http.StatusInternalServerError
	}
	request.Header = r.Header.Clone()
	got, err := send(&c.client, request)
	if err != nil {
		return http.StatusBadGateway
	}
	return got.StatusCode
}
