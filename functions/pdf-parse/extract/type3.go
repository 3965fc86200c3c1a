package extract

import (
	"math"
	"slices"

	corefont "github.com/pdfcpu/pdfcpu/pkg/font"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// drawings are the glyphs of a Type 3 font: content streams by name (ISO 32000-1, 9.6.5).
type drawings struct {
	doc   *document
	procs types.Dict
	read  map[string]drawing
}

// drawing is what matters of one of them.
type drawing struct {
	width float64 // in glyph space
	ink   bool
}

// readType3 reads what a Type 3 font has beyond other simple fonts. Its glyph space is its own: bitmap fonts count
// in dots, and draw at size 1 under a text matrix that scales.
func (d *document) readType3(f *font, dict types.Dict) {
	f.drawings = &drawings{doc: d, procs: d.dict(dict["CharProcs"]), read: map[string]drawing{}}
	m := matrix{0.001, 0, 0, 0.001, 0, 0}
	if given := d.numbers(dict["FontMatrix"]); len(given) == len(m) {
		m = matrix(given)
	}
	f.unit, f.origin = m[0], point{m[4], m[5]}
	for c := range 256 {
		if name := f.encoding.names[c]; name != "" && f.widths[uint32(c)] == 0 {
			if w := f.drawings.get(name).width; w != 0 {
				f.widths[uint32(c)] = w
			}
		}
	}
	const nearly = 0.35 // a matrix that makes about an em of 1 is meant to make one
	if em := f.emUnits() * math.Hypot(m[2], m[3]); em > 0 && math.Abs(em-1) > nearly {
		f.em = em
	}
}

// emUnits is how many units of glyph space an em is, by the widths of letters beside those of the usual faces:
// neither /FontBBox nor /FontMatrix need say so. 0 where the font tells no widths.
func (f *font) emUnits() float64 {
	best, least := 0.0, math.Inf(1)
	for _, face := range []string{"Helvetica", "Helvetica-Bold", "Times-Roman", "Times-Bold", "Courier"} {
		var ems []float64
		for c, w := range f.widths {
			if em := emOf(face, f.letter(c), math.Abs(w)); em > 0 {
				ems = append(ems, em)
			}
		}
		if len(ems) == 0 {
			return f.emByAdvance()
		}
		slices.Sort(ems)
		middle, spread := ems[len(ems)/2], ems[len(ems)*9/10]-ems[len(ems)/10]
		if spread/middle < least {
			best, least = middle, spread/middle
		}
	}
	return best
}

// letter is the text of a code, which chooses no more than a size here.
func (f *font) letter(c uint32) string {
	if c > 255 {
		return ""
	}
	return chooseMeaning(realText(f.toUnicode.textOf(code{c, 1})), f.encoding.meaning(byte(c))).text
}

// emOf is the em at which a letter of a face is w wide; 0 where the face has no such letter.
func emOf(face, letter string, w float64) float64 {
	if len(letter) != 1 || letter == " " {
		return 0
	}
	usual, err := corefont.CharWidth(face, rune(letter[0]))
	if err != nil || usual <= 0 {
		return 0
	}
	return 1000 * w / float64(usual)
}

// emByAdvance is the em of a font of which no letter is known.
func (f *font) emByAdvance() float64 {
	const usual = 0.55 // ems that a glyph is wide
	var widths []float64
	for _, w := range f.widths {
		if w != 0 {
			widths = append(widths, math.Abs(w))
		}
	}
	if len(widths) == 0 {
		return 0
	}
	slices.Sort(widths)
	return widths[len(widths)/2] / usual
}

// blank reports whether the named glyph paints nothing.
func (d *drawings) blank(name string) bool { return d != nil && name != "" && !d.get(name).ink }

func (d *drawings) get(name string) drawing {
	if g, ok := d.read[name]; ok {
		return g
	}
	var g drawing
	if proc, err := d.doc.stream(d.procs[name]); err == nil {
		g = readDrawing(proc)
	} else {
		g.ink = true // nobody knows
	}
	d.read[name] = g
	return g
}

// readDrawing reads a glyph's content up to its first ink.
func readDrawing(content []byte) drawing {
	var g drawing
	lex := lexer{buf: content}
	var args []any
	for {
		token, ok := lex.next()
		if !ok {
			return g
		}
		op, isOp := token.(operator)
		if !isOp {
			if len(args) < maxOperands {
				args = append(args, token)
			}
			continue
		}
		switch op {
		case "d0", "d1":
			g.width = operands(args).number(0)
		case "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "sh", "Do", "BI", "Tj", "TJ", "'", "\"":
			g.ink = true
			return g
		}
		args = args[:0]
	}
}
