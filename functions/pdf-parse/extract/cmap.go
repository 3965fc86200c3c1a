package extract

import (
	"math"
	"unicode/utf16"
)

// cmap is what schedgen needs of a CMap (ISO 32000-1, 9.7.5 and 9.10.3): how many bytes a code has,
// and what each code maps to: text in a ToUnicode CMap, a CID in a font's encoding.
type cmap struct {
	spaces []codespace
	text   map[code]string
	cids   []cidRange
}

// code is a character code with its length in bytes: <41> and <0041> are different codes.
type code struct {
	value  uint32
	length int
}

type codespace struct {
	low, high uint32
	length    int
}

type cidRange struct {
	low, high uint32
	length    int
	cid       uint32
}

// maxMappings bounds a ToUnicode CMap: two-byte codes cannot have more.
const maxMappings = 1 << 16

// parseCMap reads a CMap program as far as it is data; PostScript around it is passed over.
func parseCMap(program []byte) *cmap {
	c := &cmap{text: map[code]string{}}
	lex := lexer{buf: program}
	var stack []any
	for {
		v, ok := lex.next()
		if !ok {
			return c
		}
		op, isOp := v.(operator)
		if !isOp {
			if len(stack) < 4*maxMappings {
				stack = append(stack, v)
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			c.addCodespaces(stack)
		case "endbfchar":
			c.addChars(stack)
		case "endbfrange":
			c.addRanges(stack)
		case "endcidrange":
			c.addCIDs(stack, 3)
		case "endcidchar":
			c.addCIDs(stack, 2)
		}
		stack = stack[:0]
	}
}

func (c *cmap) addCodespaces(args []any) {
	for ; len(args) >= 2; args = args[2:] {
		low, ok1 := args[0].(string)
		high, ok2 := args[1].(string)
		if ok1 && ok2 && len(low) == len(high) && len(low) > 0 && len(low) <= 4 && len(c.spaces) < 256 {
			c.spaces = append(c.spaces, codespace{number(low), number(high), len(low)})
		}
	}
}

func (c *cmap) addChars(args []any) {
	for ; len(args) >= 2; args = args[2:] {
		src, ok1 := args[0].(string)
		dst, ok2 := args[1].(string)
		if ok1 && ok2 {
			c.set(number(src), len(src), utf16Text(dst))
		}
	}
}

func (c *cmap) addRanges(args []any) {
	for ; len(args) >= 3; args = args[3:] {
		low, ok1 := args[0].(string)
		high, ok2 := args[1].(string)
		if !ok1 || !ok2 {
			continue
		}
		first, last := number(low), number(high)
		if last < first || last-first >= maxMappings {
			continue
		}
		switch dst := args[2].(type) {
		case string:
			for v := first; ; v++ {
				c.set(v, len(low), utf16Text(plus(dst, v-first)))
				if v == last {
					break
				}
			}
		case []any:
			for i, d := range dst {
				if s, ok := d.(string); ok && first+uint32(i) <= last {
					c.set(first+uint32(i), len(low), utf16Text(s))
				}
			}
		}
	}
}

func (c *cmap) addCIDs(args []any, n int) {
	for ; len(args) >= n; args = args[n:] {
		low, ok1 := args[0].(string)
		high, ok2 := args[n-2].(string)
		cid, ok3 := args[n-1].(float64)
		if ok1 && ok2 && ok3 && cid >= 0 && cid <= math.MaxUint16 && len(c.cids) < maxMappings {
			c.cids = append(c.cids, cidRange{number(low), number(high), len(low), uint32(cid)})
		}
	}
}

func (c *cmap) set(v uint32, length int, text string) {
	if len(c.text) < maxMappings {
		c.text[code{v, length}] = text
	}
}

// next splits the first code off s by the codespace ranges; without any, a code has fallback bytes.
func (c *cmap) next(s string, fallback int) (code, string) {
	if c != nil {
		for n := 1; n <= 4 && n <= len(s); n++ {
			v := number(s[:n])
			for _, r := range c.spaces {
				if r.length == n && v >= r.low && v <= r.high {
					return code{v, n}, s[n:]
				}
			}
		}
	}
	n := min(fallback, len(s))
	return code{number(s[:n]), n}, s[n:]
}

// cid is the CID of k, or k's own value where the CMap does not say (Identity).
func (c *cmap) cid(k code) uint32 {
	if c != nil {
		for _, r := range c.cids {
			if r.length == k.length && k.value >= r.low && k.value <= r.high {
				return r.cid + k.value - r.low
			}
		}
	}
	return k.value
}

// number is the big-endian value of at most four bytes.
func number(s string) uint32 {
	var v uint32
	for i := 0; i < len(s) && i < 4; i++ {
		v = v<<8 | uint32(s[i])
	}
	return v
}

// plus adds n to the last two bytes of a UTF-16BE string, as a bfrange counts.
func plus(s string, n uint32) string {
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
