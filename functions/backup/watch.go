package backup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/blob"
)

// State is how the backups as a whole are.
type State struct {
	Enabled  bool       `json:"enabled"`
	Healthy  bool       `json:"healthy"` // there is a good backup that is new enough
	LastGood string     `json:"lastGood,omitempty"`
	At       *time.Time `json:"lastGoodAt,omitempty"`
	Reason   string     `json:"reason,omitempty"` // why it is not healthy
}

// ahead is how far into the future a backup's time may be: clocks differ.
const ahead = 5 * time.Minute

// lastGood is the newest good backup whose time is not in the future: one of a clock that was wrong
// would look fresh for years.
func lastGood(list []store.Manifest, now time.Time) (store.Manifest, bool) {
	for _, m := range list {
		if m.Good() && m.CreatedAt.Before(now.Add(ahead)) {
			return m, true
		}
	}
	return store.Manifest{}, false
}

// judge says whether the backups of the list are as they should be.
func (f *Function) judge(list []store.Manifest, since time.Time) State {
	s := State{Enabled: f.Enabled(), Healthy: true}
	now := f.Now()
	if m, ok := lastGood(list, now); ok {
		s.LastGood, s.At = m.ID, &m.CreatedAt
		since = m.CreatedAt
	}
	age := now.Sub(since)
	switch {
	case !s.Enabled, age <= f.cfg.MissedAfter:
	case s.At == nil:
		s.Healthy, s.Reason = false, fmt.Sprintf("there is no good backup, %.0f hours after the first was due", age.Hours())
	default:
		s.Healthy, s.Reason = false, fmt.Sprintf("the newest good backup, %s, is %.0f hours old; at most %.0f are allowed",
			s.LastGood, age.Hours(), f.cfg.MissedAfter.Hours())
	}
	return s
}

const watchNote = "watch"

// watched is since when anybody watches: a system without backups is late only from then on.
type watched struct {
	Since time.Time `json:"since"`
}

// Watch alerts when no good backup is new enough, and again when one is. It must be called by a
// schedule of its own: what makes backups may be what is down. It is safe to run at any time, any
// number of times, anywhere.
func (f *Function) Watch(ctx context.Context) (State, error) {
	if !f.Enabled() {
		return State{}, nil
	}
	s, err := f.watch(ctx)
	if err != nil {
		f.alarm(ctx, kindMissed, "nobody knows whether there are backups", err.Error())
		return s, err
	}
	if !s.Healthy {
		f.alarm(ctx, kindMissed, "a backup was missed", s.Reason)
		return s, nil
	}
	f.recovered(ctx, kindMissed)
	return s, nil
}

func (f *Function) watch(ctx context.Context) (State, error) {
	if err := f.store.Ready(ctx); err != nil {
		return State{}, err
	}
	list, err := f.store.List(ctx)
	if err != nil {
		return State{}, err
	}
	var w watched
	err = f.store.Note(ctx, watchNote, &w)
	if errors.Is(err, blob.ErrNotFound) {
		w.Since = f.Now()
		err = f.store.SetNote(ctx, watchNote, w)
	}
	if err != nil {
		return State{}, err
	}
	return f.judge(list, w.Since), nil
}

func (f *Function) watchTask(r *http.Request) (any, error) { return f.Watch(r.Context()) }
