package table

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// rows reads a section from top to bottom. What stands above the first and below the last ruling
// belongs to the table only where it is open there, or where it plainly is a row. It is not whole where another row
// stands beside the table.
func (s section) rows(layout *Layout) (rows []Row, whole bool) {
	words, edges := s.words(), s.parting()
	bounds := append(append([]edge{{y: s.y0}}, edges...), edge{y: s.y1})
	whole = true
	for i := 1; i < len(bounds); i++ {
		top, bottom := bounds[i-1], bounds[i]
		here := wordsBetween(words, top.y, bottom.y)
		band := newRow(s, here, top.y, bottom.y)
		s.addPale(&band, rows, layout)
		s.addNotes(&band)
		s.addCovered(&band)
		band.Ruled = top.level && bottom.level
		inside := i > 1 && i < len(bounds)-1
		open := i == 1 && s.openAbove(edges) || i == 2 && s.openBelow(edges)
		if inside || open || band.anchored(layout) {
			begun := top.level && i > 2 // rulings part rows here, and the one above begins another
			rows = append(rows, band.split(layout, begun)...)
			here = band.beside
		} else if crossed := s.crossed(here, top); len(crossed) > 0 && len(rows) > 0 {
			rows = append(rows, band.with([]Cell{{Lines: lines(crossed, usualText{})}}))
		}
		whole = whole && !layout.holdsRow(here)
	}
	return slices.DeleteFunc(s.withStrayBeside(rows), Row.empty), whole
}

// crossed are the words of the table through which the edge above them runs, a level ruling or where the upright ones
// end: they may belong to the row above it.
func (s section) crossed(words []extract.Word, top edge) []extract.Word {
	const above = 0.5 // ems from the baseline: less than a capital is high
	return slices.DeleteFunc(slices.Clone(words), func(w extract.Word) bool {
		return !top.level && !top.end || w.Y-above*w.Size > top.y || column(s.columns, w) < 0
	})
}

// openAbove reports whether the section's first text may be rows without an anchor: below a header it
// is; at the top of a page it is where nothing is ruled, and the rest of a row from the page before
// where only level rulings part rows.
func (s section) openAbove(edges []edge) bool {
	switch {
	case s.headed:
		return true
	case s.beforeHeader:
		return false
	}
	return len(edges) == 0 || !s.upright()
}

// openBelow reports whether the only ruling underlines the headings: rows follow it.
func (s section) openBelow(edges []edge) bool { return s.headed && len(edges) == 1 && !s.upright() }

// upright reports whether rulings part the columns.
func (s section) upright() bool {
	return slices.ContainsFunc(s.columns, func(c span) bool { return c.ruled })
}

// edge is a height at which something of the table begins or ends.
type edge struct {
	y     float64
	level bool // a ruling runs there; else the upright ones only begin or end
	end   bool // upright ones begin or end there
}

// edges are the level rulings that part rows, and the ends of the upright ones.
func (s section) edges() []edge {
	first := s.columns[slices.IndexFunc(s.columns, func(c span) bool { return c.column != "" })]
	left, right := first.left, first.right
	if math.IsInf(left, 0) {
		left = first.x0
	}
	if math.IsInf(right, 0) {
		right = first.x1
	}
	var all []edge
	effort.Add(len(s.page.Rulings))
	for _, r := range s.page.Rulings {
		switch {
		case r.Horizontal() && min(r.X1, right)-max(r.X0, left) > 0.6*(right-left):
			all = append(all, edge{y: r.Y0, level: true})
		case !r.Horizontal() && slices.ContainsFunc(s.columns, func(c span) bool { return c.ruled && math.Abs(c.right-r.X0) < 2 }):
			all = append(all, edge{y: r.Y0, end: true}, edge{y: r.Y1, end: true})
		}
	}
	all = slices.DeleteFunc(all, func(e edge) bool { return e.y < s.y0-3 || e.y > s.y1 })
	slices.SortFunc(all, func(a, b edge) int { return cmp.Compare(a.y, b.y) })
	var edges []edge
	begun := 0.0
	for _, e := range all {
		if n := len(edges); n > 0 && e.y-begun < 4 {
			// Of lines so near to each other the lowest counts: text stands nearer to the ruling below it.
			edges[n-1] = edge{e.y, edges[n-1].level || e.level, edges[n-1].end || e.end}
			continue
		}
		edges, begun = append(edges, e), e.y
	}
	return edges
}

func newRow(s section, words []extract.Word, y0, y1 float64) Row {
	row := Row{Page: s.page.Number, Y0: y0, Y1: y1}
	cells := make([][]extract.Word, len(s.columns))
	few := make([]extract.Word, 4*len(cells)) // one allocation for as many words in each cell as most have
	for i := range cells {
		cells[i] = few[4*i : 4*i : 4*i+4]
	}
	var foreign, beside []extract.Word
	for _, w := range words {
		switch i := column(s.columns, w); {
		case i < 0 && s.besideTable(w):
			beside = append(beside, w)
		case i < 0, s.usual.origin(&w) == added:
			foreign = append(foreign, w)
		default:
			if pale := s.layout.pale(s.columns[i].column); pale != nil && pale(w.Text) {
				w.Colour = s.usual.colour() // a highlight shows what is printed in the colour of the paper
			}
			cells[i] = append(cells[i], w)
		}
	}
	row.Cells = make([]Cell, 0, len(s.columns)+1)
	for i, c := range s.columns {
		row.Cells = append(row.Cells, Cell{
			Column: c.column, Heading: c.text, X0: c.left, X1: c.right, Ruled: c.ruled, RuledLeft: i > 0 && s.columns[i-1].ruled || i == 0 && !math.IsInf(c.left, 0),
			Unsure: c.unsure(), Lines: lines(cells[i], s.usual), head: extent{c.x0, c.x1},
		})
	}
	row.markRunOver()
	if row.beside = beside; s.layout.beginsRow(beside) {
		foreign = append(foreign, beside...)
	}
	if len(foreign) > 0 {
		row.Cells = append(row.Cells, Cell{Lines: lines(foreign, usualText{})})
	}
	return row
}

