package readiness

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/secret"
)

// twin is a sound system in which one thing is broken.
type twin struct {
	check    string       // as an item names it
	broken   func(*world) // what is wrong
	evidence string       // what must be seen
	fix      string       // what must be said to do
}

// world is what checks look at; a new one is sound.
type world struct {
	pages      map[string]reply // of the system
	answers    map[string]string
	queries    map[string]string // Prometheus' answers to expressions; "" answers to all others
	compose    string
	containers string // what docker compose ps tells; "" if there is no Docker
	settings   map[string]string
	mode       os.FileMode
	files      map[string]string // of the server
	masked     []string          // units of systemd
	links      map[string]string // of the server's files
	beside     map[string]os.FileMode
	disk       int64
	now        time.Time
	options    func(*Options)
}

// reply is what the system answers.
type reply struct {
	status int
	header map[string]string
	body   string
}

const token = "an-operators-token"

func soundWorld() *world {
	return &world{
		pages: soundPages(), answers: soundAnswers(), queries: soundQueries(), compose: soundCompose, containers: soundContainers, settings: soundSettings(), mode: 0o600,
		files: soundServer(), beside: map[string]os.FileMode{"backup-identity.txt": 0o600, "smtp-password": 0o600}, disk: 250 << 30,
		now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC), options: func(*Options) {},
	}
}

// build makes the world and returns where to look.
func (w *world) build(t *testing.T) Options {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil { // also where a umask is stricter
			t.Fatal(err)
		}
		return path
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.settings)) {
		fmt.Fprintf(&lines, "%s=%s\n", name, w.settings[name])
	}
	for name, mode := range w.beside {
		write("deploy/"+name, "PARSE_TIMEOUT=10m # of a key no word is told", mode)
	}
	for name, text := range w.files {
		write("root/"+name, text, 0o644)
	}
	links := maps.Clone(w.links)
	for _, unit := range w.masked {
		links = map[string]string{"etc/systemd/system/" + unit: "/dev/null"}
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(dir, "root", name)); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{
		Target: serve(t, func(path string, _ url.Values) reply { return w.pages[path] }), Token: secret.New(token),
		Prometheus: serve(t, w.prometheus), Compose: []string{write("deploy/compose.yml", w.compose, 0o644)},
		Settings: write("deploy/.env", lines.String(), w.mode), Root: filepath.Join(dir, "root"), Checkout: checkout,
		DiskSize: func(string) (int64, error) { return w.disk, nil }, Now: func() time.Time { return w.now },
		Launched: w.now.AddDate(0, 0, -4), Runner: w.run,
	}
	w.options(&o)
	return o
}

// run stands in for Docker, and runs git.
func (w *world) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	switch {
	case name != "docker":
		return runProgram(ctx, name, args...)
	case w.containers == "":
		return nil, errors.New("docker: not found")
	}
	return []byte(w.containers), nil
}

func (w *world) prometheus(path string, query url.Values) reply {
	if path != "/api/v1/query" {
		return reply{status: 200, body: w.answers[path]}
	}
	answer, has := w.queries[query.Get("query")]
	if !has {
		answer = w.answers[path]
	}
	return reply{status: 200, body: answer}
}

// serve answers on a free port of this machine.
func serve(t *testing.T, answer func(path string, query url.Values) reply) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := answer(r.URL.Path, r.URL.Query())
		if strings.HasPrefix(r.URL.Path, "/api/admin") && r.Header.Get("Authorization") == "" && got.header["Open"] == "" {
			got = reply{status: http.StatusUnauthorized}
		}
		if id := r.Header.Get("X-Request-Id"); id != "" && got.header["No-Id"] == "" {
			w.Header().Set("X-Request-Id", id)
		}
		for name, value := range got.header {
			w.Header().Set(name, value)
		}
		if got.status == 0 {
			got.status = http.StatusNotFound
		}
		w.WriteHeader(got.status)
		_, _ = w.Write([]byte(got.body))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// publicly lets a name lead to the system at port 80; what answers HTTPS knows no such name.
