package table

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// People draw on timetables: they underline, strike through, frame and highlight. A line is the table's own
// only if it belongs to its grid: a level one runs from border to border, an upright one along most of the
// table's height, and through the headings where others do. All other lines say nothing of rows and columns.

// How near to each other lines are taken for one, and their ends for the table's border, in units.
const (
	samePlace = 1.0
	border    = 2.5
)

// frame is how far a table reaches to the left and right; none where no level ruling says it.
type frame struct {
	extent
	ruled bool
}

// ownRulings keeps of each section's rulings those that are the table's own.
func (h *header) ownRulings(group []section) {
	whole := extent{h.labels[0].x0 + 1, h.labels[len(h.labels)-1].x0}
	var first frame
	for i := range group {
		s := &group[i]
		top := s.y0
		if i == 0 {
			top = h.y0
		}
		levels, uprights := bars(s.page.Rulings, top, s.y1)
		levels, uprights = ofTable(levels, uprights)
		fits := func(b bar) bool { return b.from <= whole.x0 && b.to >= whole.x1 }
		if i > 0 && first.ruled { // other margins, but the same table
			fits = func(b bar) bool { return math.Abs(b.length()-first.x1+first.x0) <= 2*border }
		}
		own, f := bordered(levels, uprights, fits)
		if len(own) == 0 && i > 0 {
			own, f = bordered(levels, uprights, func(b bar) bool { return b.length() > 0.6*(whole.x1-whole.x0) })
		}
		if i == 0 {
			first = f
		}
		if i == 0 {
			h.upright = h.parts(uprights)
		}
		if !h.upright {
			uprights = nil
		}
		s.page.Rulings = h.grid(*s, i == 0, own, uprights, f)
	}
}

// parts reports whether upright lines part most of the headings: one or two alone are no columns' sides.
func (h *header) parts(uprights []bar) bool {
	effort.Add(len(h.labels) * len(uprights))
	parted := 0
	for i := range len(h.labels) - 1 {
		left, right := h.labels[i].x0, h.labels[i+1].x0
		if slices.ContainsFunc(uprights, func(b bar) bool { return b.at > left && b.at < right+1 }) {
			parted++
		}
	}
	return 2*parted >= len(h.labels)-1
}

// grid is the rulings of a section, once the level ones of the table are known.
func (h *header) grid(s section, headed bool, own, uprights []bar, f frame) []extract.Ruling {
	var out []extract.Ruling
	for _, b := range own {
		if !s.strikes(b) {
			out = append(out, extract.Ruling{X0: b.from, X1: b.to, Y0: b.at, Y1: b.at})
		}
	}
	height := tableHeight(own, uprights)
	middle := (h.y0 + h.y1) / 2
	heads := func(b bar) bool { return b.from < middle && b.to > middle }
	parted := 0 // columns of the headings
	for _, b := range uprights {
		if headed && heads(b) {
			parted++
		}
	}
	for _, b := range uprights {
		outside := f.ruled && (b.at < f.x0-border || b.at > f.x1+border)
		if !outside && (parted < 3 || heads(b)) && 2*b.covered >= height {
			out = append(out, b.rulings()...)
		}
	}
	return out
}

// tableHeight is from the first level line to the last, without which the longest upright one says it.
func tableHeight(own, uprights []bar) float64 {
	if len(own) > 1 {
		return own[len(own)-1].at - own[0].at
	}
	height := 0.0
	for _, b := range uprights {
		height = max(height, b.length())
	}
	return height
}

// strikes reports whether a level line runs through the text that it touches, as no ruling does.
func (s section) strikes(b bar) bool {
	touched, struck := 0, 0
	for _, w := range wordsBetween(s.page.Words, b.at-10, b.at+20) {
		if w.X1 < b.from || w.X0 > b.to || b.at < w.Y-0.75*w.Size || b.at > w.Y+0.25*w.Size {
			continue
		}
		touched++
		if b.at > w.Y-0.6*w.Size && b.at < w.Y-0.1*w.Size {
			struck++
		}
	}
	return struck > 1 && 2*struck > touched
}

