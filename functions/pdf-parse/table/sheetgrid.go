package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// grid is how pages lie on a sheet: in so many columns and rows of equal size.
type grid struct{ columns, rows int }

// grids are those in which programs put pages, the finest first: what is parted by a fine grid is parted
// by a coarse one too.
var grids = []grid{
	{4, 4}, {3, 3}, {4, 2}, {2, 4}, {3, 2}, {2, 3}, {2, 2}, {4, 1}, {1, 4}, {3, 1}, {1, 3}, {2, 1}, {1, 2},
}

// gridPlaces finds the places of pages that nothing was clipped to. It reports whether there are several
// on some sheet.
func gridPlaces(sheets []extract.Page, layouts []Layout, places [][]extract.Box) bool {
	for _, g := range grids {
		for _, s := range sheets {
			if !g.decides(s, layouts) {
				continue
			}
			if g.numberedAsPages(sheets) {
				return false
			}
			for i, other := range sheets {
				if places[i] = nil; g.fits(other) && other.Width == s.Width {
					places[i] = g.filled(other)
				}
			}
			return true
		}
	}
	return false
}

// numberedAsPages reports whether the sheets bear the numbers of pages, one by one, and none of their parts bears
// another: then each sheet is one page.
func (g grid) numberedAsPages(sheets []extract.Page) bool {
	numbered := false
	for i, s := range sheets {
		parts := cutOut(s, g.filled(s))
		for _, page := range append([]placed{asPlaced(s)}, parts...) {
			n := number(page.page)
			if n > 0 && n != i+1 {
				return false
			}
			numbered = numbered || n > 0
		}
	}
	return numbered
}

// cell is the place of the page in a column and a row.
func (g grid) cell(s extract.Page, column, row int) extract.Box {
	w, h := s.Width/float64(g.columns), s.Height/float64(g.rows)
	return extract.Box{X0: float64(column) * w, Y0: float64(row) * h, X1: float64(column+1) * w, Y1: float64(row+1) * h}
}

// filled are the cells in which there is text.
func (g grid) filled(s extract.Page) []extract.Box {
	var out []extract.Box
	for row := range g.rows {
		for column := range g.columns {
			if cell := g.cell(s, column, row); slices.ContainsFunc(s.Words, within(cell)) {
				out = append(out, cell)
			}
		}
	}
	return out
}

// fits reports whether no text, no ruling and no place that was drawn in crosses from one cell into another, but for
// those around pages, which meet: all text lies to one side of these. A place that ends where all that is drawn ends is
// what the whole sheet was clipped to.
func (g grid) fits(s extract.Page) bool {
	if slices.ContainsFunc(s.Frames, func(f extract.Box) bool { return g.cuts(s, f) && !aroundInk(s, f) }) {
		return false
	}
	for i := 1; i < g.columns; i++ {
		x := s.Width * float64(i) / float64(g.columns)
		if slices.ContainsFunc(s.Words, func(w extract.Word) bool { return w.X0 < x && w.X1 > x }) {
			return false
		}
		for _, r := range s.Rulings {
			if r.X0 < x-3 && r.X1 > x+3 && g.inText(s, r) {
				return false
			}
		}
	}
	for i := 1; i < g.rows; i++ {
		y := s.Height * float64(i) / float64(g.rows)
		if slices.ContainsFunc(s.Words, func(w extract.Word) bool { return w.Y-2*w.Size < y && w.Y+w.Size > y }) {
			return false
		}
		for _, r := range s.Rulings {
			if r.Y0 < y-3 && r.Y1 > y+3 && g.inText(s, r) {
				return false
			}
		}
	}
	return true
}

// cuts reports whether a box that is no more than a part of the sheet lies in several cells.
func (g grid) cuts(s extract.Page, b extract.Box) bool {
	const part, near = 0.6, 3
	w, h := s.Width/float64(g.columns), s.Height/float64(g.rows)
	several := math.Floor((b.X0+near)/w) < math.Floor((b.X1-near)/w) || math.Floor((b.Y0+near)/h) < math.Floor((b.Y1-near)/h)
	return several && area(b) < part*s.Width*s.Height
}

