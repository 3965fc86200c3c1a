package calendargenerate

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/xtest/tabletest"
)

// feedOptions are the terms of any year, so that the tests hold in every year.
const feedOptions = `{"year":2026,"reminders":[10]}`

// subscribed gives the path of a new feed of the student's.
func (s student) subscribed(options string) string {
	s.Helper()
	var created feedCreated
	if err := json.Unmarshal([]byte(answered(s, s.call("POST", "/api/feeds", options), 201)), &created); err != nil {
		s.Fatal(err)
	}
	path, ok := strings.CutPrefix(created.URL, "https://schedgen.example.org")
	if !ok || created.WebcalURL != "webcal://schedgen.example.org"+path || path != "/api/feeds/"+created.Token+".ics" || len(created.Token) != 43 {
		s.Fatalf("the feed is %+v", created)
	}
	return path
}

// fetch gets a feed as a calendar program does: without any session.
func (w world) fetch(path string, headers ...string) (*http.Response, string) {
	w.Helper()
	res := call(w, w.f, "GET", path, "", headers...)
	return res, answered(w, res, 200)
}

// revisions reads "SEQUENCE LAST-MODIFIED" of each UID.
func revisions(file string) map[string]string {
	all := make(map[string]string)
	find := regexp.MustCompile(`UID:(\S+)\r\nDTSTAMP:\S+\r\nLAST-MODIFIED:(\S+)\r\nSEQUENCE:(\d+)\r\n`)
	for _, m := range find.FindAllStringSubmatch(file, -1) {
		all[m[1]] = m[3] + " " + m[2]
	}
	return all
}

func TestFeedIsACalendarToSubscribeTo(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Lectures())
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	res, file := s.fetch(path)
	if n := strings.Count(file, "BEGIN:VEVENT"); n != tabletest.LectureEvents+3 {
		t.Errorf("%d events, want all of both timetables", n)
	}
	for _, want := range []string{"REFRESH-INTERVAL;VALUE=DURATION:PT6H\r\n", "X-PUBLISHED-TTL:PT6H\r\n", "SOURCE;VALUE=URI:https://schedgen.example.org"} {
		if !strings.Contains(file, want) {
			t.Errorf("want %q in:\n%.600s", want, file)
		}
	}
	for name, want := range map[string]string{"Content-Type": "text/calendar; charset=utf-8", "Cache-Control": "private, max-age=300"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if head := call(t, s.f, "HEAD", path, ""); head.StatusCode != 200 || head.Header.Get("ETag") != res.Header.Get("ETag") {
		t.Errorf("HEAD gives %d %v", head.StatusCode, head.Header)
	}
}

func TestFeedIsNotSentTwice(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	res, _ := s.fetch(path)
	for name, value := range map[string]string{"If-None-Match": res.Header.Get("ETag"), "If-Modified-Since": res.Header.Get("Last-Modified")} {
		if value == "" {
			t.Fatalf("no value for %s in %v", name, res.Header)
		}
		answered(t, call(t, s.f, "GET", path, "", name, value), 304)
	}
	s.uploaded(tabletest.Tests()) // the same again: nothing has changed for a subscriber
	answered(t, call(t, s.f, "GET", path, "", "If-None-Match", res.Header.Get("ETag")), 304)
	s.uploaded(tabletest.Exams())
	answered(t, call(t, s.f, "GET", path, "", "If-None-Match", res.Header.Get("ETag")), 200)
}

