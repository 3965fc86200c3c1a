package faas

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	handler "github.com/openfaas/templates-sdk/go-http"
	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// toy is a function whose dependencies are as the test wants.
type toy struct {
	mux    *http.ServeMux
	mu     sync.Mutex
	health map[string]error
	closed bool
}

func newToy() *toy {
	f := &toy{mux: http.NewServeMux(), health: map[string]error{"postgres": nil}}
	f.mux.Handle("GET /hello/{id}", api.Handler(func(r *http.Request) (any, error) {
		return map[string]string{"trace": tracing.CauseOf(r.Context()).Traceparent, "request": api.RequestID(r.Context())}, nil
	}))
	f.mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("secret") })
	f.mux.Handle("POST /echo", api.Handler(func(r *http.Request) (any, error) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		return api.Response{Body: body}, nil
	}))
	return f
}

func (f *toy) Routes() http.Handler { return f.mux }

func (f *toy) Dependencies() map[string]Check {
	checks := map[string]Check{}
	for name := range f.health {
		checks[name] = func(context.Context) error {
			f.mu.Lock()
			defer f.mu.Unlock()
			return f.health[name]
		}
	}
	return checks
}

func (f *toy) Close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
}

func (f *toy) Collectors() []prometheus.Collector {
	return []prometheus.Collector{prometheus.NewGauge(prometheus.GaugeOpts{Name: "toy_gauge", Help: "A gauge."})}
}

// buffer is a log that several goroutines write.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func ask(t *testing.T, h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	return answer
}

func TestRequestsCarryIDsAndAreLogged(t *testing.T) {
	t.Parallel()
	var log buffer
	h := Wrap("toy", newToy(), Logger(&log, slog.LevelInfo))
	parent := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	answer := ask(t, h, "GET", "/hello/secret-token?code=secret-token", "", "X-Request-Id", "abc-1", "Traceparent", parent)
	var got map[string]string
	if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["request"] != "abc-1" || answer.Header().Get("X-Request-Id") != "abc-1" {
		t.Errorf("request id: got %v", got)
	}
	if !strings.HasPrefix(got["trace"], parent[:36]) || got["trace"] == parent || len(got["trace"]) != len(parent) {
		t.Errorf("trace: got %q, want a child of %q", got["trace"], parent)
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(log.String()), &line); err != nil {
		t.Fatalf("the log is not one JSON line: %v: %s", err, log.String())
	}
	if line["route"] != "/hello/{id}" || line["status"] != 200.0 || line["requestId"] != "abc-1" || line["function"] != "toy" || line["traceId"] != parent[3:35] {
		t.Errorf("got log %v", line)
	}
	if strings.Contains(log.String(), "secret-token") {
		t.Error("the log shows the path or the query, which may hold a secret")
	}
}

func TestInsaneIDsAreReplaced(t *testing.T) {
	t.Parallel()
	h := Wrap("toy", newToy(), nil)
	for _, id := range []string{"", "a b", "x\"y", strings.Repeat("a", 129), "é"} {
		if got := ask(t, h, "GET", "/hello/1", "", "X-Request-Id", id).Header().Get("X-Request-Id"); got == id || len(got) != 32 {
			t.Errorf("%q: got %q", id, got)
		}
	}
}

func TestErrorsAreObjects(t *testing.T) {
	t.Parallel()
	var log buffer
	h := Wrap("toy", newToy(), Logger(&log, slog.LevelInfo), Config{MaxBody: 8})
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/nowhere", "", 404, "NOT_FOUND"}, {"POST", "/hello/1", "", 405, "METHOD_NOT_ALLOWED"},
		{"GET", "/panic", "", 500, "INTERNAL"}, {"POST", "/echo", "123456789", 413, "PAYLOAD_TOO_LARGE"}, {"POST", "/echo", "12345678", 200, ""},
	} {
		answer := ask(t, h, c.method, c.path, c.body)
		var got api.Object
		if c.code != "" {
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
		}
		if answer.Code != c.status || got.Error != c.code || strings.Contains(answer.Body.String(), "secret") {
			t.Errorf("%s %s: got %d %s", c.method, c.path, answer.Code, answer.Body)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/echo", struct{ io.Reader }{strings.NewReader("a body of unknown length")})
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, r)
	if answer.Code != 413 {
		t.Errorf("a body of unknown length: got %d, want 413", answer.Code)
	}
	if !strings.Contains(log.String(), `"msg":"panic"`) || !strings.Contains(log.String(), "faas_test.go") {
		t.Error("the panic was not logged with its stack")
	}
}

