package api

import (
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/shared/secret"
)

// Authorized serves a request with next if it carries one of the tokens as a Bearer token, or if its path is in
// open: the paths for callers that cannot send a token. Any other gets 401 UNAUTHORIZED. It fails closed: an
// empty token is nobody's, so with no token and no open path nobody gets through.
func Authorized(next http.Handler, open []string, tokens ...secret.String) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(open, r.URL.Path) && !Bears(r, tokens...) {
			WriteError(w, r, New(Unauthorized))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// SendsBearer says whether the request carries a Bearer token, right or wrong. An Authorization of another scheme is not
// an attempt to use one: a browser sends the password of a site behind HTTP Basic authentication with each request.
func SendsBearer(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer")
}

// Bears says whether the request carries one of the tokens as a Bearer token. An empty one is nobody's. How long
// it takes tells nothing of a token.
func Bears(r *http.Request, tokens ...secret.String) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known := 0
	for _, token := range tokens {
		if !token.IsZero() {
			known |= subtle.ConstantTimeCompare([]byte(given), []byte(token.Reveal()))
		}
	}
	return ok && known == 1
}
