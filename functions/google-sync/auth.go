package googlesync

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/schedgen/schedgen/functions/google-sync/account"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/ratelimit"
)

// attemptCookie and the beginning of a state name the cookie of a sign-in on its way, so that two tabs do
// not meet.
const attemptCookie = "schedgen_signin_"

// callbackPath is where Google sends people back to, and the only place that gets the cookie.
const callbackPath = "/api/auth/google/callback"

// beginSignIn answers GET /api/auth/google?returnUrl=&access= with a redirect to Google. Access "own" asks for less,
// which is enough for calendars that schedgen makes.
func (f *Function) beginSignIn(r *http.Request) (any, error) {
	if f.signIns == nil {
		return nil, api.New(api.GoogleNotConfigured)
	}
	target, ok := f.returnTarget(r, r.URL.Query().Get("returnUrl"))
	if !ok {
		return nil, api.New(api.InvalidReturnURL)
	}
	access := account.Choose
	switch text := r.URL.Query().Get("access"); text {
	case "", string(account.Choose):
	case string(account.Own):
		access = account.Own
	default:
		return nil, api.New(api.ValidationFailed, map[string]any{"field": "access", "choices": []account.Access{account.Own, account.Choose}})
	}
	header := http.Header{}
	owner := f.sessions.Ensure(header, r)
	attempt, page, err := f.signIns.Begin(r.Context(), owner, target, api.Site(r, f.cfg.PublicURL)+callbackPath, access)
	if err != nil {
		return nil, err
	}
	sealed, err := f.signIns.Seal(attempt)
	if err != nil {
		return nil, err
	}
	header.Add("Set-Cookie", f.attemptCookie(attempt.State, sealed, 15*time.Minute).String())
	return redirect(header, page), nil
}

// attemptCookie is sent to the way back from Google alone.
func (f *Function) attemptCookie(state, value string, life time.Duration) *http.Cookie {
	age := int(life.Seconds())
	if value == "" {
		age = -1
	}
	return f.sessions.Protected(http.Cookie{Name: attemptName(state), Value: value, Path: callbackPath, MaxAge: age})
}

func attemptName(state string) string { return attemptCookie + state[:min(8, len(state))] }

// finishSignIn answers GET /api/auth/google/callback: the person comes back from Google, and goes on to where
// the sign-in began, with signIn=ok, denied or failed in the address. A callback
// that this browser and session did not begin gets an error and no redirect.
func (f *Function) finishSignIn(r *http.Request) (any, error) {
	if f.signIns == nil {
		return nil, api.New(api.GoogleNotConfigured)
	}
	query := r.URL.Query()
	attempt, err := f.recall(r, query.Get("state"))
	if err != nil {
		f.results.WithLabelValues("foreign").Inc()
		if guesses(r, query.Get("state")) {
			ratelimit.SignInFailed(r.Context())
		}
		return nil, api.New(api.SignInFailed).Wrap(err)
	}
	header := http.Header{"Set-Cookie": {f.attemptCookie(attempt.State, "", 0).String()}, "Referrer-Policy": {"no-referrer"}}
	if query.Get("code") == "" {
		f.results.WithLabelValues("denied").Inc()
		return redirect(header, withResult(attempt.Return, "denied")), nil
	}
	in, err := f.signIns.Finish(r.Context(), attempt, query.Get("code"), api.Site(r, f.cfg.PublicURL)+callbackPath)
	if err != nil {
		f.results.WithLabelValues("failed").Inc()
		if away := (*account.UnavailableError)(nil); !errors.As(err, &away) {
			ratelimit.SignInFailed(r.Context())
		}
		api.Logger(r.Context()).WarnContext(r.Context(), "a sign-in could not be finished", "error", err.Error())
		return redirect(header, withResult(attempt.Return, "failed")), nil
	}
	person, err := f.accounts.Join(r.Context(), attempt.Owner, in)
	if err != nil {
		return nil, err
	}
	f.results.WithLabelValues("ok").Inc()
	f.auto.SignedIn(r.Context(), person)
	cookie, err := f.sessions.SignIn(r.Context(), person.ID)
	if err != nil {
		return nil, err
	}
	header.Add("Set-Cookie", cookie.String())
	return redirect(header, withResult(attempt.Return, "ok")), nil
}

