package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
)

// The kinds of incidents. Each is reported and resolved by itself.
const (
	FailedRun     = "run"    // the newest run failed
	DamagedBackup = "verify" // a stored backup is damaged
	MissedBackup  = "missed" // no good backup is new enough

	UncheckedBackups = "unchecked"  // the bucket could not be asked
	UnverifiedBackup = "unverified" // a stored backup could not be verified: a server was down

	SuspectBackup     = "suspect"   // a stored backup is forged, unsigned, or cannot be read
	UnlistedDeletions = "deletions" // the list of who deleted everything could not be written
)

// remindAfter is when an incident that lasts is reported again. Failed events repeat within minutes; a person wants
// to read of it once.
const remindAfter = 12 * time.Hour

// patience is how long an incident of these kinds must last before people are told: a server that restarts, or a system
// that has just started, is no incident.
var patience = map[string]time.Duration{UncheckedBackups: 10 * time.Minute, UnlistedDeletions: 10 * time.Minute}

// sendTimeout is how long an alert may take. It does not end with the request, which may be at its end.
const sendTimeout = 90 * time.Second

// incidents are those that are not resolved, by kind, as the bucket keeps them.
type incidents struct {
	Since       map[string]time.Time `json:"since"`
	LastAlerted map[string]time.Time `json:"told"`
	Reason      map[string]string    `json:"reason"`
}

// Incidents reports incidents and their ends. It is safe for concurrent use.
type Incidents struct {
	store  *store.Store
	sender *alert.Sender
	now    func() time.Time

	// Once says that this process checks once and ends. If the bucket is away, it cannot know for how long, nor note it there
	// for the next process, so it alerts people of that at once.
	Once bool

	// Alerts counts alerts by channel and outcome.
	Alerts *prometheus.CounterVec

	mu      sync.Mutex
	last    incidents // as this process knows them
	unsaved bool      // the bucket was down, so last is newer than what is in it
}

// NewIncidents returns Incidents whose state is kept in a bucket.
func NewIncidents(bucket *store.Store, sender *alert.Sender, now func() time.Time) *Incidents {
	return &Incidents{store: bucket, sender: sender, now: now,
		Alerts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "schedgen_backup_alerts_total",
			Help: "Alerts by channel and outcome: ok, failed."}, []string{"channel", "outcome"})}
}

// Report alerts people of an incident, unless they were alerted of one of its kind a short time ago, or its kind must
// last for longer.
func (i *Incidents) Report(ctx context.Context, kind, subject, text string) {
	i.change(ctx, func(ctx context.Context, open incidents) bool {
		now := i.now()
		if _, known := open.Since[kind]; !known {
			open.Since[kind] = now
		}
		last, alerted := open.LastAlerted[kind]
		due := !alerted || now.Sub(last).Abs() >= remindAfter // Abs, here and below: a clock may be set back
		if due && now.Sub(open.Since[kind]).Abs() >= i.patience(kind) {
			if i.send(ctx, alert.Alert{Subject: "schedgen backup: " + subject, Text: text}) {
				open.LastAlerted[kind] = now
			}
		}
		open.Reason[kind] = text
		return true
	})
}

// Resolve tells people that the incidents of some kinds are over, if there were any. Of one that was over before they
// had to be told they hear nothing.
func (i *Incidents) Resolve(ctx context.Context, kinds ...string) {
	i.change(ctx, func(ctx context.Context, open incidents) bool {
		var resolved []string
		found := false
		for _, kind := range kinds {
			since, known := open.Since[kind]
			if !known {
				continue
			}
			found = true
			if _, alerted := open.LastAlerted[kind]; alerted || i.now().Sub(since).Abs() >= i.patience(kind) {
				resolved = append(resolved, fmt.Sprintf("Since %s: %s", since.UTC().Format(time.RFC3339), open.Reason[kind]))
			}
			delete(open.Since, kind)
			delete(open.LastAlerted, kind)
			delete(open.Reason, kind)
		}
		return found && (len(resolved) == 0 ||
			i.send(ctx, alert.Alert{Subject: "schedgen backup: recovered", Text: "This is over.\n" + strings.Join(resolved, "\n")}))
	})
}

func (i *Incidents) patience(kind string) time.Duration {
	if i.Once && kind == UncheckedBackups {
		return 0
	}
	return patience[kind]
}

// change reads the open incidents, and stores what f makes of them if it returns true. What could not be stored is stored
// by a later call.
func (i *Incidents) change(ctx context.Context, f func(context.Context, incidents) bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
	defer cancel()
	i.mu.Lock()
	defer i.mu.Unlock()
	if open := i.read(ctx); f(ctx, open) {
		i.last, i.unsaved = open, true
	}
	if !i.unsaved {
		return
	}
	if err := i.store.WriteState(ctx, incidentsState, i.last); err != nil {
		api.Logger(ctx).WarnContext(ctx, "alerted incidents not stored in the bucket", "error", err)
		return
	}
	i.unsaved = false
}

const incidentsState = "alert"

// read returns a copy of the open incidents: those in the bucket, or those that this process remembers if it is down, or
// was when they were to be stored.
func (i *Incidents) read(ctx context.Context) incidents {
	open := i.last
	if !i.unsaved {
		var stored incidents
		if err := i.store.ReadState(ctx, incidentsState, &stored); err == nil || errors.Is(err, blob.ErrNotFound) {
			open = stored
		}
	}
	return incidents{Since: copyOf(open.Since), LastAlerted: copyOf(open.LastAlerted), Reason: copyOf(open.Reason)}
}

// copyOf is a map that can be written to.
func copyOf[V any](m map[string]V) map[string]V {
	c := make(map[string]V, len(m))
	maps.Copy(c, m)
	return c
}

// send sends an alert; false if there are channels and none of them took it.
func (i *Incidents) send(ctx context.Context, a alert.Alert) bool {
	outcomes := i.sender.Send(ctx, a)
	delivered := len(outcomes) == 0
	for _, channel := range slices.Sorted(maps.Keys(outcomes)) {
		if err := outcomes[channel]; err != nil {
			i.Alerts.WithLabelValues(channel, "failed").Inc()
			api.Logger(ctx).ErrorContext(ctx, "alert not delivered", "channel", channel, "subject", a.Subject, "error", err)
			continue
		}
		i.Alerts.WithLabelValues(channel, "ok").Inc()
		delivered = true
	}
	return delivered
}
