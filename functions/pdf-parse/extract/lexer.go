package extract

import (
	"bytes"
	"strconv"
)

// A content stream is a sequence of operands and operators (ISO 32000-1, 7.8.2). Operands are
// float64, string (a PDF string, its raw bytes), name, []any (an array), dict or nil; an operator
// ends each group.
type (
	name     string
	operator string
	dict     map[name]any
)

// maxNesting bounds arrays and dictionaries inside one another: no real stream needs more.
const maxNesting = 32

// lexer reads content streams. It never fails: what cannot be read is skipped, as viewers do.
type lexer struct {
	buf    []byte
	pos    int
	broken bool // something was skipped, or ended before its end
}

type tokenEnd byte // ']' or '>' closing an array or a dictionary

// next is the next operand or operator, or false at the end.
func (l *lexer) next() (any, bool) { return l.value(0) }

func (l *lexer) value(depth int) (any, bool) {
	for {
		l.space()
		if l.pos >= len(l.buf) {
			return nil, false
		}
		switch c := l.buf[l.pos]; {
		case c == '(':
			return l.literal(), true
		case c == '<':
			if l.pos+1 < len(l.buf) && l.buf[l.pos+1] == '<' {
				l.pos += 2
				return l.dict(depth + 1), true
			}
			return l.hex(), true
		case c == '[':
			l.pos++
			return l.array(depth + 1), true
		case c == ']':
			l.pos++
			return tokenEnd(']'), true
		case c == '>':
			l.pos++
			if l.pos < len(l.buf) && l.buf[l.pos] == '>' {
				l.pos++
			}
			return tokenEnd('>'), true
		case c == '/':
			l.pos++
			return l.name(), true
		case isDelimiter(c):
			l.pos++ // a stray brace or parenthesis
			l.broken = true
		case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
			return l.number(), true
		default:
			return l.word(), true
		}
	}
}

func (l *lexer) array(depth int) any {
	var items []any
	for {
		v, ok := l.value(depth)
		if !ok {
			l.broken = true
			return items
		}
		switch v.(type) {
		case tokenEnd:
			return items
		case operator:
			l.broken = true
			continue // operators do not belong into arrays
		}
		if depth <= maxNesting {
			items = append(items, v)
		}
	}
}

func (l *lexer) dict(depth int) any {
	d := dict{}
	for {
		k, ok := l.value(depth)
		if !ok {
			l.broken = true
			return d
		}
		if _, end := k.(tokenEnd); end {
			return d
		}
		key, isName := k.(name)
		if !isName {
			continue
		}
		v, ok := l.value(depth)
		if !ok {
			return d
		}
		if _, end := v.(tokenEnd); end {
			return d
		}
		if depth <= maxNesting {
			d[key] = v
		}
	}
}

func (l *lexer) space() {
	for l.pos < len(l.buf) {
		c := l.buf[l.pos]
		if c == '%' {
			for l.pos < len(l.buf) && l.buf[l.pos] != '\n' && l.buf[l.pos] != '\r' {
				l.pos++
			}
			continue
		}
		if !isSpace(c) {
			return
		}
		l.pos++
	}
}

// literal reads a string in parentheses (7.3.4.2).
func (l *lexer) literal() string {
	l.pos++
	var out []byte
	depth := 1
	for l.pos < len(l.buf) {
		c := l.buf[l.pos]
		l.pos++
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return string(out)
			}
		case '\\':
			out = l.escape(out)
			continue
		case '\r': // any end of line in a string reads as a line feed
			if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
				l.pos++
			}
			c = '\n'
		}
		out = append(out, c)
	}
	l.broken = true
	return string(out)
}

func (l *lexer) escape(out []byte) []byte {
	if l.pos >= len(l.buf) {
		return out
	}
	c := l.buf[l.pos]
	l.pos++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\r':
		if l.pos < len(l.buf) && l.buf[l.pos] == '\n' {
			l.pos++
		}
		return out
	case '\n':
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	v := int(c - '0')
	for i := 0; i < 2 && l.pos < len(l.buf) && l.buf[l.pos] >= '0' && l.buf[l.pos] <= '7'; i++ {
		v = v*8 + int(l.buf[l.pos]-'0')
		l.pos++
	}
	return append(out, byte(v))
}

// hex reads a hexadecimal string (7.3.4.3); an odd last digit is followed by an implied 0.
func (l *lexer) hex() string {
	l.pos++
	var out []byte
	half, digits, closed := byte(0), 0, false
	for l.pos < len(l.buf) {
		c := l.buf[l.pos]
		l.pos++
		if closed = c == '>'; closed {
			break
		}
		d, ok := hexDigit(c)
		if !ok {
			l.broken = l.broken || !isSpace(c)
			continue
		}
		if digits++; digits%2 == 1 {
			half = d << 4
		} else {
			out = append(out, half|d)
		}
	}
	if digits%2 == 1 {
		out = append(out, half)
	}
	l.broken = l.broken || !closed
	return string(out)
}

func (l *lexer) name() name {
	start := l.pos
	for l.pos < len(l.buf) && !isSpace(l.buf[l.pos]) && !isDelimiter(l.buf[l.pos]) {
		l.pos++
	}
	raw := l.buf[start:l.pos]
	if bytes.IndexByte(raw, '#') < 0 {
		return name(raw)
	}
	var out []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			hi, ok1 := hexDigit(raw[i+1])
			lo, ok2 := hexDigit(raw[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, raw[i])
	}
	return name(out)
}

func (l *lexer) number() float64 {
	start := l.pos
	for l.pos < len(l.buf) {
		c := l.buf[l.pos]
		if c != '+' && c != '-' && c != '.' && (c < '0' || c > '9') {
			break
		}
		l.pos++
	}
	l.exponent()
	v, err := strconv.ParseFloat(string(l.buf[start:l.pos]), 64)
	if err != nil {
		l.broken = true
		return 0 // as viewers read "--5" and the like
	}
	return v
}

// exponent passes over the "e-14" that some programs write although PDF has no such numbers (7.3.3).
func (l *lexer) exponent() {
	at := l.pos
	if at == len(l.buf) || l.buf[at] != 'e' && l.buf[at] != 'E' {
		return
	}
	if at++; at < len(l.buf) && (l.buf[at] == '+' || l.buf[at] == '-') {
		at++
	}
	digits := len(l.buf) - at - len(bytes.TrimLeft(l.buf[at:], "0123456789"))
	if digits > 0 {
		l.pos = at + digits
	}
}

func (l *lexer) word() any {
	start := l.pos
	for l.pos < len(l.buf) && !isSpace(l.buf[l.pos]) && !isDelimiter(l.buf[l.pos]) {
		l.pos++
	}
	switch w := string(l.buf[start:l.pos]); w {
	case "true", "false", "null":
		return nil
	default:
		return operator(w)
	}
}

// skipInlineImage moves past the data of an inline image (8.9.7), up to its EI.
func (l *lexer) skipInlineImage() {
	for i := l.pos; i+2 < len(l.buf); i++ {
		if isSpace(l.buf[i]) && l.buf[i+1] == 'E' && l.buf[i+2] == 'I' &&
			(i+3 == len(l.buf) || isSpace(l.buf[i+3])) {
			l.pos = i + 3
			return
		}
	}
	l.pos, l.broken = len(l.buf), true
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
