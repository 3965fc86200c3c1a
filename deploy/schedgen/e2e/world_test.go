// Package e2e_test holds the whole system to its promises, from outside: over HTTP, with real PDFs,
// once on the servers that schedgen brings along and once on real PostgreSQL, Redis and MinIO. Every
// exchange is checked against the API's own OpenAPI description.
package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/dev/testkit/s3test"
	"github.com/schedgen/schedgen/shared/secret"
)

// patience bounds what must happen, generously: the machine may be busy.
const patience = 2 * time.Minute

// What authorises operators, events and high priority in every world.
const (
	adminToken    = "an-admin-token-of-a-test"
	eventToken    = "an-event-token-of-a-test"
	priorityToken = "a-priority-token-of-a-test"
)

// unlimited switches off what keeps one caller from taking too much: tests send as much as hundreds of people do.
var unlimited = []string{"LIMIT_CLIENT=off", "LIMIT_STATUS=off", "LIMIT_UPLOADS=off", "LIMIT_ALL=off", "LIMIT_PENDING=off",
	"JOBS_PER_OWNER=1000000", "STORAGE_QUOTA=1099511627776"}

// unlimitedSettings are those of unlimited, by name.
func unlimitedSettings() map[string]string {
	known := map[string]string{}
	for _, setting := range unlimited {
		name, value, _ := strings.Cut(setting, "=")
		known[name] = value
	}
	return known
}

// world is a running system.
type world struct {
	url    string
	api    *openapitest.Checker
	system *stack.System      // nil of one in a process of its own
	google *fakegoogle.Server // nil where none stands in
}

// eachWorld runs a test on the embedded servers, on real ones, and with each function a process of its own
// behind PgBouncer. Where containers are asked for, it runs in these instead, on the machine's network and
// through CNI.
func eachWorld(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	worlds := map[string]func(*testing.T) *world{"embedded": embedded, "real servers": onRealServers, "PgBouncer": pooledProcesses}
	if containersWanted() {
		worlds = map[string]func(*testing.T) *world{"containers": inContainers, "containers through CNI": throughCNI}
	}
	for name, start := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start(t))
		})
	}
}

// oneWorld is the embedded servers, or containers where they are asked for.
func oneWorld(t *testing.T) *world {
	t.Helper()
	if containersWanted() {
		return inContainers(t)
	}
	return embedded(t)
}

// embedded is a system on servers of its own, with a stand-in of Google.
func embedded(t *testing.T) *world {
	t.Helper()
	return start(t, stack.Config{Google: stack.FakeGoogle})
}

// onRealServers is a system on PostgreSQL, redis-server and MinIO, which tells it of uploads through
// its webhook.
func onRealServers(t *testing.T) *world {
	t.Helper()
	system, webhook := relay(t)
	minio := s3test.MinIO(t, s3test.Webhook{URL: webhook + "/events/s3", Token: eventToken})
	address, err := url.Parse(minio.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User, address.Path = url.UserPassword(s3test.AccessKey, s3test.SecretKey), minio.Config().Bucket
	w := start(t, stack.Config{Postgres: secret.New(pgtest.New(t)), Redis: secret.New(redistest.New(t).URL()), S3: secret.New(address.String()), Google: stack.FakeGoogle})
	at, err := url.Parse(w.url)
	if err != nil {
		t.Fatal(err)
	}
	system.Store(at)
	return w
}

// relay is an address that can be told before there is a system to forward to.
func relay(t *testing.T) (to *atomic.Pointer[url.URL], address string) {
	t.Helper()
	to = new(atomic.Pointer[url.URL])
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		target := to.Load()
		if target == nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		httputil.NewSingleHostReverseProxy(target).ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return to, server.URL
}

// start runs a system with some settings, as names and values, until the test ends.
func start(t *testing.T, cfg stack.Config, settings ...string) *world {
	t.Helper()
	known := map[string]string{"ADMIN_TOKEN": adminToken, "EVENT_TOKEN": eventToken, "PRIORITY_TOKEN": priorityToken}
	maps.Copy(known, unlimitedSettings())
	for i := 0; i+1 < len(settings); i += 2 {
		known[settings[i]] = settings[i+1]
	}
	if cfg.Data == "" {
		cfg.Data = dataDir(t)
	}
	cfg.Settings = envconfig.MapLookuper(known)
	log := newLog(t)
	cfg.Progress = log
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewJSONHandler(log, nil))
	}
	system, err := stack.Start(t.Context(), cfg)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := system.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	w := newWorld(t, system.URL())
	w.system, w.google = system, system.Google()
	return w
}

