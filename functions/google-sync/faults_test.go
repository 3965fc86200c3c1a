package googlesync

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
	"github.com/schedgen/schedgen/functions/google-sync/syncs"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/timetable"
)

// ready is a signed-in browser with that many modules uploaded and a calendar for them.
func (w *world) ready(modules int) (b *browser, calendarID string) {
	w.Helper()
	b = w.browser()
	b.signIn(student)
	w.upload(b.owner(), lectures(modules))
	return b, b.calendar()
}

// exact checks that a calendar holds each wanted event once, and nothing else.
func (b *browser) exact(id string, want int) {
	b.Helper()
	seen := map[string]bool{}
	for _, e := range b.google.Events(id) {
		uid, _ := e["extendedProperties"].(map[string]any)["private"].(map[string]any)["schedgenUid"].(string)
		if uid == "" || seen[uid] {
			b.Errorf("the calendar has %v, which is not wanted or twice there", e["summary"])
		}
		seen[uid] = true
	}
	if len(seen) != want {
		b.Errorf("the calendar has %d events, want %d", len(seen), want)
	}
	var again synced
	b.want(b.do("POST", "/api/calendars/events", body(id, map[string]any{"dryRun": true})), 200, &again)
	if len(again.Actions) != 0 || !again.DryRun {
		b.Errorf("there is still to do: %+v", again.Actions)
	}
}

// TestWhatPassesIsRepeated: everything that Google's guide calls worth repeating, in bursts, before and after
// the work was done.
func TestWhatPassesIsRepeated(t *testing.T) {
	t.Parallel()
	for _, fault := range []fakegoogle.Fault{
		{Status: 403, Reason: "rateLimitExceeded"}, {Status: 403, Reason: "userRateLimitExceeded"}, {Status: 403, Reason: "quotaExceeded"},
		{Status: 429, Reason: "rateLimitExceeded"}, {Status: 500, Reason: "backendError"}, {Status: 502, Reason: "backendError"},
		{Status: 503, Reason: "backendError"}, {Status: 504, Reason: "backendError"}, {Status: 503, Reason: "backendError", Late: true},
	} {
		for _, method := range []string{"insert", "patch", "delete", "list"} {
			t.Run(fmt.Sprintf("%s %d %s late=%v", method, fault.Status, fault.Reason, fault.Late), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				b, id := w.ready(3)
				if method != "insert" {
					b.sync(id, nil)
					changed := lectures(3)
					changed.Entries[0].Venues = []string{"Elsewhere"}
					changed.Entries = changed.Entries[:8]
					w.upload(b.owner(), changed)
				}
				f := fault
				f.Method, f.Skip, f.Times = "calendar.events."+method, 0, 3
				w.google.Inject(f)
				if method == "insert" {
					b.counts(b.sync(id, nil), 9, 0, 0, 0)
					b.exact(id, 9)
				} else {
					b.counts(b.sync(id, nil), 0, 1, 1, 7)
					b.exact(id, 8)
				}
			})
		}
	}
}

// TestExpiredTokenIsRenewed in the middle of a sync, and early.
func TestExpiredTokenIsRenewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(3)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Skip: 4, Then: w.google.ExpireTokens})
	b.counts(b.sync(id, nil), 9, 0, 0, 0)
	b.exact(id, 9)
}

// TestSlowAnswersAreCutOff and the call repeated, although the first was carried out.
func TestSlowAnswersAreCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Google.CallTimeout = 300 * time.Millisecond })
	b, id := w.ready(1)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Delay: time.Minute, Status: 503, Reason: "backendError", Late: true})
	b.counts(b.sync(id, nil), 3, 0, 0, 0)
	b.exact(id, 3)
}

