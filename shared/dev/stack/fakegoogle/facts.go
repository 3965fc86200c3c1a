package fakegoogle

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// factsJSON says what Google's own description says of the methods served here: paths, parameters, fields
// and their types. A test holds it against calendar-api.json, which ships inside google.golang.org/api,
// and fails on any difference; with -update it writes the file anew.
//
//go:embed facts.json
var factsJSON []byte

// facts are what a request may hold.
type facts struct {
	Common  map[string]param  `json:"common"` // parameters of every method
	Methods map[string]method `json:"methods"`
	Schemas map[string]field  `json:"schemas"`
}

// method is one method of the API.
type method struct {
	HTTP   string           `json:"http"`
	Path   string           `json:"path"`
	Params map[string]param `json:"params,omitempty"`
	Body   string           `json:"body,omitempty"` // a schema
	Scopes []string         `json:"scopes"`         // any of them suffices
}

// param is a parameter in the path or the query.
type param struct {
	In       string   `json:"in"`
	Type     string   `json:"type"`
	Format   string   `json:"format,omitempty"`
	Enum     []string `json:"enum,omitempty"`
	Min      string   `json:"min,omitempty"`
	Max      string   `json:"max,omitempty"`
	Required bool     `json:"required,omitempty"`
	Repeated bool     `json:"repeated,omitempty"`
}

// field is a value in a body: of a simple type, a reference to a schema, an object or an array.
type field struct {
	Type     string           `json:"type,omitempty"`
	Format   string           `json:"format,omitempty"`
	Enum     []string         `json:"enum,omitempty"`
	Ref      string           `json:"ref,omitempty"`
	Items    *field           `json:"items,omitempty"`
	Fields   map[string]field `json:"fields,omitempty"`
	Values   *field           `json:"values,omitempty"`   // of an object with any names
	Required []string         `json:"required,omitempty"` // by these methods
}

// known is the facts, read once.
var known = sync.OnceValue(func() facts {
	var f facts
	if err := json.Unmarshal(factsJSON, &f); err != nil {
		panic(fmt.Sprintf("facts.json: %v", err)) // the file is part of the program, and tested
	}
	return f
})

// route finds the method of a request by its verb and its path's segments, with the values of the path's
// parameters. pathKnown is true where the path exists for another verb.
func (f facts) route(verb string, segments []string) (id string, values map[string]string, pathKnown bool) {
	for name, m := range f.Methods {
		got, ok := match(strings.Split(m.Path, "/"), segments)
		if !ok {
			continue
		}
		if m.HTTP == verb && (id == "" || len(got) < len(values)) {
			id, values = name, got // a path without a parameter beats one with
		}
		pathKnown = true
	}
	return id, values, pathKnown
}

// match holds a path's segments against a pattern's.
func match(pattern, segments []string) (map[string]string, bool) {
	if len(pattern) != len(segments) {
		return nil, false
	}
	values := map[string]string{}
	for i, p := range pattern {
		switch {
		case strings.HasPrefix(p, "{") && segments[i] != "":
			values[strings.Trim(p, "{}")] = segments[i]
		case p != segments[i]:
			return nil, false
		}
	}
	return values, true
}
