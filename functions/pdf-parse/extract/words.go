package extract

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// Distances between glyphs of one word, in ems. The narrowest space in use is about 0.2 em; kerning
// and rounding move glyphs by less than 0.15.
const (
	wordGap     = 0.18
	wordOverlap = 0.35 // a glyph that begins further back begins another word
	baselineGap = 0.12

	looseGap = 0.08 // wider than kerning is
	evenGap  = 0.06 // of two
	openGap  = 0.04 // so much wider than all others of the word
	oddGap   = 0.1

	resized = 1.7 // a glyph so much larger or smaller begins another word: it is a mark's
)

// words joins glyphs to words. Glyphs come in the order of drawing, which is a hint: text that
// overlaps a neighbour's stays apart, and pieces drawn in any order meet at the end. The glyphs are used up.
func words(glyphs []Glyph) []Word {
	const perWord = 4 // glyphs of a word, about
	pieces := make([]piece, 0, len(glyphs)/perWord)
	var cur piece
	var text []byte // of cur
	end := func() {
		if len(text) > 0 {
			cur.Text = string(text)
			pieces = append(pieces, cur)
		}
		text = text[:0]
	}
	once := unique(glyphs)
	for i := range once {
		g := &once[i]
		if isBlank(g.Text) {
			cur.spaceAfter = true
			end()
			cur = piece{spaceBefore: true, at: *g}
			continue
		}
		if len(text) > 0 && (len(text) >= maxWord || !continues(&cur.Word, g)) {
			end()
			cur = piece{}
		}
		if len(text) == 0 {
			before := cur.spaceBefore && math.Abs(cur.at.Y-g.Y) < baselineGap*g.Size && math.Abs(cur.at.X1-g.X0) < g.Size
			cur = piece{Word: Word{X0: g.X0, Y: g.Y, Colour: g.Colour}, spaceBefore: before, wide: noGap, wider: noGap}
		}
		if len(text) > 0 {
			cur.gap(g.X0, g.Size)
		}
		text = append(text, g.Text...)
		cur.Unsure = cur.Unsure || g.Unsure
		cur.X1 = max(cur.X1, g.X1)
		cur.Size = max(cur.Size, g.Size)
		cur.Faint = cur.Faint || g.Faint
	}
	end()
	return join(pieces)
}

// piece is a word in the making.
type piece struct {
	Word
	at                      Glyph // the space before it
	spaceBefore, spaceAfter bool
	wide, wider             float64 // the two widest gaps between its letters, in ems, or noGap
}

const noGap = -1 // letters of a word overlap by less

// gap notes the distance to the next letter of the word.
func (p *piece) gap(x0, size float64) { p.wide, p.wider = widest(p.wide, p.wider, (x0-p.X1)/size) }

// loose reports whether some of the letters stand further apart than letters do, or than the others of the word: these
// may be set close.
func (p *piece) loose() bool {
	odd := p.wide > noGap && p.wider > openGap && p.wider-p.wide > oddGap
	return p.wider > looseGap || p.wide > evenGap || odd
}

func widest(wide, wider, gap float64) (float64, float64) {
	if gap > wider {
		return wider, gap
	}
	return max(wide, gap), wider
}

func continues(w *Word, g *Glyph) bool {
	em := max(min(w.Size, g.Size), 1)
	gap := g.X0 - w.X1
	if g.Size > resized*w.Size || w.Size > resized*g.Size {
		return false
	}
	return len(w.Text) < maxWord && math.Abs(w.Y-g.Y) < baselineGap*em && gap < wordGap*em && gap > -wordOverlap*em
}

