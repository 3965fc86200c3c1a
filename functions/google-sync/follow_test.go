package googlesync

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/events"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
)

// parsedEvent tells of a job as pdf-parse does.
func (b *browser) parsedEvent(job string) answer {
	b.Helper()
	e, err := events.NewParsed(events.Parsed{JobID: job}, time.Now())
	b.must(err)
	header := http.Header{}
	events.Encode(header, e)
	pairs := []string{"Authorization", "Bearer " + eventToken}
	for name := range header {
		pairs = append(pairs, name, header.Get(name))
	}
	return b.do("POST", "/events/google", string(e.Data()), pairs...)
}

// TestFollowing: a newer upload syncs by itself, with the choices of the last sync; unfollowed, it does not.
func TestFollowing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.sync(id, map[string]any{"follow": true, "modules": []string{"COS 100"}})
	var list struct{ Calendars []calendarAnswer }
	b.want(b.do("GET", "/api/calendars", nil), 200, &list)
	following := 0
	for _, c := range list.Calendars {
		if c.Following && c.ID == id {
			following++
		}
	}
	if following != 1 || len(list.Calendars) != 2 {
		t.Errorf("the calendars are %+v, want the person's own and the one that follows", list.Calendars)
	}
	changed := lectures(2)
	changed.Entries[0].Venues = []string{"Moved"}
	job := w.upload(b.owner(), changed)
	for range 2 { // events may come twice
		b.want(b.parsedEvent(job), 204, nil)
	}
	w.sweep()
	if at := w.google.Events(id)[0]["location"]; at != "Moved" || len(w.google.Events(id)) != 3 {
		t.Errorf("the lecture is at %v of %d, want it moved, one of 3", at, len(w.google.Events(id)))
	}

	// A module that is gone does not end the following: its events go.
	other := lectures(2)
	other.Entries = other.Entries[3:]
	b.want(b.parsedEvent(w.upload(b.owner(), other)), 204, nil)
	w.sweep()
	if n := len(w.google.Events(id)); n != 0 {
		t.Errorf("%d events of a dropped module are left", n)
	}

	b.want(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": false}), 200, nil)
	b.want(b.parsedEvent(w.upload(b.owner(), changed)), 204, nil)
	w.sweep()
	if n := len(w.google.Events(id)); n != 0 {
		t.Errorf("%d events came although nothing follows", n)
	}
	b.want(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": true, "options": map[string]any{"year": 2026}}), 200, nil)
	b.want(b.parsedEvent(w.upload(b.owner(), changed)), 204, nil)
	w.sweep()
	b.exact(id, 6)
}

// TestFollowingKeepsTheSemestersDates of lectures that name no term: a newer timetable is shown within them.
func TestFollowingKeepsTheSemestersDates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	doc := lectures(1)
	for i := range doc.Entries {
		doc.Entries[i].Offered = ""
	}
	w.upload(b.owner(), doc)
	year := time.Now().In(calendar.Zone).Year()
	dates := func(first, last string) map[string]any {
		return map[string]any{"year": year, "semesterStart": fmt.Sprintf("%d-%s", year, first), "semesterEnd": fmt.Sprintf("%d-%s", year, last)}
	}
	b.refused(b.do("POST", "/api/calendars/events", body(id, nil)), 400, api.MissingSemesterDates)
	inMarch := dates("03-01", "05-22")
	inMarch["follow"] = true
	b.counts(b.sync(id, inMarch), 3, 0, 0, 0)
	follows := func(room, month string) {
		t.Helper()
		for i := range doc.Entries {
			doc.Entries[i].Venues = []string{room}
		}
		b.want(b.parsedEvent(w.upload(b.owner(), doc)), 204, nil)
		w.sweep()
		held := w.google.Events(id)
		if len(held) != 3 {
			t.Errorf("%d events after a newer timetable, want 3", len(held))
		}
		for _, e := range held {
			start, _ := e["start"].(map[string]any)["dateTime"].(string)
			if e["location"] != room || !strings.HasPrefix(start, fmt.Sprintf("%d-%s-", year, month)) {
				t.Errorf("%v is at %v from %s, want %s from month %s", e["summary"], e["location"], start, room, month)
			}
		}
	}
	follows("Moved", "03")
	choose := func(options map[string]any) answer {
		return b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": true, "options": options})
	}
	b.refused(choose(map[string]any{"semesterStart": "2026-02-09"}), 400, api.MissingSemesterDates)
	b.refused(choose(dates("05-22", "03-01")), 400, api.InvalidSemesterDates)
	b.want(choose(dates("04-01", "05-22")), 200, nil)
	follows("Moved again", "04")
}

