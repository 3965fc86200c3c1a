package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
)

func TestPagesOfOtherOriginsActInNobodysName(t *testing.T) {
	t.Parallel()
	origins, err := api.NewOrigins("https://portal.example.org")
	if err != nil {
		t.Fatal(err)
	}
	handler := api.Handler(origins.Guard(func(*http.Request) (any, error) { return api.Response{}, nil }))
	for name, c := range map[string]struct {
		method string
		header []string
		want   int
	}{
		"a program":                        {"POST", nil, 204},
		"our own page":                     {"POST", []string{"Sec-Fetch-Site", "same-origin"}, 204},
		"typed by the visitor":             {"POST", []string{"Sec-Fetch-Site", "none"}, 204},
		"another site":                     {"POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another host of the same site":    {"DELETE", []string{"Sec-Fetch-Site", "same-site"}, 403},
		"an old browser, our own page":     {"POST", []string{"Origin", "http://schedgen.example.org"}, 204},
		"an old browser, another site":     {"POST", []string{"Origin", "https://evil.example.org"}, 403},
		"a page that hides where it is":    {"POST", []string{"Origin", "null"}, 403},
		"a trusted page":                   {"POST", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://portal.example.org"}, 204},
		"a link":                           {"GET", []string{"Sec-Fetch-Site", "cross-site"}, 204},
		"a token that was sent on purpose": {"DELETE", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Bearer x"}, 204},
	} {
		r := httptest.NewRequest(c.method, "http://schedgen.example.org/api/upload", nil)
		for i := 0; i < len(c.header); i += 2 {
			r.Header.Set(c.header[i], c.header[i+1])
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d: %s", name, w.Code, c.want, w.Body)
		}
		if w.Code == http.StatusForbidden && object(t, w).Error != api.Forbidden {
			t.Errorf("%s: got %s, want %s", name, w.Body, api.Forbidden)
		}
	}
	if _, err := api.NewOrigins("portal.example.org/path"); err == nil {
		t.Error("what is no origin is trusted")
	}
}

func TestAnErrorTakesItsHeadersAlong(t *testing.T) {
	t.Parallel()
	header := http.Header{"Set-Cookie": {"a=1", "b=2"}, "Location": {"/api/jobs/1"}}
	answer, _ := ask(t, func(*http.Request) (any, error) { return nil, api.New("PDF_ENCRYPTED").With(header) })
	if got := answer.Header(); answer.Code != 422 || len(got["Set-Cookie"]) != 2 || got.Get("Location") != "/api/jobs/1" {
		t.Errorf("got %d %v, want 422 with %v", answer.Code, got, header)
	}
}
