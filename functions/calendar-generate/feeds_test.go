package calendargenerate

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/functions/calendar-generate/feed"
	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/newest"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/timetable"
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

// only is the student's one feed, as it is stored.
func (s student) only() feed.Feed {
	s.Helper()
	ids, err := s.f.feeds.IDsOfOwner(s.Context(), s.owner)
	if err != nil || len(ids) != 1 {
		s.Fatalf("feeds are %v, %v; want one", ids, err)
	}
	found, err := s.f.feeds.FindOwned(s.Context(), s.owner, ids[0])
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// rendered counts the events of the student's stored feed.
func (s student) rendered() int {
	s.Helper()
	return strings.Count(string(s.only().Body), "BEGIN:VEVENT")
}

func TestEventsThatTellNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gone := `{"specversion":"1.0","id":"1","source":"/x","type":"dev.schedgen.timetable.parsed.v1","datacontenttype":"application/json","data":{"jobId":"018f4d6e-0000-7000-8000-000000000001"}}`
	answered(t, call(t, w.f, "POST", "/events/timetable", gone, "Content-Type", "application/cloudevents+json"), 204)
	for _, body := range []string{`{}`, `x`, strings.Replace(gone, "timetable.parsed.v1", "other", 1), strings.Replace(gone, `{"jobId"`, `["jobId"`, 1)} {
		refused(t, call(t, w.f, "POST", "/events/timetable", body, "Content-Type", "application/cloudevents+json"), 400, api.InvalidEvent)
	}
	refused(t, call(t, w.f, "POST", "/events/timetable", strings.Repeat("x", 1<<20+1)), 413, api.PayloadTooLarge)
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
		`select string_agg(f::text, '') from feeds f`)
	if err != nil {
		t.Fatal(err)
	}
	rows += string(s.only().Body) // which is packed
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
	refused(t, s.call("POST", "/api/feeds", `{"terms":{"S1":"2026-02-09"}}`), 400, api.ValidationFailed)
	for _, media := range []string{"", "text/plain"} { // which any page may send without asking
		refused(t, s.call("POST", "/api/feeds", feedOptions, "Content-Type", media), 415, api.UnsupportedMediaType)
	}
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
	only := timetable.Document{Kind: timetable.Lecture}
	for _, term := range []string{"S1", "S2", "Y"} {
		only.Entries = append(only.Entries, timetable.Entry{Module: "COS 332", Offered: term, Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"})
	}
	s.uploaded(only)
	if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != 3 || strings.Count(file, "SUMMARY:COS 332 L1") != 3 {
		t.Errorf("the feed is:\n%s", file)
	}
}

// TestFeedKeepsWhatNewerTimetablesDoNotSpeakOf: June's exams stay when November's come, and the first
// semester's lectures when the second's do. What a corrected timetable no longer lists goes.
func TestFeedKeepsWhatNewerTimetablesDoNotSpeakOf(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	next := time.Now().In(calendar.Zone).Year() + 1 // what is over would stay
	exams := func(days ...string) timetable.Document {
		doc := timetable.Document{Kind: timetable.Exam}
		for n, day := range days {
			doc.Entries = append(doc.Entries, timetable.Entry{Module: fmt.Sprintf("COS %d", 110+n), Activity: "Exam Written", Paper: "1",
				Date: fmt.Sprintf("%d-%s", next, day), StartTime: "07:30", EndTime: "10:30"})
		}
		return doc
	}
	lectures := func(term string) timetable.Document {
		return timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
			{Module: "COS 332", Offered: term, Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
			{Module: "COS 333", Offered: term, Group: "G01", Activity: "L1", Day: "Monday", StartTime: "09:30", EndTime: "10:20"},
		}}
	}
	path := s.subscribed(`{"year":2026,"terms":{"S1":"2026-02-09..2026-05-22","S2":"2026-07-13..2026-10-16"}}`)
	for n, step := range []struct {
		doc  timetable.Document
		want int
	}{
		{exams("06-12", "06-13", "07-02"), 3}, {exams("11-12", "11-13"), 5}, {exams("11-12"), 4}, {exams("06-12", "06-13"), 3},
		{lectures("S1"), 5}, {lectures("Q4"), 7}, {lectures("S2"), 7}, {exams("11-12", "11-13"), 8},
	} {
		s.uploaded(step.doc)
		if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != step.want {
			t.Errorf("after upload %d the feed has %d events, want %d:\n%s", n, strings.Count(file, "BEGIN:VEVENT"), step.want, file)
		}
	}
}