// dataDir is a directory that PostgreSQL's own user may enter, if root runs the test.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := testkit.Passable(dir); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "data")
}

// newWorld reads the description that the system itself serves.
func newWorld(t *testing.T, address string) *world {
	t.Helper()
	res, err := get(t.Context(), http.DefaultClient, address+"/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	return &world{url: address, api: openapitest.New(t, res.body)}
}

// student is a caller with a session of its own.
type student struct {
	t      *testing.T
	world  *world
	client *http.Client
}

func (w *world) student(t *testing.T) *student {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := w.api.Client(t)
	client.Jar = jar
	return &student{t: t, world: w, client: client}
}

// answer is a response, read to its end.
type answer struct {
	*http.Response
	body []byte
}

// into decodes the body.
func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("%v: %.300s", err, a.body)
	}
}

func send(client *http.Client, request *http.Request) (answer, error) {
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close() // read below
	body, err := io.ReadAll(response.Body)
	return answer{response, body}, err
}

func get(ctx context.Context, client *http.Client, address string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return answer{}, err
	}
	return send(client, request)
}

// call sends a request, and fails the test where the status is not the one wanted. A body that is
// not an io.Reader is sent as JSON. Headers are names and values.
func (s *student) call(want int, method, path string, body any, headers ...string) answer {
	s.t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case io.Reader:
		content = b
	default:
		data, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		content = bytes.NewReader(data)
		headers = append([]string{"Content-Type", "application/json"}, headers...)
	}
	address := path
	if !strings.Contains(path, "://") {
		address = s.world.url + path
	}
	request, err := http.NewRequestWithContext(s.t.Context(), method, address, content)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	got, err := send(s.client, request)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	if got.StatusCode != want {
		s.t.Fatalf("%s %s: got %d, want %d: %.500s", method, path, got.StatusCode, want, got.body)
	}
	return got
}

// form is a PDF as a browser sends it, with more fields as names and values.
func form(pdf []byte, fields ...string) (contentType string, body io.Reader) {
	var buffer bytes.Buffer
	w := multipart.NewWriter(&buffer)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1]) // a buffer takes everything
	}
	part, _ := w.CreateFormFile("file", "timetable.pdf")
	_, _ = part.Write(pdf)
	_ = w.Close()
	return w.FormDataContentType(), &buffer
}

// uploaded is the answer to an upload.
type uploaded struct {
	JobID, PDFType, Status string
	Events                 []event
}

// event is what the API tells of an event, as far as these tests look.
type event struct {
	ID, Module, Activity, Group, Day, Date, StartTime, EndTime, Semester, Venue string
	Venues                                                                      []string
	IsRecurring                                                                 bool
}

// upload sends a PDF and waits until it is read.
func (s *student) upload(pdf []byte) uploaded {
	s.t.Helper()
	contentType, body := form(pdf)
	var got uploaded
	answer := s.call(http.StatusCreated, http.MethodPost, "/api/upload", body, "Content-Type", contentType, "Prefer", "wait=20")
	answer.into(s.t, &got)
	return got
}

// eventually asks again and again until check says that it is so; check says what is not, so far.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	over := time.NewTimer(patience)
	defer over.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-over.C:
			t.Fatalf("after %s: %v", patience, err)
		case <-tick.C:
		}
	}
}

// log shows what the system said, if the test fails.
type log struct{ lines chan string }

func newLog(t *testing.T) *log {
	t.Helper()
	l := &log{make(chan string, 4000)}
	t.Cleanup(func() {
		if !t.Failed() {
			return
		}
		var said strings.Builder
		for len(l.lines) > 0 {
			said.WriteString(<-l.lines)
		}
		t.Logf("what the system said last:\n%s", &said)
	})
	return l
}

// Write keeps the newest lines.
func (l *log) Write(p []byte) (int, error) {
	for {
		select {
		case l.lines <- string(p):
			return len(p), nil
		default:
		}
		select {
		case <-l.lines:
		default:
		}
	}
}
