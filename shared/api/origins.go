package api

import (
	"fmt"
	"net/http"
)

// Origins are the sites whose pages may act in a visitor's name: our own and those that are trusted.
// A browser sends our cookie along with what any other site has it send; SameSite=Lax stops that
// only between sites, and all of a university's hosts are one site.
type Origins struct {
	protection *http.CrossOriginProtection
	trusted    map[string]bool
}

// NewOrigins trusts pages of the given origins (https://host) beside our own.
func NewOrigins(trusted ...string) (*Origins, error) {
	o := &Origins{http.NewCrossOriginProtection(), make(map[string]bool)}
	for _, origin := range trusted {
		if origin == "" {
			continue // a setting that is there and empty
		}
		if err := o.protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %q, which is no origin such as https://host: %w", origin, err)
		}
		o.trusted[origin] = true
	}
	return o, nil
}

// Guard refuses, with FORBIDDEN, what a browser was made to send by a page of another origin. Who sends a token that
// bearer knows sends it on purpose, for no browser adds one by itself; any other Authorization a browser may have kept,
// and send along. Programs that are no browsers pass.
func (o *Origins) Guard(bearer func(*http.Request) bool, next func(*http.Request) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if err := o.protection.Check(r); err != nil && !bearer(r) {
			return nil, New(Forbidden).Wrap(err).WithMessage("This request came from another website, so we did not run it. Open our own page and try from there.")
		}
		return next(r)
	}
}

// Share lets the pages of trusted origins ask and read the answers (CORS, as the Fetch standard has
// it), in the name of the visitor. To a page of any other origin a browser shows nothing.
func (o *Origins) Share(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Add("Vary", "Origin")
		origin := r.Header.Get("Origin")
		if !o.trusted[origin] {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			header.Set("Access-Control-Expose-Headers", "Content-Disposition, ETag, Location, Preference-Applied, RateLimit, "+
				"RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, X-Request-Id, X-Schedgen-Events, X-Schedgen-Clashes, X-Schedgen-Warnings")
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Prefer")
		header.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}
