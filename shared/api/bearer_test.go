package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestOnlyABearerOfOneOfTheTokensPasses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header string
		tokens []string
		want   bool
	}{
		{"Bearer one", []string{"one"}, true},
		{"Bearer two", []string{"one", "two"}, true},
		{"Bearer one", []string{"", "one", "one"}, true},
		{"Bearer three", []string{"one", "two"}, false},
		{"Bearer on", []string{"one"}, false},
		{"Basic one", []string{"one"}, false},
		{"one", []string{"one"}, false},
		{"Bearer ", []string{""}, false},
		{"", []string{"", "one"}, false},
		{"Bearer one", nil, false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Authorization", c.header)
		if got := api.Bears(r, secret.List(c.tokens...)...); got != c.want || got && !api.SendsBearer(r) {
			t.Errorf("%q of %q: got %t, want %t", c.header, c.tokens, got, c.want)
		}
	}
}

func TestWhatSendsABearerToken(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{"Bearer x": true, "Bearer": true, "bearer x": true, "Bearer ": true, "": false, "Basic eDp4": false, "Basic Bearer": false, "Bearerx": false} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
		r.Header.Set("Authorization", header)
		if got := api.SendsBearer(r); got != want {
			t.Errorf("%q: got %t", header, got)
		}
	}
}

// TestAuthorizedFailsClosed: only a token or an open path lets a request through, and nothing that is empty does.
func TestAuthorizedFailsClosed(t *testing.T) {
	t.Parallel()
	served := api.Handler(func(*http.Request) (any, error) { return struct{}{}, nil })
	for _, c := range []struct {
		path, header string
		open, tokens []string
		want         int
	}{
		{"/tasks/a", "Bearer one", nil, []string{"one"}, 200},
		{"/tasks/a", "Bearer two", nil, []string{"one", "two"}, 200},
		{"/tasks/a", "", nil, []string{"one"}, 401},
		{"/tasks/a", "Bearer other", nil, []string{"one"}, 401},
		{"/tasks/a", "", nil, nil, 401},
		{"/tasks/a", "", nil, []string{""}, 401},
		{"/tasks/a", "Bearer ", nil, []string{""}, 401},
		{"/tasks/a", "", []string{"/tasks/a"}, []string{"one"}, 200},
		{"/tasks/a", "Bearer other", []string{"/tasks/a"}, []string{"one"}, 200},
		{"/tasks/a", "", []string{"/tasks/a"}, nil, 200},
		{"/tasks/a", "", []string{"/tasks/b", "/tasks", "/tasks/", "", "/"}, []string{"one"}, 401},
		{"/", "", []string{"/tasks/a"}, []string{"one"}, 401},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, c.path, nil)
		r.Header.Set("Authorization", c.header)
		w := httptest.NewRecorder()
		api.Authorized(served, c.open, secret.List(c.tokens...)...).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s with %q, open %q, tokens %q: got %d, want %d", c.path, c.header, c.open, c.tokens, w.Code, c.want)
		}
	}
}