// recall finds the sign-in that this browser began with that state.
func (f *Function) recall(r *http.Request, state string) (account.Attempt, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok || len(state) < 16 {
		return account.Attempt{}, account.ErrAttempt
	}
	cookie, err := r.Cookie(attemptName(state))
	if err != nil {
		return account.Attempt{}, account.ErrAttempt
	}
	return f.signIns.Recall(cookie.Value, state, owner)
}

// guesses says whether a way back from Google that was not begun here tries a secret. Another website can send somebody's
// browser here (<img src>), but not with the cookie of a sign-in: it does not know the state that names it. Browsers say
// where they were sent from (Fetch Metadata), but not to a site without TLS, and Safari only since 16.4: from those, a
// picture counts as a guess.
func guesses(r *http.Request, state string) bool {
	_, err := r.Cookie(attemptName(state))
	return err == nil || r.Header.Get("Sec-Fetch-Site") == ""
}

func redirect(header http.Header, to string) api.Response {
	header.Set("Location", to)
	header.Set("Cache-Control", "no-store")
	return api.Response{Status: http.StatusFound, Header: header}
}

// withResult tells the page how a sign-in ended.
func withResult(target, result string) string {
	u, err := url.Parse(target)
	if err != nil {
		return target // it was checked
	}
	query := u.Query()
	query.Set("signIn", result)
	u.RawQuery = query.Encode()
	return u.String()
}

// maxReturn keeps the cookie of a sign-in well below what browsers take (4096 bytes, RFC 6265 section 6.1).
const maxReturn = 1000

// returnTarget checks where a sign-in shall end: at an address of one of our origins, or at a path, which is one of
// the frontend, or of this site where there is none of its own.
func (f *Function) returnTarget(r *http.Request, text string) (string, bool) {
	if text == "" {
		text = "/"
	}
	u, err := url.Parse(text)
	if err != nil || len(text) > maxReturn || strings.Contains(text, " ") || misleading(text) || misleading(u.Path) {
		return "", false
	}
	if u.Scheme == "" && u.Host == "" && u.User == nil {
		return f.frontend + text, strings.HasPrefix(text, "/")
	}
	origin, ok := originOf(text)
	own, _ := originOf(api.Site(r, f.cfg.PublicURL))
	return text, ok && (f.returns[origin] || origin == own)
}

// misleading reports whether a browser or a proxy may read an address differently than we do: they take a backslash
// for a slash, drop control characters, and read two slashes as the beginning of a host.
func misleading(text string) bool {
	return strings.HasPrefix(text, "//") || strings.ContainsFunc(text, func(c rune) bool {
		return c == '\\' || c == utf8.RuneError || unicode.IsControl(c) || unicode.IsSpace(c) && c != ' '
	})
}

// statusAnswer is who is signed in, and what the page may offer.
type statusAnswer struct {
	Configured    bool   `json:"configured"`
	Authenticated bool   `json:"authenticated"`
	SignInAgain   bool   `json:"signInAgain"` // it was signed in, and Google has ended the access
	Email         string `json:"email,omitempty"`
	User          *user  `json:"user"`      // null unless authenticated
	CanCreate     bool   `json:"canCreate"` // a calendar of schedgen's own
	CanChoose     bool   `json:"canChoose"` // one that is there already
}

// user is the person who is signed in, as Google describes them.
type user struct {
	Email string `json:"email"`
	account.Profile
}

// status answers GET /api/auth/status.
func (f *Function) status(r *http.Request) (any, error) {
	answer := statusAnswer{Configured: f.signIns != nil}
	header := api.NoStore()
	owner, ok := f.sessions.Owner(r)
	if !ok || f.signIns == nil {
		return api.Response{Header: header, Body: answer}, nil
	}
	person, err := f.accounts.Get(r.Context(), owner)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return nil, err
	}
	answer.Authenticated, answer.Email = person.SignedIn(), person.Email
	if answer.Authenticated {
		answer.User = &user{person.Email, person.Profile}
	}
	answer.SignInAgain = err == nil && !person.SignedIn()
	answer.CanCreate = answer.Authenticated && person.Granted(account.ScopeCreated)
	answer.CanChoose = answer.Authenticated && person.Granted(account.ScopeEvents) && person.Granted(account.ScopeCalendar)
	return api.Response{Header: header, Body: answer}, nil
}

