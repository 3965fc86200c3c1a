package manifests

import "strings"

// example is an event and who must be told of it.
type example struct {
	attributes  map[string]string
	subscribers string
}

// examples are every sort of event that the functions send.
var examples = []example{
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "high"}, "objects-high>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "normal"}, "objects-normal>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "low"}, "objects-low>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:CompleteMultipartUpload"}, "objects-normal>pdf-parse"},
	{map[string]string{"type": "dev.schedgen.timetable.parsed.v1"}, "timetables-to-calendars>calendar-generate/events/timetable timetables-to-google>google-sync/events/google"},
	{map[string]string{"type": "dev.schedgen.calendar.sync.v1"}, "syncs-to-google>google-sync/events/google"},
	{map[string]string{"type": "dev.knative.sources.ping"}, ""},
}

// triggers sends each example through the filters as the broker does: it reaches those who need it, each once.
func (c *cluster) triggers() {
	for _, e := range examples {
		var told []string
		for _, o := range c.objects {
			if o.kind() == "Trigger" && all(list(o.data, "spec", "filters"), e.attributes) {
				told = append(told, o.name()+">"+text(o.at("spec", "subscriber", "ref", "name"))+text(o.at("spec", "subscriber", "uri")))
			}
		}
		if got := strings.Join(told, " "); got != e.subscribers {
			c.addf("%s: an event %v goes to %q, want %q", c.overlay, e.attributes, got, e.subscribers)
		}
	}
}

// all says whether an event passes every filter.
func all(filters []map[string]any, event map[string]string) bool {
	for _, f := range filters {
		if !passes(f, event) {
			return false
		}
	}
	return true
}

// passes is one filter, in the dialects of the CloudEvents subscriptions API that are used here.
func passes(filter map[string]any, event map[string]string) bool {
	for dialect, value := range filter {
		switch dialect {
		case "exact", "prefix":
			for name, want := range labels(value) {
				got := event[name]
				if got != want && !(dialect == "prefix" && strings.HasPrefix(got, want)) {
					return false
				}
			}
		case "not":
			inner, _ := value.(map[string]any)
			if passes(inner, event) {
				return false
			}
		case "any":
			passed := false
			for _, inner := range list(filter, "any") {
				passed = passed || passes(inner, event)
			}
			if !passed {
				return false
			}
		default:
			return false
		}
	}
	return true
}
