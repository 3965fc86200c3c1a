package account

import (
	"net/url"
	"strings"
	"unicode/utf8"
)

// Profile is what a page shows of a person, as Google has it. Any of it may be empty: people need not have two names,
// and accounts from before schedgen asked for it have none.
type Profile struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Picture   string `json:"picture"` // an https address
}

// The longest values that are kept.
const (
	maxName    = 200
	maxPicture = 1000
)

// profileOf keeps what a page can show.
func profileOf(first, last, picture string) Profile {
	p := Profile{FirstName: name(first), LastName: name(last)}
	if u, err := url.Parse(picture); err == nil && u.Scheme == "https" && u.Host != "" && len(picture) <= maxPicture {
		p.Picture = u.String()
	}
	return p
}

// name is a text without what no database takes or no page shows, cut where it is too long.
func name(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	for len(s) > maxName {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