func TestAPanicAfterTheAnswerBeganBreaksTheConnection(t *testing.T) {
	t.Parallel()
	f := newToy()
	f.mux.HandleFunc("GET /half", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("late")
	})
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("the connection was not broken")
		}
	}()
	ask(t, Wrap("toy", f, nil), "GET", "/half", "")
}

func TestTooManyAtOnceAreToldToWait(t *testing.T) {
	t.Parallel()
	f := newToy()
	entered, leave := make(chan struct{}), make(chan struct{})
	f.mux.HandleFunc("GET /slow", func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	h := Wrap("toy", f, nil, Config{Concurrency: 1, ProbePatience: time.Minute})
	var slow sync.WaitGroup
	slow.Go(func() { ask(t, h, "GET", "/slow", "") })
	<-entered
	answer := ask(t, h, "GET", "/hello/1", "")
	if answer.Code != 429 || answer.Header().Get("Retry-After") == "" {
		t.Errorf("got %d, Retry-After %q; want 429 and a time", answer.Code, answer.Header().Get("Retry-After"))
	}
	if got := ask(t, h, "GET", "/ready", ""); got.Code != 200 {
		t.Errorf("a busy function's probe: got %d", got.Code)
	}
	close(leave)
	slow.Wait()
	if got := ask(t, h, "GET", "/hello/1", ""); got.Code != 200 {
		t.Errorf("afterwards: got %d", got.Code)
	}
}

func TestARequestEndsWithItsDeadline(t *testing.T) {
	t.Parallel()
	f := newToy()
	f.mux.Handle("GET /stuck", api.Handler(func(r *http.Request) (any, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}))
	if got := ask(t, Wrap("toy", f, nil, Config{RequestTimeout: time.Millisecond}), "GET", "/stuck", ""); got.Code != 504 {
		t.Errorf("got %d, want 504", got.Code)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		health        map[string]error
		status, ready string
		readyCode     int
	}{
		"up":       {map[string]error{"postgres": nil}, "ok", "ok", 200},
		"down":     {map[string]error{"postgres": errors.New("secret"), "redis": nil}, "down", "down", 503},
		"optional": {map[string]error{"postgres": nil, "redis": Optional(errors.New("x"))}, "degraded", "degraded", 200},
		"fine":     {map[string]error{"redis": Optional(nil)}, "ok", "ok", 200},
	} {
		f := newToy()
		f.health = c.health
		h := Wrap("toy", f, nil, Config{ProbePatience: time.Minute})
		for _, path := range []string{"/health", "/_/health"} {
			answer := ask(t, h, "GET", path, "")
			if answer.Code != 200 || !strings.Contains(answer.Body.String(), `"status":"`+c.status+`"`) || strings.Contains(answer.Body.String(), "secret") {
				t.Errorf("%s: %s: got %d %s", name, path, answer.Code, answer.Body)
			}
		}
		for _, path := range []string{"/ready", "/_/ready"} {
			if answer := ask(t, h, "GET", path, ""); answer.Code != c.readyCode || !strings.Contains(answer.Body.String(), c.ready) {
				t.Errorf("%s: %s: got %d %s", name, path, answer.Code, answer.Body)
			}
		}
	}
}

func TestHealthSaysSinceWhenADependencyIsDown(t *testing.T) {
	t.Parallel()
	var log buffer
	f := newToy()
	f.health = map[string]error{"postgres": errors.New("no route to 10.1.2.3"), "redis": nil}
	s := newServer("toy", f, Logger(&log, slog.LevelInfo), Config{ProbePatience: time.Minute})
	dependencies := func() map[string]dependency {
		t.Helper()
		s.health.checked = time.Time{} // as if the last results were old
		r, _ := s.report()
		return r.Dependencies
	}
	first := dependencies()
	if d := first["postgres"]; d.Status != "down" || d.Error != api.Internal || d.Since.IsZero() {
		t.Errorf("got %+v, want it down with a code and a time", d)
	}
	if d := first["redis"]; d.Status != "up" || d.Error != "" {
		t.Errorf("got %+v, want it up", d)
	}
	if again := dependencies(); again["postgres"].Since != first["postgres"].Since {
		t.Errorf("down since %v and then since %v", first["postgres"].Since, again["postgres"].Since)
	}
	f.mu.Lock()
	f.health["postgres"] = nil
	f.mu.Unlock()
	if back := dependencies(); back["postgres"].Status != "up" {
		t.Errorf("got %+v, want it up again", back["postgres"])
	}
	if down, back := strings.Count(log.String(), "dependency is down"), strings.Count(log.String(), "dependency is back"); down != 1 || back != 1 {
		t.Errorf("%d lines say that it is down and %d that it is back, want one each: %s", down, back, log.String())
	}
}

func TestProbesDoNotWaitForDependencies(t *testing.T) {
	t.Parallel()
	f := &slowToy{toy: newToy(), asked: make(chan struct{}, 100), answer: make(chan struct{})}
	h := newServer("toy", f, nil, Config{ProbePatience: time.Millisecond, HealthTimeout: time.Minute})
	for _, c := range []struct {
		path   string
		status int
	}{{"/health", 200}, {"/ready", 503}, {"/_/health", 200}} {
		if got := ask(t, h, "GET", c.path, ""); got.Code != c.status || !strings.Contains(got.Body.String(), `"checking"`) {
			t.Errorf("%s: got %d %s, want %d and a state that is not known yet", c.path, got.Code, got.Body, c.status)
		}
	}
	if got := len(f.asked); got > 1 {
		t.Errorf("the dependencies are asked %d times at once", got)
	}
	close(f.answer)
	h.health.wait()
	if got := ask(t, h, "GET", "/ready", ""); got.Code != 200 {
		t.Errorf("once they answered: got %d %s", got.Code, got.Body)
	}
}

// slowToy is a toy whose dependencies answer when the test lets them.
type slowToy struct {
	*toy
	asked, answer chan struct{}
}

func (f *slowToy) Dependencies() map[string]Check {
	return map[string]Check{"slow": func(context.Context) error {
		f.asked <- struct{}{}
		<-f.answer
		return nil
	}}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	h := Wrap("toy", newToy(), nil)
	ask(t, h, "GET", "/hello/1", "")
	ask(t, h, "BREW", "/nowhere", "")
	got := ask(t, h, "GET", "/metrics", "").Body.String()
	for _, want := range []string{`http_requests_total{code="200",function="toy",method="GET",route="/hello/{id}"} 1`,
		`http_requests_total{code="404",function="toy",method="other",route="none"} 1`, "toy_gauge 0", "go_goroutines", "http_request_duration_seconds_bucket"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// TestScrapesShowTraces asks as a Prometheus does: the text and the protobuf that have exemplars name the trace of a request.
func TestScrapesShowTraces(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	h := newServer("toy", newToy(), nil)
	h.tracer = sdktrace.NewTracerProvider().Tracer(tracing.Scope)
	for trace, flags := range map[string]string{id: "01", strings.Repeat("a", 32): "00"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/hello/1", nil)
		r.Header.Set("Traceparent", "00-"+trace+"-00f067aa0ba902b7-"+flags)
		h.metrics.begin()(r.WithContext(tracing.Begin(r.Context(), r, slog.New(slog.DiscardHandler), h.tracer)), new(recorder), time.Second)
	}
	for accept, wanted := range map[string]bool{
		"application/openmetrics-text;version=1.0.0":                                                 true,
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": true,
		"": false, // people and programs that know the older text alone
	} {
		got := ask(t, h, "GET", "/metrics", "", "Accept", accept).Body.String()
		if strings.Contains(got, id) != wanted || strings.Contains(got, strings.Repeat("a", 32)) {
			t.Errorf("Accept: %s: a trace that is recorded is shown: got %t, want %t; and never the other one", accept, strings.Contains(got, id), wanted)
		}
		if wanted && !strings.Contains(got, "trace_id") || strings.Contains(got, "_created") {
			t.Errorf("Accept: %s: want exemplars with trace_id, and no series of creation times", accept)
		}
	}
}

func TestServeDrains(t *testing.T) {
	t.Parallel()
	f := newToy()
	entered, leave := make(chan struct{}), make(chan struct{})
	f.mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-Draining(r.Context())
		<-leave
		fmt.Fprint(w, "done")
	})
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log buffer
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, "toy", f, listener, Logger(&log, slog.LevelInfo), Config{}) }()
	answered := make(chan string, 1)
	go func() {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String()+"/slow", nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-entered
	stop()
	close(leave)
	if got := <-answered; got != "done" {
		t.Errorf("the request in flight: got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	if !f.closed || !strings.Contains(log.String(), "draining") {
		t.Errorf("closed %v, log %s", f.closed, log.String())
	}
	s := newServer("toy", f, nil)
	close(s.draining)
	if got := ask(t, s, "GET", "/ready", ""); got.Code != 503 || !strings.Contains(got.Body.String(), "draining") {
		t.Errorf("ready while draining: got %d %s", got.Code, got.Body)
	}
	if got := ask(t, s, "GET", "/health", ""); got.Code != 200 {
		t.Errorf("alive while draining: got %d", got.Code)
	}
}

func TestRunReadsTheEnvironment(t *testing.T) {
	t.Setenv("PORT", "0")
	t.Setenv("FUNCTION_TIMEOUT", "7s")
	var log buffer
	f := newToy()
	ctx, stop := context.WithCancel(t.Context())
	made := func(context.Context) (Function, error) { stop(); return f, nil }
	if err := run(ctx, "toy", made, &log, Config{Concurrency: 3}); err == nil {
		if !strings.Contains(log.String(), "listening") || !f.closed {
			t.Errorf("closed %v, log %s", f.closed, log.String())
		}
	} else if !errors.Is(err, context.Canceled) { // listening may see the end first
		t.Errorf("got %v", err)
	}
	refuse := errors.New("no key")
	err := run(t.Context(), "toy", func(context.Context) (Function, error) { return nil, refuse }, io.Discard)
	if !errors.Is(err, refuse) {
		t.Errorf("got %v, want %v", err, refuse)
	}
	t.Setenv("FUNCTION_TIMEOUT", "soon")
	if err := run(t.Context(), "toy", made, io.Discard); err == nil {
		t.Error("a timeout that is none: got no error")
	}
}

func TestEventHandler(t *testing.T) {
	t.Parallel()
	h := EventHandler(func(ctx context.Context, r handler.Request) (handler.Response, error) {
		if r.Context() != ctx || r.Method != "POST" {
			t.Errorf("got %+v", r)
		}
		switch string(r.Body) {
		case "fail":
			return handler.Response{}, api.New(api.Unavailable)
		case "quiet":
			return handler.Response{}, nil
		}
		return handler.Response{StatusCode: 202, Body: []byte(r.QueryString), Header: http.Header{"x-a": {"1"}}}, nil
	})
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{{"x", 202, "q=1"}, {"quiet", 200, ""}, {"fail", 503, "UNAVAILABLE"}, {strings.Repeat("x", eventLimit+1), 413, "PAYLOAD_TOO_LARGE"}} {
		answer := ask(t, h, "POST", "/?q=1", c.body)
		if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.want) {
			t.Errorf("%.10s: got %d %s", c.body, answer.Code, answer.Body)
		}
		if c.status == 202 && answer.Header().Get("X-A") != "1" {
			t.Errorf("got header %v", answer.Header())
		}
	}
}

func TestTheEnvironmentOverridesTheFunctionsDefaults(t *testing.T) {
	t.Setenv("FUNCTION_TIMEOUT", "7s")
	cfg := Config{Concurrency: 3, RequestTimeout: time.Minute, Port: "9000"}
	if err := settings.Read(t.Context(), &cfg); err != nil {
		t.Fatal(err)
	}
	if cfg.Concurrency != 3 || cfg.RequestTimeout != 7*time.Second || cfg.LogLevel != slog.LevelInfo {
		t.Errorf("got %+v", cfg)
	}
	t.Setenv("PORT", "9001")
	t.Setenv("LOG_LEVEL", "debug")
	if err := settings.Read(t.Context(), &cfg); err != nil || cfg.Port != "9001" || cfg.LogLevel != slog.LevelDebug {
		t.Errorf("got %+v, %v", cfg, err)
	}
}
