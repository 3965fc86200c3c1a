package calendargenerate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/dev/testkit/tabletest"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/timetable"
	"github.com/schedgen/schedgen/shared/years"
)

// corrected is 2026 with a first semester that ends a week earlier than the shipped one.
const corrected = `{"2026": {"source": "Senate", "checkedBy": "A. Clerk", "note": "Corrected in May.",
	"terms": {"S1": "2026-02-09..2026-05-15", "S2": "2026-07-13..2026-10-16"}}}`

// imported puts academic years into the database, as the operator's command does.
func (w world) imported(file string) []int {
	w.Helper()
	all, err := calendar.ParseYears([]byte(file))
	if err != nil {
		w.Fatal(err)
	}
	changed, err := years.NewStore(w.f.pool).Import(w.Context(), all)
	if err != nil {
		w.Fatal(err)
	}
	return changed
}

// eager looks for news with every request.
func (w world) eager(file string) world {
	w.f.years = years.NewSource(years.Config{File: file, Refresh: 1}, w.f.pool)
	return w
}

// swept sweeps until nothing is left, and gives how many feeds were made again.
func (w world) swept() (all int) {
	w.Helper()
	for {
		s, err := w.f.Sweep(w.Context())
		if err != nil || s.Failed > 0 {
			w.Fatalf("the sweep gives %+v, %v", s, err)
		}
		if s.Replanned == 0 {
			return all
		}
		all += s.Replanned
	}
}

const firstSemesterLecture = `{"events":[{"kind":"lecture","module":"COS 212","activity":"L1","group":"G01","day":"Monday",` +
	`"startTime":"08:30","endTime":"09:20","semester":"S1"}],"year":2026}`

func TestFilesGoByTheImportedYear(t *testing.T) {
	t.Parallel()
	w := newWorld(t).eager("")
	until := func(want string) {
		t.Helper()
		if file := answered(t, call(t, w.f, "POST", "/api/generate/ics", firstSemesterLecture), 200); !strings.Contains(file, "UNTIL="+want) {
			t.Errorf("want lectures until %s in:\n%s", want, file)
		}
	}
	until("20260518")
	w.imported(corrected)
	until("20260511")
	if err := years.NewStore(w.f.pool).Remove(t.Context(), 2026); err != nil {
		t.Fatal(err)
	}
	until("20260518")
}

// TestMountedFileIsReadAgain: the file comes before what is shipped and after what was imported, and a broken one
// changes nothing.
func TestMountedFileIsReadAgain(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "years.json")
	w := newWorld(t).eager(name)
	write := func(content string, age time.Duration) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	from := func() (origin years.Origin, end string) {
		t.Helper()
		var y yearAnswer
		if err := json.Unmarshal([]byte(answered(t, call(t, w.f, "GET", "/api/years/2026", ""), 200)), &y); err != nil {
			t.Fatal(err)
		}
		return y.From, y.Terms["S1"].End.String()
	}
	if origin, end := from(); origin != years.Shipped || end != "2026-05-22" {
		t.Errorf("without a file 2026 comes from %s and ends on %s", origin, end)
	}
	write(corrected, time.Hour)
	if origin, end := from(); origin != years.File || end != "2026-05-15" {
		t.Errorf("with the file 2026 comes from %s and ends on %s", origin, end)
	}
	write("{", time.Minute)
	if origin, end := from(); origin != years.File || end != "2026-05-15" {
		t.Errorf("with a broken file 2026 comes from %s and ends on %s", origin, end)
	}
	if err := w.f.Dependencies()["years"](t.Context()); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("health is %v, want the broken file's line", err)
	}
	w.imported(`{"2026": {"source": "A", "terms": {"S1": "2026-02-09..2026-05-08"}}}`)
	if origin, end := from(); origin != years.Database || end != "2026-05-08" {
		t.Errorf("after the import 2026 comes from %s and ends on %s", origin, end)
	}
}

