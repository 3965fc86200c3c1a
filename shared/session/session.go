// Package session says who is calling, without a login: an owner id that we signed.
//
// A token is "v2.<owner>.<issued>.<generation>.<session>.<mac>", where mac is HMAC-SHA256 of what comes before it. It
// travels as a cookie (HttpOnly, SameSite=Lax unless it must cross sites) or as a Bearer token. The first call that
// needs an owner makes one; the same token then names the same owner until it expires, or the database says that its
// session has ended, or all of its owner's generation. Keys rotate: the first of the list signs, all of them verify.
//
// The cookie is __Host-schedgen_session where it is sent over HTTPS only: no other host of the domain can set one.
// Sessions from before that have "v1.<owner>.<issued>.<mac>" in the cookie schedgen_session. They go on until they
// expire, and get the new cookie with the next upload or sign-in; a v2 token is not taken from the old cookie, so that
// nobody can plant one that was made since.
package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/secret"
)

// CookieName is the cookie that carries a token, after hostPrefix where it is sent over HTTPS only.
const CookieName = "schedgen_session"

// hostPrefix has browsers take a cookie from this host alone (RFC 6265bis, section 4.1.3.2).
const hostPrefix = "__Host-"

// minKey is the least length of a key: that of the hash (RFC 2104, section 3).
const minKey = 32

// clockSkew is how far in the future another instance may have issued a token.
const clockSkew = 5 * time.Minute

// Config is how tokens are signed and sent.
type Config struct {
	// Keys sign (the first) and verify (all). Each has at least 32 bytes; as text, or as base64 after "base64:".
	Keys   []secret.String `env:"SESSION_KEY, required"`
	Secure bool            `env:"SESSION_SECURE, default=true"`                  // send the cookie over HTTPS only
	MaxAge time.Duration   `env:"SESSION_MAX_AGE, default=8760h" zero:"allowed"` // how long a browser keeps who it is
	// lax, or none where a frontend on another site calls the API: browsers then send the cookie along with what its
	// pages ask for. It needs SESSION_SECURE. Only pages of TRUSTED_ORIGINS may change anything, either way.
	SameSite string `env:"COOKIE_SAMESITE, default=lax"`
}

// ConfigError says what is wrong with a Config, without showing a key.
type ConfigError struct{ Variable, Problem string }

func (e *ConfigError) Error() string { return e.Variable + ": " + e.Problem }

// ErrInvalid is every token that we did not sign, or that is too old.
var ErrInvalid = errors.New("session: invalid token")

// Sessions makes and checks tokens. It is safe for concurrent use.
type Sessions struct {
	keys     []secret.String
	secure   bool
	sameSite http.SameSite
	maxAge   time.Duration
	ends     *Ends // nil: sessions end by their age alone
	now      func() time.Time
}

// Session is what a token says.
type Session struct {
	Owner      string
	ID         string // the same in each token of the session
	Generation int    // of the owner's sessions, which end together

	version string
	expires time.Time
	stale   bool // should be issued anew: past half its life, or by an old key, or in an old form
}

// New checks cfg; what makes no sense in it, such as a missing or short key, is a *ConfigError.
func New(cfg Config) (*Sessions, error) {
	s := &Sessions{secure: cfg.Secure, maxAge: cfg.MaxAge, now: time.Now}
	var err error
	if s.sameSite, err = cfg.sameSite(); err != nil {
		return nil, err
	}
	if s.maxAge <= 0 {
		s.maxAge = 365 * 24 * time.Hour
	}
	for i, text := range cfg.Keys {
		key := []byte(strings.TrimSpace(text.Reveal()))
		if encoded, ok := strings.CutPrefix(string(key), "base64:"); ok {
			decoded, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return nil, &ConfigError{"SESSION_KEY", fmt.Sprintf("key %d is not valid base64", i+1)}
			}
			key = decoded
		}
		if len(key) < minKey {
			return nil, &ConfigError{"SESSION_KEY", fmt.Sprintf("key %d has %d bytes, at least %d are needed", i+1, len(key), minKey)}
		}
		s.keys = append(s.keys, secret.New(string(key)))
	}
	if len(s.keys) == 0 {
		return nil, &ConfigError{"SESSION_KEY", "at least one key of 32 bytes or more is needed"}
	}
	return s, nil
}