// bordered are the level lines that run from one border of the table to the other, and the borders: those
// that most lines share, and most upright ones end at.
func bordered(levels, uprights []bar, fits func(bar) bool) ([]bar, frame) {
	var ends []float64
	for _, u := range uprights {
		ends = append(ends, u.from, u.to)
	}
	slices.Sort(ends)
	scores := map[[2]int]int{}
	most := 0
	var best bar
	for _, b := range levels {
		if !b.isContinuous() || !fits(b) {
			continue
		}
		key := [2]int{int(math.Round(b.from / border)), int(math.Round(b.to / border))}
		scores[key] += 1 + count(ends, b.at-border, b.at+border)
		if n := scores[key]; n > most || n == most && b.length() < best.length() {
			best, most = b, n
		}
	}
	if most == 0 {
		return nil, frame{}
	}
	var own []bar
	f := frame{extent{best.from, best.to}, true}
	for _, b := range levels {
		if b.isContinuous() && math.Abs(b.from-best.from) <= border && math.Abs(b.to-best.to) <= border {
			own = append(own, b)
			f.x0, f.x1 = min(f.x0, b.from), max(f.x1, b.to)
		}
	}
	return own, f
}

// count is how many of the sorted values lie in a range.
func count(values []float64, from, to float64) int {
	return max(0, sort.SearchFloat64s(values, to)-sort.SearchFloat64s(values, from))
}

// bar is a straight line, level or upright, of one or more pieces.
type bar struct {
	at       float64 // its height, or its place from left to right
	from, to float64
	covered  float64 // by its pieces
	parts    []extent
	stroke   stroke // of its longest piece
}

func (b bar) length() float64 { return b.to - b.from }

// isContinuous reports whether the pieces leave no large gaps.
func (b bar) isContinuous() bool { return b.covered >= 0.6*b.length() }

// rulings are an upright bar's pieces, but for those that lie within another.
func (b bar) rulings() []extract.Ruling {
	var out []extract.Ruling
	for _, p := range b.parts {
		if n := len(out); n > 0 && p.x1 <= out[n-1].Y1 {
			continue
		}
		out = append(out, extract.Ruling{X0: b.at, X1: b.at, Y0: p.x0, Y1: p.x1})
	}
	return out
}

// bars are the rulings between two heights, pieces on one line joined.
func bars(rulings []extract.Ruling, y0, y1 float64) (levels, uprights []bar) {
	effort.Add(len(rulings))
	for _, r := range rulings {
		switch {
		case r.Horizontal() && r.Y0 >= y0-30 && r.Y0 <= y1:
			levels = append(levels, bar{at: r.Y0, from: r.X0, to: r.X1, stroke: strokeOf(r)})
		case !r.Horizontal() && min(r.Y1, y1)-max(r.Y0, y0) > 6:
			uprights = append(uprights, bar{at: r.X0, from: r.Y0, to: r.Y1, stroke: strokeOf(r)})
		}
	}
	return joined(levels), joined(uprights)
}

// joined puts bars in one place together.
func joined(bars []bar) []bar {
	slices.SortFunc(bars, func(a, b bar) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.from, b.from)) })
	var out []bar
	for start := 0; start < len(bars); {
		end := start + 1
		for end < len(bars) && bars[end].at-bars[start].at <= samePlace {
			end++
		}
		out = append(out, joinedBar(bars[start:end]))
		start = end
	}
	return out
}

func joinedBar(pieces []bar) bar {
	slices.SortFunc(pieces, func(a, b bar) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) })
	whole := pieces[0]
	end, longest := math.Inf(-1), 0.0
	for _, p := range pieces {
		whole.covered += max(0, p.to-max(p.from, end))
		end = max(end, p.to)
		if p.length() > longest {
			longest, whole.at, whole.stroke = p.length(), p.at, p.stroke
		}
		whole.parts = append(whole.parts, extent{p.from, p.to})
	}
	whole.to = end
	return whole
}
