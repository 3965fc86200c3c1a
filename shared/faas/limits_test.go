package faas

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
)

// guardedToy is a toy whose guard admits no one from one address.
type guardedToy struct {
	*toy
	seen     []netip.Addr
	statuses []int
}

const refusedAddress = "203.0.113.9"

func (f *guardedToy) Guard() Guard { return f }

func (f *guardedToy) Share(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		next.ServeHTTP(w, r)
	})
}

func (f *guardedToy) Caller(_ *http.Request, address netip.Addr) Caller {
	return &toyCaller{f, address}
}

type toyCaller struct {
	*guardedToy
	address netip.Addr
}

func (f *toyCaller) Attributes() []slog.Attr {
	return []slog.Attr{slog.String("client", "name of a caller")}
}

func (f *toyCaller) Admit(header http.Header, _ *http.Request) (func(int), error) {
	f.seen = append(f.seen, f.address)
	header.Set("RateLimit-Limit", "7")
	if f.address == netip.MustParseAddr(refusedAddress) {
		return nil, api.New(api.RateLimited)
	}
	return func(status int) { f.statuses = append(f.statuses, status) }, nil
}

func (f *guardedToy) Collectors() []prometheus.Collector {
	return append(f.toy.Collectors(), prometheus.NewGauge(prometheus.GaugeOpts{Name: "guard_gauge", Help: "A gauge."}))
}

func TestARefusedRequestIsAnsweredAndNotServed(t *testing.T) {
	t.Parallel()
	f, log := &guardedToy{toy: newToy()}, &buffer{}
	f.mux.HandleFunc("GET /refused", func(http.ResponseWriter, *http.Request) { t.Error("it was served") })
	proxy := Network{netip.MustParsePrefix("192.0.2.0/24")}
	served := Wrap("toy", &onlyGuarded{f}, slog.New(slog.NewJSONHandler(log, nil)), Config{TrustedProxies: []Network{proxy}})
	send := func(path, forwarded string) *httptest.ResponseRecorder {
		r, w := httptest.NewRequest("GET", path, nil), httptest.NewRecorder() // from 192.0.2.1
		r.Header.Set("X-Forwarded-For", forwarded)
		r.Header.Set("Origin", "https://other.example.org")
		served.ServeHTTP(w, r)
		return w
	}
	refused := send("/refused", "198.51.100.1, "+refusedAddress)
	if refused.Code != 429 || refused.Header().Get("RateLimit-Limit") != "7" || refused.Header().Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("got %d %v, want 429 with its headers, for pages of trusted origins too", refused.Code, refused.Header())
	}
	if strings.Contains(log.String(), `"msg":"request"`) {
		t.Errorf("a refusal is a line of the log: %s", log)
	}
	if ok := send("/hello/1", "198.51.100.1"); ok.Code != 200 || ok.Header().Get("RateLimit-Limit") != "7" {
		t.Errorf("got %d %v", ok.Code, ok.Header())
	}
	send("/nothing", "198.51.100.1")
	if len(f.statuses) != 2 || f.statuses[0] != 200 || f.statuses[1] != 404 {
		t.Errorf("the guard learned of %v, want 200 and 404", f.statuses)
	}
	if f.seen[0] != netip.MustParseAddr(refusedAddress) || f.seen[1] != netip.MustParseAddr("198.51.100.1") {
		t.Errorf("the guard saw %v", f.seen)
	}
	if got := log.String(); !strings.Contains(got, `"client":"name of a caller"`) || strings.Contains(got, "198.51.100.1") {
		t.Errorf("got the log %s, want the caller's name and no address", got)
	}
	send("/health", refusedAddress)
	if len(f.seen) != 3 {
		t.Error("the platform's own paths are limited")
	}
}

// onlyGuarded leaves the toy's own metrics to the guard.
type onlyGuarded struct{ *guardedToy }

func (f *onlyGuarded) Collectors() []prometheus.Collector { return nil }

// A refusal comes before the body, however long that is, and nobody waits for it.
func TestARefusalReadsNoBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(Wrap("toy", &onlyGuarded{&guardedToy{toy: newToy()}}, nil,
		Config{TrustedProxies: []Network{{netip.MustParsePrefix("127.0.0.0/8")}}}))
	defer server.Close()
	connection, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	head := "POST /echo HTTP/1.1\r\nHost: toy\r\nX-Forwarded-For: " + refusedAddress + "\r\nContent-Length: 1000000\r\n\r\n"
	if _, err := connection.Write([]byte(head)); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil || res.StatusCode != 429 {
		t.Fatalf("%v; got %v, want 429 before a byte of the body was sent", err, res)
	}
	res.Body.Close()
}

func TestTheGuardLearnsOfAPanic(t *testing.T) {
	t.Parallel()
	f := &guardedToy{toy: newToy()}
	w := httptest.NewRecorder()
	Wrap("toy", &onlyGuarded{f}, nil).ServeHTTP(w, httptest.NewRequest("GET", "/panic", nil))
	if w.Code != 500 || len(f.statuses) != 1 || f.statuses[0] != 500 {
		t.Errorf("got %d, and the guard learned of %v; want 500 for both", w.Code, f.statuses)
	}
}

// A request that finds no room when it comes is answered before the guard is asked: it uses up nothing of what its caller
// may ask for.
func TestRoomComesBeforeLimits(t *testing.T) {
	t.Parallel()
	proxy := Network{netip.MustParsePrefix("192.0.2.0/24")}
	for name, cfg := range map[string]Config{
		"the share of its address": {TrustedProxies: []Network{proxy}, PerAddress: 1, Concurrency: 9},
		"all requests in flight":   {TrustedProxies: []Network{proxy}, PerAddress: 9, Concurrency: 1},
	} {
		f, came, hold := &guardedToy{toy: newToy()}, make(chan struct{}), make(chan struct{})
		f.mux.HandleFunc("GET /slow", func(http.ResponseWriter, *http.Request) { close(came); <-hold })
		served, first := Wrap("toy", &onlyGuarded{f}, nil, cfg), make(chan struct{})
		go func() {
			defer close(first)
			served.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/slow", nil))
		}()
		<-came
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/hello/1", nil)
		r.Header.Set("Origin", "https://other.example.org")
		served.ServeHTTP(w, r)
		if w.Code != 429 || len(f.seen) != 1 {
			t.Errorf("%s: got %d, and the guard was asked %d times; want 429, and once", name, w.Code, len(f.seen))
		}
		if w.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: pages of trusted origins cannot read the answer", name)
		}
		close(hold)
		<-first
	}
}

// Pages of trusted origins can read why a request did not reach the routes, whatever the reason is.
func TestPagesOfTrustedOriginsReadEveryRefusal(t *testing.T) {
	t.Parallel()
	served := Wrap("toy", &onlyGuarded{&guardedToy{toy: newToy()}}, nil, Config{MaxBody: 4})
	for name, r := range map[string]*http.Request{
		"a body that is too large": httptest.NewRequest("POST", "/echo", strings.NewReader("12345")),
		"a path that is no text":   httptest.NewRequest("GET", "/hello/%ff", nil),
	} {
		r.Header.Set("Origin", "https://other.example.org")
		w := httptest.NewRecorder()
		served.ServeHTTP(w, r)
		if w.Code < 400 || w.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: got %d with %v", name, w.Code, w.Header())
		}
	}
}
