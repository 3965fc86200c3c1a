package fakegoogle

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
)

// TestIDTokenIsSigned: another's library finds the keys and takes the token.
func TestIDTokenIsSigned(t *testing.T) {
	w := newWorld(t)
	provider, err := oidc.NewProvider(t.Context(), w.s.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := w.signIn(you)["id_token"].(string)
	token, err := provider.Verifier(&oidc.Config{ClientID: "program"}).Verify(t.Context(), raw)
	if err != nil || token.Nonce != "a-nonce" || token.Subject == "" {
		t.Errorf("the id token is %+v (%v)", token, err)
	}
}

// TestAuthorizationIsChecked before anybody is asked, and again when they answer.
func TestAuthorizationIsChecked(t *testing.T) {
	w := newWorld(t)
	page := w.s.cfg.BaseURL + "/o/oauth2/v2/auth"
	res, body := w.send("GET", page+"?"+w.authorization(calendarScopes+".events").Encode(), "", "")
	if res.StatusCode != 200 || !strings.Contains(body, me) || !strings.Contains(body, "calendar.events") || !strings.Contains(body, "This is not Google") {
		t.Errorf("the page is %d %s", res.StatusCode, body)
	}
	for name, value := range map[string]string{
		"client_id": "nobody", "redirect_uri": "http://evil.example/", "response_type": "token", "scope": "everything", "state": "", "nonce2": "x",
		"code_challenge": "short", "code_challenge_method": "plain", "access_type": "forever", "prompt": "please",
	} {
		query := w.authorization()
		query.Set(name, value)
		if res, body := w.send("GET", page+"?"+query.Encode(), "", ""); res.StatusCode != 400 || !strings.Contains(body, "Access blocked") {
			t.Errorf("%s=%s gives %d", name, value, res.StatusCode)
		}
		form := allow(me)
		form.Set("request", query.Encode())
		if res, _ := w.send("POST", page, "application/x-www-form-urlencoded", form.Encode()); res.StatusCode != 400 {
			t.Errorf("answering %s=%s gives %d", name, value, res.StatusCode)
		}
	}
	for _, form := range []string{"%zz", "request=%25zz", "request=" + url.QueryEscape(w.authorization().Encode()) + "&answer=allow&email=nobody"} {
		if res, _ := w.send("POST", page, "application/x-www-form-urlencoded", form); res.StatusCode != 400 {
			t.Errorf("the form %q gives %d", form, res.StatusCode)
		}
	}
	if back := w.code(w.authorization(), url.Values{"answer": {"deny"}}); back.Get("error") != "access_denied" || back.Get("state") != "a-state" || back.Has("code") {
		t.Errorf("who says no is sent back with %v", back)
	}
	back := w.code(w.authorization(calendarScopes+".events", calendarScopes+".app.created"),
		url.Values{"email": {me}, "answer": {"allow"}, "choosing": {"1"}, "scope": {calendarScopes + ".events"}})
	if got := back.Get("scope"); got != calendarScopes+".events openid" {
		t.Errorf("who unticks a box grants %q", got)
	}
}

// TestCodesAndTokens: a code is worth something once, to its program, with its verifier.
func TestCodesAndTokens(t *testing.T) {
	w := newWorld(t)
	fresh := func() string { return w.code(w.authorization(calendarScopes), allow(me)).Get("code") }
	for _, wrong := range [][]string{
		{"code", "made-up"}, {"code", fresh(), "code_verifier", strings.Repeat("x", 43)}, {"code", fresh(), "code_verifier", "short"},
		{"code", fresh(), "redirect_uri", "http://site.example/other"}, {"code", fresh(), "client_id", "other", "client_secret", "s"},
		{"grant_type", "refresh_token", "refresh_token", "made-up"},
	} {
		if got := text(w.exchange(400, wrong...), "error"); got != "invalid_grant" {
			t.Errorf("%v gives %q", wrong, got)
		}
	}
	if got := text(w.exchange(401, "client_secret", "guess"), "error"); got != "invalid_client" {
		t.Errorf("a wrong secret gives %q", got)
	}
	if got := text(w.exchange(400, "grant_type", "password"), "error"); got != "unsupported_grant_type" {
		t.Errorf("another grant gives %q", got)
	}
	query := w.authorization(calendarScopes)
	query.Set("prompt", "consent")
	code := w.code(query, allow(me)).Get("code")
	tokens := w.exchange(200, "code", code)
	refresh := text(tokens, "refresh_token")
	if refresh == "" || text(w.exchange(200, "grant_type", "refresh_token", "refresh_token", refresh), "access_token") == "" {
		t.Error("a refresh token gives no access token")
	}
	if again := w.exchange(200, "code", fresh()); again["refresh_token"] != nil {
		t.Error("who agreed before gives a refresh token without being asked again")
	}
	// A code that comes twice was stolen: what it gave ends.
	w.exchange(400, "code", code)
	w.exchange(400, "grant_type", "refresh_token", "refresh_token", refresh)
	w.token = text(tokens, "access_token")
	w.api(401, "GET", events, "")

	revoke := func(token string) int {
		res, _ := w.send("POST", w.s.cfg.BaseURL+"/revoke", "application/x-www-form-urlencoded", "token="+url.QueryEscape(token))
		return res.StatusCode
	}
	tokens = w.exchange(200, "code", w.code(query, allow(me)).Get("code"))
	if got := [2]int{revoke(text(tokens, "access_token")), revoke(text(tokens, "refresh_token"))}; got != [2]int{200, 400} || w.s.RefreshTokens() != 0 {
		t.Errorf("revoking both gives %v and leaves %d", got, w.s.RefreshTokens())
	}
	for _, path := range []string{"/token", "/revoke"} {
		if res, _ := w.send("POST", w.s.cfg.BaseURL+path, "application/x-www-form-urlencoded", "%zz"); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s takes a form that is none", path)
		}
	}
	w.s.Inject(Fault{Method: "token", Status: 500, Reason: "backendError"})
	w.exchange(500, "code", fresh())
	w.s.Inject(Fault{Method: "revoke", Status: 500, Reason: "backendError"})
	if got := revoke("x"); got != 500 {
		t.Errorf("a fault of revoking gives %d", got)
	}
}

// TestOverviewShowsCalendars, escaped.
func TestOverviewShowsCalendars(t *testing.T) {
	w := newWorld(t)
	w.api(200, "POST", events, series(`,"location":"<b>Hall</b>"`))
	w.api(200, "POST", events, `{"summary":"All day","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`)
	_, body := w.send("GET", w.s.cfg.BaseURL+"/", "", "")
	for _, want := range []string{"Weekly", "&lt;b&gt;Hall", "FREQ=WEEKLY", "All day", "2026-02-09", "No events"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q:\n%s", want, body)
		}
	}
}