// TestRevokedInTheMiddle: the person is asked to sign in again, and after that all goes on where it was.
func TestRevokedInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(3)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Skip: 4, Then: w.google.RevokeAll})
	b.refused(b.do("POST", "/api/calendars/events", body(id, map[string]any{"follow": true})), 401, api.SignInRequired)
	b.refused(b.do("GET", "/api/calendars", nil), 401, api.SignInRequired)
	var status statusAnswer
	b.want(b.do("GET", "/api/auth/status", nil), 200, &status)
	if status.Authenticated || !status.SignInAgain || status.Email != student {
		t.Errorf("status is %+v, want to be asked to sign in again", status)
	}
	// The page still shows how far it came, and uploads go on.
	var list struct{ Syncs []synced }
	b.want(b.do("GET", "/api/calendars/syncs", nil), 200, &list)
	if len(list.Syncs) != 1 || list.Syncs[0].Status != "failed" || list.Syncs[0].Created != 4 || list.Syncs[0].Planned != 9 {
		t.Errorf("the syncs are %+v, want one that failed after 4 of 9", list.Syncs)
	}
	w.upload(b.owner(), lectures(3))
	b.signIn(student) // what follows catches up
	w.sweep()
	b.exact(id, 9)
}

// sweep sweeps until nothing is left to be handed out.
func (w *world) sweep() {
	w.Helper()
	for range 50 {
		s, err := w.f.Sweep(w.logged())
		if err != nil {
			w.Fatal(err)
		}
		if s.HandedOut == 0 {
			return
		}
	}
	w.Fatal("50 sweeps do not end it")
}

