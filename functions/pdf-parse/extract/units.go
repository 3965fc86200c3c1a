package extract

import (
	"maps"
	"slices"
)

// bodySize is how many units high the em square of the document's body text is.
const bodySize = 10

// ink is what a page shows, before the unit of its coordinates is known.
type ink struct {
	view   view
	sizes  sizes
	words  []Word // in units of its own body text
	pale   []Word
	notes  []Word
	lines  []segment
	dots   []dot
	frames frames

	incomplete bool
}

// page is the ink in units of the body text that is so high on the paper.
func (k ink) page(body float64) Page {
	v := k.view.scaled(bodySize / body)
	if own := k.sizes.median(); own != body {
		scaleWords(k.words, own/body)
		scaleWords(k.pale, own/body)
		scaleWords(k.notes, own/body)
	}
	return Page{
		Width: v.width, Height: v.height,
		Words: k.words, Pale: k.pale, Notes: k.notes, Rulings: rulings(v, k.lines, k.dots),
		Incomplete: k.incomplete, Frames: k.frames.shown(v),
	}
}

func scaleWords(words []Word, by float64) {
	for i := range words {
		w := &words[i]
		w.X0, w.X1, w.Y, w.Size = w.X0*by, w.X1*by, w.Y*by, w.Size*by
	}
}

// sizes counts glyphs by their size on the paper, rounded to the precision of a float32 so that sizes which
// differ only in how they were computed count as one.
type sizes map[float32]int

func sizesOf(glyphs []Glyph) sizes {
	s := sizes{}
	var last float32
	n := 0
	for _, g := range glyphs {
		if g.Text == " " || g.Size <= 0 {
			continue
		}
		if size := float32(g.Size); size != last {
			s.add(last, n)
			last, n = size, 0
		}
		n++
	}
	s.add(last, n)
	return s
}

func (s sizes) add(size float32, n int) {
	const smallest, largest = 1e-4, 1e5 // hostile sizes would leave no number finite
	if n > 0 && size > smallest && size < largest {
		s[size] += n
	}
}

func (s sizes) total() int {
	n := 0
	for _, count := range s {
		n += count
	}
	return n
}

// median is the size of the glyph in the middle, bodySize where there is none.
func (s sizes) median() float64 {
	left := s.total() / 2
	for _, size := range slices.Sorted(maps.Keys(s)) {
		if left -= s[size]; left < 0 {
			return float64(size)
		}
	}
	return bodySize
}

// near counts the glyphs that are about as high as body.
func (s sizes) near(body float64) int {
	const about = 1.1
	n := 0
	for size, count := range s {
		if ratio := float64(size) / body; ratio < about && ratio > 1/about {
			n += count
		}
	}
	return n
}

// bodies is how high the body text of each page is. It is the whole document's, because a page that holds
// the rest of a row and a foot shows little of it; but where files of other scales were merged, a
// page that shows none of it has its own.
func bodies(inks []ink) []float64 {
	const (
		other  = 1.25 // sizes further apart may be those of another file
		enough = 0.1  // of a page's glyphs
	)
	all := sizes{}
	for _, k := range inks {
		for size, n := range k.sizes {
			all[size] += n
		}
	}
	document := all.median()
	out := make([]float64, len(inks))
	for i, k := range inks {
		out[i] = document
		own := k.sizes.median()
		far := own > other*document || document > other*own
		if n := k.sizes.total(); n > 0 && far && float64(k.sizes.near(document)) < enough*float64(n) {
			out[i] = own
		}
	}
	return out
}
