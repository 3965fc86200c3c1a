package fakegoogle

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answerEvents carries out a call about events.
func (s *Server) answerEvents(c *call, l *listEntry) (object, *problem) {
	reads := c.method.HTTP == http.MethodGet
	if !reads && l.role != "owner" && l.role != "writer" {
		return nil, &problem{http.StatusForbidden, "requiredAccessLevel", "You need to have writer access to this calendar."}
	}
	switch c.id {
	case "calendar.events.list":
		return s.listEvents(c, l)
	case "calendar.events.insert":
		return s.insertEvent(c, l.calendarState)
	case "calendar.events.get", "calendar.events.patch", "calendar.events.delete":
	default:
		return nil, notServed(c.id)
	}
	e, p := l.calendarState.event(c.path["eventId"])
	if p != nil {
		return nil, p
	}
	if p := c.precondition(text(e.value, "etag")); p != nil {
		return nil, p
	}
	switch c.id {
	case "calendar.events.get":
		return e.value, nil
	case "calendar.events.delete":
		return s.deleteEvent(l.calendarState, e)
	}
	return s.changeEvent(l.calendarState, e, merge(e.value, c.body), c.body)
}

// event finds an event, or makes the instance of a series that has that id.
func (a *calendarState) event(id string) (*storedEvent, *problem) {
	if e, ok := a.events[id]; ok {
		return e, nil
	}
	if series, ok := seriesOf(id); ok && a.events[series] != nil && !a.events[series].cancelled() {
		for _, instance := range a.events[series].expand(a) {
			if text(instance.value, "id") == id {
				return instance, nil
			}
		}
	}
	return nil, &problem{http.StatusNotFound, "notFound", "Not Found"}
}

// ofServer are the fields that only the server sets.
var ofServer = []string{"created", "updated", "creator", "htmlLink", "hangoutLink", "locked", "organizer"}

func (s *Server) insertEvent(c *call, a *calendarState) (object, *problem) {
	for _, name := range append([]string{"recurringEventId", "originalStartTime", "etag"}, ofServer...) {
		if c.body[name] != nil {
			return nil, refuse("%s is not for the caller to set", name)
		}
	}
	id := text(c.body, "id")
	if id == "" {
		id = strings.ToLower(rand.Text())
		id = strings.NewReplacer("w", "0", "x", "1", "y", "8", "z", "9").Replace(id) // rand.Text is base32
	} else if text(c.body, "iCalUID") != "" {
		return nil, refuse("only one of id and iCalUID may be given")
	}
	if p := checkID(id); p != nil {
		return nil, p
	}
	if a.events[id] != nil {
		return nil, &problem{http.StatusConflict, "duplicate", "The requested identifier already exists."}
	}
	value := withReminders(merge(object{"status": "confirmed", "iCalUID": id + "@google.com", "eventType": "default", "sequence": 0}, c.body))
	value["id"] = id
	if p := checkEvent(value); p != nil {
		return nil, p
	}
	if value["status"] == "cancelled" {
		return nil, refuse("status: a new event cannot be cancelled")
	}
	value["created"] = s.now()
	e := &storedEvent{value: value}
	a.events[id] = e
	s.stamp(a, e)
	e.order = e.changed
	return e.value, nil
}

// withReminders gives an event that says nothing of reminders those of its calendar.
func withReminders(value object) object {
	if value["reminders"] == nil {
		value["reminders"] = object{"useDefault": true}
	}
	return value
}

// stamp sets what the server says of an event that changed.
func (s *Server) stamp(a *calendarState, e *storedEvent) {
	n, etag := s.nextChange()
	e.changed = n
	e.value["kind"], e.value["etag"], e.value["updated"] = "calendar#event", etag, s.now()
	e.value["htmlLink"] = s.cfg.BaseURL + "/?calendar=" + a.id
	e.value["organizer"] = object{"email": a.id, "displayName": a.summary, "self": true}
	e.value["creator"] = object{"email": a.owner.Email}
	if list, ok := e.value["recurrence"].([]any); ok && len(list) == 0 {
		delete(e.value, "recurrence")
	}
}

