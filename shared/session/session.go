// Package session says who is calling, without a login: an owner id that we signed.
//
// A token is "v1.<owner>.<issued>.<mac>", where mac is HMAC-SHA256 of what comes before it. It travels as the
// cookie schedgen_session (HttpOnly, SameSite=Lax unless it must cross sites) or as a Bearer token. The first call that needs
// an owner makes one; the same token then names the same owner until it expires. Keys rotate:
// the first of the list signs, all of them verify.
package session

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// CookieName is the cookie that carries a token.
const CookieName = "schedgen_session"

// minKey is the least length of a key: that of the hash (RFC 2104, section 3).
const minKey = 32

// clockSkew is how far in the future another instance may have issued a token.
const clockSkew = 5 * time.Minute

// Config is how tokens are signed and sent.
type Config struct {
	// Keys sign (the first) and verify (all). Each has at least 32 bytes; as text, or as base64 after "base64:".
	Keys   []string      `env:"SESSION_KEY, required"`
	Secure bool          `env:"SESSION_SECURE, default=true"`   // send the cookie over HTTPS only
	MaxAge time.Duration `env:"SESSION_MAX_AGE, default=8760h"` // how long a browser keeps who it is
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
	keys     [][]byte
	secure   bool
	sameSite http.SameSite
	maxAge   time.Duration
	now      func() time.Time
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
		key := []byte(strings.TrimSpace(text))
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
		s.keys = append(s.keys, key)
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

// Token is a fresh token of owner.
func (s *Sessions) Token(owner string) string {
	body := "v1." + owner + "." + strconv.FormatInt(s.now().Unix(), 36)
	return body + "." + sign(s.keys[0], body)
}

// Verify is the owner that a token names; ErrInvalid if we never signed it or it expired.
func (s *Sessions) Verify(token string) (owner string, err error) {
	owner, _, err = s.verify(token)
	return owner, err
}

// verify also says whether the token should be issued anew: past half its life, or by an old key.
func (s *Sessions) verify(token string) (owner string, stale bool, err error) {
	cut := strings.LastIndexByte(token, '.')
	if len(token) > 256 || cut < 0 {
		return "", false, ErrInvalid
	}
	body, mac := token[:cut], token[cut+1:]
	signer := -1
	for i, key := range s.keys {
		if hmac.Equal([]byte(mac), []byte(sign(key, body))) {
			signer = i
			break
		}
	}
	if signer < 0 {
		return "", false, ErrInvalid
	}
	parts := strings.Split(body, ".")
	if len(parts) != 3 || parts[0] != "v1" {
		return "", false, ErrInvalid
	}
	if _, err := uuid.Parse(parts[1]); err != nil || len(parts[1]) != 36 {
		return "", false, ErrInvalid
	}
	issued, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil {
		return "", false, ErrInvalid
	}
	age := s.now().Sub(time.Unix(issued, 0))
	if age > s.maxAge || age < -clockSkew {
		return "", false, ErrInvalid
	}
	return parts[1], signer > 0 || age > s.maxAge/2, nil
}

// sign is the MAC of body, in the alphabet of cookies.
func sign(key []byte, body string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Owner is the caller's owner id, and whether there is one. A token that is not ours counts as none.
func (s *Sessions) Owner(r *http.Request) (owner string, ok bool) {
	owner, _, ok = s.owner(r)
	return owner, ok
}

// owner prefers a Bearer token, which was sent on purpose, to a cookie, which always comes along.
func (s *Sessions) owner(r *http.Request) (owner string, stale, ok bool) {
	if scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found && strings.EqualFold(scheme, "Bearer") {
		owner, _, err := s.verify(strings.TrimSpace(token))
		return owner, false, err == nil
	}
	for _, cookie := range r.CookiesNamed(CookieName) {
		if owner, stale, err := s.verify(cookie.Value); err == nil {
			return owner, stale, true
		}
	}
	return "", false, false
}

// Ensure is the caller's owner id, a new anonymous one if there is none. The header of the answer
// then gets the cookie, so call it before the status is written.
func (s *Sessions) Ensure(header http.Header, r *http.Request) (owner string) {
	owner, stale, ok := s.owner(r)
	if !ok {
		owner, stale = uuid.NewString(), true
	}
	if stale {
		header.Add("Set-Cookie", s.Cookie(owner).String())
	}
	return owner
}

// Cookie is the cookie that makes the caller owner.
func (s *Sessions) Cookie(owner string) *http.Cookie {
	return s.Protected(http.Cookie{Name: CookieName, Value: s.Token(owner), Path: "/", MaxAge: int(s.maxAge.Seconds())})
}

// Protected is the cookie as each of ours is sent: out of reach of scripts, and to where Config says.
func (s *Sessions) Protected(c http.Cookie) *http.Cookie {
	c.HttpOnly, c.Secure, c.SameSite = true, s.secure, s.sameSite
	return &c
}
