// Package ratelimit says how many things may happen in a time over all instances, counted in Redis. While Redis is away
// each instance counts for itself, which lets at most as many times the rate through as there are instances: work goes
// on, and stays bounded.
//
// A Limiter bounds one kind of work, such as the reading of PDFs. A Guard bounds what callers ask for: it knows which
// routes there are, who is calling, how much each may, and who failed to sign in too often.
package ratelimit

import (
	"context"
	"time"

	"github.com/go-redis/redis_rate/v10"

	"github.com/schedgen/schedgen/shared/cache"
)

// Config is the rate of one kind of work.
type Config struct {
	PerSecond int // 10 by default
	Burst     int // units at once after a quiet time; by default one second's
	Reserve   int // per second, kept back for callers with a right to it
}

// Limiter counts one kind of work. It is safe for concurrent use.
type Limiter struct {
	name    string
	cfg     Config
	buckets buckets
}

// New is the limiter of that name, shared by all who use the name with the same Redis.
func New(c *cache.Cache, name string, cfg Config) *Limiter {
	if cfg.PerSecond <= 0 {
		cfg.PerSecond = 10
	}
	if cfg.Burst <= 0 {
		cfg.Burst = cfg.PerSecond
	}
	cfg.Reserve = max(0, min(cfg.Reserve, cfg.PerSecond-1, cfg.Burst-1))
	return &Limiter{name: name, cfg: cfg, buckets: buckets{cache: c}}
}

// Allow asks for one unit of work now. Only who may use the reserve gets the last of the rate.
//
// There are two buckets: all work takes from one, and work without a right to the reserve from both.
func (l *Limiter) Allow(ctx context.Context, reserve bool) Decision {
	of := []bucket{perSecond(l.name, l.cfg.PerSecond, l.cfg.Burst)}
	if !reserve && l.cfg.Reserve > 0 {
		of = append(of, perSecond(l.name+":plain", l.cfg.PerSecond-l.cfg.Reserve, l.cfg.Burst-l.cfg.Reserve))
	}
	_, _, decision := l.buckets.take(ctx, of...)
	return decision
}

func perSecond(key string, rate, burst int) bucket {
	return bucket{key: key, limit: redis_rate.Limit{Rate: rate, Burst: burst, Period: time.Second}}
}
