package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// siteHost is that of the operator whose .env these tests have.
const siteHost = "schedgen.test"

// edge is upload-ingest behind the real Traefik, with the flags and labels of deploy/compose for a server on the
// internet. Traefik's ports are free ones, a stand-in of Docker tells it of the containers, and no certificate is asked
// for outside.
type edge struct {
	t        *testing.T
	function *instance
	traefik  *instance
	address  string // of the entry point with TLS
	plain    string // address of the one without
	metrics  string // address of Traefik's
	client   *http.Client
}

// newEdge has other values for some of Traefik's flags than the files, and settings for the function. It skips the test where no Traefik is named.
func newEdge(t *testing.T, flags map[string]string, settings ...string) *edge {
	t.Helper()
	program := os.Getenv("SCHEDGEN_TEST_TRAEFIK")
	if program == "" {
		t.Skip("needs Traefik: set SCHEDGEN_TEST_TRAEFIK to the program of the image that deploy/compose names (docs/testing.md)")
	}
	t.Parallel()
	b := newBackends(t, append(settings, "TRUSTED_PROXIES=127.0.0.0/8")...)
	e := &edge{t: t, function: b.function("upload-ingest")}
	services := composed(t)
	ports := map[string]string{}
	dir := t.TempDir()
	args := []string{"--providers.docker.endpoint=" + dockerOf(t, services, e.function.url),
		"--certificatesResolvers.letsencrypt.acme.caServer=http://127.0.0.1:" + freePort(t)}
	for _, flag := range services["traefik"].Command {
		if entry, ok := strings.CutSuffix(beforeEquals(flag), ".address"); ok {
			ports[strings.TrimPrefix(entry, "--entryPoints.")] = freePort(t)
			flag = entry + ".address=127.0.0.1:" + ports[strings.TrimPrefix(entry, "--entryPoints.")]
		}
		if instead, ok := flags[beforeEquals(flag)]; ok {
			flag = beforeEquals(flag) + "=" + instead
		}
		args = append(args, strings.Replace(flag, "=/certificates/", "="+dir+"/", 1))
	}
	e.address, e.plain, e.metrics = "127.0.0.1:"+ports["websecure"], "http://127.0.0.1:"+ports["web"], "http://127.0.0.1:"+ports["metrics"]+"/metrics"
	e.client = e.from(netip.MustParseAddr("127.0.0.2"))
	e.traefik = &instance{t: t, url: "https://" + e.address, spec: process.Spec{Path: program, Args: args, Dir: dir, Log: filepath.Join(dir, "log"), Death: syscall.SIGTERM}}
	var err error
	if e.traefik.process, err = process.Start(e.traefik.spec); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.traefik.process.Kill(); err != nil {
			t.Error(err)
		}
		if said, err := os.ReadFile(e.traefik.spec.Log); t.Failed() {
			t.Logf("the end of what Traefik said: %v\n%s", err, said[max(0, len(said)-8000):])
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.traefik.process.Ready(ctx, func(ctx context.Context) error {
		got, err := get(ctx, e.client, "https://"+siteHost+"/api/health")
		if err == nil && got.StatusCode != http.StatusOK {
			err = fmt.Errorf("%d %.200s", got.StatusCode, got.body)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return e
}

// soonGivenUp has Traefik stop reading a request after 5 s, in place of more than a minute.
var soonGivenUp = map[string]string{"--entryPoints.websecure.transport.respondingTimeouts.readTimeout": "5s"}

func beforeEquals(flag string) string {
	name, _, _ := strings.Cut(flag, "=")
	return name
}

// composeService is one of deploy/compose, as far as Traefik sees it.
type composeService struct {
	Command []string
	Labels  map[string]string
}

// composed are the services for a server on the internet.
func composed(t *testing.T) map[string]composeService {
	t.Helper()
	all := map[string]composeService{}
	for _, file := range []string{"deploy/compose/compose.yml", "deploy/compose/compose.prod.yml"} {
		var read struct{ Services map[string]composeService }
		parseYAML(t, file, &read)
		for name, over := range read.Services {
			one := all[name]
			if over.Command != nil { // with !override
				one.Command = over.Command
			}
			if one.Labels == nil {
				one.Labels = map[string]string{}
			}
			for label, value := range over.Labels {
				one.Labels[label] = os.Expand(value, operatorOf)
			}
			all[name] = one
		}
	}
	for i, flag := range all["traefik"].Command {
		all["traefik"].Command[i] = os.Expand(flag, operatorOf)
	}
	return all
}

// operatorOf is a variable of .env, as a compose file names it.
func operatorOf(name string) string {
	name, _, _ = strings.Cut(name, ":")
	return map[string]string{"SITE_HOST": siteHost, "DASHBOARD_HOST": "traefik.test", "ACME_EMAIL": "operator@schedgen.test",
		"DASHBOARD_USERS": "operator:$2y$05$hash"}[name]
}

// oldestAPI is the oldest version of its API that Docker Engine 29 still answers.
const oldestAPI = 44 // 1.44

// dockerOf is a stand-in of Docker with the containers of Traefik and upload-ingest, and its address.
func dockerOf(t *testing.T, services map[string]composeService, function string) string {
	t.Helper()
	at := parsed(t, function)
	labels := map[string]map[string]string{"traefik": services["traefik"].Labels, "upload-ingest": maps.Clone(services["upload-ingest"].Labels)}
	labels["upload-ingest"]["traefik.http.services.upload-ingest.loadBalancer.server.port"] = at.Port()
	type object map[string]any
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	mux.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.52") })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, object{"Version": "29.0.0", "ApiVersion": "1.52", "MinAPIVersion": fmt.Sprint("1.", oldestAPI)})
	})
	mux.HandleFunc("GET /containers/json", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, []object{{"Id": "traefik"}, {"Id": "upload-ingest"}})
	})
	mux.HandleFunc("GET /containers/{name}/json", func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		answer(w, object{"Id": name, "Name": "/" + name, "State": object{"Status": "running", "Running": true}, "Config": object{"Labels": labels[name]},
			"HostConfig": object{"NetworkMode": "schedgen_inside"}, "NetworkSettings": object{"Ports": object{"80/tcp": []object{}},
				"Networks": object{"schedgen_inside": object{"NetworkID": "inside", "IPAddress": at.Hostname()}}}})
	})
	mux.HandleFunc("GET /events", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // its reader may be gone
		<-r.Context().Done()                      // nothing happens
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if version, rest, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/v1."), "/"); ok && strings.HasPrefix(r.URL.Path, "/v1.") {
			if n, err := strconv.Atoi(version); err != nil || n < oldestAPI {
				w.WriteHeader(http.StatusBadRequest)
				answer(w, object{"message": fmt.Sprintf("client version 1.%s is too old. Minimum supported API version is 1.%d", version, oldestAPI)})
				return
			}
			r.URL.Path = "/" + rest
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // of who waits for events
		server.Close()
	})
	return strings.Replace(server.URL, "http", "tcp", 1)
}

