package extract

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// textStyle is what decides whether a reader sees some glyphs. Glyphs share one as long as nothing of it changes.
type textStyle struct {
	fill, stroke paint
	mode         textMode
	group        veil
	under        int    // how many areas lie below
	bounds       box    // of the clipping paths
	clip         *shape // those that are no rectangles
	own          *shape // the clipping path that the glyphs become part of
	up           point  // from the baseline to the height of a capital
	height       float64
}

// colour is what the glyphs are filled with or, where they are not filled, drawn with.
func (l *textStyle) colour() Colour {
	if !l.mode.fills() && l.mode.strokes() {
		return l.stroke.seen()
	}
	return l.fill.seen()
}

// sight is what a reader sees of a glyph.
type sight uint8

const (
	seen     sight = iota
	doubtful       // perhaps nothing, or only a part
	pale           // nothing: it has the colour of what it is drawn on
	gone           // nothing
)

// capital is the height of capitals and digits in ems.
const capital = 0.68

// sightCost is how much longer it takes to look at a glyph through an area than to find that area.
const sightCost = 16

// What share of the page's usual size letters have that are too small to be read, or to be noticed, and how much
// of its longer side at most.
const (
	tooSmall   = 0.12
	hardlySeen = 0.25

	smallOnPaper = 0.006 / fine
	seenOnPaper  = 0.012 / fine
)

// classifyGlyphs parts the glyphs into those that a reader sees, some of them in doubt, and those in the colour
// of what they are drawn on. All others go.
func (in *interpreter) classifyGlyphs() error {
	usual := in.usualSize()
	in.usual = usual
	index := newIndex(in.areas, in.glyphs, in.styles)
	plain := in.sights[:0]
	for i := range in.styles {
		plain = append(plain, in.styles[i].plain())
	}
	in.sights = plain
	defer func() { effort.Add(len(in.styles) + index.steps) }()
	kept := in.glyphs[:0]
	last := &drawn{}               // the glyph before, which kept has not gone past yet
	lastSight, lastKept := gone, 0 // of the last letter, and where it is kept
	for i := range in.glyphs {     // into the same memory
		g := &in.glyphs[i]
		before := index.steps
		l := &in.styles[g.style]
		s, core := plain[g.style], g.core(l)
		if near := index.near(core); len(near) > 0 || !core.inside(l.bounds) || l.clip != nil || l.own != nil {
			if in.budget.sights -= index.steps - before + sightCost*len(near); in.budget.sights < 0 {
				return ErrTooComplex
			}
			if s = in.sight(g, l, near); s == gone && plain[g.style] != gone {
				in.cover(i, l, near)
			}
		}
		switch {
		case l.height < min(tooSmall*usual, smallOnPaper*in.fine):
			continue
		case l.height < min(hardlySeen*usual, seenOnPaper*in.fine) || in.crowded:
			s = max(s, doubtful)
		}
		blank := isBlank(g.text)
		switch follows := g.follows(last, l); {
		case follows && blank: // what stands on both sides of a space was written in one go
		case follows && s == gone && lastSight <= doubtful: // of a text only a part is seen
			kept[lastKept].faint = true
		case follows && s == seen && lastSight == gone:
			s = doubtful
		}
		last = g
		if !blank {
			lastSight, lastKept = s, len(kept)
		}
		switch s {
		case seen, doubtful:
			kept = append(kept, *g)
			kept[len(kept)-1].faint = s == doubtful
		case pale:
			in.pale = append(in.pale, *g)
		}
	}
	in.glyphs = kept
	return nil
}

