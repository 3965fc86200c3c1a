package ratelimit

import (
	"context"
	"fmt"
	"strconv"
	"sync"
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

// bucket is one that a request takes from.
type bucket struct {
	key   string
	limit redis_rate.Limit
	// reserve is how many more may be taken at once while the share before it is not used up.
	reserve int
	// share says that an empty bucket refuses nothing: it only keeps those after it from giving of their reserve.
	share bool
}

// each is how long one takes to come back.
func (b bucket) each() time.Duration { return b.limit.Period / time.Duration(b.limit.Rate) }

// buckets count by the generic cell rate algorithm (GCRA): a bucket is the one moment at which it is full again. They are
// in Redis, in the form that redis_rate has, and while that is away in this process.
type buckets struct {
	cache *cache.Cache
	local localBuckets
}

// takeScript takes one of each bucket, or of none if one has too few. redis_rate takes of one bucket only. Its times count
// from 2017, for a float to hold their microseconds. It answers the number of the bucket that refuses, or 0; of that
// bucket, or of the first that might have, how many remain, when to come back, and when it is full; and the numbers of
// those it took from, which an empty share is none of.
var takeScript = redis.NewScript(`
redis.replicate_commands()
local time = redis.call('TIME')
local now = (time[1] - 1483228800) + (time[2] / 1000000)
local within, full, remaining, reset = true, {}, nil, 0
for i, key in ipairs(KEYS) do
	local each, burst = tonumber(ARGV[4*i-3]), tonumber(ARGV[4*i-2])
	if within then burst = burst + tonumber(ARGV[4*i-1]) end
	local share = ARGV[4*i] == '1'
	local before = math.max(tonumber(redis.call('GET', key) or 0), now)
	local spare = now + burst * each - (before + each)
	if spare >= -0.000001 then
		full[i] = before + each
	elseif share then
		within = false
	else
		return {i, 0, tostring(-spare), tostring(before - now), {}}
	end
	if not share and not remaining then remaining, reset = math.floor(spare / each + 0.000001), before + each - now end
end
local taken = {}
for i, key in ipairs(KEYS) do
	if full[i] then
		redis.call('SET', key, full[i], 'EX', math.ceil(full[i] - now))
		table.insert(taken, i)
	end
end
return {0, remaining, '0', tostring(reset), taken}`)

// take takes one of each bucket, or of none if one of them has too few. The decision is that of the bucket that refused,
// whose index it returns, or of the first that might have. Taken are the buckets to give back to.
func (b *buckets) take(ctx context.Context, of ...bucket) (taken []bucket, refused int, d Decision) {
	keys, args := make([]string, len(of)), make([]any, 0, 4*len(of))
	for i, each := range of {
		keys[i] = "rate:" + each.key
		args = append(args, each.limit.Period.Seconds()/float64(each.limit.Rate), each.limit.Burst, each.reserve, each.share)
	}
	var answer []any
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		answer, err = takeScript.Run(ctx, client, keys, args...).Slice()
		return err
	})
	if err != nil || len(answer) != 5 {
		return b.local.take(of, time.Now())
	}
	number, _ := answer[0].(int64)
	remaining, _ := answer[1].(int64)
	d = Decision{Allowed: number == 0, Remaining: int(remaining), ResetAfter: inSeconds(answer[3])}
	if !d.Allowed {
		d.RetryAfter = max(inSeconds(answer[2]), time.Millisecond)
	}
	numbers, _ := answer[4].([]any)
	for _, number := range numbers {
		if number, ok := number.(int64); ok {
			taken = append(taken, of[number-1])
		}
	}
	return taken, int(number) - 1, d
}

// inSeconds is a time of a script's answer.
func inSeconds(text any) time.Duration {
	seconds, _ := strconv.ParseFloat(fmt.Sprint(text), 64)
	return time.Duration(seconds * float64(time.Second))
}

// giveBackScript moves the moments at which buckets are full.
var giveBackScript = redis.NewScript(`
for i, key in ipairs(KEYS) do
	local full = redis.call('GET', key)
	if full then redis.call('SET', key, tonumber(full) - tonumber(ARGV[i]), 'KEEPTTL') end
end
return 0`)

// giveBack puts back one that was taken of each bucket.
func (b *buckets) giveBack(ctx context.Context, of ...bucket) {
	keys, args := make([]string, len(of)), make([]any, len(of))
	for i, each := range of {
		keys[i], args[i] = "rate:"+each.key, each.limit.Period.Seconds()/float64(each.limit.Rate)
	}
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		return giveBackScript.Run(ctx, client, keys, args...).Err()
	})
	if err != nil {
		b.local.giveBack(of)
	}
}

// localBuckets are GCRA in this process.
type localBuckets struct {
	mu     sync.Mutex
	fullAt recent[time.Time]
}

func (l *localBuckets) take(of []bucket, now time.Time) (taken []bucket, refused int, d Decision) {
	l.mu.Lock()
	defer l.mu.Unlock()
	within, full := true, make([]time.Time, len(of))
	for i, b := range of {
		before, _ := l.fullAt.get(b.key)
		if before.Before(now) {
			before = now
		}
		burst := b.limit.Burst
		if within {
			burst += b.reserve
		}
		spare := now.Add(time.Duration(burst) * b.each()).Sub(before.Add(b.each()))
		switch {
		case spare >= 0:
			full[i] = before.Add(b.each())
		case b.share:
			within = false
		default:
			return nil, i, Decision{RetryAfter: -spare, ResetAfter: before.Sub(now), Local: true}
		}
		if !b.share && !d.Allowed {
			d = Decision{Allowed: true, Remaining: int(spare / b.each()), ResetAfter: before.Add(b.each()).Sub(now), Local: true}
		}
	}
	for i, b := range of {
		if !full[i].IsZero() {
			l.fullAt.set(b.key, full[i])
			taken = append(taken, b)
		}
	}
	return taken, -1, d
}

func (l *localBuckets) giveBack(of []bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range of {
		if full, ok := l.fullAt.get(b.key); ok {
			l.fullAt.set(b.key, full.Add(-b.each()))
		}
	}
}
