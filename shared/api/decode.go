package api

import (
	"errors"
	"fmt"
	"mime"
	"net/http"

	"github.com/schedgen/schedgen/shared/strictjson"
)

// DecodeJSON reads the request's body, of at most limit bytes, as exactly one JSON value, within the bounds that
// package strictjson holds. It must be said to be JSON: what is said to be something else, or nothing, any site's
// page can have a browser send. A field that into does not have is refused by its name: swallowed, a caller's
// mistake would make another calendar than the one asked for.
func DecodeJSON(r *http.Request, limit int64, into any) error {
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		return New(UnsupportedMediaType, map[string]string{"expected": "application/json"})
	}
	if r.ContentLength > limit {
		return From(&http.MaxBytesError{Limit: limit})
	}
	return jsonError(strictjson.Decode(http.MaxBytesReader(nil, r.Body, limit), into))
}

// jsonError says where the body is wrong, without quoting its values.
func jsonError(err error) error {
	var wrong *strictjson.Error
	if !errors.As(err, &wrong) {
		return decodeError(err)
	}
	field := map[string]any{"field": wrong.Field}
	switch wrong.Problem {
	case strictjson.WrongType:
		return New(InvalidJSON, map[string]string{"field": wrong.Field, "expected": wrong.Expected})
	case strictjson.Unknown:
		return New(ValidationFailed, field).WithMessage(unknown(wrong))
	case strictjson.Duplicate:
		return New(ValidationFailed, field).WithMessage(fmt.Sprintf("The field %q is there twice. Send it once.", wrong.Field))
	case strictjson.TooLong, strictjson.TooLarge, strictjson.TooMany, strictjson.TooDeep:
		field["most"] = wrong.Most
		return New(ValidationFailed, field).WithMessage(tooMuch(wrong))
	case strictjson.NUL, strictjson.NotUTF8:
		return New(InvalidJSON, field).WithMessage("The request body holds U+0000 or bytes that are not UTF-8. Remove them and try again.")
	case strictjson.Trailing:
		return New(InvalidJSON).WithMessage("The request body holds more than one JSON value. Send one.")
	}
	return New(InvalidJSON, map[string]int64{"offset": wrong.Offset}).Wrap(err)
}

// unknown says which field nobody knows, and which may be meant.
func unknown(wrong *strictjson.Error) string {
	if wrong.Meant != "" {
		return fmt.Sprintf("We do not know the field %q. Did you mean %q? If not, leave it out.", wrong.Field, wrong.Meant)
	}
	return fmt.Sprintf("We do not know the field %q. Check its spelling, or leave it out.", wrong.Field)
}

// tooMuch says which bound a body exceeds.
func tooMuch(wrong *strictjson.Error) string {
	where := fmt.Sprintf("The field %q", wrong.Field)
	if wrong.Field == "" {
		where = "The request body"
	}
	switch wrong.Problem {
	case strictjson.TooLong:
		return fmt.Sprintf("%s is longer than %d characters. Shorten it.", where, wrong.Most)
	case strictjson.TooLarge:
		return fmt.Sprintf("%s is larger than %d. Use a smaller number.", where, wrong.Most)
	case strictjson.TooDeep:
		return fmt.Sprintf("%s is nested more than %d levels deep. Send a simpler one.", where, wrong.Most)
	}
	return fmt.Sprintf("%s has more than %d entries. Send fewer.", where, wrong.Most)
}

// decodeError is what a type's own UnmarshalJSON says, or that the body could not be read.
func decodeError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge):
		return From(err)
	}
	return New(InvalidJSON).Wrap(err)
}
