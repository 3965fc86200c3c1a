package ratelimit

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/cache"
)

// Decision is the answer to one request to go on.
type Decision struct {
	Allowed    bool
	Remaining  int           // how many more may follow at once
	RetryAfter time.Duration // when it was not allowed: when it may be
	ResetAfter time.Duration // when the whole rate is there again
	Local      bool          // Redis was away: this instance decided alone
}

// buckets count by the generic cell rate algorithm (GCRA): a bucket is the one moment at which it is full again. They are
// in Redis, and while that is away in this process.
type buckets struct {
	cache *cache.Cache
	local localBuckets
	alone atomic.Bool // the last decision was made without Redis
}

// take takes one of what a bucket has.
func (b *buckets) take(ctx context.Context, key string, limit redis_rate.Limit) Decision {
	var result *redis_rate.Result
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		result, err = redis_rate.NewLimiter(client).Allow(ctx, key, limit)
		return err
	})
	b.alone.Store(err != nil)
	if err != nil {
		return b.local.take(key, limit, time.Now())
	}
	d := Decision{Allowed: result.Allowed != 0, Remaining: result.Remaining, ResetAfter: result.ResetAfter}
	if !d.Allowed {
		d.RetryAfter = max(result.RetryAfter, time.Millisecond)
	}
	return d
}

// giveBackScript moves the moment at which a bucket is full, which the library keeps in seconds.
var giveBackScript = redis.NewScript(`
local full = redis.call('GET', KEYS[1])
if full then redis.call('SET', KEYS[1], tonumber(full) - tonumber(ARGV[1]), 'KEEPTTL') end
return 0`)

// giveBack puts back one that was taken.
func (b *buckets) giveBack(ctx context.Context, key string, limit redis_rate.Limit) {
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		each := limit.Period.Seconds() / float64(limit.Rate)
		return giveBackScript.Run(ctx, client, []string{"rate:" + key}, each).Err()
	})
	if err != nil {
		b.local.giveBack(key, limit)
	}
}

// mostLocal bounds the buckets of one process; each has some 100 bytes.
const mostLocal = 10_000

// localBuckets are GCRA in this process. Full buckets are forgotten, as Redis forgets them.
type localBuckets struct {
	mu     sync.Mutex
	fullAt map[string]time.Time
}

func (l *localBuckets) take(key string, limit redis_rate.Limit, now time.Time) Decision {
	l.mu.Lock()
	defer l.mu.Unlock()
	each := limit.Period / time.Duration(limit.Rate)
	full := l.fullAt[key]
	if full.Before(now) {
		full = now
	}
	after := full.Add(each)
	spare := now.Add(time.Duration(limit.Burst) * each).Sub(after)
	if spare < 0 {
		return Decision{RetryAfter: -spare, ResetAfter: full.Sub(now), Local: true}
	}
	if l.fullAt == nil {
		l.fullAt = make(map[string]time.Time)
	}
	if _, known := l.fullAt[key]; !known && len(l.fullAt) >= mostLocal {
		l.makeRoom(now)
	}
	l.fullAt[key] = after
	return Decision{Allowed: true, Remaining: int(spare / each), ResetAfter: after.Sub(now), Local: true}
}

func (l *localBuckets) giveBack(key string, limit redis_rate.Limit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if full, ok := l.fullAt[key]; ok {
		l.fullAt[key] = full.Add(-limit.Period / time.Duration(limit.Rate))
	}
}

// makeRoom forgets the full buckets, and where none is full some of the others: who comes from ten thousand addresses
// meets the limit of all.
func (l *localBuckets) makeRoom(now time.Time) {
	maps.DeleteFunc(l.fullAt, func(_ string, at time.Time) bool { return !at.After(now) })
	for key := range l.fullAt {
		if len(l.fullAt) < mostLocal*9/10 {
			return
		}
		delete(l.fullAt, key)
	}
}
