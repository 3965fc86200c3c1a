package googlesync

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

// TestATrustedFrontendReadsTheAnswers: a page on a host of its own may ask first, then ask, and read what is said.
func TestATrustedFrontendReadsTheAnswers(t *testing.T) {
	t.Parallel()
	const app = "https://app.example.org"
	w := newWorld(t, func(c *Config) { c.TrustedOrigins = []string{app} })
	for origin, want := range map[string]string{app: app, "https://evil.example": ""} {
		a := w.browser().do("GET", "/api/auth/status", nil, "Origin", origin)
		if got := a.header.Get("Access-Control-Allow-Origin"); got != want || a.status != http.StatusOK {
			t.Errorf("%s: got %d, readable by %q; want 200, by %q", origin, a.status, got, want)
		}
	}
}

// TestReturnURLLeadsNowhereElse: an address of ours, or nothing.
func TestReturnURLLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.TrustedOrigins = []string{"https://app.example.org"} })
	b := w.browser()
	for _, good := range []string{"", "/", "/done?x=1#y", w.site.URL + "/page", "https://app.example.org/x", "HTTPS://APP.example.org/x", "/my%20page/caf%C3%A9", "/?to=%5c%2f", "/?" + strings.Repeat("&", 998)} {
		a := b.do("GET", "/api/auth/google?returnUrl="+url.QueryEscape(good), nil)
		if a.status != http.StatusFound {
			t.Errorf("%q: status %d, want 302: %s", good, a.status, a.body)
		}
		for _, cookie := range a.header.Values("Set-Cookie") {
			if len(cookie) > 4096 {
				t.Errorf("%q: a cookie of %d bytes, which browsers drop", good, len(cookie))
			}
		}
	}
	for _, bad := range []string{
		"//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example/", "javascript:alert(1)", "data:text/html,x",
		"https://app.example.org.evil.example/", "https://app.example.org@evil.example/", "https://user@app.example.org/", "http://app.example.org/",
		"https:evil.example", "https:///evil.example", "/\t/evil.example", "/x\r\nSet-Cookie: a=b", " //evil.example", "evil.example", "?x", "//%2fevil.example",
		"/" + strings.Repeat("a", 1001), "https://app.example.org:444/", "/%5cevil.example", "/%5Cevil.example", "/%2fevil.example", "/%2F%2fevil.example",
		"/%09/evil.example", "/x%0d%0aSet-Cookie:a=b", "/%00", "/\u0085/evil.example", "/\u2028/evil.example", "/a b", "/%ff", "https://app.example.org/%5c", "/%zz",
	} {
		b.refused(b.do("GET", "/api/auth/google?returnUrl="+url.QueryEscape(bad), nil), 400, api.InvalidReturnURL)
	}
	b.refused(b.do("GET", "/api/auth/google?access=everything", nil), 400, api.ValidationFailed)
}

// TestForeignCallbacksAreRefused: a state belongs to one browser, one session and one sign-in.
func TestForeignCallbacksAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	victim, attacker := w.browser(), w.browser()
	theirs := attacker.agree(attacker.toGoogle(""), friend)
	// Login CSRF: the victim is sent the attacker's way back, first without and then with a session of their own.
	victim.refused(victim.do("GET", theirs, nil), 400, api.SignInFailed)
	victim.toGoogle("")
	victim.refused(victim.do("GET", theirs, nil), 400, api.SignInFailed)
	// The session changed between the two.
	mine := victim.agree(victim.toGoogle(""), student)
	kept := victim.owner()
	victim.anonymous()
	victim.refused(victim.do("GET", mine, nil), 400, api.SignInFailed)
	if _, err := w.f.accounts.Get(t.Context(), kept); err == nil {
		t.Error("an account was made of a refused sign-in")
	}
	for _, query := range []string{"", "?code=x", "?state=&code=x", "?state=short&code=x", "?state=" + strings.Repeat("A", 26) + "&code=x"} {
		victim.refused(victim.do("GET", callbackPath+query, nil), 400, api.SignInFailed)
	}
	// The state of one sign-in with the cookie of another.
	u, err := url.Parse(victim.agree(victim.toGoogle(""), student))
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("state", query.Get("state")[:8]+strings.Repeat("B", 18))
	victim.refused(victim.do("GET", callbackPath+"?"+query.Encode(), nil), 400, api.SignInFailed)
	// The right one still works, once.
	back := u.String()
	victim.want(victim.do("GET", back, nil), http.StatusFound, nil)
	victim.refused(victim.do("GET", back, nil), 400, api.SignInFailed)
}

