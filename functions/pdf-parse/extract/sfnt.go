package extract

import "fmt"

// readSFNT reads a TrueType or OpenType program (ISO/IEC 14496-22). What is missing or damaged tells nothing.
func readSFNT(data reader) *program {
	tables := map[string]reader{}
	for i := range min(data.u16(4), 64) {
		entry := data.from(12 + 16*i)
		if len(entry) < 16 {
			break
		}
		table := data.from(entry.u32(8))
		tables[string(entry[:4])] = table[:min(len(table), entry.u32(12))]
	}
	p := &program{texts: map[uint16][]rune{}}
	if cff := tables["CFF "]; cff != nil {
		if inner := readCFF(cff); inner != nil {
			p.names, p.blank = inner.names, inner.blank
		}
	}
	if p.names == nil {
		p.names = postNames(tables["post"])
	}
	if loca := tables["loca"]; loca != nil {
		long := tables["head"].u16(50) == 1
		p.blank = func(glyph int) bool { return emptyOutline(loca, long, glyph) }
	}
	p.encode(p.readCharacterMaps(tables["cmap"]))
	return p
}

func emptyOutline(loca reader, long bool, glyph int) bool {
	if glyph < 0 {
		return false
	}
	if long {
		return 4*glyph+8 <= len(loca) && loca.u32(4*glyph) == loca.u32(4*glyph+4)
	}
	return 2*glyph+4 <= len(loca) && loca.u16(2*glyph) == loca.u16(2*glyph+2)
}

// readCharacterMaps reads which characters glyphs show, and gives the glyphs of the program's own codes: those of a
// symbol map lie at U+F000, those of the Macintosh at their place.
func (p *program) readCharacterMaps(table reader) map[byte]int {
	codes := map[byte]int{}
	for i := range min(table.u16(2), 32) {
		entry := table.from(4 + 8*i)
		platform, encoding := entry.u16(0), entry.u16(2)
		characters := table.from(entry.u32(4))
		switch {
		case platform == 0, platform == 3 && (encoding == 1 || encoding == 10):
			characters.eachCharacter(func(c rune, glyph int) { p.texts[uint16(glyph)] = append(p.texts[uint16(glyph)], c) })
		case platform == 3 && encoding == 0:
			characters.eachCharacter(func(c rune, glyph int) {
				if c < 256 || c >= 0xF000 && c < 0xF100 {
					codes[byte(c)] = glyph
				}
			})
		case platform == 1:
			characters.eachCharacter(func(c rune, glyph int) {
				if _, known := codes[byte(c)]; !known && c < 256 {
					codes[byte(c)] = glyph
				}
			})
		}
	}
	return codes
}

// maxCharacters bounds what one character map tells.
const maxCharacters = 1 << 17

// eachCharacter calls f with the characters that a subtable of cmap maps to glyphs.
func (r reader) eachCharacter(f func(c rune, glyph int)) {
	left := maxCharacters
	give := func(c, glyph int) bool {
		if left--; glyph > 0 && glyph <= 0xFFFF {
			f(rune(c), glyph)
		}
		return left > 0
	}
	switch r.u16(0) {
	case 0:
		for c := range 256 {
			give(c, r.u8(6+c))
		}
	case 4:
		r.eachOfSegments(give)
	case 6:
		for i := range r.u16(8) {
			give(r.u16(6)+i, r.u16(10+2*i))
		}
	case 12:
		for i := range min(r.u32(12), len(r)/12) {
			first, last, glyph := r.u32(16+12*i), r.u32(20+12*i), r.u32(24+12*i)
			for c := first; c <= last && c <= 0x10FFFF; c++ {
				if !give(c, glyph+c-first) {
					return
				}
			}
		}
	}
}

// eachOfSegments reads format 4.
func (r reader) eachOfSegments(give func(c, glyph int) bool) {
	n := r.u16(6) / 2
	ends, starts, deltas, offsets := 14, 16+2*n, 16+4*n, 16+6*n
	for i := range n {
		start, end, delta, offset := r.u16(starts+2*i), r.u16(ends+2*i), r.u16(deltas+2*i), r.u16(offsets+2*i)
		for c := start; c <= end && c < 0xFFFF; c++ {
			glyph := c
			if offset != 0 {
				if glyph = r.u16(offsets + 2*i + offset + 2*(c-start)); glyph == 0 {
					continue
				}
			}
			if !give(c, (glyph+delta)&0xFFFF) {
				return
			}
		}
	}
}

// postNames are the names of glyphs of a post table of format 2.
func postNames(post reader) []string {
	if post.u32(0) != 0x20000 {
		return nil
	}
	n := min(post.u16(32), len(post)/2)
	var strings []string
	for at := 34 + 2*n; at < len(post); {
		end := min(len(post), at+1+post.u8(at))
		strings = append(strings, string(post[at+1:end]))
		at = end
	}
	const standard, firstASCII, lastASCII = 258, 3, 97 // the Macintosh's own names
	names := make([]string, n)
	for i := range names {
		switch index := post.u16(34 + 2*i); {
		case index >= standard && index-standard < len(strings):
			names[i] = strings[index-standard]
		case index >= firstASCII && index <= lastASCII:
			names[i] = fmt.Sprintf("u%04X", index-firstASCII+' ')
		}
	}
	return names
}
