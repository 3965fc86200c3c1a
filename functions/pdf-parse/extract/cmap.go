package extract

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"unicode/utf16"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// cmap is what schedgen needs of a CMap (ISO 32000-1, 9.7.5 and 9.10.3): how many bytes a code has,
// and what each code maps to: text in a ToUnicode CMap, a CID in a font's encoding.
type cmap struct {
	spaces   [maxCodeLength + 1]mapping // by length
	text     [maxCodeLength + 1]mapping
	cids     [maxCodeLength + 1]mapping
	vertical bool // WMode 1
	entries  int
}

// code is a character code with its length in bytes: <41> and <0041> are different codes.
type code struct {
	value  uint32
	length int
}

const (
	maxCodeLength = 4
	maxMappings   = 1 << 16 // of one CMap: two-byte codes cannot have more
)

// mapping is ranges of codes, sorted once all are there.
type mapping []codeRange

type codeRange struct {
	low, high uint32
	text      string // what low maps to, UTF-16BE; the codes after it count up in its last two bytes
	cid       uint32 // what low maps to
	outer     int    // the range that begins before this one and reaches beyond it, counted from 1
}

// parseCMap reads a CMap program as far as it is data; PostScript around it is passed over.
func parseCMap(program []byte) *cmap {
	c := &cmap{}
	lex := lexer{buf: program}
	var stack []any
	for {
		v, ok := lex.next()
		if !ok {
			break
		}
		op, isOp := v.(operator)
		if !isOp {
			if len(stack) < 4*maxMappings {
				stack = append(stack, v)
			}
			continue
		}
		c.execute(op, stack)
		stack = stack[:0]
	}
	for length := range c.spaces {
		c.spaces[length].sort()
		c.text[length].sort()
		c.cids[length].sort()
	}
	return c
}

func (c *cmap) execute(op operator, stack []any) {
	switch op {
	case "endcodespacerange":
		c.eachRange(stack, 2, func(length int, r codeRange, _ any) { c.add(&c.spaces[length], r) })
	case "endbfchar":
		for ; len(stack) >= 2; stack = stack[2:] {
			c.eachRange([]any{stack[0], stack[0], stack[1]}, 3, c.addText)
		}
	case "endbfrange":
		c.eachRange(stack, 3, c.addText)
	case "endcidchar":
		for ; len(stack) >= 2; stack = stack[2:] {
			c.eachRange([]any{stack[0], stack[0], stack[1]}, 3, c.addCID)
		}
	case "endcidrange":
		c.eachRange(stack, 3, c.addCID)
	case "def":
		if n := len(stack); n >= 2 && stack[n-2] == name("WMode") {
			c.vertical = stack[n-1] == float64(1)
		}
	}
}

// eachRange calls add with the ranges of codes among operands of which n belong together, the last of
// which is what the range maps to.
func (c *cmap) eachRange(operands []any, n int, add func(length int, r codeRange, target any)) {
	for ; len(operands) >= n; operands = operands[n:] {
		low, ok1 := operands[0].(string)
		high, ok2 := operands[1].(string)
		r := codeRange{low: number(low), high: number(high)}
		if ok1 && ok2 && len(low) > 0 && len(low) <= maxCodeLength && len(low) == len(high) && r.low <= r.high {
			add(len(low), r, operands[n-1])
		}
	}
}

func (c *cmap) addText(length int, r codeRange, target any) {
	switch v := target.(type) {
	case string:
		if len(v) <= 2*2*maxGlyphText { // beyond is no glyph's text
			r.text = v
			c.add(&c.text[length], r)
		}
	case name:
		for _, unit := range utf16.Encode([]rune(glyphText(string(v)))) {
			r.text += string([]byte{byte(unit >> 8), byte(unit)})
		}
		c.add(&c.text[length], r)
	case []any:
		for i, item := range v {
			if at := r.low + uint32(i); at <= r.high {
				c.addText(length, codeRange{low: at, high: at}, bfrangeItem(item))
			}
		}
	}
}

