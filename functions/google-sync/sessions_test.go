package googlesync

import (
	"testing"

	"github.com/schedgen/schedgen/shared/api"
)

// TestSigningOutEndsTheToken: whoever copied it has nothing any more, and other browsers go on.
func TestSigningOutEndsTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b, c := w.browser(), w.browser()
	b.signIn(student)
	c.signIn(student)
	token := func(b *browser) string { return "Bearer " + b.token() }
	ofB, ofC := token(b), token(c)
	b.want(b.do("POST", "/api/auth/logout", `{}`), 200, nil)
	d := w.browser()
	d.refused(d.do("GET", "/api/calendars", nil, "Authorization", ofB), 401, api.SignInRequired)
	d.want(d.do("GET", "/api/calendars", nil, "Authorization", ofC), 200, nil)
	b.signIn(student)
	ofB = token(b)
	c.want(c.do("DELETE", "/api/auth/sessions", nil), 204, nil)
	for _, old := range []string{ofB, ofC} {
		d.refused(d.do("GET", "/api/calendars", nil, "Authorization", old), 401, api.SignInRequired)
	}
	d.refused(d.do("DELETE", "/api/auth/sessions", nil), 401, api.Unauthorized)
	b.signIn(student)
	b.want(b.do("GET", "/api/calendars", nil), 200, nil)
}
