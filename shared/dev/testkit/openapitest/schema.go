package openapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// credentials says whether a request carries what a security scheme asks for.
func credentials(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	request := in.RequestValidationInput.Request
	scheme := in.SecurityScheme
	switch {
	case scheme.Type == "apiKey" && scheme.In == "cookie":
		for _, name := range []string{scheme.Name, "__Host-" + scheme.Name} { // the latter where it is sent over HTTPS only
			if _, err := request.Cookie(name); err == nil {
				return nil
			}
		}
		return fmt.Errorf("no cookie %s", scheme.Name)
	case scheme.Type == "http" && scheme.Scheme == "bearer":
		if !strings.HasPrefix(request.Header.Get("Authorization"), "Bearer ") {
			return errors.New("no Bearer token")
		}
		return nil
	}
	return fmt.Errorf("the security scheme %q is none that is known here", in.SecuritySchemeName)
}

// decodeJSON reads one JSON value and nothing after it.
func decodeJSON(data []byte, into *any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more after the JSON value")
	}
	return nil
}

// openObjects names the object schemas of answers that name some fields and do not say whether
// there are others.
func openObjects(doc *openapi3.T) []string {
	w := walk{seen: map[*openapi3.Schema]bool{}}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				for _, media := range response.Value.Content {
					w.schema(method+" "+path+" "+status, media.Schema)
				}
			}
		}
	}
	slices.Sort(w.open)
	return w.open
}

// walk goes through schemas, each once.
type walk struct {
	seen map[*openapi3.Schema]bool
	open []string
}

func (w *walk) schema(where string, ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil || w.seen[ref.Value] {
		return
	}
	s := ref.Value
	w.seen[s] = true
	if ref.Ref != "" {
		where = ref.Ref
	}
	if len(s.Properties) > 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
		w.open = append(w.open, where)
	}
	for name, property := range s.Properties {
		w.schema(where+"."+name, property)
	}
	w.schema(where+"[]", s.Items)
	w.schema(where+".*", s.AdditionalProperties.Schema)
	for _, parts := range []openapi3.SchemaRefs{s.AllOf, s.AnyOf, s.OneOf} {
		for _, part := range parts {
			w.schema(where, part)
		}
	}
}
