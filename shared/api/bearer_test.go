package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
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
		if got := api.Bears(r, c.tokens...); got != c.want {
			t.Errorf("%q of %q: got %t, want %t", c.header, c.tokens, got, c.want)
		}
	}
}
