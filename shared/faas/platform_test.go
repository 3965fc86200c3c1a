package faas

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
)

// TestRequestsAfterSIGTERMAreAnswered holds that for the drain delay only readiness fails.
func TestRequestsAfterSIGTERMAreAnswered(t *testing.T) {
	t.Parallel()
	url, listener, stop, ended := served(t, Config{DrainDelay: time.Hour})
	stop()
	// Each on a connection of its own, made after the signal.
	eventually(t, func() error { return fetch(t, url+"/ready", 503) })
	if err := fetch(t, url+"/hello/1", 200); err != nil {
		t.Errorf("a request that came after the signal: %v", err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a listener that breaks within the delay: got %v, want %v", err, net.ErrClosed)
	}
}

// TestServingEndsAfterTheDelay holds that the delay is no more than that.
func TestServingEndsAfterTheDelay(t *testing.T) {
	t.Parallel()
	url, _, stop, ended := served(t, Config{DrainDelay: 10 * time.Millisecond})
	if err := fetch(t, url+"/hello/1", 200); err != nil {
		t.Error(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	if err := fetch(t, url+"/hello/1", 200); err == nil {
		t.Error("it still serves after the delay")
	}
}

// slow adds a path whose one request tells that it has entered, and is answered once leave is closed.
func (f *toy) slow() (entered, leave chan struct{}) {
	entered, leave = make(chan struct{}), make(chan struct{})
	f.mux.HandleFunc("GET /slow", func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-leave
	})
	return entered, leave
}

// TestWhatWaitedForARequestInFlightIsAnswered sends a request after the delay, when the one before it ends:
// queue-proxy hands on what waits in it one by one.
func TestWhatWaitedForARequestInFlightIsAnswered(t *testing.T) {
	t.Parallel()
	f := newToy()
	entered, leave := f.slow()
	const delay = 100 * time.Millisecond
	url, _, stop, ended := servedBy(t, f, Config{DrainDelay: delay})
	first := make(chan error, 1)
	go func() { first <- fetch(t, url+"/slow", 200) }()
	<-entered
	stop()
	eventually(t, func() error { return fetch(t, url+"/ready", 503) })
	<-time.After(2 * delay) // a delay that counts from the signal is over
	if err := fetch(t, url+"/hello/1", 200); err != nil {
		t.Errorf("a request while another is in flight: %v", err)
	}
	close(leave)
	if err := errors.Join(<-first, <-ended); err != nil {
		t.Error(err)
	}
}

// TestADrainWithoutQuietCutsNobody goes on sending until no request is taken any more: what is in flight then
// is answered.
func TestADrainWithoutQuietCutsNobody(t *testing.T) {
	t.Parallel()
	f := newToy()
	entered, leave := f.slow()
	url, _, stop, ended := servedBy(t, f, Config{DrainDelay: time.Minute, DrainTimeout: 50 * time.Millisecond})
	slow := make(chan error, 1)
	go func() { slow <- fetch(t, url+"/slow", 200) }()
	<-entered
	stop()
	for fetch(t, url+"/hello/1", 200) == nil {
	}
	close(leave)
	if err := errors.Join(<-slow, <-ended); err != nil {
		t.Error(err)
	}
}

// TestADrainEnds holds that requests which never end keep the function no longer than its drain timeout.
func TestADrainEnds(t *testing.T) {
	t.Parallel()
	f := newToy()
	entered := make(chan struct{})
	f.mux.HandleFunc("GET /stuck", func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	})
	url, _, stop, ended := servedBy(t, f, Config{DrainDelay: time.Millisecond, DrainTimeout: time.Millisecond})
	go func() { _ = fetch(t, url+"/stuck", 200) }() // it is cut
	<-entered
	stop()
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
}

// served runs a toy until stop is called; ended gets what Serve returned.
func served(t *testing.T, cfg Config) (url string, listener net.Listener, stop func(), ended chan error) {
	t.Helper()
	return servedBy(t, newToy(), cfg)
}

func servedBy(t *testing.T, f *toy, cfg Config) (url string, listener net.Listener, stop func(), ended chan error) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended = make(chan error, 1)
	go func() { ended <- Serve(ctx, "toy", f, listener, nil, cfg) }()
	return "http://" + listener.Addr().String(), listener, stop, ended
}