func (s *Server) now() string { return s.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// fixed are the fields that never change once they are set.
var fixed = []string{"id", "iCalUID", "recurringEventId", "originalStartTime", "eventType"}

func (s *Server) changeEvent(a *calendarState, e *storedEvent, value, given object) (object, *problem) {
	for _, name := range fixed {
		if given[name] != nil && text(given, name) != text(e.value, name) {
			return nil, refuse("%s cannot be changed", name)
		}
	}
	for _, name := range ofServer {
		if given[name] != nil && name != "organizer" {
			return nil, refuse("%s is not for the caller to set", name)
		}
	}
	if p := checkEvent(value); p != nil {
		return nil, p
	}
	changed := &storedEvent{value: value, order: e.order}
	if text(value, "recurringEventId") != "" {
		delete(value, "recurrence")
	}
	s.put(a, changed)
	return changed.value, nil
}

// put keeps a changed event; what was an instance becomes an exception of its series.
func (s *Server) put(a *calendarState, e *storedEvent) {
	a.events[text(e.value, "id")] = e
	s.stamp(a, e)
	if e.order == 0 {
		e.order = e.changed
	}
}

func (s *Server) deleteEvent(a *calendarState, e *storedEvent) (object, *problem) {
	if e.cancelled() {
		return nil, &problem{http.StatusGone, "deleted", "Resource has been deleted"}
	}
	gone := &storedEvent{value: merge(e.value, object{"status": "cancelled"}), order: e.order}
	s.put(a, gone)
	for id, other := range a.events {
		if text(other.value, "recurringEventId") == text(e.value, "id") {
			delete(a.events, id) // exceptions end with their series
		}
	}
	return nil, nil
}

// expand gives the instances of a series, with those exceptions that it has. Of an event that happens
// once it gives the event.
func (e *storedEvent) expand(a *calendarState) []*storedEvent {
	lines, _ := e.value["recurrence"].([]any)
	start, p := momentOf("start", e.value["start"])
	end, q := momentOf("end", e.value["end"])
	if len(lines) == 0 || p != nil || q != nil {
		return []*storedEvent{e}
	}
	series, err := recurrenceOf(lines, start)
	if err != nil {
		return nil // it was checked when it was stored
	}
	var all []*storedEvent
	for _, at := range series.starts() {
		id := instanceID(text(e.value, "id"), at, start.allDay)
		if exception, ok := a.events[id]; ok {
			all = append(all, exception)
			continue
		}
		all = append(all, e.instance(id, start, at, end.at.Sub(start.at)))
	}
	return all
}

// instance is one date of a series.
func (e *storedEvent) instance(id string, start moment, at time.Time, length time.Duration) *storedEvent {
	value := merge(e.value, object{"id": id, "recurringEventId": e.value["id"], "recurrence": nil})
	value["start"], value["originalStartTime"] = written(start, at), written(start, at)
	value["end"] = written(start, at.Add(length))
	return &storedEvent{value: value, changed: e.changed}
}

// written is a time in the form of the series' start.
func written(start moment, at time.Time) object {
	if start.allDay {
		return object{"date": at.Format(time.DateOnly)}
	}
	return object{"dateTime": at.In(start.zone).Format(time.RFC3339), "timeZone": start.zone.String()}
}

// Instances are what Events gives, with every series expanded, as Google shows a calendar.
func (s *Server) Instances(calendarID string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.calendars[calendarID]
	if !ok {
		return nil
	}
	var all []map[string]any
	for _, e := range a.inOrder() {
		if e.cancelled() || text(e.value, "recurringEventId") != "" {
			continue
		}
		for _, instance := range e.expand(a) {
			if !instance.cancelled() {
				all = append(all, merge(instance.value, nil))
			}
		}
	}
	return all
}

// Events are the events in a calendar that are not deleted, series unexpanded, in the order of their
// making; for tests and for the page that shows them.
func (s *Server) Events(calendarID string) []map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, ok := s.calendars[calendarID]
	if !ok {
		return nil
	}
	var all []map[string]any
	for _, e := range a.inOrder() {
		if !e.cancelled() {
			all = append(all, merge(e.value, nil))
		}
	}
	return all
}

func (a *calendarState) inOrder() []*storedEvent {
	all := make([]*storedEvent, 0, len(a.events))
	for _, e := range a.events {
		all = append(all, e)
	}
	slices.SortFunc(all, func(x, y *storedEvent) int { return int(x.order - y.order) })
	return all
}

// Edit changes an event as its owner does in the calendar program: the fields replace, null deletes.
func (s *Server) Edit(calendarID, eventID string, fields map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, e, p := s.at(calendarID, eventID)
	if p != nil {
		return p
	}
	if _, p := s.changeEvent(a, e, merge(e.value, fields), fields); p != nil {
		return p
	}
	return nil
}

// Remove deletes an event as its owner does; purged, Google does not even remember it.
func (s *Server) Remove(calendarID, eventID string, purged bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, e, p := s.at(calendarID, eventID)
	if p != nil {
		return p
	}
	if _, p := s.deleteEvent(a, e); p != nil {
		return p
	}
	if purged {
		delete(a.events, eventID)
	}
	return nil
}

func (s *Server) at(calendarID, eventID string) (*calendarState, *storedEvent, *problem) {
	a, ok := s.calendars[calendarID]
	if !ok {
		return nil, nil, &problem{http.StatusNotFound, "notFound", "no such calendar"}
	}
	e, p := a.event(eventID)
	return a, e, p
}
