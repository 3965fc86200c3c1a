package events

import (
	"fmt"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"

	"github.com/schedgen/schedgen/shared/strictjson"
	"github.com/schedgen/schedgen/shared/tracing"
)

// Sync is the data of an event of TypeSync: a Google Calendar waits to be brought up to date.
type Sync struct {
	SyncID string `json:"syncId"`
	tracing.Cause
}

// NewSync is the event that a sync waits, or goes on. Its id names the turn: a sync that takes
// several sends several events, and a broker that drops what it has seen must not drop those.
func NewSync(sync Sync, turn int, when time.Time) (event.Event, error) {
	e := event.New()
	e.SetID(fmt.Sprintf("%s-%d", sync.SyncID, turn))
	e.SetType(TypeSync)
	e.SetSource("/schedgen/google-sync")
	e.SetSubject(sync.SyncID)
	e.SetTime(when)
	setCause(&e, sync.Cause)
	if err := e.SetData(event.ApplicationJSON, sync); err != nil {
		return e, fmt.Errorf("encode event %s: %w", e.Type(), err)
	}
	return e, nil
}

// SyncOf is the data of an event of TypeSync.
func SyncOf(e event.Event) (Sync, error) {
	var sync Sync
	if e.Type() != TypeSync {
		return sync, fmt.Errorf("%w: type %q", ErrInvalid, e.Type())
	}
	if err := strictjson.Unmarshal(e.Data(), &sync); err != nil {
		return sync, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	sync.Cause = causeOf(e)
	return sync, nil
}
