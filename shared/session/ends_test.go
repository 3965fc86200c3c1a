package session

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/secret"
)

// as is a request that carries a cookie.
func as(t *testing.T, name, token string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: name, Value: token})
	return r
}

// TestASessionEndsWhereverItsTokenIs: for every process at once, and no other session with it.
func TestASessionEndsWhereverItsTokenIs(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s, elsewhere, owner := sessions(t, keyA).UseDatabase(pool), sessions(t, keyA).UseDatabase(pool), uuid.NewString()
	first, second := s.Cookie(owner), s.Cookie(owner)
	session, ok := s.Session(as(t, first.Name, first.Value))
	if !ok {
		t.Fatal("a new session is none")
	}
	if err := s.End(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	renewed := s.token(session) // made before the end, say
	for _, token := range []string{first.Value, renewed} {
		if got, ok := elsewhere.Owner(as(t, first.Name, token)); ok {
			t.Errorf("an ended session names %s", got)
		}
	}
	bearer := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	bearer.Header.Set("Authorization", "Bearer "+first.Value)
	if elsewhere.Bearer(bearer) {
		t.Error("an ended session's token is good as a Bearer token")
	}
	if got, ok := elsewhere.Owner(as(t, second.Name, second.Value)); !ok || got != owner {
		t.Errorf("the other session: got %q, %v", got, ok)
	}
	if gone, err := DiscardEnded(t.Context(), pool, time.Now(), 10); err != nil || gone != 0 {
		t.Errorf("%d are forgotten before they expire, %v", gone, err)
	}
	if gone, err := DiscardEnded(t.Context(), pool, time.Now().Add(49*time.Hour), 10); err != nil || gone != 1 {
		t.Errorf("%d are forgotten after they expired, %v; want 1", gone, err)
	}
}

func TestAllSessionsOfAnOwnerEnd(t *testing.T) {
	t.Parallel()
	s, owner, other := sessions(t, keyA).UseDatabase(pgtest.Pool(t)), uuid.NewString(), uuid.NewString()
	before := []string{s.Token(owner), s.Token(owner), oldToken(s, owner)}
	if err := s.EndAll(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	for _, token := range before {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		if _, ok := s.Owner(r); ok {
			t.Errorf("%s is still good", token)
		}
	}
	cookie, err := s.SignIn(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := s.Owner(as(t, cookie.Name, cookie.Value)); !ok || got != owner {
		t.Errorf("signed in again at once: got %q, %v", got, ok)
	}
	if _, ok := s.Owner(as(t, cookie.Name, s.Token(other))); !ok {
		t.Error("another owner's session ended as well")
	}
}

// oldToken is a token as it was before sessions had ids.
func oldToken(s *Sessions, owner string) string {
	body := "v1." + owner + "." + strconv.FormatInt(s.now().Unix(), 36)
	return body + "." + sign(s.keys[0], body)
}

// TestNobodyPlantsASession: a sibling host can set schedgen_session, and not the cookie of this host alone.
func TestNobodyPlantsASession(t *testing.T) {
	t.Parallel()
	s, owner := sessions(t, keyA), uuid.NewString()
	if got := s.Cookie(owner); got.Name != "__Host-schedgen_session" || got.Path != "/" || got.Domain != "" || !got.Secure {
		t.Errorf("the cookie is %v", got)
	}
	if got, ok := s.Owner(as(t, CookieName, s.Token(uuid.NewString()))); ok {
		t.Errorf("a planted cookie names %s", got)
	}
	// A session from before goes on, and moves to the new cookie.
	old := as(t, CookieName, oldToken(s, owner))
	header := http.Header{}
	if got := s.Ensure(header, old); got != owner {
		t.Errorf("a session from before: got %q, want %q", got, owner)
	}
	set := header.Values("Set-Cookie")
	if len(set) != 2 || !strings.HasPrefix(set[0], CookieName+"=;") || !strings.HasPrefix(set[1], "__Host-"+CookieName+"=v2."+owner) {
		t.Errorf("its cookies are set by %q", set)
	}
	// Over plain HTTP no browser takes the prefix.
	plain, err := New(Config{Keys: secret.List(keyA)})
	if err != nil {
		t.Fatal(err)
	}
	cookie := plain.Cookie(owner)
	if got, ok := plain.Owner(as(t, cookie.Name, cookie.Value)); cookie.Name != CookieName || !ok || got != owner {
		t.Errorf("over HTTP the cookie is %v, which names %q", cookie, got)
	}
}
