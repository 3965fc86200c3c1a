package ratelimit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/cache"
)

// Block is who may not sign in for a while.
type Block struct {
	ID    string    `json:"id"`    // to lift it by
	Of    string    `json:"of"`    // session, address (without a session), or network: an address with all its sessions
	Log   string    `json:"log"`   // the name that lines of the log had for it when it was blocked, as client or owner
	Until time.Time `json:"until"` // when it ends by itself
}

// blocks count failed sign-ins, and block who has too many: in Redis, and while that is away in this process.
//
// A guess counts from when it begins: until it is known to be none it is one of those that its subjects have on their
// way. So guesses at the same time are no more than guesses one after the other.
type blocks struct {
	cache *cache.Cache
	limit Rate
	local localBlocks
}

// subject is whose failures are counted together, and how many are too many.
type subject struct {
	id      string
	of, log string
	most    int
	// innocent subjects count the failures of a caller whom their block does not stop.
	innocent bool
}

func (s subject) keys() []string {
	return []string{"limit:block:" + s.id, "limit:failures:" + s.id, "limit:guesses:" + s.id}
}

func keysOf(subjects []subject) (keys []string) {
	for _, s := range subjects {
		keys = append(keys, s.keys()...)
	}
	return keys
}

const (
	blocksKey  = "limit:blocks" // the ids of blocks, by when they end
	mostBlocks = 1000           // in one list

	// guessLasts is how long guesses count after the last one began, if they do not end: their process died.
	guessLasts = 5 * time.Minute
	// guessAgain is when a guess may begin that others on their way kept out.
	guessAgain = time.Second
)

// checkScript answers for how many milliseconds a caller is blocked. If it is not, and guesses, its guess begins, or the
// answer is -1: as many are on their way as may fail.
var checkScript = redis.NewScript(`
local guess, left = ARGV[1] == '1', 0
for i = 1, #KEYS, 3 do
	local most = tonumber(ARGV[2 + (i+2)/3])
	if most > 0 then
		left = math.max(left, redis.call('PTTL', KEYS[i]))
		local failed, guesses = tonumber(redis.call('GET', KEYS[i+1]) or 0), tonumber(redis.call('GET', KEYS[i+2]) or 0)
		if guess and left == 0 and failed + guesses >= most then left = -1 end
	end
end
if not guess or left ~= 0 then return left end
for i = 3, #KEYS, 3 do
	redis.call('INCR', KEYS[i])
	redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return 0`)

// endScript ends a guess. Where it failed, the time of the first failure begins the count, and the last one the block.
var endScript = redis.NewScript(`
local failed, per = ARGV[1] == '1', tonumber(ARGV[2])
for i = 1, #KEYS - 1, 3 do
	local arg = i + 3
	if tonumber(redis.call('GET', KEYS[i+2]) or 0) > 1 then redis.call('DECR', KEYS[i+2]) else redis.call('DEL', KEYS[i+2]) end
	if failed then
		local n = redis.call('INCR', KEYS[i+1])
		if n == 1 then redis.call('PEXPIRE', KEYS[i+1], per) end
		if n >= tonumber(ARGV[arg]) then
			redis.call('SET', KEYS[i], ARGV[arg+1], 'PX', per)
			redis.call('ZREMRANGEBYSCORE', KEYS[#KEYS], '-inf', ARGV[3] - per)
			redis.call('ZADD', KEYS[#KEYS], ARGV[3], ARGV[arg+2])
			redis.call('DEL', KEYS[i+1])
		end
	end
end
return 0`)

// check is for how long a caller has to wait: while it is blocked, or where it guesses and others do so already. If it may
// go on with a guess, end ends that.
func (b *blocks) check(ctx context.Context, subjects []subject, guess bool, now time.Time) (wait time.Duration, end func(failed bool, now time.Time)) {
	if !b.limit.limited() {
		return 0, func(bool, time.Time) {}
	}
	if left := b.local.left(subjects, now); left > 0 {
		return left, nil // it began while Redis was away
	}
	args := []any{guess, guessLasts.Milliseconds()}
	for _, s := range subjects {
		if s.innocent {
			s.most = 0
		}
		args = append(args, s.most)
	}
	var left int64
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		left, err = checkScript.Run(ctx, client, keysOf(subjects), args...).Int64()
		return err
	})
	if err != nil {
		return b.checkLocally(subjects, guess, now)
	}
	b.handOver(ctx, now)
	switch {
	case left < 0:
		return guessAgain, nil
	case left > 0:
		return time.Duration(left) * time.Millisecond, nil
	}
	return 0, func(failed bool, now time.Time) {
		if guess {
			b.end(context.WithoutCancel(ctx), subjects, failed, now)
		}
	}
}

