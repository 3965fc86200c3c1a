package ratelimit_test

import (
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/ratelimit"
)

// wide lets the limits of requests out of the way.
var wide = ratelimit.Limits{Client: ratelimit.Off, Status: ratelimit.Off, Uploads: ratelimit.Off, All: ratelimit.Off, SignIn: small.SignIn, Address: 3}

// eachStore runs a test with failures counted in Redis, and in the process.
func eachStore(t *testing.T, test func(t *testing.T, one *instance)) {
	t.Helper()
	for name, redis := range map[string]func(*testing.T) string{
		"Redis":      func(t *testing.T) string { return redistest.New(t).URL() },
		"no Redis":   func(*testing.T) string { return "" },
		"Redis away": func(*testing.T) string { return "redis://127.0.0.1:1/0" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newInstance(t, redis(t), wide))
		})
	}
}

func TestFailedSignInsBlockTheAddress(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		admitted, refused := one.until(caller{address: campus}, "GET", "/api/auth/google/callback", 400)
		if admitted != 3 || refused.Code != 429 || refused.Header().Get("Retry-After") != "3600" && refused.Header().Get("Retry-After") != "3599" {
			t.Fatalf("%d admitted, then %d %v; want 3, then 429 for an hour", admitted, refused.Code, refused.Header())
		}
		if !strings.Contains(refused.refused.Message, "in 60 minutes") {
			t.Errorf("got %q", refused.refused.Message)
		}
		for _, path := range []string{"/api/auth/google", "/api/admin/backups"} {
			if got := one.ask(caller{address: campus}, "GET", path, 200); got.refused == nil {
				t.Errorf("%s is not blocked", path)
			}
		}
		if got := one.ask(caller{address: campus}, "GET", "/api/years", 200); got.refused != nil {
			t.Errorf("what is no sign-in: %v", got.refused)
		}
		if got := one.ask(caller{address: home}, "GET", "/api/auth/google", 200); got.refused != nil {
			t.Errorf("another address: %v", got.refused)
		}
		if got := one.ask(caller{address: campus, owner: owner(1)}, "GET", "/api/auth/google", 302); got.refused != nil {
			t.Errorf("a session behind the same address, of which none failed: %v", got.refused)
		}
	})
}

// Sessions are cheap, so the address as a whole is blocked in the end, and so is the address without one.
func TestSessionsDoNotLetOneTryForEver(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		total := 0
		for n := range 20 {
			admitted, _ := one.until(caller{address: campus, owner: owner(n)}, "GET", "/api/auth/google/callback", 400)
			total += admitted
			if n == 0 && (admitted != 3 || one.ask(caller{address: campus}, "GET", "/api/auth/google", 302).refused == nil) {
				t.Errorf("the first session: %d admitted, and the address without a session is not blocked", admitted)
			}
		}
		if total != 9 {
			t.Errorf("%d attempts in all, want 9", total)
		}
	})
}

func TestWhatCountsAsAFailedSignIn(t *testing.T) {
	t.Parallel()
	bearer := []string{"Authorization", "Bearer guess"}
	for name, c := range map[string]struct {
		path   string
		status int
		header []string
		want   bool
	}{
		"a wrong admin token":        {"/api/admin/limits", 401, bearer, true},
		"no admin token":             {"/api/admin/limits", 401, nil, false},
		"the right admin token":      {"/api/admin/limits", 200, bearer, false},
		"an admin's slip":            {"/api/admin/dead-letters?limit=x", 400, bearer, false},
		"a callback of nobody's":     {"/api/auth/google/callback", 400, nil, true},
		"a callback that succeeds":   {"/api/auth/google/callback", 302, nil, false},
		"a wrong return address":     {"/api/auth/google", 400, nil, false},
		"a token for something else": {"/api/calendars", 401, bearer, false},
	} {
		one := newInstance(t, "", wide)
		for range 3 {
			one.ask(caller{address: home}, "GET", c.path, c.status, c.header...)
		}
		if got := one.ask(caller{address: home}, "GET", "/api/auth/google", 302).refused != nil; got != c.want {
			t.Errorf("%s: blocked %v, want %v", name, got, c.want)
		}
	}
}

func TestBlocksAreListedAndLifted(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		block := func() ratelimit.Block {
			t.Helper()
			one.until(caller{address: campus}, "GET", "/api/auth/google/callback", 400)
			all, err := one.guard.Blocks(t.Context())
			if err != nil || len(all) != 1 || all[0].Of != "address" || len(all[0].Log) != 16 || all[0].Until.IsZero() {
				t.Fatalf("%v; got %+v, want the block of an address", err, all)
			}
			return all[0]
		}
		for name, lifted := range map[string]string{"by its id": block().ID, "by the address": campus} {
			block()
			found, err := one.guard.Lift(t.Context(), lifted)
			all, _ := one.guard.Blocks(t.Context())
			if again := one.ask(caller{address: campus}, "GET", "/api/auth/google", 302); err != nil && name == "" || !found || len(all) != 0 || again.refused != nil {
				t.Errorf("%s: %v, found %v, %+v is left, then %v", name, err, found, all, again.refused)
			}
		}
		if found, _ := one.guard.Lift(t.Context(), "nobody"); found {
			t.Error("it found a block that is not there")
		}
	})
}
