package googlesync

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/years"
)

// corrected is 2026 with a first semester that ends a week earlier than the shipped one.
const corrected = `{"2026": {"source": "Senate", "terms": {"S1": "2026-02-09..2026-05-15", "S2": "2026-07-13..2026-10-16"}}}`

func (w *world) imported(file string) {
	w.Helper()
	all, err := calendar.ParseYears([]byte(file))
	w.must(err)
	_, err = years.NewStore(w.f.pool).Import(w.Context(), all)
	w.must(err)
}

// replanned is how many syncs sweeps made because of a year, of several sweeps at once.
func (w *world) replanned(f ...*Function) (all int64) {
	w.Helper()
	var mu sync.Mutex
	var wait sync.WaitGroup
	for _, f := range f {
		wait.Go(func() {
			s, err := f.Sweep(w.logged())
			if err != nil {
				w.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			all += s.Replanned
		})
	}
	wait.Wait()
	return all
}

// TestCorrectedYearReachesFollowingCalendarsOnce: a sync for each, whoever sweeps.
func TestCorrectedYearReachesFollowingCalendarsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.sync(id, map[string]any{"follow": true, "year": 2026})
	other := w.function()
	if n := w.replanned(w.f, other); n != 0 {
		t.Errorf("%d syncs were made although no year changed", n)
	}
	if n := lastingBeyond(w, id, 15); n != 6 {
		t.Fatalf("%d of 6 events last beyond 15 May: %v", n, w.google.Events(id))
	}
	before := w.rows("google_syncs")
	w.imported(corrected)
	if n := w.replanned(w.f, other, w.f, other); n != 1 {
		t.Errorf("%d syncs were made, want 1", n)
	}
	w.sweep()
	if n := w.rows("google_syncs"); n != before+1 {
		t.Errorf("%d syncs instead of %d, want one more", n, before)
	}
	if n := lastingBeyond(w, id, 15); n != 0 {
		t.Errorf("%d events still last beyond 15 May", n)
	}
	w.imported(corrected)
	w.imported(strings.Replace(corrected, "Senate", "Council", 1))
	if n := w.replanned(w.f, other); n != 0 {
		t.Errorf("%d syncs were made for a year that says the same", n)
	}
	// One that does not follow any more learns of it, too.
	b.want(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": false}), 200, nil)
	w.becomes(strings.Replace(corrected, "05-15", "05-08", 1), 6, 0, 0)
}

// lastingBeyond counts the events that recur after that day of May 2026.
func lastingBeyond(w *world, id string, day int) (n int) {
	for _, e := range w.google.Events(id) {
		for later := day + 1; later <= 31; later++ {
			if strings.Contains(fmt.Sprint(e["recurrence"]), fmt.Sprintf("UNTIL=202605%d", later)) {
				n++
			}
		}
	}
	return n
}

// TestTypedDatesHoldForOtherCalendars of the same person: they are asked for once.
func TestTypedDatesHoldForOtherCalendars(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.refused(b.do("POST", "/api/calendars/events", body(id, map[string]any{"year": 2040})), 400, api.MissingSemesterDates)
	b.counts(b.sync(id, map[string]any{"year": 2040, "terms": map[string]any{"S1": map[string]any{"start": "2040-02-06", "end": "2040-05-25"}}}), 6, 0, 0, 0)
	b.counts(b.sync(id, map[string]any{"year": 2040}), 0, 0, 0, 6)
}
