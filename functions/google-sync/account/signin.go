package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
	"github.com/schedgen/schedgen/shared/tracing"
)

// The scopes that are asked for, each the least that does what it is for.
const (
	ScopeCreated  = "https://www.googleapis.com/auth/calendar.app.created"           // calendars that schedgen made
	ScopeEvents   = "https://www.googleapis.com/auth/calendar.events"                // events in a calendar that is there
	ScopeCalendar = "https://www.googleapis.com/auth/calendar.calendarlist.readonly" // to choose one by name
)

// Access is how much access schedgen asks for.
type Access string

// Own suffices for calendars that schedgen makes; Choose also lets the person pick one that is there.
const (
	Own    Access = "own"
	Choose Access = "choose"
)

func (a Access) scopes() []string {
	scopes := []string{oidc.ScopeOpenID, "email", "profile", ScopeCreated}
	if a == Choose {
		scopes = append(scopes, ScopeEvents, ScopeCalendar)
	}
	return scopes
}

// Config is the Google Cloud project that people sign in to.
type Config struct {
	ClientID     string          `env:"GOOGLE_CLIENT_ID"`                                   // OAuth client id; without it there is no sign-in
	ClientSecret secret.String   `env:"GOOGLE_CLIENT_SECRET"`                               // secret of the OAuth client; required with GOOGLE_CLIENT_ID
	Issuer       string          `env:"GOOGLE_ISSUER, default=https://accounts.google.com"` // OpenID issuer
	TokenKeys    []secret.String `env:"GOOGLE_TOKEN_KEYS"`                                  // "id:base64" keys; the first encrypts, all decrypt
	Timeout      time.Duration   `env:"GOOGLE_SIGN_IN_TIMEOUT, default=10s"`                // timeout of one sign-in call to Google
}

// ErrRevoked means that Google no longer accepts the refresh token: the person must sign in again.
var ErrRevoked = errors.New("account: Google does not know the sign-in any more")

// ErrAttempt means that a callback does not belong to a sign-in that this browser began.
var ErrAttempt = errors.New("account: not a sign-in that was begun here")

// SignIns carries out sign-ins. It is safe for concurrent use.
type SignIns struct {
	cfg    Config
	keys   *Keys
	client *http.Client
	now    func() time.Time

	mu       sync.Mutex
	provider *provider
}

// provider is what OpenID discovery told.
type provider struct {
	*oidc.Provider
	revocation string
}

// NewSignIns checks cfg and connects nothing.
func NewSignIns(cfg Config, keys *Keys) (*SignIns, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Issuer == "" {
		cfg.Issuer = "https://accounts.google.com"
	}
	if !settings.IsWebAddress(cfg.Issuer) {
		return nil, errors.New("GOOGLE_ISSUER is not an address such as https://accounts.google.com")
	}
	if cfg.ClientSecret.IsZero() {
		return nil, errors.New("GOOGLE_CLIENT_SECRET is needed beside GOOGLE_CLIENT_ID")
	}
	return &SignIns{cfg: cfg, keys: keys, now: time.Now, client: &http.Client{
		Timeout: cfg.Timeout,
		Transport: tracing.Transport(&http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSHandshakeTimeout: 5 * time.Second,
			ForceAttemptHTTP2:   true,
			IdleConnTimeout:     90 * time.Second,
		}, func(r *http.Request) string { return "Google sign-in " + r.Method }),
	}}, nil
}

// Close ends idle connections.
func (s *SignIns) Close() { s.client.CloseIdleConnections() }

