package google

import (
	"slices"

	"google.golang.org/api/calendar/v3"

	"github.com/schedgen/schedgen/functions/google-sync/plan"
)

// The names of our private properties. Private means that they are of this copy of the event, which is in
// this calendar; any program may read them, so they hold nothing that is secret.
const (
	markerKey = "schedgen"
	scopeKey  = "schedgenScope"
	uidKey    = "schedgenUid"
	baseKey   = "schedgenBase"
)

// existingOf reads an event, and reports whether it is ours. When a person edits one date of a series, Google makes
// an event of its own that inherits our marks; that event is the person's.
func existingOf(e *calendar.Event, marker string) (plan.Existing, bool) {
	if e.ExtendedProperties == nil || e.ExtendedProperties.Private[markerKey] != marker || e.RecurringEventId != "" {
		return plan.Existing{ID: e.Id, ETag: e.Etag, Cancelled: e.Status == "cancelled"}, false
	}
	private, fields := e.ExtendedProperties.Private, fieldsOf(e)
	return plan.Existing{
		ID: e.Id, ETag: e.Etag, Scope: plan.ScopeOf(private[scopeKey], fields.Time.Start), Base: plan.ParseBase(private[baseKey]),
		Cancelled: e.Status == "cancelled", Fields: fields,
	}, true
}

func fieldsOf(e *calendar.Event) plan.Fields {
	f := plan.Fields{
		Summary: e.Summary, Location: e.Location, Description: e.Description, Color: e.ColorId, Status: e.Status,
		Time: plan.Time{Recurrence: e.Recurrence},
	}
	if e.Start != nil && e.End != nil {
		f.Time.Start, f.Time.End, f.Time.Zone = timeText(e.Start), timeText(e.End), e.Start.TimeZone
	}
	if e.Reminders != nil {
		f.Reminders.Default = e.Reminders.UseDefault
		for _, r := range e.Reminders.Overrides {
			f.Reminders.Overrides = append(f.Reminders.Overrides, plan.Alarm{Method: r.Method, Minutes: int(r.Minutes)})
		}
	}
	return f
}

func timeText(t *calendar.EventDateTime) string {
	if t.Date != "" {
		return t.Date
	}
	return t.DateTime
}

// fullEvent is an event with everything that schedgen says of it.
func fullEvent(e plan.Event, marker string) *calendar.Event {
	event := &calendar.Event{Id: e.ID, ExtendedProperties: properties(e, marker)}
	write(event, e.Fields, plan.AllFields())
	event.NullFields, event.Start.NullFields, event.End.NullFields = nil, nil, nil // nothing is there to be cleared
	return event
}

// changedFields is what an action writes of an event: its fields and the new base. A restored event is written
// whole, because Google keeps only parts of a deleted event.
func changedFields(a plan.Action, marker string) *calendar.Event {
	event := &calendar.Event{ExtendedProperties: properties(a.Event, marker)}
	fields := a.Fields
	if a.Op == plan.Restore {
		fields = plan.AllFields()
	}
	write(event, a.Event.Fields, fields)
	return event
}

func properties(e plan.Event, marker string) *calendar.EventExtendedProperties {
	return &calendar.EventExtendedProperties{Private: map[string]string{
		markerKey: marker, scopeKey: e.Scope, uidKey: e.UID, baseKey: e.Fields.Base().String(),
	}}
}

// write sets the fields. What is empty is sent as empty, for a patch leaves alone what it does not name.
func write(event *calendar.Event, f plan.Fields, fields []plan.Field) {
	set := func(name string, to *string, value string) {
		*to = value
		if value == "" {
			event.ForceSendFields = append(event.ForceSendFields, name)
		}
	}
	for _, field := range fields {
		switch field {
		case plan.Summary:
			set("Summary", &event.Summary, f.Summary)
		case plan.Location:
			set("Location", &event.Location, f.Location)
		case plan.Description:
			set("Description", &event.Description, f.Description)
		case plan.Color:
			event.ColorId = f.Color
			if f.Color == "" {
				event.NullFields = append(event.NullFields, "ColorId")
			}
		case plan.Status:
			event.Status = f.Status
		case plan.When:
			writeTime(event, f.Time)
		case plan.Reminders:
			event.Reminders = reminders(f.Reminders)
		}
	}
}

func writeTime(event *calendar.Event, t plan.Time) {
	// A person may have made it an event of whole days: the date has to go where a time comes.
	event.Start = &calendar.EventDateTime{DateTime: t.Start, TimeZone: t.Zone, NullFields: []string{"Date"}}
	event.End = &calendar.EventDateTime{DateTime: t.End, TimeZone: t.Zone, NullFields: []string{"Date"}}
	event.Recurrence = slices.Clone(t.Recurrence)
	if len(t.Recurrence) == 0 {
		event.ForceSendFields = append(event.ForceSendFields, "Recurrence")
	}
}

func reminders(a plan.Alarms) *calendar.EventReminders {
	r := &calendar.EventReminders{UseDefault: a.Default, ForceSendFields: []string{"UseDefault"}}
	for _, alarm := range a.Overrides {
		r.Overrides = append(r.Overrides, &calendar.EventReminder{
			Method: alarm.Method, Minutes: int64(alarm.Minutes), ForceSendFields: []string{"Minutes"},
		})
	}
	if len(r.Overrides) == 0 {
		r.ForceSendFields = append(r.ForceSendFields, "Overrides")
	}
	return r
}
