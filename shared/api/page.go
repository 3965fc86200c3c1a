package api

import (
	"fmt"
	"html"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// errorPage says what went wrong to a person who sent a form without script: the message, a way back,
// and the id to ask about.
const errorPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Something went wrong</title>
</head>
<body>
<main>
<h1>Something went wrong</h1>
<p>%s</p>
<p><a href="%s">Go back</a></p>
<p><small>If you contact us, give us this: %s, request %s</small></p>
</main>
</body>
</html>
`

// wantsPage says that a browser sent a form and will show the answer: its Accept names HTML, and JSON
// at most as a second choice. Scripts and programs name no HTML.
func wantsPage(r *http.Request) bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || r.Method != http.MethodPost || media != "application/x-www-form-urlencoded" && media != "multipart/form-data" {
		return false
	}
	page := quality(r, "text/html")
	return page > 0 && page > quality(r, "application/json")
}

// quality is how much Accept wants a media type that it names (RFC 9110, section 12.5.1); 0 if it does not.
func quality(r *http.Request, wanted string) (best float64) {
	for accepted := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		media, parameters, err := mime.ParseMediaType(accepted)
		if err != nil || media != wanted {
			continue
		}
		q, err := strconv.ParseFloat(parameters["q"], 64)
		if err != nil {
			q = 1
		}
		best = max(best, q)
	}
	return best
}

// writePage answers an error as a page that may load nothing and be shown in no other.
func writePage(w http.ResponseWriter, r *http.Request, object Object) {
	body := fmt.Sprintf(errorPage, html.EscapeString(object.Message), html.EscapeString(formPage(r)),
		html.EscapeString(object.Error), html.EscapeString(object.RequestID))
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(object.StatusCode)
	sent(r, second(w.Write([]byte(body))))
}

// formPage is the page that the form was on, if it is one of ours, or our first page.
func formPage(r *http.Request) string {
	from, err := url.Parse(r.Referer())
	if err != nil || from.Host != r.Host || !strings.HasPrefix(from.Path, "/") || strings.HasPrefix(from.Path, "//") {
		return "/"
	}
	return from.RequestURI()
}
