package uploadingest

import (
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// proxyTo hands requests on to the S3 server as they are, with the faults that a test asks for.
func proxyTo(t *testing.T, backend string, s *storeProxy) http.Handler {
	t.Helper()
	target, err := url.Parse(backend)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		put, all := s.put, s.all
		s.mu.Unlock()
		if all != nil && all(w, r) {
			return
		}
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".pdf") {
			s.puts.Add(1)
			if put != nil {
				put(w, r, func(w http.ResponseWriter) { proxy.ServeHTTP(w, r) })
				return
			}
		}
		proxy.ServeHTTP(w, r)
	})
}

// away breaks every connection, as a server does that is not there.
func away(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }

// swallowed is an answer that never arrives.
type swallowed struct{ header http.Header }

func (s *swallowed) Header() http.Header         { return s.header }
func (s *swallowed) WriteHeader(int)             {}
func (s *swallowed) Write(p []byte) (int, error) { return len(p), nil }
