// Package watch tells people when backups need them: a run that failed, a stored backup that is damaged, no good
// backup that is new enough.
//
// What was reported is kept in the backup bucket, because instances come and go. So each fault is reported once,
// again every twelve hours while it lasts, and once more when it is over.
package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
)

// State is the state of the backups as a whole.
type State struct {
	Enabled    bool       `json:"enabled"`
	Healthy    bool       `json:"healthy"` // there is a good backup that is new enough
	LastGood   string     `json:"lastGood,omitempty"`
	LastGoodAt *time.Time `json:"lastGoodAt,omitempty"`
	Reason     string     `json:"reason,omitempty"` // why it is not healthy
}

// Watcher checks that there is a good backup that is new enough.
type Watcher struct {
	Store     *store.Store
	Incidents *Incidents
	Enabled   bool          // backups are made at all
	MaxAge    time.Duration // of the newest good backup
	Now       func() time.Time
}

// Assess returns the state of the listed backups. Without a good one, its age counts from since.
func (w *Watcher) Assess(list []store.Manifest, since time.Time) State {
	s := State{Enabled: w.Enabled, Healthy: true}
	now := w.Now()
	if m, ok := store.NewestGood(list, now); ok {
		s.LastGood, s.LastGoodAt = m.ID, &m.CreatedAt
		since = m.CreatedAt
	}
	age := now.Sub(since)
	switch {
	case !s.Enabled, age <= w.MaxAge:
	case s.LastGoodAt == nil:
		s.Healthy, s.Reason = false, fmt.Sprintf("there is no good backup, %.0f hours after the first was due", age.Hours())
	default:
		s.Healthy, s.Reason = false, fmt.Sprintf("the newest good backup, %s, is %.0f hours old; at most %.0f are allowed",
			s.LastGood, age.Hours(), w.MaxAge.Hours())
	}
	return s
}

// Check reports a missed backup, and later that it is over. Call it from a schedule of its own: what makes backups
// may be what is down. It is safe to run at any time, any number of times, anywhere.
func (w *Watcher) Check(ctx context.Context) (State, error) {
	if !w.Enabled {
		return State{}, nil
	}
	s, err := w.current(ctx)
	if err != nil {
		w.Incidents.Report(ctx, MissedBackup, "the backups could not be checked", err.Error())
		return s, err
	}
	if !s.Healthy {
		w.Incidents.Report(ctx, MissedBackup, "a backup was missed", s.Reason)
		return s, nil
	}
	w.Incidents.Resolve(ctx, MissedBackup)
	return s, nil
}

// watchStart is the name of the record of when watching began: a new system is not late.
const watchStart = "watch"

func (w *Watcher) current(ctx context.Context) (State, error) {
	if err := w.Store.Ready(ctx); err != nil {
		return State{}, err
	}
	list, err := w.Store.List(ctx)
	if err != nil {
		return State{}, err
	}
	var started struct {
		Since time.Time `json:"since"`
	}
	err = w.Store.ReadState(ctx, watchStart, &started)
	if errors.Is(err, blob.ErrNotFound) {
		started.Since = w.Now()
		err = w.Store.WriteState(ctx, watchStart, started)
	}
	if err != nil {
		return State{}, err
	}
	return w.Assess(list, started.Since), nil
}
