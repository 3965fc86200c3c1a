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
	unicode   bool               // composite: codes are UTF-16
	toUnicode *cmap              // nil where the font has none
	encoding  *encoding          // simple fonts
	widths    map[uint32]float64 // by code or CID, in thousandths of the em
	missing   float64            // the width of what widths does not hold
	core      string             // a standard 14 font whose widths are known without a table
	unit      float64            // text space units per glyph space unit: 1/1000 but for Type 3
	em        float64            // how high the em square is in text space: 1 but for Type 3
	origin    point              // where glyph space begins in text space: the pen but for Type 3
	vertical  bool               // glyphs run down the page
	program   *program           // composite: what the embedded program tells, nil for nothing
	glyphs    reader             // composite: the glyphs of CIDs, two bytes each; empty is Identity
	drawings  *drawings          // Type 3

	simple [256]glyph     // what next has read, by code
	known  [256]bool      // which of simple it has
	cids   map[code]glyph // what next has read of a composite font
}

// glyph is one character code's meaning.
type glyph struct {
	meaning
	width float64 // in text space, for size 1
	space bool    // the single byte 32, to which word spacing applies (9.3.3)
}

func (d *document) fontOf(o types.Object) *font {
	dict := d.dict(o)
	if dict == nil {
		dict = noFont
	}
	key := identityOf(dict)
	if f := d.fonts[key]; f != nil {
		return f
	}
	f := d.readFont(dict)
	d.fonts[key] = f
	return f
}

// noFont is what viewers show text in whose font cannot be found.
var noFont = types.Dict{}

func (d *document) readFont(dict types.Dict) *font {
	f := &font{widths: map[uint32]float64{}, unit: 0.001, em: 1, cids: map[code]glyph{}, toUnicode: d.cmap(dict["ToUnicode"])}
	if d.name(dict["Subtype"]) == "Type0" {
		d.readComposite(f, dict)
	} else {
		d.readSimple(f, dict)
	}
	return f
}

// cmap reads an embedded CMap, once for all fonts that share it. One that cannot be decoded is like none.
func (d *document) cmap(o types.Object) *cmap {
	number := objectNumber(o)
	if c, ok := d.cmaps[number]; ok && number != 0 {
		return c
	}
	var c *cmap
	if program, err := d.stream(o); err == nil && program != nil && len(program) <= maxFont {
		c = parseCMap(program)
	}
	d.cmaps[number] = c
	return c
}

// objectNumber is the number of the object that a reference names, 0 where o is none.
func objectNumber(o types.Object) int {
	if ref, ok := o.(types.IndirectRef); ok {
		return ref.ObjectNumber.Value()
	}
	return 0
}

func (d *document) readComposite(f *font, dict types.Dict) {
	f.composite = true
	f.codes = d.cmap(dict["Encoding"])
	encoding := d.name(dict["Encoding"])
	f.unicode = strings.HasPrefix(encoding, "Uni") && (strings.Contains(encoding, "-UCS2-") || strings.Contains(encoding, "-UTF16-"))
	f.vertical = strings.HasSuffix(encoding, "-V") || f.codes != nil && f.codes.vertical
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
	f.program = d.program(d.dict(cid["FontDescriptor"]))
	if glyphs, err := d.stream(cid["CIDToGIDMap"]); err == nil && d.name(cid["CIDToGIDMap"]) == "" {
		f.glyphs = glyphs
	}
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
		g, ok := f.cids[k]
		if !ok {
			g = f.compositeGlyph(k)
			f.cids[k] = g
		}
		return g, rest
	}
	c := s[0]
	if !f.known[c] {
		f.simple[c], f.known[c] = f.simpleGlyph(c), true
	}
	return f.simple[c], s[1:]
}

func (f *font) compositeGlyph(k code) glyph {
	cid := f.codes.cid(k)
	index := int(cid)
	if len(f.glyphs) > 0 {
		index = f.glyphs.u16(2 * int(cid))
	}
	mapped := f.toUnicode.textOf(k)
	told := realText(mapped)
	drawn := f.program.meaning(index, told)
	if f.unicode {
		drawn = meaning{text: realText(utf16Text(string([]byte{byte(k.value >> 8), byte(k.value)})))}
	}
	g := glyph{meaning: chooseMeaning(told, drawn), width: f.width(cid, ""), space: k.length == 1 && k.value == ' '}
	if g.unsure && told != "" && told != " " {
		g.text = told // nothing is drawn by what the program calls its glyphs
	}
	g.unsure = g.unsure || f.vertical // its letters stand in no line
	return g.withText(f.program.isBlank(index) || g.width == 0 && isFormat(mapped))
}

// withText is the glyph with a text in any case: where nothing tells one, a space if it leaves no mark on the page, else
// the sign for what cannot be read. What has neither ink nor width, such as a joiner, is passed over.
func (g glyph) withText(blank bool) glyph {
	switch {
	case g.text != "":
	case blank && g.width == 0:
	case blank:
		g.text = " "
	default:
		g.meaning = meaning{unreadable, true}
	}
	return g
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
