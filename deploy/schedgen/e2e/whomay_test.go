package e2e_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/sethvargo/go-envconfig"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/functions/backup"
	calendargenerate "github.com/schedgen/schedgen/functions/calendar-generate"
	googlesync "github.com/schedgen/schedgen/functions/google-sync"
	pdfparse "github.com/schedgen/schedgen/functions/pdf-parse"
	uploadingest "github.com/schedgen/schedgen/functions/upload-ingest"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Who may use a route stands in one place: in "security" of the API's description. These routes are not described,
// because no program calls them through the API: pages, and what only a platform asks.
var undescribed = map[string]string{
	"POST /upload":              "anyone", // the form of the page without script
	"GET /upload/{id}":          "owner",
	"GET /{$}":                  "anyone",
	"GET /assets/{name}":        "anyone",
	"GET /icons/{name}":         "anyone",
	"GET /sw.js":                "anyone",
	"GET /manifest.webmanifest": "anyone",
	"POST /{$}":                 "token", // events of pdf-parse and backup
}

// routePattern finds the routes that functions register.
var routePattern = regexp.MustCompile(`mux\.Handle\w*\("([A-Z]+ [^"]+)"`)

// routes are all that the functions' source registers.
func routes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../../functions/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range files {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range routePattern.FindAllSubmatch(source, -1) {
			if !strings.HasSuffix(name, "_test.go") {
				all = append(all, string(found[1]))
			}
		}
	}
	return all
}

// TestEachRouteSaysWhoMay: a route without an answer to "who may" fails.
func TestEachRouteSaysWhoMay(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../functions/upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, o := range openapitest.New(t, document).Operations() {
		described[o.Method+" "+o.Path] = true
		if !o.Anyone && len(o.Tokens) == 0 {
			t.Errorf("%s %s: its description does not say who may (security)", o.Method, o.Path)
		}
	}
	all := routes(t)
	if len(all) < 50 {
		t.Errorf("found %d routes in the source; is the pattern still right?", len(all))
	}
	for _, route := range all {
		if _, ok := undescribed[route]; ok == described[route] {
			t.Errorf("%s: say who may, either in the API's description or in undescribed", route)
		}
	}
}

const (
	currentKey = "the key that signs sessions now in a test"
	formerKey  = "the key that signed sessions before in a test"
	removedKey = "a key that nobody knows any more in a test"
	ourFriend  = "https://friend.example"
	stranger   = "https://stranger.example"
)

