package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/schedgen/schedgen/shared/secret"
	"github.com/schedgen/schedgen/shared/session"
)

// The first answer sets a cookie; the browser that sends it back is the same owner.
func ExampleSessions_Ensure() {
	sessions, err := session.New(session.Config{Keys: secret.List(strings.Repeat("k", 32)), Secure: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := httptest.NewRecorder()
	owner := sessions.Ensure(answer.Header(), httptest.NewRequest(http.MethodPost, "/api/upload", nil))
	next := httptest.NewRequest(http.MethodGet, "/api/me", nil)
	for _, cookie := range answer.Result().Cookies() {
		fmt.Println(cookie.Name, cookie.HttpOnly, cookie.Secure)
		next.AddCookie(cookie)
	}
	again, ok := sessions.Owner(next)
	fmt.Println(again == owner, ok)
	// Output:
	// __Host-schedgen_session true true
	// true true
}
