package uploadingest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/cache"
	"github.com/schedgen/schedgen/shared/dev/testkit"
	"github.com/schedgen/schedgen/shared/dev/testkit/functest"
	"github.com/schedgen/schedgen/shared/jobs"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
)

// jobCalls are the calls that name a job.
var jobCalls = []struct{ method, path string }{
	{"GET", "/api/jobs/%s"}, {"GET", "/api/jobs/%s/result"}, {"DELETE", "/api/jobs/%s"},
}

func TestAnothersJobIsAsIfItWereNotThere(t *testing.T) {
	w := newWorld(t)
	owner, other := w.student(), w.student()
	id := functest.Read[uploadAnswer](owner.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	owner.call("GET", "/api/jobs/"+id).Want(200) // and now a copy is in Redis
	forged := owner.token()[:len(owner.token())-4] + "AAAA"
	for _, c := range jobCalls {
		path := strings.Replace(c.path, "%s", id, 1)
		other.call(c.method, path).Refused(404, api.JobNotFound)
		for name, header := range map[string][]string{
			"nobody":          nil,
			"a forged cookie": {"Cookie", session.CookieName + "=" + forged},
			"a forged token":  {"Authorization", "Bearer " + forged},
			"an owner's id":   {"Authorization", "Bearer " + owner.owner},
			"junk":            {"Cookie", session.CookieName + "=a; b=;;", "Authorization", "Basic eDp4"},
		} {
			if a := w.do(w.client, c.method, path, nil, header...); a.StatusCode != 404 {
				t.Errorf("%s %s by %s: got %d %s, want 404", c.method, c.path, name, a.StatusCode, a.Body)
			}
		}
		for _, id := range []string{uuid.NewString(), "junk", strings.Repeat("a", 1000)} {
			owner.call(c.method, strings.Replace(c.path, "%s", id, 1)).Refused(404, api.JobNotFound)
		}
		owner.call(c.method, strings.Replace(c.path, "%s", "%00", 1)).Refused(400, api.InvalidRequest)
	}
	a := w.do(http.DefaultClient, "GET", "/upload/"+id, nil, "Authorization", "Bearer "+other.token()).Want(404)
	if !strings.Contains(string(a.Body), "cannot find this upload") {
		t.Errorf("got %s, want a page that says so", a.Body)
	}
	owner.call("GET", "/api/jobs/"+id+"/result").Want(200)
}

func TestTheCookieIsTheToken(t *testing.T) {
	w := newWorld(t)
	form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
	a := w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=20",
		"Cookie", session.CookieName+"=v1.forged.1.x").Want(201) // which makes nobody of the caller, and no error
	cookies := a.Cookies()
	if len(cookies) != 1 || !cookies[0].HttpOnly || cookies[0].SameSite != http.SameSiteLaxMode || cookies[0].Path != "/" {
		t.Fatalf("got cookies %v, want one that no script reads and no other site sends", cookies)
	}
	at := a.Header.Get("Location")
	w.do(w.client, "GET", at, nil, "Cookie", cookies[0].String()).Want(200)
	w.do(w.client, "GET", at, nil, "Authorization", "Bearer "+cookies[0].Value).Want(200)
	again, contentType := formOf(t, field{"file", "a.pdf", pdf()})
	if a := w.do(w.client, "POST", "/api/upload", again, "Content-Type", contentType, "Cookie", cookies[0].String()); len(a.Cookies()) != 0 {
		t.Errorf("who has a session got another: %v", a.Cookies())
	}
}

