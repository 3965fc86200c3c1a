// Package cache is Redis as a favour: what is kept there may be lost, and every call ends within a
// short deadline. Without Redis nothing is wrong, only slower: reads miss, writes vanish, a wait
// falls back to its caller's polling. While Redis is away calls do not even dial it, except one in
// each interval that looks whether it came back.
package cache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/settings"
)

// Config says which Redis. Without a URL every call misses.
type Config struct {
	URL     secret.String `env:"REDIS_URL"`                    // redis://[:password@]host:6379/0
	Timeout time.Duration `env:"REDIS_TIMEOUT, default=150ms"` // one call
	Retry   time.Duration `env:"REDIS_RETRY, default=2s"`      // how long a dead Redis is left alone
}

// ErrAway says that Redis is away, or not configured.
var ErrAway error = away{}

type away struct{}

func (away) Error() string { return "cache: redis is away" }

// Unavailable is the code of the outage, as package api has it.
func (away) Unavailable() string { return api.Unavailable }

// Cache is one Redis. It is safe for concurrent use.
type Cache struct {
	cfg      Config
	client   *redis.Client // nil without a URL
	requests *prometheus.CounterVec

	mu    sync.Mutex
	until time.Time // the circuit is open until then
}

var quiet sync.Once

// Open checks cfg and connects nothing.
func Open(cfg Config) (*Cache, error) {
	cfg = settings.WithDefaults(cfg)
	c := &Cache{cfg: cfg, requests: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_cache_requests_total",
		Help: "Calls of Redis by outcome: hit, miss, done (others than reads), error, away (Redis was not asked, or did not answer).",
	}, []string{"outcome"})}
	if cfg.URL.IsZero() {
		return c, nil
	}
	options, err := redis.ParseURL(cfg.URL.Reveal())
	if err != nil {
		// The parser's error may quote the password.
		return nil, errors.New("REDIS_URL is not an address such as redis://host:6379/0")
	}
	options.DialTimeout = cfg.Timeout
	options.ReadTimeout = cfg.Timeout
	options.WriteTimeout = cfg.Timeout
	options.PoolTimeout = cfg.Timeout
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.PoolSize = 16
	options.DisableIdentity = true
	options.Protocol = 2
	// The library's own logger writes lines that are not JSON, for errors that are returned anyway.
	quiet.Do(logging.Disable)
	c.client = redis.NewClient(options)
	c.client.AddHook(traced{})
	return c, nil
}

// Collectors are the metrics of the cache. Without a Redis, none says whether it answers.
func (c *Cache) Collectors() []prometheus.Collector {
	if c.client == nil {
		return []prometheus.Collector{c.requests}
	}
	up := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "schedgen_cache_up", Help: "1 while Redis answers; 0 while it is away. Absent where none is configured.",
	}, func() float64 {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.until.IsZero() {
			return 1
		}
		return 0
	})
	return []prometheus.Collector{c.requests, up}
}

// Close ends the connections.
func (c *Cache) Close() error {
	if c.client == nil {
		return nil
	}
	return c.client.Close()
}

// Do runs f with a deadline, unless Redis is known to be away. The error is for falling back on.
func (c *Cache) Do(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	return c.do(ctx, "done", f)
}

// do is Do. success is the outcome that is counted where Redis had an answer.
func (c *Cache) do(ctx context.Context, success string, f func(context.Context, *redis.Client) error) error {
	outcome, err := c.try(ctx, success, f)
	c.requests.WithLabelValues(outcome).Inc()
	return err
}

func (c *Cache) try(ctx context.Context, success string, f func(context.Context, *redis.Client) error) (outcome string, err error) {
	if !c.Up() {
		return "away", ErrAway
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	err = f(ctx, c.client)
	switch {
	case err == nil:
		c.close()
		return success, nil
	case errors.Is(err, redis.Nil):
		c.close()
		return "miss", err
	}
	var answer redis.Error
	if errors.As(err, &answer) && !redis.IsLoadingError(err) {
		return "error", fmt.Errorf("redis: %w", err) // it answered: it is not away
	}
	if !errors.Is(err, context.Canceled) {
		c.open(err)
	}
	return "away", fmt.Errorf("%w: %w", ErrAway, err)
}

// Up says whether Redis is worth a try. While the circuit is open one caller per interval is let through.
func (c *Cache) Up() bool {
	if c.client == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if c.until.IsZero() {
		return true
	}
	if now.Before(c.until) {
		return false
	}
	c.until = now.Add(c.cfg.Retry)
	return true
}

func (c *Cache) open(err error) {
	c.mu.Lock()
	was := c.until
	c.until = time.Now().Add(c.cfg.Retry)
	c.mu.Unlock()
	if was.IsZero() {
		slog.Warn("redis is away; working without it", "error", err.Error())
	}
}

func (c *Cache) close() {
	c.mu.Lock()
	was := c.until
	c.until = time.Time{}
	c.mu.Unlock()
	if !was.IsZero() {
		slog.Info("redis is back")
	}
}

// Get is the value kept under key, and whether there is one.
func (c *Cache) Get(ctx context.Context, key string) (value []byte, ok bool) {
	err := c.do(ctx, "hit", func(ctx context.Context, client *redis.Client) (err error) {
		value, err = client.Get(ctx, key).Bytes()
		return err
	})
	return value, err == nil
}

// Set keeps a value for that long, if it can.
func (c *Cache) Set(ctx context.Context, key string, value []byte, keep time.Duration) {
	_ = c.Do(ctx, func(ctx context.Context, client *redis.Client) error { // a favour: failing is fine
		return client.Set(ctx, key, value, keep).Err()
	})
}

// Add keeps a value for that long, if it can and if nothing is kept under key.
func (c *Cache) Add(ctx context.Context, key string, value []byte, keep time.Duration) {
	_ = c.Do(ctx, func(ctx context.Context, client *redis.Client) error { // a favour: failing is fine
		return client.SetArgs(ctx, key, value, redis.SetArgs{Mode: "NX", TTL: keep}).Err()
	})
}

// Ping asks Redis for an answer; nil without a configured Redis, which is a choice and not a fault.
func (c *Cache) Ping(ctx context.Context) error {
	if c.client == nil {
		return nil
	}
	return c.Do(ctx, func(ctx context.Context, client *redis.Client) error { return client.Ping(ctx).Err() })
}
