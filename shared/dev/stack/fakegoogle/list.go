package fakegoogle

import (
	"slices"
	"strconv"
	"strings"
)

// listParameters are the parameters of a list that schedgen sends.
var listParameters = []string{"alt", "maxResults", "pageToken", "prettyPrint", "privateExtendedProperty", "showDeleted"}

// listEvents answers events.list.
func (s *Server) listEvents(c *call, l *listEntry) (object, *problem) {
	for name := range c.query {
		if !slices.Contains(listParameters, name) {
			return nil, notServed("the parameter " + name)
		}
	}
	for _, pair := range c.query["privateExtendedProperty"] {
		if !strings.Contains(pair, "=") {
			return nil, refuse("privateExtendedProperty: %q is not name=value", pair)
		}
	}
	events := slices.DeleteFunc(l.calendarState.inOrder(), func(e *storedEvent) bool { return !c.includes(e) })
	return s.eventPage(c, l, events)
}

// includes reports whether an event belongs in a list.
func (c *call) includes(e *storedEvent) bool {
	exception := text(e.value, "recurringEventId") != ""
	if e.cancelled() && !c.flag("showDeleted") && !exception {
		return false
	}
	extended, _ := e.value["extendedProperties"].(object)
	private, _ := extended["private"].(object)
	for _, pair := range c.query["privateExtendedProperty"] {
		name, value, _ := strings.Cut(pair, "=")
		if has, ok := private[name].(string); !ok || has != value {
			return false
		}
	}
	return true
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
	}
	return answer, nil
}
