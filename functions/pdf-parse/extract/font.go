package extract

import (
	"strings"

	corefont "github.com/pdfcpu/pdfcpu/pkg/font"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// font turns the bytes of a shown string into glyphs: what each stands for and how far it moves the
// pen (ISO 32000-1, 9.6 and 9.7).
type font struct {
	composite bool
	codes     *cmap              // composite: how codes are split and mapped to CIDs; nil is Identity
	toUnicode *cmap              // nil where the font has none
	encoding  *encoding          // simple fonts
	widths    map[uint32]float64 // by code or CID, in thousandths of the em
	missing   float64            // the width of what widths does not hold
	core      string             // a standard 14 font whose widths are known without a table
	unit      float64            // text space units per glyph space unit: 1/1000 but for Type 3
}

// glyph is one character code's meaning.
type glyph struct {
	text  string
	width float64 // in text space, for size 1
	space bool    // the single byte 32, to which word spacing applies (9.3.3)
}

// font gives the named font of resources, reading it once.
func (d *document) font(resources types.Dict, resource string) *font {
	return d.fontOf(d.dict(resources["Font"])[resource])
}

func (d *document) fontOf(ref types.Object) *font {
	number := 0
	if r, ok := ref.(types.IndirectRef); ok {
		number = r.ObjectNumber.Value()
		if f := d.fonts[number]; f != nil {
			return f
		}
	}
	f := d.readFont(d.dict(ref))
	if number != 0 {
		d.fonts[number] = f
	}
	return f
}

func (d *document) readFont(dict types.Dict) *font {
	f := &font{widths: map[uint32]float64{}, unit: 0.001}
	// A CMap that cannot be decoded is like none: the font's own encoding decides then.
	if program, err := d.stream(dict["ToUnicode"]); err == nil && program != nil {
		f.toUnicode = parseCMap(program)
	}
	if d.name(dict["Subtype"]) == "Type0" {
		d.readComposite(f, dict)
	} else {
		d.readSimple(f, dict)
	}
	return f
}

func (d *document) readSimple(f *font, dict types.Dict) {
	f.encoding = d.readEncoding(dict["Encoding"])
	first, _ := d.number(dict["FirstChar"])
	widths := d.numbers(dict["Widths"])
	for i, w := range widths {
		f.widths[uint32(int(first)+i)] = w
	}
	if w, ok := d.number(d.dict(dict["FontDescriptor"])["MissingWidth"]); ok {
		f.missing = w
	}
	if m := d.numbers(dict["FontMatrix"]); d.name(dict["Subtype"]) == "Type3" && len(m) == 6 {
		f.unit = m[0]
	} else if len(widths) == 0 {
		f.core = coreFont(d.name(dict["BaseFont"]))
	}
}

func (d *document) readEncoding(o types.Object) *encoding {
	switch v := d.resolve(o).(type) {
	case types.Name:
		return baseEncoding(string(v))
	case types.Dict:
		e := baseEncoding(d.name(v["BaseEncoding"]))
		differences, _ := d.resolve(v["Differences"]).(types.Array)
		code := 0
		for _, item := range differences {
			if n, ok := d.number(item); ok {
				code = int(n)
				continue
			}
			if code >= 0 && code < len(e) {
				e[code] = glyphText(d.name(item))
			}
			code++
		}
		return e
	default:
		return baseEncoding("")
	}
}

func (d *document) readComposite(f *font, dict types.Dict) {
	f.composite = true
	if program, err := d.stream(dict["Encoding"]); err == nil && program != nil {
		f.codes = parseCMap(program)
	}
	descendants, _ := d.resolve(dict["DescendantFonts"]).(types.Array)
	if len(descendants) == 0 {
		return
	}
	cid := d.dict(descendants[0])
	f.missing = 1000
	if w, ok := d.number(cid["DW"]); ok {
		f.missing = w
	}
	d.readCIDWidths(f, cid["W"])
}

// readCIDWidths reads "c [w1 w2 ...]" and "first last w" (9.7.4.3).
func (d *document) readCIDWidths(f *font, o types.Object) {
	items, _ := d.resolve(o).(types.Array)
	for i := 0; i+1 < len(items); {
		first, _ := d.number(items[i])
		if list, ok := d.resolve(items[i+1]).(types.Array); ok {
			for k, w := range d.numbers(list) {
				f.widths[uint32(int(first)+k)] = w
			}
			i += 2
			continue
		}
		if i+2 >= len(items) {
			return
		}
		last, _ := d.number(items[i+1])
		w, _ := d.number(items[i+2])
		for c := int(first); c <= int(last) && c <= 0xFFFF; c++ {
			f.widths[uint32(c)] = w
		}
		i += 3
	}
}

// next splits the first glyph off s, which is not empty.
func (f *font) next(s string) (glyph, string) {
	if f.composite {
		k, rest := f.codes.next(s, 2)
		cid := f.codes.cid(k)
		g := glyph{width: f.width(cid, ""), space: k.length == 1 && k.value == ' '}
		if f.toUnicode != nil {
			g.text = f.toUnicode.text[k]
		}
		return g, rest
	}
	c := s[0]
	g := glyph{text: f.encoding[c], space: c == ' '}
	if f.toUnicode != nil {
		if t, ok := f.toUnicode.text[code{uint32(c), 1}]; ok {
			g.text = t
		}
	}
	g.width = f.width(uint32(c), f.encoding[c])
	return g, s[1:]
}

func (f *font) width(cid uint32, text string) float64 {
	if w, ok := f.widths[cid]; ok {
		return w * f.unit
	}
	if f.core != "" {
		for _, r := range text {
			if w, err := corefont.CharWidth(f.core, r); err == nil {
				return float64(w) * f.unit
			}
		}
	}
	return f.missing * f.unit
}

// coreFont is the standard 14 font that a viewer takes for an unembedded font of that name.
func coreFont(base string) string {
	if _, tail, subset := strings.Cut(base, "+"); subset {
		base = tail
	}
	lower := strings.ToLower(base)
	bold := strings.Contains(lower, "bold")
	slanted := strings.Contains(lower, "italic") || strings.Contains(lower, "oblique")
	switch {
	case strings.Contains(lower, "times"):
		return variant("Times", bold, slanted, "-Roman", "-Bold", "-Italic", "-BoldItalic")
	case strings.Contains(lower, "courier"):
		return variant("Courier", bold, slanted, "", "-Bold", "-Oblique", "-BoldOblique")
	default:
		return variant("Helvetica", bold, slanted, "", "-Bold", "-Oblique", "-BoldOblique")
	}
}

func variant(family string, bold, slanted bool, regular, b, i, bi string) string {
	switch {
	case bold && slanted:
		return family + bi
	case bold:
		return family + b
	case slanted:
		return family + i
	}
	return family + regular
}
