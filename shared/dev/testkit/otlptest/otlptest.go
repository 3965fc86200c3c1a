// Package otlptest is a small collector: it takes traces as OTLP in JSON, by the field names of opentelemetry-proto, and
// keeps them for tests to look at.
package otlptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Collector is a running collector. It is safe for concurrent use.
type Collector struct {
	URL string

	t  testing.TB
	mu sync.Mutex
	// answer, if set, is what a batch gets instead of being taken.
	answer http.HandlerFunc
	header http.Header
	text   bytes.Buffer
	spans  []Span
}

// Span is a span as it was received, with the service that sent it.
type Span struct {
	Service      string `json:"-"`
	TraceID      string `json:"traceId"`
	SpanID       string `json:"spanId"`
	ParentSpanID string `json:"parentSpanId"`
	Name         string `json:"name"`
	Kind         int    `json:"kind"`
	Flags        uint32 `json:"flags"`
	Start        int64  `json:"startTimeUnixNano,string"`
	End          int64  `json:"endTimeUnixNano,string"`
	Attributes   List   `json:"attributes"`
	Links        []struct {
		TraceID string `json:"traceId"`
		SpanID  string `json:"spanId"`
	} `json:"links"`
	Status struct {
		Code int `json:"code"`
	} `json:"status"`
}

// List is a list of attributes.
type List []struct {
	Key   string `json:"key"`
	Value struct {
		String *string  `json:"stringValue"`
		Int    *int64   `json:"intValue,string"`
		Bool   *bool    `json:"boolValue"`
		Double *float64 `json:"doubleValue"`
	} `json:"value"`
}

// Get is the value of an attribute, or nil.
func (l List) Get(key string) any {
	for _, a := range l {
		if a.Key != key {
			continue
		}
		switch v := a.Value; {
		case v.String != nil:
			return *v.String
		case v.Int != nil:
			return *v.Int
		case v.Bool != nil:
			return *v.Bool
		case v.Double != nil:
			return *v.Double
		}
	}
	return nil
}

// request is an ExportTraceServiceRequest.
type request struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes List `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Scope struct {
				Name string `json:"name"`
			} `json:"scope"`
			Spans []Span `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

// New starts a collector that ends with the test.
func New(t testing.TB) *Collector {
	t.Helper()
	c := &Collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

// Answer has all that comes be answered so; nil takes it again.
func (c *Collector) Answer(with http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = with
}

// ServeHTTP takes a batch. One that is not OTLP fails the test.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender broke off
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answer != nil {
		c.answer(w, r)
		return
	}
	var batch request
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&batch); err != nil || r.URL.Path != "/v1/traces" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("not OTLP in JSON: %s %s, %s: %v: %.500s", r.Method, r.URL.Path, r.Header.Get("Content-Type"), err, body)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c.header = r.Header
	c.text.Write(body)
	for _, of := range batch.ResourceSpans {
		service, _ := of.Resource.Attributes.Get("service.name").(string)
		for _, scope := range of.ScopeSpans {
			for _, span := range scope.Spans {
				span.Service = service
				c.spans = append(c.spans, span)
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"partialSuccess":{}}`) // whoever has gone away needs no answer
}

// Spans are those received so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Text is all that was received.
func (c *Collector) Text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String()
}

// Header is that of the last batch.
func (c *Collector) Header() http.Header {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.header
}
