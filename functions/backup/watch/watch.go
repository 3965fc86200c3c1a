// Package watch tells people when backups need them: a run that failed, a stored backup that is damaged or that nobody
// known signed, no good backup that is new enough, a list of deletions that could not be written.
//
// What was reported is kept in the backup bucket, because instances come and go. So each fault is reported once,
// again every twelve hours while it lasts, and once more when it is over.
package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
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
	Unsigned  bool          // they are not signed, although there are keys to check signatures with
	MaxAge    time.Duration // of the newest good backup
	Now       func() time.Time
	// LastMade is when the newest good backup was made, as the database knows; zero if it knows of none.
	LastMade func(context.Context) time.Time
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

// List is what Check takes: all backups of the bucket, the newest first.
func (w *Watcher) List(ctx context.Context) ([]store.Manifest, error) {
	if err := w.Store.Ready(ctx); err != nil {
		return nil, err
	}
	return w.Store.List(ctx)
}

// Check reports a missed backup, or a bucket that could not be asked for some minutes, and later that it is over. It takes
// what List returned. Call it from a schedule of its own: what makes backups may be what is down. It is safe to run at
// any time, any number of times, anywhere.
func (w *Watcher) Check(ctx context.Context, list []store.Manifest, err error) (s State, _ error) {
	if err == nil {
		s, err = w.assessSinceStart(ctx, list)
	}
	if err != nil {
		w.Incidents.Report(ctx, UncheckedBackups, "the backups could not be checked", err.Error())
		return s, err
	}
	w.Incidents.Resolve(ctx, UncheckedBackups)
	w.ReportSuspects(ctx, list)
	if !s.Healthy {
		w.Incidents.Report(ctx, MissedBackup, "a backup was missed", s.Reason)
		return s, nil
	}
	w.Incidents.Resolve(ctx, MissedBackup)
	return s, nil
}

// ReportSuspects reports backups that are not what a run of ours stored, and later that there are none any more.
func (w *Watcher) ReportSuspects(ctx context.Context, list []store.Manifest) {
	found := suspects(list)
	if w.Unsigned {
		found = append(found, "New backups are not signed, so none of them is believed: BACKUP_VERIFY_KEYS is set and BACKUP_SIGNING_KEY is not. Set the key, or remove both.")
	}
	if len(found) == 0 {
		w.Incidents.Resolve(ctx, SuspectBackup)
		return
	}
	w.Incidents.Report(ctx, SuspectBackup, "stored backups are not to be trusted", strings.Join(found, "\n"))
}

// maxSuspects bounds how many backups an alert names.
const maxSuspects = 10

// suspects says which of the backups, the newest first, are forged, unsigned or cannot be read, and what to do. One
// without a signature that is older than all with one is from before there was a key.
func suspects(list []store.Manifest) []string {
	oldest := -1
	for i, m := range list {
		if m.Signed() && m.Trust() == nil {
			oldest = i
		}
	}
	var found []string
	for i, m := range list {
		switch {
		case m.Status() == store.Forged:
			found = append(found, m.ID+" is not signed by a known key. If it is of a former key of yours, add that to BACKUP_VERIFY_KEYS.")
		case m.Status() == store.Unsigned && i < oldest:
			found = append(found, m.ID+" is not signed, although older ones are.")
		case !m.Readable():
			found = append(found, "The manifest of "+m.ID+" cannot be read. While it is there, PDFs that no backup needs are not deleted.")
		}
	}
	if len(found) > maxSuspects {
		found = append(found[:maxSuspects], fmt.Sprintf("And %d more.", len(found)-maxSuspects))
	}
	if len(found) > 0 {
		found = append(found, "If none of your programs stored it, somebody else can write to the bucket: change its keys, then delete the objects manifests/ID.json.")
	}
	return found
}

// watchStart is the name of the record of when watching began: a new system is not late.
const watchStart = "watch"

// assessSinceStart is Assess, where the age counts from when watching began. A bucket that lost all backups is as empty as
// a new one, so the database is asked which it is.
func (w *Watcher) assessSinceStart(ctx context.Context, list []store.Manifest) (State, error) {
	var started struct {
		Since time.Time `json:"since"`
	}
	err := w.Store.ReadState(ctx, watchStart, &started)
	if errors.Is(err, blob.ErrNotFound) {
		started.Since = w.Now()
		err = w.Store.WriteState(ctx, watchStart, started)
	}
	if err != nil {
		return State{}, err
	}
	s := w.Assess(list, started.Since)
	if s.LastGoodAt == nil && s.Healthy {
		if made := w.LastMade(ctx); !made.IsZero() {
			s.Healthy, s.Reason = false, fmt.Sprintf("there is no good backup in the bucket any more; one was made at %s", made.UTC().Format(time.RFC3339))
		}
	}
	return s, nil
}
