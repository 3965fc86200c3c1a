package calendargenerate

import (
	"encoding/json"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/calendar"
	"github.com/schedgen/schedgen/shared/postgres"
	"github.com/schedgen/schedgen/shared/ratelimit"
	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
)

// nowhere is a database that does not answer: events that come with the request need none.
const nowhere = "postgres://nobody@127.0.0.1:1/none?connect_timeout=1"

func newFunction(t testing.TB, dsn string) *Function {
	t.Helper()
	f, err := New(t.Context(), Config{
		Postgres: postgres.Config{URL: secret.New(dsn), MaxConns: 4},
		Session:  session.Config{Keys: secret.List(strings.Repeat("k", 32))},
		Limits:   ratelimit.Unlimited,

		OpenPaths: []string{"/events/timetable", "/tasks/feeds"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// call sends one request; body may be empty. Headers come in pairs.
func call(t testing.TB, f *Function, method, path, body string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	f.Routes().ServeHTTP(w, r)
	return w.Result()
}

// answered reads an answer of the given status.
func answered(t testing.TB, res *http.Response, status int) string {
	t.Helper()
	var body strings.Builder
	if _, err := copyAll(&body, res); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Fatalf("status is %d, want %d: %s", res.StatusCode, status, body.String())
	}
	return body.String()
}

// refused checks an error answer, and gives its sentence.
func refused(t testing.TB, res *http.Response, status int, code string) string {
	t.Helper()
	var object api.Object
	body := answered(t, res, status)
	if err := json.Unmarshal([]byte(body), &object); err != nil || object.Error != code {
		t.Errorf("the error is %s, want %s", body, code)
	}
	return object.Message
}

// printedEvents is a body of events without what the body itself says: no kind, no semester, no venues.
const printedEvents = `{"pdfType":"lecture","semesterStart":"2026-07-12T22:00:00.000Z","semesterEnd":"2026-10-15T22:00:00.000Z","events":[
	{"id":"evt-1","module":"PHY 131","activity":"L1","group":"G01","day":"Monday","startTime":"08:30","endTime":"09:20","venue":"Aula North","isRecurring":true},
	{"id":"evt-2","module":"EKN 214","activity":"L1","group":"G01","day":"Monday","startTime":"09:00","endTime":"10:00","venue":"Exchange 2-7","isRecurring":true,"date":null}]}`

// axios is the Accept header of the library that the first frontend calls with.
const axios = "application/json, text/plain, */*"

func TestEventsGiveAFile(t *testing.T) {
	t.Parallel()
	res := call(t, newFunction(t, nowhere), "POST", "/api/generate/ics", printedEvents, "Accept", axios)
	file := answered(t, res, 200)
	for _, want := range []string{
		"UID:b501df3e031d32b5-2026@schedgen\r\n", "DTSTART;TZID=Africa/Johannesburg:20260713T083000\r\n", "RRULE:FREQ=WEEKLY;UNTIL=20261012T063000Z\r\n",
		"EXDATE;TZID=Africa/Johannesburg:20260810T083000\r\n", "LOCATION:Aula North\r\n",
	} {
		if !strings.Contains(file, want) {
			t.Errorf("want %q in:\n%s", want, file)
		}
	}
	if got := res.Header.Get("Content-Type"); got != "text/calendar; charset=utf-8" {
		t.Errorf("content type is %q", got)
	}
	disposition, params, err := mime.ParseMediaType(res.Header.Get("Content-Disposition"))
	if err != nil || disposition != "attachment" || params["filename"] != "UP lectures 2026.ics" {
		t.Errorf("disposition is %q", res.Header.Get("Content-Disposition"))
	}
	for name, want := range map[string]string{"X-Schedgen-Events": "2", "X-Schedgen-Clashes": "1", "X-Schedgen-Warnings": "0"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestClashesAreToldInJSON(t *testing.T) {
	t.Parallel()
	res := call(t, newFunction(t, nowhere), "POST", "/api/generate/ics", printedEvents, "Accept", "application/json")
	var cal calendar.Calendar
	if err := json.Unmarshal([]byte(answered(t, res, 200)), &cal); err != nil {
		t.Fatal(err)
	}
	if len(cal.Items) != 2 || len(cal.Clashes) != 1 || cal.Clashes[0].Events != [2]string{"evt-1", "evt-2"} || cal.Clashes[0].Date != "2026-07-13" {
		t.Errorf("calendar is %+v", cal)
	}
}

func TestOnlyJSONAloneGivesJSON(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false, "*/*": false, axios: false, "text/calendar": false, "application/json": true,
		"application/json; charset=utf-8": true, "text/calendar, application/json": false, "application/json, ;;": true, "text/html": false,
	} {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/", nil)
		r.Header.Set("Accept", accept)
		if got := wantsJSON(r); got != want {
			t.Errorf("Accept: %s gives JSON: %v, want %v", accept, got, want)
		}
	}
}

func TestRequestsThatCannotBeAnswered(t *testing.T) {
	t.Parallel()
	f := newFunction(t, nowhere)
	f.cfg.EventsLimit = 3
	lecture := `{"module":"PHY 131","activity":"L1","group":"P01","day":"Monday","startTime":"08:30","endTime":"09:20","semester":"S1"}`
	for name, test := range map[string]struct {
		body   string
		status int
		code   string
		says   string
	}{
		"not JSON":         {`{"events":`, 400, api.InvalidJSON, ""},
		"another form":     {`{"events":7}`, 400, api.InvalidJSON, ""},
		"nothing":          {`{}`, 400, api.ValidationFailed, "send events or a jobId."},
		"no events":        {`{"events":[]}`, 400, api.ValidationFailed, "None of the events"},
		"too many":         {`{"events":[{},{},{},{}]}`, 400, api.ValidationFailed, "3 events at most"},
		"too large":        {`{"events":[],"name":"` + strings.Repeat("x", 2<<20) + `"}`, 413, api.PayloadTooLarge, ""},
		"no dates":         {`{"events":[` + lecture + `],"pdfType":"lecture"}`, 400, api.MissingSemesterDates, "S1"},
		"no semester":      {`{"events":[` + strings.Replace(lecture, `"S1"`, `""`, 1) + `],"pdfType":"lecture"}`, 400, api.MissingSemesterDates, "semesterStart and semesterEnd"},
		"half the dates":   {`{"events":[` + lecture + `],"semesterStart":"2026-02-09"}`, 400, api.MissingSemesterDates, ""},
		"dates swapped":    {`{"events":[` + lecture + `],"semesterStart":"2026-05-22","semesterEnd":"2026-02-09"}`, 400, api.InvalidSemesterDates, "ends before it starts"},
		"no such date":     {`{"events":[` + lecture + `],"semesterStart":"2026-02-30","semesterEnd":"2026-05-22"}`, 400, api.InvalidSemesterDates, "2026-02-30"},
		"a year of terms":  {`{"events":[` + lecture + `],"semesterStart":"2026-02-09","semesterEnd":"2036-05-22"}`, 400, api.ValidationFailed, "longer than"},
		"a term's end":     {`{"events":[` + lecture + `],"terms":{"S1":{"start":"2026-02-09"}}}`, 400, api.ValidationFailed, "Term \"S1\""},
		"bad exclusion":    {`{"events":[` + lecture + `],"year":2026,"exclude":["2026-02-30"]}`, 400, api.ValidationFailed, "2026-02-30"},
		"unknown group":    {`{"events":[` + lecture + `],"year":2026,"groups":{"PHY 131":"P07"}}`, 400, api.ValidationFailed, "that it has: P01"},
		"unknown kind":     {`{"events":[` + lecture + `],"pdfType":"party"}`, 400, api.ValidationFailed, "lecture, test or exam"},
		"only nonsense":    {`{"events":[{"module":"PHY 131","day":"Funday","startTime":"08:30","endTime":"09:20","semester":"S1"}],"year":2026}`, 400, api.ValidationFailed, "None of the events"},
		"somebody's job":   {`{"jobId":"018f4d6e-0000-7000-8000-000000000000"}`, 404, api.JobNotFound, ""},
		"more than a body": {`{"events":[]}{"events":[]}`, 400, api.InvalidJSON, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if says := refused(t, call(t, f, "POST", "/api/generate/ics", test.body), test.status, test.code); !strings.Contains(says, test.says) {
				t.Errorf("it says %q, want %q", says, test.says)
			}
		})
	}
	refused(t, call(t, f, "POST", "/api/generate/ics", `x`, "Content-Type", "text/plain"), 415, api.UnsupportedMediaType)
	refused(t, call(t, f, "PUT", "/api/generate/ics", `{}`), 405, api.MethodNotAllowed)
	refused(t, call(t, f, "GET", "/api/nothing", ""), 404, api.NotFound)
}

func TestFormSaysWhatJSONSays(t *testing.T) {
	t.Parallel()
	form := url.Values{
		"jobId": {"j"}, "name": {"Mine"}, "module": {"PHY 131", " "}, "group": {"PHY 131=P02", "PHY 131=T01"},
		"term": {"S1=2026-02-09..2026-05-22"}, "exclude": {"2026-03-30..2026-04-06", ""}, "reminder": {"15"},
		"semesterStart": {"2026-07-13"}, "semesterEnd": {"2026-10-16"},
	}
	got, err := fromForm(form)
	if err != nil {
		t.Fatal(err)
	}
	var want request
	if err := json.Unmarshal([]byte(`{"jobId":"j","name":"Mine","modules":["PHY 131"],"groups":{"PHY 131":["P02","T01"]},
		"terms":{"S1":"2026-02-09..2026-05-22"},"exclude":["2026-03-30..2026-04-06"],"reminders":[15],
		"semesterStart":"2026-07-13","semesterEnd":"2026-10-16"}`), &want); err != nil {
		t.Fatal(err)
	}
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("the form reads as %s, want %s", g, w)
	}
}

func TestFormsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	f := newFunction(t, nowhere)
	for _, body := range []string{"group=P01&jobId=x", "term=S1&jobId=x", "exclude=never&jobId=x", "reminder=soon&jobId=x", ""} {
		res := call(t, f, "POST", "/api/generate/ics", body, "Content-Type", "application/x-www-form-urlencoded")
		refused(t, res, 400, api.ValidationFailed)
	}
	form := func(body string) *http.Response {
		return call(t, f, "POST", "/api/generate/ics", body, "Content-Type", "application/x-www-form-urlencoded")
	}
	refused(t, form("%zz"), 400, api.InvalidRequest)
	refused(t, form("a="+strings.Repeat("x", maxForm)), 413, api.PayloadTooLarge)
	refused(t, form("jobId=018f4d6e-0000-7000-8000-000000000000"), 404, api.JobNotFound)
}

func TestSentencesBeginWithACapital(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"the term": "The term.", "éen groep": "Éen groep.", `"x" is none`: `"x" is none.`, "": ""} {
		if got := calendar.Sentence(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestFileNamesAreSafe(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"UP lectures": "UP lectures 2026.ics", "../../etc/x": "-..-etc-x 2026.ics", "a\r\nb": "a--b 2026.ics", "é": "é 2026.ics"} {
		cal := calendar.Calendar{Name: name, Items: []calendar.Item{
			{Start: time.Date(2027, 1, 1, 0, 0, 0, 0, calendar.Zone)}, {Start: time.Date(2026, 1, 1, 0, 0, 0, 0, calendar.Zone)},
		}}
		if got := filename(cal); got != want {
			t.Errorf("%q is named %q, want %q", name, got, want)
		}
	}
}

func TestConfigurationThatMakesNoSense(t *testing.T) {
	t.Parallel()
	good := Config{Postgres: postgres.Config{URL: secret.New(nowhere)}, Session: session.Config{Keys: secret.List(strings.Repeat("k", 32))}}
	for name, change := range map[string]func(*Config){
		"database":  func(c *Config) { c.Postgres.URL = secret.New("postgres://%%secret") },
		"key":       func(c *Config) { c.Session.Keys = []secret.String{secret.New("secret")} },
		"an origin": func(c *Config) { c.TrustedOrigins = []string{"app.example.org"} },
		"address":   func(c *Config) { c.PublicURL = "secret.example.org" },
	} {
		cfg := good
		change(&cfg)
		if _, err := New(t.Context(), cfg); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: error is %v, want one that shows no secret", name, err)
		}
	}
}

func TestHealthNamesTheDatabase(t *testing.T) {
	t.Parallel()
	if newFunction(t, nowhere).Dependencies()["postgres"](t.Context()) == nil {
		t.Error("the database is up, want it away")
	}
}

// FuzzRequest takes any body: the answer is a file, or an error that is the caller's.
func FuzzRequest(f *testing.F) {
	f.Add(printedEvents)
	f.Add(`{"events":[{"date":"2026-05-04","startTime":"08:00"}],"pdfType":"exam","reminders":[5],"colors":{"":"red"}}`)
	f.Add(`{"events":[{"day":"Monday","startTime":"08:00","endTime":"09:00","semester":"Y"}],"terms":{"Y":"2026-01-01..2026-12-01"},"exclude":["2026-01-01..2026-11-01"]}`)
	f.Add(`{"events":[{"date":"2200-12-31","startTime":"23:00","module":"\u0000\r\n","venue":"\ud800"}],"pdfType":"exam","name":"\u2028"}`)
	fn := newFunction(f, nowhere)
	f.Fuzz(func(t *testing.T, body string) {
		var req request
		if json.Unmarshal([]byte(body), &req) == nil && req.JobID != "" {
			return // a job is in a database, which is not there
		}
		holdAnswer(t, call(t, fn, "POST", "/api/generate/ics", body, "Content-Type", "application/json"), body)
	})
}

// FuzzForm is FuzzRequest for a page's form.
func FuzzForm(f *testing.F) {
	f.Add("group=COS+212%3DP02&term=S1%3D2026-02-09..2026-05-22&exclude=2026-03-30&reminder=15")
	f.Add("jobId=&semesterStart=2026-02-29&semesterEnd=%zz&term==&group==&reminder=1e9")
	fn := newFunction(f, nowhere)
	f.Fuzz(func(t *testing.T, body string) {
		if form, err := url.ParseQuery(body); err == nil && form.Get("jobId") != "" {
			return // as in FuzzRequest
		}
		holdAnswer(t, call(t, fn, "POST", "/api/generate/ics", body, "Content-Type", "application/x-www-form-urlencoded"), body)
	})
}

var startsAndEnds = regexp.MustCompile(`(?m)^(?:DTSTART|DTEND|EXDATE);TZID=Africa/Johannesburg:(.*)\r$`)

// holdAnswer wants an error of the caller's, or a file whose lines and dates are right.
func holdAnswer(t *testing.T, res *http.Response, body string) {
	t.Helper()
	switch res.StatusCode {
	case 400, 413:
		return
	case 200:
	default:
		t.Fatalf("status is %d for %q", res.StatusCode, body)
	}
	file := answered(t, res, 200)
	if !strings.HasPrefix(file, "BEGIN:VCALENDAR\r\n") || !strings.HasSuffix(file, "END:VCALENDAR\r\n") || !utf8.ValidString(file) {
		t.Fatalf("%q gives the file\n%q", body, file)
	}
	for line := range strings.SplitSeq(file, "\r\n") {
		if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("%q gives the line %q", body, line)
		}
	}
	for _, m := range startsAndEnds.FindAllStringSubmatch(file, -1) {
		if at, err := time.Parse("20060102T150405", m[1]); err != nil || at.Year() < 2000 {
			t.Fatalf("%q gives the time %q", body, m[1])
		}
	}
}
