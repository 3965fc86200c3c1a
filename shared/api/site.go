package api

import (
	"net/http"
	"strings"
)

// Site is where people reach this site, without a slash at its end: the public address where one is
// configured, else as the caller reached us, through whatever proxy.
func Site(r *http.Request, public string) string {
	if public != "" {
		return public
	}
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host
}
