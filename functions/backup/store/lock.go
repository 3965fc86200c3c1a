package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/schedgen/schedgen/shared/blob"
)

// ErrLocked means that another process is at work on the bucket.
var ErrLocked = errors.New("store: another backup, restore or pruning is running")

// ErrLockLost is the cause with which a Lock's context ends.
var ErrLockLost = errors.New("store: the lock was lost")

const lockKey = "lock.json"

// Lock is the right to change the bucket. It is one object, replaced only on condition of its ETag. The holder
// replaces it at intervals. A process that wants the lock watches it, and takes it over if it does not change for a
// whole lease by the watcher's own clock. No two clocks are compared, so a clock that is wrong or jumps can neither
// take a lock from a living holder nor keep that of a dead one.
//
// A holder that slept for longer than the lease may wake and continue to write. Its manifest is refused, because the
// next holder abandons runs without a manifest before it deletes anything of them.
type Lock struct {
	store  *Store
	lease  time.Duration
	holder string
	end    context.CancelCauseFunc
	done   chan struct{} // closed when renew has ended

	mu   sync.Mutex
	etag string
	turn int
}

// lockBody is what the object says.
type lockBody struct {
	Holder   string `json:"holder"`
	Turn     int    `json:"turn"` // makes each replacement another object
	Released bool   `json:"released,omitempty"`
}

// Lock takes the lock, or returns ErrLocked once it has seen that the holder is alive. After a crash of the holder it
// waits for one lease. The context that it returns ends when the lock is lost. Call Release in the end.
func (s *Store) Lock(ctx context.Context, lease time.Duration) (*Lock, context.Context, error) {
	l := &Lock{store: s, lease: lease, holder: rand.Text(), done: make(chan struct{})}
	if err := l.acquire(ctx); err != nil {
		return nil, nil, fmt.Errorf("take the lock: %w", err)
	}
	held, end := context.WithCancelCause(ctx)
	l.end = end
	go l.renew(held)
	return l, held, nil
}

func (l *Lock) acquire(ctx context.Context) error {
	err := l.write(ctx, blob.Expect{}, false)
	if err == nil {
		return l.checkConditions(ctx)
	}
	if !errors.Is(err, blob.ErrCondition) {
		return err
	}
	seen, err := l.awaitExpiry(ctx)
	if err != nil {
		return err
	}
	if err := l.write(ctx, blob.Expect{ETag: seen}, false); !errors.Is(err, blob.ErrCondition) {
		return err
	}
	return ErrLocked // another was faster
}

// checkConditions asks for what must be refused: on a store that ignores conditions there is no lock.
func (l *Lock) checkConditions(ctx context.Context) error {
	_, err := l.store.blob.PutIf(ctx, lockKey, []byte("{}"), "application/json", blob.Expect{})
	if errors.Is(err, blob.ErrCondition) {
		return nil
	}
	if err == nil {
		return errors.New("the object store ignores If-None-Match, so nothing can keep two backups apart")
	}
	return err
}

// watch gives the ETag of a lock that nobody holds any more.
func (l *Lock) awaitExpiry(ctx context.Context) (string, error) {
	first := ""
	began := time.Now()
	tick := time.NewTicker(l.lease / 8)
	defer tick.Stop()
	for {
		body, info, err := l.store.get(ctx, lockKey)
		if err != nil {
			return "", err
		}
		var now lockBody
		// What cannot be read is of no living holder, who would replace it.
		_ = json.Unmarshal(body, &now)
		if now.Released {
			return info.ETag, nil
		}
		if first == "" {
			first = info.ETag
		}
		if info.ETag != first {
			return "", ErrLocked
		}
		if time.Since(began) > l.lease {
			return first, nil
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-tick.C:
		}
	}
}

// replace writes the lock anew on that condition. l.mu is held, or nobody else has l.
func (l *Lock) write(ctx context.Context, expect blob.Expect, released bool) error {
	l.turn++
	body, err := json.Marshal(lockBody{Holder: l.holder, Turn: l.turn, Released: released})
	if err != nil {
		return fmt.Errorf("encode the lock: %w", err)
	}
	etag, err := l.store.putConditional(ctx, lockKey, body, expect)
	if err == nil {
		l.etag = etag
	}
	return err
}

// Confirm makes sure that the lock is still ours, now.
func (l *Lock) Confirm(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.write(ctx, blob.Expect{ETag: l.etag}, false)
	if errors.Is(err, blob.ErrCondition) {
		return ErrLockLost
	}
	return err
}

// keep renews the lock until Release, and ends the holder's context when it is lost.
func (l *Lock) renew(held context.Context) {
	defer close(l.done)
	tick := time.NewTicker(l.lease / 4)
	defer tick.Stop()
	renewed := time.Now()
	for {
		select {
		case <-held.Done():
			return
		case <-tick.C:
		}
		began := time.Now()
		limited, cancel := context.WithTimeout(held, l.lease/2)
		err := l.Confirm(limited)
		cancel()
		switch {
		case err == nil:
			renewed = began
		case errors.Is(err, ErrLockLost):
			l.end(err)
			return
		case time.Since(renewed) > l.lease*3/4: // before others may take it over, not after
			l.end(fmt.Errorf("%w: %w", ErrLockLost, err))
			return
		}
	}
}

// Release gives the lock back, so that the next need not wait. Where that fails, the lease ends it.
func (l *Lock) Release(ctx context.Context) {
	l.end(context.Canceled)
	<-l.done
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.write(ctx, blob.Expect{ETag: l.etag}, true)
}