// dial is a connection with TLS from an address of this machine's, over which a protocol is spoken.
func (e *edge) dial(ctx context.Context, from netip.Addr, protocol string) (*tls.Conn, error) {
	dialer := tls.Dialer{NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}, Config: &tls.Config{
		ServerName: siteHost, NextProtos: []string{protocol}, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: true, // Traefik made its certificate itself
	}}
	conn, err := dialer.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	return conn.(*tls.Conn), nil
}

// from is a client at an address of this machine's.
func (e *edge) from(address netip.Addr) *http.Client {
	e.t.Helper()
	transport := &http.Transport{DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return e.dial(ctx, address, "http/1.1") }}
	e.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience}
}

// upload sends a PDF from an address that nobody else has, and gives the answer's status.
func (e *edge) upload(pdf []byte) (int, error) {
	contentType, body := form(pdf)
	request, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, "https://"+siteHost+"/api/upload", body)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=0")
	got, err := send(e.client, request)
	if err != nil {
		return 0, err
	}
	return got.StatusCode, nil
}

// TestOnlyTheSiteIsServedAndOnlyWithTLS: without TLS there is a redirect and no more, with it HSTS, and neither the
// platform's own paths nor another host lead to the function.
func TestOnlyTheSiteIsServedAndOnlyWithTLS(t *testing.T) {
	e := newEdge(t, nil)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.plain+"/api/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = siteHost
	got, err := send(&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, request)
	if err != nil || got.StatusCode/100 != 3 || got.Header.Get("Location") != "https://"+siteHost+"/api/me" || e.answered("/api/me") != 0 {
		t.Errorf("without TLS: got %v, %v, and the function answered %d requests, want a redirect", got.Response, err, e.answered("/api/me"))
	}
	for address, want := range map[string]int{
		siteHost + "/api/openapi.json": http.StatusOK, siteHost + "/metrics": http.StatusNotFound, siteHost + "/health": http.StatusNotFound,
		siteHost + "/ready": http.StatusNotFound, siteHost + "/api/admin/limits": http.StatusNotFound, siteHost + "/events/s3": http.StatusNotFound,
		siteHost + "/tasks/sweep": http.StatusNotFound, "other.test/api/openapi.json": http.StatusNotFound,
	} {
		got, err := get(t.Context(), e.client, "https://"+address)
		if err != nil || got.StatusCode != want || want == http.StatusOK && got.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("%s: got %v, %v, want %d, and HSTS of the site", address, got.Response, err, want)
		}
	}
}

