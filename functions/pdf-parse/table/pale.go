package table

import (
	"math"
	"slices"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// addPale adds text in the colour of the paper to the lines of the columns that expect it: the
// university's producer prints half of a column so. It goes on with a line, one space after it. Where it goes on with
// none, it may belong to the row above.
func (s section) addPale(row *Row, above []Row, layout *Layout) {
	expecting := slices.IndexFunc(row.Cells, func(c Cell) bool { return layout.pale(c.Column) != nil })
	if expecting < 0 {
		return
	}
	cell := &row.Cells[expecting]
	expected := layout.pale(cell.Column)
	for _, w := range wordsBetween(s.page.Pale, row.Y0, row.Y1) {
		if !expected(w.Text[:1]) || s.besideTable(w) {
			continue
		}
		// Longer, it is what is expected only where something else in that colour joined it.
		joined := !expected(w.Text)
		if joined && column(s.columns, w) != expecting {
			continue
		}
		if joined || column(s.columns, w) != expecting || !cell.goOn(w) {
			cell.markHalves(w, expected) // it was moved, or what it goes on with
			if n := len(above); n > 0 {
				above[n-1].Cells[expecting].markHalves(w, expected)
			}
		}
	}
}

// markHalves marks the lines around a word that may lack a half: they say no more than one.
func (c Cell) markHalves(w extract.Word, half func(string) bool) {
	const around = 2 // ems
	for i := range c.Lines {
		if l := &c.Lines[i]; half(l.Text) && math.Abs(l.Y-w.Y) < around*w.Size {
			l.Odd = true
		}
	}
}

// goOn has a line go on with a word, and reports whether one does.
func (c *Cell) goOn(w extract.Word) bool {
	found := false
	from := sort.Search(len(c.Lines), func(k int) bool { return c.Lines[k].Y >= w.Y-w.Size })
	for k := from; k < len(c.Lines) && c.Lines[k].Y <= w.Y+w.Size; k++ {
		if l := &c.Lines[k]; goesOn(*l, w) {
			l.Text, l.X1, found = l.Text+" "+w.Text, w.X1, true
		}
	}
	return found
}

// pale is what the named column expects in the colour of the paper; nil for nothing.
func (l *Layout) pale(name string) func(string) bool {
	for _, c := range l.Columns {
		if c.Name == name {
			return c.Pale
		}
	}
	return nil
}

// goesOn reports whether a word stands where the next one of a line does, in the line's size.
func goesOn(l Line, w extract.Word) bool {
	const narrowest, widest = -0.5, 1.5 // spaces, in ems
	gap := w.X0 - l.X1
	return math.Abs(l.Y-w.Y) <= sameBaseline*l.Size && math.Abs(l.Size-w.Size) < 0.05*l.Size &&
		gap > narrowest*l.Size && gap < widest*l.Size
}
