package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// A table that runs on beyond the edge of its page may say more there than a reader sees: the page was cropped, or
// its size is wrong in the file.

// markCutOff marks text beside an edge of the page that cuts the table as perhaps not all visible. Where a table runs
// on from the lower edge of one page to the upper edge of the next, nothing is cut.
func markCutOff(rows [][]Row, parts []section) {
	cuts := make([]sides, len(parts))
	for i, s := range parts {
		cuts[i] = s.cutOff(rows[i])
	}
	for i, cut := range cuts {
		before := i > 0 && cuts[i-1].below
		after := i+1 < len(cuts) && cuts[i+1].above
		for k, r := range rows[i] {
			for _, c := range r.Cells {
				if n := len(c.Lines); n > 0 {
					c.Lines[0].Faint = c.Lines[0].Faint || k == 0 && cut.above && !before
					c.Lines[n-1].Faint = c.Lines[n-1].Faint || k == len(rows[i])-1 && cut.below && !after
				}
			}
			if cut.left || cut.right {
				filled := slices.DeleteFunc(slices.Clone(r.Cells), func(c Cell) bool { return len(c.Lines) == 0 })
				filled[0].markFaint(cut.left)
				filled[len(filled)-1].markFaint(cut.right)
			}
		}
	}
}

func (c Cell) markFaint(mark bool) {
	for i := range c.Lines {
		c.Lines[i].Faint = c.Lines[i].Faint || mark
	}
}

// sides are the sides of a page.
type sides struct{ left, right, above, below bool }

// cutOff gives the sides at which the edge of the page cuts the rulings of the section. To the left and right only lines
// at the height of its rows count: others may frame the page on a sheet.
func (s section) cutOff(rows []Row) sides {
	const near = 0.5
	top, bottom := heightOf(rows)
	page := s.page
	effort.Add(len(page.Rulings))
	var ends, borders sides // where lines end, and where lines run along the edge
	for _, r := range page.Rulings {
		reached := sides{r.X0 < near, r.X1 > page.Width-near, r.Y0 < near, r.Y1 > page.Height-near}
		// A line along an edge is a border; one that ends at an edge may run on beyond it.
		switch {
		case r.Horizontal() && (reached.above || reached.below):
			borders.above, borders.below = borders.above || reached.above, borders.below || reached.below
		case r.Horizontal() && (r.Y0 < top || r.Y0 > bottom):
		case r.Horizontal():
			ends.left, ends.right = ends.left || reached.left, ends.right || reached.right
		case reached.left || reached.right:
			borders.left, borders.right = borders.left || reached.left, borders.right || reached.right
		default:
			ends.above, ends.below = ends.above || reached.above, ends.below || reached.below
		}
	}
	return sides{
		left: ends.left && !borders.left, right: ends.right && !borders.right,
		above: s.y0 <= 0 && ends.above && !borders.above, below: s.y1 >= page.Height && ends.below && !borders.below,
	}
}

// heightOf gives where rows begin and end, with room for the rulings around them.
func heightOf(rows []Row) (top, bottom float64) {
	const around = 3 // sizes of the text
	top, bottom = math.Inf(1), math.Inf(-1)
	for _, r := range rows {
		for _, c := range r.Cells {
			for _, l := range c.Lines {
				top, bottom = min(top, l.Y-around*l.Size), max(bottom, l.Y+around*l.Size)
			}
		}
	}
	return top, bottom
}