// TestOnlyChangedEventsHaveANewRevision follows a feed through three uploads.
func TestOnlyChangedEventsHaveANewRevision(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	clock := time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC)
	s.f.now = func() time.Time { clock = clock.Add(time.Hour); return clock }
	doc := tabletest.Lectures()
	s.uploaded(doc)
	path := s.subscribed(feedOptions)
	_, file := s.fetch(path)
	before := revisions(file)
	if len(before) != tabletest.LectureEvents {
		t.Fatalf("%d revisions in:\n%s", len(before), file)
	}

	doc.Entries[0].Venues = []string{"Elsewhere"} // PHY 131 L1 moves, and its P01 ends
	moved, gone := doc.Entries[0], doc.Entries[3]
	doc.Entries = append(doc.Entries[:3:3], doc.Entries[4:]...)
	s.uploaded(doc)
	_, file = s.fetch(path)
	after := revisions(file)
	changed := 0
	for uid, revision := range before {
		switch {
		case after[uid] == "":
			changed++ // the one that is gone
		case after[uid] != revision:
			changed++
			if !strings.HasPrefix(after[uid], "1 ") {
				t.Errorf("%s went from %q to %q", uid, revision, after[uid])
			}
		}
	}
	if changed != 2 || len(after) != len(before)-1 {
		t.Errorf("%d events changed and %d are left, want 2 and %d: %s moved and %s ended", changed, len(after), len(before)-1, moved.Activity, gone.Activity)
	}

	s.uploaded(tabletest.Lectures()) // all as it was: what moved back has changed again
	_, file = s.fetch(path)
	twice := 0
	for _, revision := range revisions(file) {
		if strings.HasPrefix(revision, "2 ") {
			twice++
		}
	}
	if twice != 1 || len(revisions(file)) != len(before) {
		t.Errorf("%d of %d events changed twice, want 1 of %d", twice, len(revisions(file)), len(before))
	}
}

// TestEventRefreshesTheFeed sends the event in both of CloudEvents' modes, twice, and finds the feed
// rendered before anybody fetched it.
func TestEventRefreshesTheFeed(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.subscribed(feedOptions)
	id := s.uploaded(tabletest.Tests())
	data := `{"jobId":"` + id + `","owner":"somebody else","pdfType":"test","entries":3}`
	binary := []string{"Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Id", id, "Ce-Source", "/schedgen/pdf-parse", "Ce-Type", "dev.schedgen.timetable.parsed.v1"}
	answered(t, call(t, s.f, "POST", "/events/timetable", data, binary...), 204)
	if n := s.rendered(); n != 3 {
		t.Errorf("the feed has %d events after the event, want 3", n)
	}
	second := s.uploaded(tabletest.Exams())
	structured := `{"specversion":"1.0","id":"` + second + `","source":"/x","type":"dev.schedgen.timetable.parsed.v1","datacontenttype":"application/json","data":{"jobId":"` + second + `"}}`
	for range 2 {
		answered(t, call(t, s.f, "POST", "/events/timetable", structured, "Content-Type", "application/cloudevents+json"), 204)
	}
	if n := s.rendered(); n != 5 {
		t.Errorf("the feed has %d events after the second, want 5", n)
	}
}

// rendered counts the events of the student's stored feed.
func (s student) rendered() int {
	s.Helper()
	feeds, err := s.f.feeds.OfOwner(s.Context(), s.owner)
	if err != nil || len(feeds) != 1 {
		s.Fatalf("feeds are %v, %v; want one", feeds, err)
	}
	return strings.Count(string(feeds[0].Body), "BEGIN:VEVENT")
}

func TestEventsThatTellNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := `{"specversion":"1.0","id":"1","source":"/x","type":"dev.schedgen.timetable.parsed.v1","datacontenttype":"application/json","data":{"jobId":"018f4d6e-0000-7000-8000-000000000001"}}`
	answered(t, call(t, w.f, "POST", "/events/timetable", gone, "Content-Type", "application/cloudevents+json"), 204)
	for _, body := range []string{`{}`, `x`, strings.Replace(gone, "timetable.parsed.v1", "other", 1), strings.Replace(gone, `{"jobId"`, `["jobId"`, 1)} {
		refused(t, call(t, w.f, "POST", "/events/timetable", body, "Content-Type", "application/cloudevents+json"), 400, api.InvalidEvent)
	}
	refused(t, call(t, w.f, "POST", "/events/timetable", strings.Repeat("x", maxEvent+1)), 413, api.PayloadTooLarge)
}

func TestFeedEndsWhenItsOwnerEndsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	path := s.subscribed(feedOptions)
	refused(t, w.student().call("DELETE", path, ""), 404, api.FeedNotFound)
	refused(t, call(t, w.f, "DELETE", path, ""), 404, api.FeedNotFound)
	w.fetch(path)
	answered(t, s.call("DELETE", strings.TrimSuffix(path, ".ics"), ""), 204)
	refused(t, call(t, w.f, "GET", path, ""), 404, api.FeedNotFound)
	refused(t, s.call("DELETE", path, ""), 404, api.FeedNotFound)
}