// logoutRequest may also ask to delete the account.
type logoutRequest struct {
	Forget bool `json:"forget"`
}

// logout answers POST /api/auth/logout. Without "forget" this browser is signed out, and followed calendars
// go on. With it Google is asked to end schedgen's access, and the account, its tokens and its syncs are
// deleted; uploads stay with this browser, as an anonymous session. The events in the calendar stay: they
// are removed with DELETE /api/calendars/events before.
func (f *Function) logout(r *http.Request) (any, error) {
	var req logoutRequest
	if r.ContentLength != 0 {
		if err := api.DecodeJSON(r, 1<<10, &req); err != nil {
			return nil, err
		}
	}
	header := api.NoStore()
	if !req.Forget {
		if err := f.endSession(r); err != nil {
			return nil, err
		}
		f.sessions.ClearCookies(header)
		return api.Response{Header: header, Body: map[string]any{"message": "You are signed out.", "forgotten": false}}, nil
	}
	person, err := f.person(r)
	if err != nil {
		return nil, err
	}
	revoked := f.revoke(r.Context(), person)
	anonymous, err := f.accounts.Forget(r.Context(), person)
	if errors.Is(err, account.ErrNotFound) {
		return nil, api.New(api.SignInRequired)
	}
	if err != nil {
		return nil, err
	}
	if err := f.sessions.EndAll(r.Context(), person.ID); err != nil {
		return nil, err
	}
	header.Add("Set-Cookie", f.sessions.Cookie(anonymous).String())
	message := "You are signed out, and your account here is deleted."
	if !revoked {
		message = "You are signed out, and your account here is deleted. We could not reach Google: remove schedgen at myaccount.google.com/connections."
	}
	return api.Response{Header: header, Body: map[string]any{"message": message, "forgotten": true, "revoked": revoked}}, nil
}

// endSession ends the caller's session, if there is one. Copies of its token stop working.
func (f *Function) endSession(r *http.Request) error {
	session, ok := f.sessions.Session(r)
	if !ok {
		return nil
	}
	return f.sessions.End(r.Context(), session)
}

// endSessions answers DELETE /api/auth/sessions: every session of the caller's ends, in all browsers and this one.
// Uploads of anonymous sessions cannot be reached any more; people with an account sign in again.
func (f *Function) endSessions(r *http.Request) (any, error) {
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return nil, api.New(api.Unauthorized).WithMessage("You are not signed in, so there is no session to end. Sign in first if you want to end your sessions.")
	}
	if err := f.sessions.EndAll(r.Context(), owner); err != nil {
		return nil, err
	}
	header := api.NoStore()
	f.sessions.ClearCookies(header)
	return api.Response{Status: http.StatusNoContent, Header: header}, nil
}

// revoke asks Google to end the access, and reports whether it did. The account here is deleted in any case.
func (f *Function) revoke(ctx context.Context, person account.Account) bool {
	token, err := f.accounts.RefreshToken(person)
	if errors.Is(err, account.ErrNotFound) {
		return true // Google ended it before
	}
	if err == nil {
		err = f.signIns.Revoke(ctx, token)
	}
	if err != nil {
		api.Logger(ctx).WarnContext(ctx, "a token could not be revoked", "error", err.Error())
	}
	return err == nil
}

// person is the account of the caller, signed in or to be asked to sign in again.
func (f *Function) person(r *http.Request) (account.Account, error) {
	if f.signIns == nil {
		return account.Account{}, api.New(api.GoogleNotConfigured)
	}
	owner, ok := f.sessions.Owner(r)
	if !ok {
		return account.Account{}, api.New(api.SignInRequired)
	}
	person, err := f.accounts.Get(r.Context(), owner)
	if errors.Is(err, account.ErrNotFound) {
		return account.Account{}, api.New(api.SignInRequired)
	}
	if err != nil {
		return account.Account{}, fmt.Errorf("find the account: %w", err)
	}
	return person, nil
}

// signedIn is the caller's account, if Google lets schedgen act for it.
func (f *Function) signedIn(r *http.Request) (account.Account, error) {
	person, err := f.person(r)
	if err == nil && !person.SignedIn() {
		err = api.New(api.SignInRequired).WithMessage("Your sign-in with Google has ended. Sign in again.")
	}
	return person, err
}
