package manifests

import (
	"maps"
	"slices"
	"strings"
)

// openPaths wants OPEN_PATHS to hold the paths whose callers cannot carry a token, and no other.
func (p *problems) openPaths(where string, set map[string]given, tokenless []string) {
	p.compare(where+" OPEN_PATHS", set["OPEN_PATHS"].value, strings.Join(tokenless, ","))
}

// carried wants a function to have the token that its callers carry: without one it lets none of them through.
func (p *problems) carried(where string, set map[string]given) {
	if _, ok := set["EVENT_TOKEN"]; !ok {
		p.addf("%s does not set EVENT_TOKEN, which its callers carry", where)
	}
}

// tokenless are the paths of a function that the broker and PingSources call, sorted: neither can carry a token.
func (c *cluster) tokenless(function string) []string {
	paths := map[string]bool{}
	for _, o := range c.objects {
		for _, to := range []any{o.at("spec", "sink"), o.at("spec", "subscriber"), o.at("spec", "delivery", "deadLetterSink")} {
			caller := slices.Contains([]string{"Broker", "Trigger", "PingSource"}, o.kind())
			if caller && text(at(to, "ref", "kind")) == "Service" && text(at(to, "ref", "name")) == function {
				path, _ := at(to, "uri").(string)
				paths["/"+strings.TrimPrefix(path, "/")] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(paths))
}

// scheduled is the path of a function on OpenFaaS that cron-connector calls, which cannot carry a token.
func scheduled(f stackFunction) []string {
	if f.Annotations["topic"] != "cron-function" {
		return nil
	}
	if path := f.Environment["FUNCTION_TASK_PATH"]; path != "" {
		return []string{path}
	}
	return []string{"/"}
}

// told are the functions that others on OpenFaaS, or the object store, send events to with the token.
func (s stack) told() map[string]bool {
	names := map[string]bool{"upload-ingest": true} // by MinIO
	for _, f := range s.Functions {
		for target := range strings.SplitSeq(f.Environment["EVENT_TARGETS"]+","+f.Environment["PARSED_TARGETS"], ",") {
			if _, path, ok := strings.Cut(target, "/async-function/"); ok {
				name, _, _ := strings.Cut(path, "/")
				names[name] = true
			}
		}
	}
	return names
}
