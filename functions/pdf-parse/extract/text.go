package extract

import (
	"fmt"
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// textOperator executes the operators of text (ISO 32000-1, 9.3 and 9.4). Others are passed over.
func (in *interpreter) textOperator(op operator, args operands, resources types.Dict) error {
	n, t := args.number, &in.state.text
	switch op {
	case "BT":
		in.tm, in.tlm = identity, identity
	case "ET":
		in.clipToLetters()
	case "Tf":
		font := in.doc.dict(resources["Font"])[args.name(0)]
		in.damaged = in.damaged || in.doc.dict(font) == nil // text in it may be read wrong
		t.font, t.size = in.doc.fontOf(font), n(1)
	case "Tc":
		t.charSpace = n(0)
	case "Tw":
		t.wordSpace = n(0)
	case "Tz":
		t.scale = n(0) / 100
	case "TL":
		t.leading = n(0)
	case "Ts":
		t.rise = n(0)
	case "Tr":
		t.mode = textMode(n(0))
	case "Td":
		in.newLine(n(0), n(1))
	case "TD":
		t.leading = -n(1)
		in.newLine(n(0), n(1))
	case "Tm":
		in.tlm = args.matrix()
		in.tm = in.tlm
	case "T*":
		in.newLine(0, -t.leading)
	case "Tj":
		return in.show(args.last())
	case "'":
		in.newLine(0, -t.leading)
		return in.show(args.last())
	case "\"":
		t.wordSpace, t.charSpace = n(0), n(1)
		in.newLine(0, -t.leading)
		return in.show(args.last())
	case "TJ":
		if len(args) > 0 {
			items, _ := args[0].([]any)
			return in.showArray(items)
		}
	}
	return nil
}

func (in *interpreter) newLine(tx, ty float64) {
	in.tlm.move(tx, ty)
	in.tm = in.tlm
}

func (in *interpreter) showArray(items []any) error {
	for _, item := range items {
		switch v := item.(type) {
		case string:
			if err := in.show(v); err != nil {
				return err
			}
		case float64:
			in.kern(-v / 1000)
		}
	}
	return nil
}

func (in *interpreter) advance(tx float64) {
	in.tm.move(tx, 0)
}

// kern moves the pen by ems in the direction of writing.
func (in *interpreter) kern(ems float64) {
	t := in.state.text
	if t.font != nil && t.font.vertical {
		in.tm.move(0, ems*t.size)
		return
	}
	in.advance(ems * t.size * t.scale)
}

// advancePast moves the pen past a glyph. In a vertical font it moves down by an em (9.7.4.3).
func (in *interpreter) advancePast(g glyph) {
	t := &in.state.text
	spacing := t.charSpace
	if g.space {
		spacing += t.wordSpace
	}
	if t.font.vertical {
		in.tm.move(0, -t.size+spacing)
		return
	}
	in.advance((g.width*t.size + spacing) * t.scale)
}

func (in *interpreter) show(s string) error {
	t := in.state.text
	if t.font == nil {
		in.damaged = in.damaged || s != ""
		return nil
	}
	m := in.textMatrix()
	in.setTextStyle(m)
	size := math.Hypot(m[2], m[3]) * t.font.em
	for len(s) > 0 {
		var g glyph
		g, s = t.font.next(s)
		if in.budget.glyphs--; in.budget.glyphs < 0 {
			return fmt.Errorf("%w: too much text", ErrTooComplex)
		}
		if g.text != "" && t.mode != 3 && in.hidden == 0 {
			in.draw(&g, m, size)
		}
		in.advancePast(g)
		at := in.tm.apply(0, t.rise)
		at = in.state.ctm.apply(at.x, at.y)
		m[4], m[5] = at.x, at.y
	}
	return nil
}

// textMatrix maps the em square of the next glyph to page space.
func (in *interpreter) textMatrix() matrix {
	t := in.state.text
	return matrix{t.size * t.scale, 0, 0, t.size, 0, t.rise}.mul(in.tm).mul(in.state.ctm)
}

// setTextStyle notes what the glyphs drawn now have in common.
func (in *interpreter) setTextStyle(m matrix) {
	s := &in.state
	em := s.text.font.em
	across, high := math.Abs(m[0]*m[3]-m[1]*m[2]), math.Hypot(m[2], m[3])
	l := textStyle{
		fill: s.fill, stroke: s.stroke, mode: s.text.mode, group: s.group, under: len(in.areas),
		bounds: s.clip, clip: s.shapes,
		up: point{capital * em * m[2], capital * em * m[3]}, height: em * min(high, across/max(high, math.SmallestNonzeroFloat64)),
	}
	if l.mode.clips() {
		if in.letters == nil {
			in.letters = &shape{letters: true}
		}
		l.own = in.letters
	}
	if n := len(in.styles); n == 0 || in.styles[n-1] != l {
		in.styles = append(in.styles, l)
	}
}

// clipToLetters ends a text object: what its letters clip is what is painted from now on.
func (in *interpreter) clipToLetters() {
	if in.letters != nil {
		in.letters.next = in.state.shapes
		in.state.shapes, in.letters = in.letters, nil
	}
}

// draw keeps a glyph unless the clip hides it. Letter-spacing belongs to the glyph before it, so
// that spaced-out words stay words.
// m maps its em square, which is so high, to page space.
func (in *interpreter) draw(g *glyph, m matrix, size float64) {
	t := &in.state.text
	spacing := 0.0
	if t.size != 0 {
		spacing = max(0, t.charSpace/t.size)
	}
	at := t.font.origin
	if t.font.vertical { // the pen is above the middle of the glyph
		at = point{-g.width / 2, -0.88}
	}
	d := drawn{
		text:   g.text,
		unsure: g.unsure,
		start:  m.apply(at.x, at.y),
		end:    m.apply(at.x+g.width+spacing, at.y),
		size:   size,
		span:   in.replaced.span(),
		style:  int32(len(in.styles) - 1),
	}
	middle := point{(d.start.x + d.end.x) / 2, (d.start.y + d.end.y) / 2}
	if !finite(d) || !in.state.clip.grow(d.size).contains(middle) {
		return
	}
	in.glyphs = append(in.glyphs, d)
}

func finite(d drawn) bool {
	sum := d.start.x + d.start.y + d.end.x + d.end.y + d.size
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
