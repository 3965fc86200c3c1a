package extract

import (
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// ink interprets one page and turns it the way it is read.
func (d *document) ink(l leaf, budget *budget) (ink, error) {
	content, complete, err := d.contents(l.dict)
	if err != nil {
		return ink{}, err
	}
	if budget.bytes -= len(content); budget.bytes < 0 {
		return ink{}, ErrTooComplex
	}
	media, crop, ok := d.boxes(l)
	in := newInterpreter(d, budget, media)
	in.frames.sheet = crop
	in.damaged = !complete || !ok || d.suspect || d.lost(l)
	in.replaced = replacements{elements: map[int]int32{}, parents: d.structureParents(l.dict)}
	if err := in.run(content, l.resources); err != nil {
		return ink{}, err
	}
	if err := in.annotate(l.dict, media); err != nil {
		return ink{}, err
	}
	if err := in.classifyGlyphs(); err != nil {
		return ink{}, err
	}
	in.glyphs, in.pale = in.replaced.apply(in.glyphs), in.replaced.apply(in.pale)
	return in.ink(in.paper(media, crop), l.rotate), nil
}

// ink is what was drawn on the paper.
func (in *interpreter) ink(paper box, rotate int) ink {
	shown := show(paper, rotate)
	if turn := readingTurn(in.glyphs, shown.m); turn != 0 {
		shown = shown.turn(turn)
	}
	glyphs, pale, notes := shown.glyphs(in.glyphs, in.styles), shown.glyphs(in.pale, in.styles), shown.glyphs(in.notes, in.styles)
	covered := shown.glyphs(in.coveredGlyphs(), in.styles)
	k := ink{view: shown, sizes: sizesOf(glyphs), lines: in.lines, dots: in.dots, incomplete: in.damaged, frames: in.frames}
	own := bodySize / k.sizes.median()
	scaleGlyphs(glyphs, own)
	scaleGlyphs(pale, own)
	scaleGlyphs(notes, own)
	scaleGlyphs(covered, own)
	k.words, k.pale, k.notes = words(glyphs), words(pale), words(notes)
	k.covered = words(covered)
	return k
}

// unbounded is a page whose size cannot be read, though every page must have one: it cuts nothing off.
var unbounded = box{0, 0, 2000, 2000}

// boxes are the media box and, inside it, the crop box (ISO 32000-1, 14.11.2); false where the media box
// cannot be read.
func (d *document) boxes(l leaf) (media, crop box, ok bool) {
	array, _ := d.resolve(l.mediaBox).(types.Array)
	if media, ok = d.rectangle(array); !ok {
		media = unbounded
	}
	crop, cropped := d.rectangle(l.cropBox)
	if crop = crop.intersect(media); !cropped || crop.empty() {
		crop = media
	}
	return media, crop, ok
}

// paper is what of the page is shown: the crop box, unless that hides most of the text and cuts through what
// is drawn. Such a box was left as it was by a program that gave the page another size, and so were those
// of the pages that follow.
func (in *interpreter) paper(media, crop box) box {
	hidden, cut := 0, false
	for _, g := range in.glyphs {
		start, end := crop.contains(g.start), crop.contains(g.end)
		cut = cut || start != end
		if !start && !end {
			hidden++
		}
	}
	if 2*hidden <= len(in.glyphs) {
		return crop
	}
	for _, s := range in.lines {
		cut = cut || crop.contains(s.a) != crop.contains(s.b)
	}
	if in.doc.staleCrop = in.doc.staleCrop || cut; in.doc.staleCrop {
		return media
	}
	return crop
}

// rectangle reads an array of four numbers (7.9.5); one that has no room is none.
func (d *document) rectangle(array types.Array) (box, bool) {
	var v [4]float64
	if len(array) != len(v) {
		return box{}, false
	}
	for i, item := range array {
		n, ok := d.number(item)
		if !ok {
			return box{}, false
		}
		v[i] = n
	}
	b := boxOf([]point{{v[0], v[1]}, {v[2], v[3]}})
	return b, b.x1 > b.x0 && b.y1 > b.y0
}

// view maps page space to the page as it is shown, y down.
type view struct {
	m             matrix
	width, height float64
}

// show is the view of a page with its /Rotate, degrees clockwise.
func show(b box, rotate int) view {
	v := view{matrix{1, 0, 0, -1, -b.x0, b.y1}, b.x1 - b.x0, b.y1 - b.y0}
	return v.turn(((rotate/90)%4 + 4) % 4)
}

// paper is the page in the view.
func (v view) paper() box { return box{0, 0, v.width, v.height} }

// turn turns the view clockwise by quarters.
func (v view) turn(quarters int) view {
	for range quarters {
		v = view{v.m.mul(matrix{0, 1, -1, 0, v.height, 0}), v.height, v.width}
	}
	return v
}

// scaled is the view in other units.
func (v view) scaled(by float64) view {
	return view{v.m.mul(matrix{by, 0, 0, by, 0, 0}), v.width * by, v.height * by}
}

// readingTurn is by how many clockwise quarters the page must be turned so that most of its text
// runs from left to right.
func readingTurn(glyphs []drawn, m matrix) int {
	var count [4]int
	for _, g := range glyphs {
		if d, ok := direction(m, g); ok {
			count[d]++
		}
	}
	best := 0
	for d, n := range count {
		if n > count[best] {
			best = d
		}
	}
	return (4 - best) % 4
}

// direction is 0 for text that runs to the right, 1 down, 2 left, 3 up; false for slanted text and
// glyphs without a width.
func direction(m matrix, g drawn) (int, bool) {
	a, b := m.apply(g.start.x, g.start.y), m.apply(g.end.x, g.end.y)
	dx, dy := b.x-a.x, b.y-a.y
	const slant = 0.02
	switch {
	case math.Abs(dy) <= slant*math.Abs(dx) && dx != 0:
		if dx > 0 {
			return 0, true
		}
		return 2, true
	case math.Abs(dx) <= slant*math.Abs(dy) && dy != 0:
		if dy > 0 {
			return 1, true
		}
		return 3, true
	}
	return 0, false
}

// glyphs are those that run from left to right and lie on the page, in the order of drawing. Text
// in another direction is decoration: a stamp, a watermark.
func (v view) glyphs(all []drawn, styles []textStyle) []Glyph {
	paper := v.paper()
	out := make([]Glyph, 0, len(all))
	style, colour := int32(-1), Colour(0)
	beside, letter := false, 0 // the last letter so far lies beside the paper, or is kept there
	for i := range all {
		g := &all[i]
		a, b := v.m.apply(g.start.x, g.start.y), v.m.apply(g.end.x, g.end.y)
		if d, ok := direction(v.m, *g); ok && d != 0 || !ok && g.start != g.end {
			continue
		}
		onPaper := paper.contains(point{(a.x + b.x) / 2, a.y - g.size/4})
		cutByEdge := beside == onPaper && i > 0 && !isBlank(g.text) && g.follows(&all[i-1], &styles[g.style])
		if !isBlank(g.text) {
			if cutByEdge && !onPaper && len(out) > 0 {
				out[letter].Faint = true
			}
			beside, letter = !onPaper, len(out)
		}
		if onPaper {
			if g.style != style {
				style, colour = g.style, styles[g.style].colour()
			}
			out = append(out, Glyph{
				Text: g.text, Unsure: g.unsure, X0: a.x, X1: b.x, Y: a.y, Size: g.size,
				Colour: colour, Faint: g.faint || cutByEdge,
			})
		}
	}
	return out
}

func scaleGlyphs(glyphs []Glyph, by float64) {
	for i := range glyphs {
		g := &glyphs[i]
		g.X0, g.X1, g.Y, g.Size = g.X0*by, g.X1*by, g.Y*by, g.Size*by
	}
}
