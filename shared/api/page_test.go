package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/shared/api"
)

// firefox is the Accept of a browser that shows what it gets.
const firefox = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

func TestWhoSendsAFormFromAPageSeesAPage(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		method, contentType, accept string
		page                        bool
	}{
		"a browser's form":       {"POST", form, firefox, true},
		"a browser's file":       {"POST", "multipart/form-data; boundary=x", firefox, true},
		"HTML before JSON":       {"POST", form, "application/json;q=0.5, text/html", true},
		"JSON as well as HTML":   {"POST", form, "application/json, text/html", false},
		"no HTML":                {"POST", form, "text/html;q=0, */*", false},
		"a program's form":       {"POST", form, "*/*", false},
		"a form, nothing wanted": {"POST", form, "", false},
		"a script's JSON":        {"POST", "application/json", firefox, false},
		"an address":             {"GET", "", firefox, false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.method, "/api/generate/ics", nil)
		r.Header.Set("Content-Type", c.contentType)
		r.Header.Set("Accept", c.accept)
		w := httptest.NewRecorder()
		api.WriteError(w, r, api.New(api.JobNotFound).WithMessage("No <b>job</b>."))
		isPage := w.Header().Get("Content-Type") == "text/html; charset=utf-8"
		if isPage != c.page || w.Code != 404 {
			t.Errorf("%s: got %d %s, want a page: %v", name, w.Code, w.Header().Get("Content-Type"), c.page)
		}
		if !c.page && object(t, w).Error != api.JobNotFound {
			t.Errorf("%s: got %s, want the error object", name, w.Body)
		}
		if c.page && (!strings.Contains(w.Body.String(), "No &lt;b&gt;job&lt;/b&gt;.") || !strings.Contains(w.Body.String(), `href="/"`)) {
			t.Errorf("%s: got %s, want the message as text and a way back", name, w.Body)
		}
		if c.page && (w.Header().Get("Cache-Control") != "no-store" || !strings.HasPrefix(w.Header().Get("Content-Security-Policy"), "default-src 'none'")) {
			t.Errorf("%s: got headers %v", name, w.Header())
		}
	}
}

func TestThePageLeadsBackToOurOwnPages(t *testing.T) {
	t.Parallel()
	for referer, want := range map[string]string{
		"": "/",
		"http://schedgen.example.org/jobs/1?a=1&b": "/jobs/1?a=1&amp;b",
		"https://evil.example.org/jobs/1":          "/",
		"http://schedgen.example.org//evil.org":    "/",
		"javascript:alert(1)":                      "/",
		"http://schedgen.example.org/\"><script>":  "/%22%3E%3Cscript%3E",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://schedgen.example.org/api/generate/ics", nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Accept", firefox)
		r.Header.Set("Referer", referer)
		w := httptest.NewRecorder()
		api.WriteError(w, r, api.New(api.JobNotFound))
		if !strings.Contains(w.Body.String(), `<a href="`+want+`">`) {
			t.Errorf("from %q: got %s, want a link to %s", referer, w.Body, want)
		}
	}
}