// cover keeps a glyph that something opaque was laid over.
func (in *interpreter) cover(i int, l *textStyle, near []int32) {
	const (
		dark      = 0.5
		nearlyAll = 0.85
	)
	g := in.glyphs[i]
	p := middle(&g, l)
	if !l.bounds.contains(p) || !l.clip.contains(p) {
		return
	}
	for _, at := range slices.Backward(near) {
		a := &in.areas[at]
		if int(at) < l.under {
			return
		}
		if a.contains(p) {
			over := a.paintAt(p)
			c := covered{drawn: g, area: at, whole: !over.unknown && g.core(l).shareIn(a.box) > nearlyAll} // by no ruling
			c.atOnce = c.whole && in.coveredAtOnce(i, at)                                                  // nothing else asks for it
			c.faint = c.whole && over.colour[1] < dark                                                     // by no paper, no ground of a row
			in.covered = append(in.covered, c)
			return
		}
	}
}

// covered is a glyph under something opaque, faint where a reader may know of it.
type covered struct {
	drawn
	area  int32 // what covers it
	whole bool  // it covers nearly all of the glyph

	atOnce bool // nothing else was drawn before it was covered
}

// coveredAtOnce reports whether an area was painted right after the text of which a glyph is a part.
func (in *interpreter) coveredAtOnce(i int, at int32) bool {
	const longest = 200 // glyphs
	for k := i + 1; k < len(in.glyphs) && k < i+longest; k++ {
		effort.Add(1)
		g := &in.glyphs[k]
		if l := &in.styles[g.style]; l.under > int(at) {
			return true
		} else if !g.core(l).touches(in.areas[at].box) {
			return false
		}
	}
	return i+longest >= len(in.glyphs)
}

// coveredGlyphs gives the glyphs that something opaque was laid over. Those are faint, too, that lie under what was painted
// when the text around was there: paper under a table is its ground, and paper over one hides a part of it by hand.
func (in *interpreter) coveredGlyphs() []drawn {
	const most = 100 // areas: somebody who hides more does not do it by hand
	late := map[int32]lateness{}
	out := make([]drawn, 0, len(in.covered))
	for _, c := range in.covered {
		after, known := late[c.area]
		if !known && c.whole && len(late) < most {
			after = in.paintedLate(c.area, in.styles[c.style].bounds)
			late[c.area] = after
		}
		c.faint = c.faint || c.whole && (after == paintedLast || after == paintedNearlyLast && !c.atOnce)
		out = append(out, c.drawn)
	}
	return out
}

// lateness is how much of the text around an area was drawn after it.
type lateness uint8

const (
	paintedEarly      lateness = iota // more
	paintedNearlyLast                 // little
	paintedLast                       // nothing
)

// paintedLate is the lateness of an area: by the text in the same clip or, where there is none, by all text, for on a
// sheet of several pages the next one is drawn later. It may begin nearby: then the text closest to the area decides.
func (in *interpreter) paintedLate(at int32, clip box) lateness {
	const (
		around = 15 // heights of a letter
		next   = 4
		few    = 0.1 // of the letters
	)
	inClip := func(l *textStyle) bool { return l.bounds == clip }
	near := in.areas[at].box.grow(around * in.usual)
	before, after := in.drawnIn(near, at, inClip)
	if before+after == 0 {
		before, after = in.drawnIn(near, at, func(*textStyle) bool { return true })
	}
	switch {
	case after == 0:
		return paintedLast
	case float64(after) <= few*float64(before):
		return paintedNearlyLast
	}
	if before, after = in.drawnIn(in.areas[at].box.grow(next*in.usual), at, inClip); before > 0 && after == 0 {
		return paintedLast
	}
	return paintedEarly
}

// drawnIn counts the letters of some styles in a box that were drawn before an area and after it.
func (in *interpreter) drawnIn(b box, at int32, of func(*textStyle) bool) (before, after int) {
	effort.Add(len(in.glyphs))
	for i := range in.glyphs {
		g := &in.glyphs[i]
		switch l := &in.styles[g.style]; {
		case !b.contains(g.start) || !of(l):
		case l.under > int(at):
			after++
		default:
			before++
		}
	}
	return before, after
}

// follows reports whether a glyph is drawn right after another.
func (g *drawn) follows(last *drawn, l *textStyle) bool {
	const near = 0.25 // of the height of a capital
	return g.style == last.style && math.Abs(g.start.x-last.end.x)+math.Abs(g.start.y-last.end.y) < near*l.height
}