// signed is a session's token as its key's holder makes it.
func signed(key, owner string, issued time.Time) string {
	body := strings.Join([]string{"v2", owner, strconv.FormatInt(issued.Unix(), 36), "0", uuid.NewString()}, ".")
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// identity is who sends a request.
type identity struct {
	name    string
	headers []string
	lets    bool // what needs the owner
}

func cookie(token string) []string { return []string{"Cookie", session.CookieName + "=" + token} }

func bearer(token string) []string { return []string{"Authorization", "Bearer " + token} }

// identities are the owner, and those who are not.
func identities(owner string) []identity {
	now := time.Now()
	good := signed(currentKey, owner, now)
	forged := good[:len(good)-4] + "AAAA"
	return []identity{
		{"nobody", nil, false},
		{"another owner", cookie(signed(currentKey, uuid.NewString(), now)), false},
		{"another owner's token", bearer(signed(currentKey, uuid.NewString(), now)), false},
		{"a forged cookie", cookie(forged), false},
		{"a forged token", bearer(forged), false},
		{"an expired cookie", cookie(signed(currentKey, owner, now.Add(-366*24*time.Hour))), false},
		{"a cookie of the future", cookie(signed(currentKey, owner, now.Add(time.Hour))), false},
		{"a cookie by a removed key", cookie(signed(removedKey, owner, now)), false},
		{"the owner's id", bearer(owner), false},
		{"the event token", bearer(eventToken), false},
		{"the admin token", bearer(adminToken), false},
		{"a wrong token beside the right cookie", append(cookie(good), bearer("wrong")...), false},
		{"the owner's cookie", cookie(good), true},
		{"the owner's token", bearer(good), true},
		{"the owner's cookie by a former key", cookie(signed(formerKey, owner, now)), true},
	}
}

// origins are the pages that a browser may send a request for.
var origins = []struct {
	name    string
	headers []string
	foreign bool
}{
	{"no page", nil, false},
	{"our page", []string{"Sec-Fetch-Site", "same-origin"}, false},
	{"a trusted page", []string{"Origin", ourFriend, "Sec-Fetch-Site", "cross-site"}, false},
	{"another site's page", []string{"Origin", stranger, "Sec-Fetch-Site", "cross-site"}, true},
	{"a page of a host beside ours", []string{"Origin", stranger, "Sec-Fetch-Site", "same-site"}, true},
	{"another site's page in an old browser", []string{"Origin", stranger}, true},
}

// TestWhoMay asks for each operation as everybody, from every page.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	w := start(t, stack.Config{Google: stack.FakeGoogle}, "SESSION_KEY", currentKey+","+formerKey, "TRUSTED_ORIGINS", ourFriend,
		"LIMIT_CLIENT", "off", "LIMIT_STATUS", "off", "LIMIT_UPLOADS", "off", "LIMIT_ALL", "off", "LIMIT_SIGNIN", "off")
	pdf := generated(t, fixture.Options{Kind: timetable.Test, Seed: 3, Modules: 2}).pdf
	internal := []string{"POST /events/google", "POST /events/timetable", "POST /tasks/feeds", "POST /tasks/google"}
	for _, o := range w.api.Operations() {
		name := o.Method + " " + o.Path
		if slices.Contains(internal, name) {
			continue // TestOnlyTokensOpenWhatThePlatformCalls
		}
		t.Run(name, func(t *testing.T) {
			d := door{t: t, w: w, o: o, pdf: pdf}
			switch {
			case o.Anyone && slices.Contains(o.Tokens, "adminToken"):
				d.tellsOperatorsMore()
			case slices.Contains(o.Tokens, "adminToken") || slices.Contains(o.Tokens, "eventToken"):
				d.needsToken()
			case o.Anyone:
				d.isOpen()
			default:
				d.needsOwner()
			}
			d.keepsForeignPagesOut()
		})
	}
}

// door is an operation and who gets through.
type door struct {
	t   *testing.T
	w   *world
	o   openapitest.Operation
	pdf []byte
}

// belongings are an owner's, of whom each thing has an id.
type belongings struct{ owner, job, feed, address, sync string }

// owned gives a new owner one of each thing, and a Google account where the operation needs one.
func (d door) owned() belongings {
	d.t.Helper()
	s := d.w.student(d.t)
	var b belongings
	b.job = s.upload(d.pdf).JobID
	var feed struct{ ID, Token string }
	s.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{}).into(d.t, &feed)
	b.feed, b.address = feed.ID, feed.Token
	if strings.HasPrefix(d.o.Path, "/api/calendars") {
		s.signIn(d.w.google)
		var calendar struct{ ID string }
		s.call(http.StatusCreated, "POST", "/api/calendars", map[string]any{"summary": uuid.NewString()}).into(d.t, &calendar)
		var sync struct{ SyncID string }
		s.call(http.StatusOK, "POST", "/api/calendars/events", map[string]any{"calendarId": calendar.ID, "jobId": b.job}).into(d.t, &sync)
		b.sync = sync.SyncID
	}
	for _, c := range s.client.Jar.Cookies(parsed(d.t, d.w.url)) {
		if c.Name == session.CookieName {
			b.owner = strings.Split(c.Value, ".")[1]
		}
	}
	return b
}

// send asks for the operation of what somebody owns.
func (d door) send(b belongings, headers ...string) answer {
	d.t.Helper()
	id := b.job
	switch {
	case strings.Contains(d.o.Path, "/syncs/"):
		id = b.sync
	case strings.Contains(d.o.Path, "/admin/"):
		id = "1"
	}
	feed := b.address
	if d.o.Method == http.MethodDelete {
		feed = b.feed
	}
	path := strings.NewReplacer("{id}", id, "{token}", feed, "{year}", "2026").Replace(d.o.Path)
	body := bytes.NewReader(nil)
	if d.o.HasBody() {
		body = bytes.NewReader([]byte("{}"))
	}
	request, err := http.NewRequestWithContext(d.t.Context(), d.o.Method, d.w.url+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	got, err := send(d.w.api.Client(d.t), request)
	if err != nil {
		d.t.Fatal(err)
	}
	return got
}

// shut says that an answer lets nobody in, and shows nothing of an owner.
func shut(a answer, b belongings) bool {
	refused := slices.Contains([]int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound}, a.StatusCode)
	empty := a.StatusCode < 300 // the caller's own, which is empty
	for _, of := range []string{b.owner, b.job, b.feed, b.sync} {
		empty = empty && (of == "" || !bytes.Contains(a.body, []byte(of)))
	}
	return refused || empty
}