// TestKindsDoNotDisturbEachOther: a timetable of tests says nothing about lectures, nor one year about another.
func TestKindsDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	march := fmt.Sprintf("%d-03-", time.Now().In(calendar.Zone).Year()+1) // what is over would stay
	tests := timetable.Document{Kind: timetable.Test, Entries: []timetable.Entry{
		{Module: "COS 110", Test: "Test 1", Date: march + "12", StartTime: "17:30", EndTime: "19:30", Venues: []string{"Hall"}, Page: 1},
		{Module: "COS 122", Test: "Test 1", Date: march + "13", StartTime: "17:30", EndTime: "19:30", Venues: []string{"Hall"}, Page: 1},
	}}
	lectureJob := w.upload(b.owner(), lectures(1))
	b.counts(b.sync(id, map[string]any{"jobId": lectureJob}), 3, 0, 0, 0)
	b.counts(b.sync(id, map[string]any{"jobId": w.upload(b.owner(), tests)}), 2, 0, 0, 0)
	tests.Entries = tests.Entries[:1]
	b.counts(b.sync(id, map[string]any{"jobId": w.upload(b.owner(), tests)}), 0, 0, 1, 1)
	b.counts(b.sync(id, nil), 0, 0, 0, 4)
	// Next year's lectures leave this year's in place.
	b.counts(b.sync(id, map[string]any{"jobId": lectureJob, "year": 2027, "terms": map[string]any{"S1": map[string]string{"start": "2027-02-08", "end": "2027-05-21"}}}), 3, 0, 0, 0)
	if n := len(w.google.Events(id)); n != 7 {
		t.Errorf("%d events, want 3 lectures of each year and a test", n)
	}
	// A list of events without one is a mistake.
	b.refused(b.do("POST", "/api/calendars/events", body(id, map[string]any{"pdfType": "exam", "events": []any{}})), 400, api.ValidationFailed)
}

// TestJuneStaysWhenNovemberComes: each exam session is there, synced by job, by all that was uploaded, or by
// following; a corrected November replaces November alone, and what is over stays.
func TestJuneStaysWhenNovemberComes(t *testing.T) {
	t.Parallel()
	next, last := time.Now().In(calendar.Zone).Year()+1, time.Now().In(calendar.Zone).Year()-1
	exams := func(year int, days ...string) timetable.Document {
		doc := timetable.Document{Kind: timetable.Exam}
		for n, day := range days {
			doc.Entries = append(doc.Entries, timetable.Entry{Module: fmt.Sprintf("COS %d", 110+n), Activity: "Exam Written", Paper: "1",
				Date: fmt.Sprintf("%d-%s", year, day), StartTime: "07:30", EndTime: "10:30", Venues: []string{"Hall"}, Page: 1})
		}
		return doc
	}
	for _, how := range []string{"job", "all", "follow"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			b.signIn(student)
			id := b.calendar()
			b.want(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": how == "follow"}), 200, nil)
			holds := func(doc timetable.Document, want int) {
				t.Helper()
				job := w.upload(b.owner(), doc)
				switch how {
				case "job":
					b.sync(id, map[string]any{"jobId": job})
				case "all":
					b.sync(id, nil)
				case "follow":
					b.want(b.parsedEvent(job), 204, nil)
					w.sweep()
				}
				if n := len(w.google.Events(id)); n != want {
					t.Errorf("%d events, want %d", n, want)
				}
			}
			holds(exams(next, "06-12", "06-13", "07-02"), 3)
			holds(exams(next, "11-12", "11-13"), 5)
			holds(exams(next, "11-12"), 4)
			holds(exams(next, "06-12", "06-13"), 3)
			holds(exams(last, "06-12", "06-13"), 5)
			holds(exams(last, "06-12"), 5) // the other was written
		})
	}
}

