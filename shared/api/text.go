package api

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Readable says whether s is text that can be kept: UTF-8 without U+0000, which no database takes.
func Readable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// CheckText refuses a request whose path, query or headers hold what is no text. What passes can be looked up,
// stored and logged by every handler. A browser sends Cookie, Referer and User-Agent along whatever they hold, and
// nobody here keeps them: they pass.
func CheckText(r *http.Request) error {
	if !Readable(r.URL.Path) || !readableQuery(r.URL.RawQuery) {
		return New(InvalidRequest).WithMessage("The address has characters that are none (%00, or bytes that are not UTF-8). Check it and try again.")
	}
	for name, values := range r.Header {
		switch name {
		case "Cookie", "Referer", "User-Agent":
			continue
		}
		for _, value := range values {
			if !Readable(value) {
				return New(InvalidRequest, map[string]string{"header": name}).WithMessage("The header " + name + " is not UTF-8.")
			}
		}
	}
	return nil
}

// readableQuery looks at what the query says; what cannot be unescaped no handler gets to see.
func readableQuery(raw string) bool {
	if !Readable(raw) {
		return false
	}
	if !strings.Contains(raw, "%") {
		return true
	}
	query, _ := url.ParseQuery(raw)
	return readableForm(query)
}

func readableForm(form url.Values) bool {
	for name, values := range form {
		if !Readable(name) {
			return false
		}
		for _, value := range values {
			if !Readable(value) {
				return false
			}
		}
	}
	return true
}

// ParseForm reads a form of at most limit bytes that stands in the body, with texts that can be kept.
func ParseForm(r *http.Request, limit int64) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, limit)
	if err := r.ParseForm(); err != nil {
		if From(err).Code == PayloadTooLarge {
			return nil, From(err)
		}
		return nil, New(InvalidRequest).WithMessage("We could not read the form. Reload the page and try again.").Wrap(err)
	}
	if !readableForm(r.PostForm) {
		return nil, New(InvalidRequest).WithMessage("The form holds U+0000 or bytes that are not UTF-8. Remove them and try again.")
	}
	return r.PostForm, nil
}
