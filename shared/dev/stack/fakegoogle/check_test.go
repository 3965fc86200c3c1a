package fakegoogle

import (
	"net/http"
	"strings"
	"testing"
)

// TestDescriptionIsKept: what Google's description does not have is refused, and noted.
func TestDescriptionIsKept(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		status             int
		method, path, body string
		rule               string
	}{
		{404, "GET", "calendars/x/happenings", "", "no such path"},
		{404, "GET", "", "", "no such path"},
		{405, "PUT", events, single(""), "no method PUT"},
		{400, "GET", events + "?max=3", "", `unknown parameter "max"`},
		{400, "GET", events + "?maxResults=0", "", "below 1"},
		{400, "GET", events + "?maxResults=many", "", "not a whole number"},
		{400, "GET", events + "?maxResults=3&maxResults=4", "", "given 2 times"},
		{400, "GET", events + "?singleEvents=yes", "", "not true or false"},
		{400, "GET", events + "?orderBy=title", "", "none of startTime, updated"},
		{400, "GET", events + "?timeMin=2026-02-09T08:30:00", "", "not an RFC 3339 time"},
		{400, "GET", events + "?privateExtendedProperty=x", "", "not name=value"},
		{400, "GET", events + "?pageToken=x", "", "not a token of this list"},
		{400, "GET", events + "?%zz", "", "not well encoded"},
		{400, "GET", events, "{}", "takes no body"},
		{400, "POST", events + "?sendUpdates=some", single(""), "none of all"},
		{400, "POST", events + "?conferenceDataVersion=2", single(""), "above 1"},
		{400, "POST", events, "", "application/json"},
		{400, "POST", events, "[]", "not a JSON object"},
		{400, "POST", events, single("") + "{}", "more after its object"},
		{400, "POST", events, single(`,"title":"x"`), "unknown field Event.title"},
		{400, "POST", events, single(`,"summary":3`), "Event.summary is not a string"},
		{400, "POST", events, single(`,"sequence":"1"`), "Event.sequence is not a number"},
		{400, "POST", events, single(`,"sequence":1.5`), "not a whole number"},
		{400, "POST", events, single(`,"anyoneCanAddSelf":"no"`), "not true or false"},
		{400, "POST", events, single(`,"recurrence":"RRULE:FREQ=DAILY"`), "Event.recurrence is not an array"},
		{400, "POST", events, single(`,"recurrence":[null]`), "is null"},
		{400, "POST", events, single(`,"reminders":[]`), "Event.reminders is not an object"},
		{400, "POST", events, single(`,"reminders":{"override":[]}`), "unknown field Event.reminders.override"},
		{400, "POST", events, single(`,"reminders":{"overrides":[{"method":"popup","minutes":"3"}]}`), "minutes is not a number"},
		{400, "POST", events, single(`,"extendedProperties":{"private":{"a":1}}`), "private.a is not a string"},
		{400, "POST", events, `{"start":{"date":"2026-02-09"}}`, "Event.end is missing"},
		{400, "POST", "calendars", `{"description":"x"}`, "Calendar.summary is missing"},
		{400, "POST", "calendars", `{"summary":""}`, "needs a summary"},
		{400, "POST", "calendars", `{"summary":"x","timeZone":"Mars"}`, "no IANA time zone"},
		{400, "POST", "calendars", `{"summary":"x","id":"mine"}`, "no id and no etag yet"},
		{400, "POST", events + "/quickAdd", "", `"text" is missing`},
	} {
		w.s.Forget()
		w.api(c.status, c.method, c.path, c.body)
		if broken := w.s.Violations(); len(broken) != 1 || !strings.Contains(broken[0], c.rule) {
			t.Errorf("%s %s %s: noted as %q, want %q", c.method, c.path, c.body, broken, c.rule)
		}
	}
	if w.s.Writes() != 0 {
		t.Errorf("%d calls wrote something", w.s.Writes())
	}
}

