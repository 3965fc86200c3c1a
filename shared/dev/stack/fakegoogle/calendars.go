package fakegoogle

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// eventColors is how many colours events have.
const eventColors = 11

// calendarState is a calendar.
type calendarState struct {
	id, summary, description, location, zone string
	etag                                     string
	owner                                    *user
	client                                   string // the program that made it; empty: a person
	events                                   map[string]*storedEvent
}

// storedEvent is an event, a series, or an exception of one.
type storedEvent struct {
	value   object
	order   int64 // of its creation
	changed int64 // of its last change
}

func (e *storedEvent) cancelled() bool { return text(e.value, "status") == "cancelled" }

// serveCalendar answers a call to the Calendar API.
func (s *Server) serveCalendar(w http.ResponseWriter, r *http.Request) {
	c, p := read(r)
	if c == nil {
		s.violated(r, p.Error())
		writeProblem(w, p)
		return
	}
	noted := &recorder{ResponseWriter: w}
	defer func() { s.note(c.id, noted.status, r.URL.Path) }()
	if p != nil {
		s.violated(r, p.Error())
		writeProblem(noted, p)
		return
	}
	f := s.fault(c.id)
	if f != nil && !f.Late && f.apply(noted, r) {
		return
	}
	if p := s.authorize(c, r); p != nil {
		writeProblem(noted, p)
		return
	}
	answer, p := s.answer(c)
	if p != nil && p.status == http.StatusBadRequest {
		s.violated(r, p.Error())
	}
	if f != nil && f.Late && f.apply(noted, r) {
		return
	}
	switch {
	case p != nil && p.status == http.StatusNotModified:
		noted.WriteHeader(p.status)
	case p != nil:
		writeProblem(noted, p)
	case answer == nil:
		noted.WriteHeader(http.StatusNoContent)
	default:
		if etag := text(answer, "etag"); etag != "" {
			noted.Header().Set("ETag", etag)
		}
		writeJSON(noted, http.StatusOK, answer)
	}
}

// recorder notes an answer's status.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// maxCalls bounds how many calls are remembered.
const maxCalls = 100_000

func (s *Server) note(method string, status int, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.calls) >= maxCalls {
		s.calls = append(s.calls[:0:0], s.calls[maxCalls/2:]...) // a server that runs for days must not grow
	}
	s.calls = append(s.calls, Call{method, status, path})
}

// answer carries out a call.
func (s *Server) answer(c *call) (object, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch c.id {
	case "calendar.calendarList.list":
		return s.calendarList(c)
	case "calendar.calendars.insert":
		return s.insertCalendar(c)
	}
	l, p := s.find(c)
	if p != nil {
		return nil, p
	}
	if c.id == "calendar.calendarList.get" {
		return l.entry(c.user), nil
	}
	if strings.HasPrefix(c.id, "calendar.events.") {
		return s.answerEvents(c, l)
	}
	return nil, notServed(c.id)
}

// notServed is a call of Google's API that schedgen does not make.
func notServed(what string) *problem {
	return &problem{http.StatusNotImplemented, "notImplemented", what + " is not served here"}
}

// find gives the call's calendar, which must be in the person's list.
func (s *Server) find(c *call) (*listEntry, *problem) {
	id := c.path["calendarId"]
	if id == "primary" {
		id = c.user.Email
	}
	for _, l := range c.user.list {
		if l.calendarState.id != id {
			continue
		}
		if c.grant.onlyCreated(c.method) && l.calendarState.client != c.grant.client {
			return nil, &problem{http.StatusForbidden, "insufficientPermissions", "Request had insufficient authentication scopes."}
		}
		return l, nil
	}
	return nil, &problem{http.StatusNotFound, "notFound", "Not Found"}
}

// nextChange counts a change, and gives an etag for it.
func (s *Server) nextChange() (int64, string) {
	s.changes++
	return s.changes, `"` + strconv.FormatInt(s.changes*2, 10) + `"`
}

func (s *Server) addCalendar(owner *user, id, summary, zone, client string) *calendarState {
	_, etag := s.nextChange()
	a := &calendarState{id: id, summary: summary, zone: zone, etag: etag, owner: owner, client: client, events: map[string]*storedEvent{}}
	s.calendars[id] = a
	owner.list = append(owner.list, &listEntry{a, "owner"})
	return a
}

// Share puts a calendar into another person's list, who may write or only read.
func (s *Server) Share(calendarID, email, role string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.users {
		if u.Email == email && s.calendars[calendarID] != nil {
			u.list = append(u.list, &listEntry{s.calendars[calendarID], role})
		}
	}
}

