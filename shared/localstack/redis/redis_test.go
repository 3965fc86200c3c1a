package redis_test

import (
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/localstack/redis"
	"github.com/schedgen/schedgen/shared/ratelimit"
)

func TestItServesTheCacheAndTheRate(t *testing.T) {
	t.Parallel()
	server, err := redis.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	c, err := cache.Open(cache.Config{URL: server.URL(), Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() // only asked
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
