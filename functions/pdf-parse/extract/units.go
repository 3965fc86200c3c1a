package extract

import (
	"maps"
	"slices"
)

// bodySize is how many units high the em square of the document's body text is.
const bodySize = 10

// ink is what a page shows, before the unit of its coordinates is known.
type ink struct {
	view    view
	sizes   sizes
	words   []Word // in units of its own body text
	pale    []Word
	notes   []Word
	covered []Word
	lines   []segment
	dots    []dot
	frames  frames

	incomplete bool
}

// page is the ink in units of the body text that is so high on the paper.
func (k ink) page(body float64) Page {
	v := k.view.scaled(bodySize / body)
	if own := k.sizes.median(); own != body {
		scaleWords(k.words, own/body)
		scaleWords(k.pale, own/body)
		scaleWords(k.notes, own/body)
		scaleWords(k.covered, own/body)
	}
	return Page{
		Width: v.width, Height: v.height,
		Words: k.words, Pale: k.pale, Notes: k.notes, Covered: k.covered, Rulings: rulings(v, k.lines, k.dots),
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

// shared counts the glyphs of sizes that other pages show, as far as each size is no more than twice what one
// of those shows of it: a foot is not body text that happens to be as small.
func (s sizes) shared(usual sizes) int {
	n := 0
	for size, count := range s {
		n += min(count, 2*usual[size])
	}
	return n
}

// bodies is how high the body text of each page is. It is the whole document's, because a page that holds
// the rest of a row and a foot shows little of it; but where files of other scales were merged, a
// page that shows none of it, and little that other pages show, has its own.
func bodies(inks []ink) []float64 {
	const (
		some = 0.1 // of a page's glyphs
		most = 0.5
	)
	all := sizes{}
	for _, k := range inks {
		for size, n := range k.sizes {
			all[size] += n
		}
	}
	document := all.median()
	out := make([]float64, len(inks))
	usual := sizes{} // how many glyphs of each size one of the pages shows that have the document's body text
	for i, k := range inks {
		if k.sizes.far(document) && float64(k.sizes.near(document)) < some*float64(k.sizes.total()) {
			continue
		}
		out[i] = document
		for size, n := range k.sizes {
			usual[size] = max(usual[size], n)
		}
	}
	for i, k := range inks {
		if out[i] == 0 {
			out[i] = document
			if float64(k.sizes.shared(usual)) < most*float64(k.sizes.total()) {
				out[i] = k.sizes.median()
			}
		}
	}
	return out
}

// far reports whether the text is so much larger or smaller than a document's that it may be another file's.
func (s sizes) far(document float64) bool {
	const other = 1.25
	own := s.median()
	return len(s) > 0 && (own > other*document || document > other*own)
}
