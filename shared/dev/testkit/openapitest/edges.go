package openapitest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Edge is one bound of what an operation takes as JSON: a body that is just within it, and one that is just beyond.
type Edge struct {
	Field          string // as an error names it: "events[0].venues"
	Within, Beyond []byte
}

// Edges are all bounds of an operation's JSON, each in a body that is base but for one field; and the fields that may be
// as long, as many or as large as one likes.
func (o Operation) Edges(base map[string]any) (edges []Edge, unbounded []string) {
	media := o.bodies[mediaJSON]
	if media == nil {
		return nil, nil
	}
	e := edger{}
	e.walk(media.Schema.Value, "", func(v any) any {
		body := maps.Clone(base)
		if body == nil {
			body = map[string]any{}
		}
		maps.Copy(body, v.(map[string]any))
		return body
	})
	slices.Sort(e.unbounded)
	return e.edges, slices.Compact(e.unbounded)
}

// edger gathers edges. Put makes a whole body of a value at the place where it is.
type edger struct {
	edges     []Edge
	unbounded []string
}

func (e *edger) add(path string, put func(any) any, within, beyond any) {
	e.edges = append(e.edges, Edge{strings.TrimPrefix(path, "."), asJSON(put(within)), asJSON(put(beyond))})
}

func (e *edger) walk(s *openapi3.Schema, path string, put func(any) any) {
	for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.OneOf} {
		for _, part := range parts {
			e.walk(part.Value, path, put)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		e.walk(s.Properties[name].Value, path+"."+name, func(v any) any {
			all := required(s)
			all[name] = v
			return put(all)
		})
	}
	switch {
	case s.AdditionalProperties.Schema != nil:
		e.entries(s, path, put)
	case s.Type.Is("array"):
		e.list(s, path, put)
	case s.Type.Is("string") && len(s.Enum) == 0 && s.Format == "" && s.Pattern == "":
		if s.MaxLength == nil {
			e.unbounded = append(e.unbounded, path)
			return
		}
		text := strings.Repeat("é", int(*s.MaxLength)) // a character is not a byte
		e.add(path, put, text, text+"é")
	case s.Type.Is("integer") || s.Type.Is("number"):
		if s.Max == nil {
			e.unbounded = append(e.unbounded, path)
			return
		}
		e.add(path, put, int(*s.Max), int(*s.Max)+1)
	}
}

// entries are the edges of a map.
func (e *edger) entries(s *openapi3.Schema, path string, put func(any) any) {
	of := s.AdditionalProperties.Schema.Value
	e.walk(of, path+".a", func(v any) any { return put(map[string]any{"a": v}) })
	if s.MaxProps == nil {
		e.unbounded = append(e.unbounded, path)
		return
	}
	many := func(count int) any {
		all := map[string]any{}
		for n := range count {
			all["m"+strconv.Itoa(n)] = short(of, n)
		}
		return all
	}
	e.add(path, put, many(int(*s.MaxProps)), many(int(*s.MaxProps)+1))
}

// list are the edges of a list.
func (e *edger) list(s *openapi3.Schema, path string, put func(any) any) {
	of := s.Items.Value
	e.walk(of, path+"[0]", func(v any) any { return put([]any{v}) })
	if s.MaxItems == nil {
		e.unbounded = append(e.unbounded, path)
		return
	}
	many := func(count int) any {
		all := make([]any, count)
		for n := range all {
			all[n] = short(of, n)
		}
		return all
	}
	e.add(path, put, many(int(*s.MaxItems)), many(int(*s.MaxItems)+1))
}

// short is a small value of a schema.
func short(s *openapi3.Schema, n int) any {
	if len(s.Properties) > 0 {
		return required(s)
	}
	return filler{text: 12}.value(s, "", n)
}

// required are the fields that an object must have.
func required(s *openapi3.Schema) map[string]any {
	all := map[string]any{}
	for _, name := range s.Required {
		all[name] = short(s.Properties[name].Value, 0)
	}
	return all
}

// HoldEdges sends each body of the operation's [Operation.Edges], and wants those within their bound not to be refused for
// their size, and those beyond it to be, with the field's name. It gives how many bounds there are.
func (o Operation) HoldEdges(t testing.TB, base map[string]any, send func(body string) (status int, answer []byte)) int {
	t.Helper()
	edges, unbounded := o.Edges(base)
	for _, field := range unbounded {
		t.Errorf("%s %s: %s has no bound", o.Method, o.Path, field)
	}
	for _, edge := range edges {
		for body, beyond := range map[*[]byte]bool{&edge.Within: false, &edge.Beyond: true} {
			var refusal struct {
				Details struct {
					Field string
					Most  int
				}
			}
			status, answer := send(string(*body))
			err := json.Unmarshal(answer, &refusal)
			refused := err == nil && status == http.StatusBadRequest && refusal.Details.Most > 0
			if refused != beyond || beyond && refusal.Details.Field != edge.Field {
				t.Errorf("%s %s: %s, beyond its bound: %v: got %d, %+v", o.Method, o.Path, edge.Field, beyond, status, refusal.Details)
			}
		}
	}
	return len(edges)
}
