package fakegoogle

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// notWithSyncToken are the parameters that the description forbids beside a syncToken.
var notWithSyncToken = []string{"iCalUID", "orderBy", "privateExtendedProperty", "q", "sharedExtendedProperty", "timeMin", "timeMax", "updatedMin"}

// listEvents answers events.list.
func (s *Server) listEvents(c *call, l *listEntry) (object, *problem) {
	if p := checkList(c); p != nil {
		return nil, p
	}
	since, p := s.since(c)
	if p != nil {
		return nil, p
	}
	var events []*storedEvent
	for _, e := range l.calendarState.inOrder() {
		if !c.flag("singleEvents") {
			events = append(events, e)
		} else if text(e.value, "recurringEventId") == "" && (!e.cancelled() || since > 0) {
			events = append(events, e.expand(l.calendarState)...)
		}
	}
	events = slices.DeleteFunc(events, func(e *storedEvent) bool { return !c.includes(e, l.calendarState, since) })
	order(c, events)
	return s.eventPage(c, l, events)
}

// listInstances answers events.instances.
func (s *Server) listInstances(c *call, l *listEntry) (object, *problem) {
	e, p := l.calendarState.event(c.path["eventId"])
	if p != nil {
		return nil, p
	}
	if e.value["recurrence"] == nil {
		return nil, refuse("the event does not recur")
	}
	events := slices.DeleteFunc(e.expand(l.calendarState), func(e *storedEvent) bool { return !c.includes(e, l.calendarState, 0) })
	return s.eventPage(c, l, events)
}

func checkList(c *call) *problem {
	if c.text("orderBy") == "startTime" && !c.flag("singleEvents") {
		return refuse("orderBy startTime needs singleEvents")
	}
	for _, name := range []string{"privateExtendedProperty", "sharedExtendedProperty"} {
		for _, pair := range c.query[name] {
			if !strings.Contains(pair, "=") {
				return refuse("%s: %q is not name=value", name, pair)
			}
		}
	}
	from, err1 := time.Parse(time.RFC3339, c.text("timeMin"))
	to, err2 := time.Parse(time.RFC3339, c.text("timeMax"))
	if err1 == nil && err2 == nil && !from.Before(to) {
		return refuse("timeMin is not before timeMax")
	}
	if !c.query.Has("syncToken") {
		return nil
	}
	for _, name := range notWithSyncToken {
		if c.query.Has(name) {
			return refuse("%s cannot be given beside syncToken", name)
		}
	}
	if c.text("showDeleted") == "false" {
		return refuse("showDeleted cannot be false beside syncToken")
	}
	return nil
}

// since reads a sync token: only what changed later is asked for.
func (s *Server) since(c *call) (int64, *problem) {
	token := c.text("syncToken")
	if token == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(strings.TrimPrefix(token, "since-"), 10, 64)
	if err != nil || n > s.changes {
		return 0, refuse("syncToken: not a token of this list")
	}
	if n < s.oldest {
		return 0, &problem{http.StatusGone, "fullSyncRequired", "Sync token is no longer valid, a full sync is required."}
	}
	return n, nil
}

// includes reports whether an event belongs in a list.
func (c *call) includes(e *storedEvent, a *calendarState, since int64) bool {
	if since > 0 {
		return e.changed > since
	}
	later, isLater := time.Parse(time.RFC3339, c.text("updatedMin"))
	if isLater == nil {
		if updated, err := time.Parse(time.RFC3339, text(e.value, "updated")); err == nil && updated.Before(later) {
			return false
		}
	}
	exception := text(e.value, "recurringEventId") != "" && !c.flag("singleEvents")
	if e.cancelled() && !c.flag("showDeleted") && isLater != nil && !exception {
		return false
	}
	return c.says(e) && c.happens(e, a)
}

// says holds an event's text and properties against the call.
func (c *call) says(e *storedEvent) bool {
	if uid := c.text("iCalUID"); uid != "" && uid != text(e.value, "iCalUID") {
		return false
	}
	if types := c.query["eventTypes"]; len(types) > 0 && !slices.Contains(types, "default") {
		return false
	}
	extended, _ := e.value["extendedProperties"].(object)
	for parameter, kind := range map[string]string{"privateExtendedProperty": "private", "sharedExtendedProperty": "shared"} {
		properties, _ := extended[kind].(object)
		for _, pair := range c.query[parameter] {
			name, value, _ := strings.Cut(pair, "=")
			if has, ok := properties[name].(string); !ok || has != value {
				return false
			}
		}
	}
	words := strings.ToLower(c.text("q"))
	said := strings.ToLower(text(e.value, "summary") + "\n" + text(e.value, "description") + "\n" + text(e.value, "location"))
	return strings.Contains(said, words)
}

// happens holds an event's times against the call; a series happens when one of its dates does.
func (c *call) happens(e *storedEvent, a *calendarState) bool {
	if c.text("timeMin") == "" && c.text("timeMax") == "" {
		return true
	}
	for _, instance := range e.expand(a) {
		start, p := momentOf("start", instance.value["start"])
		end, q := momentOf("end", instance.value["end"])
		if p == nil && q == nil && within(start.at, end.at, c.text("timeMin"), c.text("timeMax")) {
			return true
		}
	}
	return false
}

func order(c *call, events []*storedEvent) {
	switch c.text("orderBy") {
	case "startTime":
		slices.SortStableFunc(events, func(x, y *storedEvent) int { return startOf(x).Compare(startOf(y)) })
	case "updated":
		slices.SortStableFunc(events, func(x, y *storedEvent) int { return int(x.changed - y.changed) })
	}
}

func startOf(e *storedEvent) time.Time {
	m, _ := momentOf("start", e.value["start"])
	return m.at
}

func (s *Server) eventPage(c *call, l *listEntry, events []*storedEvent) (object, *problem) {
	items := make([]object, len(events))
	for i, e := range events {
		items[i] = e.value
	}
	cut, next, p := paged(c, items, 250, 2500)
	if p != nil {
		return nil, p
	}
	answer := object{
		"kind": "calendar#events", "etag": `"p` + strconv.FormatInt(s.changes, 10) + `"`, "summary": l.calendarState.summary,
		"timeZone": l.calendarState.zone, "accessRole": l.role, "updated": s.now(), "items": cut,
		"defaultReminders": []object{{"method": "popup", "minutes": 30}},
	}
	if next != "" {
		answer["nextPageToken"] = next
	} else {
		answer["nextSyncToken"] = "since-" + strconv.FormatInt(s.changes, 10)
	}
	return answer, nil
}
