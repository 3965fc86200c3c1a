package ratelimit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
		admitted, refused := one.until(caller{address: campus}, "GET", callback, 400)
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
		for _, path := range []string{"/api/admin/backups", "/api/health"} {
			if got := one.ask(caller{address: campus}, "GET", path, 200, "Authorization", "Bearer admin"); got.refused == nil {
				t.Errorf("%s is not blocked for the admin token", path)
			}
		}
		if got := one.ask(caller{address: campus}, "GET", "/api/health", 200); got.refused != nil {
			t.Errorf("health without a token: %v", got.refused)
		}
		if got := one.ask(caller{address: campus}, "GET", "/api/health", 200, "Authorization", "Basic eDp4"); got.refused != nil {
			t.Errorf("health with the password of a site: %v", got.refused)
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
			admitted, _ := one.until(caller{address: campus, owner: owner(n)}, "GET", callback, 400)
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
		"a callback of nobody's":     {callback, 400, nil, true},
		"a callback that succeeds":   {callback, 302, nil, false},
		"a wrong return address":     {"/api/auth/google", 400, nil, false},
		"a token for something else": {"/api/calendars", 401, bearer, false},
		"a wrong token for health":   {"/api/health", 401, bearer, true},
		"a site's own password":      {"/api/health", 401, []string{"Authorization", "Basic eDp4"}, false},
		"such a password for admins": {"/api/admin/limits", 401, []string{"Authorization", "Basic eDp4"}, false},
		"no token for health":        {"/api/health", 200, nil, false},
		"the right one for health":   {"/api/health", 200, []string{"Authorization", "Bearer admin"}, false},
		"no token of a task":         {"/tasks/sweep", 401, nil, false},
		"a wrong token of a task":    {"/tasks/sweep", 401, bearer, true},
		"a wrong token of an event":  {"/events/s3", 401, bearer, true},
		"a token that nobody needs":  {"/events/open", 200, bearer, false},
		"the right token of a task":  {"/tasks/sweep", 200, []string{"Authorization", "Bearer admin"}, false},
		"the token of another part":  {"/api/admin/limits", 401, []string{"Authorization", "Bearer event"}, true},
	} {
		one := newInstance(t, "", wide)
		for range 3 {
			one.ask(caller{address: home}, method(c.path), c.path, c.status, c.header...)
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
			one.until(caller{address: campus}, "GET", callback, 400)
			all, err := one.guard.Blocks(t.Context())
			if err != nil || len(all) != 1 || all[0].Of != "address" || len(all[0].Log) != 16 || all[0].Until.IsZero() {
				t.Fatalf("%v; got %+v, want the block of an address", err, all)
			}
			return all[0]
		}
		for name, lifted := range map[string]string{"by its id": block().ID, "by the address": campus} {
			block()
			found, err := one.guard.Lift(t.Context(), lifted)
			all, listErr := one.guard.Blocks(t.Context())
			if again := one.ask(caller{address: campus}, "GET", "/api/auth/google", 302); err != nil || listErr != nil || !found || len(all) != 0 || again.refused != nil {
				t.Errorf("%s: %v, found %v, %v, %+v is left, then %v", name, err, found, listErr, all, again.refused)
			}
		}
		if found, _ := one.guard.Lift(t.Context(), "nobody"); found {
			t.Error("it found a block that is not there")
		}
	})
}

// method is how programs call a path.
func method(path string) string {
	if strings.HasPrefix(path, "/events/") || strings.HasPrefix(path, "/tasks/") {
		return "POST"
	}
	return "GET"
}