// TestRulesInWords: those that the description gives only as text.
func TestRulesInWords(t *testing.T) {
	w := newWorld(t)
	recur := func(lines string) string {
		return strings.Replace(series(""), `"RRULE:FREQ=WEEKLY;UNTIL=20260309T063000Z"`, lines, 1)
	}
	at := func(start, end string) string { return `{"start":{` + start + `},"end":{` + end + `}}` }
	long := strings.Repeat("x", 1025)
	for rule, body := range map[string]string{
		"4 characters":         `{"id":"abcd","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`,
		"1025 characters":      `{"id":"` + strings.Repeat("a", 1025) + `","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`,
		`character 'w'`:        `{"id":"abcdw","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`,
		`character 'A'`:        `{"id":"Abcde","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"}}`,
		"only one of id":       single(`,"iCalUID":"x@y"`),
		"status: \"open\"":     single(`,"status":"open"`),
		"cannot be cancelled":  single(`,"status":"cancelled"`),
		"visibility":           single(`,"visibility":"secret"`),
		"transparency":         single(`,"transparency":"clear"`),
		"eventType":            single(`,"eventType":"party"`),
		"no event colour":      single(`,"colorId":"12"`),
		"colorId: \"01\"":      single(`,"colorId":"01"`),
		"created is not for":   single(`,"created":"2026-01-01T00:00:00Z"`),
		"etag is not for":      single(`,"etag":"\"1\""`),
		"recurringEventId":     single(`,"recurringEventId":"abcde"`),
		"both be dates":        at(`"date":"2026-02-09"`, `"dateTime":"2026-02-09T08:30:00Z"`),
		"not both":             at(`"date":"2026-02-09","dateTime":"2026-02-09T08:30:00Z"`, `"date":"2026-02-10"`),
		"start needs a date":   at(`"timeZone":"UTC"`, `"date":"2026-02-10"`),
		"yyyy-mm-dd":           at(`"date":"2026-02-30"`, `"date":"2026-03-01"`),
		"range is empty":       at(`"dateTime":"2026-02-09T08:30:00Z"`, `"dateTime":"2026-02-09T08:29:00Z"`),
		"time range is empty":  at(`"date":"2026-02-09"`, `"date":"2026-02-09"`),
		"offset or a timeZone": at(`"dateTime":"2026-02-09T08:30:00"`, `"dateTime":"2026-02-09T09:30:00"`),
		"no IANA time zone":    at(`"dateTime":"2026-02-09T08:30:00","timeZone":"South Africa"`, `"dateTime":"2026-02-09T09:30:00Z"`),
		"Missing time zone":    strings.ReplaceAll(series(""), `,"timeZone":"Africa/Johannesburg"`, ""),
		"DTSTART":              recur(`"DTSTART:20260209T083000Z"`),
		"no FREQ":              recur(`"RRULE:COUNT=3"`),
		"FREQ=OFTEN":           recur(`"RRULE:FREQ=OFTEN"`),
		"BYDAY=MONDAY":         recur(`"RRULE:FREQ=WEEKLY;BYDAY=MONDAY"`),
		"two parts FREQ":       recur(`"RRULE:FREQ=WEEKLY;FREQ=DAILY"`),
		"exclude each other":   recur(`"RRULE:FREQ=WEEKLY;COUNT=3;UNTIL=20260309T063000Z"`),
		"UNTIL must be in UTC": recur(`"RRULE:FREQ=WEEKLY;UNTIL=20260309T083000"`),
		"UNTIL must be in":     recur(`"RRULE:FREQ=WEEKLY;UNTIL=20260309"`),
		"2 RRULE lines":        recur(`"RRULE:FREQ=WEEKLY","RRULE:FREQ=DAILY"`),
		"takes no parameters":  recur(`"RRULE;X=1:FREQ=WEEKLY"`),
		"neither a TZID":       recur(`"EXDATE:20260223T083000"`),
		"of the start's type":  recur(`"EXDATE;VALUE=DATE:20260223"`),
		"TZID: \"Nowhere\"":    recur(`"EXDATE;TZID=Nowhere:20260223T083000"`),
		"unknown parameter":    recur(`"EXDATE;ZONE=UTC:20260223T083000"`),
		"month out of range":   recur(`"EXDATE;TZID=UTC:20261323T083000"`),
		"expand EXRULE":        recur(`"EXRULE:FREQ=DAILY"`),
		"default reminders":    single(`,"reminders":{"useDefault":true,"overrides":[{"method":"popup","minutes":1}]}`),
		"6 overrides":          single(`,"reminders":{"overrides":[` + strings.Repeat(`{"method":"popup","minutes":1},`, 5) + `{"method":"popup","minutes":1}]}`),
		"neither email nor":    single(`,"reminders":{"overrides":[{"method":"sms","minutes":1}]}`),
		"not 0 to 40320":       single(`,"reminders":{"overrides":[{"method":"email","minutes":40321}]}`),
		"value of 1024 bytes":  single(`,"extendedProperties":{"private":{"a":"` + long + `"}}`),
		"a name of 44":         single(`,"extendedProperties":{"shared":{"` + strings.Repeat("n", 45) + `":"a"}}`),
	} {
		w.s.Forget()
		w.api(400, "POST", events, body)
		if broken := w.s.Violations(); len(broken) != 1 || !strings.Contains(broken[0], rule) {
			t.Errorf("%s\nnoted as %q, want %q", body, broken, rule)
		}
	}
	w.s.Forget()
	for _, body := range []string{
		`{"start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"},"recurrence":["RRULE:FREQ=YEARLY;UNTIL=20280209","EXDATE;VALUE=DATE:20270209"]}`,
		at(`"dateTime":"2026-02-09T08:30:00","timeZone":"Africa/Johannesburg"`, `"dateTime":"2026-02-09T08:30:00+02:00"`),
		`{"start":{"dateTime":"2026-02-09T08:30:00Z"},"end":{"dateTime":"2026-02-09T08:30:00Z"},"iCalUID":"x@y","colorId":"11","summary":null,"attendees":[{"email":"a@b.example"}]}`,
		`{"id":"` + strings.Repeat("0v", 512) + `","start":{"date":"2026-02-09"},"end":{"date":"2026-02-10"},"reminders":{"useDefault":false,"overrides":[{"method":"email","minutes":0},{"method":"popup","minutes":40320}]}}`,
		recur(`"RRULE:FREQ=MONTHLY;INTERVAL=2;BYDAY=1MO,-1FR;COUNT=4;WKST=SU","RDATE:20260401T063000Z"`),
	} {
		w.api(200, "POST", events, body)
	}
	if broken := w.s.Violations(); len(broken) > 0 {
		t.Errorf("good events are noted: %q", broken)
	}
}

