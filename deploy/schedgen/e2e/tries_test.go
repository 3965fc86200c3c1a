package e2e_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/url"
	"strings"

	"github.com/schedgen/schedgen/shared/dev/testkit/fixture"
	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
	"github.com/schedgen/schedgen/shared/timetable"
)

// try is how an operation is asked for what it costs most.
type try struct {
	operation, function string
	want                int                             // is answered to a request that is taken, or to all where none can be
	most                int                             // bytes of the bodies that are made of its schema
	known               func(*costs) map[string]string  // values of fields that must be true
	addresses           func(*costs) []string           // where the operation's path has parameters
	bodies              func(*costs) []openapitest.Body // where none are made of its schema
	guest               bool                            // asks, whose timetables and session no other try needs
}

// Bodies as long as each may be to be taken.
const (
	longJSON   = 2<<20 - 1<<10
	longChoice = 120 << 10
	longForm   = 60 << 10
	longEvent  = 500 << 10
)

// tries are all operations, in the order in which they are tried: later ones need what earlier ones make, and what ends
// something comes after all that asks for it.
var tries = []try{
	{operation: "POST /api/upload", function: "upload-ingest", want: 201, bodies: costlyUploads, guest: true},
	{operation: "GET /api/jobs/metrics", function: "upload-ingest", want: 200},
	{operation: "GET /api/jobs/{id}", function: "upload-ingest", want: 200, addresses: jobAddresses("")},
	{operation: "GET /api/jobs/{id}/result", function: "upload-ingest", want: 200, addresses: jobAddresses("/result?semester=S1")},
	{operation: "GET /api/me", function: "upload-ingest", want: 200},
	{operation: "GET /api/storage/usage", function: "upload-ingest", want: 200},
	{operation: "GET /api/admin/limits", function: "upload-ingest", want: 200},
	{operation: "DELETE /api/admin/limits/{id}", function: "upload-ingest", want: 404, addresses: at("/api/admin/limits/192.0.2.1")},
	{operation: "GET /api/openapi.json", function: "upload-ingest", want: 200},
	{operation: "GET /api/health", function: "upload-ingest", want: 200},
	{operation: "POST /events/s3", function: "upload-ingest", want: 200, most: longEvent},
	{operation: "POST /events/dead-letter", function: "upload-ingest", want: 202, most: longEvent},
	{operation: "GET /api/admin/dead-letters", function: "upload-ingest", want: 200, addresses: at("/api/admin/dead-letters?limit=1000")},
	{operation: "POST /api/admin/dead-letters/{id}/replay", function: "upload-ingest", want: 400, addresses: letterAddress("/replay")},
	{operation: "DELETE /api/admin/dead-letters/{id}", function: "upload-ingest", want: 204, addresses: letterAddress("")},
	{operation: "POST /tasks/sweep", function: "upload-ingest", want: 200},

	{operation: "POST /api/generate/ics", function: "calendar-generate", want: 200, bodies: costlyFiles},
	{operation: "POST /api/feeds", function: "calendar-generate", want: 201, most: longChoice, known: choice},
	{operation: "GET /api/feeds", function: "calendar-generate", want: 200},
	{operation: "PUT /api/feeds/{token}", function: "calendar-generate", want: 200, most: longChoice, known: choice, addresses: feedAddress},
	{operation: "GET /api/feeds/{token}", function: "calendar-generate", want: 200, addresses: feedAddress},
	{operation: "POST /events/timetable", function: "calendar-generate", want: 204, bodies: costlyEvents},
	{operation: "POST /tasks/feeds", function: "calendar-generate", want: 200},
	{operation: "DELETE /api/feeds/{token}", function: "calendar-generate", want: 204, addresses: feedAddress},
	{operation: "GET /api/timetable", function: "calendar-generate", want: 200},
	{operation: "GET /api/me/calendar.ics", function: "calendar-generate", want: 200},
	{operation: "GET /api/years", function: "calendar-generate", want: 200},
	{operation: "GET /api/years/{year}", function: "calendar-generate", want: 200, addresses: at("/api/years/2026")},

	{operation: "GET /api/auth/status", function: "google-sync", want: 200},
	{operation: "GET /api/auth/google", function: "google-sync", want: 302, addresses: at("/api/auth/google?returnUrl=/" + strings.Repeat("a", 990))},
	{operation: "GET /api/auth/google/callback", function: "google-sync", want: 400, addresses: at("/api/auth/google/callback?state=a&code=" + strings.Repeat("a", 30<<10))},
	{operation: "GET /api/calendars", function: "google-sync", want: 200},
	{operation: "POST /api/calendars", function: "google-sync", want: 201, most: longChoice, known: newCalendar},
	{operation: "POST /api/calendars/events", function: "google-sync", want: 200, bodies: costlySyncs},
	{operation: "POST /api/calendars/follow", function: "google-sync", want: 200, most: longChoice, known: choice},
	{operation: "GET /api/calendars/syncs", function: "google-sync", want: 200},
	{operation: "GET /api/calendars/syncs/{id}", function: "google-sync", want: 200, addresses: syncAddress},
	{operation: "POST /events/google", function: "google-sync", want: 204, bodies: costlyEvents},
	{operation: "POST /tasks/google", function: "google-sync", want: 200},
	{operation: "DELETE /api/calendars/events", function: "google-sync", want: 200, addresses: at("/api/calendars/events?calendarId=" + person)},

	{operation: "POST /api/admin/backups", function: "backup", want: 201},
	{operation: "GET /api/admin/backups", function: "backup", want: 200},
	{operation: "GET /api/admin/backups/{id}", function: "backup", want: 200, addresses: backupAddress("")},
	{operation: "POST /api/admin/backups/{id}/verify", function: "backup", want: 200, addresses: backupAddress("/verify")},
	{operation: "POST /tasks/watch", function: "backup", want: 200},

	{operation: "DELETE /api/jobs/{id}", function: "upload-ingest", want: 204, addresses: jobAddresses("")},
	{operation: "DELETE /api/me", function: "upload-ingest", want: 200, guest: true},
	{operation: "POST /api/auth/logout", function: "google-sync", want: 200, most: 1 << 10, guest: true},
	{operation: "DELETE /api/auth/sessions", function: "google-sync", want: 204},
}

