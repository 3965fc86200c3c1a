// Package web serves the page that students use: static files, built by Vite from app/, that this program carries in itself.
//
// Names of assets hold a hash of their content, so browsers keep them for ever; all else is asked for again and answered with 304 while
// it is the same. Files were compressed when the page was built. The page may load nothing but what is here, runs no script that
// stands in its HTML, and makes HTML and script addresses of no text (Trusted Types).
//
// A checkout compiles before the page was built: then each request is answered with an error that says how to build it.
package web

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"sync"

	"github.com/schedgen/schedgen/shared/api"
	"github.com/schedgen/schedgen/shared/faas"
)

// dist holds the folder page once the page was built, and always .gitkeep, for go:embed wants a file.
//
//go:embed all:dist
var dist embed.FS

// ErrNotBuilt says that the program was compiled before its page was built.
var ErrNotBuilt = errors.New("the page was not built: run `make build`")

// Config is everything web needs: nothing.
type Config struct {
	// Page is the built page; nil is what the program carries in itself.
	Page fs.FS
}

// Function serves the page. It is safe for concurrent use.
type Function struct {
	files func() (files, error)
}

// New makes the Function. The files are read with the first request.
func New(_ context.Context, cfg Config) (*Function, error) {
	page := cfg.Page
	if page == nil {
		var err error
		if page, err = fs.Sub(dist, "dist/page"); err != nil {
			return nil, fmt.Errorf("find the page: %w", err)
		}
	}
	return &Function{files: sync.OnceValues(func() (files, error) { return readFiles(page) })}, nil
}

// Routes is the function's whole HTTP surface.
func (f *Function) Routes() http.Handler {
	mux := http.NewServeMux()
	serve := http.HandlerFunc(f.serve)
	mux.Handle("GET /{$}", serve)
	mux.Handle("GET /assets/{name}", serve)
	mux.Handle("GET /icons/{name}", serve)
	mux.Handle("GET /sw.js", serve)
	mux.Handle("GET /manifest.webmanifest", serve)
	return api.Mux(mux)
}

// Dependencies is the page itself. Nothing else is needed.
func (f *Function) Dependencies() map[string]faas.Check {
	return map[string]faas.Check{"page": func(context.Context) error {
		_, err := f.files()
		return err
	}}
}

// Close has nothing to close.
func (f *Function) Close() {}

func (f *Function) serve(w http.ResponseWriter, r *http.Request) {
	all, err := f.files()
	if err != nil {
		api.WriteError(w, r, api.New(api.Unavailable).Wrap(err).WithMessage("This server has no page yet. Try again after its operator has run `make build`."))
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/")
	if path == "" {
		path = "index.html"
	}
	file, ok := all[path]
	if !ok {
		api.WriteError(w, r, api.New(api.NotFound))
		return
	}
	file.serve(w, r)
}
