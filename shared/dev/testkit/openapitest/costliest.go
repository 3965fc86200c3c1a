package openapitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"sort"
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

// Costliest are bodies that fill what the operation's schemas allow, each in another way, within so many bytes: long
// texts and short ones, all lists alike and each of them alone, and deep nesting where anything may stand. Known are
// values of fields, by their names, that must be true for a body to be taken.
func (o Operation) Costliest(most int, known map[string]string) []Body {
	var all []Body
	for _, media := range slices.Sorted(maps.Keys(o.bodies)) {
		schema := o.bodies[media].Schema.Value
		switch {
		case media == mediaForm:
			for _, b := range filled(schema, most, known, asForm) {
				all = append(all, Body{"form, " + b.Name, media, b.Data})
			}
		case !strings.HasSuffix(media, "json"):
		case isAnything(schema):
			all = append(all, anything(media, most)...)
		default:
			for _, b := range filled(schema, most, known, asJSON) {
				all = append(all, Body{b.Name, media, b.Data})
			}
		}
	}
	return all
}

// filled are the shapes of one schema.
func filled(schema *openapi3.Schema, most int, known map[string]string, encode func(any) []byte) []Body {
	var all []Body
	add := func(name string, f filler) {
		all = append(all, Body{Name: name, Data: encode(f.value(schema, "", 0))})
	}
	paths := lists(schema, "")
	for _, text := range []int{12, 200, math.MaxInt32} {
		name := fmt.Sprintf("texts of %d bytes", text)
		if text == math.MaxInt32 {
			name = "the longest texts"
		}
		size := func(f filler) int { return len(encode(f.value(schema, "", 0))) }
		even := filler{text: text, known: known}
		even.entries = largest(func(n int) bool { f := even; f.entries = n; return size(f) <= most })
		add(name+", all lists", even)
		for _, path := range paths {
			for _, share := range []int{0, 4} {
				one := filler{text: text, known: known, long: path}
				if share > 0 {
					one.entries = largest(func(n int) bool { f := one; f.entries = n; return size(f) <= most/share })
				}
				one.longEntries = largest(func(n int) bool { f := one; f.longEntries = n; return size(f) <= most })
				if one.longEntries > one.entries {
					add(fmt.Sprintf("%s, %s with 1/%d of the others", name, path, share), one)
				}
			}
		}
	}
	return all
}

// largest is the largest number of entries that fits, below a million. It tries small ones first: large ones that do not
// fit take long to make.
func largest(fits func(int) bool) int {
	most := 1
	for most < 1_000_000 && fits(most) {
		most *= 2
	}
	return sort.Search(most, func(n int) bool { return !fits(n + 1) })
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
	text        int // bytes of a text
	entries     int // of each list and map
	long        string
	longEntries int // of the list at that path
	known       map[string]string
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
		return f.words(s, path, n)
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
	if path == f.long {
		n = f.longEntries
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
		if value, isKnown := f.known[name]; isKnown {
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
			all[f.free(i, 200)] = f.value(more.Value, path+"{}", i)
		}
	}
	return all
}

// words is a text. One that must have a form has that of its example; where any may stand, the same n gives the same
// text, so that what names another is found.
func (f filler) words(s *openapi3.Schema, path string, n int) string {
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

// formLength is the most that a text may have of which the example is more than an example.
const formLength = 100

// free is a text of characters that grow when they are written again: as JSON, in a calendar.
func (f filler) free(n, most int) string {
	number := strconv.Itoa(n)
	length := min(f.text, most, 64<<10)
	return number + strings.Repeat("<,", max(0, length-len(number))/2)
}

// lists are the paths of all lists and maps.
func lists(s *openapi3.Schema, path string) []string {
	var all []string
	for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.OneOf} {
		for _, part := range parts {
			all = append(all, lists(part.Value, path)...)
		}
	}
	for name, property := range s.Properties {
		all = append(all, lists(property.Value, path+"."+name)...)
	}
	if s.Items != nil {
		all = append(append(all, path), lists(s.Items.Value, path+"[]")...)
	}
	if more := s.AdditionalProperties.Schema; more != nil {
		all = append(append(all, path), lists(more.Value, path+"{}")...)
	}
	slices.Sort(all)
	return slices.Compact(all)
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
		"numbers": repeat("[", "0", "]"), "empty objects": repeat("[", "{}", "]"), "records": repeat(`{"Records":[`, "{}", "]}"),
		"names": append(names, '}'), "one text": []byte(`{"Records":["` + strings.Repeat("<", most-20) + `"]}`),
		"depth": []byte(strings.Repeat(`{"Records":[`, most/12)), "lists in lists": []byte(strings.Repeat("[", most)),
		"an escaped text": []byte(`{"specversion":"1.0","id":"1","type":"t","source":"s","data":"` + strings.Repeat(`\u0001`, (most-100)/6) + `"}`),
		"texts":           repeat(`{"specversion":"1.0","id":"1","type":"t","source":"s","data":[`, `"<,"`, "]}"),
	}
	var bodies []Body
	for _, name := range slices.Sorted(maps.Keys(all)) {
		bodies = append(bodies, Body{name, media, all[name]})
	}
	return bodies
}
