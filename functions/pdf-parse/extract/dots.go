package extract

import (
	"cmp"
	"slices"
)

// dot is a filled shape about as high as it is wide, in page space: dotted borders are made of them.
type dot struct {
	at   point // its middle
	size float64

	colour Colour
}

// What a dotted line is. Browsers space dots by their own size, stretched so that they fill the line.
const (
	largestDot = 3.0 // units
	dotAspect  = 1.5 // the longer side to the shorter one
	dotPitch   = 3.5 // sizes from one dot's middle to the next one's, at most
	fewestDots = 4   // fewer are ornaments, or the dots of letters drawn as shapes
)

// isDot reports whether a shape of that width and height may be a dot, if it is small enough.
func isDot(w, h float64) bool {
	longer := max(w, h)
	return longer > 0 && longer <= dotAspect*min(w, h)
}

// linesOfDots are the level and the upright lines that dots form on the shown page. A dot may be part of
// one of each.
func linesOfDots(v view, dots []dot) (level, upright []Ruling) {
	unit := v.m.scale()
	shown := make([]dot, 0, len(dots))
	for _, d := range dots {
		if size := d.size * unit; size <= largestDot {
			shown = append(shown, dot{v.m.apply(d.at.x, d.at.y), size, d.colour})
		}
	}
	level = dottedLevel(shown)
	for i, d := range shown {
		shown[i].at = point{d.at.y, d.at.x}
	}
	return level, transpose(dottedLevel(shown))
}

// dottedLevel finds the level lines among dots, and sorts these.
func dottedLevel(dots []dot) []Ruling {
	slices.SortFunc(dots, func(a, b dot) int { return cmp.Or(cmp.Compare(a.at.y, b.at.y), cmp.Compare(a.at.x, b.at.x)) })
	var out []Ruling
	for start := 0; start < len(dots); {
		end := start + 1
		for end < len(dots) && sameRow(dots[start], dots[end-1], dots[end]) {
			end++
		}
		out = append(out, dotRuns(dots[start:end])...)
		start = end
	}
	return out
}

// sameRow reports whether d continues a row of dots: the next dot of an upright line does not.
func sameRow(first, last, d dot) bool {
	const near = 0.3 // of a dot's size: rounding
	return d.at.y-last.at.y <= near*d.size && d.at.y-first.at.y <= d.size
}

// dotRuns are the lines that the dots of one row form.
func dotRuns(row []dot) []Ruling {
	slices.SortFunc(row, func(a, b dot) int { return cmp.Compare(a.at.x, b.at.x) })
	var out []Ruling
	for start := 0; start < len(row); {
		end := start + 1
		for end < len(row) && row[end].at.x-row[end-1].at.x <= dotPitch*min(row[end-1].size, row[end].size) {
			end++
		}
		first, last := row[start], row[end-1]
		if end-start >= fewestDots {
			out = append(out, Ruling{first.at.x - first.size/2, first.at.y, last.at.x + last.size/2, first.at.y, first.size, first.colour})
		}
		start = end
	}
	return out
}
