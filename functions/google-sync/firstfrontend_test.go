package googlesync

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/postgres"
)

// frontendSite is where the first frontend lives in production: on a site of its own.
const frontendSite = "https://timetable.example.org"

// overHTTPS is the cookies of a browser that reaches the site through a proxy that speaks HTTPS.
type overHTTPS struct{ *cookiejar.Jar }

func (j overHTTPS) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, cookie := range cookies {
		cookie.Secure = false
	}
	j.Jar.SetCookies(u, cookies)
}

// beside is a world whose frontend is on another site, and a browser on a page of it.
func beside(t *testing.T) (*world, *browser) {
	t.Helper()
	w := newWorld(t, func(c *Config) {
		c.FrontendURL, c.TrustedOrigins = frontendSite, []string{frontendSite}
		c.Session.Secure, c.Session.SameSite = true, "none"
	})
	b := w.browser()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.http.Jar = overHTTPS{jar}
	return w, b
}

// ask sends what a page of the frontend sends.
func (b *browser) ask(method, path string, body any) answer {
	b.Helper()
	return b.do(method, path, body, "Origin", frontendSite, "Sec-Fetch-Site", "cross-site", "Accept", "application/json, text/plain, */*")
}

// TestFirstFrontendSignsIn: to Google and back to its own page, with cookies that its calls bring along.
func TestFirstFrontendSignsIn(t *testing.T) {
	t.Parallel()
	w, b := beside(t)
	var status struct {
		Authenticated bool
		User          *struct{ Email, FirstName, LastName, Picture string }
	}
	b.want(b.ask("GET", "/api/auth/status", nil), 200, &status)
	if status.Authenticated || status.User != nil {
		t.Errorf("before the sign-in the status is %+v", status)
	}
	begun := b.want(b.do("GET", "/api/auth/google?returnUrl=%2Fcustomize", nil, "Referer", frontendSite+"/"), http.StatusFound, nil)
	page := begun.header.Get("Location")
	if !strings.Contains(page, "profile") {
		t.Errorf("Google is not asked for the profile: %s", page)
	}
	ended := b.want(b.do("GET", b.agree(page, student), nil), http.StatusFound, nil)
	if to := ended.header.Get("Location"); to != frontendSite+"/customize?signIn=ok" {
		t.Errorf("the sign-in leads to %s", to)
	}
	for _, cookie := range append(begun.header.Values("Set-Cookie"), ended.header.Values("Set-Cookie")...) {
		if !strings.Contains(cookie, "; HttpOnly; Secure; SameSite=None") {
			t.Errorf("the cookie does not cross sites, or is not protected: %s", cookie)
		}
	}
	a := b.want(b.ask("GET", "/api/auth/status", nil), 200, &status)
	if !status.Authenticated || status.User == nil || *status.User != (struct{ Email, FirstName, LastName, Picture string }{student, "A", "Student", "https://lh3.example/a"}) {
		t.Errorf("after the sign-in the status is %s", a.body)
	}
	if a.header.Get("Access-Control-Allow-Origin") != frontendSite || a.header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("the frontend may not read the answer: %v", a.header)
	}
	b.want(b.ask("POST", "/api/auth/logout", nil), 200, nil)
	status.User = nil
	b.want(b.ask("GET", "/api/auth/status", nil), 200, &status)
	if status.Authenticated || status.User != nil {
		t.Errorf("after the logout the status is %+v", status)
	}
	// Google's answer of one name and a picture that is no web address is shown as far as it goes.
	b.want(b.do("GET", b.agree(b.toGoogle("?returnUrl=/"), friend), nil), http.StatusFound, nil)
	b.want(b.ask("GET", "/api/auth/status", nil), 200, &status)
	if status.User == nil || status.User.FirstName != "Friend" || status.User.LastName != "" || status.User.Picture != "" {
		t.Errorf("the friend is %+v", status.User)
	}
	_ = w
}

// TestFailedSignInsLeadBackToTheFrontend, with the result.
func TestFailedSignInsLeadBackToTheFrontend(t *testing.T) {
	t.Parallel()
	w, b := beside(t)
	u, err := url.Parse(b.toGoogle("?returnUrl=%2Fcustomize%3Fstep%3D2"))
	if err != nil {
		t.Fatal(err)
	}
	denied := b.do("POST", w.google.Issuer()+"/o/oauth2/v2/auth", url.Values{"request": {u.RawQuery}, "answer": {"deny"}}).header.Get("Location")
	if to := b.do("GET", denied, nil).header.Get("Location"); to != frontendSite+"/customize?signIn=denied&step=2" {
		t.Errorf("a denied sign-in leads to %q", to)
	}
	if to := b.do("GET", strings.Replace(b.agree(b.toGoogle(""), student), "code=4", "code=5", 1), nil).header.Get("Location"); to != frontendSite+"/?signIn=failed" {
		t.Errorf("a failed sign-in leads to %q", to)
	}
}

// TestAccountsFromBeforeTheProfileWork: they have no names, and all else.
func TestAccountsFromBeforeTheProfileWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	if _, err := w.f.pool.Exec(t.Context(), `update google_accounts set first_name = default, last_name = default, picture = default`); err != nil {
		t.Fatal(err)
	}
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if !status.Authenticated || status.User == nil || *status.User != (user{Email: student}) {
		t.Errorf("the status is %+v", status)
	}
	b.want(b.do("GET", "/api/calendars", nil), 200, nil)
	b.signIn(student)
	stored, err := postgres.QueryOne(t.Context(), w.f.pool, scanText, "select first_name || ' ' || last_name from google_accounts")
	if err != nil || stored != "A Student" {
		t.Errorf("the next sign-in leaves %q (%v)", stored, err)
	}
}

// TestFirstFrontendsCalendars: it lists them, and makes one with a name and a description.
func TestFirstFrontendsCalendars(t *testing.T) {
	t.Parallel()
	_, b := beside(t)
	b.want(b.do("GET", b.agree(b.toGoogle("?returnUrl=/"), student), nil), http.StatusFound, nil)
	type shown struct {
		ID, Summary, Description, BackgroundColor string
		Primary                                   bool
	}
	var made shown
	b.want(b.ask("POST", "/api/calendars", `{"name":"Second semester","description":"Lectures and tests"}`), 201, &made)
	if made.Summary != "Second semester" || made.Description != "Lectures and tests" || made.ID == "" {
		t.Errorf("the calendar that was made is %+v", made)
	}
	b.want(b.ask("POST", "/api/calendars", `{"name":"Without"}`), 201, nil)
	var list struct{ Calendars []shown }
	b.want(b.ask("GET", "/api/calendars", nil), 200, &list)
	if len(list.Calendars) != 3 || !list.Calendars[0].Primary || list.Calendars[0].ID != student || list.Calendars[0].BackgroundColor == "" ||
		list.Calendars[1].Description != "Lectures and tests" || list.Calendars[2].Description == "" {
		t.Errorf("the list is %+v", list.Calendars)
	}
	b.refused(b.ask("POST", "/api/calendars", `{"name":"x","description":"`+strings.Repeat("x", 2001)+`"}`), 400, "VALIDATION_FAILED")
}
