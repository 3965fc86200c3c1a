package extract

import (
	"math"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// letter is the page a viewer shows where a file gives no size.
var letter = box{0, 0, 612, 792}

// page interprets one page and turns it the way it is read.
func (d *document) page(l leaf, budget *budget) (Page, error) {
	content, complete, err := d.contents(l.dict)
	if err != nil {
		return Page{}, err
	}
	if budget.bytes -= len(content); budget.bytes < 0 {
		return Page{}, ErrTooComplex
	}
	visible, ok := d.visible(l)
	in := newInterpreter(d, budget, visible)
	in.damaged = !complete || !ok || d.suspect || d.lost(l)
	in.replaced = replacements{elements: map[int]int32{}, parents: d.structureParents(l.dict)}
	if err := in.run(content, l.resources); err != nil {
		return Page{}, err
	}
	if err := in.judge(); err != nil {
		return Page{}, err
	}
	in.glyphs = in.replaced.apply(in.glyphs)
	shown := show(visible, l.rotate)
	if turn := readingTurn(in.glyphs, shown.m); turn != 0 {
		shown = shown.turn(turn)
	}
	return Page{
		Width:   shown.width,
		Height:  shown.height,
		Words:   words(shown.glyphs(in.glyphs)),
		Pale:    words(shown.glyphs(in.pale)),
		Rulings: rulings(shown, in.lines, in.dots),

		Incomplete: in.damaged,
	}, nil
}

// unbounded is the page whose size cannot be read: it cuts nothing off.
var unbounded = box{0, 0, 2000, 2000}

// visible is the crop box inside the media box (ISO 32000-1, 14.11.2), false where it cannot be read.
func (d *document) visible(l leaf) (box, bool) {
	media, ok := letter, true
	if l.mediaBox != nil {
		array, _ := d.resolve(l.mediaBox).(types.Array)
		if media, ok = d.rectangle(array); !ok {
			media = unbounded
		}
	}
	crop, cropped := d.rectangle(l.cropBox)
	if crop = crop.intersect(media); !cropped || crop.empty() {
		return media, ok
	}
	return crop, ok
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
	return b, b.x1-b.x0 >= 1 && b.y1-b.y0 >= 1
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

// turn turns the view clockwise by quarters.
func (v view) turn(quarters int) view {
	for range quarters {
		v = view{v.m.mul(matrix{0, 1, -1, 0, v.height, 0}), v.height, v.width}
	}
	return v
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
	const slant = 0.05
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
func (v view) glyphs(all []drawn) []Glyph {
	paper := box{0, 0, v.width, v.height}
	out := make([]Glyph, 0, len(all))
	for _, g := range all {
		a, b := v.m.apply(g.start.x, g.start.y), v.m.apply(g.end.x, g.end.y)
		if d, ok := direction(v.m, g); ok && d != 0 || !ok && g.start != g.end {
			continue
		}
		if paper.holds(point{(a.x + b.x) / 2, a.y - g.size/4}) {
			out = append(out, Glyph{Text: g.text, Unsure: g.unsure, X0: a.x, X1: b.x, Y: a.y, Size: g.size, Faint: g.faint})
		}
	}
	return out
}