// TestTokensAndScopes: no token, an old one, and one that does not allow it.
func TestTokensAndScopes(t *testing.T) {
	w := newWorld(t, calendarScopes+".app.created")
	good := w.token
	w.token = "made-up"
	if got := reason(w.api(401, "GET", events, "")); got != "authError" {
		t.Errorf("reason %q", got)
	}
	w.token = good
	for _, call := range [][2]string{{"GET", "users/me/calendarList"}, {"GET", events}, {"GET", "calendars/primary"}} {
		if got := reason(w.api(403, call[0], call[1], "")); got != "insufficientPermissions" {
			t.Errorf("%v: reason %q", call, got)
		}
	}
	id := text(w.api(200, "POST", "calendars", `{"summary":"Mine"}`), "id")
	w.api(200, "POST", "calendars/"+id+"/events", single(""))
	w.api(200, "GET", "users/me/calendarList/"+id, "")
	w.s.ExpireTokens()
	w.api(401, "GET", "calendars/"+id+"/events", "")
	if w.s.Writes() != 2 {
		t.Errorf("%d writes, want 2", w.s.Writes())
	}
}

// TestFaults happen as often as they are asked for.
func TestFaults(t *testing.T) {
	w := newWorld(t)
	w.s.Inject(Fault{Method: "calendar.events.insert", Skip: 1, Times: 2, Status: 429, Reason: "rateLimitExceeded", RetryAfter: 7})
	w.api(200, "POST", events, strings.Replace(single(""), "abcde", "abcd0", 1))
	res, body := w.send("POST", w.s.CalendarURL()+events, "application/json", single(""), "Authorization", "Bearer "+w.token)
	if res.StatusCode != 429 || res.Header.Get("Retry-After") != "7" || !strings.Contains(body, `"domain":"usageLimits"`) {
		t.Errorf("a fault gives %d %v %s", res.StatusCode, res.Header, body)
	}
	w.api(200, "GET", events, "")
	w.api(429, "POST", events, single(""))
	w.s.Inject(Fault{Status: 503, Reason: "backendError", Late: true})
	w.api(503, "POST", events, single(""))
	w.api(409, "POST", events, single("")) // the lost answer's work was done
	then := 0
	w.s.Inject(Fault{Times: -1, Then: func() { then++ }})
	w.api(200, "GET", events, "")
	w.api(200, "GET", events, "")
	w.s.Heal()
	w.api(200, "GET", events, "")
	if then != 2 {
		t.Errorf("the fault happened %d times, want 2", then)
	}
	if calls := w.s.Calls(); len(calls) != 9 || calls[1].Status != http.StatusTooManyRequests || calls[1].Method != "calendar.events.insert" {
		t.Errorf("the calls are %+v", calls)
	}
}