// TestSyncRequestsAreChecked before anything is done.
func TestSyncRequestsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.EventsLimit = 2 })
	b := w.browser()
	b.refused(b.do("POST", "/api/calendars/events", "{}"), 401, api.SignInRequired)
	b.signIn(student)
	id := b.calendar()
	b.refused(b.do("POST", "/api/calendars/events", body(id, nil)), 400, api.ValidationFailed) // nothing uploaded
	for _, c := range []struct {
		more   map[string]any
		status int
		code   string
	}{
		{map[string]any{"jobId": "018f4d6e-0000-7000-8000-000000000000"}, 404, api.JobNotFound},
		{map[string]any{"events": []any{map[string]any{}, map[string]any{}, map[string]any{}}}, 400, api.ValidationFailed},
		{map[string]any{"events": []any{map[string]any{"module": "COS 110", "day": "Monday", "startTime": "07:30", "endTime": "08:20"}}}, 400, api.MissingSemesterDates},
		{map[string]any{"events": []any{}, "pdfType": "party"}, 400, api.ValidationFailed},
		{map[string]any{"events": []any{}, "semesterStart": "2026-02-09"}, 400, api.MissingSemesterDates},
		{map[string]any{"events": []any{}, "semesterStart": "2026-02-09", "semesterEnd": "2026-01-01"}, 400, api.InvalidSemesterDates},
		{map[string]any{"events": []any{}, "modules": []string{"COS 999"}}, 400, api.ValidationFailed},
	} {
		b.refused(b.do("POST", "/api/calendars/events", body(id, c.more)), c.status, c.code)
	}
	b.refused(b.do("POST", "/api/calendars/events", "{"), 400, api.InvalidJSON)
	b.refused(b.do("POST", "/api/calendars", `{"summary":"a","name":"b"}`), 400, api.ValidationFailed)
	for _, path := range []string{"/api/calendars", "/api/calendars/events", "/api/calendars/follow", "/api/auth/logout"} {
		for _, media := range []string{"", "text/plain"} { // which any page may have a browser send
			b.refused(b.do("POST", path, `{"calendarId":"x","forget":true}`, "Content-Type", media), 415, api.UnsupportedMediaType)
		}
	}
	b.refused(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id}), 400, api.ValidationFailed)
	b.refused(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": "x", "follow": false}), 404, api.CalendarNotFound)
	b.refused(b.do("POST", "/api/calendars/follow", map[string]any{"calendarId": id, "follow": true, "options": map[string]any{"year": 3}}), 400, api.ValidationFailed)
	b.refused(b.do("DELETE", "/api/calendars/events", nil), 400, api.ValidationFailed)
	if n := w.rows("google_syncs"); n != 0 {
		t.Errorf("%d syncs were made of requests that make no sense", n)
	}
	var made struct{ Summary string }
	b.want(b.do("POST", "/api/calendars", `{"name":"UP Timetable 2026"}`), 201, &made)
	if made.Summary != "UP Timetable 2026" {
		t.Errorf("the calendar is named %q", made.Summary)
	}
}

// TestEventsAreTakenFromTheirSender: with the token, from nobody where there is none, and of known types.
func TestEventsAreTakenFromTheirSender(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.Events.Token = secret.String{} })
	b := w.browser()
	b.refused(b.do("POST", "/tasks/google", nil), 401, api.Unauthorized)
	b.refused(b.do("POST", "/events/google", "{}", "Authorization", "Bearer "), 401, api.Unauthorized)
	w.cfg.Events.Token = secret.New(eventToken)
	w.serve(w.function())
	b.refused(b.do("POST", "/events/google", "{}"), 401, api.Unauthorized)
	b.refused(b.do("POST", "/tasks/google", nil), 401, api.Unauthorized)
	b.want(b.do("POST", "/tasks/google", nil, "Authorization", "Bearer "+eventToken), 200, nil)
	send := func(event string) answer {
		return b.do("POST", "/events/google", event, "Content-Type", "application/cloudevents+json", "Authorization", "Bearer "+eventToken)
	}
	event := `{"specversion":"1.0","id":"1","source":"/x","type":%q,"data":%s}`
	b.want(send(fmt.Sprintf(event, events.TypeParsed, `{"jobId":"018f4d6e-0000-7000-8000-000000000000"}`)), 204, nil) // gone: nothing to do
	b.want(send(fmt.Sprintf(event, events.TypeParsed, `{"jobId":"`+w.upload("018f4d6e-0000-7000-8000-00000000000a", lectures(1))+`"}`)), 204, nil)
	b.refused(send(fmt.Sprintf(event, "com.example.other", `{}`)), 400, api.InvalidEvent)
	b.refused(send(fmt.Sprintf(event, events.TypeParsed, `[]`)), 400, api.InvalidEvent)
	b.refused(send(fmt.Sprintf(event, events.TypeSync, `[]`)), 400, api.InvalidEvent)
	b.refused(send(`{`), 400, api.InvalidEvent)
}

