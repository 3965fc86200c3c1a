package strictjson

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
)

// Forms is a type with an UnmarshalJSON that takes several forms, such as one text or a list of texts. JSONForms
// gives a type for each, whose UnmarshalJSON is not asked.
type Forms interface{ JSONForms() []reflect.Type }

// bounds are those of a field's tags; 0 is the default.
type bounds struct{ most, each int }

func (b bounds) text() int    { return or(b.most, maxText) }
func (b bounds) entries() int { return or(b.most, maxItems) }

// inner are the bounds of the texts in a list or an object, however deep: each of them.
func (b bounds) inner() bounds { return bounds{most: b.each, each: b.each} }

func or(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// object is what may stand in an object: the fields of a struct, or values of one type under any name.
type object struct {
	fields map[string]field // of a struct, by name and by its lower case
	other  *field           // of a map or of anything
	most   int              // fields
	name   int              // bytes of a name
}

// field is what one name stands for.
type field struct {
	name   string
	of     reflect.Type
	bounds bounds
}

// field finds a field as encoding/json does: by its name, else in any case.
func (o object) field(name string) (f field, canonical string, ok bool) {
	if o.other != nil {
		return *o.other, name, true
	}
	if f, ok = o.fields[name]; !ok {
		f, ok = o.fields[strings.ToLower(name)]
	}
	if !ok {
		return field{of: anything}, name, false
	}
	return f, f.name, true
}

var anything = reflect.TypeFor[any]()

// objectOf is what an object of type t may hold.
func objectOf(t reflect.Type, b bounds) object {
	if t.Kind() == reflect.Struct {
		return object{fields: fieldsOf(t), most: maxItems, name: maxText}
	}
	of := anything
	if t.Kind() == reflect.Map {
		of = t.Elem()
	}
	return object{other: &field{of: of, bounds: b.inner()}, most: b.entries(), name: or(b.each, maxText)}
}

var fieldsByType sync.Map // reflect.Type to map[string]field

// fieldsOf are the fields of a struct, with those of what it embeds.
func fieldsOf(t reflect.Type) map[string]field {
	if fields, ok := fieldsByType.Load(t); ok {
		return fields.(map[string]field)
	}
	fields := map[string]field{}
	collect(t, fields)
	for name, f := range fields {
		if lower := strings.ToLower(name); lower != name {
			if _, taken := fields[lower]; !taken {
				fields[lower] = f
			}
		}
	}
	fieldsByType.Store(t, fields)
	return fields
}

// collect adds the fields of t that no outer struct has.
func collect(t reflect.Type, fields map[string]field) {
	var embedded []reflect.Type
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct {
			embedded = append(embedded, f.Type)
			continue
		}
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		if _, outer := fields[name]; !outer {
			fields[name] = field{name, f.Type, boundsOf(f)}
		}
	}
	for _, t := range embedded {
		collect(t, fields)
	}
}

// boundsOf reads a field's tags. A tag that is no number is a mistake of ours, found by any test of its type.
func boundsOf(f reflect.StructField) bounds {
	number := func(tag string) int {
		text, ok := f.Tag.Lookup(tag)
		if !ok {
			return 0
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			panic("strictjson: the tag " + tag + " of " + f.Name + ": " + err.Error())
		}
		return n
	}
	return bounds{number("most"), number("each")}
}

// formOf is the type that a value beginning with token is checked as.
func formOf(t reflect.Type, token json.Token) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return t
	}
	if forms, ok := reflect.Zero(t).Interface().(Forms); ok {
		for _, form := range forms.JSONForms() {
			if kindOf(form) == kindOfToken(token) {
				return form
			}
		}
		return anything // of no form that there is: UnmarshalJSON says so in its own words
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return anything
	}
	return t
}

// kindOf is what a value of type t is in JSON, and empty where it may be anything.
func kindOf(t reflect.Type) string {
	if t == nil || t.Kind() == reflect.Interface {
		return ""
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || t == reflect.TypeFor[[]byte]() {
		return "string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array"
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	}
	return "number"
}

// kindOfToken is what the value is that begins with token.
func kindOfToken(token json.Token) string {
	switch token := token.(type) {
	case json.Delim:
		if token == '{' {
			return "object"
		}
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	}
	return "number"
}
