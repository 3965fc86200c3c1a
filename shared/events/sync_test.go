package events_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/tracing"
)

// TestSyncTravels: an event of a sync arrives as it was sent, and each turn has another id.
func TestSyncTravels(t *testing.T) {
	t.Parallel()
	want := events.Sync{SyncID: "018f4d6e", Cause: tracing.Cause{Traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", RequestID: "sync-1"}}
	e, err := events.NewSync(want, 3, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{}
	events.Encode(header, e)
	all, err := events.Decode(header, e.Data())
	if err != nil || len(all) != 1 || all[0].ID() != "018f4d6e-3" {
		t.Fatalf("it arrives as %v (%v)", all, err)
	}
	if got, err := events.SyncOf(all[0]); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	if _, err := events.ParsedOf(e); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("it is taken for another type: %v", err)
	}
	parsed, err := events.NewParsed(events.Parsed{JobID: "1"}, time.Unix(1, 0))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := events.SyncOf(parsed); !errors.Is(err, events.ErrInvalid) {
		t.Errorf("another type is taken for a sync: %v", err)
	}
}