func isBlank(text string) bool { return text == " " || strings.TrimSpace(text) == "" }

// weight is how much of the text is of one height.
type weight struct {
	height float64
	glyphs int
}

func (w weight) of() float64 { return w.height * float64(w.glyphs) }

// usualSize is the height of the page's letters that most of its text has, a watermark's aside.
func (in *interpreter) usualSize() float64 {
	weights := in.weights[:0]
	for i := range in.styles {
		weights = append(weights, weight{height: in.styles[i].height})
	}
	in.weights = weights
	for _, g := range in.glyphs {
		weights[g.style].glyphs++
	}
	slices.SortFunc(weights, func(a, b weight) int { return cmp.Compare(a.height, b.height) })
	weights = in.withoutMarks(weights)
	total := 0.0
	for _, w := range weights {
		total += w.of()
	}
	for _, w := range weights {
		if total -= 2 * w.of(); total <= 0 {
			return w.height
		}
	}
	return 0
}

// withoutMarks drops what is so large on the paper that it is no text to be read, if it is but a few letters.
func (in *interpreter) withoutMarks(weights []weight) []weight {
	const large = 0.025 / fine // parts of the page's longer side
	marks, others := 0, 0
	end := len(weights)
	for i, w := range weights {
		switch {
		case w.height <= large*in.fine:
			others += w.glyphs
		default:
			end, marks = min(end, i), marks+w.glyphs
		}
	}
	if marks > others {
		return weights
	}
	return weights[:end]
}

// core is the box around the part of a glyph that its ink is most likely in.
func (g *drawn) core(l *textStyle) box {
	b := box{min(g.start.x, g.end.x), min(g.start.y, g.end.y), max(g.start.x, g.end.x), max(g.start.y, g.end.y)}
	b.x0, b.x1 = b.x0+min(l.up.x, 0), b.x1+max(l.up.x, 0)
	b.y0, b.y1 = b.y0+min(l.up.y, 0), b.y1+max(l.up.y, 0)
	return b
}

// plain is the sight of glyphs that lie on bare paper with nothing over them.
func (l *textStyle) plain() sight {
	return l.best(func(p paint) sight {
		s := newSpot()
		s.write(p, l.group)
		return s.sight()
	})
}

// best is the better of what is seen of the filling and of the stroking.
func (l *textStyle) best(of func(paint) sight) sight {
	best := gone
	if l.mode.fills() {
		best = of(l.fill)
	}
	if l.mode.strokes() && best != seen {
		best = min(best, of(l.stroke))
	}
	if l.own != nil {
		best = min(best, of(paint{clear: 1}))
	}
	return best
}

// sight looks at a glyph through what lies over it, at what lies under it.
func (in *interpreter) sight(g *drawn, l *textStyle, near []int32) sight {
	const columns, rows = 3, 7
	if l.clip == nil && g.core(l).inside(l.bounds) && in.coverFully(g.core(l), near) {
		return in.sightAt(middle(g, l), l, near)
	}
	var count [gone + 1]int
	for i := range columns {
		for k := range rows {
			along, high := (float64(i)+0.5)/columns, (float64(k)+0.5)/rows
			p := point{
				g.start.x + along*(g.end.x-g.start.x) + high*l.up.x,
				g.start.y + along*(g.end.y-g.start.y) + high*l.up.y,
			}
			if !l.bounds.contains(p) || !l.clip.contains(p) {
				count[gone]++
				continue
			}
			count[in.sightAt(p, l, near)]++
		}
	}
	return verdict(count)
}

// verdict is the sight of a glyph by that of its parts.
func verdict(count [gone + 1]int) sight {
	const (
		nothing = 0.2 // a glyph of which so little is seen is not
		enough  = 0.5 // and can be read where so much is
	)
	all := float64(count[seen] + count[doubtful] + count[pale] + count[gone])
	switch {
	case float64(count[seen]+count[doubtful]) <= nothing*all:
		if count[pale] > count[gone] {
			return pale
		}
		return gone
	case float64(count[seen]) < enough*all:
		return doubtful
	}
	return seen
}