// TestItTellsItself: with its own address as the target, a long sync goes on without anybody's help.
func TestItTellsItself(t *testing.T) {
	t.Parallel()
	told := make(chan string, 100)
	var w *world
	relay := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		told <- r.Header.Get("Ce-Id")
		w.site.Config.Handler.ServeHTTP(rw, r)
	}))
	t.Cleanup(relay.Close)
	w = newWorld(t, func(c *Config) {
		c.Events.Targets = []string{relay.URL + "/events/google"}
		c.Events.Timeout = 20 * time.Second
		c.Worker.Wait = 150 * time.Millisecond
	})
	b, id := w.ready(10)
	w.slowInserts(10 * time.Millisecond)
	var s synced
	a := b.want(b.do("POST", "/api/calendars/events", body(id, nil)), http.StatusAccepted, &s)
	for range 600 {
		b.want(b.do("GET", a.header.Get("Location"), nil), 200, &s)
		if s.Status != "pending" {
			break
		}
		tick(t, 50*time.Millisecond)
	}
	if s.Status != "done" || s.Created != 30 || len(told) < 2 {
		t.Errorf("it ends as %+v after %d events, want 30 created in several turns", s, len(told))
	}
	seen := map[string]bool{}
	for range len(told) {
		seen[<-told] = true
	}
	if len(seen) < 2 || !seen[s.SyncID+"-1"] {
		t.Errorf("the events are %v, want one of another id for each turn", seen)
	}
	b.exact(id, 30)
}

// TestLogsHoldNoSecret: a whole life, with every fault of a sign-in, and not one token, code, secret or
// verifier in what was logged.
func TestLogsHoldNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(1)
	person, err := w.f.accounts.Get(t.Context(), b.owner())
	w.must(err)
	refresh, err := w.f.accounts.RefreshToken(person)
	w.must(err)
	access, err := w.f.tokens.Of(person).Token(t.Context())
	w.must(err)
	back := b.agree(b.toGoogle("?returnUrl=/done"), student)
	b.do("GET", strings.Replace(back, "code=4", "code=4x", 1), nil)
	b.do("GET", back, nil)
	b.sync(id, nil)
	w.google.RevokeAll()
	b.refused(b.do("POST", "/api/calendars/events", body(id, nil)), 401, api.SignInRequired)
	b.do("POST", "/api/auth/logout", `{"forget":true}`)
	w.sweep()
	book := w.log.String()
	if !strings.Contains(book, `"route":"/api/auth/google/callback"`) || !strings.Contains(book, "could not be finished") {
		t.Fatal("the log does not hold what it should: the test looks at nothing")
	}
	secrets := map[string]string{
		"refresh token": refresh, "access token": access, "client secret": clientSecret, "session key": strings.Repeat("s", 32),
		"access tokens": "ya29.", "refresh tokens": "1//", "codes": "code=", "more codes": "4/", "verifiers": "code_verifier", "states": "state=",
		"cookies": "schedgen_signin", "sessions": "v1." + person.ID, "people": student, "bearers": "Bearer ", "id tokens": "eyJ",
	}
	for what, secret := range secrets {
		if at := strings.Index(book, secret); at >= 0 {
			t.Errorf("the log shows %s: %s", what, book[max(0, at-200):min(len(book), at+100)])
		}
	}
}

// TestLogsNameNoOwner: who reads the log cannot tell whose calendar it was.
func TestLogsNameNoOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, id := w.ready(2)
	b.sync(id, map[string]any{"follow": true, "year": 2026})
	w.imported(corrected)
	if _, err := w.f.pool.Exec(t.Context(), "alter table google_recipe_parts rename to elsewhere"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.f.Sweep(w.logged()); err != nil {
		t.Fatal(err)
	}
	book := w.log.String()
	if !strings.Contains(book, "calendar not brought") || !strings.Contains(book, w.f.guard.OwnerName(b.owner())) {
		t.Fatal("the log does not hold what it should: the test looks at nothing")
	}
	if strings.Contains(book, b.owner()) {
		t.Error("the log names the owner")
	}
}

// TestGoogleThatForgot: the stand-in starts anew with empty calendars, and a sync fills them again.
func TestGoogleThatForgot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, _ := w.ready(1)
	b.sync(student, nil)
	for _, e := range w.google.Events(student) {
		w.must(w.google.Remove(student, e["id"].(string), true))
	}
	b.counts(b.sync(student, nil), 0, 0, 0, 3) // as if the person had deleted them
	w.must(w.f.ForgetCalendars(t.Context()))
	b.counts(b.sync(student, nil), 3, 0, 0, 0)
	b.exact(student, 3)
}

func TestCalendarsOfAPersonAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *Config) { c.CalendarsPerOwner = 2 })
	b := w.browser()
	b.signIn(student)
	for range 2 {
		b.calendar()
	}
	b.refused(b.do("POST", "/api/calendars", nil), 409, api.Conflict)
	other := w.browser()
	other.signIn(friend)
	other.calendar() // the bound is each person's
}
