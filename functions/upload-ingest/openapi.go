package uploadingest

import (
	_ "embed"
	"net/http"

	"github.com/schedgen/schedgen/shared/api"
)

//go:embed openapi.json
var openAPIDocument []byte

// OpenAPI is the description of the whole HTTP API, of all functions.
func OpenAPI() []byte { return openAPIDocument }

// openAPI answers the description.
func (f *Function) openAPI(*http.Request) (any, error) {
	return api.Response{
		Header:      http.Header{"Cache-Control": {"public, max-age=300"}, "Access-Control-Allow-Origin": {"*"}},
		ContentType: "application/json", Body: openAPIDocument,
	}, nil
}