func (b *blocks) checkLocally(subjects []subject, guess bool, now time.Time) (wait time.Duration, end func(failed bool, now time.Time)) {
	if guess && !b.local.begin(subjects, now) {
		return guessAgain, nil
	}
	return 0, func(failed bool, now time.Time) {
		if guess {
			b.local.end(subjects, true, failed, b.limit.Per, now)
		}
	}
}

// end ends a guess that began in Redis.
func (b *blocks) end(ctx context.Context, subjects []subject, failed bool, now time.Time) {
	until := now.Add(b.limit.Per)
	args := []any{failed, b.limit.Per.Milliseconds(), until.UnixMilli()}
	for _, s := range subjects {
		args = append(args, s.most, s.block(until).encode(), s.id)
	}
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		return endScript.Run(ctx, client, append(keysOf(subjects), blocksKey), args...).Err()
	})
	if err != nil && failed {
		b.local.end(subjects, false, true, b.limit.Per, now)
	}
}

// block is the block of a subject.
func (s subject) block(until time.Time) Block {
	return Block{ID: s.id, Of: s.of, Log: s.log, Until: until.UTC().Truncate(time.Second)}
}

func (b Block) encode() []byte {
	text, _ := json.Marshal(b) // a struct of texts and a time
	return text
}

// handOver gives Redis, which is back, the blocks that began while it was away, for all instances to know and operators to
// lift.
func (b *blocks) handOver(ctx context.Context, now time.Time) {
	began := b.local.takeBlocks(now)
	if len(began) == 0 {
		return
	}
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, block := range began {
				pipe.Set(ctx, subject{id: block.ID}.keys()[0], block.encode(), block.Until.Sub(now))
				pipe.ZAdd(ctx, blocksKey, redis.Z{Score: float64(block.Until.UnixMilli()), Member: block.ID})
			}
			return nil
		})
		return err
	})
	if err != nil {
		b.local.putBlocks(began)
	}
}

// list is who is blocked, the last to end first; while Redis is away, who is blocked here.
func (b *blocks) list(ctx context.Context, now time.Time) ([]Block, error) {
	all := b.local.list(now)
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		if err := client.ZRemRangeByScore(ctx, blocksKey, "-inf", fmt.Sprint(now.UnixMilli())).Err(); err != nil {
			return err
		}
		ids, err := client.ZRangeArgs(ctx, redis.ZRangeArgs{Key: blocksKey, Start: 0, Stop: mostBlocks - 1, Rev: true}).Result()
		if err != nil || len(ids) == 0 {
			return err
		}
		for i, id := range ids {
			ids[i] = subject{id: id}.keys()[0]
		}
		texts, err := client.MGet(ctx, ids...).Result()
		for _, text := range texts {
			var block Block
			if text, ok := text.(string); ok && json.Unmarshal([]byte(text), &block) == nil {
				all = append(all, block)
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, cache.ErrAway) {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	slices.SortFunc(all, func(x, y Block) int { return y.Until.Compare(x.Until) })
	return all, nil
}

// lift ends blocks, and says whether one of them was there.
func (b *blocks) lift(ctx context.Context, ids []string, now time.Time) (found bool, err error) {
	err = b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		_, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
			for _, id := range ids {
				pipe.Del(ctx, subject{id: id}.keys()[1])
				pipe.ZRem(ctx, blocksKey, id)
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, id := range ids {
			gone, err := client.Del(ctx, subject{id: id}.keys()[0]).Result()
			if err != nil {
				return err
			}
			found = found || gone > 0
		}
		return nil
	})
	if err != nil && !errors.Is(err, cache.ErrAway) {
		return false, fmt.Errorf("lift a block: %w", err)
	}
	for _, id := range ids {
		found = b.local.lift(id, now) || found
	}
	return found, nil
}
