package extract

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
)

// indirect is an indirect object as it lies in the bytes of a file, wherever the cross-reference table says
// that it is (ISO 32000-1, 7.3.10).
type indirect struct {
	number, generation int
	start, body, end   int // of "1 0 obj", of its value, and after the value
	data, dataEnd      int // of a stream; 0 where it is none
	damaged            bool
	misfit             bool // its /Length is not that of its data
}

// scan finds the indirect objects of a file by their own marks, in the order of the file. Where the length of one
// stream is wrong, another that reaches over whole objects is not believed.
func scan(pdf []byte) []indirect {
	found := scanWithin(pdf, nil)
	if slices.ContainsFunc(found, func(o indirect) bool { return o.misfit }) {
		var bounds []int
		for _, next := range nextObject.FindAllIndex(pdf, -1) {
			bounds = append(bounds, next[0])
		}
		found = scanWithin(pdf, bounds)
	}
	return found
}

// scanWithin finds objects of which no stream's length reaches over a bound.
func scanWithin(pdf []byte, bounds []int) []indirect {
	var found []indirect
	for at := 0; ; {
		i := bytes.Index(pdf[at:], []byte("obj"))
		if i < 0 {
			return found
		}
		at += i + len("obj")
		o, ok := header(pdf, at-len("obj"))
		if !ok || len(found) > 0 && o.start < found[len(found)-1].end {
			continue
		}
		o.read(pdf, found, bounds)
		found = append(found, o)
		at = max(at, o.end, o.dataEnd)
	}
}

// header reads the "1 0 " before an "obj".
func header(pdf []byte, at int) (indirect, bool) {
	generation, before, ok := numberBefore(pdf, at)
	if !ok {
		return indirect{}, false
	}
	number, start, ok := numberBefore(pdf, before)
	if !ok || start > 0 && !isSpace(pdf[start-1]) && !isDelimiter(pdf[start-1]) && !endsObject(pdf[:start]) || number == 0 {
		return indirect{}, false
	}
	return indirect{number: number, generation: generation, start: start, body: at + len("obj")}, true
}

func endsObject(before []byte) bool { return bytes.HasSuffix(before, []byte("endobj")) }

// numberBefore is the number that ends, but for white space, before a place.
func numberBefore(pdf []byte, at int) (n, start int, ok bool) {
	end := at
	for end > 0 && isSpace(pdf[end-1]) {
		end--
	}
	start = end
	for start > 0 && end-start < 10 && pdf[start-1] >= '0' && pdf[start-1] <= '9' {
		start--
	}
	n, err := strconv.Atoi(string(pdf[start:end]))
	return n, start, err == nil && end < at && n <= 8_388_607 // the most that an implementation has (C.2)
}

// read finds where the object ends.
func (o *indirect) read(pdf []byte, earlier []indirect, bounds []int) {
	word, at := valueEnd(pdf, o.body)
	o.end = at
	switch word {
	case "endobj":
	case "stream":
		o.readStream(pdf, earlier, bounds)
	default:
		o.damaged = true
	}
}

// valueEnd passes over a value up to the keyword after it, and gives both. A keyword of the file's
// structure ends a value that is not complete, too; then there is none.
func valueEnd(pdf []byte, at int) (word string, end int) {
	t := tokens{buf: pdf, pos: at}
	for {
		start := t.pos
		token, ok := t.next()
		if !ok {
			return "", start
		}
		switch word := string(token); word {
		case "endobj", "stream":
			if t.depth == 0 {
				return word, t.pos - len(word)
			}
			return "", t.pos - len(word)
		case "obj":
			if o, ok := header(pdf, t.pos-len(word)); ok {
				return "", o.start
			}
		case "xref", "trailer", "startxref", "endstream":
			return "", start
		}
	}
}

// readStream finds a stream's data: as long as its /Length says if its end or the object's is there, else up to the
// next "endstream", or what looks like the end.
func (o *indirect) readStream(pdf []byte, earlier []indirect, bounds []int) {
	at := o.end + len("stream")
	if bytes.HasPrefix(pdf[at:], []byte("\r\n")) {
		at += 2
	} else if at < len(pdf) && (pdf[at] == '\n' || pdf[at] == '\r') {
		at++
	}
	o.data, o.dataEnd = at, at
	n, ok := length(pdf[o.body:o.end], pdf, earlier)
	next, _ := slices.BinarySearch(bounds, at)
	ok = ok && n >= 0 && n <= len(pdf)-at && (next == len(bounds) || bounds[next] > at+n)
	if ok && endsStream(pdf[at+n:]) {
		o.dataEnd = at + n
		return
	}
	if ok && ends(pdf[at+n:], "endobj") {
		o.dataEnd, o.misfit = at+n, true
		return
	}
	_, indirectLength, _ := lengthText(pdf[o.body:o.end])
	o.misfit = !indirectLength
	if i := bytes.Index(pdf[at:], []byte("endstream")); i >= 0 {
		o.dataEnd = at + i
		if end := nextObject.FindIndex(pdf[at:o.dataEnd]); end != nil { // that is another stream's
			o.dataEnd, o.misfit = at+end[0], true
		}
		return
	}
	o.misfit, o.damaged = true, true
	o.dataEnd = len(pdf)
	for _, mark := range []string{"endobj", "\nxref", "\ntrailer", "\nstartxref"} {
		if i := bytes.Index(pdf[at:o.dataEnd], []byte(mark)); i >= 0 {
			o.dataEnd = at + i
		}
	}
}

