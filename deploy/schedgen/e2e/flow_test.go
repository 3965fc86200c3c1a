package e2e_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// TestATimetableBecomesACalendar goes from a PDF to its calendar and reads that with another program.
func TestATimetableBecomesACalendar(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w *world) {
		for _, p := range timetables(t) {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				s := w.student(t)
				up := s.upload(p.pdf)
				if up.Status != "completed" || up.PDFType != string(p.doc.Kind) {
					t.Errorf("got status %q, kind %q; want completed, %q", up.Status, up.PDFType, p.doc.Kind)
				}
				expectSame(t, "the upload's events", told(p.doc.Kind, up.Events), meetings(p.doc))
				var result struct{ Events []event }
				s.call(http.StatusOK, "GET", "/api/jobs/"+up.JobID+"/result", nil).into(t, &result)
				expectSame(t, "the result's events", told(p.doc.Kind, result.Events), meetings(p.doc))
				file := s.call(http.StatusOK, "POST", "/api/generate/ics", map[string]any{"jobId": up.JobID, "year": 2026, "terms": terms2026})
				if got := file.Header.Get("Content-Type"); !strings.HasPrefix(got, "text/calendar") {
					t.Errorf("the file is %q", got)
				}
				expectSame(t, "the calendar's dates", readBack(t, string(file.body)), dates(p.doc))
			})
		}
	})
}

// expectCode looks at an error object's stable code.
func expectCode(t *testing.T, got answer, want string) {
	t.Helper()
	var object struct{ Error, Message string }
	got.into(t, &object)
	if object.Error != want || object.Message == "" {
		t.Errorf("got %q (%q), want %q", object.Error, object.Message, want)
	}
}

// TestAFeedFollowsItsOwner subscribes, uploads a newer timetable, and finds it in the feed.
func TestAFeedFollowsItsOwner(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w *world) {
		s := w.student(t)
		older := generated(t, fixture.Options{Kind: timetable.Exam, Seed: 1, Modules: 3})
		s.upload(older.pdf)
		var feed struct{ URL, Token string }
		s.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{}).into(t, &feed)
		anybody := w.student(t) // who has the address needs no session
		first := anybody.call(http.StatusOK, "GET", feed.URL, nil)
		anybody.call(http.StatusNotModified, "GET", feed.URL, nil, "If-None-Match", first.Header.Get("ETag"))
		expectSame(t, "the feed", readBack(t, string(first.body)), dates(older.doc))

		newer := generated(t, fixture.Options{Kind: timetable.Exam, Seed: 2, Modules: 4})
		s.upload(newer.pdf)
		eventually(t, func() error {
			now, err := get(t.Context(), anybody.client, feed.URL)
			if err != nil {
				return err
			}
			if now.Header.Get("ETag") == first.Header.Get("ETag") {
				return errors.New("the feed has not changed")
			}
			// They are of two sessions: each upload speaks for its own.
			both := slices.Sorted(slices.Values(slices.Concat(dates(older.doc), dates(newer.doc))))
			if got := readBack(t, string(now.body)); !slices.Equal(got, both) {
				return fmt.Errorf("the feed has %d dates, want %d", len(got), len(both))
			}
			return nil
		})
		s.call(http.StatusNoContent, "DELETE", "/api/feeds/"+feed.Token, nil)
		anybody.call(http.StatusNotFound, "GET", feed.URL, nil)
	})
}

// TestHostileFilesEndInAClearError uploads every way that a file is not what it should be, and finds
// the system as well as before.
func TestHostileFilesEndInAClearError(t *testing.T) {
	t.Parallel()
	w := embedded(t)
	files, err := fixture.Hostile()
	if err != nil {
		t.Fatal(err)
	}
	t.Run("files", func(t *testing.T) {
		for _, file := range files {
			t.Run(file.Name, func(t *testing.T) {
				t.Parallel()
				got := w.student(t).verdict(file.PDF)
				if !slices.Contains(file.Codes, got) && !(file.MayParse && got == "") {
					t.Errorf("got %q, want one of %q", got, file.Codes)
				}
			})
		}
	})
	w.student(t).upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 4}).pdf)
}