func publicly(o *Options) {
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	secure.Close()
	reach(o, secure)
}

// reach lets any name lead to the system, over HTTPS to another server.
func reach(o *Options, secure *httptest.Server) {
	at := map[string]string{"80": strings.TrimPrefix(o.Target, "http://"), "443": secure.Listener.Addr().String()}
	o.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // of this test
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				_, port, err := net.SplitHostPort(address)
				if err != nil {
					return nil, err
				}
				return new(net.Dialer).DialContext(ctx, network, at[port])
			}}}
	o.Target = "http://schedgen.example.org"
}

// find looks at a world with one check.
func (w *world) find(t *testing.T, line string) Finding {
	t.Helper()
	s := newSystem(w.build(t))
	t.Cleanup(s.close)
	item := Item{ID: "x", Text: "x", Check: line}
	if err := item.valid(); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s.look(t.Context(), item, nil)
}

// TestBrokenTwinsAreRed breaks one thing of a sound system at a time: the sound one is green, the broken one red with what
// was seen and what to do.
func TestBrokenTwinsAreRed(t *testing.T) {
	t.Parallel()
	for _, c := range slices.Concat(systemTwins(), watchedTwins(), deployedTwins(), serverTwins(), enteredTwins()) {
		t.Run(c.check+": "+c.evidence, func(t *testing.T) {
			t.Parallel()
			if c.check != "to-https" { // its sound one is below
				if sound := soundWorld().find(t, c.check); sound.State != OK || sound.Evidence == "" {
					t.Errorf("the sound one: got %+v, want ok", sound)
				}
			}
			w := soundWorld()
			c.broken(w)
			got := w.find(t, c.check)
			if got.State != Failed || !strings.Contains(got.Evidence, c.evidence) || !strings.Contains(got.Fix, c.fix) || got.Command == "" {
				t.Errorf("got %+v\nwant it failed, with %q seen and %q to do", got, c.evidence, c.fix)
			}
		})
	}
}

// TestEachCheckHasABrokenTwin fails for a check that no test has seen red.
func TestEachCheckHasABrokenTwin(t *testing.T) {
	t.Parallel()
	elsewhere := []string{"hand", // never red
		"certificate", "name", "db-indexes", "db-connections", "db-password", "redis", "bucket"} // tests of their own
	for _, c := range slices.Concat(systemTwins(), watchedTwins(), deployedTwins(), serverTwins(), enteredTwins()) {
		elsewhere = append(elsewhere, strings.Fields(c.check)[0])
	}
	for name := range registry() {
		if !slices.Contains(elsewhere, name) {
			t.Errorf("the check %s has no broken twin", name)
		}
	}
}

// TestEachCheckIsUsed fails for a check that no item names.
func TestEachCheckIsUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, i := range items(t) {
		name, _ := i.check()
		used[name] = true
	}
	for name := range registry() {
		if !used[name] {
			t.Errorf("no item names the check %s", name)
		}
	}
}

// TestNothingIsGreenThatWasNotLookedAt looks from nowhere: no check may find anything, and each says how to look.
func TestNothingIsGreenThatWasNotLookedAt(t *testing.T) {
	t.Parallel()
	all, err := Run(t.Context(), Options{}, Selection{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		want := NotLooked
		if r.Kind == Person {
			want = ToDecide
		}
		if r.State != want || r.How == "" || r.Evidence == "" {
			t.Errorf("%s: got %+v, want %s with how to look", r.ID, r.Finding, want)
		}
	}
}

// TestWhatIsAwayIsRedOrUnknown: a system that does not answer is red, and what only it could tell is never green.
func TestWhatIsAwayIsRedOrUnknown(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away := "http://" + listener.Addr().String()
	listener.Close()
	all, err := Run(t.Context(), Options{Target: away, Token: secret.New(token), Prometheus: away}, Selection{Phase: "monitoring"})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range all {
		if r.State == OK {
			t.Errorf("%s is green: %s", r.ID, r.Evidence)
		}
	}
	if Red(all) == 0 {
		t.Error("a system that does not answer has nothing red")
	}
}