func TestYearsAreToldToEverybody(t *testing.T) {
	t.Parallel()
	w := newWorld(t).eager("")
	w.imported(strings.Replace(corrected, `"note"`, `"recess": [], "note"`, 1))
	res := call(t, w.f, "GET", "/api/years/2026", "")
	body, tag := answered(t, res, 200), res.Header.Get("ETag")
	for _, want := range []string{
		`"from":"database"`, `"source":"Senate","checked":true,"checkedBy":"A. Clerk"`, `"note":"Corrected in May."`,
		`"S1":{"start":"2026-02-09","end":"2026-05-15",`, `"recess":[]`, `{"date":"2026-04-27","name":"Freedom Day"}`,
		`"unknown":["noLectures","follows","tests","examinations","supplementary"]`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("want %s in %s", want, body)
		}
	}
	if cache := res.Header.Get("Cache-Control"); cache != "public, max-age=60" || tag == "" {
		t.Errorf("it is cached as %q with the tag %q", cache, tag)
	}
	if again := call(t, w.f, "GET", "/api/years/2026", "", "If-None-Match", tag); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again, it answers %d", again.StatusCode)
	}
	if list := answered(t, call(t, w.f, "GET", "/api/years", ""), 200); strings.Count(list, `"year":`) != 3 || !strings.Contains(list, `{"year":2018,"from":"shipped"`) {
		t.Errorf("the list is %s", list)
	}
	if body := answered(t, call(t, w.f, "GET", "/api/years/2018", ""), 200); !strings.Contains(body, `{"date":"2018-03-19","weekday":"Wednesday",`) {
		t.Errorf("2018 is %s", body)
	}
	answer := call(t, w.f, "GET", "/api/years/2027", "")
	if told := answered(t, answer, 404); !strings.Contains(told, `{"term":"S2","start":"2027-07-19","end":"2027-10-22","suggested":true,"from":2026}`) || !strings.Contains(told, api.YearNotFound) {
		t.Errorf("2027 is told as %s", told)
	}
	refused(t, call(t, w.f, "GET", "/api/years/next", ""), 404, api.NotFound)
}

// TestCorrectedYearChangesOnlyWhatItMoves of a feed, and a second import of the same changes nothing.
func TestCorrectedYearChangesOnlyWhatItMoves(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.world = s.eager("")
	s.uploaded(tabletest.Lectures())
	s.exec(`update jobs set created_at = '2026-03-01'`) // whatever year it is now
	path, tests := s.subscribed(`{}`), s.subscribed(`{"year":2026,"modules":["MLB 112"]}`)
	first, before := s.fetch(path)
	other, _ := s.fetch(tests)
	if n := s.swept(); n != 0 {
		t.Errorf("%d new feeds are made again", n)
	}
	if changed := s.imported(corrected); len(changed) != 1 || changed[0] != 2026 {
		t.Errorf("the import changes %v", changed)
	}
	if n := s.swept(); n != 2 {
		t.Errorf("%d feeds are made again, want 2", n)
	}
	_, after := s.fetch(path)
	was, is := revisions(before), revisions(after)
	changed := 0
	for uid, revision := range is {
		moved := spoken(before)[uid] != spoken(after)[uid]
		if moved != (was[uid] != revision) || moved && !strings.HasPrefix(revision, "1 ") {
			t.Errorf("%s went from %q to %q, and what it says differs: %v", uid, was[uid], revision, moved)
		}
		if moved {
			changed++
		}
	}
	if changed != 8 { // those of S1, and the year module
		t.Errorf("%d events changed, want 8", changed)
	}
	if res, _ := s.fetch(tests); res.Header.Get("ETag") != other.Header.Get("ETag") || res.Header.Get("Last-Modified") != other.Header.Get("Last-Modified") {
		t.Error("the feed of the second semester has another ETag or Last-Modified")
	}
	second, _ := s.fetch(path)
	if s.imported(strings.Replace(corrected, "Senate", "Council", 1)); s.swept() != 0 {
		t.Error("a year that only names another source makes feeds again")
	}
	if changed := s.imported(strings.Replace(corrected, "Senate", "Council", 1)); len(changed) != 0 {
		t.Errorf("an import of the same changes %v", changed)
	}
	if res, _ := s.fetch(path); res.Header.Get("ETag") != second.Header.Get("ETag") || res.Header.Get("ETag") == first.Header.Get("ETag") {
		t.Error("the feed changed again, or never did")
	}
}