// needsOwner lets the owner in and nobody else. A list that is another's is empty.
func (d door) needsOwner() {
	b := d.owned()
	for i, who := range identities(b.owner) {
		if who.lets && d.o.Method == http.MethodDelete {
			b = d.owned() // the last one is gone
			who = identities(b.owner)[i]
		}
		got := d.send(b, who.headers...)
		if !who.lets && !shut(got, b) {
			d.t.Errorf("%s got in: %d %.300s", who.name, got.StatusCode, got.body)
		}
		if who.lets && slices.Contains([]int{401, 403, 404}, got.StatusCode) {
			d.t.Errorf("%s was kept out: %d %.300s", who.name, got.StatusCode, got.body)
		}
	}
}

// isOpen lets everybody in, whatever they carry.
func (d door) isOpen() {
	b := d.owned()
	for _, who := range identities(b.owner) {
		if got := d.send(b, who.headers...); got.StatusCode == 401 || got.StatusCode == 403 {
			d.t.Errorf("%s was kept out: %d %.300s", who.name, got.StatusCode, got.body)
		}
	}
}

// tellsOperatorsMore lets everybody in who sends no wrong token, and tells the parts of the system to operators alone.
func (d door) tellsOperatorsMore() {
	wrong := []string{"a forged token", "the owner's id", "the event token", "a wrong token beside the right cookie"}
	for _, who := range identities(uuid.NewString()) {
		want := http.StatusOK
		if slices.Contains(wrong, who.name) {
			want = http.StatusUnauthorized // otherwise the admin token could be guessed here
		}
		got, operator := d.send(belongings{}, who.headers...), who.name == "the admin token"
		if got.StatusCode != want || operator != bytes.Contains(got.body, []byte(`"parts":`)) {
			d.t.Errorf("%s: told the parts is %v, got %d %.300s, want %d", who.name, !operator, got.StatusCode, got.body, want)
		}
	}
}

// needsToken lets in who has the token that the description names.
func (d door) needsToken() {
	b := belongings{owner: uuid.NewString()}
	for _, who := range identities(b.owner) {
		lets := who.name == "the admin token" && slices.Contains(d.o.Tokens, "adminToken") ||
			who.name == "the event token" && slices.Contains(d.o.Tokens, "eventToken")
		if got := d.send(b, who.headers...); lets == (got.StatusCode == http.StatusUnauthorized) {
			d.t.Errorf("%s: let in is %v, got %d %.300s", who.name, lets, got.StatusCode, got.body)
		}
	}
}

// keepsForeignPagesOut refuses what changes something and comes with a cookie from another site's page, and lets no
// such page read an answer.
func (d door) keepsForeignPagesOut() {
	if !d.o.Anyone && (slices.Contains(d.o.Tokens, "adminToken") || slices.Contains(d.o.Tokens, "eventToken")) {
		return // no browser adds a token by itself
	}
	b := belongings{owner: uuid.NewString(), job: uuid.NewString(), feed: uuid.NewString(), address: uuid.NewString(), sync: uuid.NewString()}
	for _, from := range origins {
		got := d.send(b, append(cookie(signed(currentKey, b.owner, time.Now())), from.headers...)...)
		if d.o.Method != http.MethodGet && from.foreign != (got.StatusCode == http.StatusForbidden) {
			d.t.Errorf("%s with the owner's cookie: got %d %.300s", from.name, got.StatusCode, got.body)
		}
		if allowed := got.Header.Get("Access-Control-Allow-Origin"); from.foreign && allowed != "" && d.o.Path != "/api/openapi.json" {
			d.t.Errorf("%s may read the answer: %q", from.name, allowed)
		}
		if got := d.send(b, append(bearer(signed(currentKey, b.owner, time.Now())), from.headers...)...); got.StatusCode == http.StatusForbidden {
			d.t.Errorf("%s with a token, which is sent on purpose: %.300s", from.name, got.body)
		}
		if d.o.Method == http.MethodDelete && (strings.HasSuffix(d.o.Path, "/me") || strings.HasSuffix(d.o.Path, "/sessions")) {
			b.owner = uuid.NewString() // whose sessions have ended
		}
	}
}