// Guesses that are sent together are no more than those that are sent one after the other.
func TestGuessesAtTheSameTimeAreCounted(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		for _, c := range []struct {
			from   caller
			path   string
			status int
			header []string
		}{
			{caller{address: campus}, "/api/admin/limits", 401, []string{"Authorization", "Bearer guess"}},
			{caller{address: home, owner: owner(1)}, callback, 400, nil},
			{caller{address: "192.0.2.1"}, "/tasks/sweep", 401, []string{"Authorization", "Bearer guess"}},
		} {
			var going []answer
			for range 20 {
				if a := one.begin(c.from, method(c.path), c.path, c.header...); a.refused == nil {
					going = append(going, a)
				} else if a.Header().Get("Retry-After") != "1" {
					t.Errorf("%s: Retry-After is %s, want a second: nothing is blocked yet", c.path, a.Header().Get("Retry-After"))
				}
			}
			if len(going) != 3 {
				t.Errorf("%s: %d guesses began, want 3", c.path, len(going))
			}
			for _, a := range going {
				a.done(c.status)
			}
			if got := one.ask(c.from, method(c.path), c.path, c.status, c.header...); got.refused == nil || got.Header().Get("Retry-After") == "1" {
				t.Errorf("%s: not blocked after them", c.path)
			}
		}
	})
}

// Who knows the secret may try as often as he likes, also at the same time.
func TestWhatIsNoGuessIsNotCounted(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		for range 10 {
			if got := one.ask(caller{address: home, owner: owner(1)}, "GET", callback, 302); got.refused != nil {
				t.Fatalf("people who come back: %v", got.refused)
			}
		}
		for range 10 {
			if got := one.begin(caller{address: home}, "GET", "/api/admin/limits", "Authorization", "Bearer admin"); got.refused != nil {
				t.Fatalf("an operator: %v", got.refused)
			}
		}
	})
}

// A block stops the token that is guessed, and not the system's own work.
func TestABlockStopsOperatorsAndNotEvents(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, one *instance) {
		one.until(caller{address: home}, "POST", "/tasks/sweep", 401) // without a token nothing is guessed
		for range 3 {
			one.ask(caller{address: home}, "POST", "/tasks/sweep", 401, "Authorization", "Bearer guess")
		}
		for token, want := range map[string]bool{"guess": true, "admin": true, "event": false} {
			if got := one.ask(caller{address: home}, "POST", "/tasks/sweep", 200, "Authorization", "Bearer "+token); (got.refused != nil) != want {
				t.Errorf("the token %q: got %v", token, got.refused)
			}
		}
	})
}

// A block that began while Redis was away goes on when it is back, for all instances, until it is lifted.
func TestABlockOutlastsTheOutageOfRedis(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one := newInstance(t, server.URL(), wide)
	one.guard = newGuard(t, wide, connectAgain(t, server.URL()), one.sessions)
	server.Stop()
	if admitted, _ := one.until(caller{address: campus}, "GET", callback, 400); admitted != 3 {
		t.Fatalf("%d admitted", admitted)
	}
	server.Start()
	if got := one.ask(caller{address: campus}, "GET", "/api/auth/google", 302); got.refused == nil {
		t.Error("the block ended with the outage")
	}
	other := newInstance(t, server.URL(), wide)
	for got := one.ask(caller{address: home}, "GET", "/api/auth/google", 302); other.ask(caller{address: campus}, "GET", "/api/auth/google", 302).refused == nil; {
		if t.Context().Err() != nil || got.refused != nil {
			t.Fatalf("another instance does not know of the block; %v", got.refused)
		}
		got = one.ask(caller{address: home}, "GET", "/api/auth/google", 302)
	}
	if all, err := other.guard.Blocks(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v; got %+v, want one block", err, all)
	}
	if found, err := other.guard.Lift(t.Context(), campus); err != nil || !found {
		t.Errorf("lifted: %v, %v", found, err)
	}
	if got := one.ask(caller{address: campus}, "GET", "/api/auth/google", 302); got.refused != nil {
		t.Errorf("after it was lifted elsewhere: %v", got.refused)
	}
}

// Others use the same Redis, which may hold far more than blocks.
func TestBlocksAreFoundAmongManyOtherKeys(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one := newInstance(t, server.URL(), wide)
	one.until(caller{address: campus}, "GET", callback, 400)
	c := connect(t, server.URL())
	for n := range 500 {
		c.Set(t.Context(), fmt.Sprintf("limit:block:of somebody else %d", n), []byte(`{"id":"x"}`), time.Hour)
	}
	if all, err := one.guard.Blocks(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("%v; got %d blocks, want the one that is listed", err, len(all))
	}
}