// eventually asks until it is so, a while at most.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// fetch wants a status on a new connection.
func fetch(t *testing.T, url string, want int) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() // nothing of it is read
	if response.StatusCode != want {
		return errors.New(response.Status)
	}
	return nil
}

func TestDrainingConnectionsAreNotUsedAgain(t *testing.T) {
	t.Parallel()
	s := newServer("toy", newToy(), nil)
	if got := ask(t, s, "GET", "/hello/1", "").Header().Get("Connection"); got != "" {
		t.Errorf("Connection while serving: got %q, want none", got)
	}
	close(s.draining)
	if got := ask(t, s, "GET", "/hello/1", "").Header().Get("Connection"); got != "close" {
		t.Errorf("Connection while draining: got %q, want close", got)
	}
}

func TestTheRootMeansTheTask(t *testing.T) {
	t.Parallel()
	f := newToy()
	f.mux.Handle("POST /tasks/sweep", api.Handler(func(*http.Request) (any, error) { return map[string]int{"swept": 1}, nil }))
	h := Wrap("toy", f, nil, Config{TaskPath: "/tasks/sweep"})
	if got := ask(t, h, "POST", "/", ""); got.Code != 200 || !strings.Contains(got.Body.String(), "swept") {
		t.Errorf("POST /: got %d %s", got.Code, got.Body)
	}
	for _, c := range []struct{ method, path string }{{"GET", "/"}, {"POST", "/x"}} {
		if got := ask(t, h, c.method, c.path, ""); got.Code != 404 {
			t.Errorf("%s %s: got %d, want 404", c.method, c.path, got.Code)
		}
	}
	if got := ask(t, Wrap("toy", f, nil), "POST", "/", ""); got.Code != 404 {
		t.Errorf("POST / where no task is named: got %d, want 404", got.Code)
	}
}

func TestHealthTellsTheBuild(t *testing.T) {
	t.Parallel()
	if got := ask(t, Wrap("toy", newToy(), nil), "GET", "/health", "").Body.String(); !strings.Contains(got, `"version":"`+Build().Version+`"`) {
		t.Errorf("got %s, want version %q", got, Build().Version)
	}
	if Build().Version == "" {
		t.Error("the version is empty")
	}
	if got := (BuildInfo{Version: "v1", Commit: "abc"}).String(); got != "v1 abc" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsAreVariables(t *testing.T) {
	dir := t.TempDir()
	for name, value := range map[string]string{"schedgen-toy-secret-one.toy": "one\n", "schedgen-toy-secret-two": "two", "others": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(value), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TOY_SECRET_ONE", "")
	os.Unsetenv("TOY_SECRET_ONE") // Setenv gives it back at the end
	t.Setenv("TOY_SECRET_TWO", "given")
	if err := secretsToEnvironment(dir, "toy"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"TOY_SECRET_ONE": "one", "TOY_SECRET_TWO": "given"} {
		if got := os.Getenv(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if _, there := os.LookupEnv("OTHERS"); there {
		t.Error("a secret of others was taken")
	}
	if err := secretsToEnvironment(filepath.Join(dir, "nowhere"), "toy"); err != nil {
		t.Errorf("without secrets: got %v", err)
	}
	if err := secretsToEnvironment(filepath.Join(dir, "others"), "toy"); err == nil {
		t.Error("a file for a directory: got no error")
	}
	if err := os.Mkdir(filepath.Join(dir, "schedgen-dir"), 0o700); err != nil {
		t.Fatal(err)
	}
	err := run(t.Context(), "toy", func(context.Context) (Function, error) { return newToy(), errors.New("made") }, io.Discard, Config{LogLevel: slog.LevelError})
	if err == nil || !strings.Contains(err.Error(), "made") {
		t.Errorf("got %v", err)
	}
	if err := secretsToEnvironment(dir, "toy"); err == nil {
		t.Error("a directory for a secret: got no error")
	}
}
