package extract

import (
	"cmp"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// Tolerances in units: producers round borders of neighbouring cells apart, and dashes leave gaps.
const (
	sameLine = 1.0
	sameGap  = 3.0
	shortest = 4.0 // anything shorter is a corner or an ornament

	thickest = 5.0 // wider ink is a background
	slanted  = 0.5 // how far the ends of a level line may differ

	longestDash = 12.0 // a gap between two dashes is at most as long as they are
)

// rulings are the segments as lines of the shown page, collinear pieces joined, and so are dots.
func rulings(v view, segments []segment, dots []dot) []Ruling {
	level, upright := linesOfDots(v, dots)
	unit := v.m.scale()
	for _, s := range segments {
		if s.width*unit > thickest || s.slant*unit > slanted {
			continue
		}
		a, b := v.m.apply(s.a.x, s.a.y), v.m.apply(s.b.x, s.b.y)
		r := boxOf([]point{a, b}).intersect(v.paper().grow(s.width * unit))
		if r.empty() {
			continue
		}
		if r.x1-r.x0 >= r.y1-r.y0 {
			y := (r.y0 + r.y1) / 2
			level = append(level, Ruling{r.x0, y, r.x1, y, s.width * unit, s.colour})
		} else {
			x := (r.x0 + r.x1) / 2
			upright = append(upright, Ruling{x, r.y0, x, r.y1, s.width * unit, s.colour})
		}
	}
	return append(joinLevel(level), transpose(joinLevel(transpose(upright)))...)
}

func transpose(lines []Ruling) []Ruling {
	for i, r := range lines {
		lines[i].X0, lines[i].Y0, lines[i].X1, lines[i].Y1 = r.Y0, r.X0, r.Y1, r.X1
	}
	return lines
}

// joinLevel joins horizontal rulings on nearly the same height that touch or overlap.
func joinLevel(lines []Ruling) []Ruling {
	slices.SortFunc(lines, func(a, b Ruling) int { return cmp.Or(cmp.Compare(a.Y0, b.Y0), cmp.Compare(a.X0, b.X0)) })
	var out []Ruling
	for start := 0; start < len(lines); {
		end := start + 1
		for end < len(lines) && lines[end].Y0-lines[start].Y0 <= sameLine {
			end++
		}
		out = append(out, joinPieces(lines[start:end])...)
		start = end
	}
	return out
}

// joinPieces joins pieces of one line; it takes the height of the longest piece.
func joinPieces(pieces []Ruling) []Ruling {
	effort.Add(len(pieces))
	slices.SortFunc(pieces, func(a, b Ruling) int { return cmp.Compare(a.X0, b.X0) })
	var out []Ruling
	longest := 0.0
	for i, p := range pieces {
		n := len(out)
		if n == 0 || p.X0-out[n-1].X1 > sameGap && !dashes(pieces[i-1], p) {
			out = append(out, p)
			longest = p.X1 - p.X0
			continue
		}
		last := &out[n-1]
		if p.X1-p.X0 > longest {
			longest = p.X1 - p.X0
			last.Y0, last.Y1, last.Thick, last.Colour = p.Y0, p.Y0, p.Thick, p.Colour
		}
		last.X1 = max(last.X1, p.X1)
	}
	return slices.DeleteFunc(out, func(r Ruling) bool { return r.X1-r.X0 < shortest })
}

// dashes reports whether b follows a as dashes of one line follow each other.
func dashes(a, b Ruling) bool {
	shorter, longer := min(a.X1-a.X0, b.X1-b.X0), max(a.X1-a.X0, b.X1-b.X0)
	return longer <= longestDash && b.X0-a.X1 <= shorter
}
