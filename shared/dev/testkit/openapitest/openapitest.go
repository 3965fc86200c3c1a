// Package openapitest holds what tests send and get to the API's OpenAPI description. A Checker's
// RoundTripper lets every exchange pass and fails the test where the two sides differ:
//
//   - an answer must have a status, a media type, and a body of a schema that the description gives,
//     with no field that it does not name;
//   - a request that the description does not allow must be answered with an error, so a test may
//     send nonsense and learn that it is refused;
//   - an address or method that the description does not know must be a 404 or 405 with the error object.
//
// It is for tests only: no other code imports it.
package openapitest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// errorSchema is the component that every error is an object of.
const errorSchema = "Error"

// Checker is one description. It is safe for concurrent use, by any number of clients.
type Checker struct {
	doc    *openapi3.T
	router routers.Router

	mu   sync.Mutex
	seen map[string]bool // "GET /api/jobs/{id} 200"
}

// decoders teaches the library, once for the process, to take files as they are.
var decoders = sync.OnceFunc(func() {
	openapi3filter.RegisterBodyDecoder("*/*", openapi3filter.FileBodyDecoder)
})

// New reads the description. It fails the test if that is not valid OpenAPI, or if a schema of an
// answer leaves open which fields there are: such a schema could not be violated.
func New(t testing.TB, document []byte) *Checker {
	t.Helper()
	decoders()
	doc, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		t.Fatalf("read the OpenAPI description: %v", err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatalf("the OpenAPI description is not valid: %v", err)
	}
	if open := openObjects(doc); len(open) > 0 {
		t.Fatalf("these schemas of answers need additionalProperties: %s", strings.Join(open, "; "))
	}
	if doc.Components == nil || doc.Components.Schemas[errorSchema] == nil {
		t.Fatalf("the OpenAPI description has no schema %q", errorSchema)
	}
	// Where the service is reached is the test's to say, not the description's.
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatalf("read the paths of the OpenAPI description: %v", err)
	}
	return &Checker{doc: doc, router: router, seen: map[string]bool{}}
}

// Client is an HTTP client all of whose exchanges are checked. It follows no redirect and keeps no
// cookies unless it is given a jar.
func (c *Checker) Client(t testing.TB) *http.Client {
	return &http.Client{
		Transport:     c.RoundTripper(t, http.DefaultTransport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// RoundTripper checks what next sends and gets, and fails t where it is not as described. Bodies
// are held in memory. An exchange that breaks off is not checked.
func (c *Checker) RoundTripper(t testing.TB, next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		t.Helper()
		sent, err := take(request.Body)
		if err != nil {
			return nil, err
		}
		if sent != nil {
			request = request.Clone(request.Context())
			request.Body = io.NopCloser(bytes.NewReader(sent))
		}
		response, err := next.RoundTrip(request)
		if err != nil {
			return nil, err
		}
		got, err := take(response.Body)
		if err != nil {
			return nil, err
		}
		response.Body = io.NopCloser(bytes.NewReader(got))
		if err := c.Check(request, sent, response, got); err != nil {
			t.Errorf("%s %s -> %d: %v\nsent: %.500s\ngot: %.1000s", request.Method, request.URL.Path, response.StatusCode, err, sent, got)
		}
		return response, nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// take reads and closes a body; nil where there is none.
func take(body io.ReadCloser) ([]byte, error) {
	if body == nil || body == http.NoBody {
		return nil, nil
	}
	all, err := io.ReadAll(body)
	return all, errors.Join(err, body.Close())
}

// Check says where an exchange is not as described. It changes neither request nor response.
func (c *Checker) Check(request *http.Request, sent []byte, response *http.Response, got []byte) error {
	asked := request.Clone(request.Context())
	asked.Body = io.NopCloser(bytes.NewReader(sent))
	if asked.Method == http.MethodHead {
		asked.Method = http.MethodGet // what answers GET answers HEAD, without the body
	}
	route, parameters, err := c.router.FindRoute(asked)
	if err != nil {
		return c.unknown(response, got, err)
	}
	c.note(route, response.StatusCode)
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: options()}
	if err := openapi3filter.ValidateRequest(request.Context(), in); err != nil && response.StatusCode < http.StatusBadRequest {
		return fmt.Errorf("the request is not as described, and was taken: %w", err)
	}
	return answer(in, request.Method, response, got)
}

// options are how exchanges are validated. Credentials must be there; whether they are good the
// service says.
func options() *openapi3filter.Options {
	return &openapi3filter.Options{
		IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true, MultiError: true,
		AuthenticationFunc: credentials,
		SchemaValidationOptions: []openapi3.SchemaValidationOption{
			openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
			openapi3.WithStringFormatValidator("uri", openapi3.NewCallbackValidator(func(text string) error {
				address, err := url.Parse(text)
				if err == nil && !address.IsAbs() {
					err = fmt.Errorf("%q is no absolute address", text)
				}
				return err
			})),
		},
	}
}

// unknown checks the answer at an address that the description does not have.
func (c *Checker) unknown(response *http.Response, got []byte, why error) error {
	if response.StatusCode != http.StatusNotFound && response.StatusCode != http.StatusMethodNotAllowed {
		return fmt.Errorf("the description does not have this: %w", why)
	}
	if response.Request != nil && response.Request.Method == http.MethodHead {
		return nil
	}
	var value any
	if err := decodeJSON(got, &value); err != nil {
		return fmt.Errorf("not the error object: %w", err)
	}
	if err := c.doc.Components.Schemas[errorSchema].Value.VisitJSON(value, openapi3.MultiErrors()); err != nil {
		return fmt.Errorf("not the error object: %w", err)
	}
	return nil
}

// answer checks what came back.
func answer(in *openapi3filter.RequestValidationInput, method string, response *http.Response, got []byte) error {
	described := in.Route.Operation.Responses.Status(response.StatusCode)
	if described == nil || described.Value == nil {
		return fmt.Errorf("the status %d is not described", response.StatusCode)
	}
	if method == http.MethodHead {
		return nil
	}
	if len(described.Value.Content) == 0 && len(got) > 0 {
		return fmt.Errorf("the status %d is described without a body", response.StatusCode)
	}
	err := openapi3filter.ValidateResponse(in.Request.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: response.StatusCode, Header: response.Header,
		Body: io.NopCloser(bytes.NewReader(got)), Options: in.Options,
	})
	if err != nil {
		return fmt.Errorf("the answer is not as described: %w", err)
	}
	return nil
}

// note remembers that an operation was answered with a status.
func (c *Checker) note(route *routers.Route, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[fmt.Sprintf("%s %s %d", route.Method, route.Path, status)] = true
}

// Unseen are the described operations that no checked exchange has used with success, sorted, as
// "GET /api/jobs/{id}": what a suite that claims to cover the API must end without.
func (c *Checker) Unseen() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unseen []string
	for path, item := range c.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if !c.succeeded(method, path, operation) {
				unseen = append(unseen, method+" "+path)
			}
		}
	}
	slices.Sort(unseen)
	return unseen
}

// succeeded says whether one of an operation's successes was seen.
func (c *Checker) succeeded(method, path string, operation *openapi3.Operation) bool {
	for status := range operation.Responses.Map() {
		if (strings.HasPrefix(status, "2") || status == "302") && c.seen[method+" "+path+" "+status] {
			return true
		}
	}
	return false
}