func middle(g *drawn, l *textStyle) point {
	return point{(g.start.x + g.end.x + l.up.x) / 2, (g.start.y + g.end.y + l.up.y) / 2}
}

// coverFully reports whether all of the areas lie under or over all of a box.
func (in *interpreter) coverFully(b box, areas []int32) bool {
	for _, i := range areas {
		if a := &in.areas[i]; a.shape != nil || a.clip != nil || a.image != nil || !b.inside(a.box) {
			return false
		}
	}
	return true
}

// sightAt is what is seen of a letter at one point, where areas near are ordered as they were painted.
func (in *interpreter) sightAt(p point, l *textStyle, near []int32) sight {
	over := len(near)
	ground := newSpot()
	for i, at := range near {
		if int(at) >= l.under {
			over = i
			break
		}
		if a := &in.areas[at]; a.contains(p) {
			ground.lay(a.paintAt(p))
		}
	}
	return l.best(func(ink paint) sight {
		s := ground
		s.write(ink, l.group)
		for _, at := range near[over:] {
			switch a := &in.areas[at]; {
			case l.own != nil && a.clip.has(l.own) && a.box.contains(p):
				s.write(a.paintAt(p), veil{})
			case a.contains(p):
				s.lay(a.paintAt(p))
			}
		}
		return s.sight()
	})
}

// spot is what shows at one point of the page, of letters and beside them. Each is two colours where
// a gradient leaves open which.
type spot struct {
	letter, ground [2]rgb
	lettered       bool // the letter differs from the ground, or may
	unknown        bool // the colours are not known
	doubt          bool // whether the letter shows is not
	drawnAlike     bool // the letter had the colour of the ground when it was drawn
}

func newSpot() spot { return spot{letter: [2]rgb{white, white}, ground: [2]rgb{white, white}} }

// lay paints an area over the spot.
func (s *spot) lay(p paint) {
	switch {
	case p.sparse || p.masked:
		s.unknown, s.doubt = true, s.doubt || s.lettered
	case p.clear == 0 && p.blend == normal:
		s.letter = [2]rgb{p.colour, p.other}
		s.ground = s.letter
		s.lettered, s.unknown, s.doubt, s.drawnAlike = false, p.unknown, false, false
	case p.unknown || p.blend == luminosity:
		s.unknown, s.doubt = true, s.doubt || s.lettered
	default:
		for i, c := range [2]rgb{p.colour, p.other} {
			s.letter[i] = p.blend.over(s.letter[i], c, p.clear)
			s.ground[i] = p.blend.over(s.ground[i], c, p.clear)
		}
	}
}

// write draws the letter on the ground.
func (s *spot) write(p paint, group veil) {
	clear := 1 - (1-p.clear)*(1-group.clear)
	if clear >= 1 || p.nothing {
		return
	}
	s.lettered = true
	s.doubt = p.unknown || p.sparse || p.masked || group.masked || s.unknown || p.blend == luminosity
	for i, c := range [2]rgb{p.colour, p.other} {
		s.letter[i] = p.blend.over(s.ground[i], c, clear)
	}
	s.drawnAlike = !s.doubt && clear == 0 && s.contrast(math.Max) < unseen
}

// contrast is how much the letter differs from the ground, for the lesser or greater of both colours.
func (s *spot) contrast(choose func(a, b float64) float64) float64 {
	return choose(distance(s.letter[0], s.ground[0]), distance(s.letter[1], s.ground[1]))
}

func (s *spot) sight() sight {
	switch {
	case !s.lettered:
		if s.drawnAlike {
			return pale
		}
		return gone
	case s.doubt:
		return doubtful
	case s.contrast(math.Max) < unseen:
		if s.drawnAlike {
			return pale
		}
		return gone
	case s.contrast(math.Min) < faint:
		return doubtful
	}
	return seen
}
