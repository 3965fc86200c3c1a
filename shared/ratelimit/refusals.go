package ratelimit

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/shared/api"
)

// logEvery is how often the refusals of one caller are logged.
const logEvery = time.Minute

// refusals counts what was refused, and logs it: each caller's once a minute.
type refusals struct {
	total *prometheus.CounterVec

	mu               sync.Mutex
	minute           time.Time      // when the present one began
	unlogged, before map[string]int // of each caller, in this minute and in the one before
}

func newRefusals() refusals {
	return refusals{total: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_requests_refused_total", Help: "Requests refused by a limit of callers (LIMIT_...), by route and policy.",
	}, []string{"route", "policy"})}
}

// note counts a refusal, and logs the first of a caller in each minute, with the request's logger, which names the caller.
func (l *refusals) note(ctx context.Context, no refused, now time.Time) {
	l.total.WithLabelValues(no.route, no.policy.name).Inc()
	before, log := l.since(no.policy.name+" "+no.who.owner+" "+no.who.address, now)
	if !log {
		return
	}
	api.Logger(ctx).LogAttrs(ctx, slog.LevelWarn, "requests refused",
		slog.String("policy", no.policy.name), slog.String("route", no.route), slog.Int("unlogged", before))
}

// since says whether it is time to log a refusal of a caller, and how many of the minute before were not logged.
func (l *refusals) since(caller string, now time.Time) (before int, log bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if passed := now.Sub(l.minute); passed >= logEvery {
		l.before = nil
		if passed < 2*logEvery {
			l.before = l.unlogged
		}
		l.minute, l.unlogged = now, make(map[string]int)
	}
	if _, logged := l.unlogged[caller]; logged {
		l.unlogged[caller]++
		return 0, false
	}
	if len(l.unlogged) >= mostLocal {
		return 0, false // the metric has it
	}
	l.unlogged[caller] = 0
	return l.before[caller], true
}