// verdict is the code of the error that a file ends in, or "" for one that is read.
func (s *student) verdict(pdf []byte) string {
	s.t.Helper()
	contentType, body := form(pdf)
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.world.url+"/api/upload", body)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Prefer", "wait=20")
	got, err := send(s.client, request)
	if err != nil {
		s.t.Fatal(err)
	}
	var first struct{ Error, JobID string }
	got.into(s.t, &first)
	switch {
	case got.StatusCode == http.StatusRequestEntityTooLarge:
		return "PDF_TOO_LARGE" // the API's own code for it comes before the parser's
	case got.StatusCode != http.StatusAccepted:
		return first.Error
	}
	var job struct {
		Status, ErrorCode string
	}
	eventually(s.t, func() error {
		s.call(http.StatusOK, "GET", "/api/jobs/"+first.JobID, nil).into(s.t, &job)
		if job.Status != "completed" && job.Status != "failed" {
			return errors.New("the job is " + job.Status)
		}
		return nil
	})
	return job.ErrorCode
}

// TestOthersSeeNothing asks for a job as somebody else.
func TestOthersSeeNothing(t *testing.T) {
	t.Parallel()
	w := oneWorld(t)
	owner, other := w.student(t), w.student(t)
	up := owner.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 5}).pdf)
	other.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 6}).pdf)
	job := "/api/jobs/" + up.JobID
	expectCode(t, other.call(http.StatusNotFound, "GET", job, nil), "JOB_NOT_FOUND")
	expectCode(t, other.call(http.StatusNotFound, "GET", job+"/result", nil), "JOB_NOT_FOUND")
	expectCode(t, other.call(http.StatusNotFound, "DELETE", job, nil), "JOB_NOT_FOUND")
	expectCode(t, other.call(http.StatusNotFound, "POST", "/api/generate/ics", map[string]any{"jobId": up.JobID, "year": 2026}), "JOB_NOT_FOUND")
	owner.call(http.StatusOK, "GET", job, nil)
	owner.call(http.StatusNoContent, "DELETE", job, nil)
	owner.call(http.StatusNotFound, "GET", job, nil)
}