// lines joins words on one baseline.
func lines(words []extract.Word, usual usualText) []Line {
	readingOrder(words)
	effort.Add(len(words))
	out := make([]Line, 0, len(words))
	begin := 0 // of the line's words
	for i := range words {
		w := &words[i]
		odd := usual.origin(w) != own || w.Loose && !usual.loose
		if n := len(out); n > 0 && math.Abs(out[n-1].Y-w.Y) <= sameBaseline*w.Size {
			l := &out[n-1]
			l.Unsure = l.Unsure || w.Unsure
			l.X1 = max(l.X1, w.X1)
			l.Size = max(l.Size, w.Size)
			l.Faint, l.Odd = l.Faint || w.Faint, l.Odd || odd
		} else {
			out = append(out, Line{Unsure: w.Unsure, X0: w.X0, X1: w.X1, Y: w.Y, Size: w.Size, First: w.X1 - w.X0, Faint: w.Faint, Odd: odd})
			begin = i
		}
		if i+1 == len(words) || math.Abs(out[len(out)-1].Y-words[i+1].Y) > sameBaseline*words[i+1].Size {
			out[len(out)-1].Text = textOf(words[begin : i+1])
		}
	}
	return out
}

func (r Row) empty() bool {
	return !slices.ContainsFunc(r.Cells, func(c Cell) bool { return len(c.Lines) > 0 })
}

// anchored reports whether some line of the row is one that only a table's row has.
func (r Row) anchored(layout *Layout) bool {
	_, most := r.anchors(layout)
	return most > 0
}

// anchors are the lines that begin a row, from top to bottom, and how many the column has that has
// most: between rulings the cells of one row may each stand on a height of their own.
func (r Row) anchors(layout *Layout) (found []Line, most int) {
	for _, c := range layout.Columns {
		of := r.anchorsIn(c)
		found, most = append(found, of...), max(most, len(of))
	}
	slices.SortFunc(found, func(a, b Line) int { return cmp.Compare(a.Y, b.Y) })
	return slices.CompactFunc(found, func(a, b Line) bool { return math.Abs(b.Y-a.Y) < sameBaseline*b.Size }), most
}

// anchorsIn are the lines of one column that begin a row.
func (r Row) anchorsIn(c Column) []Line {
	if c.Anchor == nil {
		return nil
	}
	var found []Line
	lines := r.Cell(c.Name).Lines
	for i, l := range lines {
		wrapped := i+1 < len(lines) && lines[i+1].Y-l.Y < 2*l.Size && c.Anchor(Join(l.Text, lines[i+1].Text))
		if c.Anchor(l.Text) || wrapped {
			found = append(found, l)
		}
	}
	return found
}

// split parts what several rows say without a ruling between them. What stands before the first
// anchor is a row of its own, the rest of one that began on the page before, unless a ruling begins
// the row: its other cells may only stand higher.
func (r Row) split(layout *Layout, begun bool) []Row {
	anchors, most := r.anchors(layout)
	if r.Ruled && most < 2 {
		return []Row{r}
	}
	tops := []float64{r.Y0}
	if begun && len(anchors) > 0 {
		anchors = anchors[1:]
	}
	for _, a := range anchors {
		tops = append(tops, max(tops[len(tops)-1], a.Y-0.75*a.Size))
	}
	tops = append(tops, max(tops[len(tops)-1], r.Y1))
	rows := r.parts(tops)
	for i := range rows {
		if !r.Ruled {
			rows[i].dropFooters()
		}
	}
	return rows
}

// parts are the parts of the row whose baselines lie between two heights each.
func (r Row) parts(tops []float64) []Row {
	rows := make([]Row, len(tops)-1)
	for i := range rows {
		rows[i] = r
		rows[i].Y0, rows[i].Y1 = tops[i], tops[i+1]
		rows[i].Cells = slices.Clone(r.Cells)
		for k := range rows[i].Cells {
			rows[i].Cells[k].Lines = nil
		}
	}
	effort.Add(len(tops))
	for k, c := range r.Cells {
		effort.Add(len(c.Lines))
		for _, l := range c.Lines {
			// The first height that is not above the line ends its part.
			if end := sort.SearchFloat64s(tops, l.Y); end > 0 && end < len(tops) {
				cell := &rows[end-1].Cells[k]
				cell.Lines = append(cell.Lines, l)
			}
		}
	}
	return rows
}

// baselines are the lines of all cells from top to bottom, those on exactly one baseline as one.
func baselines(cells []Cell) []Line {
	var all []Line
	effort.Add(len(cells))
	for _, c := range cells {
		all = append(all, c.Lines...)
	}
	slices.SortStableFunc(all, func(a, b Line) int { return cmp.Compare(a.Y, b.Y) })
	var out []Line
	var text []byte
	for i, l := range all {
		if n := len(out); n > 0 && out[n-1].Y == l.Y {
			text = append(append(text, ' '), l.Text...)
			out[n-1].Size = max(out[n-1].Size, l.Size)
		} else {
			out, text = append(out, l), append(text[:0], l.Text...)
		}
		if i+1 == len(all) || all[i+1].Y != l.Y {
			out[len(out)-1].Text = string(text)
		}
	}
	return out
}
