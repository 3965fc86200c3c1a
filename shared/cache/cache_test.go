package cache_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit/redistest"
	"github.com/schedgen/schedgen/shared/secret"
)

// generous is long for a machine under load and still ends a test.
const generous = 5 * time.Second

func open(t *testing.T, cfg cache.Config) *cache.Cache {
	t.Helper()
	c, err := cache.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func TestWhatIsKeptComesBack(t *testing.T) {
	t.Parallel()
	c := open(t, cache.Config{URL: secret.New(redistest.New(t).URL()), Timeout: generous})
	if _, ok := c.Get(t.Context(), "k"); ok {
		t.Error("there is a value before one was set")
	}
	c.Set(t.Context(), "k", []byte("v"), time.Minute)
	if got, ok := c.Get(t.Context(), "k"); !ok || string(got) != "v" {
		t.Errorf("got %q, %v", got, ok)
	}
	c.Add(t.Context(), "k", []byte("late"), time.Minute)
	if got, ok := c.Get(t.Context(), "k"); !ok || string(got) != "v" {
		t.Errorf("after adding to what is there: got %q, %v; want the first", got, ok)
	}
	c.Add(t.Context(), "new", []byte("n"), time.Minute)
	if got, ok := c.Get(t.Context(), "new"); !ok || string(got) != "n" {
		t.Errorf("what was added: got %q, %v", got, ok)
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRedisMayStopAndComeBack(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	c := open(t, cache.Config{URL: secret.New(server.URL()), Timeout: generous, Retry: time.Millisecond})
	c.Set(t.Context(), "k", []byte("v"), time.Minute)
	news, stop := c.Wait(t.Context(), "job")
	defer stop()
	server.Stop()
	select {
	case _, open := <-news:
		if open {
			t.Error("a wake came from a dead Redis")
		}
	case <-time.After(generous):
		t.Error("who waits was not told that Redis is away")
	}
	if _, ok := c.Get(t.Context(), "k"); ok {
		t.Error("a value came from a dead Redis")
	}
	if err := c.Ping(t.Context()); !errors.Is(err, cache.ErrAway) || api.From(err).Code != api.Unavailable {
		t.Errorf("ping: got %v, want ErrAway, which is an outage", err)
	}
	server.Start()
	end := time.Now().Add(generous)
	for c.Ping(t.Context()) != nil {
		if time.Now().After(end) {
			t.Fatal("Redis is back and was not noticed")
		}
	}
	c.Set(t.Context(), "k", []byte("w"), time.Minute)
	if got, ok := c.Get(t.Context(), "k"); !ok || string(got) != "w" {
		t.Errorf("got %q, %v", got, ok)
	}
}

func TestADeadRedisIsLeftAlone(t *testing.T) {
	t.Parallel()
	c := open(t, cache.Config{URL: secret.New("redis://127.0.0.1:1/0"), Timeout: generous, Retry: time.Hour})
	if !c.Up() {
		t.Error("Redis counts as away before anybody asked")
	}
	c.Set(t.Context(), "k", nil, time.Minute)
	called := false
	err := c.Do(t.Context(), func(context.Context, *redis.Client) error { called = true; return nil })
	if called || !errors.Is(err, cache.ErrAway) || c.Up() {
		t.Errorf("a dead Redis was asked again: %v", err)
	}
	news, stop := c.Wait(t.Context(), "job")
	defer stop()
	if _, open := <-news; open {
		t.Error("a wake came from nowhere")
	}
}

func TestAnErrorOfACommandIsNoOutage(t *testing.T) {
	t.Parallel()
	c := open(t, cache.Config{URL: secret.New(redistest.New(t).URL()), Timeout: generous, Retry: time.Hour})
	err := c.Do(t.Context(), func(ctx context.Context, client *redis.Client) error { return client.Do(ctx, "nonsense").Err() })
	if err == nil || errors.Is(err, cache.ErrAway) || !c.Up() {
		t.Errorf("got %v, up %v", err, c.Up())
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	c.Set(canceled, "k", nil, time.Minute)
	if !c.Up() {
		t.Error("a caller who went away counts as an outage")
	}
}

func TestWithoutRedisEveryCallMisses(t *testing.T) {
	t.Parallel()
	c := open(t, cache.Config{})
	c.Set(t.Context(), "k", nil, time.Minute)
	c.Wake(t.Context(), "job")
	if _, ok := c.Get(t.Context(), "k"); ok || c.Up() {
		t.Error("there is a value")
	}
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("no Redis is a choice: got %v", err)
	}
	if up := "schedgen_cache_up"; tells(c, up) || !tells(open(t, cache.Config{URL: secret.New("redis://127.0.0.1:1")}), up) {
		t.Errorf("%s is to be told where there is a Redis, and only there", up)
	}
}

// tells says whether a cache has a metric.
func tells(c *cache.Cache, name string) (told bool) {
	for _, collector := range c.Collectors() {
		metrics := make(chan prometheus.Metric, 10) // more than a collector of a new cache has
		collector.Collect(metrics)
		close(metrics)
		for m := range metrics {
			told = told || strings.Contains(m.Desc().String(), name)
		}
	}
	return told
}

func TestAWakeReachesEveryoneWhoWaits(t *testing.T) {
	t.Parallel()
	server := redistest.New(t)
	one, two := open(t, cache.Config{URL: secret.New(server.URL()), Timeout: generous}), open(t, cache.Config{URL: secret.New(server.URL()), Timeout: generous})
	first, stopFirst := one.Wait(t.Context(), "job-1")
	second, stopSecond := two.Wait(t.Context(), "job-1")
	other, stopOther := two.Wait(t.Context(), "job-2")
	two.Wake(t.Context(), "job-1")
	for name, news := range map[string]<-chan struct{}{"first": first, "second": second} {
		select {
		case _, open := <-news:
			if !open {
				t.Errorf("%s: closed instead of woken", name)
			}
		case <-time.After(generous):
			t.Errorf("%s was not woken", name)
		}
	}
	stopFirst()
	stopSecond()
	stopOther()
	if _, open := <-other; open {
		t.Error("a wake for one job reached another's")
	}
}

func TestTheAddressIsChecked(t *testing.T) {
	t.Parallel()
	if _, err := cache.Open(cache.Config{URL: secret.New("redis://:secret@h:port")}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}
