package ics

import (
	"strings"
	"unicode/utf8"
)

// maxOctets is the longest line, without its CRLF (RFC 5545 section 3.1).
const maxOctets = 75

// line writes one content line whose value needs no escaping.
func (l *lines) line(name, value string) { l.fold(name + ":" + value) }

// text writes one content line of TEXT values, separated by commas.
func (l *lines) text(name string, values ...string) {
	escaped := make([]string, len(values))
	for i, v := range values {
		escaped[i] = escape(v)
	}
	l.fold(name + ":" + strings.Join(escaped, ","))
}

// fold writes a line in pieces of at most 75 octets. A piece after the first begins with a space,
// which counts; no character is cut, for many readers decode each line before they unfold.
func (l *lines) fold(s string) {
	room := maxOctets
	for len(s) > room {
		at := room
		for at > 1 && !utf8.RuneStart(s[at]) {
			at--
		}
		l.WriteString(s[:at])
		l.WriteString("\r\n ")
		s = s[at:]
		room = maxOctets - 1
	}
	l.WriteString(s)
	l.WriteString("\r\n")
}

var escaper = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, "\n", `\n`)

func escape(s string) string { return escaper.Replace(plain(s)) }

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// plain is what can be written of a text. Control characters have no place in one, and broken UTF-8
// would break the whole file, so the first are left out and the second is replaced. Unicode's own line
// ends become the one there is: Python's icalendar, for one, ends a content line at each of them.
func plain(s string) string {
	s = lineEnds.Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
