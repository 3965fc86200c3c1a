package api

import (
	"net/http"
	"strings"
)

// Mux is mux whose own 404 and 405 answers are error objects too.
func Mux(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// ServeMux tells a 405 from a 404 only by what its handler writes.
		probe := &statusProbe{header: make(http.Header)}
		handler.ServeHTTP(probe, r)
		switch {
		case probe.status == http.StatusMethodNotAllowed:
			allow := probe.header.Get("Allow")
			w.Header().Set("Allow", allow)
			WriteError(w, r, New(MethodNotAllowed, map[string][]string{"allow": strings.Split(allow, ", ")}))
		case probe.status >= 300 && probe.status < 400:
			mux.ServeHTTP(w, r)
		default:
			WriteError(w, r, New(NotFound))
		}
	})
}

// statusProbe keeps an answer's status and header and forgets its body.
type statusProbe struct {
	header http.Header
	status int
}

func (p *statusProbe) Header() http.Header { return p.header }

func (p *statusProbe) WriteHeader(status int) {
	if p.status == 0 {
		p.status = status
	}
}

func (p *statusProbe) Write(body []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return len(body), nil
}