// TestOtherWebsitesBlockNobodysSignIn: pictures of other websites that lead here are no guesses, for no browser sends the
// cookie of a sign-in with them. A program's callbacks are, and so are those with a cookie that does not fit.
func TestOtherWebsitesBlockNobodysSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Limits.SignIn = ratelimit.Rate{Count: 5, Per: time.Hour} })
	state := strings.Repeat("A", 26)
	picture := callbackPath + "?code=x&state=" + state
	student, visitor := w.browser(), w.browser()
	for range 20 {
		visitor.refused(visitor.do("GET", picture, nil, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "image"), 400, api.SignInFailed)
	}
	student.signIn(friend)
	guesser := w.browser()
	for range 5 {
		guesser.refused(guesser.do("GET", picture, nil, "Sec-Fetch-Site", "cross-site", "Cookie", attemptName(state)+"=forged"), 400, api.SignInFailed)
	}
	guesser.refused(guesser.do("GET", picture, nil), 429, api.RateLimited)
}

// TestProgramsThatGuessAreBlocked: what does not say where it was sent from is no browser.
func TestProgramsThatGuessAreBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Limits.SignIn = ratelimit.Rate{Count: 5, Per: time.Hour} })
	program := w.browser()
	for range 5 {
		program.refused(program.do("GET", callbackPath+"?code=x&state="+strings.Repeat("A", 26), nil), 400, api.SignInFailed)
	}
	program.refused(program.do("GET", "/api/auth/google", nil), 429, api.RateLimited)
}

// TestDeniedAndFailedSignInsLeadBack: the page is told, and nobody is signed in.
func TestDeniedAndFailedSignInsLeadBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.toGoogle("?returnUrl=/p%3Fa%3D1")
	u, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	denied := b.do("POST", w.google.Issuer()+"/o/oauth2/v2/auth", url.Values{"request": {u.RawQuery}, "answer": {"deny"}}).header.Get("Location")
	if to := b.do("GET", denied, nil).header.Get("Location"); to != "/p?a=1&signIn=denied" {
		t.Errorf("a denied sign-in leads to %q", to)
	}
	back := b.agree(b.toGoogle("?returnUrl=/p"), student)
	forged := strings.Replace(back, "code=4", "code=5", 1)
	if to := b.do("GET", forged, nil).header.Get("Location"); to != "/p?signIn=failed" {
		t.Errorf("a forged code leads to %q", to)
	}
	w.google.Inject(fakegoogle.Fault{Method: "token", Status: 503, Reason: "backendError"})
	if to := b.do("GET", b.agree(b.toGoogle("?returnUrl=/p"), student), nil).header.Get("Location"); to != "/p?signIn=failed" {
		t.Errorf("a sign-in while Google is away leads to %q", to)
	}
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if status != (statusAnswer{Configured: true}) {
		t.Errorf("status is %+v, want nobody signed in", status)
	}
}

// TestAnonymousUploadsJoinTheAccount: all that was uploaded before, and nobody else's.
func TestAnonymousUploadsJoinTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	laptop, phone := w.browser(), w.browser()
	before := laptop.anonymous()
	one := w.upload(before, lectures(1))
	other := w.upload(phone.anonymous(), lectures(2))
	strangers := w.upload("018f4d6e-0000-7000-8000-000000000000", lectures(1))
	laptop.signIn(student)
	phone.signIn(student)
	owner := laptop.owner()
	if owner != phone.owner() || owner == before {
		t.Errorf("the owner is %s on the laptop, %s on the phone, and was %s: want one new owner", owner, phone.owner(), before)
	}
	for _, id := range []string{one, other} {
		if _, err := w.f.content.Jobs.Get(t.Context(), owner, id); err != nil {
			t.Errorf("job %s is not the account's: %v", id, err)
		}
		if _, err := w.f.content.Jobs.Get(t.Context(), before, id); err == nil {
			t.Errorf("job %s is still the anonymous owner's", id)
		}
	}
	if _, err := w.f.content.Jobs.Get(t.Context(), owner, strangers); err == nil {
		t.Error("a stranger's job is the account's")
	}
	// Signing in as somebody else moves nothing.
	laptop.signIn(friend)
	if _, err := w.f.content.Jobs.Get(t.Context(), owner, one); err != nil {
		t.Errorf("the student's job went along to the friend: %v", err)
	}
}

