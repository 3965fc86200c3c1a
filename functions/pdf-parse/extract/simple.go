package extract

import (
	"strings"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// readSimple reads a font whose codes are single bytes (ISO 32000-1, 9.6).
func (d *document) readSimple(f *font, dict types.Dict) {
	f.encoding = d.readEncoding(dict)
	first, _ := d.number(dict["FirstChar"])
	widths := d.numbers(dict["Widths"])
	for i, w := range widths {
		f.widths[uint32(int(first)+i)] = w
	}
	if w, ok := d.number(d.dict(dict["FontDescriptor"])["MissingWidth"]); ok {
		f.missing = w
	}
	if d.name(dict["Subtype"]) == "Type3" {
		d.readType3(f, dict)
	} else if len(widths) == 0 {
		f.core = coreFont(d.name(dict["BaseFont"]))
	}
}

// readEncoding reads what a simple font's codes stand for: its base encoding, and what differs from it.
func (d *document) readEncoding(dict types.Dict) *encoding {
	given := d.resolve(dict["Encoding"])
	base, _ := given.(types.Name)
	differing, _ := given.(types.Dict)
	if differing != nil {
		base = types.Name(d.name(differing["BaseEncoding"]))
	}
	e := d.encodingOf(dict, string(base))
	differences, _ := d.resolve(differing["Differences"]).(types.Array)
	code := 0
	for _, item := range differences {
		if n, ok := d.number(item); ok {
			code = int(n)
			continue
		}
		if code >= 0 && code < len(e.names) {
			e.names[code], e.inkless[code] = d.name(item), false
		}
		code++
	}
	return e
}

// encodingOf is the encoding that a font begins with. Viewers draw a font that is not embedded with one of
// their own, by the names of glyphs; an embedded one may draw anything.
func (d *document) encodingOf(dict types.Dict, base string) *encoding {
	if d.name(dict["Subtype"]) == "Type3" {
		return &encoding{own: true}
	}
	descriptor := d.dict(dict["FontDescriptor"])
	if d.embedded(descriptor) {
		return d.embeddedEncoding(dict, descriptor, base)
	}
	e := baseEncoding(base)
	switch family := strings.ToLower(d.name(dict["BaseFont"])); {
	case strings.Contains(family, "dingbats"), strings.Contains(family, "wingdings"), strings.Contains(family, "webdings"):
		return &encoding{}
	case strings.HasPrefix(family, "symbol") && base == "":
		e = symbolEncoding()
	}
	e.own = true
	return e
}

func (d *document) embedded(descriptor types.Dict) bool {
	return descriptor["FontFile"] != nil || descriptor["FontFile2"] != nil || descriptor["FontFile3"] != nil
}

// embeddedEncoding is the encoding of an embedded font. Without one in the file, and with any for a symbolic TrueType
// font (9.6.6.4), it is the font program's own; where that tells nothing, the usual one is a guess.
func (d *document) embeddedEncoding(font, descriptor types.Dict, base string) *encoding {
	const symbolic = 4 // 9.8.2
	e := baseEncoding(base)
	flags, _ := d.number(descriptor["Flags"])
	if base != "" && (d.name(font["Subtype"]) != "TrueType" || int(flags)&symbolic == 0) {
		return e
	}
	e.guess = true
	if p := d.program(descriptor); p != nil {
		e.names, e.inkless = p.codes, p.empty
	}
	return e
}

func (f *font) simpleGlyph(c byte) glyph {
	mapped := f.toUnicode.textOf(code{uint32(c), 1})
	g := glyph{meaning: chooseMeaning(realText(mapped), f.encoding.meaning(c)), space: c == ' '}
	g.width = f.width(uint32(c), f.encoding.raw(c))
	return g.withText(f.encoding.blank(c) || f.drawings.blank(f.encoding.names[c]) || g.width == 0 && isFormat(mapped))
}