// aroundInk reports whether a box ends on each side where all text and rulings of the sheet end: nothing is outside it, and
// it has no margin, narrow as that of a page may be.
func aroundInk(s extract.Page, b extract.Box) bool {
	const (
		near            = 2         // units, for programs round outwards
		small, capital  = 0.45, 0.8 // ems that the first line may reach above its baseline
		level, descends = 0, 0.3    // ems that the last one may reach below
	)
	least, most := inkBox(s, small, level), inkBox(s, capital, descends)
	return containsBox(grown(b, near), least) && containsBox(grown(most, near), b)
}

// inkBox is the box around all rulings of a sheet and all text, which reaches so many ems above and below its baselines.
func inkBox(s extract.Page, above, below float64) extract.Box {
	ink := extract.Box{X0: math.Inf(1), Y0: math.Inf(1), X1: math.Inf(-1), Y1: math.Inf(-1)}
	add := func(b extract.Box) {
		ink = extract.Box{X0: min(ink.X0, b.X0), Y0: min(ink.Y0, b.Y0), X1: max(ink.X1, b.X1), Y1: max(ink.Y1, b.Y1)}
	}
	for _, w := range s.Words {
		add(extract.Box{X0: w.X0, Y0: w.Y - above*w.Size, X1: w.X1, Y1: w.Y + below*w.Size})
	}
	for _, r := range s.Rulings {
		add(extract.Box{X0: r.X0, Y0: r.Y0, X1: r.X1, Y1: r.Y1})
	}
	return ink
}

func grown(b extract.Box, by float64) extract.Box {
	return extract.Box{X0: b.X0 - by, Y0: b.Y0 - by, X1: b.X1 + by, Y1: b.Y1 + by}
}

// inText reports whether a ruling has text on both of its sides within a row, or column, of the grid.
func (g grid) inText(s extract.Page, r extract.Ruling) bool {
	line, size := r.X0, s.Width/float64(g.columns)
	if r.Horizontal() {
		line, size = r.Y0, s.Height/float64(g.rows)
	}
	from := math.Floor(line/size) * size
	before, after := false, false
	for _, w := range s.Words {
		at := (w.X0 + w.X1) / 2
		if r.Horizontal() {
			at = w.Y - w.Size/4
		}
		if at >= from && at < from+size {
			before, after = before || at < line, after || at > line
		}
		if before && after {
			return true
		}
	}
	return false
}

// decides reports whether a sheet shows that its pages lie in this grid: one page has all headings of a
// table, and each other one has them too, or goes on in the same columns.
func (g grid) decides(s extract.Page, layouts []Layout) bool {
	if !g.fits(s) {
		return false
	}
	places := g.filled(s)
	if len(places) < 2 {
		return false
	}
	var pages []extract.Page
	for _, p := range cutOut(topDown([]extract.Page{s})[0], places) {
		pages = append(pages, p.page)
	}
	headers := make([][]header, len(pages))
	first := -1
	for i, p := range pages {
		if headers[i], _ = findHeaders(p, layouts); len(headers[i]) > 0 && first < 0 {
			first = i
		}
	}
	if first < 0 {
		return false
	}
	for i, p := range pages {
		switch {
		case i == first:
		case len(headers[i]) > 0:
			if g.columns == 1 && !pageLike(pages[first], p) {
				return false
			}
		case !follows(pages[first], headers[first][0], p), lacksMargin(p, pages[first]):
			return false
		}
	}
	return true
}

// lacksMargin reports whether a part of a sheet begins at its upper edge, as no page does, least of all where another
// does not: it is the lower half of a page.
func lacksMargin(part, page extract.Page) bool {
	const narrow, wider = 30, 3 // units, times
	margin := textBox(part.Words).Y0
	return margin < narrow && textBox(page.Words).Y0 > wider*margin
}