// TestLeastAccess: who allows only calendars of schedgen's own can still make one and sync to it.
func TestLeastAccess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	page := b.toGoogle("?access=own&returnUrl=/done")
	for _, scope := range []string{account.ScopeEvents, account.ScopeCalendar} {
		if strings.Contains(page, url.QueryEscape(scope)) {
			t.Errorf("access=own asks for %s", scope)
		}
	}
	b.want(b.do("GET", b.agree(page, student), nil), http.StatusFound, nil)
	w.upload(b.owner(), lectures(1))
	id := b.calendar()
	b.counts(b.sync(id, nil), 3, 0, 0, 0)
	var list struct{ Calendars []calendarAnswer }
	b.want(b.do("GET", "/api/calendars", nil), 200, &list)
	if len(list.Calendars) != 1 || list.Calendars[0].ID != id || !list.Calendars[0].CreatedHere || list.Calendars[0].SyncedAt == nil {
		t.Errorf("the list is %+v, want the calendar that was made", list.Calendars)
	}
	b.refused(b.do("POST", "/api/calendars/events", body(student, nil)), 403, api.PermissionMissing)
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if who := status.User; who == nil || *who != (user{student, account.Profile{FirstName: "A", LastName: "Student", Picture: "https://lh3.example/a"}}) {
		t.Errorf("the user is %+v", who)
	}
	status.User = nil
	if want := (statusAnswer{Configured: true, Authenticated: true, Email: student, CanCreate: true}); status != want {
		t.Errorf("status is %+v, want %+v", status, want)
	}
	// Who unticks the making of calendars on Google's page can choose one that is there.
	c := w.browser()
	c.signIn(friend, "choosing", "1", "scope", account.ScopeEvents, "scope", account.ScopeCalendar)
	c.refused(c.do("POST", "/api/calendars", nil), 403, api.PermissionMissing)
	c.want(c.do("GET", "/api/calendars", nil), 200, &list)
	if len(list.Calendars) != 1 || list.Calendars[0].ID != friend || !list.Calendars[0].Primary {
		t.Errorf("the list is %+v, want the friend's own calendar", list.Calendars)
	}
	w.upload(c.owner(), lectures(1))
	c.counts(c.sync(friend, nil), 3, 0, 0, 0)
}

// TestOtherSitesCannotWrite: a page elsewhere that makes the browser send a request is refused.
func TestOtherSitesCannotWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	for _, call := range [][2]string{
		{"POST", "/api/auth/logout"}, {"POST", "/api/calendars"}, {"POST", "/api/calendars/events"},
		{"DELETE", "/api/calendars/events?calendarId=x"}, {"POST", "/api/calendars/follow"},
	} {
		b.refused(b.do(call[0], call[1], "{}", "Sec-Fetch-Site", "cross-site"), 403, api.Forbidden)
		b.refused(b.do(call[0], call[1], "{}", "Origin", "https://evil.example"), 403, api.Forbidden)
	}
	b.want(b.do("POST", "/api/calendars", nil, "Origin", w.site.URL, "Sec-Fetch-Site", "same-origin"), http.StatusCreated, nil)
}

