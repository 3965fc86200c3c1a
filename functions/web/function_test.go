package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

// built is a page as the build leaves it.
func built() fstest.MapFS {
	page := fstest.MapFS{}
	for name, content := range map[string]string{
		"index.html": "<!doctype html>", "index.html.br": "b", "index.html.gz": "gz",
		"assets/a-1234.js": "script", "assets/a-1234.js.br": "sb", "sw.js": "worker", "icons/icon.png": "png",
	} {
		page[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return page
}

func serving(t *testing.T, page fstest.MapFS) http.Handler {
	t.Helper()
	f, err := New(t.Context(), Config{Page: page})
	if err != nil {
		t.Fatal(err)
	}
	return f.Routes()
}

func get(h http.Handler, method, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestTheSmallestFormThatTheCallerTakes(t *testing.T) {
	t.Parallel()
	h := serving(t, built())
	for accepted, want := range map[string][2]string{
		"": {"", "<!doctype html>"}, "gzip, deflate, br": {"br", "b"}, "gzip": {"gzip", "gz"}, "br;q=0, gzip;q=0.5": {"gzip", "gz"},
		"*": {"br", "b"}, "br; q=0, *": {"gzip", "gz"}, "identity": {"", "<!doctype html>"}, "BR;q=1.0": {"br", "b"}, "br;q=nothing": {"", "<!doctype html>"},
	} {
		w := get(h, "GET", "/", "Accept-Encoding", accepted)
		if got := [2]string{w.Header().Get("Content-Encoding"), w.Body.String()}; w.Code != 200 || got != want || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: got %d %q, want %q", accepted, w.Code, got, want)
		}
	}
	if w := get(h, "HEAD", "/", "Accept-Encoding", "br"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "1" {
		t.Errorf("HEAD: got %d, %d bytes, %v", w.Code, w.Body.Len(), w.Header())
	}
}

func TestOnlyNamesWithAHashAreKeptForEver(t *testing.T) {
	t.Parallel()
	h := serving(t, built())
	for path, want := range map[string]string{
		"/": "no-cache", "/sw.js": "no-cache", "/icons/icon.png": "no-cache", "/assets/a-1234.js": "public, max-age=31536000, immutable",
	} {
		first := get(h, "GET", path, "Accept-Encoding", "br")
		if got := first.Header().Get("Cache-Control"); got != want {
			t.Errorf("%s: got Cache-Control %q, want %q", path, got, want)
		}
		etag := first.Header().Get("ETag")
		if again := get(h, "GET", path, "Accept-Encoding", "br", "If-None-Match", `"other", W/`+etag); again.Code != 304 || again.Body.Len() != 0 {
			t.Errorf("%s asked for again: got %d, want 304", path, again.Code)
		}
		if again := get(h, "GET", path, "Accept-Encoding", "br", "If-None-Match", `"other"`); again.Code != 200 {
			t.Errorf("%s with another ETag: got %d, want 200", path, again.Code)
		}
	}
}

func TestThePageMayLoadNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	h := serving(t, built())
	for _, path := range []string{"/", "/sw.js"} {
		header := get(h, "GET", path, "Accept", "text/html").Header()
		policy := header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) || strings.Contains(policy, "unsafe") || header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s: got %v, want %q in its policy", path, header, want)
			}
		}
	}
}

func TestAnAddressThatThereIsNot(t *testing.T) {
	t.Parallel()
	h := serving(t, built())
	for _, path := range []string{"/nothing", "/assets/", "/index.html.br", "/assets/a-1234.js.br", "/api/nothing"} {
		if w := get(h, "GET", path); w.Code != 404 || !strings.Contains(w.Body.String(), `"NOT_FOUND"`) {
			t.Errorf("%s: got %d %s", path, w.Code, w.Body)
		}
	}
	if w := get(h, "POST", "/"); w.Code != 405 {
		t.Errorf("POST: got %d, want 405", w.Code)
	}
}

func TestAProgramWithoutItsPageSaysSo(t *testing.T) {
	t.Parallel()
	f, err := New(t.Context(), Config{Page: fstest.MapFS{".gitkeep": {}}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if w := get(f.Routes(), "GET", "/"); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	if err := f.Dependencies()["page"](t.Context()); !errors.Is(err, ErrNotBuilt) {
		t.Errorf("got health %v, want %v", err, ErrNotBuilt)
	}
}

func TestAFileOfNoKnownTypeIsRefused(t *testing.T) {
	t.Parallel()
	page := built()
	page["data.bin"] = &fstest.MapFile{}
	f, err := New(t.Context(), Config{Page: page})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Dependencies()["page"](t.Context()); err == nil || !strings.Contains(err.Error(), "data.bin") {
		t.Errorf("got %v", err)
	}
}

// What the program carries: the page, unless it was compiled before that was built.
func TestThePageThatTheProgramCarries(t *testing.T) {
	t.Parallel()
	f, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Dependencies()["page"](t.Context()); errors.Is(err, ErrNotBuilt) {
		t.Skip("the page was not built: run `make setup` and `make build`")
	} else if err != nil {
		t.Fatal(err)
	}
	w := get(f.Routes(), "GET", "/", "Accept-Encoding", "br")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "br" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}
