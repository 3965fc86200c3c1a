package api

import (
	"fmt"
	"net/http"
)

// Origins are the sites whose pages may act in a visitor's name: our own and those that are trusted.
// A browser sends our cookie along with what any other site has it send; SameSite=Lax stops that
// only between sites, and all of a university's hosts are one site.
type Origins struct{ protection *http.CrossOriginProtection }

// NewOrigins trusts pages of the given origins (https://host) beside our own.
func NewOrigins(trusted ...string) (*Origins, error) {
	protection := http.NewCrossOriginProtection()
	for _, origin := range trusted {
		if err := protection.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("trust %q, which is no origin such as https://host: %w", origin, err)
		}
	}
	return &Origins{protection}, nil
}

// Guard refuses, with FORBIDDEN, what a browser was made to send by a page of another origin. Who
// sends a token sends it on purpose, for no browser adds one by itself; programs that are no
// browsers pass.
func (o *Origins) Guard(next func(*http.Request) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		if r.Header.Get("Authorization") == "" {
			if err := o.protection.Check(r); err != nil {
				return nil, New(Forbidden).Wrap(err).Say("This was sent by a page of another site, and is not done.")
			}
		}
		return next(r)
	}
}
