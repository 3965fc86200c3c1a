package openapitest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// Body is what a request may send.
type Body struct {
	Name        string // how it is filled
	ContentType string
	Data        []byte
}

// Media types whose bodies are made of a schema here.
const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// Costliest are bodies that fill what the operation's schemas allow within so many bytes, each in another way: many short
// texts, few lists with as many entries as there may be, the longest texts, and deep nesting where anything may stand.
// Known are values of fields, by their names or paths, that must be true for a body to be taken; a field of the value "" is
// left out.
func (o Operation) Costliest(most int, known map[string]string) []Body {
	var all []Body
	for _, media := range slices.Sorted(maps.Keys(o.bodies)) {
		schema := o.bodies[media].Schema.Value
		switch {
		case media == mediaForm:
			all = append(all, filled(media, schema, most, known, asForm)...)
		case !strings.HasSuffix(media, "json"):
		case isAnything(schema):
			all = append(all, anything(media, most)...)
		default:
			all = append(all, filled(media, schema, most, known, asJSON)...)
		}
	}
	return all
}

// filled are the shapes of one schema.
func filled(media string, schema *openapi3.Schema, most int, known map[string]string, encode func(any) []byte) []Body {
	var all []Body
	for name, f := range map[string]filler{
		"short texts": {text: 12, inner: math.MaxInt}, "short texts, lists of one in lists": {text: 12, inner: 1},
		"the longest texts": {text: math.MaxInt32, inner: math.MaxInt},
	} {
		f.known = known
		f.entries = largest(func(n int) bool {
			f.entries = n
			return len(encode(f.value(schema, "", 0))) <= most
		})
		all = append(all, Body{media + ", " + name, media, encode(f.value(schema, "", 0))})
	}
	return all
}

// largest is the largest number of entries that fits, below a million, or one that is a sixteenth smaller. It tries small
// ones first: large ones that do not fit take long to make.
func largest(fits func(int) bool) int {
	fit, most := 0, 1
	for most < 1_000_000 && fits(most) {
		fit, most = most, 2*most
	}
	for most-fit > 1+fit/16 {
		if middle := (fit + most) / 2; fits(middle) {
			fit = middle
		} else {
			most = middle
		}
	}
	return fit
}

func asJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // maps, lists, texts and numbers alone
	}
	return b.Bytes()
}

func asForm(v any) []byte {
	form := url.Values{}
	for name, value := range v.(map[string]any) {
		values, ok := value.([]any)
		if !ok {
			values = []any{value}
		}
		for _, one := range values {
			form.Add(name, fmt.Sprint(one))
		}
	}
	return []byte(form.Encode())
}

// filler says how much of what a schema allows is there.
type filler struct {
	text    int // bytes of a text
	entries int // of each list and map
	inner   int // the most of one that is in a list
	known   map[string]string
}

// value is the n-th value of a schema.
func (f filler) value(s *openapi3.Schema, path string, n int) any {
	switch {
	case len(s.AllOf) > 0:
		all := map[string]any{}
		for _, part := range s.AllOf {
			maps.Copy(all, f.value(part.Value, path, n).(map[string]any))
		}
		return all
	case len(s.OneOf) > 0:
		return f.value(s.OneOf[len(s.OneOf)-1].Value, path, n)
	case s.Type.Is("object"):
		return f.object(s, path, n)
	case s.Type.Is("array"):
		list := []any{}
		for i := range f.count(s.MaxItems, path) {
			list = append(list, f.value(s.Items.Value, path+"[]", i))
		}
		return list
	case s.Type.Is("string"):
		return cmp.Or(f.known[strings.TrimPrefix(path, ".")], f.words(s, n))
	case s.Example != nil:
		return s.Example
	case s.Type.Is("boolean"):
		return false
	case s.Max != nil:
		return int(*s.Max) - n%int(*s.Max)
	}
	return n
}

// count is how many entries a list or a map has.
func (f filler) count(most *uint64, path string) int {
	n := f.entries
	if strings.Contains(path, "[]") {
		n = min(n, f.inner)
	}
	if most != nil {
		n = min(n, int(*most))
	}
	return n
}

// object has all fields, or as many entries as a map may have. A map of objects has keys that mean something, so that
// it is its example.
func (f filler) object(s *openapi3.Schema, path string, n int) any {
	all := map[string]any{}
	for name, property := range s.Properties {
		value, isKnown := f.known[strings.TrimPrefix(path+"."+name, ".")]
		if !isKnown {
			value, isKnown = f.known[name]
		}
		if isKnown {
			if value != "" {
				all[name] = value
			}
			continue
		}
		all[name] = f.value(property.Value, path+"."+name, n)
	}
	if more := s.AdditionalProperties.Schema; more != nil {
		if example, ok := s.Example.(map[string]any); ok && more.Value.Type.Is("object") {
			return example
		}
		for i := range f.count(s.MaxProps, path) {
			all[f.free(i, nameLength)] = f.value(more.Value, path+"{}", i)
		}
	}
	return all
}

// words is a text. One that must have a form has that of its example; where any may stand, the same n gives the same
// text, so that what names another is found.
func (f filler) words(s *openapi3.Schema, n int) string {
	if len(s.Enum) > 0 {
		text, _ := s.Enum[n%len(s.Enum)].(string)
		return text
	}
	most := math.MaxInt32
	if s.MaxLength != nil {
		most = int(*s.MaxLength)
	}
	example, given := s.Example.(string)
	switch {
	case s.Format == "date":
		return time.Date(2026, 2, 9+n%300, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case s.Format == "uuid":
		return "0192d1c8-7f3e-7abc-8def-0123456789ab"
	case given && most <= formLength:
		return example
	}
	return f.free(n, most)
}

// nameLength is the most that a name may have where the schema does not say.
const nameLength = 100

// formLength is the most that a text may have of which the example is more than an example.
const formLength = 100

// free is a text of characters that grow when they are written again: as JSON, in a calendar.
func (f filler) free(n, most int) string {
	number := strconv.Itoa(n)
	length := min(f.text, most, 64<<10)
	return number + strings.Repeat("<,", max(0, length-len(number))/2)
}

// isAnything says whether a schema names no fields.
func isAnything(s *openapi3.Schema) bool {
	return len(s.Properties) == 0 && len(s.AllOf) == 0 && (s.Items == nil || isAnything(s.Items.Value))
}

// anything are bodies of no schema.
func anything(media string, most int) []Body {
	repeat := func(begin, one, end string) []byte {
		times := (most - len(begin) - len(end)) / (len(one) + 1)
		return []byte(begin + strings.TrimSuffix(strings.Repeat(one+",", times), ",") + end)
	}
	names := []byte(`{"Records":[{"a":1}]`)
	for n := 0; len(names) < most-20; n++ {
		names = append(names, `,"`+strconv.Itoa(n)+`":0`...)
	}
	all := map[string][]byte{
		"empty objects": repeat("[", "{}", "]"), "records": repeat(`{"Records":[`, "{}", "]}"),
		"names":           append(names, '}'),
		"depth":           []byte(strings.Repeat(`{"Records":[`, most/12)),
		"an escaped text": []byte(`{"specversion":"1.0","id":"1","type":"t","source":"s","data":"` + strings.Repeat(`\u0001`, (most-100)/6) + `"}`),
		"texts":           repeat(`{"specversion":"1.0","id":"1","type":"t","source":"s","data":[`, `"<,"`, "]}"),
	}
	var bodies []Body
	for _, name := range slices.Sorted(maps.Keys(all)) {
		bodies = append(bodies, Body{name, media, all[name]})
	}
	return bodies
}
