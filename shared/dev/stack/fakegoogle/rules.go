package fakegoogle

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// The rules that Google's description gives only in words, as "Event", "EventDateTime" and "EventReminder"
// of the description and the guide on extended properties have them.
const (
	minID, maxID     = 5, 1024
	maxOverrides     = 5
	maxMinutes       = 40320
	maxProperties    = 300
	maxPropertyKey   = 44
	maxPropertyValue = 1024
	maxPropertyBytes = 32 << 10
)

// enums are the values that fields of Event take.
var enums = map[string][]string{
	"status":       {"confirmed", "tentative", "cancelled"},
	"transparency": {"opaque", "transparent"},
	"visibility":   {"default", "public", "private", "confidential"},
	"eventType":    {"default"}, // of the others this server makes none
}

// checkID holds an event's id against its alphabet, which is base32hex in lower case.
func checkID(id string) *problem {
	if len(id) < minID || len(id) > maxID {
		return refuse("id has %d characters, not %d to %d", len(id), minID, maxID)
	}
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'v' || c >= '0' && c <= '9') {
			return refuse("id has the character %q; it takes a to v and 0 to 9", c)
		}
	}
	return nil
}

// checkEvent holds a whole event against the rules.
func checkEvent(e object) *problem {
	for name, values := range enums {
		if value, ok := e[name].(string); ok && !slices.Contains(values, value) {
			return refuse("%s: %q is none of %v", name, value, values)
		}
	}
	if id, ok := e["colorId"].(string); ok {
		if n, err := strconv.Atoi(id); err != nil || n < 1 || n > eventColors || strconv.Itoa(n) != id {
			return refuse("colorId: %q is no event colour", id)
		}
	}
	if p := checkTimes(e); p != nil {
		return p
	}
	if p := checkReminders(e["reminders"]); p != nil {
		return p
	}
	return checkProperties(e["extendedProperties"])
}

// moment is a start or an end.
type moment struct {
	at     time.Time
	allDay bool
	zone   *time.Location // where a recurrence is expanded
}

// checkTimes holds start, end and recurrence together.
func checkTimes(e object) *problem {
	start, p := momentOf("start", e["start"])
	if p != nil {
		return p
	}
	end, p := momentOf("end", e["end"])
	if p != nil {
		return p
	}
	if start.allDay != end.allDay {
		return refuse("start and end must both be dates or both be times")
	}
	if end.at.Before(start.at) || start.allDay && !end.at.After(start.at) {
		return &problem{400, "timeRangeEmpty", "The specified time range is empty."}
	}
	lines, _ := e["recurrence"].([]any)
	if len(lines) == 0 {
		return nil
	}
	for _, name := range []string{"start", "end"} {
		if zone, _ := e[name].(object)["timeZone"].(string); zone == "" && !start.allDay {
			return &problem{400, "required", "Missing time zone definition for " + name + " time."}
		}
	}
	_, err := recurrenceOf(lines, start)
	if err != nil {
		return refuse("recurrence: %v", err)
	}
	return nil
}

// momentOf reads an EventDateTime.
func momentOf(name string, value any) (moment, *problem) {
	t, ok := value.(object)
	if !ok {
		return moment{}, &problem{400, "required", "Missing " + name + " time."}
	}
	m := moment{zone: time.UTC}
	zone, hasZone := t["timeZone"].(string)
	if hasZone {
		loaded, err := time.LoadLocation(zone)
		if err != nil || zone == "" || zone == "Local" {
			return m, refuse("%s.timeZone: %q is no IANA time zone", name, zone)
		}
		m.zone = loaded
	}
	date, isDate := t["date"].(string)
	text, isTime := t["dateTime"].(string)
	if isDate == isTime {
		return m, refuse("%s needs a date or a dateTime, and not both", name)
	}
	var err error
	if isDate {
		m.allDay = true
		if m.at, err = time.Parse(time.DateOnly, date); err != nil {
			return m, refuse("%s.date: %q is not yyyy-mm-dd", name, date)
		}
		return m, nil
	}
	if m.at, err = time.Parse(time.RFC3339, text); err == nil {
		return m, nil
	}
	if m.at, err = time.ParseInLocation("2006-01-02T15:04:05", text, m.zone); err == nil && hasZone {
		return m, nil // an offset is only needed without a zone
	}
	return m, refuse("%s.dateTime: %q is not an RFC 3339 time with an offset or a timeZone", name, text)
}

func checkReminders(value any) *problem {
	reminders, ok := value.(object)
	if !ok {
		return nil
	}
	overrides, _ := reminders["overrides"].([]any)
	if reminders["useDefault"] == true && len(overrides) > 0 {
		return &problem{400, "cannotUseDefaultRemindersAndSpecifyOverride", "Cannot specify both default reminders and overrides at the same time."}
	}
	if len(overrides) > maxOverrides {
		return refuse("reminders: %d overrides, at most %d are taken", len(overrides), maxOverrides)
	}
	for i, item := range overrides {
		o, _ := item.(object)
		if method, _ := o["method"].(string); method != "email" && method != "popup" {
			return refuse("reminders.overrides[%d].method: %q is neither email nor popup", i, method)
		}
		minutes, ok := o["minutes"].(json.Number)
		n, err := strconv.Atoi(minutes.String())
		if !ok || err != nil || n < 0 || n > maxMinutes {
			return refuse("reminders.overrides[%d].minutes: %v is not 0 to %d", i, o["minutes"], maxMinutes)
		}
	}
	return nil
}

func checkProperties(value any) *problem {
	extended, _ := value.(object)
	count, size := 0, 0
	for kind, values := range extended {
		members, _ := values.(object)
		for key, v := range members {
			text, _ := v.(string)
			if key == "" || len(key) > maxPropertyKey || len(text) > maxPropertyValue {
				return refuse("extendedProperties.%s: %.50q is longer than a name of %d or a value of %d bytes may be", kind, key, maxPropertyKey, maxPropertyValue)
			}
			count++
			size += len(key) + len(text)
		}
	}
	if count > maxProperties || size > maxPropertyBytes {
		return refuse("extendedProperties: %d of %d bytes, at most %d of %d are kept", count, size, maxProperties, maxPropertyBytes)
	}
	return nil
}

// merge is a patch (RFC 7396): what it names replaces, null deletes, objects go on within.
func merge(into, patch object) object {
	merged := make(object, len(into)+len(patch))
	for name, value := range into {
		merged[name] = value
	}
	for name, value := range patch {
		switch v := value.(type) {
		case nil:
			delete(merged, name)
		case object:
			old, _ := merged[name].(object)
			merged[name] = merge(old, v)
		default:
			merged[name] = v
		}
	}
	return merged
}

// text is a string member, or empty.
func text(o object, name string) string {
	value, _ := o[name].(string)
	return value
}
