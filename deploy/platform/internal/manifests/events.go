package manifests

import (
	"maps"
	"slices"
	"strings"
)

// examples are every sort of event that the functions send, and who receives it.
var examples = []struct {
	attributes  map[string]string
	subscribers string
}{
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "high"}, "objects-high>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "normal"}, "objects-normal>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:Put", "priority": "low"}, "objects-low>pdf-parse"},
	{map[string]string{"type": "com.amazonaws.s3.ObjectCreated:CompleteMultipartUpload"}, "objects-normal>pdf-parse"},
	{map[string]string{"type": "dev.schedgen.timetable.parsed.v1"}, "timetables-to-calendars>calendar-generate/events/timetable timetables-to-google>google-sync/events/google"},
	{map[string]string{"type": "dev.schedgen.calendar.sync.v1"}, "syncs-to-google>google-sync/events/google"},
	{map[string]string{"type": "dev.knative.sources.ping"}, ""},
}

// tasks are what is called on a schedule, and its body.
var tasks = map[string]string{
	"sweep":        `* * * * * upload-ingest/tasks/sweep {"task":"sweep"}`,
	"sweep-google": `* * * * * google-sync/tasks/google {"task":"sweep"}`,
	"sweep-feeds":  `* * * * * calendar-generate/tasks/feeds {"task":"sweep"}`,
	"backup":       `0 2 * * * backup {"task":"backup"}`,
	"backup-watch": `* * * * * backup {"task":"watch"}`,
}

// events checks where events and schedules lead.
func (c *cluster) events() {
	for _, e := range examples {
		var received []string
		for _, o := range c.objects {
			if o.kind() == "Trigger" && passAll(list(o.data, "spec", "filters"), e.attributes) {
				received = append(received, o.name()+">"+text(o.at("spec", "subscriber", "ref", "name"))+text(o.at("spec", "subscriber", "uri")))
			}
		}
		if got := strings.Join(received, " "); got != e.subscribers {
			c.addf("%s: an event %v goes to %q, want %q", c.overlay, e.attributes, got, e.subscribers)
		}
	}
	scheduled := map[string]string{}
	for _, o := range c.objects {
		for _, where := range [][]string{{"spec", "subject"}, {"spec", "sink"}, {"spec", "subscriber"}, {"spec", "delivery", "deadLetterSink"}} {
			c.target(o, o.at(where...), where[1] == "subject")
		}
		switch o.kind() {
		case "Trigger":
			c.names(o, "Broker", text(o.at("spec", "broker")))
			fallthrough
		case "Broker":
			c.compare(o.String()+" dead letters", text(o.at("spec", "delivery", "deadLetterSink", "ref", "name"))+text(o.at("spec", "delivery", "deadLetterSink", "uri")), "upload-ingest/events/dead-letter")
			c.compare(o.String()+" retries", o.at("spec", "delivery", "retry"), 3)
		case "PingSource":
			scheduled[o.name()] = strings.Join([]string{text(o.at("spec", "schedule")), text(o.at("spec", "sink", "ref", "name")) + text(o.at("spec", "sink", "uri")), text(o.at("spec", "data"))}, " ")
			c.compare(o.String()+" timezone", o.at("spec", "timezone"), "Africa/Johannesburg")
		}
	}
	c.compare(c.overlay+": schedules", scheduled, tasks)
}

// target wants a sink or subscriber to be an object that is there, with a path that the function serves.
func (c *cluster) target(o object, sink any, bound bool) {
	ref := at(sink, "ref")
	if bound {
		ref = sink
	}
	kind, name := text(at(ref, "apiVersion"))+" "+text(at(ref, "kind")), text(at(ref, "name"))
	if sink == nil || name == "" {
		return
	}
	c.names(o, kind, name)
	path := text(at(sink, "uri"))
	if path == "" {
		path = "/{$}"
	}
	if f, ok := c.functions[name]; ok && kind == knativeService && !bound && !f.routes[path] {
		c.addf("%s: %s does not serve %s", o, name, path)
	}
}

// tokenless are the paths of a function that the broker and PingSources call: neither can carry a token.
func (c *cluster) tokenless(function string) []string {
	paths := map[string]bool{}
	for _, o := range c.objects {
		for _, sink := range []any{o.at("spec", "sink"), o.at("spec", "subscriber"), o.at("spec", "delivery", "deadLetterSink")} {
			if o.kind() != "SinkBinding" && text(at(sink, "ref", "kind")) == "Service" && text(at(sink, "ref", "name")) == function {
				paths["/"+strings.TrimPrefix(text(at(sink, "uri")), "/")] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// passAll reports whether an event passes every filter.
func passAll(filters []map[string]any, event map[string]string) bool {
	return !slices.ContainsFunc(filters, func(f map[string]any) bool { return !passes(f, event) })
}

// passes is one filter, in the dialects of the CloudEvents subscriptions API that are used here.
func passes(filter map[string]any, event map[string]string) bool {
	for dialect, value := range filter {
		passed := false
		switch dialect {
		case "exact", "prefix":
			passed = true
			for name, want := range labels(value) {
				passed = passed && (event[name] == want || dialect == "prefix" && strings.HasPrefix(event[name], want))
			}
		case "not":
			inner, _ := value.(map[string]any)
			passed = !passes(inner, event)
		case "any":
			passed = slices.ContainsFunc(list(filter, "any"), func(inner map[string]any) bool { return passes(inner, event) })
		}
		if !passed {
			return false
		}
	}
	return true
}
