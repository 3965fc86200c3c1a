package extract

import "fmt"

// readCFF reads a Compact Font Format program (Adobe Technical Note 5176). One whose glyphs have numbers instead of
// names tells only which are empty.
func readCFF(data reader) *program {
	_, at := data.index(data.u8(2)) // names of fonts
	tops, at := data.index(at)
	if len(tops) == 0 {
		return nil
	}
	strings, _ := data.index(at)
	top := dictOf(tops[0])
	glyphs, _ := data.index(top[opCharStrings])
	p := &program{blank: func(glyph int) bool { return glyph >= 0 && glyph < len(glyphs) && isEmptyCharString(glyphs[glyph]) }}
	if _, numbered := top[opROS]; numbered {
		return p
	}
	p.names = data.charset(top[opCharset], len(glyphs), strings)
	switch offset := top[opEncoding]; offset {
	case 0:
		p.standard()
	case 1: // Expert
	default:
		p.encode(data.from(offset).encoding())
	}
	return p
}

// The operators of a Top DICT that matter here. Operators of two bytes are 1200 and their second byte.
const (
	opCharset     = 15
	opEncoding    = 16
	opCharStrings = 17
	opROS         = 1230
)

// index reads an INDEX and gives the place after it.
func (r reader) index(at int) (items []reader, end int) {
	n, size := r.u16(at), r.u8(at+2)
	if n == 0 || size < 1 || size > 4 || at+3+(n+1)*size > len(r) {
		return nil, at + 2
	}
	offset := func(i int) int {
		v := 0
		for k := range size {
			v = v<<8 | r.u8(at+3+i*size+k)
		}
		return at + 2 + (n+1)*size + v
	}
	items = make([]reader, n)
	for i := range items {
		if from, to := offset(i), offset(i+1); from <= to && to <= len(r) {
			items[i] = r[from:to]
		}
	}
	return items, min(offset(n), len(r))
}

// dictOf reads the last operand of each operator.
func dictOf(data reader) map[int]int {
	dict := map[int]int{}
	operand := 0
	for i := 0; i < len(data); {
		b := data.u8(i)
		switch {
		case b == 12:
			dict[1200+data.u8(i+1)] = operand
			i += 2
		case b < 22:
			dict[b] = operand
			i++
		case b == 29:
			operand = int(int32(data.u32(i + 1)))
			i += 5
		case b == 30: // a real number: nibbles up to one that is 15
			for i++; i < len(data) && data[i]&15 != 15; i++ {
			}
			i++
		default:
			var size int
			operand, size = cffNumber(data, i)
			i += size
		}
	}
	return dict
}

// cffNumber is an integer operand of a DICT or a charstring, and its length.
func cffNumber(data reader, i int) (v, size int) {
	switch b := data.u8(i); {
	case b == 28:
		return int(int16(data.u16(i + 1))), 3
	case b <= 246:
		return b - 139, 1
	case b <= 250:
		return (b-247)*256 + data.u8(i+1) + 108, 2
	case b <= 254:
		return -(b-251)*256 - data.u8(i+1) - 108, 2
	}
	return data.u16(i + 1), 5
}

// isEmptyCharString reports whether a glyph ends before it draws.
func isEmptyCharString(data reader) bool {
	const end = 14
	i := 0
	for i < len(data) && (data[i] == 28 || data[i] >= 32) {
		_, size := cffNumber(data, i)
		i += size
	}
	return i < len(data) && data[i] == end
}

// charset gives the names of glyphs.
func (r reader) charset(offset, glyphs int, strings []reader) []string {
	names := make([]string, glyphs)
	if offset == 0 { // ISOAdobe
		for i := 1; i < min(glyphs, lastLatin+1); i++ {
			names[i] = stringName(i, strings)
		}
		return names
	}
	set := r.from(offset)
	if offset <= 2 || len(set) == 0 { // Expert, ExpertSubset
		return names
	}
	if set.u8(0) == 0 {
		for i := 1; i < glyphs; i++ {
			names[i] = stringName(set.u16(2*i-1), strings)
		}
		return names
	}
	size := 2 + set.u8(0) // of a range: its first name, and how many follow
	for i, at := 1, 1; i < glyphs && at < len(set); at += size {
		left := set.u8(at + 2)
		if size == 4 {
			left = set.u16(at + 2)
		}
		for k := 0; k <= left && i < glyphs; k, i = k+1, i+1 {
			names[i] = stringName(set.u16(at)+k, strings)
		}
	}
	return names
}

// The standard strings that name Latin glyphs: ASCII, the rest of StandardEncoding, and these.
const (
	firstUpper = 96
	firstLatin = 150
	lastLatin  = 228
	standards  = 391 // how many there are

	latinStrings = "¹¬µ™Ð½±Þ¼÷¦°þ¾²®−ð×³©ÁÂÄÀÅÃÇÉÊËÈÍÎÏÌÑÓÔÖÒÕŠÚÛÜÙÝŸŽáâäàåãçéêëèíîïìñóôöòõšúûüùýÿž"
)

// stringName is the name of a glyph by its string's number.
func stringName(sid int, strings []reader) string {
	var r rune
	switch {
	case sid >= standards && sid-standards < len(strings):
		return string(strings[sid-standards])
	case sid == 8:
		r = '’'
	case sid == 65:
		r = '‘'
	case sid > 0 && sid < firstUpper:
		r = rune(' ' + sid - 1)
	case sid >= firstUpper && sid < firstLatin:
		r = characterAt(standardUpper, sid-firstUpper)
	case sid >= firstLatin && sid <= lastLatin:
		r = characterAt(latinStrings, sid-firstLatin)
	}
	if r == 0 {
		return ""
	}
	return fmt.Sprintf("u%04X", r)
}

// characterAt is a character of text, dots not counted.
func characterAt(text string, n int) rune {
	for _, r := range text {
		if r == '.' {
			continue
		}
		if n == 0 {
			return r
		}
		n--
	}
	return 0
}

// encoding gives the glyphs of codes.
func (r reader) encoding() map[byte]int {
	codes := map[byte]int{}
	n := r.u8(1)
	glyph := 1
	for i := range n {
		if r.u8(0)&0x7f == 0 {
			codes[byte(r.u8(2+i))] = glyph
			glyph++
			continue
		}
		for k := range r.u8(3+2*i) + 1 {
			codes[byte(r.u8(2+2*i)+k)] = glyph
			glyph++
		}
	}
	return codes
}
