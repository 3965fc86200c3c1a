// Package session says who is calling, without a login: an owner id that we signed.
//
// A token is "v1.<owner>.<issued>.<mac>", where mac is HMAC-SHA256 of what comes before it. It travels as the
// cookie schedgen_session (HttpOnly, SameSite=Lax) or as a Bearer token. The first call that needs
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
}

// ConfigError says what is wrong with a Config, without showing a key.
type ConfigError struct{ Problem string }

func (e *ConfigError) Error() string { return "SESSION_KEY: " + e.Problem }

// ErrInvalid is every token that we did not sign, or that is too old.
var ErrInvalid = errors.New("session: invalid token")

// Sessions makes and checks tokens. It is safe for concurrent use.
type Sessions struct {
	keys   [][]byte
	secure bool
	maxAge time.Duration
	now    func() time.Time
}

// New checks cfg; a missing or short key is a *ConfigError.
func New(cfg Config) (*Sessions, error) {
	s := &Sessions{secure: cfg.Secure, maxAge: cfg.MaxAge, now: time.Now}
	if s.maxAge <= 0 {
		s.maxAge = 365 * 24 * time.Hour
	}
	for i, text := range cfg.Keys {
		key := []byte(strings.TrimSpace(text))
		if encoded, ok := strings.CutPrefix(string(key), "base64:"); ok {
			decoded, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				return nil, &ConfigError{Problem: fmt.Sprintf("key %d is not valid base64", i+1)}
			}
			key = decoded
		}
		if len(key) < minKey {
			return nil, &ConfigError{Problem: fmt.Sprintf("key %d has %d bytes, at least %d are needed", i+1, len(key), minKey)}
		}
		s.keys = append(s.keys, key)
	}
	if len(s.keys) == 0 {
		return nil, &ConfigError{Problem: "at least one key of 32 bytes or more is needed"}
	}
	return s, nil
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
	return &http.Cookie{Name: CookieName, Value: s.Token(owner), Path: "/", HttpOnly: true, Secure: s.secure,
		SameSite: http.SameSiteLaxMode, MaxAge: int(s.maxAge.Seconds())}
}
