package redis_test

import (
	"net/url"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/stack/redis"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
)

func start(t *testing.T) *redis.Server {
	t.Helper()
	server, err := redis.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func open(t *testing.T, address string) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cache.Config{URL: secret.New(address), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // only asked
	return c
}

func TestItServesTheCacheAndTheRate(t *testing.T) {
	t.Parallel()
	c := open(t, start(t).URL())
	c.Set(t.Context(), "k", []byte("v"), time.Minute)
	if got, ok := c.Get(t.Context(), "k"); !ok || string(got) != "v" {
		t.Errorf("got %q, %v", got, ok)
	}
	if got := ratelimit.New(c, "x", ratelimit.Config{}).Allow(t.Context(), false); !got.Allowed || got.Local {
		t.Errorf("got %+v", got)
	}
	news, stop := c.Wait(t.Context(), "job")
	defer stop()
	c.Wake(t.Context(), "job")
	select {
	case <-news:
	case <-time.After(10 * time.Second):
		t.Error("no wake came")
	}
	if _, err := redis.Start("300.0.0.1:1"); err == nil {
		t.Error("an address that is none: got no error")
	}
}

// TestNobodyIsLetInWithoutItsPassword: every user of the machine reaches its port.
func TestNobodyIsLetInWithoutItsPassword(t *testing.T) {
	t.Parallel()
	var passwords []string
	for range 2 {
		server := start(t)
		address, err := url.Parse(server.URL())
		if err != nil {
			t.Fatal(err)
		}
		password, _ := address.User.Password()
		passwords = append(passwords, password)
		for given, want := range map[string]bool{"": false, "wrong": false, passwords[0] + "x": false, password: true} {
			c := open(t, "redis://:"+given+"@"+address.Host+"/0")
			if err := c.Ping(t.Context()); (err == nil) != want {
				t.Errorf("with the password %q: got %v, want it let in: %v", given, err, want)
			}
		}
	}
	if len(passwords[0]) < 20 || passwords[0] == passwords[1] {
		t.Errorf("the passwords are %q, want two long ones that differ", passwords)
	}
}

func TestKeysEndInTime(t *testing.T) {
	t.Parallel()
	c := open(t, start(t).URL())
	c.Set(t.Context(), "long", []byte("v"), time.Hour)
	c.Set(t.Context(), "short", []byte("v"), 20*time.Millisecond)
	testkit.Eventually(t, "the short one has ended", func() bool {
		_, there := c.Get(t.Context(), "short")
		return !there
	})
	if _, there := c.Get(t.Context(), "long"); !there {
		t.Error("the long one has ended, too")
	}
}
