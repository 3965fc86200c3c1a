package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// addCovered adds text under something opaque to a row, as text that no column claims and that may not be visible:
// a part of the table was blacked out or painted over. Text that was covered before the table was drawn says nothing.
func (s section) addCovered(row *Row) {
	const most = 100 // words: more is not hidden by hand
	var hidden []extract.Word
	words := wordsBetween(s.page.Covered, row.Y0, row.Y1)
	for _, w := range words[:min(len(words), most)] {
		if column(s.columns, w) >= 0 && !s.again(w) && w.Faint {
			hidden = append(hidden, w)
		}
	}
	if len(hidden) > 0 {
		row.Cells = append(row.Cells, Cell{Lines: lines(hidden, usualText{})})
	}
}

// again reports whether the same is seen in the same place.
func (s section) again(w extract.Word) bool {
	return slices.ContainsFunc(wordsBetween(s.page.Words, w.Y-w.Size/2, w.Y+w.Size/2), func(v extract.Word) bool {
		return v.Text == w.Text && math.Abs(v.X0-w.X0) < w.Size/2
	})
}

// uncovered is pages as they were before text was painted over.
func uncovered(pages []extract.Page) []extract.Page {
	out := slices.Clone(pages)
	for i, page := range out {
		if hasPaintedOver(page) {
			hidden := slices.DeleteFunc(slices.Clone(page.Covered), func(w extract.Word) bool { return !w.Faint })
			out[i].Words = slices.Concat(page.Words, hidden)
		}
	}
	return out
}

// hasPaintedOver reports whether text of the page was painted over, and not before the page was drawn.
func hasPaintedOver(page extract.Page) bool {
	return slices.ContainsFunc(page.Covered, func(w extract.Word) bool { return w.Faint })
}
