package ratelimit

import (
	"sync"
	"time"
)

// localBlocks are blocks while Redis is away: this process counts alone.
type localBlocks struct {
	mu sync.Mutex
	of recent[localFailures]
	// began says that a block began here which Redis does not know.
	began bool
}

// localFailures are those of one subject.
type localFailures struct {
	count   int
	ends    time.Time // of the count
	guesses int       // on their way
	block   Block     // once there were too many
}

// left is how long the last of the blocks that stop a caller still lasts.
func (l *localBlocks) left(subjects []subject, now time.Time) (longest time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subjects {
		if f, ok := l.of.get(s.id); ok && !s.innocent {
			longest = max(longest, f.block.Until.Sub(now))
		}
	}
	return longest
}

// begin begins a guess, unless as many are on their way as may fail.
func (l *localBlocks) begin(subjects []subject, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subjects {
		f, _ := l.of.get(s.id)
		if !s.innocent && f.failed(now)+f.guesses >= s.most {
			return false
		}
	}
	for _, s := range subjects {
		f, _ := l.of.get(s.id)
		f.guesses++
		l.of.set(s.id, f)
	}
	return true
}

// failed is how many failures count now.
func (f localFailures) failed(now time.Time) int {
	if now.After(f.ends) {
		return 0
	}
	return f.count
}

// end ends a guess; began says whether it began here.
func (l *localBlocks) end(subjects []subject, began, failed bool, per time.Duration, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range subjects {
		f, _ := l.of.get(s.id)
		if began {
			f.guesses = max(0, f.guesses-1)
		}
		if failed {
			l.began = f.fail(s, per, now) || l.began
		}
		if f.count == 0 && f.guesses == 0 && f.block.ID == "" {
			l.of.delete(s.id)
			continue
		}
		l.of.set(s.id, f)
	}
}

// fail counts one failure, and says whether it begins a block.
func (f *localFailures) fail(s subject, per time.Duration, now time.Time) (blocked bool) {
	if now.After(f.ends) {
		f.count, f.ends = 0, now.Add(per)
	}
	if f.count++; f.count < s.most {
		return false
	}
	f.count, f.block = 0, s.block(now.Add(per))
	return true
}

// list is who is blocked here.
func (l *localBlocks) list(now time.Time) []Block {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active(now, mostBlocks)
}

func (l *localBlocks) active(now time.Time, most int) []Block {
	all := []Block{}
	for _, f := range l.of.all() {
		if f.block.Until.After(now) && len(all) < most {
			all = append(all, f.block)
		}
	}
	return all
}

// takeBlocks removes some of the blocks that began here, and returns them.
func (l *localBlocks) takeBlocks(now time.Time) []Block {
	const most = 100 // so that one call of Redis gets them
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.began {
		return nil
	}
	all := l.active(now, most)
	l.began = len(all) == most
	for _, block := range all {
		l.of.delete(block.ID)
	}
	return all
}

// putBlocks puts back what takeBlocks removed.
func (l *localBlocks) putBlocks(all []Block) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, block := range all {
		l.of.set(block.ID, localFailures{block: block})
	}
	l.began = true
}

// lift ends a block, and says whether it was there.
func (l *localBlocks) lift(id string, now time.Time) (found bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, ok := l.of.get(id)
	l.of.delete(id)
	return ok && f.block.Until.After(now)
}