func TestDeletingLeavesNothingOfAJob(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	job := w.find(id)
	s.call("GET", "/api/jobs/"+id).Want(200)
	if _, err := w.f.jobs.KeepDeadLetter(t.Context(), jobs.DeadLetter{Source: "x", Reason: "x", JobID: id, Event: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	s.call("DELETE", "/api/jobs/"+id).Want(204)
	for _, c := range jobCalls {
		s.call(c.method, strings.Replace(c.path, "%s", id, 1)).Refused(404, api.JobNotFound)
	}
	if w.stored(job.ObjectKey) {
		t.Error("its PDF is still stored")
	}
	for _, table := range []string{"jobs", "entries", "dead_letters"} {
		if n := w.sql("delete from " + table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
	// A copy that was read before the end and is written after it brings nothing back.
	copied, err := json.Marshal(answerOf(job))
	if err != nil {
		t.Fatal(err)
	}
	w.f.cache.Add(t.Context(), cacheKey(s.owner, id), copied, w.f.cfg.JobCacheTTL)
	s.call("GET", "/api/jobs/"+id).Refused(404, api.JobNotFound)
}

// TestADeletedJobIsForgottenWithinAMinute deletes a job while Redis, which still has its answer, is away.
func TestADeletedJobIsForgottenWithinAMinute(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	s.call("GET", "/api/jobs/"+id).Want(200) // and is kept
	away, err := cache.Open(cache.Config{URL: secret.New("redis://127.0.0.1:1/0")})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close() // nothing is there
	there := w.f.cache
	w.f.cache = away
	s.call("DELETE", "/api/jobs/"+id).Want(204)
	s.call("GET", "/api/jobs/"+id).Refused(404, api.JobNotFound)
	w.f.cache = there
	err = there.Do(t.Context(), func(ctx context.Context, client *redis.Client) error {
		key := cacheKey(s.owner, id)
		if left := client.PTTL(ctx, key).Val(); left <= 0 || left > time.Minute {
			t.Errorf("the answer of the deleted job is kept for %s, want a minute at most", left)
		}
		return client.PExpire(ctx, key, time.Millisecond).Err() // the minute is over
	})
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(w, "the job is gone", func() bool { return s.call("GET", "/api/jobs/"+id).StatusCode == http.StatusNotFound })
}

func TestAJobThatIsWorkedOnCanBeDeleted(t *testing.T) {
	w := newWorld(t)
	hold := make(chan struct{})
	w.reader.set(func(r *reader) { r.hold = hold })
	s := w.student()
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=0").Want(202)).JobID
	testkit.Eventually(w, "it is worked on", func() bool { return w.find(id).Status == jobs.Processing })
	s.call("DELETE", "/api/jobs/"+id).Want(204)
	close(hold)
	testkit.Eventually(w, "the worker is done", func() bool { return len(w.reader.told("com.amazonaws.s3.ObjectCreated:Put")) == 1 })
	w.reader.Close() // waits for it
	for _, table := range []string{"jobs", "entries"} {
		if n := w.sql("delete from " + table); n != 0 {
			t.Errorf("the worker wrote %d rows of %s for a deleted job", n, table)
		}
	}
}

// An upload that its owner deletes before it is stored must not leave its object behind.
func TestDeletingAnUploadOnItsWay(t *testing.T) {
	w := newWorld(t, silent)
	w.store.set(func(s *storeProxy) {
		s.put = func(rw http.ResponseWriter, _ *http.Request, forward func(http.ResponseWriter)) {
			w.sql("delete from jobs")
			forward(rw)
		}
	})
	a := w.student().upload(pdf(), "Prefer", "wait=20")
	a.Refused(503, api.StorageUnavailable)
	id := strings.TrimPrefix(a.Header.Get("Location"), "/api/jobs/")
	if w.stored(jobs.ObjectKey(jobs.Normal, id)) {
		t.Error("the object outlived its job")
	}
}

func TestFormsOfOtherSitesDoNothing(t *testing.T) {
	w := newWorld(t)
	s := w.student()
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=20").Want(201)).JobID
	cookie := w.f.sessions.Cookie(s.owner).String()
	for _, origin := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example.org"}} {
		form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
		w.do(w.client, "POST", "/api/upload", form, append(origin, "Cookie", cookie, "Content-Type", contentType)...).Refused(403, api.Forbidden)
		w.do(w.client, "DELETE", "/api/jobs/"+id, nil, append(origin, "Cookie", cookie)...).Refused(403, api.Forbidden)
		form, contentType = formOf(t, field{"file", "a.pdf", pdf()})
		a := w.do(http.DefaultClient, "POST", "/upload", form, append(origin, "Cookie", cookie, "Content-Type", contentType)...).Want(403)
		if !strings.Contains(string(a.Body), "another website") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			t.Errorf("got %s, want a page that says why", a.Body)
		}
	}
	if n := w.sql("update jobs set updated_at = now()"); n != 1 {
		t.Errorf("there are %d jobs, want the one from before", n)
	}
}

// A frontend on a trusted host of its own does all that our own page does.
func TestAFrontendOnAnotherHost(t *testing.T) {
	const portal = "https://portal.example.org"
	w := newWorld(t, with(func(c *Config) { c.TrustedOrigins = []string{portal} }))
	asked := w.do(http.DefaultClient, "OPTIONS", "/api/upload", nil, "Origin", portal, "Sec-Fetch-Site", "same-site",
		"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "prefer").Want(204)
	if got := asked.Header.Get("Access-Control-Allow-Origin"); got != portal {
		t.Errorf("before the upload: got %q allowed, want %q", got, portal)
	}
	form, contentType := formOf(t, field{"file", "a.pdf", pdf()})
	a := w.do(w.client, "POST", "/api/upload", form, "Content-Type", contentType, "Prefer", "wait=20",
		"Origin", portal, "Sec-Fetch-Site", "same-site").Want(201)
	if a.Header.Get("Access-Control-Allow-Origin") != portal || a.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("the upload: got %v, want it readable", a.Header)
	}
	other := w.do(http.DefaultClient, "OPTIONS", "/api/upload", nil, "Origin", "https://evil.example.org", "Access-Control-Request-Method", "POST")
	if other.Want(405); other.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another page: got %v, want nothing allowed", other.Header)
	}
	for origin, want := range map[string]string{portal: portal, "https://viewer.example.com": "*"} {
		described := w.do(w.client, "GET", "/api/openapi.json", nil, "Origin", origin).Want(200)
		if got := described.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("the description for a page of %s: got %q allowed, want %q", origin, got, want)
		}
	}
}

