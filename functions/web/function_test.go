package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"regexp"
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

// carried is what the program carries: the page. The test is skipped where it was compiled before that was built.
func carried(t *testing.T) http.Handler {
	t.Helper()
	f, err := New(t.Context(), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Dependencies()["page"](t.Context()); errors.Is(err, ErrNotBuilt) {
		t.Skip("the page was not built: run `make setup` and `make build`")
	} else if err != nil {
		t.Fatal(err)
	}
	return f.Routes()
}

func TestThePageThatTheProgramCarries(t *testing.T) {
	t.Parallel()
	w := get(carried(t), "GET", "/", "Accept-Encoding", "br")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "br" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

// TestTheFirstViewIsSmall adds up the page and all that it names, as a browser fetches them: less than 100 KB.
func TestTheFirstViewIsSmall(t *testing.T) {
	t.Parallel()
	h := carried(t)
	sum := get(h, "GET", "/", "Accept-Encoding", "br").Body.Len()
	named := regexp.MustCompile(`(?:src|href)="(/[^"]+)"`).FindAllStringSubmatch(get(h, "GET", "/").Body.String(), -1)
	scripts := 0
	for _, match := range named {
		w := get(h, "GET", match[1], "Accept-Encoding", "br")
		if w.Code != 200 {
			t.Errorf("the page names %s, which is answered with %d", match[1], w.Code)
		}
		if strings.HasSuffix(match[1], ".js") {
			scripts++
		}
		sum += w.Body.Len()
	}
	if scripts == 0 || sum >= 100_000 {
		t.Errorf("the first view has %d scripts and %d bytes, want some and less than 100 KB", scripts, sum)
	}
}

// TestThePageCanBeInstalled: the manifest is complete, and each of its icons is there.
func TestThePageCanBeInstalled(t *testing.T) {
	t.Parallel()
	h := carried(t)
	var manifest struct {
		Name, Display string
		StartURL      string `json:"start_url"`
		Icons         []struct{ Src, Sizes, Purpose string }
	}
	if err := json.Unmarshal(get(h, "GET", "/manifest.webmanifest").Body.Bytes(), &manifest); err != nil {
		t.Fatal(err)
	}
	sizes := make(map[string]bool)
	for _, icon := range manifest.Icons {
		sizes[icon.Sizes] = true
		if w := get(h, "GET", icon.Src); w.Code != 200 {
			t.Errorf("the icon %s is answered with %d", icon.Src, w.Code)
		}
	}
	if manifest.Name == "" || manifest.Display != "standalone" || manifest.StartURL == "" || !sizes["192x192"] || !sizes["512x512"] {
		t.Errorf("browsers do not install %+v", manifest)
	}
}
