package faas

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit"
)

// started serves the toy at an address of its own.
func started(t *testing.T, cfg Config) (*server, string) {
	t.Helper()
	s := newServer("toy", newToy(), nil, cfg)
	web := httptest.NewUnstartedServer(s)
	web.Listener = s.bounded(web.Listener)
	web.Start()
	t.Cleanup(web.Close)
	return s, web.Listener.Addr().String()
}

// dial sends text on a connection of its own.
func dial(t *testing.T, address, text string) net.Conn {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() }) // the server may have closed it
	if _, err := io.WriteString(connection, text); err != nil {
		t.Fatal(err)
	}
	return connection
}

// answer reads one answer.
func answer(t *testing.T, connection net.Conn) *http.Response {
	t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	t.Cleanup(func() { response.Body.Close() })
	return response
}

const post = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"

// TestBodiesThatDoNotComeHoldNobodyUp: a connection that sends nothing is no request in flight.
func TestBodiesThatDoNotComeHoldNobodyUp(t *testing.T) {
	t.Parallel()
	s, address := started(t, Config{Concurrency: 1})
	const idle = 50
	for range idle {
		dial(t, address, fmt.Sprintf(post, 1<<20, "begin"))
	}
	testkit.Eventually(t, "all bodies are waited for", func() bool { return len(s.coming) == idle })
	if got := answer(t, dial(t, address, fmt.Sprintf(post, 2, "hi"))); got.StatusCode != 200 {
		t.Errorf("beside %d bodies that do not come: got %s, want 200", idle, got.Status)
	}
}

func TestABodyIsReadAsLongAsItComes(t *testing.T) {
	t.Parallel()
	_, address := started(t, Config{BodyStall: 50 * time.Millisecond})
	if got := answer(t, dial(t, address, fmt.Sprintf(post, 100, "begin"))); got.StatusCode != 504 {
		t.Errorf("a body that stops coming: got %s, want 504", got.Status)
	}
	_, address = started(t, Config{BodyStall: time.Minute})
	connection := dial(t, address, fmt.Sprintf(post, 64<<10, ""))
	for range 64 {
		if _, err := io.WriteString(connection, strings.Repeat("x", 1<<10)); err != nil {
			t.Fatal(err)
		}
	}
	if got := answer(t, connection); got.StatusCode != 200 {
		t.Errorf("a body that comes in pieces: got %s, want 200", got.Status)
	}
}

// TestABodyThatTricklesIsGivenUp: single bytes keep no connection alive for ever.
func TestABodyThatTricklesIsGivenUp(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(strings.Repeat("x", 100)))
	b := newBody(httptest.NewRecorder(), r, withDefaults(Config{}))
	b.began = b.began.Add(-time.Minute)
	if n, err := b.Read(make([]byte, 1)); err != errSlow {
		t.Errorf("nothing in a minute: read %d, %v; want %v", n, err, errSlow)
	}
}

// TestATooLargeBodyGetsItsAnswer: a caller who reads only after sending everything is not reset.
func TestATooLargeBodyGetsItsAnswer(t *testing.T) {
	t.Parallel()
	_, address := started(t, Config{MaxBody: 1 << 10})
	const size = 8 << 20
	for name, head := range map[string]string{
		"with its length": fmt.Sprintf("Content-Length: %d\r\n\r\n", size),
		"in chunks":       fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", size),
	} {
		connection := dial(t, address, "POST /echo HTTP/1.1\r\nHost: x\r\n"+head)
		if _, err := io.WriteString(connection, strings.Repeat("x", size)+"\r\n0\r\n\r\n"[:7*strings.Count(head, "chunked")]); err != nil {
			t.Errorf("%s: sending broke off: %v", name, err)
			continue
		}
		if got := answer(t, connection); got.StatusCode != 413 {
			t.Errorf("%s: got %s, want 413", name, got.Status)
		}
	}
}

// TestABodyThatNobodyReadsDoesNotCutTheAnswer: of a route that succeeds without its body, too.
func TestABodyThatNobodyReadsDoesNotCutTheAnswer(t *testing.T) {
	t.Parallel()
	_, address := started(t, Config{})
	const size = 12 << 20
	connection := dial(t, address, fmt.Sprintf("GET /hello/you HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", size))
	if _, err := io.WriteString(connection, strings.Repeat("x", size)); err != nil {
		t.Fatalf("sending broke off: %v", err)
	}
	if got := answer(t, connection); got.StatusCode != 200 {
		t.Errorf("got %s, want 200", got.Status)
	}
}

