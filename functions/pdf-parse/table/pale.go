package table

import (
	"math"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// addPale adds text in the colour of the paper to the lines of the columns that expect it: the
// university's producer prints half of a column so. It goes on with a line, one space after it.
func (s section) addPale(row *Row, layout *Layout) {
	for _, w := range wordsBetween(s.page.Pale, row.Y0, row.Y1) {
		i := column(s.columns, w)
		if i < 0 || !layout.expectsPale(row.Cells[i].Column, w.Text) {
			continue
		}
		lines := row.Cells[i].Lines
		from := sort.Search(len(lines), func(k int) bool { return lines[k].Y >= w.Y-w.Size })
		for k := from; k < len(lines) && lines[k].Y <= w.Y+w.Size; k++ {
			if l := &lines[k]; goesOn(*l, w) {
				l.Text, l.X1 = l.Text+" "+w.Text, w.X1
			}
		}
	}
}

func (l *Layout) expectsPale(name, text string) bool {
	for _, c := range l.Columns {
		if c.Name == name && c.Pale != nil {
			return c.Pale(text)
		}
	}
	return false
}

// goesOn reports whether a word stands where the next one of a line does, in the line's size.
func goesOn(l Line, w extract.Word) bool {
	const narrowest, widest = -0.5, 1.5 // spaces, in ems
	gap := w.X0 - l.X1
	return math.Abs(l.Y-w.Y) <= sameBaseline*l.Size && math.Abs(l.Size-w.Size) < 0.05*l.Size &&
		gap > narrowest*l.Size && gap < widest*l.Size
}