// hidden is a request that hostile ones hold. Nobody else sends one.
const hidden = "GET /api/me HTTP/1.1\r\nHost: " + siteHost + "\r\n\r\n"

// answered is how many requests of a route the function has answered; of all, where it is "".
func (e *edge) answered(route string) (n int) {
	e.t.Helper()
	if route != "" {
		route = "route=" + strconv.Quote(route) + ".*"
	}
	counts := regexp.MustCompile("(?m)^http_requests_total{.*" + route + "} (\\d+)")
	got, err := get(e.t.Context(), http.DefaultClient, e.function.url+"/metrics")
	if err != nil {
		e.t.Fatal(err)
	}
	for _, found := range counts.FindAllSubmatch(got.body, -1) {
		one, _ := strconv.Atoi(string(found[1])) // digits
		n += one
	}
	return n
}

// last ends a connection. Traefik itself answers it, where it is read as a request.
const last = "GET /nowhere HTTP/1.1\r\nHost: " + siteHost + "\r\nConnection: close\r\n\r\n"

// exchange sends bytes as they are, then last, and gives the status of each answer that came.
func (e *edge) exchange(sent string) (statuses []int, err error) {
	conn, err := e.dial(e.t.Context(), netip.MustParseAddr("127.0.0.1"), "http/1.1")
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(conn, sent+last) // a server that refuses may not read all of it
	}()
	defer func() {
		_ = conn.Close()
		<-written
	}()
	for answers := bufio.NewReader(conn); ; {
		response, err := http.ReadResponse(answers, nil)
		if err != nil {
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				return statuses, err
			}
			return statuses, nil
		}
		_, _ = io.Copy(io.Discard, response.Body) // what is cut off is no answer, which the next turn sees
		_ = response.Body.Close()
		if response.StatusCode >= 200 {
			statuses = append(statuses, response.StatusCode)
		}
	}
}

// uploadOf is a request for an upload with the headers and the body, as bytes.
func uploadOf(headers, body string) string {
	return "POST /api/upload HTTP/1.1\r\nHost: " + siteHost + "\r\nContent-Type: multipart/form-data; boundary=b\r\n" + headers + "\r\n" + body
}

func lengthOf(body string) string { return fmt.Sprintf("Content-Length: %d\r\n", len(body)) }