// TestChoicesOfAFeedCanChange: a class of a date gets another room, at the same address; its series and it alone
// have a new revision, and the choice is kept through newer uploads.
func TestChoicesOfAFeedCanChange(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Lectures())
	path := s.subscribed(feedOptions)
	_, file := s.fetch(path)
	before := revisions(file)
	built, err := calendar.Build(calendar.Events(tabletest.Lectures()), calendar.Options{Year: 2026})
	if err != nil {
		t.Fatal(err)
	}
	first := built.Items[0]
	date := calendar.DateOf(first.Start).AddDays(7).String()
	chosen := func(change string) string {
		return strings.TrimSuffix(feedOptions, "}") + `,"changes":[` + fmt.Sprintf(change, first.Event.ID, date) + `]}`
	}
	room := chosen(`{"event":%q,"date":%q,"venue":"Elsewhere"}`)
	id := s.listed()[0].ID
	change := func(body string) (changed feedChanged) {
		t.Helper()
		if err := json.Unmarshal([]byte(answered(s, s.call("PUT", "/api/feeds/"+id, body), 200)), &changed); err != nil {
			t.Fatal(err)
		}
		return changed
	}
	changed := change(room)
	if changed.Events != len(before)+1 || len(changed.Warnings) != 0 || len(changed.Notes) != 1 {
		t.Errorf("the answer is %+v, want %d events", changed, len(before)+1)
	}
	_, file = s.fetch(path)
	after := revisions(file)
	for uid, revision := range after {
		switch was, known := before[uid]; {
		case uid == first.UID && !strings.HasPrefix(revision, "1 "), known && uid != first.UID && revision != was,
			!known && uid != strings.Replace(first.UID, "@", "-"+strings.ReplaceAll(date, "-", "")+"@", 1):
			t.Errorf("%s went from %q to %q", uid, was, revision)
		}
	}
	if strings.Count(file, "LOCATION:Elsewhere") != 1 || len(after) != len(before)+1 {
		t.Errorf("the feed is\n%s", file)
	}
	doc := tabletest.Lectures()
	doc.Entries[1].Venues = []string{"Third"}
	s.uploaded(doc)
	if _, file = s.fetch(path); strings.Count(file, "LOCATION:Elsewhere") != 1 || strings.Count(file, "LOCATION:Third") != 1 {
		t.Errorf("after a newer upload the feed is\n%s", file)
	}
	if got := s.listed()[0].Options.Changes; len(got) != 1 || got[0].Venue != "Elsewhere" {
		t.Errorf("the listed changes are %+v", got)
	}
	refused(t, s.call("PUT", "/api/feeds/"+id, chosen(`{"event":%q,"date":%q}`)), 400, api.ValidationFailed)
	refused(t, s.call("PUT", "/api/feeds/"+id, `{"modules":["COS 999"]}`), 400, api.ValidationFailed)
	refused(t, s.call("PUT", "/api/feeds/"+id, `{"changes":[{"event":"a","date":"soon"}]}`), 400, api.ValidationFailed)
	refused(t, s.world.student().call("PUT", "/api/feeds/"+id, room), 404, api.FeedNotFound)
	refused(t, s.call("PUT", "/api/feeds/"+strings.Repeat("x", 43), room), 404, api.FeedNotFound)
	changed = change(feedOptions)
	if _, file = s.fetch(path); strings.Contains(file, "Elsewhere") || changed.Events != len(before) {
		t.Errorf("withdrawn, the feed is\n%s", file)
	}
}

// TestDeletedJobLeavesTheFeed: a user can delete a job with all it made. The subscription goes on with
// what is left, and an event that comes back goes on counting.
func TestDeletedJobLeavesTheFeed(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.uploaded(tabletest.Tests())
	path := s.subscribed(feedOptions)
	doc := tabletest.Tests()
	doc.Entries[0].Venues = []string{"Elsewhere"}
	newer := s.uploaded(doc)
	if _, file := s.fetch(path); strings.Count(file, "LOCATION:Elsewhere") != 1 || strings.Count(file, "SEQUENCE:1\r\n") != 1 {
		t.Fatalf("the newer timetable is not in the feed:\n%s", file)
	}
	if err := s.f.jobs.Delete(t.Context(), s.owner, newer); err != nil {
		t.Fatal(err)
	}
	if kept := s.only(); len(kept.Body) != 0 {
		t.Errorf("got %+v, want nothing kept of a deleted job", kept)
	}
	_, file := s.fetch(path)
	if strings.Contains(file, "Elsewhere") || strings.Count(file, "BEGIN:VEVENT") != 3 || strings.Count(file, "SEQUENCE:2\r\n") != 1 {
		t.Errorf("the feed does not go on with the older timetable:\n%s", file)
	}
	all, err := newest.Of(t.Context(), s.f.jobs, s.owner)
	if err != nil || len(all.Jobs) != 1 {
		t.Fatalf("jobs are %+v, %v", all.Jobs, err)
	}
	if err := s.f.jobs.Delete(t.Context(), s.owner, all.Jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, file := s.fetch(path); strings.Contains(file, "VEVENT") || !strings.HasSuffix(file, "END:VCALENDAR\r\n") {
		t.Errorf("without any job, the feed is:\n%s", file)
	}
}

// TestFeedOfAJobShowsItsKindAlone: it follows newer uploads of that kind, and no others.
func TestFeedOfAJobShowsItsKindAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	s.uploaded(tabletest.Lectures())
	id := s.uploaded(tabletest.Tests())
	path := s.subscribed(`{"jobId":"` + id + `","year":2026}`)
	if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != 3 {
		t.Errorf("the feed of 3 tests is:\n%s", file)
	}
	s.uploaded(tabletest.Exams())
	doc := tabletest.Tests()
	doc.Entries[1].StartTime = "18:00"
	s.uploaded(doc)
	if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != 3 || !strings.Contains(file, "20260420T180000") {
		t.Errorf("after newer uploads the feed is:\n%s", file)
	}
	refused(t, w.student().call("POST", "/api/feeds", `{"jobId":"`+id+`"}`), 404, api.JobNotFound)
	refused(t, s.call("POST", "/api/feeds", `{"jobId":"`+s.pending()+`"}`), 400, api.JobNotCompleted)
}

