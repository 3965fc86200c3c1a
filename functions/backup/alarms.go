package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/schedgen/schedgen/functions/backup/alert"
	"github.com/schedgen/schedgen/functions/backup/store"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/blob"
)

// What can be wrong; each is alerted and recovers by itself.
const (
	kindRun    = "run"    // the newest run failed
	kindVerify = "verify" // a stored backup is damaged
	kindMissed = "missed" // there is no good backup that is new enough
)

// remind is how soon a fault of the same kind is told again. Events that fail come again within
// minutes; a person wants to hear it once.
const remind = 12 * time.Hour

// alarms is what was alerted and has not recovered, by kind. It is kept in the bucket, for instances
// come and go.
type alarms struct {
	Since  map[string]time.Time `json:"since"`  // when it was first seen
	Told   map[string]time.Time `json:"told"`   // when people were last told
	Reason map[string]string    `json:"reason"` // what they were told
}

// memory is the alarms as this process knows them, for when the bucket itself is what fails.
type memory struct {
	mu    sync.Mutex
	known alarms
}

const alarmNote = "alert"

// alarms reads what was alerted; where the bucket cannot say, what this process remembers.
func (f *Function) alarms(ctx context.Context) alarms {
	var a alarms
	if err := f.store.Note(ctx, alarmNote, &a); err != nil && !errors.Is(err, blob.ErrNotFound) {
		a = f.said.known
	}
	for _, m := range []*map[string]time.Time{&a.Since, &a.Told} {
		if *m == nil {
			*m = map[string]time.Time{}
		}
	}
	if a.Reason == nil {
		a.Reason = map[string]string{}
	}
	return a
}

// note keeps the alarms.
func (f *Function) note(ctx context.Context, a alarms) {
	f.said.known = a
	if err := f.store.SetNote(ctx, alarmNote, a); err != nil {
		api.Logger(ctx).WarnContext(ctx, "what was alerted cannot be kept in the bucket", "error", err)
	}
}

// patience is how long telling people may take: a request that is at its end must not prevent it.
const patience = 90 * time.Second

// alarm tells people of a fault, unless they were told of one of its kind not long ago.
func (f *Function) alarm(ctx context.Context, kind, subject, text string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	f.said.mu.Lock()
	defer f.said.mu.Unlock()
	a, now := f.alarms(ctx), f.Now()
	if _, there := a.Since[kind]; !there {
		a.Since[kind] = now
	}
	if told, ok := a.Told[kind]; !ok || now.Sub(told).Abs() >= remind { // Abs: a clock may be set back
		if f.tell(ctx, alert.Alert{Subject: "schedgen backup: " + subject, Text: text}) {
			a.Told[kind] = now
		}
	}
	a.Reason[kind] = text
	f.note(ctx, a)
}

// recovered tells people that faults they were told of are over.
func (f *Function) recovered(ctx context.Context, kinds ...string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	f.said.mu.Lock()
	defer f.said.mu.Unlock()
	a := f.alarms(ctx)
	var over []string
	for _, kind := range kinds {
		since, there := a.Since[kind]
		if !there {
			continue
		}
		over = append(over, fmt.Sprintf("Since %s: %s", since.UTC().Format(time.RFC3339), a.Reason[kind]))
		for _, m := range []map[string]time.Time{a.Since, a.Told} {
			delete(m, kind)
		}
		delete(a.Reason, kind)
	}
	if len(over) == 0 {
		return
	}
	if f.tell(ctx, alert.Alert{Subject: "schedgen backup: recovered", Text: "This is over.\n" + strings.Join(over, "\n")}) {
		f.note(ctx, a)
	}
}

// tell sends an alert; false if somebody is to be told and nobody could be.
func (f *Function) tell(ctx context.Context, a alert.Alert) bool {
	outcomes := f.alerts.Send(ctx, a)
	reached := len(outcomes) == 0
	for _, channel := range slices.Sorted(maps.Keys(outcomes)) {
		err := outcomes[channel]
		f.metrics.alerted(channel, err)
		if err != nil {
			api.Logger(ctx).ErrorContext(ctx, "an alert was not delivered", "channel", channel, "subject", a.Subject, "error", err)
			continue
		}
		reached = true
	}
	return reached
}

// finished counts a run, and tells people how it went if they must know.
func (f *Function) finished(ctx context.Context, m store.Manifest, err error, took time.Duration) {
	log := api.Logger(ctx)
	if err != nil {
		f.metrics.runs.WithLabelValues("failed").Inc()
		log.ErrorContext(ctx, "the backup failed", "backup", m.ID, "seconds", took.Seconds(), "error", err)
		f.alarm(ctx, kindRun, "the backup failed", err.Error())
		return
	}
	f.metrics.runs.WithLabelValues("ok").Inc()
	log.InfoContext(ctx, "backup", "id", m.ID, "status", m.Status(), "rows", m.Rows, "objects", m.Objects,
		"storedBytes", m.StoredBytes, "seconds", took.Seconds())
	f.metrics.forget() // the next scrape sees this run
	// A new good backup is what every one of these faults was waiting for.
	f.recovered(ctx, kindRun, kindVerify, kindMissed)
}