// bfrangeItem is an item of a bfrange's array: never an array itself.
func bfrangeItem(item any) any {
	if _, nested := item.([]any); nested {
		return nil
	}
	return item
}

func (c *cmap) addCID(length int, r codeRange, target any) {
	if cid, ok := target.(float64); ok && cid >= 0 && cid <= math.MaxUint16 {
		r.cid = uint32(cid)
		c.add(&c.cids[length], r)
	}
}

func (c *cmap) add(m *mapping, r codeRange) {
	if c.entries++; c.entries <= maxMappings {
		*m = append(*m, r)
	}
}

// sort makes the ranges ready to be searched. Of two that begin with the same code the later one counts.
func (m mapping) sort() {
	slices.SortStableFunc(m, func(a, b codeRange) int { return cmp.Compare(a.low, b.low) })
	var open []int // ranges that may reach beyond the next one
	for i := range m {
		for len(open) > 0 && m[open[len(open)-1]].high < m[i].low {
			open = open[:len(open)-1]
		}
		if len(open) > 0 {
			m[i].outer = open[len(open)-1] + 1
		}
		open = append(open, i)
	}
}

// find is the range that holds v and begins last. Ranges inside ranges inside ranges and so on are no
// CMap's: what lies deeper in them than any real one's does is not found.
func (m mapping) find(v uint32) (codeRange, bool) {
	const deepest = 16
	i := sort.Search(len(m), func(i int) bool { return m[i].low > v })
	for range deepest {
		if i == 0 {
			break
		}
		effort.Add(1)
		if r := m[i-1]; v <= r.high {
			return r, true
		}
		i = m[i-1].outer
	}
	return codeRange{}, false
}

// next splits the first code off s by the codespace ranges; without any, a code has fallback bytes.
func (c *cmap) next(s string, fallback int) (code, string) {
	if c != nil {
		for n := 1; n <= maxCodeLength && n <= len(s); n++ {
			if _, ok := c.spaces[n].find(number(s[:n])); ok {
				return code{number(s[:n]), n}, s[n:]
			}
		}
	}
	n := min(fallback, len(s))
	return code{number(s[:n]), n}, s[n:]
}

// cid is the CID of k, or k's own value where the CMap does not say (Identity).
func (c *cmap) cid(k code) uint32 {
	if c != nil {
		if r, ok := c.cids[k.length].find(k.value); ok {
			return r.cid + k.value - r.low
		}
	}
	return k.value
}

// textOf is what a ToUnicode CMap maps k to; "" where it does not. Some producers write codes with more or
// fewer bytes than they show: the number decides then, as it does in viewers.
func (c *cmap) textOf(k code) string {
	if c == nil {
		return ""
	}
	for _, length := range []int{k.length, 1, 2, 3, 4} {
		if r, ok := c.text[length].find(k.value); ok {
			return utf16Text(addToUTF16(r.text, k.value-r.low))
		}
	}
	return ""
}

// number is the big-endian value of at most four bytes.
func number(s string) uint32 {
	var v uint32
	for i := 0; i < len(s) && i < 4; i++ {
		v = v<<8 | uint32(s[i])
	}
	return v
}

// addToUTF16 adds n to the last two bytes of a UTF-16BE string, as a bfrange counts.
func addToUTF16(s string, n uint32) string {
	if n == 0 || len(s) == 0 {
		return s
	}
	if len(s) == 1 {
		return string([]byte{s[0] + byte(n)})
	}
	last := number(s[len(s)-2:]) + n
	return s[:len(s)-2] + string([]byte{byte(last >> 8), byte(last)})
}

func utf16Text(s string) string {
	if len(s) == 1 {
		return string(rune(s[0]))
	}
	units := make([]uint16, 0, len(s)/2)
	for i := 0; i+1 < len(s); i += 2 {
		units = append(units, uint16(s[i])<<8|uint16(s[i+1]))
	}
	return string(utf16.Decode(units))
}
