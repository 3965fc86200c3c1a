package e2e_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/stack/fakegoogle"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// person is who signs in at the stand-in of Google, which also names their first calendar.
const person = "student@tuks.example"

// counts are what a sync did.
type counts struct{ Created, Updated, Deleted, Unchanged int }

// TestAGoogleCalendarFollowsTheTimetable goes from an upload to a calendar at Google and back: the same
// again writes nothing, a moved lecture is one update, a dropped module takes only its events along, and
// a followed calendar changes with the next upload by itself.
func TestAGoogleCalendarFollowsTheTimetable(t *testing.T) {
	t.Parallel()
	eachWorld(t, followsTheTimetable)
}

func followsTheTimetable(t *testing.T, w *world) {
	google, s := w.google, w.student(t)
	whole, moved, dropped := editions(t)
	s.upload(whole.pdf) // before the sign-in: it joins the account
	s.signIn(google)
	sync := func() (c counts) {
		t.Helper()
		s.call(http.StatusOK, "POST", "/api/calendars/events", map[string]any{"calendarId": person, "terms": terms2026, "year": 2026}).into(t, &c)
		return c
	}
	expect := func(when string, got, want counts) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %+v, want %+v", when, got, want)
		}
	}
	all := len(meetings(whole.doc))
	expect("the first sync", sync(), counts{Created: all})
	writes := google.Writes()
	expect("the second sync", sync(), counts{Unchanged: all})
	if google.Writes() != writes {
		t.Errorf("the second sync made %d calls that write, want none", google.Writes()-writes)
	}
	s.upload(moved.pdf)
	expect("a moved lecture", sync(), counts{Updated: 1, Unchanged: all - 1})
	s.upload(whole.pdf)
	expect("moved back", sync(), counts{Updated: 1, Unchanged: all - 1})
	left := len(meetings(dropped.doc))
	s.upload(dropped.pdf)
	expect("a dropped module", sync(), counts{Deleted: all - left, Unchanged: left})

	s.call(http.StatusOK, "POST", "/api/calendars/follow", map[string]any{"calendarId": person, "follow": true})
	s.upload(whole.pdf)
	eventually(t, func() error {
		if got := len(google.Events(person)); got != all {
			return errors.New("the followed calendar does not have the newer timetable yet")
		}
		return nil
	})
	june, november := generated(t, fixture.Options{Kind: timetable.Exam, Seed: 1, Modules: 3}), generated(t, fixture.Options{Kind: timetable.Exam, Seed: 2, Modules: 4})
	s.upload(june.pdf)
	s.upload(november.pdf) // of another session: it says nothing about the first
	eventually(t, func() error {
		if got, want := len(google.Events(person)), all+len(meetings(june.doc))+len(meetings(november.doc)); got != want {
			return fmt.Errorf("the followed calendar has %d events, want %d with those of both exam sessions", got, want)
		}
		return nil
	})
	if wrong := google.Violations(); len(wrong) > 0 {
		t.Errorf("requests that Google's description does not allow: %q", wrong)
	}
}

// editions are a timetable, the same with one lecture at another time, and the same without its last
// module.
func editions(t *testing.T) (whole, moved, dropped printed) {
	t.Helper()
	const modules = 4
	for seed := uint64(1); ; seed++ {
		options := fixture.Options{Kind: timetable.Lecture, Seed: seed, Modules: modules}
		whole = generated(t, options)
		before, after := onlyOnce(whole)
		if before == "" {
			continue
		}
		moved = printed{"moved", bytes.Replace(whole.pdf, []byte(before), []byte(after), 1), whole.doc}
		options.Modules = modules - 1
		return whole, moved, generated(t, options)
	}
}

// onlyOnce finds a time that a single row of the file has, and gives it with one of the same length.
func onlyOnce(p printed) (before, after string) {
	for _, e := range p.doc.Entries {
		text := "(" + e.StartTime + " - " + e.EndTime + ")"
		if bytes.Count(p.pdf, []byte(text)) == 1 && strings.HasSuffix(e.EndTime, ":20") && e.StartTime[:2] < e.EndTime[:2] {
			return text, "(20:30 - 21:20)"
		}
	}
	return "", ""
}

// signIn signs the person in.
func (s *student) signIn(google *fakegoogle.Server) {
	s.t.Helper()
	if back := s.signInFrom(google, "/done"); back != "/done?signIn=ok" {
		s.t.Fatalf("the sign-in leads to %q, want /done?signIn=ok", back)
	}
}

// signInFrom signs the person in, as a browser does: to Google's page, the answer there, and back to the given page.
func (s *student) signInFrom(google *fakegoogle.Server, page string) (back string) {
	s.t.Helper()
	page = s.call(http.StatusFound, "GET", "/api/auth/google?returnUrl="+url.QueryEscape(page), nil).Header.Get("Location")
	if !strings.HasPrefix(page, google.Issuer()) {
		s.t.Fatalf("sign-in leads to %q, want a page of %s", page, google.Issuer())
	}
	// What happens at Google is no part of the API that is checked.
	browser := &http.Client{CheckRedirect: s.client.CheckRedirect}
	where, question, _ := strings.Cut(page, "?")
	agreed, err := browser.PostForm(where, url.Values{"request": {question}, "email": {person}, "answer": {"allow"}})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := agreed.Body.Close(); err != nil || agreed.StatusCode != http.StatusFound {
		s.t.Fatalf("Google's page answered %d (%v)", agreed.StatusCode, err)
	}
	return s.call(http.StatusFound, "GET", agreed.Header.Get("Location"), nil).Header.Get("Location")
}
