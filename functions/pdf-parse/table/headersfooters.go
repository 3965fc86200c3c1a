package table

import (
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"unicode"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// Where running headers and footers stand, in units: so near to the upper or lower edge of the paper, of which
// no more counts than a usual margin around the text.
const (
	nearEdge = 40
	margin   = 20
)

var digits = regexp.MustCompile(`[0-9]+`)

// withoutHeadersFooters drops running headers and footers: what stands near the edge of every page in the same
// place and says the same but for its numbers. Without rulings nothing else parts a footer from the
// row above it. Repeated headings stay.
func withoutHeadersFooters(pages []extract.Page, layouts []Layout) []extract.Page {
	if len(pages) < 2 {
		return pages
	}
	known := vocabulary(layouts)
	top, bottom := edgesOf(pages)
	repeated := slices.DeleteFunc(edgeLines(pages[0], top, bottom), func(l Line) bool { return isHeadings(l.Text, known) })
	for _, page := range pages[1:] {
		here := placesOf(edgeLines(page, top, bottom))
		repeated = slices.DeleteFunc(repeated, func(l Line) bool { return !here.has(l) })
	}
	if len(repeated) == 0 {
		return pages
	}
	heights := make([]float64, len(repeated))
	for i, l := range repeated {
		heights[i] = l.Y
	}
	slices.Sort(heights)
	out := slices.Clone(pages)
	for i, page := range out {
		out[i].Words = slices.DeleteFunc(slices.Clone(page.Words), func(w extract.Word) bool {
			at := sort.SearchFloat64s(heights, w.Y)
			return at < len(heights) && heights[at]-w.Y < 1 || at > 0 && w.Y-heights[at-1] < 1
		})
	}
	return out
}

// places are the lowest and highest baseline of each text, by whole units of height.
type places map[place][2]float64

type place struct {
	text string
	y    float64
}

func placesOf(all []Line) places {
	p := places{}
	for _, l := range all {
		key := place{l.Text, math.Floor(l.Y)}
		ys, ok := p[key]
		if !ok {
			ys = [2]float64{l.Y, l.Y}
		}
		p[key] = [2]float64{min(ys[0], l.Y), max(ys[1], l.Y)}
	}
	return p
}

// has reports whether the same text stands in the same place.
func (p places) has(l Line) bool {
	for y := math.Floor(l.Y) - 1; y <= math.Floor(l.Y)+1; y++ {
		if ys, ok := p[place{l.Text, y}]; ok && (math.Abs(ys[0]-l.Y) < 1 || math.Abs(ys[1]-l.Y) < 1) {
			return true
		}
	}
	return false
}

// edgesOf are the heights above and below which lines are near an edge of the paper.
func edgesOf(pages []extract.Page) (top, bottom float64) {
	top, bottom = math.Inf(1), math.Inf(-1)
	height := 0.0
	for _, page := range pages {
		height = max(height, page.Height)
		for _, w := range page.Words {
			top, bottom = min(top, w.Y-w.Size), max(bottom, w.Y)
		}
	}
	return max(0, top-margin) + nearEdge, min(height, bottom+margin) - nearEdge
}

// isHeadings reports whether a line says little else than headings do.
func isHeadings(line string, known map[string]bool) bool {
	words := strings.Fields(line)
	unknown := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return known[letters(w)] })
	return len(words) > 2 && len(unknown) <= len(words)/3
}

// edgeLines are the lines of a page above the one height or below the other that are set apart from the rest by their size or
// by more than a line's distance, with their numbers masked.
func edgeLines(page extract.Page, top, bottom float64) []Line {
	const (
		apart   = 1.7 // ems
		resized = 0.1 // of the usual size
	)
	all := lines(slices.Clone(page.Words), usualText{})
	if len(all) == 0 {
		return nil
	}
	sizes := make([]float64, len(all))
	for i, l := range all {
		sizes[i] = l.Size
	}
	slices.Sort(sizes)
	usual := sizes[len(sizes)/2]
	var out []Line
	for i, l := range all {
		gap := math.Inf(1)
		switch {
		case l.Y < top && i+1 < len(all):
			gap = all[i+1].Y - l.Y
		case l.Y > bottom && i > 0:
			gap = l.Y - all[i-1].Y
		case l.Y >= top && l.Y <= bottom:
			continue
		}
		if gap < apart*usual && math.Abs(l.Size-usual) <= resized*usual {
			continue
		}
		l.Text = digits.ReplaceAllString(strings.ToLower(l.Text), "0")
		out = append(out, l)
	}
	return out
}

// dropFooters drops page numbers and what stands far below the last line: without rulings nothing else parts them
// from the last row. Lines of several columns go on with the row however far they are; one that begins as its column
// does is no part of a value, but not lost either.
func (r *Row) dropFooters() {
	const far = 3 // ems
	end := math.Inf(-1)
	all, aligned := baselines(r.Cells), sync.OnceValue(r.alignedColumns)
	for _, l := range all {
		if r.isPageNumber(l) || l.Y-end > far*l.Size && !math.IsInf(end, 0) && aligned()[l.Y] < 2 {
			break
		}
		end = l.Y
	}
	var stray []Line
	for _, l := range all {
		if l.Y > end && !r.isPageNumber(l) && aligned()[l.Y] > 0 {
			stray = append(stray, l)
		}
	}
	for i, c := range r.Cells {
		r.Cells[i].Lines = slices.DeleteFunc(c.Lines, func(l Line) bool { return l.Y > end })
	}
	if len(stray) > 0 {
		r.Cells = append(r.Cells, Cell{Lines: stray})
	}
}

func (r Row) isPageNumber(l Line) bool {
	return unicode.IsDigit(rune(l.Text[len(l.Text)-1])) && pageNumber.MatchString(l.Text) && !r.wraps(l)
}

// alignedColumns gives for each baseline in how many columns its text begins as the heading does, or as lines above,
// and goes on with no other column's.
func (r Row) alignedColumns() map[float64]int {
	const apart = 1 // em
	columns, reached := map[float64]int{}, map[float64]float64{}
	for _, c := range r.Cells {
		for i, l := range c.Lines {
			begins := c.Heading != "" && (underHeading(c, l) || i > 0 && (isAligned(c.Lines[0], l) || isAligned(c.Lines[i-1], l)))
			if end, ok := reached[l.Y]; begins && (!ok || l.X0-end > apart*l.Size) {
				columns[l.Y]++
			}
			reached[l.Y] = l.X1
		}
	}
	return columns
}

// wraps reports whether a line goes on with the one above it in its cell: it begins or is centred in the same place,
// no more than a line below.
func (r Row) wraps(l Line) bool {
	const pitch = 1.5 // ems
	for _, c := range r.Cells {
		for i := 1; i < len(c.Lines); i++ {
			above, below := c.Lines[i-1], c.Lines[i]
			if below.Y == l.Y && below.X0 == l.X0 && below.Y-above.Y <= pitch*below.Size && isAligned(above, below) {
				return true
			}
		}
	}
	return false
}

// isAligned reports whether two lines begin or are centred in the same place.
func isAligned(a, b Line) bool {
	return math.Abs(a.X0-b.X0) <= sameOffset || math.Abs(a.X0+a.X1-b.X0-b.X1) <= 2*sameOffset
}