// TestTraefikHandsOnNoHiddenRequest: a request whose end is unclear is refused, one that is clear ends where it says, and
// what is in a body is never a request, whether or not the function reads it.
func TestTraefikHandsOnNoHiddenRequest(t *testing.T) {
	e := newEdge(t, soonGivenUp, "FUNCTION_BODY_STALL=500ms") // of the body that is too short
	many := strings.Repeat(hidden, 12<<20/len(hidden))        // more than the function takes
	for name, sent := range map[string]string{
		"two lengths":                  uploadOf(lengthOf(hidden)+"Content-Length: 5\r\n", hidden+hidden),
		"a list of lengths":            uploadOf("Content-Length: 5, 50\r\n", hidden+hidden),
		"a signed length":              uploadOf("Content-Length: +5\r\n", hidden),
		"a negative length":            uploadOf("Content-Length: -1\r\n", hidden),
		"a hexadecimal length":         uploadOf("Content-Length: 0x10\r\n", hidden),
		"a length folded":              uploadOf("Content-Length:\r\n 5\r\nX: \r\n", hidden),
		"a length and unknown coding":  uploadOf("Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n", "0\r\n\r\n"+hidden),
		"an unknown coding":            uploadOf("Transfer-Encoding: xchunked\r\n", hidden),
		"a quoted coding":              uploadOf("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"+hidden),
		"an empty coding":              uploadOf("Transfer-Encoding:\r\n", "0\r\n\r\n"+hidden),
		"two codings":                  uploadOf("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+hidden),
		"the coding twice":             uploadOf("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a coding and a vertical tab":  uploadOf("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"+hidden),
		"a space before the colon":     uploadOf("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+hidden),
		"a tab before the colon":       uploadOf("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"+hidden),
		"a NUL in a name":              uploadOf("Transfer-Encoding\x00: chunked\r\n", "0\r\n\r\n"+hidden),
		"a header without a colon":     uploadOf("Transfer-Encoding\r\n", hidden),
		"a CR in a header":             uploadOf("X: a\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n"+hidden),
		"a negative chunk":             uploadOf("Transfer-Encoding: chunked\r\n", "-1\r\n\r\n"+hidden),
		"a signed chunk":               uploadOf("Transfer-Encoding: chunked\r\n", "+5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk of no number":         uploadOf("Transfer-Encoding: chunked\r\n", "0x5\r\nhello\r\n0\r\n\r\n"+hidden),
		"a chunk that is longer":       uploadOf("Transfer-Encoding: chunked\r\n", "5\r\nhello world\r\n0\r\n\r\n"+hidden),
		"a chunk ended by LF":          uploadOf("Transfer-Encoding: chunked\r\n", "5\nhello\n0\n\n"+hidden),
		"an extension with LF":         uploadOf("Transfer-Encoding: chunked\r\n", "2;\nxx\r\n"+fmt.Sprintf("%x\r\n", len(hidden))+hidden+"\r\n0\r\n\r\n"),
		"a huge chunk":                 uploadOf("Transfer-Encoding: chunked\r\n", "FFFFFFFFFFFFFFFFF\r\n"+hidden),
		"a refused body":               uploadOf(lengthOf(hidden), hidden),
		"a refused body in chunks":     uploadOf("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hidden), hidden)),
		"a large body":                 uploadOf(lengthOf(many), many),
		"a large body in chunks":       uploadOf("Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(many), many)),
		"a body that is not read":      strings.Replace(uploadOf(lengthOf(hidden), hidden), "POST /api/upload", "GET /api/jobs/x", 1),
		"a body that is too short":     uploadOf("Content-Length: 1000\r\n", hidden),
		"a body that is not asked for": uploadOf("Expect: 100-continue\r\n"+lengthOf(hidden), hidden),
		"another expectation":          uploadOf("Expect: y 100-continue\r\n"+lengthOf(hidden), hidden),
		"no path for it":               strings.Replace(uploadOf(lengthOf(hidden), hidden), "/api/upload", "/nowhere", 1),
		"a length as no hop's":         uploadOf("Connection: Content-Length\r\n"+lengthOf(hidden), hidden),
		"a method of two lines":        "GET /api/jobs/x HTTP/1.1\nX: \r\nHost: " + siteHost + "\r\n" + lengthOf(hidden) + "\r\n" + hidden,
		"a path with a request":        "GET /api/jobs/x%20HTTP/1.1%0d%0aHost:%20x%0d%0a%0d%0aGET%20/api/me HTTP/1.1\r\nHost: " + siteHost + "\r\n\r\n",
		"HTTP/2 without its preface":   "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + hidden,
	} {
		statuses, err := e.exchange(sent)
		if err != nil || len(statuses) < 1 || len(statuses) > 2 || slices.Min(statuses) < 400 { // of two the other is that of last
			t.Errorf("%s: answered with %v, %v, want one refusal", name, statuses, err)
		}
		if n := e.answered("/api/me"); n != 0 {
			t.Fatalf("%s: %d hidden requests reached the function", name, n)
		}
	}
	if statuses, err := e.exchange(hidden); err != nil || len(statuses) != 2 || e.answered("/api/me") != 1 {
		t.Errorf("the hidden request by itself: answered with %v, %v, and %d reached the function, want one, and last", statuses, err, e.answered("/api/me"))
	}
}

// streams is a connection that speaks HTTP/2 as nobody should.
type streams struct {
	conn    *tls.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
}

func (e *edge) streams(from netip.Addr) (*streams, error) {
	conn, err := e.dial(e.t.Context(), from, "h2")
	if err != nil {
		return nil, err
	}
	s := &streams{conn: conn, framer: http2.NewFramer(conn, conn)}
	s.framer.AllowIllegalWrites = true
	s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	s.encoder = hpack.NewEncoder(&s.block)
	_, err = io.WriteString(conn, http2.ClientPreface)
	return s, errors.Join(err, conn.SetDeadline(time.Now().Add(patience)), s.framer.WriteSettings())
}

// open sends a request's fields, names and values, on a stream.
func (s *streams) open(stream uint32, ends bool, fields ...string) error {
	s.block.Reset()
	for i := 0; i+1 < len(fields); i += 2 {
		if err := s.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			return err
		}
	}
	return s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: s.block.Bytes(), EndHeaders: true, EndStream: ends})
}

// status is that of the answer on a stream; 0 where the stream or the connection was ended instead.
func (s *streams) status(stream uint32) (int, error) {
	for {
		frame, err := s.framer.ReadFrame()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return 0, err
		}
		if err != nil {
			return 0, nil
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == stream {
				return strconv.Atoi(f.PseudoValue("status"))
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == stream {
				return 0, nil
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo {
				return 0, nil
			}
		}
	}
}

// uploadFields are those of an upload over HTTP/2, and more.
func uploadFields(more ...string) []string {
	return append([]string{":method", "POST", ":scheme", "https", ":authority", siteHost, ":path", "/api/upload",
		"content-type", "multipart/form-data; boundary=b"}, more...)
}

// TestTraefikMakesNoHiddenRequestOfHTTP2: what HTTP/2 can say and HTTP/1.1 cannot must not become a second request on the
// way to the function.
func TestTraefikMakesNoHiddenRequestOfHTTP2(t *testing.T) {
	e := newEdge(t, nil)
	jobs := func(name, value string) []string {
		fields := []string{":method", "GET", ":scheme", "https", ":authority", siteHost, ":path", "/api/jobs/x"}
		for i := 0; i < len(fields); i += 2 {
			if fields[i] == name {
				fields[i+1] = value
				return fields
			}
		}
		return append(fields, name, value)
	}
	const lines = "\r\nHost: " + siteHost + "\r\n\r\n" + hidden
	for name, c := range map[string]struct {
		fields []string
		data   string
	}{
		"no length and a request":         {uploadFields(), hidden},
		"a length of nothing":             {uploadFields("content-length", "0"), hidden},
		"a length that is too short":      {uploadFields("content-length", "5"), "0\r\n\r\n" + hidden},
		"two lengths":                     {uploadFields("content-length", "5", "content-length", fmt.Sprint(len(hidden))), hidden},
		"a length with lines":             {uploadFields("content-length", "0\r\n\r\n"+hidden), ""},
		"a coding":                        {uploadFields("transfer-encoding", "chunked"), "0\r\n\r\n" + hidden},
		"a coding and a length":           {uploadFields("transfer-encoding", "chunked", "content-length", fmt.Sprint(len(hidden)+5)), "0\r\n\r\n" + hidden},
		"a connection":                    {uploadFields("connection", "transfer-encoding, content-length"), hidden},
		"lines in a value":                {jobs("x", "a"+lines), ""},
		"a coding after lines in a value": {uploadFields("x", "a\r\ntransfer-encoding: chunked"), "0\r\n\r\n" + hidden},
		"LF in a value":                   {uploadFields("x", "a\ntransfer-encoding: chunked"), "0\r\n\r\n" + hidden},
		"lines in a name":                 {jobs("x: a"+lines+"y", "b"), ""},
		"a colon in a name":               {uploadFields("transfer-encoding: chunked\r\nx", "a"), "0\r\n\r\n" + hidden},
		"a space in a name":               {uploadFields("transfer-encoding ", "chunked"), "0\r\n\r\n" + hidden},
		"capital letters":                 {uploadFields("Transfer-Encoding", "chunked"), "0\r\n\r\n" + hidden},
		"lines in the path":               {jobs(":path", "/api/jobs/x HTTP/1.1"+lines), ""},
		"a version in the path":           {jobs(":path", "/api/jobs/x HTTP/1.1"), ""},
		"lines in the method":             {jobs(":method", "GET /api/jobs/x HTTP/1.1"+lines), ""},
		"lines in the authority":          {jobs(":authority", siteHost+"\r\n\r\n"+hidden), ""},
		"lines in the scheme":             {jobs(":scheme", "https://x/ HTTP/1.1"+lines), ""},
		"another host":                    {jobs("host", "x"+lines), ""},
		"a path after a field":            {append(uploadFields("x", "a"), ":path", "/api/me"), ""},
		"two paths":                       {append(jobs("x", "a")[:8], ":path", "/api/me"), ""},
	} {
		s, err := e.streams(netip.MustParseAddr("127.0.0.1"))
		if err != nil {
			t.Fatal(err)
		}
		err = s.open(1, c.data == "", c.fields...)
		if err == nil && c.data != "" {
			err = s.framer.WriteData(1, true, []byte(c.data))
		}
		var status int
		if err == nil { // else it was refused while it came
			status, err = s.status(1)
		}
		_ = s.conn.Close()
		var timeout net.Error
		if status != 0 && status < 400 || errors.As(err, &timeout) && timeout.Timeout() {
			t.Errorf("%s: answered with %d, %v, want a refusal", name, status, err)
		}
		if n := e.answered("/api/me"); n != 0 {
			t.Fatalf("%s: %d hidden requests reached the function", name, n)
		}
	}
}

// reset opens so many streams on one connection, and resets each without waiting for its answer. It ends early where the
// server ends the connection.
func (e *edge) reset(from netip.Addr, count int) (sent int, err error) {
	s, err := e.streams(from)
	if err != nil {
		return 0, err
	}
	read := make(chan struct{})
	go func() { // what the server says, or it would not read any more
		defer close(read)
		for {
			if _, err := s.framer.ReadFrame(); err != nil {
				return
			}
		}
	}()
	defer func() {
		_ = s.conn.Close()
		<-read
	}()
	const atOnce = 100 // fewer than Traefik serves of one connection, so that many reach the function
	for ; sent < count; sent += atOnce {
		for n := sent; n < sent+atOnce; n++ {
			if err := s.begin(uint32(2*n + 1)); err != nil {
				return sent, nil // the server had enough
			}
		}
		for n := sent; n < sent+atOnce; n++ {
			if err := s.framer.WriteRSTStream(uint32(2*n+1), http2.ErrCodeCancel); err != nil {
				return sent, nil
			}
		}
	}
	return sent, nil
}

// begin opens a stream with a whole request, or with an upload that has begun.
func (s *streams) begin(stream uint32) error {
	if stream%4 == 1 {
		return s.open(stream, true, ":method", "GET", ":scheme", "https", ":authority", siteHost, ":path", "/api/jobs/x")
	}
	if err := s.open(stream, false, uploadFields()...); err != nil {
		return err
	}
	return s.framer.WriteData(stream, false, []byte("--b\r\n"))
}

// inFlight finds how many requests are.
var inFlight = regexp.MustCompile(`(?m)^http_requests_in_flight{.*} (\d+)`)

// TestRapidResetsLeaveNothing: of streams that are opened and reset in a loop (CVE-2023-44487), from many addresses, no
// request and no goroutine is left, and another client is served meanwhile.
func TestRapidResetsLeaveNothing(t *testing.T) {
	e := newEdge(t, nil)
	pdf := generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf
	honest := func() {
		t.Helper()
		if status, err := e.upload(pdf); err != nil || status != http.StatusAccepted {
			t.Errorf("an honest upload: got %d, %v, want 202", status, err)
		}
	}
	running := func(address string) int {
		t.Helper()
		got, err := get(t.Context(), http.DefaultClient, address)
		if err != nil {
			t.Fatal(err)
		}
		found := goroutines.FindSubmatch(got.body)
		if found == nil {
			t.Fatalf("no goroutines at %s", address)
		}
		n, _ := strconv.Atoi(string(found[1])) // digits
		return n
	}
	honest()
	atFunction, atTraefik := running(e.function.url+"/metrics"), running(e.metrics)

	const addresses, each = 20, 2000
	type end struct {
		sent int
		err  error
	}
	ends := make(chan end, addresses)
	for n := range byte(addresses) {
		go func() {
			sent, err := e.reset(netip.AddrFrom4([4]byte{127, 0, 1, n}), each)
			ends <- end{sent, err}
		}()
	}
	sent, uploads := 0, 0
	for left := addresses; left > 0; {
		select {
		case one := <-ends:
			left--
			sent += one.sent
			if one.err != nil {
				t.Error(one.err)
			}
		default:
			honest()
			uploads++
		}
	}
	t.Logf("%d streams were opened and reset, %d uploads taken meanwhile; the function answered %d requests", sent, uploads, e.answered(""))
	if sent == 0 || uploads == 0 {
		t.Error("want both")
	}
	honest()
	eventually(t, func() error {
		got, err := get(t.Context(), http.DefaultClient, e.function.url+"/metrics")
		if err != nil {
			return err
		}
		if found := inFlight.FindSubmatch(got.body); found == nil || string(found[1]) != "0" {
			return fmt.Errorf("in flight: %s", found)
		}
		return nil
	})
	eventually(t, func() error {
		const kept = 2*200 + 100 // goroutines of connections to the function that Traefik keeps for later
		if n := running(e.metrics); n > atTraefik+kept {
			return fmt.Errorf("Traefik has %d goroutines, before %d", n, atTraefik)
		}
		return nil
	})
	if err := e.traefik.process.Stop(patience); err != nil { // and with it those connections
		t.Fatal(err)
	}
	eventually(t, func() error {
		if n := running(e.function.url + "/metrics"); n > atFunction+30 {
			return fmt.Errorf("the function has %d goroutines, before %d", n, atFunction)
		}
		return nil
	})
}

// TestBodiesThatDoNotComeAreGivenUpBehindTraefik: each gets its answer, at the latest when Traefik stops reading, and
// another client is served meanwhile.
func TestBodiesThatDoNotComeAreGivenUpBehindTraefik(t *testing.T) {
	e := newEdge(t, soonGivenUp, "FUNCTION_BODY_STALL=500ms")
	var conns []*tls.Conn
	for range 50 {
		conn, err := e.dial(t.Context(), netip.MustParseAddr("127.0.0.1"), "http/1.1")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // its answer is read
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, uploadOf("Content-Length: 1000000\r\n", "--b\r\n")); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	if status, err := e.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf); err != nil || status != http.StatusAccepted {
		t.Errorf("an honest upload: got %d, %v, want 202", status, err)
	}
	for _, conn := range conns {
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("no answer: %v", err)
		}
		_ = response.Body.Close()
		if response.StatusCode < 400 {
			t.Errorf("got %s, want a refusal", response.Status)
		}
	}
}
