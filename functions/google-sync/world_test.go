package googlesync

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/functions/google-sync/google"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/faas"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
	"github.com/schedgen/schedgen/shared/timetable"
)

const (
	clientID     = "schedgen.apps.example"
	clientSecret = "a-secret-of-the-client"
	student      = "student@up.example"
	friend       = "friend@up.example"
	eventToken   = "between-functions"
)

// testKey is a key of the given id, made of a letter.
func testKey(id string, letter byte) string {
	return id + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{letter}, 32))
}

// world is a function behind a real server and a real database, beside a strict Google.
type world struct {
	*testing.T
	f      *Function
	site   *functest.Site
	google *fakegoogle.Server
	log    *functest.Log
	cfg    Config
}

// newWorld makes a world. What breaks a rule of Google's fails the test, whatever the function made of it.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	t.Helper()
	w := &world{T: t, log: &functest.Log{}}
	w.site = functest.NewSite(t)
	w.google = newGoogle(t, w.site.URL)
	w.cfg = Config{
		Postgres: postgres.Config{URL: secret.New(pgtest.New(t)), MaxConns: 4},
		Session:  session.Config{Keys: secret.List(strings.Repeat("s", 32))},
		Limits:   ratelimit.Unlimited,
		SignIn: account.Config{
			ClientID: clientID, ClientSecret: secret.New(clientSecret), Issuer: w.google.Issuer(), TokenKeys: secret.List(testKey("k1", 'a')),
		},
		Google: google.Config{
			CalendarURL: w.google.CalendarURL(), Backoff: time.Millisecond, BackoffMost: 8 * time.Millisecond, PerMinute: 600000, Burst: 10000,
		},
		PublicURL: w.site.URL,
		Events:    events.Config{Token: secret.New(eventToken)},
	}
	for _, c := range change {
		c(&w.cfg)
	}
	w.serve(w.function())
	t.Cleanup(func() {
		if broken := w.google.Violations(); len(broken) > 0 {
			t.Errorf("requests that Google does not allow:\n%s", strings.Join(broken, "\n"))
		}
	})
	return w
}

// function is another instance over the same database.
func (w *world) function() *Function {
	w.Helper()
	f, err := New(w.Context(), w.cfg)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(f.Close)
	return f
}

// newGoogle serves a strict Google that knows the site.
func newGoogle(t *testing.T, sites ...string) *fakegoogle.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	client := fakegoogle.Client{ID: clientID, Secret: clientSecret, Name: "schedgen"}
	for _, site := range sites {
		client.Redirects = append(client.Redirects, site+callbackPath)
	}
	g, err := fakegoogle.New(fakegoogle.Config{
		BaseURL: "http://" + server.Listener.Addr().String(),
		Users:   []fakegoogle.User{{Email: student, Name: "A Student", Picture: "https://lh3.example/a"}, {Email: friend, Name: "Friend", Picture: "javascript:alert(1)"}},
		Clients: []fakegoogle.Client{client},
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = g
	server.Start()
	t.Cleanup(server.Close)
	return g
}

// logged is a context whose logger writes into the world's book.
func (w *world) logged() context.Context {
	return api.WithLogger(w.Context(), w.log.Logger())
}

// browser is a person with a cookie jar.
type browser struct {
	*world
	http *http.Client
}

func (w *world) browser() *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	return &browser{w, &http.Client{Jar: jar, Timeout: time.Minute, Transport: w.described(), CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}}
}

// described holds what is said to and by the site to the API's description; Google is not our API.
func (w *world) described() http.RoundTripper {
	w.Helper()
	document, err := os.ReadFile("../upload-ingest/openapi.json")
	if err != nil {
		w.Fatal(err)
	}
	checked := openapitest.New(w, document).RoundTripper(w, http.DefaultTransport)
	site := w.site.Listener.Addr().String()
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == site && !strings.HasPrefix(r.URL.Path, "/health") && !strings.HasPrefix(r.URL.Path, "/metrics") {
			return checked.RoundTrip(r)
		}
		return http.DefaultTransport.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request; body may be empty, a string of JSON, or a form. Headers come in pairs.
func (b *browser) do(method, address string, body any, headers ...string) answer {
	b.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.site.URL + address
	}
	var text, media string
	switch v := body.(type) {
	case nil:
	case string:
		text, media = v, "application/json"
	case url.Values:
		text, media = v.Encode(), "application/x-www-form-urlencoded"
	default:
		data, err := json.Marshal(v)
		if err != nil {
			b.Fatal(err)
		}
		text, media = string(data), "application/json"
	}
	r, err := http.NewRequestWithContext(b.Context(), method, address, strings.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := b.http.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(data)}
}

// want checks the status and reads the body.
func (b *browser) want(a answer, status int, into any) answer {
	b.Helper()
	if a.status != status {
		b.Fatalf("status is %d, want %d: %s", a.status, status, a.body)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(a.body), into); err != nil {
			b.Fatalf("the answer is %s: %v", a.body, err)
		}
	}
	return a
}

// refused checks an error answer.
func (b *browser) refused(a answer, status int, code string) {
	b.Helper()
	var object api.Object
	b.want(a, status, &object)
	if object.Error != code || object.Message == "" {
		b.Errorf("the error is %s, want %s and a sentence", a.body, code)
	}
}

// toGoogle begins a sign-in and gives the address of Google's page.
func (b *browser) toGoogle(query string) string {
	b.Helper()
	a := b.want(b.do("GET", "/api/auth/google"+query, nil), http.StatusFound, nil)
	return a.header.Get("Location")
}