// TestPersonsEditsStay, unless the timetable changed that very field; the plan says both.
func TestPersonsEditsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.sync(id, nil)
	events := w.google.Events(id)
	edited, gone := events[0]["id"].(string), events[1]["id"].(string)
	w.must(w.google.Edit(id, edited, map[string]any{"summary": "My own title", "location": "Ask Thabo", "colorId": "4", "visibility": "private"}))
	w.must(w.google.Remove(id, gone, false))
	w.must(w.google.Remove(id, events[2]["id"].(string), true)) // Google has even forgotten it
	s := b.sync(id, nil)
	b.counts(s, 0, 0, 0, 6)
	if s.Kept != 3 {
		t.Errorf("%d edits kept, want 3", s.Kept)
	}

	changed := lectures(2)
	changed.Entries[0].Venues = []string{"Engineering 3"}
	changed.Entries[1].Venues = []string{"Engineering 4"} // of the event that the person deleted
	w.upload(b.owner(), changed)
	var p synced
	b.want(b.do("POST", "/api/calendars/events", body(id, map[string]any{"dryRun": true})), 200, &p)
	if len(p.Actions) != 1 || p.Actions[0].Operation != plan.Patch || len(p.Actions[0].Overwrites) != 1 || p.Actions[0].Overwrites[0] != plan.Location {
		t.Errorf("the plan is %+v, want one patch that overwrites the location", p.Actions)
	}
	deleted := 0
	for _, k := range p.KeptEdits {
		if k.Deleted {
			deleted++
		}
	}
	if len(p.KeptEdits) != 3 || deleted != 2 {
		t.Errorf("the kept edits are %+v, want one event's fields and two deleted events", p.KeptEdits)
	}
	w.google.Forget()
	b.counts(b.sync(id, nil), 0, 1, 0, 5)
	if n := w.google.Writes(); n != 1 {
		t.Errorf("%d writing calls, want 1", n)
	}
	after := w.event(id, edited)
	for name, want := range map[string]string{"summary": "My own title", "location": "Engineering 3", "colorId": "4", "visibility": "private"} {
		if after[name] != want {
			t.Errorf("%s is %v, want %s", name, after[name], want)
		}
	}
	// The module goes and comes back: what schedgen deleted returns, what the person deleted does not.
	w.upload(b.owner(), timetable.Document{Kind: timetable.Lecture, Entries: changed.Entries[3:]})
	b.counts(b.sync(id, nil), 0, 0, 1, 3)
	w.upload(b.owner(), changed)
	b.counts(b.sync(id, nil), 1, 0, 0, 5)
	if summary := w.event(id, edited)["summary"]; summary == "My own title" {
		t.Error("a restored event has what was edited before it was deleted")
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// event is one event in a calendar.
func (w *world) event(calendarID, id string) map[string]any {
	w.Helper()
	for _, e := range w.google.Events(calendarID) {
		if e["id"] == id {
			return e
		}
	}
	w.Fatalf("no event %s", id)
	return nil
}

// TestAnotherClientMeanwhile changes or deletes just what is being changed.
func TestAnotherClientMeanwhile(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(w *world, calendar, id string){
		"edits another field": func(w *world, c, id string) { w.must(w.google.Edit(c, id, map[string]any{"summary": "Mine"})) },
		"edits the same field": func(w *world, c, id string) {
			w.must(w.google.Edit(c, id, map[string]any{"location": "Nowhere"}))
		},
		"deletes it": func(w *world, c, id string) { w.must(w.google.Remove(c, id, false)) },
		"purges it":  func(w *world, c, id string) { w.must(w.google.Remove(c, id, true)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b, id := w.ready(1)
			b.sync(id, nil)
			first := w.google.Events(id)[0]["id"].(string)
			changed := lectures(1)
			changed.Entries[0].Venues = []string{"Elsewhere"}
			w.upload(b.owner(), changed)
			w.google.Inject(fakegoogle.Fault{Method: "calendar.events.patch", Then: func() { meanwhile(w, id, first) }})
			s := b.sync(id, nil)
			if s.Failed != 0 || s.Created != 0 {
				t.Errorf("the sync says %+v", s)
			}
			if strings.HasPrefix(name, "edits") {
				after := w.event(id, first)
				if after["location"] != "Elsewhere" || name == "edits another field" && after["summary"] != "Mine" {
					t.Errorf("the event is %v at %v", after["summary"], after["location"])
				}
				b.exact(id, 3)
				return
			}
			if n := len(w.google.Events(id)); n != 2 {
				t.Errorf("%d events, want the two that nobody deleted", n)
			}
			b.counts(b.sync(id, nil), 0, 0, 0, 3)
		})
	}
	t.Run("deletes what is being deleted", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b, id := w.ready(1)
		b.sync(id, nil)
		last := w.google.Events(id)[2]["id"].(string)
		w.upload(b.owner(), timetable.Document{Kind: timetable.Lecture, Entries: lectures(1).Entries[:2]})
		w.google.Inject(fakegoogle.Fault{Method: "calendar.events.delete", Then: func() { w.must(w.google.Remove(id, last, false)) }})
		b.counts(b.sync(id, nil), 0, 0, 1, 2)
		b.exact(id, 2)
	})
	t.Run("edits without end", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		b, id := w.ready(1)
		b.sync(id, nil)
		first, n := w.google.Events(id)[0]["id"].(string), 0
		changed := lectures(1)
		changed.Entries[0].Venues = []string{"Elsewhere"}
		w.upload(b.owner(), changed)
		w.google.Inject(fakegoogle.Fault{Method: "calendar.events.patch", Times: -1, Then: func() {
			n++
			w.must(w.google.Edit(id, first, map[string]any{"summary": fmt.Sprint("Mine ", n)}))
		}})
		if s := b.sync(id, nil); s.Failed != 1 {
			t.Errorf("failed is %d, want the one event left to the next sync", s.Failed)
		}
		w.google.Heal()
		b.counts(b.sync(id, nil), 0, 1, 0, 2)
	})
}

// TestARefusedEventIsTriedAgain: what Google did not take is no person's doing, and the next sync adds it.
func TestARefusedEventIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Skip: 1, Status: 400, Reason: "invalid"})
	if s := b.sync(id, nil); s.Failed != 1 {
		t.Errorf("failed is %d, want 1", s.Failed)
	}
	b.counts(b.sync(id, nil), 1, 0, 0, 2)
}

