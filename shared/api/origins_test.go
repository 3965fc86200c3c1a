package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/secret"
)

func TestPagesOfOtherOriginsActInNobodysName(t *testing.T) {
	t.Parallel()
	origins, err := api.NewOrigins("https://portal.example.org")
	if err != nil {
		t.Fatal(err)
	}
	handler := api.Handler(origins.Guard(func(r *http.Request) bool { return api.Bears(r, secret.New("ours")) }, func(*http.Request) (any, error) { return api.Response{}, nil }))
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
		"a token that was sent on purpose": {"DELETE", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Bearer ours"}, 204},
		"a token of another":               {"DELETE", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Bearer x"}, 403},
		"a password that the browser kept": {"DELETE", []string{"Sec-Fetch-Site", "cross-site", "Authorization", "Basic eA=="}, 403},
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

// A frontend on a host of its own asks first whether it may, and must then be let read the answer.
func TestPagesOfTrustedOriginsReadTheAnswers(t *testing.T) {
	t.Parallel()
	const portal = "https://portal.example.org"
	origins, err := api.NewOrigins(portal)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("DELETE /api/jobs/1", api.Handler(func(*http.Request) (any, error) { return nil, api.New(api.JobNotFound) }))
	handler := origins.Share(api.Mux(mux))
	for name, c := range map[string]struct {
		method, origin, asks string
		status               int
		allowed              string // origin
	}{
		"a trusted page asks first":     {"OPTIONS", portal, "DELETE", 204, portal},
		"and then does it":              {"DELETE", portal, "", 404, portal},
		"another page asks":             {"OPTIONS", "https://evil.example.org", "DELETE", 405, ""},
		"another page does it":          {"DELETE", "https://evil.example.org", "", 404, ""},
		"a page that hides":             {"OPTIONS", "null", "DELETE", 405, ""},
		"a page of a longer name":       {"OPTIONS", portal + ".evil.org", "DELETE", 405, ""},
		"a program":                     {"DELETE", "", "", 404, ""},
		"OPTIONS that asks for nothing": {"OPTIONS", portal, "", 405, portal},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/api/jobs/1", nil)
		for name, value := range map[string]string{"Origin": c.origin, "Access-Control-Request-Method": c.asks} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		h := w.Header()
		if w.Code != c.status || h.Get("Access-Control-Allow-Origin") != c.allowed || h.Get("Vary") != "Origin" ||
			(h.Get("Access-Control-Allow-Credentials") == "true") != (c.allowed != "") {
			t.Errorf("%s: got %d %v, want %d for %q", name, w.Code, h, c.status, c.allowed)
		}
		if c.status != 204 {
			continue
		}
		for header, want := range map[string][]string{"Access-Control-Allow-Methods": {"GET", "POST", "PUT", "DELETE"},
			"Access-Control-Allow-Headers": {"Authorization", "Content-Type", "Prefer"}} {
			for _, one := range want {
				if !slices.Contains(strings.Split(h.Get(header), ", "), one) {
					t.Errorf("%s: got %s %q, want %s in it", name, header, h.Get(header), one)
				}
			}
		}
	}
}

func TestAnErrorTakesItsHeadersAlong(t *testing.T) {
	t.Parallel()
	header := http.Header{"Set-Cookie": {"a=1", "b=2"}, "Location": {"/api/jobs/1"}}
	answer, _ := ask(t, func(*http.Request) (any, error) { return nil, api.New("PDF_ENCRYPTED").WithHeader(header) })
	if got := answer.Header(); answer.Code != 422 || len(got["Set-Cookie"]) != 2 || got.Get("Location") != "/api/jobs/1" {
		t.Errorf("got %d %v, want 422 with %v", answer.Code, got, header)
	}
}