// agree answers Google's page as a person, and gives the address that Google sends back to.
func (b *browser) agree(page, email string, more ...string) string {
	b.Helper()
	b.want(b.do("GET", page, nil), http.StatusOK, nil)
	u, err := url.Parse(page)
	if err != nil {
		b.Fatal(err)
	}
	form := url.Values{"request": {u.RawQuery}, "email": {email}, "answer": {"allow"}}
	for i := 0; i < len(more); i += 2 {
		form.Add(more[i], more[i+1])
	}
	u.RawQuery = ""
	return b.want(b.do("POST", u.String(), form), http.StatusFound, nil).header.Get("Location")
}

// signIn signs a person in.
func (b *browser) signIn(email string, more ...string) {
	b.Helper()
	back := b.agree(b.toGoogle("?returnUrl=/done"), email, more...)
	if to := b.want(b.do("GET", back, nil), http.StatusFound, nil).header.Get("Location"); to != "/done?signIn=ok" {
		b.Fatalf("the sign-in leads to %q, want /done?signIn=ok", to)
	}
}

// owner is whom the browser's session names.
func (b *browser) owner() string {
	b.Helper()
	owner, err := b.f.sessions.Verify(b.token())
	if err != nil {
		b.Fatal(err)
	}
	return owner
}

// token is that of the browser's session.
func (b *browser) token() string {
	b.Helper()
	site, err := url.Parse(b.site.URL)
	if err != nil {
		b.Fatal(err)
	}
	for _, cookie := range b.http.Jar.Cookies(site) {
		if strings.HasSuffix(cookie.Name, session.CookieName) {
			return cookie.Value
		}
	}
	b.Fatal("the browser has no session")
	return ""
}

// anonymous gives the browser a session that nobody signed in to.
func (b *browser) anonymous() string {
	b.Helper()
	owner := uuid.NewString()
	site, err := url.Parse(b.site.URL)
	if err != nil {
		b.Fatal(err)
	}
	b.http.Jar.SetCookies(site, []*http.Cookie{b.f.sessions.Cookie(owner)})
	return owner
}

// upload gives an owner a completed job with the document's entries.
func (w *world) upload(owner string, doc timetable.Document) string {
	w.Helper()
	return functest.Completed(w, w.f.content.Jobs, owner, doc).ID
}

// calendar makes a calendar and gives its id.
func (b *browser) calendar() string {
	b.Helper()
	var made struct{ ID string }
	b.want(b.do("POST", "/api/calendars", nil), http.StatusCreated, &made)
	return made.ID
}

// synced is the answer to a sync.
type synced struct {
	SyncID, Status, Message                                                  string
	Count, Created, Updated, Deleted, Unchanged, Kept, Failed, Planned, Done int
	DryRun                                                                   bool
	Actions                                                                  []planAction
	KeptEdits                                                                []planKept
}

// sync syncs all that was uploaded, or as the body says.
func (b *browser) sync(calendarID string, more map[string]any) synced {
	b.Helper()
	var s synced
	b.want(b.do("POST", "/api/calendars/events", body(calendarID, more)), http.StatusOK, &s)
	return s
}

func body(calendarID string, more map[string]any) map[string]any {
	all := map[string]any{"calendarId": calendarID, "year": 2026}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// counts compares the counts of a sync.
func (b *browser) counts(s synced, created, updated, deleted, unchanged int) {
	b.Helper()
	if s.Created != created || s.Updated != updated || s.Deleted != deleted || s.Unchanged != unchanged || s.Failed != 0 {
		b.Errorf("created %d, updated %d, deleted %d, unchanged %d, failed %d; want %d, %d, %d, %d, 0",
			s.Created, s.Updated, s.Deleted, s.Unchanged, s.Failed, created, updated, deleted, unchanged)
	}
}

// lectures is a timetable of that many modules, each with two lectures and a practical.
func lectures(modules int) timetable.Document {
	doc := timetable.Document{Kind: timetable.Lecture}
	days := []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday"}
	for m := range modules {
		for i, activity := range []string{"L1", "L2", "P1"} {
			group := "G01"
			if activity == "P1" {
				group = "P01"
			}
			hour := 7 + (m+i)%10
			doc.Entries = append(doc.Entries, timetable.Entry{
				Module: "COS " + string(rune('1'+m/100%9)) + string(rune('0'+m/10%10)) + string(rune('0'+m%10)), Offered: "S1", Group: group, Lang: "E", Activity: activity,
				Day: days[(m+i)%5], StartTime: clock(hour), EndTime: clock(hour + 1), Venues: []string{"Centenary 6"}, Page: 1,
			})
		}
	}
	return doc
}

// eventIDs are the ids of a document's events.
func eventIDs(doc timetable.Document) []string {
	var ids []string
	for _, e := range calendar.Events(doc) {
		ids = append(ids, e.ID)
	}
	return ids
}

func clock(hour int) string { return string(rune('0'+hour/10)) + string(rune('0'+hour%10)) + ":30" }

// via lets the browser speak to another instance from now on.
func (b *browser) via(f *Function) *browser {
	b.Helper()
	b.world.serve(f)
	return b
}

// serve serves an instance at the site.
func (w *world) serve(f *Function) {
	w.f = f
	w.site.Serve("google-sync", f, w.log.Logger(), faas.Config{RequestTimeout: 2 * time.Minute})
}

func scanCount(row pgx.CollectableRow) (n int, err error) {
	err = row.Scan(&n)
	return n, err
}

func scanText(row pgx.CollectableRow) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// slowInserts makes each insert take a network's time.
func (w *world) slowInserts(d time.Duration) {
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Times: -1, Delay: d})
}

// tick waits between two looks.
func tick(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
	}
}
