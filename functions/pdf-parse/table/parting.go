package table

import (
	"slices"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// partsRows reports whether the table's level lines part its rows: they are the rulings of a grid, or one runs
// between nearly all rows, or the only row is above the last of them. A few lines that somebody drew part none.
func (h *header) partsRows(group []section) bool {
	const nearlyAll = 0.75
	between, ruled := 0, 0 // pairs of rows, and those with a line between
	below := false
	for _, s := range group {
		edges := slices.DeleteFunc(s.edges(), func(e edge) bool { return !e.level })
		if slices.ContainsFunc(edges, func(e edge) bool { return e.end }) {
			return true
		}
		words := s.words()
		below = below || len(edges) > 0 && runsOn(words, edges[len(edges)-1].y)
		begins := mostAnchors(newRow(s, words, s.y0, s.y1), h.layout)
		for i := 1; i < len(begins); i++ {
			between++
			at := sort.Search(len(edges), func(k int) bool { return edges[k].y > begins[i-1].Y-begins[i-1].Size/2 })
			if at < len(edges) && edges[at].y < begins[i].Y {
				ruled++
			}
		}
	}
	const few = 4 // lines between rows are the table's own if another ends its last row
	if between < few && below {
		return false
	}
	return float64(ruled) >= nearlyAll*float64(between)
}

// mostAnchors are the anchors of the column that has most.
func mostAnchors(r Row, layout *Layout) []Line {
	var most []Line
	for _, c := range layout.Columns {
		if of := r.anchorsIn(c); len(of) > len(most) {
			most = of
		}
	}
	return most
}

// runsOn reports whether text goes on below a height without a gap.
func runsOn(words []extract.Word, y float64) bool {
	const gap = 2 // ems
	return slices.ContainsFunc(words, func(w extract.Word) bool { return w.Y > y && w.Y < y+gap*w.Size })
}

// parting are the edges between which rows stand.
func (s section) parting() []edge {
	edges := s.edges()
	if !s.unparted {
		return edges
	}
	return slices.DeleteFunc(edges, func(e edge) bool { return !e.end })
}
