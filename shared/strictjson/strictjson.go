// Package strictjson decodes JSON that strangers send, and ends at the first thing that is wrong with it.
//
// encoding/json makes all of a value before anybody can count it: two megabytes of "0," are a million errors or
// structs. Decode therefore reads the body token by token beside the type that it shall become, and checks bounds
// as it goes: how deep, how many, how long, which fields. Only what passes is decoded, so that the cost of any body
// is that of its bytes and of the values that the type allows.
//
// The bounds stand where the fields are declared, in their tags:
//
//	Modules []string          `json:"modules" most:"500" each:"100"` // entries, and characters of each text in them
//	Year    int               `json:"year" most:"2200"`              // the largest number
//	Name    string            `json:"name" most:"200"`               // characters
//
// What has no tag has the defaults below. A type with an UnmarshalJSON of its own says with JSONForms as which types
// it may be written; else it may be any JSON within the defaults.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// The bounds of what has no tag.
const (
	maxDepth  = 24
	maxText   = 4 << 10 // characters of a text
	maxItems  = 1000    // entries of a list or an object
	maxValues = 600_000 // tokens of a whole body

	maxForeignText = 1 << 20 // of what another program sends, which may wrap a whole event in a text
)

// The problems of an Error.
const (
	Syntax    = "syntax"
	WrongType = "type"
	Unknown   = "unknown"   // the type has no such field
	Duplicate = "duplicate" // a name stands twice in one object
	TooLong   = "long"      // a text
	TooLarge  = "large"     // a number
	TooMany   = "many"      // entries, or all values together
	TooDeep   = "deep"
	NUL       = "nul" // a text holds U+0000, which no database takes
	NotUTF8   = "utf8"
	Trailing  = "trailing" // there is more after the value
)

// Error says what is wrong with a body, and where.
type Error struct {
	Problem  string
	Field    string // the path as its writer knows it: "events[3].venues[0]"; empty for the whole
	Expected string // of WrongType: object, array, string, number or boolean
	Meant    string // of Unknown: the name of the field that may be meant, empty where none is near
	Most     int    // of TooLong, TooLarge, TooMany, TooDeep
	Offset   int64  // of Syntax
	Err      error  // of Syntax; may be nil
}

func (e *Error) Error() string {
	return fmt.Sprintf("json: %s at %q (offset %d): %v", e.Problem, e.Field, e.Offset, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Decode reads exactly one JSON value. Every field of an object must be one that into has, and stand there once.
// An error of body itself is given as it is.
func Decode(body io.Reader, into any) error { return decode(body, into, false) }

// Unmarshal decodes what another program sends, whose version may have fields that nobody here knows.
func Unmarshal(body []byte, into any) error { return decode(bytes.NewReader(body), into, true) }

// decode checks body as it comes and decodes what it kept of it.
func decode(body io.Reader, into any, foreign bool) error {
	var kept bytes.Buffer
	c := newChecker(io.TeeReader(body, &kept), foreign)
	if err := c.document(into); err != nil {
		return err
	}
	if !utf8.Valid(kept.Bytes()) {
		return &Error{Problem: NotUTF8}
	}
	return mismatch(json.Unmarshal(kept.Bytes(), into))
}

// mismatch is what only decoding finds: a number that its type cannot hold, or a word of UnmarshalJSON's own.
func mismatch(err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return &Error{Problem: WrongType, Field: wrong.Field, Expected: kindOf(wrong.Type), Err: err}
	}
	return err
}
