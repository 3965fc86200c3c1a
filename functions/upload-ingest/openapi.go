package uploadingest

import (
	_ "embed"
	"net/http"
)

//go:embed openapi.json
var openAPIDocument []byte

// OpenAPI is the description of the whole HTTP API, of all functions.
func OpenAPI() []byte { return openAPIDocument }

// openAPI answers the description. It is the same for everybody and holds nobody's data, so that pages of any
// site, which show descriptions of APIs, may read it; those that are trusted have been told so already, by
// their own name, and a browser that sends their cookies along would take no other answer.
func (f *Function) openAPI(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	if header.Get("Access-Control-Allow-Origin") == "" {
		header.Set("Access-Control-Allow-Origin", "*")
	}
	header.Set("Cache-Control", "public, max-age=300")
	header.Set("Content-Type", "application/json")
	_, _ = w.Write(openAPIDocument) // who has hung up reads nothing
}