// TestTheWholeAPIIsUsed uses what the other tests leave out, so that each described operation has
// been answered with success, as described.
func TestTheWholeAPIIsUsed(t *testing.T) {
	t.Parallel()
	identity, recipient := backupKeys(t)
	// Its first backup is made at once, for there is none: the calls below wait for it.
	w := start(t, stack.Config{BackupRecipients: []string{recipient}, BackupIdentity: identity, Google: stack.FakeGoogle},
		"TRUSTED_PROXIES", "127.0.0.0/8", "LIMIT_SIGNIN", "5/15m")
	s := w.student(t)
	admin := []string{"Authorization", "Bearer " + adminToken}
	up := s.upload(generated(t, fixture.Options{Kind: timetable.Lecture, Seed: 11}).pdf)
	s.call(http.StatusOK, "GET", "/api/jobs/metrics", nil)
	s.call(http.StatusOK, "GET", "/api/jobs/"+up.JobID, nil)
	s.call(http.StatusOK, "GET", "/api/jobs/"+up.JobID+"/result", nil)
	s.call(http.StatusOK, "POST", "/api/generate/ics", map[string]any{"jobId": up.JobID, "terms": terms2026})
	var feed struct{ URL, Token string }
	s.call(http.StatusCreated, "POST", "/api/feeds", map[string]any{"terms": terms2026}).into(t, &feed)
	s.call(http.StatusOK, "GET", feed.URL, nil)
	s.call(http.StatusOK, "GET", "/api/feeds", nil)
	extra := map[string]any{"module": "COS 110", "date": "2026-06-01", "startTime": "08:30", "endTime": "09:20"}
	s.call(http.StatusOK, "PUT", "/api/feeds/"+feed.Token, map[string]any{"terms": terms2026, "extra": []any{extra}})
	s.call(http.StatusNoContent, "DELETE", "/api/feeds/"+feed.Token, nil)
	s.call(http.StatusNoContent, "DELETE", "/api/jobs/"+up.JobID, nil)
	s.call(http.StatusOK, "GET", "/api/openapi.json", nil)
	var health struct {
		Services struct{ Uploads, Reading string }
	}
	if s.call(http.StatusOK, "GET", "/api/health", nil).into(t, &health); health.Services.Uploads != "ok" || health.Services.Reading != "ok" {
		t.Errorf("/api/health had a timetable read: got %+v", health)
	}
	s.call(http.StatusOK, "POST", "/tasks/sweep", nil, admin...)

	s.call(http.StatusOK, "GET", "/api/storage/usage", nil)
	w.student(t).blocked("192.0.2.7")
	var list struct{ Blocks []struct{ ID string } }
	s.call(http.StatusOK, "GET", "/api/admin/limits", nil, admin...).into(t, &list)
	if len(list.Blocks) == 0 {
		t.Error("nobody is blocked after guesses of the operators' token")
	}
	for _, block := range list.Blocks {
		s.call(http.StatusNoContent, "DELETE", "/api/admin/limits/"+block.ID, nil, admin...)
	}
	s.call(http.StatusNotFound, "DELETE", "/api/admin/limits/192.0.2.1", nil, admin...)
	bearer := []string{"Authorization", "Bearer " + eventToken}
	s.call(http.StatusNoContent, "POST", "/events/s3", nil, bearer...)
	for range 2 {
		s.call(http.StatusAccepted, "POST", "/events/dead-letter", notification(up.JobID), bearer...)
	}
	var letters struct{ DeadLetters []struct{ ID int64 } }
	s.call(http.StatusOK, "GET", "/api/admin/dead-letters", nil, admin...).into(t, &letters)
	if len(letters.DeadLetters) != 2 {
		t.Fatalf("got %d dead letters, want 2", len(letters.DeadLetters))
	}
	letter := func(i int) string { return fmt.Sprint("/api/admin/dead-letters/", letters.DeadLetters[i].ID) }
	s.call(http.StatusOK, "POST", letter(0)+"/replay", nil, admin...)
	s.call(http.StatusNoContent, "DELETE", letter(1), nil, admin...)

	var backups struct {
		Backups []struct{ ID, Status string }
	}
	eventually(t, func() error {
		s.call(http.StatusOK, "GET", "/api/admin/backups", nil, admin...).into(t, &backups)
		if len(backups.Backups) == 0 {
			return errors.New("there is no backup")
		}
		return nil
	})
	backup := "/api/admin/backups/" + backups.Backups[0].ID
	s.eventuallyCall(http.StatusOK, "POST", backup+"/verify", admin...)
	s.eventuallyCall(http.StatusCreated, "POST", "/api/admin/backups", admin...)
	s.call(http.StatusOK, "GET", backup, nil, admin...)
	eventually(t, func() error { // each function notes in the database that it works
		var health struct {
			Parts map[string]struct{ Status, Problem string }
		}
		s.call(http.StatusOK, "GET", "/api/health", nil, admin...).into(t, &health)
		for _, part := range []string{"postgres", "s3", "queue", "parser", "sweep", "calendar-generate", "google-sync", "backup"} {
			if health.Parts[part].Status != "ok" {
				return fmt.Errorf("%s: got %+v of %+v", part, health.Parts[part], health.Parts)
			}
		}
		return nil
	})
	s.call(http.StatusOK, "POST", "/tasks/watch", nil, admin...)

	s.call(http.StatusOK, "GET", "/api/timetable", nil)
	s.call(http.StatusOK, "GET", "/api/years", nil)
	s.call(http.StatusOK, "GET", "/api/years/2026", nil)
	s.call(http.StatusNotFound, "GET", "/api/years/2199", nil)

	s.signIn(w.system.Google())
	s.call(http.StatusOK, "GET", "/api/auth/status", nil)
	s.call(http.StatusOK, "GET", "/api/calendars", nil)
	var calendar struct{ ID string }
	s.call(http.StatusCreated, "POST", "/api/calendars", map[string]any{"summary": "Mine"}).into(t, &calendar)
	again := s.upload(generated(t, fixture.Options{Kind: timetable.Test, Seed: 12}).pdf)
	var sync struct{ SyncID string }
	s.call(http.StatusOK, "POST", "/api/calendars/events", map[string]any{"calendarId": calendar.ID, "jobId": again.JobID}).into(t, &sync)
	s.call(http.StatusOK, "GET", "/api/calendars/syncs", nil)
	s.call(http.StatusOK, "GET", "/api/calendars/syncs/"+sync.SyncID, nil)
	s.call(http.StatusOK, "POST", "/api/calendars/follow", map[string]any{"calendarId": calendar.ID, "follow": true})
	s.call(http.StatusOK, "DELETE", "/api/calendars/events?calendarId="+url.QueryEscape(calendar.ID), nil)
	s.call(http.StatusOK, "GET", "/api/me", nil)
	s.call(http.StatusOK, "GET", "/api/me/calendar.ics", nil)
	s.call(http.StatusOK, "POST", "/api/auth/logout", map[string]any{"forget": true})
	s.signIn(w.system.Google())
	s.call(http.StatusNoContent, "DELETE", "/api/auth/sessions", nil)
	s.signIn(w.system.Google())
	s.call(http.StatusOK, "DELETE", "/api/me", nil)

	// Functions tell each other of timetables on addresses that nobody outside reaches.
	if got, want := w.api.Unseen(), []string{"POST /events/google", "POST /events/timetable", "POST /tasks/feeds", "POST /tasks/google"}; !slices.Equal(got, want) {
		t.Errorf("not used with success: %v, want %v", got, want)
	}
}

