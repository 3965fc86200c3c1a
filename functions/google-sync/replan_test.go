package googlesync

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/timetable"
)

const (
	plainYear   = `{"2026": {"source": "Senate", "terms": {"S1": "2026-02-09..2026-05-22", "S2": "2026-07-13..2026-10-16"}}}`
	swappedYear = `{"2026": {"source": "Senate", "terms": {"S1": "2026-02-09..2026-05-22", "S2": "2026-07-13..2026-10-16"},
		"follows": {"2026-03-17": "Thursday"}}}` // a Tuesday
)

// written counts the calls that changed each event since the last [fakegoogle.Server.Forget], and which method each
// was.
func (w *world) written() (perEvent map[string]int, methods map[string]int) {
	perEvent, methods = make(map[string]int), make(map[string]int)
	for _, call := range w.google.Calls() {
		_, method, _ := strings.Cut(call.Method, "events.")
		if call.Status >= 300 || !slices.Contains([]string{"insert", "patch", "delete"}, method) {
			continue
		}
		methods[method]++
		if method != "insert" {
			perEvent[call.Path]++
		}
	}
	return perEvent, methods
}

// becomes imports a year and holds what that does at Google against what is wanted.
func (w *world) becomes(file string, patched, inserted, deleted int) {
	w.Helper()
	w.google.Forget()
	w.imported(file)
	other := w.function()
	w.replanned(w.f, other, w.f)
	w.sweep()
	perEvent, methods := w.written()
	if methods["patch"] != patched || methods["insert"] != inserted || methods["delete"] != deleted {
		w.Errorf("the import changes %v, want %d patches, %d inserts and %d deletes", methods, patched, inserted, deleted)
	}
	for path, n := range perEvent {
		if n != 1 {
			w.Errorf("%s was written %d times", path, n)
		}
	}
	if n := w.replanned(w.f, other); n != 0 {
		w.Errorf("%d more syncs were made", n)
	}
}

// sent are events as a page sends them back.
func sent(doc timetable.Document) map[string]any {
	return map[string]any{"events": calendar.Events(doc), "pdfType": "lecture"}
}

// TestCorrectedYearReachesCalendarsThatDoNotFollow, however they were made: a swap added and withdrawn changes the
// events of its two weekdays, and newer uploads come in by none of it.
func TestCorrectedYearReachesCalendarsThatDoNotFollow(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]func(job string) map[string]any{
		"all uploads":       func(string) map[string]any { return nil },
		"a job":             func(job string) map[string]any { return map[string]any{"jobId": job} },
		"events of a page":  func(string) map[string]any { return sent(lectures(2)) },
		"a job with extras": func(job string) map[string]any { return map[string]any{"jobId": job, "extra": extraClass} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			b.signIn(student)
			job, id := w.upload(b.owner(), lectures(2)), b.calendar()
			b.sync(id, how(job))
			before := len(w.google.Events(id))
			moved := lectures(3)
			moved.Entries[0].Venues = []string{"Moved"}
			w.upload(b.owner(), moved)
			w.becomes(plainYear, 0, 0, 0)
			w.becomes(swappedYear, 2, 1, 0) // two lectures of Tuesdays and one of Thursdays
			if n := len(w.google.Events(id)); n != before+1 {
				t.Errorf("%d events, want one more than %d", n, before)
			}
			w.becomes(plainYear, 2, 0, 1)
			w.becomes(corrected, 6, 0, 0)
			if n := len(w.google.Events(id)); n != before || lastingBeyond(w, id, 15) != 0 {
				t.Errorf("%d events, of which %d last beyond 15 May; want %d and none", n, lastingBeyond(w, id, 15), before)
			}
			for _, e := range w.google.Events(id) {
				if e["location"] == "Moved" {
					t.Error("a newer timetable came in by the correction of a year")
				}
			}
		})
	}
}

var extraClass = []map[string]any{{"module": "COS 100", "date": "2026-05-25", "startTime": "08:30", "endTime": "10:20"}}

