package e2e_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/process"
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

// newEdge has other values for some of Traefik's flags than the files, and settings for the function. It skips the test
// where no Traefik is named.
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
