package ratelimit

import (
	"context"
	"log/slog"
	"maps"
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

	mu     sync.Mutex
	logged map[string]refusedSince
}

// refusedSince is what was refused of one caller since it was last logged.
type refusedSince struct {
	at    time.Time
	count int
}

func newRefusals() refusals {
	return refusals{logged: make(map[string]refusedSince), total: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "schedgen_requests_refused_total", Help: "Requests refused by a limit of callers (LIMIT_...), by route and policy.",
	}, []string{"route", "policy"})}
}

// note counts a refusal, and logs it with the request's logger, which names the caller, unless the caller's last ones were logged within the minute.
func (l *refusals) note(ctx context.Context, no refused, now time.Time) {
	l.total.WithLabelValues(no.route, no.policy.name).Inc()
	before, log := l.since(no.policy.name+" "+no.who.owner+" "+no.who.address, now)
	if !log {
		return
	}
	api.Logger(ctx).LogAttrs(ctx, slog.LevelWarn, "requests refused",
		slog.String("policy", no.policy.name), slog.String("route", no.route), slog.Int("unlogged", before))
}

// since is how many refusals of a caller were not logged, and whether it is time to log one.
func (l *refusals) since(caller string, now time.Time) (before int, log bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.logged[caller]
	if ok && now.Sub(known.at) < logEvery {
		known.count++
		l.logged[caller] = known
		return 0, false
	}
	if !ok && len(l.logged) >= mostLocal {
		maps.DeleteFunc(l.logged, func(_ string, r refusedSince) bool { return now.Sub(r.at) >= logEvery })
		if len(l.logged) >= mostLocal {
			return 0, false // the metric has it
		}
	}
	l.logged[caller] = refusedSince{at: now}
	return known.count, true
}
