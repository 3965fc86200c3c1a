package openapitest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/dev/testkit/openapitest"
)

const document = `{"openapi":"3.0.3","info":{"title":"t","version":"1"},"paths":{
 "/things/{id}":{"parameters":[{"name":"id","in":"path","required":true,"schema":{"type":"string","format":"uuid"}}],
  "get":{"security":[{"token":[]}],"responses":{
   "200":{"description":"a thing","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},
   "204":{"description":"nothing"},
   "404":{"description":"none","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}},
 "/files":{"post":{"requestBody":{"required":true,"content":{"multipart/form-data":{"schema":{"type":"object","required":["file"],
   "properties":{"file":{"type":"string","format":"binary"},"size":{"type":"string","enum":["big"]}}}}}},
  "responses":{"201":{"description":"kept","content":{"text/calendar":{"schema":{"type":"string"}}}},
   "400":{"description":"refused","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}}}}}},
 "components":{"securitySchemes":{"token":{"type":"http","scheme":"bearer"}},"schemas":{
  "Thing":{"type":"object","required":["id"],"properties":{"id":{"type":"string"},"link":{"type":"string","format":"uri"}},"additionalProperties":false},
  "Error":{"type":"object","required":["error"],"properties":{"error":{"type":"string"}},"additionalProperties":false}}}}`

// witness is a test whose failures are looked at.
type witness struct {
	testing.TB
	failures []string
}

func (w *witness) Helper() {}

func (w *witness) Errorf(format string, args ...any) {
	w.failures = append(w.failures, fmt.Sprintf(format, args...))
}

func (w *witness) Fatalf(format string, args ...any) {
	w.Errorf(format, args...)
	panic(w)
}

// exchange is one request and what it is answered with.
type exchange struct {
	name, method, path, contentType, sent string
	token                                 bool
	status                                int
	media, got                            string
	want                                  string // in the failure; empty: none
}

const id = "/things/0192d1c8-7f3e-7abc-8def-0123456789ab"

var exchanges = []exchange{
	{name: "as described", method: "GET", path: id, token: true, status: 200, media: "application/json", got: `{"id":"a"}`},
	{name: "described error", method: "GET", path: id, status: 404, media: "application/json", got: `{"error":"NOT_FOUND"}`},
	{name: "nonsense that is refused", method: "GET", path: "/things/junk", status: 404, media: "application/json", got: `{"error":"NOT_FOUND"}`},
	{name: "no body", method: "GET", path: id, token: true, status: 204},
	{name: "HEAD", method: "HEAD", path: id, token: true, status: 200, media: "application/json"},
	{name: "unknown path refused", method: "GET", path: "/other", status: 404, media: "application/json", got: `{"error":"NOT_FOUND"}`},
	{name: "unknown method refused", method: "PUT", path: id, status: 405, media: "application/json", got: `{"error":"METHOD_NOT_ALLOWED"}`},
	{name: "form", method: "POST", path: "/files", contentType: "multipart/form-data; boundary=b", sent: form("big"), status: 201, media: "text/calendar", got: "BEGIN"},
	{name: "bad form refused", method: "POST", path: "/files", contentType: "multipart/form-data; boundary=b", sent: form("tiny"), status: 400, media: "application/json", got: `{"error":"X"}`},

	{name: "undocumented field", method: "GET", path: id, token: true, status: 200, media: "application/json", got: `{"id":"a","more":1}`, want: `"more"`},
	{name: "missing field", method: "GET", path: id, token: true, status: 200, media: "application/json", got: `{}`, want: `"id"`},
	{name: "format", method: "GET", path: id, token: true, status: 200, media: "application/json", got: `{"id":"a","link":"b"}`, want: "absolute"},
	{name: "undocumented status", method: "GET", path: id, token: true, status: 418, media: "application/json", got: `{"error":"X"}`, want: "status 418"},
	{name: "undocumented media type", method: "GET", path: id, token: true, status: 200, media: "text/html", got: "x", want: "text/html"},
	{name: "unknown path taken", method: "GET", path: "/other", status: 200, media: "application/json", got: `{}`, want: "does not have"},
	{name: "unknown path with another error", method: "GET", path: "/other", status: 404, media: "text/plain", got: "404", want: "error object"},
	{name: "no credentials, and taken", method: "GET", path: id, status: 200, media: "application/json", got: `{"id":"a"}`, want: "no Bearer token"},
	{name: "bad parameter, and taken", method: "GET", path: "/things/junk", token: true, status: 200, media: "application/json", got: `{"id":"a"}`, want: "was taken"},
	{name: "bad form, and taken", method: "POST", path: "/files", contentType: "multipart/form-data; boundary=b", sent: form("tiny"), status: 201, media: "text/calendar", got: "BEGIN", want: "was taken"},
	{name: "no body, and taken", method: "POST", path: "/files", contentType: "multipart/form-data; boundary=b", status: 201, media: "text/calendar", got: "BEGIN", want: "was taken"},
}

