package fakegoogle

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestLifeOfAnEvent: insert, read, patch, update, delete and bring back, with etags as preconditions.
func TestLifeOfAnEvent(t *testing.T) {
	w := newWorld(t)
	made := w.api(200, "POST", events, single(`,"location":"Here","reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":5}]},
		"extendedProperties":{"private":{"a":"1","b":"2"}}`))
	first := text(made, "etag")
	if text(made, "status") != "confirmed" || text(made, "iCalUID") == "" || first == "" || text(made, "created") == "" {
		t.Errorf("the event is %v", made)
	}
	if got := reason(w.api(409, "POST", events, single(""))); got != "duplicate" {
		t.Errorf("the same id again: %q", got)
	}
	res, _ := w.send("GET", w.s.CalendarURL()+events+"/abcde", "", "", "Authorization", "Bearer "+w.token, "If-None-Match", first)
	if res.StatusCode != http.StatusNotModified {
		t.Errorf("an unchanged event gives %d, want 304", res.StatusCode)
	}
	patched := w.api(200, "PATCH", events+"/abcde", `{"location":null,"summary":"Twice","extendedProperties":{"private":{"b":null,"c":"3"}}}`, "If-Match", first)
	private := patched["extendedProperties"].(object)["private"].(object)
	if patched["location"] != nil || text(patched, "summary") != "Twice" || private["a"] != "1" || private["b"] != nil || private["c"] != "3" {
		t.Errorf("the patched event is %v", patched)
	}
	second := text(patched, "etag")
	if second == first {
		t.Error("a change does not change the etag")
	}
	for _, method := range []string{"PATCH", "DELETE"} {
		body := map[string]string{"PATCH": "{}"}[method]
		if got := reason(w.api(412, method, events+"/abcde", body, "If-Match", first)); got != "conditionNotMet" {
			t.Errorf("%s with an old etag: %q", method, got)
		}
	}
	w.api(412, "PATCH", events+"/abcde", "{}", "If-None-Match", "*")
	w.api(400, "PATCH", events+"/abcde", `{"id":"other"}`)
	w.api(400, "PATCH", events+"/abcde", `{"updated":"2026-01-01T00:00:00Z"}`)
	w.api(204, "DELETE", events+"/abcde", "", "If-Match", second)
	if got := reason(w.api(410, "DELETE", events+"/abcde", "")); got != "deleted" {
		t.Errorf("deleted twice: %q", got)
	}
	w.api(409, "POST", events, single("")) // Google remembers the id
	gone := w.api(200, "GET", events+"/abcde", "")
	if text(gone, "status") != "cancelled" || len(items(w.api(200, "GET", events, ""))) != 0 || len(items(w.api(200, "GET", events+"?showDeleted=true", ""))) != 1 {
		t.Errorf("the deleted event is %v", gone)
	}
	back := w.api(200, "PATCH", events+"/abcde", `{"status":"confirmed"}`, "If-Match", text(gone, "etag"))
	if text(back, "status") != "confirmed" || len(w.s.Events(me)) != 1 {
		t.Errorf("the restored event is %v", back)
	}
	if got := reason(w.api(404, "GET", events+"/nobody", "")); got != "notFound" {
		t.Errorf("an unknown event: %q", got)
	}
	own := w.api(200, "POST", events, `{"start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`)
	if p := checkID(text(own, "id")); p != nil {
		t.Errorf("an id of the server's own: %v", p)
	}
	w.api(501, "POST", events+"/abcde/move?destination=x", "")
	w.api(404, "POST", "calendars/none/events", single(""))
}