// pageLike reports whether two parts of a sheet, one below the other, each with headings, begin alike, as
// pages do and two tables on one page do not: their first or last lines say the same, in the same place.
func pageLike(a, b extract.Page) bool {
	upper, lower := lines(slices.Clone(a.Words), usualText{}), lines(slices.Clone(b.Words), usualText{})
	same := func(l, m Line) bool {
		return math.Abs(l.Y-m.Y) < 0.3*l.Size && digits.ReplaceAllString(l.Text, "0") == digits.ReplaceAllString(m.Text, "0")
	}
	return same(upper[0], lower[0]) || same(upper[len(upper)-1], lower[len(lower)-1])
}

// follows reports whether a page without headings goes on in the columns of one with them: their upright
// rulings are in the same places, or what begins rows stands under the same headings, or nearly all text
// begins where a heading does.
func follows(page extract.Page, h header, rest extract.Page) bool {
	const near = 2
	here, there := uprights(page.Rulings, 0, page.Height), uprights(rest.Rulings, 0, rest.Height)
	if len(here) > 3 || len(there) > 3 {
		return matching(here, there, near) && matching(there, here, near)
	}
	texts := phrases([]section{{page: rest, y0: math.Inf(-1), y1: rest.Height}})
	if len(texts) == 1 {
		return h.endsOn(page, rest, near)
	}
	begins, inFirst := 0, 0
	for _, p := range texts {
		switch slices.IndexFunc(h.labels, func(l label) bool { return math.Abs(l.x0-p.x0) < near }) {
		case -1:
		case 0:
			inFirst++
			fallthrough
		default:
			begins++
		}
	}
	// A page that says nothing but what stands in the first column is a column of the one beside it.
	return len(texts) > 1 && inFirst < len(texts) && 10*begins >= 7*len(texts)
}

// endsOn reports whether the one text of a page without headings is the end of a row that began on the page with
// them: it stands as high as pages begin, below a heading that is not the first, and looks like other text there.
func (h header) endsOn(page, rest extract.Page, near float64) bool {
	text := rest.Words[0]
	inColumn := func(x float64) bool { return math.Abs(x-text.X0) < near }
	if text.Y > h.y1+2*text.Size || !slices.ContainsFunc(h.labels[1:], func(l label) bool { return inColumn(l.x0) }) {
		return false
	}
	return slices.ContainsFunc(page.Words, func(w extract.Word) bool {
		return w.Y > h.y1 && inColumn(w.X0) && math.Abs(w.Size-text.Size) < 0.05*text.Size && w.Colour.Near(text.Colour)
	})
}

// matching reports whether nearly all of some places are among others.
func matching(xs, others []float64, near float64) bool {
	n := 0
	for _, x := range xs {
		if slices.ContainsFunc(others, func(o float64) bool { return math.Abs(o-x) < near }) {
			n++
		}
	}
	return 10*n >= 8*len(xs)
}

// framed is a page without what lies outside the line around it: the level and the upright ruling from one
// corner that hold all of its text and that no other ruling touches, for then it is a table's border.
func framed(page extract.Page) extract.Page {
	text := textBox(uncovered([]extract.Page{page})[0].Words)
	const near = 2
	for _, top := range page.Rulings {
		if !top.Horizontal() || top.Y0 > text.Y0 || top.X0 > text.X0 || top.X1 < text.X1 {
			continue
		}
		for _, left := range page.Rulings {
			frame := extract.Box{X0: left.X0, Y0: top.Y0, X1: page.Width - left.X0, Y1: left.Y1}
			if !left.Horizontal() && math.Abs(left.Y0-top.Y0) < near && containsBox(frame, text) && !touched(page, frame) {
				return crop(page, frame)
			}
		}
	}
	return page
}

func textBox(words []extract.Word) extract.Box {
	return inkBox(extract.Page{Words: words}, 1, 0)
}

// touched reports whether rulings inside a box end at its sides.
func touched(page extract.Page, b extract.Box) bool {
	const near = 2
	return slices.ContainsFunc(page.Rulings, func(r extract.Ruling) bool {
		if r.Horizontal() {
			return r.Y0 > b.Y0+near && r.Y0 < b.Y1-near && math.Abs(r.X0-b.X0) < near
		}
		return r.X0 > b.X0+near && r.X0 < b.X1-near && math.Abs(r.Y0-b.Y0) < near
	})
}
