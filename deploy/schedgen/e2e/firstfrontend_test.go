package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/schedgen/schedgen/deploy/schedgen/internal/stack"
	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/timetable"
)

// frontendSite is where the first frontend lives: on a site of its own.
const frontendSite = "https://timetable.example.org"

// firstFrontend is a page of the first frontend in a person's browser. It sends what that sends, and no more.
type firstFrontend struct{ *student }

// overHTTPS is the cookies of a browser that reaches the system through a proxy that speaks HTTPS.
type overHTTPS struct{ http.CookieJar }

func (j overHTTPS) SetCookies(u *url.URL, cookies []*http.Cookie) {
	for _, cookie := range cookies {
		cookie.Secure = false
	}
	j.CookieJar.SetCookies(u, cookies)
}

// frontendWorld is a system with the three settings that the first frontend needs.
func frontendWorld(t *testing.T) *world {
	t.Helper()
	return start(t, stack.Config{Google: stack.FakeGoogle},
		"FRONTEND_URL", frontendSite, "TRUSTED_ORIGINS", frontendSite, "COOKIE_SAMESITE", "none", "SESSION_SECURE", "true")
}

func (w *world) firstFrontend(t *testing.T) firstFrontend {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := w.student(t)
	s.client.Jar = overHTTPS{jar}
	return firstFrontend{s}
}

// ask sends what the page sends, from where it is, and finds that it may read the answer.
func (f firstFrontend) ask(want int, method, path string, body any, headers ...string) answer {
	f.t.Helper()
	got := f.call(want, method, path, body, append(headers,
		"Origin", frontendSite, "Sec-Fetch-Site", "cross-site", "Accept", "application/json, text/plain, */*")...)
	if got.Header.Get("Access-Control-Allow-Origin") != frontendSite || got.Header.Get("Access-Control-Allow-Credentials") != "true" {
		f.t.Errorf("%s %s: the page may not read the answer: %v", method, path, got.Header)
	}
	return got
}

// itsUpload is what the page reads of an upload's answer.
type itsUpload struct {
	Message       string
	Events        []event
	SemesterDates struct{ Semester, StartDate, EndDate *string }
}

// upload sends the one form that the page has.
func (f firstFrontend) upload(pdf []byte) (up itsUpload) {
	f.t.Helper()
	contentType, body := form(pdf)
	f.ask(http.StatusCreated, "POST", "/api/upload", body, "Content-Type", contentType).into(f.t, &up)
	return up
}

// itsEvent is an event as the page sends it.
type itsEvent struct {
	ID          string `json:"id"`
	Summary     string `json:"summary"`
	Location    string `json:"location"`
	StartTime   string `json:"startTime"`
	EndTime     string `json:"endTime"`
	Day         string `json:"day,omitempty"`
	Date        string `json:"date,omitempty"`
	IsRecurring bool   `json:"isRecurring"`
	ColorID     string `json:"colorId"`
	Notes       string `json:"notes,omitempty"`
}

// customized is what the page makes of an upload's events: titles, colours, a note, and ids that are new each time.
func customized(events []event) []itsEvent {
	made := make([]itsEvent, 0, len(events))
	for i, e := range events {
		its := itsEvent{ID: uuid.NewString(), Summary: strings.TrimSpace(e.Module + " " + e.Activity), Location: e.Venue,
			StartTime: e.StartTime, EndTime: e.EndTime, IsRecurring: e.IsRecurring, ColorID: fmt.Sprint(i%11 + 1), Notes: fmt.Sprintf("note %d", i)}
		if e.Group != "" {
			its.Summary += " (" + e.Group + ")"
		}
		if its.Day = e.Day; e.Date != "" {
			its.Day, its.Date = "", e.Date+"T00:00:00.000Z"
		}
		made = append(made, its)
	}
	return made
}

// itsBody is the body of its calls for a file and for Google.
func itsBody(kind timetable.Kind, events []itsEvent) map[string]any {
	body := map[string]any{"events": events, "pdfType": kind}
	if kind == timetable.Lecture {
		body["semesterStart"], body["semesterEnd"] = "2026-02-09", "2026-05-22T00:00:00.000Z"
	}
	return body
}

// told is an event in the words of a test: title, place, note, and when it first happens.
func (e itsEvent) told() string {
	when := e.Day
	if e.Date != "" {
		when = e.Date[:10]
	}
	return strings.Join([]string{e.Summary, e.Location, "Notes: " + e.Notes, when, e.StartTime}, " | ")
}

func (e readEvent) told() string {
	first := e.Occurrences[0][0].In(zone)
	when := first.Format("2006-01-02")
	if len(e.Occurrences) > 1 {
		when = first.Weekday().String()
	}
	return strings.Join([]string{e.Summary, e.Location, e.Description, when, first.Format("15:04")}, " | ")
}

