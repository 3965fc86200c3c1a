package ratelimit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
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
type blocks struct {
	cache *cache.Cache
	limit Rate

	mu    sync.Mutex
	local map[string]localFailures
}

// subject is whose failures are counted together, and how many are too many.
type subject struct {
	id      string
	of, log string
	most    int
}

const (
	failuresKey = "limit:failures:"
	blockKey    = "limit:block:"
	mostBlocks  = 1000 // in one list
)

// failScript counts one failure; the time of the first begins the count, and the last begins the block.
var failScript = redis.NewScript(`
local n = redis.call('INCR', KEYS[1])
if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
if n >= tonumber(ARGV[1]) then
	redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[2])
	redis.call('DEL', KEYS[1])
end
return n`)

// fail counts a failure of each subject.
func (b *blocks) fail(ctx context.Context, subjects []subject, now time.Time) {
	if !b.limit.limited() {
		return
	}
	for _, s := range subjects {
		block := Block{ID: s.id, Of: s.of, Log: s.log, Until: now.Add(b.limit.Per).UTC().Truncate(time.Second)}
		value, err := json.Marshal(block)
		if err != nil {
			continue // a struct of texts and a time
		}
		err = b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
			return failScript.Run(ctx, client, []string{failuresKey + s.id, blockKey + s.id},
				s.most, b.limit.Per.Milliseconds(), value).Err()
		})
		if err != nil {
			b.failLocally(s, block, now)
		}
	}
}

// left is for how long the longest of the subjects' blocks goes on.
func (b *blocks) left(ctx context.Context, subjects []subject, now time.Time) (longest time.Duration) {
	if !b.limit.limited() {
		return 0
	}
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		pipe := client.Pipeline()
		for _, s := range subjects {
			pipe.PTTL(ctx, blockKey+s.id)
		}
		answers, err := pipe.Exec(ctx)
		for _, answer := range answers {
			if left, ok := answer.(*redis.DurationCmd); ok {
				longest = max(longest, left.Val()) // negative where there is none
			}
		}
		return err
	})
	if err == nil {
		return longest
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range subjects {
		longest = max(longest, b.local[s.id].block.Until.Sub(now))
	}
	return longest
}

// list is who is blocked, the last to end first; while Redis is away, who is blocked here.
func (b *blocks) list(ctx context.Context, now time.Time) ([]Block, error) {
	all := []Block{}
	err := b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		keys := client.Scan(ctx, 0, blockKey+"*", 500).Iterator()
		for len(all) < mostBlocks && keys.Next(ctx) {
			var block Block
			text, err := client.Get(ctx, keys.Val()).Bytes()
			if err == nil && json.Unmarshal(text, &block) == nil {
				all = append(all, block)
			}
		}
		return keys.Err()
	})
	if err != nil && !errors.Is(err, cache.ErrAway) {
		return nil, fmt.Errorf("list blocks: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, known := range b.local {
		if known.block.Until.After(now) {
			all = append(all, known.block)
		}
	}
	slices.SortFunc(all, func(x, y Block) int { return y.Until.Compare(x.Until) })
	return all, nil
}

// lift ends blocks, and says whether one of them was there.
func (b *blocks) lift(ctx context.Context, ids []string, now time.Time) (found bool, err error) {
	err = b.cache.Do(ctx, func(ctx context.Context, client *redis.Client) error {
		for _, id := range ids {
			gone, err := client.Del(ctx, blockKey+id).Result()
			if err == nil {
				err = client.Del(ctx, failuresKey+id).Err()
			}
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
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		found = found || b.local[id].block.Until.After(now)
		delete(b.local, id)
	}
	return found, nil
}

// localFailures are those of one subject, counted in this process.
type localFailures struct {
	count int
	ends  time.Time // of the count
	block Block     // once there were too many
}

func (b *blocks) failLocally(s subject, block Block, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.local == nil {
		b.local = make(map[string]localFailures)
	}
	if len(b.local) >= mostLocal {
		maps.DeleteFunc(b.local, func(_ string, f localFailures) bool { return now.After(f.ends) && now.After(f.block.Until) })
	}
	f, known := b.local[s.id]
	if !known && len(b.local) >= mostLocal {
		return // its address as a whole is among those that are counted, or the limit of all is met
	}
	if now.After(f.ends) {
		f = localFailures{ends: now.Add(b.limit.Per), block: f.block}
	}
	if f.count++; f.count >= s.most {
		f = localFailures{block: block}
	}
	b.local[s.id] = f
}
