package web

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
)

const htmlType = "text/html; charset=utf-8"

// types are those of the files that the page is made of. They are named here, for the system's list of types differs
// from machine to machine.
var types = map[string]string{
	".html": htmlType, ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".ico": "image/x-icon", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".txt": "text/plain; charset=utf-8", ".pdf": "application/pdf", ".woff2": "font/woff2",
}

// files are the page's by their path without a slash at its beginning.
type files map[string]*file

// file is one of them, in each encoding that it has.
type file struct {
	contentType string
	cache       string
	forms       []form
}

// form is a file's bytes in one encoding; the plain one comes last.
type form struct {
	encoding string
	body     []byte
	etag     string
}

// encodings are those that the build makes, by their files' ending; the smaller comes first.
var encodings = []struct{ name, ending string }{{"br", ".br"}, {"gzip", ".gz"}, {"", ""}}

// readFiles reads the whole page. It has some dozen files of together less than a megabyte.
func readFiles(page fs.FS) (files, error) {
	if _, err := fs.Stat(page, "index.html"); errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	all := files{}
	err := fs.WalkDir(page, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(name, ".br") || strings.HasSuffix(name, ".gz") {
			return err
		}
		all[name], err = readFile(page, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	return all, nil
}

func readFile(page fs.FS, name string) (*file, error) {
	contentType, ok := types[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("%s is of no known type", name)
	}
	f := &file{contentType: contentType, cache: "no-cache"}
	if strings.HasPrefix(name, "assets/") {
		f.cache = "public, max-age=31536000, immutable"
	}
	for _, encoding := range encodings {
		body, err := fs.ReadFile(page, name+encoding.ending)
		if errors.Is(err, fs.ErrNotExist) && encoding.name != "" {
			continue
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		f.forms = append(f.forms, form{encoding.name, body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`})
	}
	return f, nil
}

// serve answers with the smallest form that the caller takes.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", f.cache)
	header.Set("Vary", "Accept-Encoding")
	secure(header)
	chosen := f.forms[len(f.forms)-1]
	for _, form := range f.forms {
		if form.encoding != "" && accepts(r, form.encoding) {
			chosen = form
			break
		}
	}
	header.Set("ETag", chosen.etag)
	if matches(r.Header.Get("If-None-Match"), chosen.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", f.contentType)
	if chosen.encoding != "" {
		header.Set("Content-Encoding", chosen.encoding)
	}
	header.Set("Content-Length", strconv.Itoa(len(chosen.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(chosen.body) // who has hung up reads nothing
	}
}

// accepts reports whether the caller takes an encoding (RFC 9110, section 12.5.3).
func accepts(r *http.Request, encoding string) bool {
	all := false
	for accepted := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, parameters, _ := strings.Cut(accepted, ";")
		name = strings.ToLower(strings.TrimSpace(name))
		quality, found := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(parameters), " ", ""), "q=")
		q, err := strconv.ParseFloat(quality, 64)
		taken := !found || err == nil && q > 0
		switch name {
		case encoding:
			return taken
		case "*":
			all = taken
		}
	}
	return all
}

// matches compares with If-None-Match, weakly, as section 13.1.2 of RFC 9110 wants it.
func matches(given, etag string) bool {
	for one := range strings.SplitSeq(given, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == etag || one == "*" {
			return true
		}
	}
	return false
}

// policy lets the page load only what is served beside it, in no other's frame. Scripts and styles stand in files
// alone, and only the page's own Trusted Types policy makes an address of a script: that of the service worker.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
	"worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types schedgen"

// secure sets what holds for every file: one that is opened by itself, such as a picture, is a document, too.
func secure(header http.Header) {
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	// Not "no-referrer": the form that needs no script would then hide its origin, and be taken for another site's.
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
}
