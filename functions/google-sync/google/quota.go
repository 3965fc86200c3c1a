package google

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxQuotas bounds how many accounts are counted at once. An account that is forgotten begins with a
// full bucket, which costs Google's patience and not correctness.
const maxQuotas = 1000

// quotas counts each account's calls. An account is synced by one worker at a time (see the leases), so
// counting in this process is counting all of them, but for a page that lists calendars.
type quotas struct {
	perSecond rate.Limit
	burst     int

	mu  sync.Mutex
	all map[string]*quota
}

func newQuotas(perMinute, burst int) *quotas {
	return &quotas{perSecond: rate.Limit(float64(perMinute) / 60), burst: burst, all: make(map[string]*quota)}
}

// of is the account's quota.
func (q *quotas) of(account string) *quota {
	q.mu.Lock()
	defer q.mu.Unlock()
	if known, ok := q.all[account]; ok {
		return known
	}
	if len(q.all) >= maxQuotas {
		q.forgetFull()
	}
	made := &quota{rate.NewLimiter(q.perSecond, q.burst)}
	q.all[account] = made
	return made
}

// forgetFull drops the accounts that have not called for a while, or, where all have, all.
func (q *quotas) forgetFull() {
	for name, known := range q.all {
		if known.limiter.Tokens() >= float64(q.burst) {
			delete(q.all, name)
		}
	}
	if len(q.all) >= maxQuotas {
		clear(q.all)
	}
}

type quota struct{ limiter *rate.Limiter }

// reserve takes one call, and says how long to wait before it.
func (q *quota) reserve(now time.Time) time.Duration {
	return q.limiter.ReserveN(now, 1).DelayFrom(now)
}