// TestOthersEventsAreNeverTouched: neither a person's, nor another account's in a shared calendar, nor one
// that took our id.
func TestOthersEventsAreNeverTouched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	w.google.Share(id, friend, "writer")
	c := w.browser()
	c.signIn(friend)
	w.upload(c.owner(), lectures(2))
	b.counts(b.sync(id, nil), 3, 0, 0, 0)
	c.counts(c.sync(id, nil), 6, 0, 0, 0)
	w.upload(b.owner(), timetable.Document{Kind: timetable.Lecture, Entries: lectures(1).Entries[:1]})
	b.counts(b.sync(id, nil), 0, 0, 2, 1)
	c.counts(c.sync(id, nil), 0, 0, 0, 6)
	// The marks are taken off one of ours: now it is the person's.
	ours := w.google.Events(id)[0]["id"].(string)
	w.must(w.google.Edit(id, ours, map[string]any{"extendedProperties": nil, "summary": "Mine now"}))
	var s synced
	b.want(b.do("POST", "/api/calendars/events", body(id, nil)), 200, &s)
	if s.Kept != 1 || w.event(id, ours)["summary"] != "Mine now" {
		t.Errorf("the sync says %+v, want one event kept", s)
	}
	// Even where nothing is remembered, an event that is not marked is not ours, whatever its id.
	b.want(b.do("POST", "/api/auth/logout", `{"forget":true}`), 200, nil)
	b.signIn(student)
	b.want(b.do("POST", "/api/calendars/events", body(id, nil)), 200, &s)
	if s.Failed != 1 || w.event(id, ours)["summary"] != "Mine now" {
		t.Errorf("the sync says %+v, want one event that could not be placed, and the person's untouched", s)
	}
	b.want(b.do("DELETE", "/api/calendars/events?calendarId="+id, nil), 200, &s)
	if n := len(w.google.Events(id)); n != 7 {
		t.Errorf("%d events are left, want the friend's 6 and the person's", n)
	}
}

// TestCalendarsThatAreGoneOrClosed end in words, and end the following.
func TestCalendarsThatAreGoneOrClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	b.refused(b.do("POST", "/api/calendars/events", body("nowhere@group.calendar.google.com", nil)), 404, api.CalendarNotFound)
	if n := w.rows("google_calendars"); n != 1 {
		t.Errorf("%d calendars are kept, want only the one that there is", n)
	}
	w.google.Share(id, friend, "reader")
	c := w.browser()
	c.signIn(friend)
	w.upload(c.owner(), lectures(1))
	c.refused(c.do("POST", "/api/calendars/events", body(id, nil)), 403, api.PermissionMissing)
	for _, bad := range []string{"", strings.Repeat("x", 513)} {
		b.refused(b.do("POST", "/api/calendars/events", body(bad, nil)), 400, api.ValidationFailed)
	}
}

// TestLongSyncGoesOnByEvent: what a request's time does not suffice for is answered with 202, shows how far
// it is, and is finished by events and sweeps.
func TestLongSyncGoesOnByEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Worker.Wait = 700 * time.Millisecond })
	b, id := w.ready(10)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.insert", Times: -1, Delay: 100 * time.Millisecond})
	var s synced
	a := b.want(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusAccepted, &s)
	if s.Status != "pending" || s.Planned != 30 || s.Created == 0 || s.Created >= 30 || a.header.Get("Retry-After") == "" {
		t.Errorf("the answer is %+v with %v, want a part of 30 created", s, a.header)
	}
	place := a.header.Get("Location")
	if place != "/api/calendars/syncs/"+s.SyncID {
		t.Fatalf("Location is %q", place)
	}
	event := fmt.Sprintf(`{"specversion":"1.0","id":"1","type":"dev.schedgen.calendar.sync.v1","source":"/x","data":{"syncId":%q}}`, s.SyncID)
	before := s.Done
	b.want(b.do("POST", "/events/google", event, "Content-Type", "application/cloudevents+json", "Authorization", "Bearer "+eventToken), 204, nil)
	b.want(b.do("GET", place, nil), 200, &s)
	if s.Done <= before {
		t.Errorf("after an event %d calls are done, before it %d", s.Done, before)
	}
	w.google.Heal()
	w.sweep()
	b.want(b.do("GET", place, nil), 200, &s)
	if s.Status != "done" || s.Created != 30 || s.Planned != 30 || s.Done != 30 || s.Unchanged != 0 {
		t.Errorf("the sync ends as %+v, want 30 created", s)
	}
	b.exact(id, 30)
	// An event for what is done, and for what never was, does nothing.
	b.want(b.do("POST", "/events/google", event, "Content-Type", "application/cloudevents+json", "Authorization", "Bearer "+eventToken), 204, nil)
	b.want(b.do("POST", "/events/google", strings.Replace(event, s.SyncID, "018f4d6e-0000-7000-8000-000000000000", 1), "Content-Type", "application/cloudevents+json", "Authorization", "Bearer "+eventToken), 204, nil)
	c := w.browser()
	c.signIn(friend)
	c.refused(c.do("GET", place, nil), 404, api.SyncNotFound)
	c.refused(c.do("GET", "/api/calendars/syncs/x", nil), 404, api.SyncNotFound)
}

