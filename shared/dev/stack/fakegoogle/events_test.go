package fakegoogle

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
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
	for _, method := range []string{"PATCH", "PUT", "DELETE"} {
		body := map[string]string{"PATCH": "{}", "PUT": single("")}[method]
		if got := reason(w.api(412, method, events+"/abcde", body, "If-Match", first)); got != "conditionNotMet" {
			t.Errorf("%s with an old etag: %q", method, got)
		}
	}
	w.api(412, "PATCH", events+"/abcde", "{}", "If-None-Match", "*")
	w.api(400, "PATCH", events+"/abcde", `{"id":"other"}`)
	w.api(400, "PATCH", events+"/abcde", `{"updated":"2026-01-01T00:00:00Z"}`)
	updated := w.api(200, "PUT", events+"/abcde", strings.Replace(single(""), `"id":"abcde",`, "", 1), "If-Match", second)
	if updated["extendedProperties"] != nil || text(updated, "created") != text(made, "created") || updated["reminders"].(object)["useDefault"] != true {
		t.Errorf("an update of the whole leaves %v", updated)
	}
	w.api(204, "DELETE", events+"/abcde", "", "If-Match", text(updated, "etag"))
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
			if text(answer, "nextSyncToken") == "" {
				t.Error("the last page has no sync token")
			}
			break
		}
		w.api(400, "GET", events+"?q=x&pageToken="+page, "")
	}
	if pages != 3 || len(ids) != 10 || !slices.IsSorted(ids) {
		t.Errorf("%d pages with %v, want 3 with ten events in order", pages, ids)
	}
	list := w.api(200, "GET", "users/me/calendarList?maxResults=1&minAccessRole=owner", "")
	if len(items(list)) != 1 || text(items(list)[0], "id") != me || items(list)[0]["primary"] != true {
		t.Errorf("the calendar list is %v", list)
	}
}

// TestSeriesAreExpanded with exclusions and exceptions, and ordered and filtered.
func TestSeriesAreExpanded(t *testing.T) {
	w := newWorld(t)
	w.api(200, "POST", events, series(""))
	w.api(200, "POST", events, single(`,"description":"of a Lion","extendedProperties":{"private":{"k":"v"},"shared":{"s":"t"}}`))
	starts := func(query string) []string {
		t.Helper()
		var all []string
		for _, item := range items(w.api(200, "GET", events+query, "")) {
			all = append(all, text(item["start"].(object), "dateTime")[5:10])
		}
		return all
	}
	if got := starts("/series/instances"); !slices.Equal(got, []string{"02-09", "02-16", "03-02", "03-09"}) {
		t.Errorf("the instances start on %v", got)
	}
	// One date is moved, and one is deleted, as a person does.
	w.api(200, "PATCH", events+"/series_20260216T063000Z", `{"start":{"dateTime":"2026-02-17T10:00:00+02:00"},"end":{"dateTime":"2026-02-17T11:00:00+02:00"}}`)
	w.api(204, "DELETE", events+"/series_20260302T063000Z", "")
	w.api(404, "GET", events+"/series_20260223T063000Z", "")
	if got := starts("?singleEvents=true&orderBy=startTime"); !slices.Equal(got, []string{"02-09", "02-09", "02-17", "03-09"}) {
		t.Errorf("expanded and ordered they start on %v", got)
	}
	for query, want := range map[string]int{
		"?q=lion": 1, "?q=tiger": 0, "?privateExtendedProperty=k%3Dv": 1, "?privateExtendedProperty=k%3Dx": 0, "?sharedExtendedProperty=s%3Dt": 1,
		"?iCalUID=" + url.QueryEscape("abcde@google.com"): 1, "?eventTypes=focusTime": 0, "?eventTypes=default&eventTypes=birthday": 4,
		"?timeMin=2026-03-05T00:00:00Z": 1, "?timeMax=2026-02-10T00:00:00Z&singleEvents=true": 2, "?singleEvents=true&showDeleted=true": 5,
		"?updatedMin=" + url.QueryEscape(time.Now().Add(time.Hour).Format(time.RFC3339)): 0, "?orderBy=updated": 4,
	} {
		if got := len(items(w.api(200, "GET", events+query, ""))); got != want {
			t.Errorf("%s gives %d events, want %d", query, got, want)
		}
	}
	w.api(400, "GET", events+"/abcde/instances", "")
	w.api(204, "DELETE", events+"/series", "")
	if got := starts("?singleEvents=true"); len(got) != 1 {
		t.Errorf("after the series is deleted there are %v", got)
	}
}

// TestSyncTokens give what changed since, and end.
func TestSyncTokens(t *testing.T) {
	w := newWorld(t)
	w.api(200, "POST", events, single(""))
	token := text(w.api(200, "GET", events, ""), "nextSyncToken")
	if got := items(w.api(200, "GET", events+"?syncToken="+token, "")); len(got) != 0 {
		t.Errorf("nothing changed, and it gives %v", got)
	}
	w.api(204, "DELETE", events+"/abcde", "")
	if got := items(w.api(200, "GET", events+"?syncToken="+token, "")); len(got) != 1 || text(got[0], "status") != "cancelled" {
		t.Errorf("after a deletion it gives %v", got)
	}
	w.s.ExpireSyncTokens()
	if got := reason(w.api(410, "GET", events+"?syncToken="+token, "")); got != "fullSyncRequired" {
		t.Errorf("an old token: %q", got)
	}
}

// TestCalendars are made, changed, shared and deleted.
func TestCalendars(t *testing.T) {
	w := newWorld(t)
	made := w.api(200, "POST", "calendars", `{"summary":"Mine","description":"d","location":"l"}`)
	at := "calendars/" + text(made, "id")
	if text(made, "timeZone") != "UTC" || text(made, "description") != "d" || text(made, "location") != "l" {
		t.Errorf("the calendar is %v", made)
	}
	w.api(412, "PATCH", at, `{"summary":"x"}`, "If-Match", `"0"`)
	w.api(400, "PATCH", at, `{"summary":null}`)
	changed := w.api(200, "PATCH", at, `{"summary":"Ours","description":null,"timeZone":"Africa/Johannesburg"}`, "If-Match", text(made, "etag"))
	if text(changed, "summary") != "Ours" || changed["description"] != nil || text(w.api(200, "GET", at, ""), "timeZone") != "Africa/Johannesburg" {
		t.Errorf("the changed calendar is %v", changed)
	}
	w.s.Share(text(made, "id"), you, "reader")
	mine := w.token
	w.token, _ = w.signIn(you, calendarScopes)["access_token"].(string)
	w.api(200, "GET", at+"/events", "")
	if got := reason(w.api(403, "POST", at+"/events", single(""))); got != "requiredAccessLevel" {
		t.Errorf("a reader writes: %q", got)
	}
	w.api(403, "DELETE", at, "")
	if got := len(items(w.api(200, "GET", "users/me/calendarList?minAccessRole=writer", ""))); got != 1 {
		t.Errorf("%d calendars to write to, want 1", got)
	}
	w.token = mine
	if got := reason(w.api(403, "DELETE", "calendars/primary", "")); got != "cannotDeletePrimaryCalendar" {
		t.Errorf("the primary calendar: %q", got)
	}
	w.api(204, "DELETE", at, "")
	w.api(404, "GET", at, "")
	if w.s.Events(text(made, "id")) != nil || w.s.Edit("none", "x", nil) == nil || w.s.Remove("none", "x", false) == nil {
		t.Error("what is gone is still there")
	}
}
