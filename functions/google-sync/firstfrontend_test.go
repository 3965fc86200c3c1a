package googlesync

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
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

// What the first frontend sends of its events, with ids that are random each time.
const (
	itsLectures = `[{"id":"%[1]s-1","summary":"COS 226 Lecture (G01)","location":"Thuto 1-2","startTime":"08:30","endTime":"09:20","day":"Monday","isRecurring":true,"colorId":"5"},
 {"id":"%[1]s-2","summary":"COS 226 Practical (P01)","location":"Netlab 2","startTime":"11:30","endTime":"14:20","day":"Tuesday","isRecurring":true,"colorId":"9","notes":"no plugs"}]`
	itsTests = `[{"id":"%[1]s-3","summary":"WTW 285 Semester Test 2","location":"Exam Hall","startTime":"17:30","endTime":"19:30","date":"2026-09-03T22:00:00.000Z","isRecurring":false,"colorId":"11"}]`
)

// adds sends events to the person's own calendar and gives the answer.
func (b *browser) adds(events, kind string) (s synced) {
	b.Helper()
	text := fmt.Sprintf(`{"calendarId":"primary","events":`+events+`,"semesterStart":"2026-07-20","semesterEnd":"2026-10-23","pdfType":%[2]q}`, rand.Text(), kind)
	b.want(b.ask("POST", "/api/calendars/events", text), 200, &s)
	return s
}

// TestFirstFrontendsEventsArriveAtGoogle: in the primary calendar, with title, place, colour and note; once, however
// often they are sent; and nothing that was sent before goes.
func TestFirstFrontendsEventsArriveAtGoogle(t *testing.T) {
	t.Parallel()
	w, b := beside(t)
	b.want(b.do("GET", b.agree(b.toGoogle("?returnUrl=/"), student), nil), http.StatusFound, nil)
	first := b.adds(itsLectures, "lecture")
	b.counts(first, 2, 0, 0, 0)
	if first.Count != 2 || first.Message == "" {
		t.Errorf("the answer is %+v", first)
	}
	b.counts(b.adds(itsTests, "test"), 1, 0, 0, 0)
	w.google.Forget()
	b.counts(b.adds(itsLectures, "lecture"), 0, 0, 0, 2)
	if n := w.google.Writes(); n != 0 {
		t.Errorf("the same again makes %d writing calls", n)
	}
	got := map[string]string{}
	for _, e := range w.google.Events(student) {
		start, _ := e["start"].(map[string]any)
		got[fmt.Sprint(e["summary"])] = fmt.Sprint(e["location"], " | ", e["colorId"], " | ", e["description"], " | ", start["dateTime"])
	}
	for summary, want := range map[string]string{
		"COS 226 Lecture (G01)":   "Thuto 1-2 | 5 |  | 2026-07-20T08:30:00+02:00",
		"COS 226 Practical (P01)": "Netlab 2 | 9 | Notes: no plugs | 2026-07-21T11:30:00+02:00",
		"WTW 285 Semester Test 2": "Exam Hall | 11 |  | 2026-09-04T17:30:00+02:00",
	} {
		if is := strings.ReplaceAll(got[summary], "<nil>", ""); is != want {
			t.Errorf("%s is %q, want %q", summary, is, want)
		}
	}
	b.counts(b.adds(strings.NewReplacer("Thuto 1-2", "IT 4-4", `"5"`, `"1"`).Replace(itsLectures), "lecture"), 0, 1, 0, 1)
	// The person's uploads say nothing of them.
	w.upload(b.owner(), lectures(1))
	var s synced
	b.want(b.ask("POST", "/api/calendars/events", `{"calendarId":"primary","year":2026}`), 200, &s)
	b.counts(s, 3, 0, 0, 0)
	if n := len(w.google.Events(student)); n != 6 {
		t.Errorf("%d events, want three that were given and three lectures", n)
	}
	b.want(b.ask("DELETE", "/api/calendars/events?calendarId=primary", nil), 200, &s)
	b.counts(s, 0, 0, 6, 0)
}

// TestFirstFrontendIsToldWhatIsNotThere: a sync that goes on does not look as if it had added nothing, and events
// that cannot be placed are named in the sentence that it shows.
func TestFirstFrontendIsToldWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w, b := beside(t)
	b.want(b.do("GET", b.agree(b.toGoogle("?returnUrl=/"), student), nil), http.StatusFound, nil)
	b.refused(b.ask("POST", "/api/calendars/events", `{"calendarId":"primary","events":[]}`), 400, api.ValidationFailed)
	s := b.adds(strings.Replace(itsLectures, "Monday", "Funday", 1), "lecture")
	b.counts(s, 1, 0, 0, 0)
	if !strings.Contains(s.Message, "1 event could not be placed: COS 226 Lecture (G01) is not in the calendar.") || !strings.HasSuffix(s.Message, ".") {
		t.Errorf("it says %q", s.Message)
	}
	w.cfg.Worker.Wait = time.Millisecond
	w.google.Inject(fakegoogle.Fault{Times: -1, Delay: 150 * time.Millisecond}) // longer than the least that a request waits
	b.via(w.function())
	text := fmt.Sprintf(`{"calendarId":"primary","events":`+itsTests+`,"pdfType":"test"}`, rand.Text())
	a := b.want(b.ask("POST", "/api/calendars/events", text), http.StatusAccepted, &s)
	if s.Count != 1 || s.Status != "pending" || !strings.Contains(s.Message, "still taking in your 1 event") {
		t.Errorf("a sync that goes on says %s", a.body)
	}
}