// as is who asks.
func (t try) as(c *costs) *student {
	if t.guest {
		return c.guest
	}
	return c.owner
}

// requests are the addresses and the bodies of what an operation is tried with.
func (t try) requests(c *costs, o openapitest.Operation) (addresses []string, bodies []openapitest.Body) {
	c.t.Helper()
	addresses = []string{o.Path}
	if t.addresses != nil {
		addresses = t.addresses(c)
	}
	var known map[string]string
	if t.known != nil {
		known = t.known(c)
	}
	switch {
	case t.bodies != nil:
		bodies = t.bodies(c)
	case t.most > 0:
		bodies = o.Costliest(t.most, known)
	default:
		bodies = []openapitest.Body{{Name: "no body"}}
	}
	return addresses, bodies
}

// at is one address.
func at(address string) func(*costs) []string {
	return func(*costs) []string { return []string{address} }
}

// jobAddresses are those of a job of many rows, and of one of long rows.
func jobAddresses(rest string) func(*costs) []string {
	return func(c *costs) (all []string) {
		for _, seed := range []string{"1", "2"} {
			all = append(all, "/api/jobs/"+c.asked("select id::text from jobs where object_key = 'uploads/seed/"+seed+"'")+rest)
		}
		return all
	}
}

func letterAddress(rest string) func(*costs) []string {
	return func(c *costs) []string {
		return []string{"/api/admin/dead-letters/" + c.asked("select max(id)::text from dead_letters where source = 'test'") + rest}
	}
}

// feedAddress is the address of the feed whose choices are the costliest that were taken.
func feedAddress(c *costs) []string {
	c.t.Helper()
	var made struct{ URL string }
	if err := json.Unmarshal(c.last["POST /api/feeds"], &made); err != nil {
		c.t.Fatalf("%v: %.300s", err, c.last["POST /api/feeds"])
	}
	_, token, _ := strings.Cut(made.URL, "/api/feeds/")
	return []string{"/api/feeds/" + token}
}

func syncAddress(c *costs) []string {
	return []string{"/api/calendars/syncs/" + c.asked("select id::text from google_syncs order by id desc limit 1")}
}

func backupAddress(rest string) func(*costs) []string {
	return func(c *costs) []string {
		c.t.Helper()
		var made struct{ ID string }
		if err := json.Unmarshal(c.last["POST /api/admin/backups"], &made); err != nil {
			c.t.Fatal(err)
		}
		return []string{"/api/admin/backups/" + url.PathEscape(made.ID) + rest}
	}
}