// TestOnlyTokensOpenWhatThePlatformCalls asks each function itself, with tokens configured and without.
func TestOnlyTokensOpenWhatThePlatformCalls(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../functions/upload-ingest/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	takes := map[string][]string{"pdf-parse POST /": {"eventToken"}, "backup POST /": {"eventToken", "adminToken"}}
	for _, o := range openapitest.New(t, document).Operations() {
		if !o.Anyone && (slices.Contains(o.Tokens, "adminToken") || slices.Contains(o.Tokens, "eventToken")) {
			takes[" "+o.Method+" "+o.Path] = o.Tokens
		}
	}
	for name, handler := range bareFunctions(t, eventToken, adminToken) {
		closed := bareFunctions(t, "", "")[name]
		for route, tokens := range takes {
			function, route, _ := strings.Cut(route, " ")
			method, path, _ := strings.Cut(route, " ")
			if function != "" && function != name || askDirectly(t, handler, method, path) == http.StatusNotFound {
				continue // not this function's
			}
			for scheme, token := range map[string]string{"": "", "wrong": "wrong", "eventToken": eventToken, "adminToken": adminToken} {
				want := !slices.Contains(tokens, scheme)
				if got := askDirectly(t, handler, method, path, bearer(token)...); want != (got == http.StatusUnauthorized) {
					t.Errorf("%s %s with the token %q: got %d", name, route, scheme, got)
				}
				if got := askDirectly(t, closed, method, path, bearer(token)...); got != http.StatusUnauthorized {
					t.Errorf("%s %s with the token %q where none is configured: got %d", name, route, scheme, got)
				}
			}
		}
	}
}

// bareFunctions are the functions with these tokens, whose servers are away.
func bareFunctions(t *testing.T, event, admin string) map[string]http.Handler {
	t.Helper()
	known := map[string]string{
		"DATABASE_URL": "postgres://schedgen:x@127.0.0.1:1/schedgen", "REDIS_URL": "redis://127.0.0.1:1", "S3_URL": "http://127.0.0.1:1",
		"S3_ACCESS_KEY": "x", "S3_SECRET_KEY": "y", "SESSION_KEY": currentKey, "EVENT_TOKEN": event, "ADMIN_TOKEN": admin,
	}
	return map[string]http.Handler{
		"upload-ingest":     bare(t, known, uploadingest.New),
		"pdf-parse":         bare(t, known, pdfparse.New),
		"calendar-generate": bare(t, known, calendargenerate.New),
		"google-sync":       bare(t, known, googlesync.New),
		"backup":            bare(t, known, backup.New),
	}
}

func bare[C any, F faas.Function](t *testing.T, known map[string]string, make func(context.Context, C) (F, error)) http.Handler {
	t.Helper()
	var cfg C
	err := settings.ReadFrom(t.Context(), &cfg, envconfig.MapLookuper(known))
	if err != nil {
		t.Fatal(err)
	}
	fn, err := make(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fn.Close)
	return fn.Routes()
}

// askDirectly is the status of an answer; the request has a moment, for its servers never answer.
func askDirectly(t *testing.T, handler http.Handler, method, path string, headers ...string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	request := httptest.NewRequestWithContext(ctx, method, strings.ReplaceAll(path, "{id}", "1"), strings.NewReader("{}"))
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, request)
	return w.Code
}

// TestProbesTellNothing: who asks for health and metrics learns nothing of a person.
func TestProbesTellNothing(t *testing.T) {
	t.Parallel()
	w := embedded(t)
	d := door{t: t, w: w, pdf: generated(t, fixture.Options{Kind: timetable.Test, Seed: 3, Modules: 2}).pdf}
	b := d.owned()
	for _, path := range []string{"/health", "/ready", "/metrics", "/_/health", "/_/ready"} {
		eventually(t, func() error {
			got, err := get(t.Context(), http.DefaultClient, w.url+path)
			if err == nil && (got.StatusCode != http.StatusOK || !shut(got, b)) {
				err = fmt.Errorf("%s: got %d %.300s", path, got.StatusCode, got.body)
			}
			return err
		})
	}
}