// TestPages: every event comes once, in an order that stays, and a token belongs to its list.
func TestPages(t *testing.T) {
	w := newWorld(t)
	for _, c := range "0123456789" {
		w.api(200, "POST", events, strings.Replace(single(""), "abcde", "abcd"+string(c), 1))
	}
	var ids []string
	page, pages := "", 0
	for {
		answer := w.api(200, "GET", events+"?maxResults=4&pageToken="+page, "")
		for _, item := range items(answer) {
			ids = append(ids, text(item, "id"))
		}
		pages++
		if page = text(answer, "nextPageToken"); page == "" {
			break
		}
		w.api(400, "GET", events+"?showDeleted=true&pageToken="+page, "")
	}
	if pages != 3 || len(ids) != 10 || !slices.IsSorted(ids) {
		t.Errorf("%d pages with %v, want 3 with ten events in order", pages, ids)
	}
	list := w.api(200, "GET", "users/me/calendarList?maxResults=1&minAccessRole=owner", "")
	if len(items(list)) != 1 || text(items(list)[0], "id") != me || items(list)[0]["primary"] != true {
		t.Errorf("the calendar list is %v", list)
	}
}

// TestSeriesAreExpanded with exclusions and exceptions, and lists are filtered.
func TestSeriesAreExpanded(t *testing.T) {
	w := newWorld(t)
	w.api(200, "POST", events, series(""))
	w.api(200, "POST", events, single(`,"extendedProperties":{"private":{"k":"v"}}`))
	starts := func() []string {
		t.Helper()
		var all []string
		for _, item := range w.s.Instances(me) {
			all = append(all, text(item["start"].(object), "dateTime")[5:10])
		}
		return all
	}
	if got := starts(); !slices.Equal(got, []string{"02-09", "02-16", "03-02", "03-09", "02-09"}) {
		t.Errorf("the instances start on %v", got)
	}
	// One date is moved, and one is deleted, as a person does.
	w.api(200, "PATCH", events+"/series_20260216T063000Z", `{"start":{"dateTime":"2026-02-17T10:00:00+02:00"},"end":{"dateTime":"2026-02-17T11:00:00+02:00"}}`)
	w.api(204, "DELETE", events+"/series_20260302T063000Z", "")
	w.api(404, "GET", events+"/series_20260223T063000Z", "")
	if got := starts(); !slices.Equal(got, []string{"02-09", "02-17", "03-09", "02-09"}) {
		t.Errorf("after a person's edits they start on %v", got)
	}
	for query, want := range map[string]int{"": 4, "?privateExtendedProperty=k%3Dv": 1, "?privateExtendedProperty=k%3Dx": 0, "?showDeleted=true": 4} {
		if got := len(items(w.api(200, "GET", events+query, ""))); got != want {
			t.Errorf("%s gives %d events, want %d", query, got, want)
		}
	}
	w.api(204, "DELETE", events+"/series", "")
	if got := starts(); len(got) != 1 {
		t.Errorf("after the series is deleted there are %v", got)
	}
}

// TestWhatSchedgenDoesNotSendIsNotServed: a call of Google's API that schedgen does not make is refused, and not ignored.
func TestWhatSchedgenDoesNotSendIsNotServed(t *testing.T) {
	w := newWorld(t)
	for _, query := range []string{"?q=x", "?singleEvents=true", "?syncToken=x", "?timeMin=2026-02-09T08:30:00Z"} {
		w.api(501, "GET", events+query, "")
	}
	w.api(501, "DELETE", "calendars/primary", "")
}

// TestCalendars are made and shared.
func TestCalendars(t *testing.T) {
	w := newWorld(t)
	made := w.api(200, "POST", "calendars", `{"summary":"Mine","description":"d","location":"l"}`)
	at := "calendars/" + text(made, "id")
	if text(made, "timeZone") != "UTC" || text(made, "description") != "d" || text(made, "location") != "l" {
		t.Errorf("the calendar is %v", made)
	}
	w.s.Share(text(made, "id"), you, "reader")
	w.token, _ = w.signIn(you, calendarScopes)["access_token"].(string)
	w.api(200, "GET", at+"/events", "")
	if got := reason(w.api(403, "POST", at+"/events", single(""))); got != "requiredAccessLevel" {
		t.Errorf("a reader writes: %q", got)
	}
	if got := len(items(w.api(200, "GET", "users/me/calendarList?minAccessRole=writer", ""))); got != 1 {
		t.Errorf("%d calendars to write to, want 1", got)
	}
	if w.s.Events("none") != nil || w.s.Edit("none", "x", nil) == nil || w.s.Remove("none", "x", false) == nil {
		t.Error("a calendar that does not exist can be read or changed")
	}
}
