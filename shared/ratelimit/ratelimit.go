// Package ratelimit says how many things may happen in a second over all instances, counted in
// Redis. While Redis is away each instance counts for itself, which lets at most as many times the
// rate through as there are instances: work goes on, and stays bounded.
package ratelimit

import (
	"context"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

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
	name  string
	cfg   Config
	cache *cache.Cache

	// Two buckets: all work takes from the first, work without a right to the reserve from both.
	localAll, localPlain *rate.Limiter
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
	return &Limiter{name: name, cfg: cfg, cache: c,
		localAll:   rate.NewLimiter(rate.Limit(cfg.PerSecond), cfg.Burst),
		localPlain: rate.NewLimiter(rate.Limit(cfg.PerSecond-cfg.Reserve), cfg.Burst-cfg.Reserve),
	}
}

// Decision is the answer to one request to go on.
type Decision struct {
	Allowed    bool
	RetryAfter time.Duration // when it was not allowed: when it may be
	Local      bool          // Redis was away: this instance decided alone
}

// Allow asks for one unit of work now. Only who may use the reserve gets the last of the rate.
func (l *Limiter) Allow(ctx context.Context, reserve bool) Decision {
	if decision, ok := l.allowShared(ctx, reserve); ok {
		return decision
	}
	return l.allowLocally(reserve)
}

// allowShared asks Redis; ok is false if Redis is away.
func (l *Limiter) allowShared(ctx context.Context, reserve bool) (Decision, bool) {
	var decision Decision
	err := l.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		limiter := redis_rate.NewLimiter(client)
		if !reserve && l.cfg.Reserve > 0 {
			plain := limit(l.cfg.PerSecond-l.cfg.Reserve, l.cfg.Burst-l.cfg.Reserve)
			result, err := limiter.Allow(ctx, l.name+":plain", plain)
			if err != nil || result.Allowed == 0 {
				decision = refused(result)
				return err
			}
		}
		result, err := limiter.Allow(ctx, l.name, limit(l.cfg.PerSecond, l.cfg.Burst))
		if err != nil || result.Allowed == 0 {
			decision = refused(result)
			return err
		}
		decision.Allowed = true
		return nil
	})
	return decision, err == nil
}

func limit(perSecond, burst int) redis_rate.Limit {
	return redis_rate.Limit{Rate: perSecond, Burst: burst, Period: time.Second}
}

// refused is a "no" of Redis, which may have said nothing at all.
func refused(result *redis_rate.Result) Decision {
	if result == nil {
		return Decision{}
	}
	return Decision{RetryAfter: max(result.RetryAfter, time.Millisecond)}
}

// allowLocally counts in this process.
func (l *Limiter) allowLocally(reserve bool) Decision {
	now := time.Now()
	buckets := []*rate.Limiter{l.localAll}
	if !reserve {
		buckets = append(buckets, l.localPlain)
	}
	var taken []*rate.Reservation
	for _, bucket := range buckets {
		reservation := bucket.ReserveN(now, 1)
		taken = append(taken, reservation)
		if wait := reservation.DelayFrom(now); wait > 0 {
			for _, r := range taken {
				r.CancelAt(now)
			}
			return Decision{RetryAfter: wait, Local: true}
		}
	}
	return Decision{Allowed: true, Local: true}
}