func form(size string) string {
	return "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"size\"\r\n\r\n" + size + "\r\n--b--\r\n"
}

func TestExchangesAreHeldToTheDescription(t *testing.T) {
	t.Parallel()
	checker := openapitest.New(t, []byte(document))
	for _, x := range exchanges {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if sent, err := io.ReadAll(r.Body); err != nil || string(sent) != x.sent {
					t.Errorf("the server got %q, %v; want %q", sent, err, x.sent)
				}
				w.Header().Set("Content-Type", x.media)
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, x.got) // a HEAD has nowhere to write to
			}))
			defer server.Close()
			w := &witness{TB: t}
			request, err := http.NewRequestWithContext(t.Context(), x.method, server.URL+x.path, strings.NewReader(x.sent))
			if err != nil {
				t.Fatal(err)
			}
			if x.contentType != "" {
				request.Header.Set("Content-Type", x.contentType)
			}
			if x.token {
				request.Header.Set("Authorization", "Bearer t")
			}
			response, err := checker.Client(w).Do(request)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close() // read whole below
			if got, err := io.ReadAll(response.Body); err != nil || x.method != http.MethodHead && string(got) != x.got {
				t.Errorf("the client got %q, %v; want %q", got, err, x.got)
			}
			text := strings.Join(w.failures, "\n")
			if x.want == "" && text != "" || !strings.Contains(text, x.want) {
				t.Errorf("failures: got %q, want %q in them", text, x.want)
			}
		})
	}
}

// got hands the checker an answer without a server, which would not send one of each sort.
func got(checker *openapitest.Checker, status int, body string) error {
	request := httptest.NewRequest(http.MethodGet, id, nil)
	request.Header.Set("Authorization", "Bearer t")
	response := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: request}
	return checker.Check(request, nil, response, []byte(body))
}

func TestABodyThatIsNotDescribedIsSeen(t *testing.T) {
	t.Parallel()
	if err := got(openapitest.New(t, []byte(document)), http.StatusNoContent, "{}"); err == nil || !strings.Contains(err.Error(), "without a body") {
		t.Errorf("got %v, want that it is described without a body", err)
	}
}

func TestOperationsThatNoExchangeUsedAreNamed(t *testing.T) {
	t.Parallel()
	checker := openapitest.New(t, []byte(document))
	for _, step := range []struct {
		status int
		body   string
		want   []string
	}{
		{http.StatusNotFound, `{"error":"NOT_FOUND"}`, []string{"GET /things/{id}", "POST /files"}}, // no success
		{http.StatusNoContent, "", []string{"POST /files"}},
	} {
		if err := got(checker, step.status, step.body); err != nil {
			t.Error(err)
		}
		if unseen := checker.Unseen(); !slices.Equal(unseen, step.want) {
			t.Errorf("after a %d: got %v, want %v", step.status, unseen, step.want)
		}
	}
}

func TestDocumentsThatCouldNotBeViolatedAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ document, want string }{
		"no JSON":         {"{", "read the OpenAPI"},
		"not OpenAPI":     {`{"openapi":"3.0.3","info":{"title":"t","version":"1"}}`, "not valid"},
		"an open object":  {strings.Replace(document, `"format":"uri"}},"additionalProperties":false`, `"format":"uri"}}`, 1), "Thing"},
		"no error object": {strings.NewReplacer(`"Error":`, `"Fault":`, `schemas/Error"`, `schemas/Fault"`).Replace(document), "Error"},
	} {
		w := &witness{TB: t}
		func() {
			defer func() {
				if problem := recover(); problem != nil && problem != w {
					panic(problem)
				}
			}()
			openapitest.New(w, []byte(c.document))
		}()
		if got := strings.Join(w.failures, "\n"); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", name, got, c.want)
		}
	}
}