func TestFeedAddressIsStoredNowhere(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	s.fetch(path)
	token := strings.TrimSuffix(strings.TrimPrefix(path, "/api/feeds/"), ".ics")
	pool, err := postgres.Open(s.f.cfg.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	rows, err := postgres.QueryOne(t.Context(), pool, pgx.RowTo[string],
		`select string_agg(f::text || encode(coalesce(f.body, ''), 'escape'), '') from feeds f`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(rows, token) || !strings.Contains(rows, "BEGIN:VCALENDAR") {
		t.Errorf("the token is in the database: %.300s", rows)
	}
}

func TestFeedsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.f.cfg.FeedsPerOwner = 2
	s := w.student()
	refused(t, call(t, w.f, "POST", "/api/feeds", feedOptions), 401, api.Unauthorized)
	refused(t, s.call("POST", "/api/feeds", `{"exclude":["x"]}`), 400, api.ValidationFailed)
	refused(t, s.call("POST", "/api/feeds", `{"reminders":[-1]}`), 400, api.ValidationFailed)
	s.uploaded(tabletest.Lectures())
	says := refused(t, s.call("POST", "/api/feeds", `{"year":2026,"groups":{"PHY 131":"P09"}}`), 400, api.ValidationFailed)
	if !strings.Contains(says, "G01, P01, P02, P03, P04") {
		t.Errorf("it says %q, want the groups that exist", says)
	}
	refused(t, s.call("POST", "/api/feeds", `{"year":2031}`), 400, api.MissingSemesterDates)
	s.subscribed(feedOptions)
	s.subscribed(feedOptions)
	refused(t, s.call("POST", "/api/feeds", feedOptions), 409, api.Conflict)
}

// TestNewTimetableNeverEndsASubscription: choices that no longer fit are left out.
func TestNewTimetableNeverEndsASubscription(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Lectures())
	path := s.subscribed(`{"year":2026,"groups":{"PHY 131":"P02"}}`)
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "COS 332", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
	}})
	if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != 1 || !strings.Contains(file, "SUMMARY:COS 332 L1") {
		t.Errorf("the feed is:\n%s", file)
	}
}

// TestDeletedJobLeavesTheFeed: a user can delete a job with all it made.
func TestDeletedJobLeavesTheFeed(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	id := s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	if err := s.f.jobs.Delete(t.Context(), s.owner, id); err != nil {
		t.Fatal(err)
	}
	if _, file := s.fetch(path); strings.Contains(file, "VEVENT") {
		t.Errorf("a deleted job is in the feed:\n%s", file)
	}
}

func TestManyFetchesAtOnceAgree(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	doc := tabletest.Tests()
	doc.Entries[0].StartTime = "09:30"
	s.uploaded(doc)
	var mu sync.Mutex
	var all sync.WaitGroup
	seen := map[string]bool{}
	for range 10 {
		all.Go(func() {
			res := call(t, s.f, "GET", path, "")
			mu.Lock()
			defer mu.Unlock()
			seen[res.Status+" "+res.Header.Get("ETag")] = true
		})
	}
	all.Wait()
	_, file := s.fetch(path)
	sequences := map[string]int{}
	for revision := range maps.Values(revisions(file)) {
		sequences[revision[:1]]++
	}
	if len(seen) != 1 || sequences["0"] != 2 || sequences["1"] != 1 {
		t.Errorf("answers are %v and sequences %v, want one answer with one event raised once", seen, sequences)
	}
}

// TestLastYearsTermsDoNotHoldThisYear: a feed outlives the dates that it was made with.
func TestLastYearsTermsDoNotHoldThisYear(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	options := `{"terms":{"S1":"2020-02-10..2020-05-22"}}`
	path := s.subscribed(options)
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "COS 332", Offered: "S1", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
	}})
	if _, file := s.fetch(path); strings.Contains(file, "2020") {
		t.Errorf("this year's lecture is held in 2020:\n%s", file)
	}
}

func TestFeedIsAddressedAsItWasRequested(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.f.cfg.PublicURL = ""
	for proto, want := range map[string]string{"": "http://example.com/api/feeds/", "https": "https://example.com/api/feeds/"} {
		body := answered(t, s.call("POST", "/api/feeds", `{}`, "X-Forwarded-Proto", proto), 201)
		if !strings.Contains(body, `"url":"`+want) {
			t.Errorf("the feed is %s, want it at %s", body, want)
		}
	}
}