// TestSwapComesAndGoes: a day that follows another weekday changes the lectures of these two weekdays on that date.
func TestSwapComesAndGoes(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.world = s.eager("")
	s.uploaded(tabletest.Lectures())
	s.exec(`update jobs set created_at = '2026-03-01'`)
	s.imported(corrected)
	path := s.subscribed(`{"groups":{"PHY 131":["P01","P03"]}}`)
	_, plain := s.fetch(path)
	s.imported(strings.Replace(corrected, `"note"`, `"follows": {"2026-03-17": "Thursday"}, "note"`, 1)) // a Tuesday
	s.swept()
	_, swapped := s.fetch(path)
	changed := func(from, to string) (list []string) {
		for uid, says := range spoken(to) {
			if spoken(from)[uid] != says {
				summary, _, _ := strings.Cut(says[strings.Index(says, "SUMMARY:"):], "\r\n")
				list = append(list, summary)
			}
		}
		slices.Sort(list)
		return list
	}
	// The practical on Tuesdays is left out, and that of Thursdays stands beside its series.
	if got := changed(plain, swapped); len(got) != 2 || !strings.Contains(got[0], "P01") || !strings.Contains(got[1], "P03") {
		t.Errorf("the swap changes %q, want P01 and a single P03", got)
	}
	s.imported(corrected)
	s.swept()
	_, withdrawn := s.fetch(path)
	if !maps.Equal(spoken(withdrawn), spoken(plain)) {
		t.Errorf("the withdrawn swap leaves %q", changed(plain, withdrawn))
	}
	for uid, revision := range revisions(withdrawn) {
		if touched := spoken(swapped)[uid] != spoken(plain)[uid]; touched != strings.HasPrefix(revision, "2 ") {
			t.Errorf("%s is at %q, touched: %v", uid, revision, touched)
		}
	}
}

// copies makes feeds like the only one that there is.
func (s student) copies(n int) {
	s.exec(fmt.Sprintf(`
		with made as (
			insert into feeds (id, token_hash, owner, options, sources, years, body, last_modified)
			select gen_random_uuid(), sha256(n::text::bytea), owner, options, sources, years, body, last_modified
			from feeds, generate_series(1, %d) n returning id)
		insert into feed_events (feed_id, uid, sequence, fingerprint, last_modified)
		select made.id, e.uid, e.sequence, e.fingerprint, e.last_modified from made, feed_events e`, n))
}

// count is one number from the database.
func (s student) count(sql string) (n int) {
	s.Helper()
	err := s.f.pool.Conn(s.Context(), func(ctx context.Context, conn *pgxpool.Conn) error { return conn.QueryRow(ctx, sql).Scan(&n) })
	if err != nil {
		s.Fatal(err)
	}
	return n
}

// TestTenThousandFeedsChangeOnce: sweeps that are killed, and several at once, change none twice.
func TestTenThousandFeedsChangeOnce(t *testing.T) {
	t.Parallel()
	const all = 10_000
	s := newWorld(t).student()
	s.uploaded(timetable.Document{Kind: timetable.Lecture, Entries: tabletest.Lectures().Entries[2:5]})
	s.exec(`update jobs set created_at = '2026-03-01'`)
	s.subscribed(`{}`)
	s.copies(all - 1)
	s.imported(corrected)

	s.f.cfg.ReplanBatch = 700 // of one sweep
	killed := 0
	for first := true; first || s.count(`select count(*) from feeds where years <> (select max(years) from feeds)`) > 0; first = false {
		ctx, kill := context.WithCancel(t.Context())
		ended := make(chan int)
		for range 2 {
			go func() {
				done, _ := s.f.Sweep(ctx)
				ended <- done.Replanned
			}()
		}
		if killed++; killed%3 == 1 {
			for s.count(`select count(*) from feed_events where sequence > 0`) < 100*killed {
			}
			kill()
		}
		<-ended
		<-ended
		kill()
	}
	if n := s.count(`select count(*) from feed_events where sequence = 1`); n != 3*all {
		t.Errorf("%d events of %d feeds changed once, want all 3 of each", n, all)
	}
	if n := s.count(`select count(*) from feed_events where sequence > 1`); n != 0 {
		t.Errorf("%d events changed twice", n)
	}
	if done, err := s.f.Sweep(t.Context()); err != nil || done.Replanned != 0 {
		t.Errorf("one more sweep gives %+v, %v", done, err)
	}
}

// TestInstanceThatIsBehindWritesNoOldYear: it learns of the import before it writes.
func TestInstanceThatIsBehindWritesNoOldYear(t *testing.T) {
	t.Parallel()
	dsn := pgtest.New(t)
	s := world{t, newFunction(t, dsn)}.student()
	s.f.cfg.PublicURL = "https://schedgen.example.org"
	behind := newFunction(t, dsn)
	behind.cfg.PublicURL = s.f.cfg.PublicURL
	s.uploaded(tabletest.Lectures())
	s.exec(`update jobs set created_at = '2026-03-01'`)
	path := s.subscribed(`{}`)
	answered(t, call(t, behind, "GET", "/api/years", ""), 200) // it knows the shipped years
	s.imported(corrected)
	s.swept()
	_, before := s.fetch(path)
	s.uploaded(tabletest.Tests())
	s.exec(`update jobs set created_at = '2026-03-01'`)
	after := answered(t, call(t, behind, "GET", path, ""), 200)
	for uid, revision := range revisions(before) {
		if revisions(after)[uid] != revision {
			t.Errorf("%s went from %q to %q", uid, revision, revisions(after)[uid])
		}
	}
	if len(revisions(after)) != len(revisions(before))+3 {
		t.Errorf("%d events, want 3 more than %d", len(revisions(after)), len(revisions(before)))
	}
}

