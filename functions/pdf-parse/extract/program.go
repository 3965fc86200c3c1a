package extract

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// program is what an embedded font program tells of its glyphs. A program need tell nothing: producers leave out
// what drawing does not need.
type program struct {
	codes [256]string       // the names of the glyphs that its own encoding gives to codes
	empty [256]bool         // whether these have no ink
	texts map[uint16][]rune // by glyph: the characters that its character map gives to it
	names []string          // by glyph
	blank func(glyph int) bool
}

// program reads the font program of a descriptor, once for all fonts that share it; nil where there is none that can be
// read.
func (d *document) program(descriptor types.Dict) *program {
	for _, key := range []string{"FontFile2", "FontFile3", "FontFile"} {
		number := objectNumber(descriptor[key])
		if number == 0 {
			continue // a stream is always an object of its own
		}
		p, ok := d.programs[number]
		if !ok {
			p = d.readProgram(key, descriptor[key])
			d.programs[number] = p
		}
		return p
	}
	return nil
}

func (d *document) readProgram(key string, o types.Object) *program {
	data, err := d.stream(o)
	switch {
	case err != nil || len(data) > maxFont:
		return nil
	case key == "FontFile":
		return readType1(data)
	case bytes.HasPrefix(data, []byte{1, 0}): // the version of a CFF program; an OpenType one begins otherwise
		return readCFF(data)
	}
	return readSFNT(data)
}

// nameOf is a name that stands for what a glyph shows; "" where the program does not tell.
func (p *program) nameOf(glyph int) string {
	for _, r := range p.texts[uint16(glyph)] {
		if realText(string(r)) != "" {
			return fmt.Sprintf("u%04X", r)
		}
	}
	if glyph >= 0 && glyph < len(p.names) {
		return p.names[glyph]
	}
	return ""
}

// meaning is what a glyph shows, of which mapped is told elsewhere: one glyph may show several characters.
func (p *program) meaning(glyph int, mapped string) meaning {
	if p == nil {
		return meaning{}
	}
	if slices.ContainsFunc(p.texts[uint16(glyph)], func(r rune) bool { return mapped != "" && sameLook(mapped, realText(string(r))) }) {
		return meaning{text: mapped}
	}
	return meaning{text: realText(glyphText(p.nameOf(glyph)))}
}

// isBlank reports whether a glyph has no ink.
func (p *program) isBlank(glyph int) bool { return p != nil && p.blank != nil && p.blank(glyph) }

// encode gives the codes of the program's own encoding the names of their glyphs.
func (p *program) encode(glyphs map[byte]int) {
	for c, glyph := range glyphs {
		p.codes[c], p.empty[c] = p.nameOf(glyph), p.isBlank(glyph)
	}
}

// readType1 reads the encoding of a Type 1 program, which is the part of it that is plain text.
func readType1(data []byte) *program {
	p := &program{}
	plain, _, _ := bytes.Cut(data, []byte("eexec"))
	_, encoding, ok := bytes.Cut(plain, []byte("/Encoding"))
	if !ok {
		return nil
	}
	lex := lexer{buf: encoding}
	var before any
	for {
		token, ok := lex.next()
		if !ok {
			return p
		}
		switch v := token.(type) {
		case operator:
			if v == "StandardEncoding" {
				p.standard()
				return p
			}
			if v == "def" || v == "readonly" {
				return p
			}
		case name:
			if code, ok := before.(float64); ok && code >= 0 && code < 256 {
				p.codes[int(code)] = string(v)
			}
		}
		before = token
	}
}

// standard gives the program StandardEncoding.
func (p *program) standard() {
	for c, text := range standardEncoding().text {
		for _, r := range text {
			p.codes[c] = fmt.Sprintf("u%04X", r)
		}
	}
}

// reader reads big-endian numbers of a font program; beyond its end all are 0.
type reader []byte

func (r reader) u8(at int) int {
	if at < 0 || at >= len(r) {
		return 0
	}
	return int(r[at])
}

func (r reader) u16(at int) int { return r.u8(at)<<8 | r.u8(at+1) }

func (r reader) u32(at int) int { return r.u16(at)<<16 | r.u16(at+2) }

// from is the rest from a place on.
func (r reader) from(at int) reader {
	if at < 0 || at > len(r) {
		return nil
	}
	return r[at:]
}