func (s *Server) insertCalendar(c *call) (object, *problem) {
	if text(c.body, "id") != "" || text(c.body, "etag") != "" {
		return nil, refuse("a new calendar has no id and no etag yet")
	}
	if p := checkCalendar(c.body); p != nil {
		return nil, p
	}
	id := strings.ToLower(rand.Text()) + "@group.calendar.google.com"
	zone := text(c.body, "timeZone")
	if zone == "" {
		zone = "UTC"
	}
	a := s.addCalendar(c.user, id, text(c.body, "summary"), zone, c.grant.client)
	a.description, a.location = text(c.body, "description"), text(c.body, "location")
	return a.resource(), nil
}

func checkCalendar(body object) *problem {
	if summary, given := body["summary"]; given && (summary == nil || summary == "") {
		return refuse("a calendar needs a summary")
	}
	if zone := text(body, "timeZone"); zone != "" {
		if _, err := time.LoadLocation(zone); err != nil {
			return refuse("timeZone: %q is no IANA time zone", zone)
		}
	}
	return nil
}

func (a *calendarState) resource() object {
	o := object{"kind": "calendar#calendar", "id": a.id, "etag": a.etag, "summary": a.summary, "timeZone": a.zone}
	for name, value := range map[string]string{"description": a.description, "location": a.location} {
		if value != "" {
			o[name] = value
		}
	}
	return o
}

// entry is the calendar as a person's list shows it.
func (l *listEntry) entry(u *user) object {
	o := l.calendarState.resource()
	o["kind"], o["accessRole"], o["selected"] = "calendar#calendarListEntry", l.role, true
	o["colorId"], o["backgroundColor"], o["foregroundColor"] = "14", "#9fe1e7", "#000000"
	o["defaultReminders"] = []object{{"method": "popup", "minutes": 30}}
	if l.calendarState.id == u.Email {
		o["primary"] = true
	}
	return o
}

func (s *Server) calendarList(c *call) (object, *problem) {
	var items []object
	for _, l := range c.user.list {
		if !c.role(l.role) {
			continue
		}
		items = append(items, l.entry(c.user))
	}
	page, next, p := paged(c, items, 100, 250)
	if p != nil {
		return nil, p
	}
	answer := object{"kind": "calendar#calendarList", "etag": `"p` + strconv.FormatInt(s.changes, 10) + `"`, "items": page}
	if next != "" {
		answer["nextPageToken"] = next
	} else {
		answer["nextSyncToken"] = "list"
	}
	return answer, nil
}

// roles are in the order of what they allow.
var roles = []string{"freeBusyReader", "reader", "writer", "owner"}

// role reports whether a role is at least the lowest that the call asks for.
func (c *call) role(has string) bool {
	return slices.Index(roles, has) >= slices.Index(roles, c.text("minAccessRole"))
}

// page is what a page token says. Query binds it to the other parameters.
type page struct {
	Offset int
	Query  string
}

// paged cuts a list.
func paged(c *call, items []object, usual, most int) ([]object, string, *problem) {
	others := make([]string, 0, len(c.query))
	for _, name := range sorted(c.query) {
		if name != "pageToken" && name != "maxResults" {
			others = append(others, name+"="+strings.Join(c.query[name], ","))
		}
	}
	this := page{Query: c.id + " " + c.path["calendarId"] + " " + strings.Join(others, "&")}
	if token := c.text("pageToken"); token != "" {
		data, err := base64.RawURLEncoding.DecodeString(token)
		var given page
		if err != nil || json.Unmarshal(data, &given) != nil || given.Query != this.Query || given.Offset < 0 {
			return nil, "", refuse("pageToken: not a token of this list")
		}
		this.Offset = given.Offset
	}
	from := min(this.Offset, len(items))
	to := min(from+min(c.number("maxResults", usual), most), len(items))
	cut := append([]object{}, items[from:to]...)
	if to == len(items) {
		return cut, "", nil
	}
	this.Offset = to
	data, err := json.Marshal(this)
	if err != nil {
		return nil, "", refuse("pageToken: %v", err)
	}
	return cut, base64.RawURLEncoding.EncodeToString(data), nil
}

// precondition holds an etag against what the call asks for (RFC 9110 section 13.1).
func (c *call) precondition(etag string) *problem {
	if c.match != "" && c.match != "*" && c.match != etag {
		return &problem{http.StatusPreconditionFailed, "conditionNotMet", "Precondition Failed"}
	}
	if c.none != "" && (c.none == "*" || c.none == etag) {
		if c.method.HTTP == http.MethodGet {
			return &problem{http.StatusNotModified, "notModified", "Not Modified"}
		}
		return &problem{http.StatusPreconditionFailed, "conditionNotMet", "Precondition Failed"}
	}
	return nil
}
