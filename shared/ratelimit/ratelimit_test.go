package ratelimit_test

import (
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

// slow refills so rarely that a test sees only the burst. redis_rate counts in whole seconds, so
// the shared limiter cannot be slower than one in a second.
var slow = ratelimit.Config{PerSecond: 2, Burst: 6, Reserve: 1}

func connect(t *testing.T, url string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cache.Config{URL: secret.New(url), Timeout: 5 * time.Second, Retry: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the server may be gone first
	return c
}

// drain asks until it is refused, and says how often it was allowed.
func drain(t *testing.T, l *ratelimit.Limiter, reserve bool) (allowed int, last ratelimit.Decision) {
	t.Helper()
	for allowed = 0; allowed < 100; allowed++ {
		if last = l.Allow(t.Context(), reserve); !last.Allowed {
			return allowed, last
		}
	}
	return allowed, last
}

func TestTheRateIsSharedAndKeepsAReserve(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one, two := ratelimit.New(connect(t, server.URL()), "jobs", slow), ratelimit.New(connect(t, server.URL()), "jobs", slow)
	plain, refused := drain(t, one, false)
	if plain < slow.Burst-slow.Reserve || plain > 50 || refused.RetryAfter <= 0 || refused.Local {
		t.Errorf("without the reserve: %d allowed, then %+v", plain, refused)
	}
	if got := two.Allow(t.Context(), false); got.Allowed || got.Local {
		t.Errorf("another instance: got %+v, want a refusal", got)
	}
	if got := two.Allow(t.Context(), true); !got.Allowed {
		t.Errorf("with the reserve: got %+v", got)
	}
}

func TestWithoutRedisEachInstanceCountsForItself(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	shared := connect(t, server.URL())
	server.Stop()
	for name, c := range map[string]*cache.Cache{"away": shared, "none": connect(t, "")} {
		l := ratelimit.New(c, "jobs", slow)
		plain, refused := drain(t, l, false)
		if plain < slow.Burst-slow.Reserve || plain > 50 || !refused.Local || refused.RetryAfter <= 0 {
			t.Errorf("%s: %d allowed, then %+v", name, plain, refused)
		}
		if got := l.Allow(t.Context(), true); !got.Allowed || !got.Local {
			t.Errorf("%s: with the reserve: got %+v", name, got)
		}
	}
}

func TestAConfigHasDefaults(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(connect(t, ""), "jobs", ratelimit.Config{Reserve: 50})
	if allowed, _ := drain(t, l, true); allowed < 10 {
		t.Errorf("%d allowed, want the burst of 10", allowed)
	}
	if got := l.Allow(t.Context(), false); got.RetryAfter > 11*time.Second {
		t.Errorf("got %+v", got)
	}
}