// join sorts pieces into reading order and joins those that no space parts.
func join(pieces []piece) []Word {
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(a.Y, b.Y) })
	for start := 0; start < len(pieces); {
		end := start + 1
		for end < len(pieces) && pieces[end].Y-pieces[start].Y < baselineGap*max(pieces[start].Size, 1) {
			end++
		}
		line := pieces[start:end]
		slices.SortStableFunc(line, func(a, b piece) int { return cmp.Compare(a.X0, b.X0) })
		start = end
	}
	joined := pieces[:0] // into the same memory
	spaced := true
	for _, p := range pieces {
		n := len(joined)
		if n > 0 && !spaced && !p.spaceBefore && continues(&joined[n-1].Word, &Glyph{X0: p.X0, Y: p.Y, Size: p.Size}) {
			w := &joined[n-1]
			w.gap(p.X0, w.Size)
			w.wide, w.wider = widest(w.wide, w.wider, p.wider)
			w.Text += p.Text
			w.Unsure = w.Unsure || p.Unsure
			w.X1 = max(w.X1, p.X1)
			w.Size = max(w.Size, p.Size)
			w.Faint = w.Faint || p.Faint
		} else {
			joined = append(joined, p)
		}
		spaced = p.spaceAfter
	}
	out := make([]Word, len(joined))
	for i, p := range joined {
		out[i] = p.Word
		out[i].Text = plainWord(p.Text)
		out[i].Loose = p.loose()
	}
	return out
}

// unique drops what is drawn a second time in its place to look bold or shadowed, in the same memory.
func unique(glyphs []Glyph) []Glyph {
	buckets := 1 << bits.Len(uint(len(glyphs)))
	d := drawnGlyphs{last: make([]int32, buckets), glyphs: glyphs[:0], before: make([]int32, 0, len(glyphs))}
	for i := range glyphs {
		g := &glyphs[i]
		if key := textKey(g.Text); !d.near(g, key) {
			d.add(g, key)
		}
	}
	effort.Add(len(glyphs) + d.steps)
	return d.glyphs
}

// drawnGlyphs are glyphs in buckets by their tile: the last of each bucket, counted from 1, and before each glyph the one
// that was the last of its bucket then.
type drawnGlyphs struct {
	last   []int32
	glyphs []Glyph
	before []int32
	steps  int
}

func (d *drawnGlyphs) add(g *Glyph, text uint64) {
	at := d.bucket(placeOf(g.X0, g.Y).tile(text))
	d.glyphs, d.before = append(d.glyphs, *g), append(d.before, d.last[at])
	d.last[at] = int32(len(d.glyphs))
}

// bucket is where glyphs of a tile are.
func (d *drawnGlyphs) bucket(t tile) int {
	const golden = 0x9E3779B97F4A7C15 // spreads the bits of the key over all others
	return int(uint64(t)*golden>>32) & (len(d.last) - 1)
}

// tile is a key of a text on a part of the page: what is near a glyph is on its tile or on the next one. Others may
// have the same key.
type tile uint64

// place is a part of the page.
type place struct{ x, y int }

func placeOf(x, y float64) place {
	const side = 8
	return place{int(math.Floor(x / side)), int(math.Floor(y / side))}
}

// The seeds make texts and places that share a key hard to find for who would slow us down.
var (
	textSeed     = maphash.MakeSeed()
	xSeed, ySeed = rand.Uint64() | 1, rand.Uint64() | 1
)

func textKey(text string) uint64 {
	if len(text) == 1 {
		return uint64(text[0])
	}
	return maphash.String(textSeed, text)
}

func (p place) tile(text uint64) tile {
	return tile((uint64(p.x)*xSeed^uint64(p.y))*ySeed ^ text)
}

// near says whether the same was drawn in the same place, about as large: a letter of a watermark is another one.
func (d *drawnGlyphs) near(g *Glyph, text uint64) bool {
	near := 0.1 * min(max(g.Size, 1), 80)
	from, to := placeOf(g.X0-near, g.Y-near), placeOf(g.X0+near, g.Y+near)
	for x := from.x; x <= to.x; x++ {
		for y := from.y; y <= to.y; y++ {
			for i := d.last[d.bucket(place{x, y}.tile(text))]; i > 0; i = d.before[i-1] {
				d.steps++
				if h := &d.glyphs[i-1]; h.Text == g.Text && g.Size < resized*h.Size && h.Size < resized*g.Size && math.Abs(g.X0-h.X0) < near && math.Abs(g.Y-h.Y) < near {
					return true
				}
			}
		}
	}
	return false
}