// TestWhatIsNoTextReachesNoHandler: a database would refuse it, which is no fault of ours.
func TestWhatIsNoTextReachesNoHandler(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	f := newToy()
	f.mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	h := Wrap("toy", f, nil)
	for _, target := range []string{"/a%00b", "/%ff", "/?q=%00", "/?%ff=1", "/?q=\xff", "/?a=%zz&q=%00"} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		path, query, _ := strings.Cut(target, "?")
		r.URL.RawQuery = query
		r.URL.Path = strings.NewReplacer("%00", "\x00", "%ff", "\xff").Replace(path)
		if got := serve(h, r); got.Code != 400 || !strings.Contains(got.Body.String(), api.InvalidRequest) {
			t.Errorf("%q: got %d %s, want 400", target, got.Code, got.Body)
		}
	}
	if got := ask(t, h, "GET", "/", "", "Ce-Subject", "\xff"); got.Code != 400 {
		t.Errorf("a header that is no text: got %d, want 400", got.Code)
	}
	if reached.Load() > 0 {
		t.Errorf("%d requests reached a handler", reached.Load())
	}
	if got := ask(t, h, "GET", "/?q=%C3%A9&a=%zz", "", "Cookie", "other=\xff", "User-Agent", "\xff"); got.Code != 200 {
		t.Errorf("text, and what a browser sends along: got %d, want 200", got.Code)
	}
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func networks(t *testing.T, texts ...string) []Network {
	t.Helper()
	all := make([]Network, len(texts))
	for i, text := range texts {
		if err := all[i].UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestTheClientsAddressIsWhatTrustedProxiesSay(t *testing.T) {
	t.Parallel()
	trusted := proxies(networks(t, "10.0.0.0/8", "192.0.2.1", "fd00::/8"))
	for _, c := range []struct{ peer, forwarded, want string }{
		{"198.51.100.7:1", "", "198.51.100.7"},
		{"198.51.100.7:1", "203.0.113.9", "198.51.100.7"},         // its own word
		{"10.1.2.3:1", "203.0.113.9", "203.0.113.9"},              // the proxy's word
		{"10.1.2.3:1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},     // the client wrote the first
		{"10.1.2.3:1", "203.0.113.9, 192.0.2.1", "203.0.113.9"},   // two proxies
		{"10.1.2.3:1", "junk", "10.1.2.3"},                        //
		{"10.1.2.3:1", "203.0.113.9, junk, 10.4.4.4", "10.4.4.4"}, // nobody vouches for what stands before junk
		{"[::ffff:10.1.2.3]:1", "203.0.113.9", "203.0.113.9"},
		{"[fd00::1]:1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"}, // a whole /64 is one client
	} {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		r.RemoteAddr = c.peer
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := trusted.client(r).String(); got != c.want {
			t.Errorf("%s for %q: got %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
	if err := new(Network).UnmarshalText([]byte("proxy")); err == nil {
		t.Error("a name is taken for a network")
	}
}

// TestAnAddressHasItsShare: what one takes is not missing to another.
func TestAnAddressHasItsShare(t *testing.T) {
	t.Parallel()
	s, address := started(t, Config{Concurrency: 8, TrustedProxies: networks(t, "127.0.0.1")})
	const idle = "POST /echo HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 203.0.113.1\r\nContent-Length: 9\r\n\r\n"
	for range s.cfg.PerAddress {
		dial(t, address, idle)
	}
	testkit.Eventually(t, "all bodies are waited for", func() bool { return len(s.coming) == s.cfg.PerAddress })
	if got := answer(t, dial(t, address, idle)); got.StatusCode != 429 {
		t.Errorf("one more of the same address: got %s, want 429", got.Status)
	}
	if got := answer(t, dial(t, address, strings.Replace(idle, "113.1", "113.2", 1)+"123456789")); got.StatusCode != 200 {
		t.Errorf("another address: got %s, want 200", got.Status)
	}
}

func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	s, address := started(t, Config{PerAddress: 1})
	var last net.Conn
	for range perRequest * s.cfg.PerAddress {
		last = dial(t, address, "")
	}
	over := dial(t, address, "")
	if _, err := over.Read(make([]byte, 1)); err == nil {
		t.Error("one connection too many is served")
	}
	if err := last.Close(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a place is free again", func() bool {
		connection := dial(t, address, "GET /hello/1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		line, err := bufio.NewReader(connection).ReadString('\n')
		return err == nil && strings.Contains(line, "200")
	})
}