// sameSite reads COOKIE_SAMESITE. Strict is no choice: the way back from Google's sign-in comes from another site.
func (c Config) sameSite() (http.SameSite, error) {
	switch strings.ToLower(c.SameSite) {
	case "", "lax":
		return http.SameSiteLaxMode, nil
	case "none":
		if !c.Secure {
			return 0, &ConfigError{"COOKIE_SAMESITE", "none needs SESSION_SECURE=true: browsers drop such a cookie without HTTPS"}
		}
		return http.SameSiteNoneMode, nil
	}
	return 0, &ConfigError{"COOKIE_SAMESITE", "use lax or none"}
}

// MaxAge is how long a token is good.
func (s *Sessions) MaxAge() time.Duration { return s.maxAge }

// UseDatabase lets sessions end before their time, as the database of pool says.
func (s *Sessions) UseDatabase(pool *postgres.Pool) *Sessions {
	s.ends = &Ends{pool}
	return s
}

// Token is a token of a new session of an owner whose sessions were never ended all at once.
func (s *Sessions) Token(owner string) string { return s.token(Session{Owner: owner, ID: newID()}) }

// token is a fresh token of a session.
func (s *Sessions) token(of Session) string {
	body := strings.Join([]string{"v2", of.Owner, strconv.FormatInt(s.now().Unix(), 36),
		strconv.FormatInt(int64(of.Generation), 36), of.ID}, ".")
	return body + "." + sign(s.keys[0], body)
}