// TestOnlyTheTokenOpensEventsAndTasks: with the token alone, and without one not at all.
func TestOnlyTheTokenOpensEventsAndTasks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const event = `{"specversion":"1.0","id":"1","source":"/x","type":"dev.schedgen.timetable.parsed.v1","data":{"jobId":"018f4d6e-0000-7000-8000-000000000000"}}`
	for path, want := range map[string]int{"/tasks/feeds": 200, "/events/timetable": 204} {
		w.f.cfg.OpenPaths, w.f.cfg.EventToken = nil, secret.String{}
		refused(t, call(t, w.f, "POST", path, event, "Authorization", "Bearer "), 401, api.Unauthorized)
		w.f.cfg.EventToken = secret.New("secret")
		refused(t, call(t, w.f, "POST", path, event), 401, api.Unauthorized)
		answered(t, call(t, w.f, "POST", path, event, "Authorization", "Bearer secret", "Content-Type", "application/cloudevents+json"), want)
		w.f.cfg.OpenPaths = []string{path}
		answered(t, call(t, w.f, "POST", path, event, "Content-Type", "application/cloudevents+json"), want)
	}
}

// TestUnknownYearIsAskedForOnce: what the student typed holds for later files and feeds, and the operator learns.
func TestUnknownYearIsAskedForOnce(t *testing.T) {
	t.Parallel()
	s := newWorld(t).student()
	s.world = s.eager("")
	id := s.uploaded(tabletest.Lectures())
	next := time.Now().In(calendar.Zone).Year() + 1
	s.exec(fmt.Sprintf(`update jobs set created_at = '%d-02-01'`, next))
	ask := `{"jobId":"` + id + `"}`
	told := refused(t, s.call("POST", "/api/generate/ics", ask), 400, api.MissingSemesterDates)
	if !strings.Contains(told, "S1, S2, Y") {
		t.Errorf("it asks %q", told)
	}
	res := s.call("POST", "/api/generate/ics", ask)
	if body := answered(t, res, 400); !strings.Contains(body, `"suggested":true,"from":2026`) || !strings.Contains(body, fmt.Sprintf(`"year":%d`, next)) {
		t.Errorf("it suggests %s", body)
	}
	typed := fmt.Sprintf(`,"terms":{"S1":"%d-02-08..%d-05-21","S2":"%d-07-12..%d-10-15"}}`, next, next, next, next)
	file := answered(t, s.call("POST", "/api/generate/ics", strings.TrimSuffix(ask, "}")+typed), 200)
	again := answered(t, s.call("POST", "/api/generate/ics", ask), 200)
	if again != file {
		t.Error("the file without dates differs from the one with them")
	}
	path := s.subscribed(`{}`)
	if _, body := s.fetch(path); strings.Count(body, "BEGIN:VEVENT") != tabletest.LectureEvents {
		t.Errorf("the feed holds other than all events:\n%.900s", body)
	}
	if got := s.listed()[0].Options.Terms["S1"].Start.Year; got != next {
		t.Errorf("the feed keeps dates of %d", got)
	}
	refused(t, s.student().call("POST", "/api/feeds", `{"jobId":"`+id+`"}`), 404, api.JobNotFound)
	for what, want := range map[string]float64{"asked": 2, "typed": 1, "kept": 2} {
		if got := testutil.ToFloat64(s.f.typed.Counter(next, what)); got != want {
			t.Errorf("%s is counted %v times, want %v", what, got, want)
		}
	}
	s.imported(fmt.Sprintf(`{"%d": {"source": "A", "terms": {"S1": "%d-02-15..%d-05-28", "S2": "%d-07-19..%d-10-22"}}}`, next, next, next, next, next))
	if official := answered(t, s.call("POST", "/api/generate/ics", ask), 200); official == file {
		t.Error("the imported dates do not come before those that were typed because nobody knew them")
	}
	s.f.now = func() time.Time { return time.Date(next+2, 1, 2, 0, 0, 0, 0, time.UTC) }
	if done, err := s.f.Sweep(t.Context()); err != nil || done.Forgotten != 1 {
		t.Errorf("two years later the sweep gives %+v, %v", done, err)
	}
}