// discover asks Google for its addresses, once it is needed; a failure is tried again the next time.
func (s *SignIns) discover(ctx context.Context) (*provider, error) {
	s.mu.Lock()
	known := s.provider
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	// The provider keeps its context for fetching keys later: it must outlive this request.
	found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), s.client), s.cfg.Issuer)
	if err != nil {
		return nil, &UnavailableError{fmt.Errorf("discover Google's addresses: %w", quiet(err))}
	}
	var also struct {
		Revocation string `json:"revocation_endpoint"`
	}
	if err := found.Claims(&also); err != nil {
		return nil, &UnavailableError{fmt.Errorf("read Google's addresses: %w", err)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provider = &provider{found, also.Revocation}
	return s.provider, nil
}

// Attempt is a sign-in on its way, as the browser that began it keeps it: sealed, in a cookie.
type Attempt struct {
	State    string    `json:"s"`
	Verifier string    `json:"v"` // PKCE (RFC 7636)
	Nonce    string    `json:"n"`
	Owner    string    `json:"o"` // whose session began it
	Return   string    `json:"r"` // where the person goes at the end
	Access   Access    `json:"a"`
	Expires  time.Time `json:"e"`
}

// attemptLife is how long a person may take on Google's pages.
const attemptLife = 15 * time.Minute

// Begin makes an attempt and gives Google's page to send the person to.
func (s *SignIns) Begin(ctx context.Context, owner, returnTo, redirect string, access Access) (Attempt, string, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return Attempt{}, "", err
	}
	a := Attempt{
		State: rand.Text(), Verifier: oauth2.GenerateVerifier(), Nonce: rand.Text(), Owner: owner, Return: returnTo, Access: access,
		Expires: s.now().Add(attemptLife).UTC().Truncate(time.Second),
	}
	page := s.oauth(p, redirect, access).AuthCodeURL(a.State, oauth2.AccessTypeOffline, oauth2.S256ChallengeOption(a.Verifier),
		oidc.Nonce(a.Nonce), oauth2.SetAuthURLParam("include_granted_scopes", "true"),
		// Without it Google gives a refresh token only at the first consent.
		oauth2.SetAuthURLParam("prompt", "consent"))
	return a, page, nil
}

const attemptPurpose = "sign-in attempt"

// Seal writes the attempt as a cookie's value.
func (s *SignIns) Seal(a Attempt) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // an address is full of "&", each of which would take six bytes
	if err := encoder.Encode(a); err != nil {
		return "", fmt.Errorf("encode a sign-in: %w", err)
	}
	sealed, key := s.keys.Seal(text.String(), attemptPurpose)
	return key + "." + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Recall reads the attempt that a callback with that state belongs to, which must have been begun by the
// same owner and not too long ago; ErrAttempt otherwise.
func (s *SignIns) Recall(value, state, owner string) (Attempt, error) {
	key, encoded, _ := strings.Cut(value, ".")
	sealed, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return Attempt{}, ErrAttempt
	}
	text, err := s.keys.Open(sealed, key, attemptPurpose)
	if err != nil {
		return Attempt{}, ErrAttempt
	}
	var a Attempt
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return Attempt{}, ErrAttempt
	}
	if state == "" || subtle.ConstantTimeCompare([]byte(a.State), []byte(state)) != 1 || a.Owner != owner || s.now().After(a.Expires) {
		return Attempt{}, ErrAttempt
	}
	return a, nil
}

// Finish turns the code that Google sent back into who signed in. An *UnavailableError may pass; any other error
// means that this sign-in cannot be finished.
func (s *SignIns) Finish(ctx context.Context, a Attempt, code, redirect string) (SignIn, error) {
	p, err := s.discover(ctx)
	if err != nil {
		return SignIn{}, err
	}
	token, err := s.oauth(p, redirect, a.Access).Exchange(s.within(ctx), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return SignIn{}, fmt.Errorf("exchange the code: %w", tokenError(err))
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := p.Verifier(&oidc.Config{ClientID: s.cfg.ClientID, Now: s.now}).Verify(s.within(ctx), raw)
	if err != nil {
		return SignIn{}, fmt.Errorf("check who signed in: %w", quiet(err))
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return SignIn{}, errors.New("check who signed in: the answer is to another question")
	}
	var who struct {
		Email     string `json:"email"`
		FirstName string `json:"given_name"`
		LastName  string `json:"family_name"`
		Picture   string `json:"picture"`
	}
	if err := id.Claims(&who); err != nil {
		return SignIn{}, fmt.Errorf("read who signed in: %w", quiet(err))
	}
	granted, ok := token.Extra("scope").(string)
	if !ok {
		granted = strings.Join(a.Access.scopes(), " ") // RFC 6749 section 5.1: left out when it is what was asked
	}
	return SignIn{
		Subject: id.Subject, Email: who.Email, Profile: profileOf(who.FirstName, who.LastName, who.Picture),
		Scopes: strings.Fields(granted), RefreshToken: token.RefreshToken,
	}, nil
}

// oauth is the client that Google knows.
func (s *SignIns) oauth(p *provider, redirect string, access Access) *oauth2.Config {
	endpoint := p.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &oauth2.Config{
		ClientID: s.cfg.ClientID, ClientSecret: s.cfg.ClientSecret.Reveal(), Endpoint: endpoint, RedirectURL: redirect, Scopes: access.scopes(),
	}
}

// within makes the libraries use our client, with its deadlines.
func (s *SignIns) within(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, s.client)
}
