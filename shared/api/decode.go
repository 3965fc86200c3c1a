package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
)

// DecodeJSON reads the request's body, of at most limit bytes, as exactly one JSON value. Unknown
// fields are let pass, so that a newer frontend can speak to an older function.
func DecodeJSON(r *http.Request, limit int64, into any) error {
	if contentType := r.Header.Get("Content-Type"); contentType != "" {
		if media, _, err := mime.ParseMediaType(contentType); err != nil || media != "application/json" {
			return New(UnsupportedMediaType, map[string]string{"expected": "application/json"})
		}
	}
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, limit))
	if err := decoder.Decode(into); err != nil {
		return jsonError(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return New(InvalidJSON).Say("The request body has more after its JSON value.")
	}
	return nil
}

// jsonError says where the body is wrong, without quoting it.
func jsonError(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return From(err)
	}
	var mismatch *json.UnmarshalTypeError
	if errors.As(err, &mismatch) {
		return New(InvalidJSON, map[string]string{"field": mismatch.Field, "expected": mismatch.Type.String()})
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return New(InvalidJSON, map[string]int64{"offset": syntax.Offset})
	}
	return New(InvalidJSON).Wrap(err)
}