var nextObject = regexp.MustCompile(`endobj\s+\d+\s+\d+\s+obj\b`)

func endsStream(rest []byte) bool { return ends(rest, "endstream") }

// ends reports whether a keyword is next, after a little white space.
func ends(rest []byte, keyword string) bool {
	rest = rest[:min(len(rest), 16)]
	for len(rest) > 0 && isSpace(rest[0]) {
		rest = rest[1:]
	}
	return bytes.HasPrefix(rest, []byte(keyword))
}

// length is a stream's /Length, where it is a number or one of the objects before it.
func length(dict, pdf []byte, earlier []indirect) (int, bool) {
	n, isReference, ok := lengthText(dict)
	if !isReference {
		return n, ok
	}
	for i := len(earlier) - 1; i >= 0; i-- {
		if o := earlier[i]; o.number == n {
			n, err := strconv.Atoi(string(bytes.TrimSpace(pdf[o.body:o.end])))
			return n, err == nil
		}
	}
	return 0, false
}

// lengthText is the number of a /Length, or that of the object that it refers to.
func lengthText(dict []byte) (n int, isReference, ok bool) {
	value := valueOf(dict, "/Length")
	fields := bytes.Fields(value)
	if len(fields) == 0 {
		return 0, false, false
	}
	n, err := strconv.Atoi(string(fields[0]))
	return n, len(fields) == 3, err == nil
}

// valueOf is the text of a dictionary's value, nil where it has none.
func valueOf(dict []byte, key string) []byte {
	if start, end, ok := valueAt(dict, key); ok {
		return dict[start:end]
	}
	return nil
}

// valueAt is where a dictionary's value stands: a reference is three words.
func valueAt(dict []byte, key string) (start, end int, ok bool) {
	t := tokens{buf: dict}
	for {
		token, ok := t.next()
		if !ok {
			return 0, 0, false
		}
		if t.depth != 1 || string(token) != key {
			continue
		}
		token, _ = t.next()
		start = t.pos - len(token)
		if string(token) == "(" {
			start = bytes.LastIndexAny(dict[:t.pos], "(<")
		}
		for t.depth > 1 {
			if _, ok := t.next(); !ok {
				break
			}
		}
		end = t.pos
		if isDigits(token) {
			generation, _ := t.next()
			if r, _ := t.next(); string(r) == "R" && isDigits(generation) {
				end = t.pos
			}
		}
		return start, end, true
	}
}

func isDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

// tokens passes over the tokens of a file. It keeps no values and recurses nowhere.
type tokens struct {
	buf   []byte
	pos   int
	depth int // of arrays and dictionaries
}

// next is the next token: a word, a name with its solidus, "(" for a string, or a delimiter, that of a
// dictionary once.
func (t *tokens) next() ([]byte, bool) {
	l := lexer{buf: t.buf, pos: t.pos}
	l.space()
	t.pos = l.pos
	if t.pos >= len(t.buf) {
		return nil, false
	}
	start := t.pos
	twice := t.pos+1 < len(t.buf) && t.buf[t.pos+1] == t.buf[t.pos]
	switch c := t.buf[t.pos]; {
	case c == '(':
		t.literal()
		return []byte("("), true
	case c == '<' && !twice:
		t.hexadecimal()
		return []byte("("), true
	case c == '<':
		t.depth++
		t.pos += 2
	case c == '[':
		t.depth++
		t.pos++
	case c == ']' || c == '>':
		t.depth = max(0, t.depth-1)
		if t.pos++; c == '>' && twice {
			t.pos++
		}
	default:
		t.word()
	}
	return t.buf[start:t.pos], true
}

func (t *tokens) word() {
	start := t.pos
	t.pos++ // a solidus, or any other delimiter alone
	if c := t.buf[start]; isDelimiter(c) && c != '/' {
		return
	}
	for t.pos < len(t.buf) && !isSpace(t.buf[t.pos]) && !isDelimiter(t.buf[t.pos]) {
		t.pos++
	}
	for _, keyword := range []string{"endobj", "stream"} { // nothing need part them from what follows
		if bytes.HasPrefix(t.buf[start:t.pos], []byte(keyword)) {
			t.pos = start + len(keyword)
		}
	}
}

// literal passes over a string; one without an end ends where the object does, even if what follows would end it.
func (t *tokens) literal() {
	depth := 0
	for i := t.pos; i < len(t.buf); i++ {
		switch t.buf[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				t.pos = i + 1
				return
			}
		case 'e':
			if bytes.HasPrefix(t.buf[i:], []byte("endobj")) && nextObject.Match(t.buf[i:min(len(t.buf), i+40)]) {
				t.pos = i
				return
			}
		}
	}
	if i := bytes.Index(t.buf[t.pos:], []byte("endobj")); i >= 0 {
		t.pos += i
		return
	}
	t.pos = len(t.buf)
}

// hexadecimal passes over a string of digits; one without an end ends where the object does.
func (t *tokens) hexadecimal() {
	for ; t.pos < len(t.buf); t.pos++ {
		switch {
		case t.buf[t.pos] == '>':
			t.pos++
			return
		case bytes.HasPrefix(t.buf[t.pos:], []byte("endobj")):
			return
		}
	}
}
