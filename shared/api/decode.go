package api

import (
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// DecodeJSON reads the request's body, of at most limit bytes, as exactly one JSON value. It must be said to be
// JSON: what is said to be something else, or nothing, any site's page can have a browser send. Unknown fields are
// let pass, so that a newer frontend can speak to an older function.
func DecodeJSON(r *http.Request, limit int64, into any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return New(UnsupportedMediaType, map[string]string{"expected": "application/json"})
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, limit))
	if err := decoder.Decode(into); err != nil {
		return jsonError(err, into)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return New(InvalidJSON).Say("The request body has more after its JSON value.")
	}
	return nil
}

// jsonError says where the body is wrong, without quoting it.
func jsonError(err error, into any) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return From(err)
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return New(InvalidJSON, map[string]string{
			"field": jsonPath(mismatch.Field, reflect.TypeOf(into)), "expected": jsonKind(mismatch.Type),
		})
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return New(InvalidJSON, map[string]int64{"offset": syntax.Offset})
	}
	return New(InvalidJSON).Wrap(err)
}

// jsonPath is a path of an UnmarshalTypeError in a value of type t as a caller writes it: without the
// embedded structs, which are no objects of the JSON.
func jsonPath(path string, t reflect.Type) string {
	names := strings.Split(path, ".")
	return strings.Join(slices.DeleteFunc(names, func(name string) bool {
		t = fieldless(t)
		if t == nil || t.Kind() != reflect.Struct {
			return false
		}
		for field := range t.Fields() {
			named, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if named == name || named == "" && field.Name == name {
				t = field.Type
				return field.Anonymous && named == ""
			}
		}
		t = nil // beyond what is known, nothing is left out
		return false
	}), ".")
}

// fieldless is t without what adds no name to a path: pointers, arrays and maps.
func fieldless(t reflect.Type) reflect.Type {
	for t != nil && slices.Contains([]reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map}, t.Kind()) {
		t = t.Elem()
	}
	return t
}

// jsonKind is what a value of type t is in JSON.
func jsonKind(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonKind(t.Elem())
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