func TestTheQueuesBooks(t *testing.T) {
	w := newWorld(t)
	w.f.queueStats.ttl = 0
	s := w.student()
	s.upload(pdf(), "Prefer", "wait=20").Want(201)
	w.reader.set(func(r *reader) { r.code = "NO_TIMETABLE" })
	s.upload(pdf(), "Prefer", "wait=20").Want(422)
	hold := make(chan struct{})
	defer close(hold)
	w.reader.set(func(r *reader) { r.hold = hold })
	id := functest.Read[uploadAnswer](s.upload(pdf(), "Prefer", "wait=0").Want(202)).JobID
	testkit.Eventually(w, "it is worked on", func() bool { return w.find(id).Status == jobs.Processing })
	metrics := func() jobs.Metrics {
		return functest.Read[jobs.Metrics](w.do(w.client, "GET", "/api/jobs/metrics", nil).Want(200))
	}
	got := metrics()
	if got.Total[jobs.Completed] != 1 || got.Total[jobs.Failed] != 1 || got.Queue[jobs.Processing][jobs.Normal] != 1 || got.SuccessRate != 0.5 || got.AvgSeconds <= 0 {
		t.Errorf("got %+v", got)
	}
	w.sql("update jobs set completed_at = completed_at - interval '2 hours'")
	if got := metrics(); got.Total[jobs.Completed] != 0 || got.Total[jobs.Failed] != 1 {
		t.Errorf("after two hours: got %+v, want the completed one not counted any more", got)
	}
	w.sql("update jobs set completed_at = completed_at - interval '24 hours'")
	if got := metrics(); got.Total[jobs.Failed] != 0 || got.SuccessRate != 1 {
		t.Errorf("after a day: got %+v, want the failed one not counted any more", got)
	}
}

func TestTheDescriptionIsServed(t *testing.T) {
	w := newWorld(t)
	if got := w.do(w.client, "GET", "/api/openapi.json", nil).Want(200); !slices.Equal(got.Body, OpenAPI()) {
		t.Error("what is served is not the description")
	}
	w.do(w.client, "GET", "/api/nothing", nil).Refused(404, api.NotFound)
	w.do(w.client, "PUT", "/api/upload", nil).Refused(405, api.MethodNotAllowed)
	for name, check := range w.f.Dependencies() {
		if err := check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
