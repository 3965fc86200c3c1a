package stack

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/faas"
)

// TestOddRequestsMakeNoSeries sends each function thousands of requests that are all different in whatever a client may
// choose. Once each kind has come and was refused, no more of them makes a new series: a stranger cannot fill Prometheus.
func TestOddRequestsMakeNoSeries(t *testing.T) {
	t.Parallel()
	for name, fn := range everyFunction(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Cleanup(fn.Close)
			h := faas.Wrap(name, fn, slog.New(slog.DiscardHandler))
			random := rand.New(rand.NewPCG(1, 2))
			send := func(rounds int) {
				for range rounds {
					for _, kind := range oddRequests {
						request := kind(fmt.Sprintf("%x", random.Uint64()))
						h.ServeHTTP(httptest.NewRecorder(), request.WithContext(t.Context()))
					}
				}
			}
			send(2000 / len(oddRequests)) // until the limits of requests refuse some, too
			before := series(h)
			send(10000/len(oddRequests) + 1)
			if len(before) < 50 {
				t.Fatalf("only %d series are served", len(before))
			}
			if grown := slices.DeleteFunc(series(h), func(s string) bool { return slices.Contains(before, s) }); len(grown) > 0 {
				t.Errorf("10,000 requests made %d new series: %q", len(grown), grown[:min(len(grown), 10)])
			}
		})
	}
}

// oddRequests make requests of one kind each, which differ by what is random. None needs a database for its answer.
var oddRequests = []func(random string) *http.Request{
	func(r string) *http.Request { return odd("GET", "/"+r) },
	func(r string) *http.Request { return odd("GET", "/api/"+r+"?"+r+"="+r) },
	func(r string) *http.Request { return odd("X"+strings.ToUpper(r), "/api/upload") },
	func(r string) *http.Request { return odd("PUT", "/api/jobs/"+r+"/"+r) },
	func(r string) *http.Request { return odd("DELETE", "/events/"+r, "Authorization", "Bearer "+r) },
	func(r string) *http.Request { return odd("POST", "/tasks/"+r, "Ce-Type", r, "Ce-Id", r) },
	func(r string) *http.Request {
		return odd("GET", "/ready/"+r, "Host", r, "User-Agent", r, "Origin", "https://"+r)
	},
	func(r string) *http.Request {
		return odd("GET", "/static/"+r, "X-Request-Id", r, "Traceparent", "00-"+r+r+"-"+r+"-01", "X-Forwarded-For", r, "Accept", r, "Priority-Token", r)
	},
}

func odd(method, target string, headers ...string) *http.Request {
	request := httptest.NewRequest(method, target, nil)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

// series are those that a function serves.
func series(h http.Handler) []string {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	var all []string
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, _, ok := cutLast(lines.Text(), " "); ok && !strings.HasPrefix(name, "#") && !strings.HasPrefix(name, "go_") {
			all = append(all, name)
		}
	}
	return all
}

func cutLast(text, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(text, separator)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(separator):], true
}