// blocked guesses the operators' token from an address until it is blocked.
func (s *student) blocked(address string) {
	s.t.Helper()
	guess := []string{"Authorization", "Bearer a-guess", "X-Forwarded-For", address}
	for range 5 {
		s.call(http.StatusUnauthorized, "GET", "/api/admin/limits", nil, guess...)
	}
	s.call(http.StatusTooManyRequests, "GET", "/api/admin/limits", nil, guess...)
}

// eventuallyCall calls until the answer is no conflict any more: one backup is made at a time.
func (s *student) eventuallyCall(want int, method, path string, headers ...string) {
	s.t.Helper()
	eventually(s.t, func() error {
		request, err := http.NewRequestWithContext(s.t.Context(), method, s.world.url+path, nil)
		if err != nil {
			return err
		}
		request.Header.Set(headers[0], headers[1])
		got, err := send(s.client, request)
		if err == nil && got.StatusCode != want {
			err = fmt.Errorf("%s %s: got %d, want %d: %.300s", method, path, got.StatusCode, want, got.body)
		}
		return err
	})
}

// backupKeys makes the keys of backups: the file of the secret one, and the public one.
func backupKeys(t *testing.T) (identity, recipient string) {
	t.Helper()
	keys, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	identity = filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(identity, []byte(keys.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return identity, keys.Recipient().String()
}

// notification is what an object store tells of an upload.
func notification(jobID string) any {
	key := "uploads/normal/" + jobID + ".pdf"
	return map[string]any{
		"EventName": "s3:ObjectCreated:Put", "Key": "schedgen-pdfs/" + key,
		"Records": []any{map[string]any{
			"eventVersion": "2.0", "eventSource": "minio:s3", "awsRegion": "", "eventTime": "2026-02-09T08:00:00.000Z", "eventName": "s3:ObjectCreated:Put",
			"responseElements": map[string]any{"x-amz-request-id": "1", "x-amz-id-2": "2"},
			"s3": map[string]any{
				"bucket": map[string]any{"name": "schedgen-pdfs"},
				"object": map[string]any{"key": strings.ReplaceAll(key, "/", "%2F"), "size": 1, "sequencer": "1"},
			},
		}},
	}
}

// TestTwoSystemsSideBySide share nothing, though they run on one machine.
func TestTwoSystemsSideBySide(t *testing.T) {
	t.Parallel()
	one, two := embedded(t), embedded(t)
	s := one.student(t)
	up := s.upload(generated(t, fixture.Options{Kind: timetable.Exam, Seed: 12}).pdf)
	stranger := &student{t: t, world: two, client: s.client}
	stranger.call(http.StatusNotFound, "GET", "/api/jobs/"+up.JobID, nil)
}