// TestForgetLeavesNothing: Google ends the access, the account is gone, old sessions own nothing, and the
// uploads stay with the browser.
func TestForgetLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	owner := b.owner()
	job := w.upload(owner, lectures(1))
	id := b.calendar()
	b.sync(id, map[string]any{"follow": true})
	old := w.f.sessions.Token(owner)
	var out struct{ Forgotten, Revoked bool }
	b.want(b.do("POST", "/api/auth/logout", `{"forget":true}`), 200, &out)
	if !out.Forgotten || !out.Revoked || w.google.RefreshTokens() != 0 {
		t.Errorf("the answer is %+v, and Google has %d refresh tokens, want none", out, w.google.RefreshTokens())
	}
	for _, table := range []string{"google_accounts", "google_calendars", "google_events", "google_syncs", "google_recipes", "google_recipe_parts"} {
		if n := w.rows(table); n != 0 {
			t.Errorf("%s has %d rows, want none", table, n)
		}
	}
	if _, err := w.f.content.Jobs.Get(t.Context(), b.owner(), job); err != nil || b.owner() == owner {
		t.Errorf("the upload is not the browser's: %v", err)
	}
	c := w.browser()
	c.refused(c.do("GET", "/api/calendars", nil, "Authorization", "Bearer "+old), 401, api.SignInRequired)
	// Coming back finds the events that are still in the calendar, and makes no second ones.
	b.signIn(student)
	b.counts(b.sync(id, nil), 0, 0, 0, 3)
	// Google away: forgotten here all the same, and the person is told.
	w.google.Inject(fakegoogle.Fault{Method: "revoke", Status: 503, Times: -1})
	b.want(b.do("POST", "/api/auth/logout", `{"forget":true}`), 200, &out)
	if out.Revoked || w.rows("google_accounts") != 0 {
		t.Errorf("the answer is %+v with %d accounts, want forgotten and not revoked", out, w.rows("google_accounts"))
	}
	b.refused(b.do("POST", "/api/auth/logout", `{"forget":true}`), 401, api.SignInRequired)
}

// rows counts a table's rows.
func (w *world) rows(table string) int {
	w.Helper()
	n, err := postgres.QueryOne(w.Context(), w.f.pool, scanCount, "select count(*) from "+table)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// TestLogoutKeepsFollowing: only this browser is signed out.
func TestLogoutKeepsFollowing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	b.want(b.do("POST", "/api/auth/logout", nil), 200, nil)
	b.refused(b.do("GET", "/api/calendars", nil), 401, api.SignInRequired)
	if w.google.RefreshTokens() != 1 || w.rows("google_accounts") != 1 {
		t.Error("signing out a browser ended the account")
	}
}

// TestTokensAreSealed: neither the database nor the cookie shows one, and keys rotate.
func TestTokensAreSealed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	id := b.calendar()
	person, err := w.f.accounts.Get(t.Context(), b.owner())
	if err != nil {
		t.Fatal(err)
	}
	token, err := w.f.accounts.RefreshToken(person)
	if err != nil || !strings.HasPrefix(token, "1//") {
		t.Fatalf("the token does not open: %v", err)
	}
	stored, err := postgres.QueryOne(t.Context(), w.f.pool, scanText, "select encode(refresh_token, 'escape') || key_id from google_accounts")
	if err != nil || strings.Contains(stored, token[3:12]) || !strings.HasSuffix(stored, "k1") {
		t.Errorf("the database has %q (%v), want a sealed token and the key's id", stored, err)
	}
	rotated := func(keys ...string) account.Rotated {
		parsed, err := account.ParseKeys(secret.List(keys...))
		if err != nil {
			t.Fatal(err)
		}
		done, err := account.NewStore(w.f.pool, parsed).Rotate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if got := rotated(testKey("k2", 'b'), testKey("k1", 'a')); got != (account.Rotated{Sealed: 1}) {
		t.Errorf("the rotation did %+v, want one token sealed", got)
	}
	if got := rotated(testKey("k2", 'b'), testKey("k1", 'a')); got != (account.Rotated{}) {
		t.Errorf("the second rotation did %+v, want nothing", got)
	}
	// The old key is not needed any more; without the new one the person is asked to sign in again.
	w.cfg.SignIn.TokenKeys = []secret.String{secret.New(testKey("k2", 'b'))}
	b.via(w.function()).want(b.do("GET", "/api/calendars", nil), 200, nil)
	w.cfg.SignIn.TokenKeys = []secret.String{secret.New(testKey("k3", 'c'))}
	if got := rotated(testKey("k3", 'c')); got != (account.Rotated{Lost: 1}) {
		t.Errorf("the rotation without the key did %+v, want one lost", got)
	}
	b.via(w.function()).refused(b.do("GET", "/api/calendars", nil), 401, api.SignInRequired)
	b.signIn(student)
	b.want(b.do("GET", "/api/calendars", nil), 200, nil)
	_ = id
}

