package uploadingest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/dev/testkit/pgtest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/pack"
	"github.com/schedgen/schedgen/shared/postgres"
)

// fill gives an owner a row in every table that can have one.
func (s student) fill() {
	s.Helper()
	body, err := pack.Pack(1<<20, func(w io.Writer) error {
		_, err := w.Write([]byte("BEGIN:VCALENDAR of " + s.owner))
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	pgtest.FillPerson(s, s.f.pool, s.owner, body)
}

// tablesNaming are the tables of the database that hold a text, and all its tables.
func (w *world) tablesNaming(text string) (found, all []string) {
	w.Helper()
	all, err := postgres.Query(w.Context(), w.f.pool, pgx.RowTo[string], `select table_name::text from information_schema.tables where table_schema = 'public' order by 1`)
	if err != nil {
		w.Fatal(err)
	}
	for _, table := range all {
		rows, err := postgres.QueryOne(w.Context(), w.f.pool, pgx.RowTo[int], `select count(*)::int from `+table+` t where t::text like '%' || $1 || '%'`, text)
		if err != nil {
			w.Fatal(err)
		}
		if rows > 0 {
			found = append(found, table)
		}
	}
	return found, all
}

// exported is what GET /api/me answers.
type exported struct {
	Owner string
	Data  map[string][]map[string]any
}

func TestEverythingOfAnOwnerIsExported(t *testing.T) {
	w := newWorld(t)
	s, other := w.student(), w.student()
	for range 12 { // more than a page of them
		s.upload(pdf(), "Prefer", "wait=20").Want(201)
	}
	other.upload(pdf(), "Prefer", "wait=20").Want(201)
	s.fill()
	other.fill()
	answer := s.call("GET", "/api/me").Want(200)
	got := functest.Read[exported](answer)
	if got.Owner != s.owner || len(got.Data["jobs"]) != 12 || len(got.Data["jobs"][0]["entries"].([]any)) != len(lectures.Entries) {
		t.Errorf("got %d jobs of %s in %.500s", len(got.Data["jobs"]), got.Owner, answer.Body)
	}
	if len(got.Data["feeds"]) != 1 || got.Data["feeds"][0]["calendar"] != "BEGIN:VCALENDAR of "+s.owner {
		t.Errorf("got feeds %v", got.Data["feeds"])
	}
	for table, rows := range got.Data {
		if len(rows) == 0 {
			t.Errorf("nothing of %s is exported", table)
		}
	}
	for _, secret := range []string{other.owner, "refresh_token", "token_hash", "lease_token"} {
		if bytes.Contains(answer.Body, []byte(secret)) {
			t.Errorf("%s is in the export", secret)
		}
	}
	w.do(w.client, "GET", "/api/me", nil).Refused(401, api.Unauthorized)
}

func TestEverythingOfAnOwnerIsDeleted(t *testing.T) {
	w := newWorld(t, with(func(c *Config) { c.BackupRetention = 4488 * time.Hour }))
	s, other := w.student(), w.student()
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	others := functest.Read[uploadAnswer](other.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	key := w.find(id).ObjectKey
	s.fill()
	other.fill()
	before, _ := w.tablesNaming(other.owner)

	got := functest.Read[deletionAnswer](s.call("DELETE", "/api/me").Want(200))
	if !got.Complete || !got.GoogleAccessEnding || got.BackupsUntil == nil || got.BackupsUntil.Sub(got.RequestedAt) != w.f.cfg.BackupRetention {
		t.Errorf("got %+v", got)
	}
	// For an hour the deletion itself names the owner, and until it is ended so does the access to Google.
	if found, _ := w.tablesNaming(s.owner); strings.Join(found, " ") != "deletions google_revocations" {
		t.Errorf("the owner is still in %v", found)
	}
	w.sql("delete from google_revocations")
	w.sql("update deletions set requested_at = requested_at - interval '2 hours'")
	w.swept()
	if found, _ := w.tablesNaming(s.owner); len(found) != 0 {
		t.Errorf("after an hour the owner is still in %v", found)
	}
	if found, _ := w.tablesNaming(id); len(found) != 0 || w.stored(key) {
		t.Errorf("the job is still in %v, its PDF is there: %v", found, w.stored(key))
	}

	// The session has ended everywhere, and asking again changes nothing.
	for _, path := range []string{"/api/me", "/api/jobs/" + id} {
		if a := s.call("GET", path); a.StatusCode != 401 && a.StatusCode != 404 {
			t.Errorf("GET %s with the old session: %d", path, a.StatusCode)
		}
	}
	again := functest.Read[deletionAnswer](s.call("DELETE", "/api/me").Want(200))
	if !again.Complete || again.GoogleAccessEnding {
		t.Errorf("again: %+v", again)
	}
	other.call("GET", "/api/jobs/"+others+"/result").Want(200)
	if after, _ := w.tablesNaming(other.owner); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the other owner was in %v and is in %v", before, after)
	}

	// What a deletion leaves is gone when no session and no backup is left.
	w.sql("update deletions set requested_at = requested_at - interval '9000 hours'")
	w.swept()
	if n := w.sql("update deletions set owner = null"); n != 0 {
		t.Errorf("%d deletions are kept for ever", n)
	}
}

// TestADeletionCompletesWhateverStopsIt: the object store is away, or the process dies after the wish is noted.
func TestADeletionCompletesWhateverStopsIt(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	for range 3 {
		s.upload(pdf(), "Prefer", "wait=20").Want(201)
	}
	w.store.set(func(p *storeProxy) {
		deletes := 0
		p.all = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodDelete {
				return false
			}
			if deletes++; deletes == 1 {
				return false
			}
			rw.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
	})
	if got := functest.Read[deletionAnswer](s.call("DELETE", "/api/me").Want(202)); got.Complete {
		t.Errorf("got %+v without a store", got)
	}
	s.call("GET", "/api/me").Refused(401, api.Unauthorized)
	w.store.set(func(p *storeProxy) { p.all = nil })
	if got := w.swept(); got.People != 1 {
		t.Errorf("got %+v, want one person", got)
	}
	if n := w.sql("update jobs set updated_at = now()"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	if got := w.swept(); got.People != 0 {
		t.Errorf("swept again: got %+v", got)
	}
}

// TestADeletionThatTakesLongIsAccepted: what is noted is done later, whoever is slow.
func TestADeletionThatTakesLongIsAccepted(t *testing.T) {
	w := newWorld(t)
	w.f.eraseTime = 50 * time.Millisecond
	slow := map[string]func() (heal func()){
		"the object store": func() func() {
			w.store.set(func(p *storeProxy) {
				p.all = func(_ http.ResponseWriter, r *http.Request) bool {
					if r.Method == http.MethodDelete {
						<-r.Context().Done()
					}
					return r.Method == http.MethodDelete
				}
			})
			return func() { w.store.set(func(p *storeProxy) { p.all = nil }) }
		},
		"the database": func() func() {
			locked, err := pgx.Connect(t.Context(), w.f.cfg.Postgres.URL.Reveal())
			if err == nil {
				_, err = locked.Exec(t.Context(), "begin; lock table feeds in access exclusive mode")
			}
			if err != nil {
				t.Fatal(err)
			}
			return func() {
				if err := locked.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
		},
	}
	for who, stall := range slow {
		s := w.student()
		s.upload(pdf(), "Prefer", "wait=20").Want(201)
		heal := stall()
		if got := functest.Read[deletionAnswer](s.call("DELETE", "/api/me").Want(202)); got.Complete || got.RequestedAt.IsZero() {
			t.Errorf("%s is slow: got %+v", who, got)
		}
		heal()
		if got := w.swept(); got.People != 1 {
			t.Errorf("%s was slow: got %+v, want one person", who, got)
		}
	}
}

// TestAnUploadThatStillComesIsDeletedToo: its row is written, its object is on the way.
func TestAnUploadThatStillComesIsDeletedToo(t *testing.T) {
	w := newWorld(t, silent)
	s := w.student()
	job, err := w.f.jobs.Create(t.Context(), jobs.NewJob{Owner: s.owner, Filename: "a.pdf"})
	if err != nil {
		t.Fatal(err)
	}
	if got := functest.Read[deletionAnswer](s.call("DELETE", "/api/me").Want(202)); got.Complete {
		t.Errorf("got %+v", got)
	}
	if _, err := w.f.blob.Put(t.Context(), job.ObjectKey, bytes.NewReader(pdf()), int64(len(pdf())), "application/pdf", nil); err != nil {
		t.Fatal(err)
	}
	if err := w.f.jobs.Uploaded(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	// And one whose row was written after the deletion, by a request from before it.
	late, err := w.f.jobs.Create(t.Context(), jobs.NewJob{Owner: s.owner, Filename: "b.pdf"})
	if err != nil {
		t.Fatal(err)
	}
	w.swept()
	w.age(time.Hour) // the second never came
	w.swept()
	w.swept()
	if w.stored(job.ObjectKey) || w.stored(late.ObjectKey) {
		t.Error("an object is left")
	}
	if n := w.sql("update jobs set updated_at = now()"); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// TestNoOneElseDeletes: a page of another origin, a forged token, a session that was signed out.
func TestNoOneElseDeletes(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	s.upload(pdf(), "Prefer", "wait=20").Want(201)
	cookie := w.f.sessions.Cookie(s.owner)
	w.do(w.client, "DELETE", "/api/me", nil, "Cookie", cookie.Name+"="+cookie.Value, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site").Refused(403, api.Forbidden)
	w.do(w.client, "DELETE", "/api/me", nil, "Cookie", cookie.Name+"="+cookie.Value[:len(cookie.Value)-3]+"AAA").Refused(401, api.Unauthorized)
	w.do(w.client, "DELETE", "/api/me", nil).Refused(401, api.Unauthorized)
	ended, err := http.NewRequest(http.MethodGet, "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	ended.AddCookie(cookie)
	session, _ := w.f.sessions.Session(ended)
	if err := w.f.sessions.End(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	w.do(w.client, "DELETE", "/api/me", nil, "Cookie", cookie.Name+"="+cookie.Value).Refused(401, api.Unauthorized)
	if got := functest.Read[exported](s.call("GET", "/api/me").Want(200)); len(got.Data["jobs"]) != 1 {
		t.Errorf("something was deleted: %v", got.Data)
	}
}

// TestAnExportThatFailsIsNoJSON: half of it must not look like all of it.
func TestAnExportThatFailsIsNoJSON(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	s.upload(pdf(), "Prefer", "wait=20").Want(201)
	w.sql("alter table google_recipes rename to elsewhere")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/api/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return // nothing came
	}
	defer response.Body.Close()
	var all bytes.Buffer
	if _, err := all.ReadFrom(response.Body); err == nil || json.Valid(all.Bytes()) {
		t.Errorf("got %d and a whole answer: %s", response.StatusCode, all.Bytes())
	}
}