// choice are the fields of choices that must be true, or may not be there, so that the rest is taken.
func choice(*costs) map[string]string {
	return map[string]string{
		"calendarId": person, "jobId": "", "pdfType": "lecture", "modules": "", "groups": "", "semesterStart": "", "semesterEnd": "",
		"options.semesterStart": "", "newDate": "", "events[].kind": "lecture", "events[].colorId": "7", "events[].date": "", "events[].test": "",
	}
}

// newCalendar is a calendar of one name, where its name has two names.
func newCalendar(c *costs) map[string]string { return map[string]string{"summary": ""} }

// operation is one of the description's.
func (c *costs) operation(name string) openapitest.Operation {
	c.t.Helper()
	for _, o := range c.site.world.api.Operations() {
		if o.Method+" "+o.Path == name {
			return o
		}
	}
	c.t.Fatalf("%s is not described", name)
	return openapitest.Operation{}
}

// costlyFiles are events of which files are made, and choices with the job that has the most rows.
func costlyFiles(c *costs) []openapitest.Body {
	c.t.Helper()
	o := c.operation("POST /api/generate/ics")
	all := o.Costliest(longJSON, choice(c))
	ofJob := choice(c)
	maps.Copy(ofJob, map[string]string{"events": "", "jobId": c.asked("select id::text from jobs where object_key = 'uploads/seed/1'")})
	for _, body := range o.Costliest(longForm, ofJob) {
		body.Name += ", of a job"
		all = append(all, body)
	}
	return all
}

// costlySyncs are events for a calendar, planned alone, as thousands of calls of Google's would take long; and choices with
// some of the timetables.
func costlySyncs(c *costs) []openapitest.Body {
	c.t.Helper()
	o := c.operation("POST /api/calendars/events")
	ofJobs := choice(c)
	ofJobs["events"] = ""
	var all []openapitest.Body
	for _, body := range o.Costliest(longJSON, choice(c)) {
		all = append(all, with(c, body, "dryRun", true))
	}
	for _, body := range o.Costliest(longChoice, ofJobs) {
		all = append(all, with(c, body, "modules", []string{"COS 1", "COS 2", "COS 9"}))
	}
	return all
}

// with is a body with another value of a field.
func with(c *costs, body openapitest.Body, field string, value any) openapitest.Body {
	c.t.Helper()
	var all map[string]any
	err := json.Unmarshal(body.Data, &all)
	all[field] = value
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // or it would be longer
	if err := errors.Join(err, encoder.Encode(all)); err != nil {
		c.t.Fatal(err)
	}
	body.Data = data.Bytes()
	return body
}

// costlyEvents tell of the owner's newest job, and of much else that nobody asked for.
func costlyEvents(c *costs) []openapitest.Body {
	job := c.asked("select id::text from jobs where object_key = 'uploads/seed/1'")
	event := func(more string) []byte {
		return []byte(`{"specversion":"1.0","id":"1","source":"/a","type":"dev.schedgen.timetable.parsed.v1","data":{"jobId":"` + job + `","owner":"o","pdfType":"lecture",` + more + `}}`)
	}
	const media = "application/cloudevents+json"
	return append(c.operation("POST /events/timetable").Costliest(longEvent, nil),
		openapitest.Body{Name: "many fields", ContentType: media, Data: event(`"a":[` + strings.Repeat(`{},`, longEvent/4) + `0]`)},
		openapitest.Body{Name: "a long text", ContentType: media, Data: event(`"a":"` + strings.Repeat(`\u0001`, longEvent/7) + `"`)})
}

// costlyUploads are forms with the largest files: one that is read, one that is none.
func costlyUploads(c *costs) []openapitest.Body {
	c.t.Helper()
	many := generated(c.t, fixture.Options{Kind: timetable.Lecture, Style: fixture.Stroked, Seed: 3, Pages: 100}).pdf
	var all []openapitest.Body
	for name, pdf := range map[string][]byte{"100 pages": many, "no PDF": bytes.Repeat([]byte("%PDF-1.7 "), 10<<20/9), "too long": make([]byte, 20<<20)} {
		media, body := form(pdf, "priority", "low", "a", strings.Repeat("x", 1<<20))
		data, err := io.ReadAll(body)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, openapitest.Body{Name: name, ContentType: media, Data: data})
	}
	return all
}