// TestLaterSyncsHoldBesideACorrectedYear: what a person took out, edited, or synced since is not undone.
func TestLaterSyncsHoldBesideACorrectedYear(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.sync(id, sent(lectures(2)))
	first := w.google.Events(id)
	w.must(w.google.Edit(id, first[0]["id"].(string), map[string]any{"summary": "My own title"}))
	w.must(w.google.Remove(id, first[1]["id"].(string), false))
	moved := lectures(2)
	moved.Entries = moved.Entries[2:4] // a page sends two of them again, in other rooms
	for i := range moved.Entries {
		moved.Entries[i].Venues = []string{"Moved"}
	}
	b.counts(b.sync(id, sent(moved)), 0, 2, 0, 0)
	tests := timetable.Document{Kind: timetable.Test, Entries: []timetable.Entry{
		{Module: "COS 100", Test: "Test 1", Date: "2026-03-12", StartTime: "17:30", EndTime: "19:30", Venues: []string{"Hall"}, Page: 1},
	}}
	b.sync(id, map[string]any{"jobId": w.upload(b.owner(), tests)})
	w.becomes(corrected, 5, 0, 0)
	places := map[any]int{}
	for _, e := range w.google.Events(id) {
		places[e["location"]]++
		if e["id"] == first[0]["id"] && e["summary"] != "My own title" {
			t.Errorf("the edited title is %v", e["summary"])
		}
	}
	if places["Moved"] != 2 || places["Centenary 6"] != 3 || places["Hall"] != 1 {
		t.Errorf("the events are at %v", places)
	}
	// The whole timetable is synced with fewer modules: what went does not come back.
	b.sync(id, map[string]any{"modules": []string{"COS 101", "COS 100"}})
	b.sync(id, map[string]any{"modules": []string{"COS 101"}})
	w.becomes(plainYear, 3, 0, 0)
	if n := w.rows("google_recipes"); n != 1 {
		t.Errorf("%d recipes are kept, want that of the last sync", n)
	}
	b.want(b.do("DELETE", "/api/calendars/events?calendarId="+id, nil), 200, nil)
	w.becomes(swappedYear, 0, 0, 0)
	if n := w.rows("google_recipes") + w.rows("google_recipe_parts"); n != 0 || len(w.google.Events(id)) != 0 {
		t.Errorf("%d rows and %d events are left after all was removed", n, len(w.google.Events(id)))
	}
}

// TestDeletedTimetablesAreNotMadeAgain: nothing of a job outlives it, and its events stay as they were.
func TestDeletedTimetablesAreNotMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.browser()
	b.signIn(student)
	id := b.calendar()
	older := lectures(2)
	older.Entries[0].Venues = []string{"Earlier"}
	w.upload(b.owner(), older)
	job := w.upload(b.owner(), lectures(2))
	b.sync(id, nil)
	w.must(w.f.content.Jobs.Delete(t.Context(), b.owner(), job))
	if n := w.rows("google_recipe_parts"); n != 0 {
		t.Errorf("%d parts are left of a deleted job", n)
	}
	w.becomes(corrected, 0, 0, 0)
	b.exactly(id, 6)
	// Of two timetables one is deleted: the other is still brought to the year.
	second := lectures(1)
	for i := range second.Entries {
		second.Entries[i].Offered = "S2"
	}
	jobs := []string{w.upload(b.owner(), lectures(2)), w.upload(b.owner(), second)}
	b.counts(b.sync(id, nil), 3, 6, 0, 0)
	w.must(w.f.content.Jobs.Delete(t.Context(), b.owner(), jobs[0]))
	w.becomes(strings.NewReplacer("10-16", "10-09", "05-15", "05-08").Replace(corrected), 3, 0, 0)
	b.exactly(id, 9)
}

// exactly holds the number of a calendar's events.
func (b *browser) exactly(id string, want int) {
	b.Helper()
	if n := len(b.google.Events(id)); n != want {
		b.Errorf("the calendar has %d events, want %d", n, want)
	}
}