// TestFirstFrontendsFiles goes from a PDF to a calendar file as that frontend does, and reads it with two programs.
func TestFirstFrontendsFiles(t *testing.T) {
	t.Parallel()
	w := frontendWorld(t)
	t.Run("kinds", func(t *testing.T) {
		for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Test} {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				f := w.firstFrontend(t)
				up := f.upload(generated(t, fixture.Options{Kind: kind, Seed: 21, Modules: 4}).pdf)
				events := customized(distinctSlots(up.Events))
				file := string(f.ask(http.StatusOK, "POST", "/api/generate/ics", itsBody(kind, events)).body)
				want := make([]string, 0, len(events))
				for _, e := range events {
					want = append(want, e.told())
				}
				slices.Sort(want)
				again := string(f.ask(http.StatusOK, "POST", "/api/generate/ics", itsBody(kind, customized(distinctSlots(up.Events)))).body)
				for _, r := range readers {
					t.Run(r.name, func(t *testing.T) {
						t.Parallel()
						read, uids := r.read(t, file), map[string]bool{}
						got := make([]string, 0, len(read))
						for _, e := range read {
							got = append(got, e.told())
							uids[e.UID] = true
						}
						slices.Sort(got)
						expectSame(t, "the file", got, want)
						for _, e := range r.read(t, again) {
							if !uids[e.UID] {
								t.Errorf("%s has another UID with another id", e.Summary)
							}
						}
					})
				}
			})
		}
	})
}

// distinctSlots leaves out what the page would show under one title at one time: alternatives in other languages.
func distinctSlots(events []event) []event {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(events), func(e event) bool {
		key := strings.Join([]string{e.Module, e.Activity, e.Group, e.Day, e.Date, e.StartTime}, "|")
		twice := seen[key]
		seen[key] = true
		return twice || e.StartTime == "" || e.EndTime == "" || e.Day == "" && e.Date == ""
	})
}

// TestFirstFrontendSyncsToGoogle signs in and comes back to the page, adds events to the person's own calendar and
// to a new one, and signs out.
func TestFirstFrontendSyncsToGoogle(t *testing.T) {
	t.Parallel()
	w := frontendWorld(t)
	f := w.firstFrontend(t)
	up := f.upload(generated(t, fixture.Options{Kind: timetable.Test, Seed: 22, Modules: 3}).pdf)
	if back := f.signInFrom(w.google, "/customize"); back != frontendSite+"/customize?signIn=ok" {
		t.Errorf("the sign-in leads to %s", back)
	}
	var status struct {
		Authenticated bool
		User          struct{ Email, FirstName, LastName, Picture string }
	}
	f.ask(http.StatusOK, "GET", "/api/auth/status", nil).into(t, &status)
	if !status.Authenticated || status.User.Email != person || status.User.FirstName != "A" || status.User.LastName != "Student" {
		t.Errorf("the status is %+v", status)
	}
	var made struct{ ID, Summary, Description string }
	f.ask(http.StatusCreated, "POST", "/api/calendars", map[string]any{"name": "Tests", "description": "of this year"}).into(t, &made)
	var list struct {
		Calendars []struct {
			ID, Summary, Description, BackgroundColor string
			Primary                                   bool
		}
	}
	f.ask(http.StatusOK, "GET", "/api/calendars", nil).into(t, &list)
	if len(list.Calendars) != 2 || !list.Calendars[0].Primary || list.Calendars[1].ID != made.ID || list.Calendars[1].Description != "of this year" {
		t.Errorf("the calendars are %+v", list.Calendars)
	}
	all := distinctSlots(up.Events)
	adds := func(calendar string, events []event) (count int) {
		t.Helper()
		body := itsBody(timetable.Test, customized(events))
		body["calendarId"] = calendar
		var got struct {
			Message string
			Count   int
		}
		f.ask(http.StatusOK, "POST", "/api/calendars/events", body).into(t, &got)
		return got.Count
	}
	if got := adds("primary", all[:1]) + adds("primary", all[1:]) + adds(made.ID, all); got != 2*len(all) {
		t.Errorf("%d events were added in all, want %d", got, 2*len(all))
	}
	writes := w.google.Writes()
	adds("primary", all[:1])
	if w.google.Writes() != writes {
		t.Error("the same body again changes something")
	}
	for id, n := range map[string]int{person: len(all), made.ID: len(all)} {
		if got := len(w.google.Events(id)); got != n {
			t.Errorf("%s holds %d events, want %d", id, got, n)
		}
	}
	f.ask(http.StatusOK, "POST", "/api/auth/logout", nil)
	expectCode(t, f.ask(http.StatusUnauthorized, "GET", "/api/calendars", nil), "GOOGLE_AUTH_REQUIRED")
	if wrong := w.google.Violations(); len(wrong) > 0 {
		t.Errorf("requests that Google's description does not allow: %q", wrong)
	}
}

// TestFirstFrontendsRecordedBodies makes files of bodies that were recorded from that frontend.
func TestFirstFrontendsRecordedBodies(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob(filepath.Join(os.Getenv("SCHEDGEN_CASES"), "first-frontend-*.json"))
	if len(files) == 0 {
		t.Skip("set SCHEDGEN_CASES to a folder of recorded cases to send what the first frontend sent")
	}
	f := frontendWorld(t).firstFrontend(t)
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var sent struct{ Events []itsEvent }
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Fatal(err)
		}
		file := string(f.ask(http.StatusOK, "POST", "/api/generate/ics", strings.NewReader(string(body)), "Content-Type", "application/json").body)
		read := readers[0].read(t, file)
		for _, e := range sent.Events {
			if !slices.ContainsFunc(read, func(r readEvent) bool {
				return r.Summary == e.Summary && r.Location == e.Location && r.Color != "" && strings.Contains(r.Description, e.Notes)
			}) {
				t.Errorf("%s: %+v is not in\n%s", filepath.Base(name), e, file)
			}
		}
	}
}
