package api

import (
	"crypto/subtle"
	"net/http"
	"strings"
)

// Bears says whether the request carries one of the tokens as a Bearer token. An empty one is nobody's. How long
// it takes tells nothing of a token.
func Bears(r *http.Request, tokens ...string) bool {
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	known := 0
	for _, token := range tokens {
		if token != "" {
			known |= subtle.ConstantTimeCompare([]byte(given), []byte(token))
		}
	}
	return ok && known == 1
}