// TestYearThatIsTakenAwayTakesNoLecturesAway: without the dates of a term, what was written stays.
func TestYearThatIsTakenAwayTakesNoLecturesAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	next := `{"2040": {"source": "A", "terms": {"S1": "2040-02-06..2040-05-25"}}}`
	w.imported(next)
	b.sync(id, map[string]any{"year": 2040})
	w.becomes(strings.Replace(next, `"S1": "2040-02-06..2040-05-25"`, `"S2": "2040-07-16..2040-10-19"`, 1), 0, 0, 0)
	b.exactly(id, 6)
	w.becomes(strings.Replace(next, "05-25", "05-18", 1), 6, 0, 0)
	b.exactly(id, 6)
}

// TestWhatIsTooLongIsNotKept: it stays as it was synced, and what is kept of one calendar is bounded.
func TestWhatIsTooLongIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Auto.JobsKept = 24 * time.Hour })
	b, id := w.ready(1)
	b.sync(id, sent(lectures(2)))
	long := calendar.Events(lectures(46)) // the first six are those from before
	for i := range long {
		long[i].Notes, long[i].StudyProg = strings.Repeat("x", 3950), strings.Repeat("x", 3950)
	}
	b.counts(b.sync(id, map[string]any{"events": long, "pdfType": "lecture"}), 132, 6, 0, 0)
	b.sync(id, sent(timetable.Document{Kind: timetable.Lecture, Entries: lectures(1).Entries}))
	w.becomes(corrected, 3, 0, 0)
	if n := lastingBeyond(w, id, 15); n != 135 {
		t.Errorf("%d events last beyond 15 May, want all 135 that only the long request has", n)
	}
	for n := range 25 {
		b.sync(id, map[string]any{"events": calendar.Events(lectures(25))[3*n+2 : 3*n+3], "pdfType": "lecture"})
	}
	if n := w.rows("google_recipes"); n != 20 {
		t.Errorf("%d recipes are kept of one calendar, want 20", n)
	}
	_, err := w.f.pool.Exec(t.Context(), "update google_recipes set created_at = now() - interval '2 years'")
	w.must(err)
	w.sweep()
	if n := w.rows("google_recipes"); n != 0 {
		t.Errorf("%d recipes are older than a job may be", n)
	}
}

// TestKilledWhileCalendarsAreMadeAgain: a year is corrected while there are many calendars, followed and not, and
// workers are killed at several places. Each event changes once.
func TestKilledWhileCalendarsAreMadeAgain(t *testing.T) {
	t.Parallel()
	const calendars, modules = 12, 4
	w := newWorld(t, func(c *Config) { c.Lease, c.Auto.ReplanBatch = time.Second, 5 })
	b, first := w.ready(modules)
	ids := []string{first}
	for len(ids) < calendars {
		ids = append(ids, b.calendar())
	}
	for n, id := range ids {
		b.sync(id, map[string]any{"follow": n%3 == 0})
	}
	w.google.Forget()
	w.imported(corrected)
	w.google.Inject(fakegoogle.Fault{Times: -1, Delay: 2 * time.Millisecond}) // a network's time
	for _, at := range []int{1, 17, 40, 77, 110} {
		w.killAfter(at)
	}
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for range 1200 {
		s, err := w.f.Sweep(w.logged())
		w.must(err)
		if w.rows("google_syncs where status = 'pending'") == 0 && s.Replanned == 0 {
			break
		}
		<-look.C // the last killed worker's lease must end first
	}
	perEvent, methods := w.written()
	if want := calendars * modules * 3; methods["patch"] != want || methods["insert"]+methods["delete"] != 0 || len(perEvent) != want {
		t.Errorf("%d events were changed by %v, want each of %d once", len(perEvent), methods, want)
	}
	for n, id := range ids {
		if n := lastingBeyond(w, id, 15); n != 0 {
			t.Errorf("%d events still last beyond 15 May", n)
		}
		b.exactly(ids[n], modules*3)
	}
	if n := w.replanned(w.f, w.function()); n != 0 {
		t.Errorf("%d more syncs were made", n)
	}
}