// TestFeedMovesOnWithTheYear: a year that was given when the feed was made does not hold a newer one's
// lectures.
func TestFeedMovesOnWithTheYear(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	this := time.Now().In(calendar.Zone).Year()
	path := s.subscribed(fmt.Sprintf(`{"year":%d}`, this-1))
	lectures := timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{
		{Module: "PHY 131", Offered: "Y", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"},
	}}
	s.exec(`update feeds set created_at = created_at - interval '1 year',
		options = jsonb_set(options, '{terms}', '{"Y": {"start": "` + strconv.Itoa(this) + `-02-01", "end": "` + strconv.Itoa(this) + `-05-31"}}')`)
	s.uploaded(lectures)
	_, file := s.fetch(path)
	if want := fmt.Sprintf("-%d@schedgen\r\n", this); strings.Count(file, want) != 1 {
		t.Errorf("want a UID that ends in %q in:\n%s", want, file)
	}
}

// exec changes the student's database behind the function's back.
func (s student) exec(sql string) {
	s.Helper()
	pool, err := postgres.Open(s.f.cfg.Postgres)
	if err != nil {
		s.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(s.Context(), sql); err != nil {
		s.Fatal(err)
	}
}

// TestFeedTakesTheSemestersDates of lectures that name no term, and keeps them for newer timetables.
func TestFeedTakesTheSemestersDates(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	lecture := timetable.Entry{Module: "COS 332", Group: "G01", Activity: "L1", Day: "Monday", StartTime: "08:30", EndTime: "09:20"}
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{lecture}})
	if says := refused(t, s.call("POST", "/api/feeds", `{}`), 400, api.MissingSemesterDates); !strings.Contains(says, "semesterStart and semesterEnd") {
		t.Errorf("it says %q, want the fields to give", says)
	}
	year := time.Now().In(calendar.Zone).Year()
	first, last := fmt.Sprintf("%d-03-01", year), fmt.Sprintf("%d-05-22", year)
	refused(t, s.call("POST", "/api/feeds", `{"semesterStart":"`+first+`"}`), 400, api.MissingSemesterDates)
	refused(t, s.call("POST", "/api/feeds", `{"semesterStart":"`+last+`","semesterEnd":"`+first+`"}`), 400, api.InvalidSemesterDates)
	path := s.subscribed(`{"semesterStart":"` + first + `","semesterEnd":"` + last + `"}`)
	want := fmt.Sprintf("DTSTART;TZID=Africa/Johannesburg:%d03", year)
	if _, file := s.fetch(path); strings.Count(file, "BEGIN:VEVENT") != 1 || !strings.Contains(file, want) {
		t.Errorf("want one lecture with %q in:\n%s", want, file)
	}
	lecture.Venues = []string{"Elsewhere"}
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: []timetable.Entry{lecture}})
	if _, file := s.fetch(path); strings.Count(file, "LOCATION:Elsewhere") != 1 || !strings.Contains(file, want) {
		t.Errorf("after a newer timetable, want the moved lecture with %q in:\n%s", want, file)
	}
	if got := s.listed()[0].Options.Terms[""].String(); got != first+".."+last {
		t.Errorf("the feed is listed with %q for lectures of no term, want %s..%s", got, first, last)
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

// TestFeedThatNobodyFetchesEnds: it would be rendered with each upload for ever.
func TestFeedThatNobodyFetchesEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.student()
	s.uploaded(tabletest.Lectures())
	kept, lost := s.subscribed(feedOptions), s.subscribed(feedOptions)
	begin := time.Now()
	for day := range 5 {
		w.f.now = func() time.Time { return begin.AddDate(0, 0, 100*day) }
		w.fetch(kept)
	}
	refused(t, call(t, w.f, "GET", lost, "", nil...), 404, api.FeedNotFound)
	if gone, err := w.f.feeds.DeleteUnfetched(t.Context(), w.f.now().Add(-w.f.cfg.FeedUnfetched+time.Hour), 10); err != nil || gone != 1 {
		t.Errorf("%d feeds end, %v; want the one that nobody fetched", gone, err)
	}
	w.fetch(kept)
}
