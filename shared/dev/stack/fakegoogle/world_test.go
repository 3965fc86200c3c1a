package fakegoogle

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const (
	me       = "me@up.example"
	you      = "you@up.example"
	redirect = "http://site.example/back"
	verifier = "a-verifier-of-at-least-forty-three-characters-x"
)

// world is a server, and a person who let a program do things there.
type world struct {
	*testing.T
	s     *Server
	http  *http.Client
	token string
}

func newWorld(t *testing.T, scopes ...string) *world {
	t.Helper()
	t.Parallel()
	site := httptest.NewUnstartedServer(nil)
	s, err := New(Config{
		BaseURL: "http://" + site.Listener.Addr().String(), Users: []User{{Email: me, Name: "Me Myself", Picture: "https://lh3.example/me"}, {Email: you, Name: "You"}},
		Clients: []Client{{ID: "program", Secret: "secret", Name: "A program", Redirects: []string{redirect}}, {ID: "other", Secret: "s", Redirects: []string{redirect}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	site.Config.Handler = s
	site.Start()
	t.Cleanup(site.Close)
	w := &world{T: t, s: s, http: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if len(scopes) == 0 {
		scopes = []string{calendarScopes}
	}
	w.token, _ = w.signIn(me, scopes...)["access_token"].(string)
	return w
}

// authorization is a good request for a sign-in.
func (w *world) authorization(scopes ...string) url.Values {
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {"program"}, "redirect_uri": {redirect}, "response_type": {"code"}, "scope": {strings.Join(append(scopes, "openid"), " ")},
		"state": {"a-state"}, "nonce": {"a-nonce"}, "access_type": {"offline"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}
}

// code lets a person agree, and gives what the program gets.
func (w *world) code(query url.Values, form url.Values) url.Values {
	w.Helper()
	form.Set("request", query.Encode())
	res, _ := w.send("POST", w.s.cfg.BaseURL+"/o/oauth2/v2/auth", "application/x-www-form-urlencoded", form.Encode())
	to, err := url.Parse(res.Header.Get("Location"))
	if err != nil || res.StatusCode != http.StatusFound {
		w.Fatalf("agreeing gives %d to %q (%v)", res.StatusCode, res.Header.Get("Location"), err)
	}
	return to.Query()
}

func allow(email string) url.Values { return url.Values{"email": {email}, "answer": {"allow"}} }

// exchange sends a form to the token endpoint.
func (w *world) exchange(status int, pairs ...string) object {
	w.Helper()
	form := url.Values{"client_id": {"program"}, "client_secret": {"secret"}, "redirect_uri": {redirect}, "code_verifier": {verifier}, "grant_type": {"authorization_code"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	res, body := w.send("POST", w.s.cfg.BaseURL+"/token", "application/x-www-form-urlencoded", form.Encode())
	if res.StatusCode != status {
		w.Fatalf("the token endpoint gives %d, want %d: %s", res.StatusCode, status, body)
	}
	var answer object
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		w.Fatal(err)
	}
	return answer
}

func (w *world) signIn(email string, scopes ...string) object {
	w.Helper()
	return w.exchange(200, "code", w.code(w.authorization(scopes...), allow(email)).Get("code"))
}

func (w *world) send(method, address, media, body string, headers ...string) (*http.Response, string) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.Context(), method, address, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := w.http.Do(r)
	if err != nil {
		w.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		w.Fatal(err)
	}
	return res, string(data)
}

// api calls the Calendar API and gives the answer, which must have the status.
func (w *world) api(status int, method, path, body string, headers ...string) object {
	w.Helper()
	media := ""
	if body != "" {
		media = "application/json"
	}
	res, text := w.send(method, w.s.CalendarURL()+path, media, body, append([]string{"Authorization", "Bearer " + w.token}, headers...)...)
	if res.StatusCode != status {
		w.Fatalf("%s %s gives %d, want %d\nsent: %s\ngot: %s", method, path, res.StatusCode, status, body, text)
	}
	if text == "" {
		return nil
	}
	var answer object
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		w.Fatal(err)
	}
	return answer
}

// reason is Google's word for an error.
func reason(answer object) string {
	problem, _ := answer["error"].(object)
	list, _ := problem["errors"].([]any)
	if len(list) == 0 {
		return ""
	}
	return text(list[0].(object), "reason")
}

const events = "calendars/" + me + "/events"

// single and series are good events; with changes, as JSON members, they may be others.
func single(more string) string {
	return `{"id":"abcde","summary":"Once","start":{"dateTime":"2026-02-09T08:30:00+02:00"},"end":{"dateTime":"2026-02-09T09:20:00+02:00"}` + more + `}`
}

func series(more string) string {
	return `{"id":"series","summary":"Weekly","start":{"dateTime":"2026-02-09T08:30:00+02:00","timeZone":"Africa/Johannesburg"},
		"end":{"dateTime":"2026-02-09T09:20:00+02:00","timeZone":"Africa/Johannesburg"},
		"recurrence":["RRULE:FREQ=WEEKLY;UNTIL=20260309T063000Z","EXDATE;TZID=Africa/Johannesburg:20260223T083000"]` + more + `}`
}

func items(answer object) []object {
	list, _ := answer["items"].([]any)
	all := make([]object, len(list))
	for i, item := range list {
		all[i], _ = item.(object)
	}
	return all
}