// TestWithoutAProject: where no Google project is set up, that is said, and nothing else is broken.
func TestWithoutAProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.SignIn = account.Config{} })
	b := w.browser()
	for _, call := range [][2]string{
		{"GET", "/api/auth/google"}, {"GET", callbackPath}, {"GET", "/api/calendars"}, {"POST", "/api/calendars"}, {"POST", "/api/calendars/events"},
		{"GET", "/api/calendars/syncs"},
	} {
		b.refused(b.do(call[0], call[1], nil), 501, api.GoogleNotConfigured)
	}
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if status != (statusAnswer{}) {
		t.Errorf("status is %+v, want nothing", status)
	}
	b.want(b.do("POST", "/tasks/google", nil, "Authorization", "Bearer "+eventToken), 200, nil)
	b.want(b.do("POST", "/events/google", `{"specversion":"1.0","id":"1","type":"dev.schedgen.timetable.parsed.v1","source":"/x","data":{"jobId":"x"}}`,
		"Content-Type", "application/cloudevents+json", "Authorization", "Bearer "+eventToken), 204, nil)
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := Config{
		SignIn:   account.Config{ClientID: "c", ClientSecret: secret.New("s"), TokenKeys: secret.List(testKey("k", 'k'))},
		Postgres: postgres.Config{URL: secret.New("postgres://nobody@127.0.0.1:1/none")},
	}
	good.Session.Keys = []secret.String{secret.New(strings.Repeat("s", 32))}
	f, err := New(t.Context(), good)
	if err != nil {
		t.Fatalf("a good configuration is refused: %v", err)
	}
	f.Close()
	for name, change := range map[string]func(*Config){
		"no secret":      func(c *Config) { c.SignIn.ClientSecret = secret.String{} },
		"no token key":   func(c *Config) { c.SignIn.TokenKeys = nil },
		"a short key":    func(c *Config) { c.SignIn.TokenKeys = []secret.String{secret.New("k:c2hvcnQ=")} },
		"a nameless key": func(c *Config) { c.SignIn.TokenKeys = []secret.String{secret.New(testKey("", 'x'))} },
		"twice a name": func(c *Config) {
			c.SignIn.TokenKeys = []secret.String{secret.New(testKey("k", 'x')), secret.New(testKey("k", 'y'))}
		},
		"an issuer":      func(c *Config) { c.SignIn.Issuer = "accounts.google.com" },
		"an address":     func(c *Config) { c.PublicURL = "schedgen.example.org" },
		"a frontend":     func(c *Config) { c.FrontendURL = "app.example.org" },
		"its page":       func(c *Config) { c.FrontendURL = "https://app.example.org/start" },
		"open cookies":   func(c *Config) { c.Session.SameSite = "none" },
		"a SameSite":     func(c *Config) { c.Session.SameSite = "strict" },
		"an origin":      func(c *Config) { c.TrustedOrigins = []string{"javascript://x"} },
		"the calendar":   func(c *Config) { c.Google.CalendarURL = "/calendar" },
		"no session key": func(c *Config) { c.Session.Keys = nil },
		"a database":     func(c *Config) { c.Postgres.URL = secret.New("\x00") },
		"a sink":         func(c *Config) { c.Events.Sink = "nowhere" },
	} {
		bad := good
		change(&bad)
		if _, err := New(t.Context(), bad); err == nil {
			t.Errorf("%s: it is taken", name)
		} else if strings.Contains(err.Error(), "c2hvcnQ=") {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}

// TestHealthAndMetrics: what a platform and an operator ask, Google's absence being no illness.
func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	b.sync(id, nil)
	b.want(b.do("GET", "/health", nil), 200, nil)
	told := b.want(b.do("GET", "/metrics", nil), 200, nil).body
	for _, want := range []string{
		`schedgen_google_syncs_total{outcome="done"} 1`, `schedgen_google_syncs_total{outcome="failed"} 0`, `schedgen_google_sign_ins_total{outcome="ok"} 1`,
		`schedgen_google_calls_total{method="events.insert",result="ok"} 3`, `schedgen_google_plan_actions_bucket{operation="insert",le="5"} 1`,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("the metrics do not say %s", want)
		}
	}
}

// TestAddressAsItWasAsked: without a PUBLIC_URL people are led back to where they came from.
func TestAddressAsItWasAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.PublicURL = "" })
	b := w.browser()
	b.signIn(student)
	u, err := url.Parse(b.want(b.do("GET", "/api/auth/google", nil, "X-Forwarded-Proto", "https"), http.StatusFound, nil).header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := u.Query().Get("redirect_uri"), strings.Replace(w.site.URL, "http:", "https:", 1)+callbackPath; got != want {
		t.Errorf("behind a proxy people are sent back to %q, want %q", got, want)
	}
}