// newID names a session.
func newID() string {
	var b [12]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Verify is the owner that a token names; ErrInvalid if we never signed it or it expired.
func (s *Sessions) Verify(token string) (owner string, err error) {
	session, err := s.verify(token)
	return session.Owner, err
}

// verify reads a token.
func (s *Sessions) verify(token string) (Session, error) {
	cut := strings.LastIndexByte(token, '.')
	if len(token) > 256 || cut < 0 {
		return Session{}, ErrInvalid
	}
	body, mac := token[:cut], token[cut+1:]
	signer := slices.IndexFunc(s.keys, func(key secret.String) bool { return hmac.Equal([]byte(mac), []byte(sign(key, body))) })
	if signer < 0 {
		return Session{}, ErrInvalid
	}
	session, issued, err := parse(body)
	if err != nil {
		return Session{}, err
	}
	age := s.now().Sub(issued)
	if age > s.maxAge || age < -clockSkew {
		return Session{}, ErrInvalid
	}
	session.expires = issued.Add(s.maxAge)
	session.stale = signer > 0 || age > s.maxAge/2
	if session.ID == "" {
		session.ID = mac // a session of the old form has one token
	}
	return session, nil
}

// parse reads what a token's MAC vouches for.
func parse(body string) (session Session, issued time.Time, err error) {
	parts := strings.Split(body, ".")
	if len(parts) < 3 || len(parts[1]) != 36 || uuid.Validate(parts[1]) != nil {
		return session, issued, ErrInvalid
	}
	session = Session{version: parts[0], Owner: parts[1]}
	seconds, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil {
		return session, issued, ErrInvalid
	}
	switch {
	case session.version == "v1" && len(parts) == 3:
	case session.version == "v2" && len(parts) == 5:
		generation, err := strconv.ParseInt(parts[3], 36, 32)
		if err != nil {
			return session, issued, ErrInvalid
		}
		session.Generation, session.ID = int(generation), parts[4]
	default:
		return session, issued, ErrInvalid
	}
	return session, time.Unix(seconds, 0), nil
}

// sign is the MAC of body, in the alphabet of cookies.
func sign(key secret.String, body string) string {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Owner is the caller's owner id, and whether there is one. A token that is not ours counts as none, and so does one
// whose session has ended.
func (s *Sessions) Owner(r *http.Request) (owner string, ok bool) {
	session, ok := s.Session(r)
	return session.Owner, ok
}

// Session is the caller's.
func (s *Sessions) Session(r *http.Request) (Session, bool) {
	session, ok := s.signed(r)
	if !ok || s.ends.ended(r.Context(), session) {
		return Session{}, false
	}
	return session, true
}

// SignedOwner is the owner of the caller's token, also if the session has ended, for no database is asked: for counting
// what a caller asks for, and for what an ended session may still be told.
func (s *Sessions) SignedOwner(r *http.Request) (owner string, ok bool) {
	session, ok := s.signed(r)
	return session.Owner, ok
}

// signed prefers a Bearer token, which was sent on purpose, to a cookie, which always comes along.
func (s *Sessions) signed(r *http.Request) (Session, bool) {
	if _, sent := bearerToken(r); sent {
		return s.bearer(r)
	}
	return s.cookie(r)
}

// Bearer says whether the request carries a Bearer token of a session that goes on. No browser adds one by itself.
func (s *Sessions) Bearer(r *http.Request) bool {
	session, ok := s.bearer(r)
	return ok && !s.ends.ended(r.Context(), session)
}

func (s *Sessions) bearer(r *http.Request) (Session, bool) {
	token, _ := bearerToken(r)
	session, err := s.verify(token)
	session.stale = false // who sends a token keeps it
	return session, err == nil
}

func bearerToken(r *http.Request) (token string, sent bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "Bearer")
}

// cookie reads the session's cookie: where it has the prefix, one without only of a session from before.
func (s *Sessions) cookie(r *http.Request) (Session, bool) {
	for _, cookie := range r.CookiesNamed(s.cookieName()) {
		if session, err := s.verify(cookie.Value); err == nil {
			return session, true
		}
	}
	if !s.secure {
		return Session{}, false
	}
	for _, cookie := range r.CookiesNamed(CookieName) {
		if session, err := s.verify(cookie.Value); err == nil && session.version == "v1" {
			session.stale = true
			return session, true
		}
	}
	return Session{}, false
}

// cookieName is the cookie that this server sets.
func (s *Sessions) cookieName() string {
	if s.secure {
		return hostPrefix + CookieName
	}
	return CookieName
}

// Ensure is the caller's owner id, a new anonymous one if there is none. The header of the answer
// then gets the cookie, so call it before the status is written.
func (s *Sessions) Ensure(header http.Header, r *http.Request) (owner string) {
	session, ok := s.Session(r)
	if !ok {
		session = Session{Owner: uuid.NewString(), ID: newID(), stale: true}
	}
	if session.stale {
		if s.secure && session.version == "v1" {
			header.Add("Set-Cookie", s.Protected(http.Cookie{Name: CookieName, Path: "/", MaxAge: -1}).String())
		}
		header.Add("Set-Cookie", s.cookieOf(session).String())
	}
	return session.Owner
}

// Cookie is the cookie that makes the caller an owner whose sessions were never ended all at once: a new one.
func (s *Sessions) Cookie(owner string) *http.Cookie {
	return s.cookieOf(Session{Owner: owner, ID: newID()})
}

func (s *Sessions) cookieOf(session Session) *http.Cookie {
	return s.Protected(http.Cookie{Name: s.cookieName(), Value: s.token(session), Path: "/", MaxAge: int(s.maxAge.Seconds())})
}

// ClearCookies has the browser drop its cookies.
func (s *Sessions) ClearCookies(header http.Header) {
	header.Add("Set-Cookie", s.Protected(http.Cookie{Name: s.cookieName(), Path: "/", MaxAge: -1}).String())
	if s.secure {
		header.Add("Set-Cookie", s.Protected(http.Cookie{Name: CookieName, Path: "/", MaxAge: -1}).String())
	}
}

// Protected is the cookie as each of ours is sent: out of reach of scripts, and to where Config says.
func (s *Sessions) Protected(c http.Cookie) *http.Cookie {
	c.HttpOnly, c.Secure, c.SameSite = true, s.secure, s.sameSite
	return &c
}