// TestGoogleAwayForLong: the sync is put off, and comes again until it is done or was tried often enough.
func TestGoogleAwayForLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Worker.Attempts = 3; c.Google.Attempts = 2 })
	b, id := w.ready(1)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.list", Times: -1, Status: 503, Reason: "backendError"})
	var s synced
	b.want(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusAccepted, &s)
	w.sweep() // its time has not come
	w.ripe()
	w.sweep()
	b.want(b.do("GET", "/api/calendars/syncs/"+s.SyncID, nil), 200, &s)
	if s.Status != "pending" {
		t.Errorf("after two attempts of three it is %s", s.Status)
	}
	w.google.Heal()
	w.ripe()
	w.sweep()
	b.exact(id, 3)
	w.google.Inject(fakegoogle.Fault{Method: "calendar.events.list", Times: -1, Status: 503, Reason: "backendError"})
	b.want(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusAccepted, &s)
	for range 2 {
		w.ripe()
		w.sweep()
	}
	var end struct{ Status, Error string }
	b.want(b.do("GET", "/api/calendars/syncs/"+s.SyncID, nil), 200, &end)
	if end.Status != "failed" || end.Error != api.GoogleUnavailable {
		t.Errorf("after three attempts it is %+v", end)
	}
}

// ripe lets the time come for what was put off.
func (w *world) ripe() {
	w.Helper()
	_, err := w.f.pool.Exec(w.Context(), "update google_syncs set run_after = now() where status = 'pending'")
	w.must(err)
}

// TestTwoAtOnceAreSerialised: many requests of one person at once end in one right calendar.
func TestTwoAtOnceAreSerialised(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(8)
	other := w.function()
	var waiting sync.WaitGroup
	answers := make([]answer, 6)
	for i := range answers {
		waiting.Go(func() { answers[i] = b.do("POST", "/api/calendars/events", body(id, nil)) })
	}
	for range 5 { // and another instance that sweeps meanwhile
		if _, err := other.Sweep(w.logged()); err != nil {
			t.Error(err)
		}
	}
	waiting.Wait()
	created := 0
	for _, a := range answers {
		var s synced
		b.want(a, 200, &s)
		created += s.Created
	}
	if created != 24 || len(w.google.Events(id)) != 24 {
		t.Errorf("%d created in all, %d there, want 24 each", created, len(w.google.Events(id)))
	}
	for _, call := range w.google.Calls() {
		if call.Status == http.StatusConflict {
			t.Errorf("two wrote at once: %+v", call)
		}
	}
	b.exact(id, 24)
}

// TestQueueIsBounded: more than some waiting syncs are refused.
func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Auto.SyncsWaiting = 2; c.Worker.Wait = 50 * time.Millisecond })
	b, id := w.ready(1)
	_, _, err := w.f.syncs.Claim(t.Context(), b.owner()) // somebody works, for long
	w.must(err)
	for range 2 {
		b.want(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusAccepted, nil)
	}
	b.refused(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusTooManyRequests, api.Busy)
	if all, err := w.f.syncs.Recent(t.Context(), b.owner(), 9); err != nil || len(all) != 2 || all[0].Status != syncs.Pending {
		t.Errorf("the queue is %+v (%v), want two waiting", all, err)
	}
}
