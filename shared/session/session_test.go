package session

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/secret"
)

const (
	keyA = "an old key of at least 32 bytes, yes"
	keyB = "a new key of at least 32 bytes, also"
)

func sessions(t testing.TB, keys ...string) *Sessions {
	t.Helper()
	s, err := New(Config{Keys: secret.List(keys...), Secure: true, MaxAge: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestATokenNamesItsOwner(t *testing.T) {
	t.Parallel()
	s, owner := sessions(t, keyA), uuid.NewString()
	got, err := s.Verify(s.Token(owner))
	if err != nil || got != owner {
		t.Errorf("got %q, %v; want %q", got, err, owner)
	}
}

func TestForgedTokensAreRefused(t *testing.T) {
	t.Parallel()
	s, owner := sessions(t, keyA), uuid.NewString()
	token := s.Token(owner)
	forged := []string{"", ".", "v1", token + "x", token[:len(token)-2], strings.Replace(token, owner, uuid.NewString(), 1),
		"v1" + token[2:], sessions(t, keyB).Token(owner), s.Token("not-a-uuid"), s.Token("a.b"), strings.Repeat("a", 1000)}
	for _, token := range forged {
		if got, err := s.Verify(token); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: got owner %q, %v", token, got, err)
		}
	}
}

func TestTokensExpire(t *testing.T) {
	t.Parallel()
	s, owner := sessions(t, keyA), uuid.NewString()
	begin := time.Now()
	token := s.Token(owner)
	for after, valid := range map[time.Duration]bool{23 * time.Hour: true, 25 * time.Hour: false, -time.Minute: true, -time.Hour: false} {
		s.now = func() time.Time { return begin.Add(after) }
		if _, err := s.Verify(token); (err == nil) != valid {
			t.Errorf("after %v: got %v, want valid %v", after, err, valid)
		}
	}
}

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	owner := uuid.NewString()
	old := sessions(t, keyA).Token(owner)
	rotated := sessions(t, keyB, keyA)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: hostPrefix + CookieName, Value: old})
	header := http.Header{}
	if got := rotated.Ensure(header, r); got != owner {
		t.Fatalf("got %q, want %q", got, owner)
	}
	fresh, err := http.ParseSetCookie(header.Get("Set-Cookie"))
	if err != nil {
		t.Fatalf("the old key's cookie was not replaced: %v", err)
	}
	if got, err := sessions(t, keyB).Verify(fresh.Value); err != nil || got != owner {
		t.Errorf("the fresh cookie: got %q, %v", got, err)
	}
}

func TestEnsureMakesAnOwnerOnce(t *testing.T) {
	t.Parallel()
	s := sessions(t, keyA)
	first := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	first.AddCookie(&http.Cookie{Name: CookieName, Value: "junk"})
	header := http.Header{}
	owner := s.Ensure(header, first)
	cookie, err := http.ParseSetCookie(header.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.MaxAge <= 0 {
		t.Errorf("got cookie %v", cookie)
	}
	second := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	second.AddCookie(cookie)
	header = http.Header{}
	if got := s.Ensure(header, second); got != owner || len(header) != 0 {
		t.Errorf("got %q and header %v, want %q and none", got, header, owner)
	}
}

func TestABearerTokenWins(t *testing.T) {
	t.Parallel()
	s, owner := sessions(t, keyA), uuid.NewString()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(s.Cookie(uuid.NewString()))
	r.Header.Set("Authorization", "bearer "+s.Token(owner))
	if got, ok := s.Owner(r); !ok || got != owner {
		t.Errorf("got %q, %v; want %q", got, ok, owner)
	}
	r.Header.Set("Authorization", "Bearer junk")
	if got, ok := s.Owner(r); ok {
		t.Errorf("a wrong Bearer token: got %q, want nobody", got)
	}
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	long := "base64:" + base64.StdEncoding.EncodeToString([]byte(keyA))
	for name, c := range map[string]struct {
		keys []string
		good bool
	}{
		"none": {nil, false}, "short": {[]string{"secret"}, false}, "second short": {[]string{keyA, "secret"}, false},
		"base64": {[]string{long}, true}, "broken base64": {[]string{"base64:!"}, false}, "text": {[]string{keyA}, true},
	} {
		_, err := New(Config{Keys: secret.List(c.keys...)})
		var problem *ConfigError
		if c.good != (err == nil) || err != nil && !errors.As(err, &problem) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows a key: %v", name, err)
		}
	}
}

// TestCookiesGoWhereTheyAreAllowed: across sites only where that is asked for, and then over HTTPS only.
func TestCookiesGoWhereTheyAreAllowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sameSite string
		secure   bool
		want     string // empty: refused
	}{
		{"", false, "; HttpOnly; SameSite=Lax"}, {"lax", true, "; HttpOnly; Secure; SameSite=Lax"}, {"None", true, "; HttpOnly; Secure; SameSite=None"},
		{"none", false, ""}, {"strict", true, ""}, {"no", true, ""},
	} {
		s, err := New(Config{Keys: secret.List(keyA), Secure: c.secure, SameSite: c.sameSite})
		if err != nil {
			if c.want != "" || !strings.HasPrefix(err.Error(), "COOKIE_SAMESITE: ") {
				t.Errorf("%q, secure %v: got %v", c.sameSite, c.secure, err)
			}
			continue
		}
		for _, cookie := range []*http.Cookie{s.Cookie(uuid.NewString()), s.Protected(http.Cookie{Name: "other", Value: "x"})} {
			if !strings.HasSuffix(cookie.String(), c.want) || c.want == "" {
				t.Errorf("%q, secure %v: the cookie is %s, want %q at its end", c.sameSite, c.secure, cookie, c.want)
			}
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := sessions(f, keyA)
	s.now = func() time.Time { return time.Unix(1_780_000_000, 0) } // workers must agree on the token
	good := s.token(Session{Owner: "0192a0b0-0000-7000-8000-000000000000", ID: "one"})
	f.Add(good)
	f.Add("v1.." + sign(s.keys[0], "v1."))
	f.Fuzz(func(t *testing.T, token string) {
		got, err := s.Verify(token)
		if err == nil && token != good {
			t.Errorf("%q is taken for a token of %q", token, got)
		}
	})
}
