package table

import (
	"math"
	"slices"
	"sync"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// In a table, the text of a column begins, ends or is centred in one place. What stands elsewhere may
// belong to the column beside it.

// sameOffset is how far apart, in units, texts that stand in one place may be: programs round.
const sameOffset = 1.0

// lineOffset is where a line stands: how far its left end, its middle and its right end are from those of its column.
type lineOffset [3]float64

// offsetOf is where a line of a cell stands, in a column with rulings by these, else by its heading.
func offsetOf(c Cell, l Line) lineOffset {
	x0, x1 := c.X0, c.X1
	if math.IsInf(x0, 0) || math.IsInf(x1, 0) || !c.Ruled {
		x0, x1 = c.head.x0, c.head.x1
	}
	return lineOffset{l.X0 - x0, (l.X0 + l.X1 - x0 - x1) / 2, l.X1 - x1}
}

// alignment is where the lines of a column, or of all columns, stand.
type alignment struct {
	offsets []lineOffset
	usual   [3]float64 // NaN where there is no such place
}

// learn finds the places that most lines share.
func (h *alignment) learn(share float64) {
	effort.Add(3 * len(h.offsets))
	values := make([]float64, len(h.offsets))
	for k := range h.usual {
		for i, p := range h.offsets {
			values[i] = p[k]
		}
		slices.Sort(values)
		h.usual[k] = math.NaN()
		from, most := 0, 0
		for to := range values {
			for values[to]-values[from] > sameOffset {
				from++
			}
			if n := to - from + 1; n > most {
				most, h.usual[k] = n, (values[from]+values[to])/2
			}
		}
		if float64(most) < share*float64(len(values)) {
			h.usual[k] = math.NaN()
		}
	}
}

func (h *alignment) isKnown() bool {
	return slices.ContainsFunc(h.usual[:], func(v float64) bool { return !math.IsNaN(v) })
}

func (h *alignment) fits(p lineOffset) bool {
	for k, v := range h.usual {
		if math.Abs(p[k]-v) <= sameOffset {
			return true
		}
	}
	return false
}

// markMoved marks the lines that stand where no others of their column do.
func markMoved(rows []Row) {
	const (
		few   = 4 // lines do not tell where a column's stand
		most  = 0.7
		quite = 0.8 // of all lines tell it for such columns
	)
	columns := alignmentsOf(rows)
	whole := sync.OnceValue(func() *alignment {
		all := &alignment{}
		for _, h := range columns {
			all.offsets = append(all.offsets, h.offsets...)
		}
		all.learn(quite)
		return all
	})
	for _, h := range columns {
		h.learn(most)
	}
	moved := func(c Cell, h *alignment, l Line) bool {
		p := offsetOf(c, l)
		if len(h.offsets) < few {
			return !underHeading(c, l) && len(whole().offsets) >= few && whole().isKnown() && !whole().fits(p)
		}
		return h.isKnown() && !h.fits(p) && !whole().fits(p)
	}
	odd, of := map[int][]*Line{}, map[int]int{} // by page
	for _, r := range rows {
		for _, c := range r.Cells {
			h := columns[heading{c.Column, c.Heading}]
			of[r.Page] += len(c.Lines)
			for i := range c.Lines {
				if l := &c.Lines[i]; h != nil && moved(c, h, *l) {
					odd[r.Page] = append(odd[r.Page], l)
				}
			}
		}
	}
	for page, these := range odd {
		if 2*len(these) > of[page] {
			continue // the page as a whole lies elsewhere on its paper
		}
		for _, l := range these {
			l.Odd = true
		}
	}
}

// heading names a column.
type heading struct{ column, text string }

// alignmentsOf are where the lines of each column under a heading stand.
func alignmentsOf(rows []Row) map[heading]*alignment {
	columns := map[heading]*alignment{}
	for _, r := range rows {
		for _, c := range r.Cells {
			if c.Heading == "" || len(c.Lines) == 0 {
				continue
			}
			h := columns[heading{c.Column, c.Heading}]
			if h == nil {
				h = &alignment{}
				columns[heading{c.Column, c.Heading}] = h
			}
			for _, l := range c.Lines {
				h.offsets = append(h.offsets, offsetOf(c, l))
			}
		}
	}
	return columns
}

// markRunOver marks lines that go on in the next column without a gap, or run into it where it says nothing else: a
// value that is too long, or one that was moved or printed over.
func (r Row) markRunOver() {
	const (
		gap  = 0.4 // ems, more than a space
		into = 0.5
	)
	for k := 1; k < len(r.Cells); k++ {
		left, right := r.Cells[k-1].Lines, r.Cells[k].Lines
		from := 0
		for i := range left {
			l := &left[i]
			for from < len(right) && right[from].Y < l.Y-sameBaseline*l.Size {
				from++
			}
			beside := from < len(right) && right[from].Y <= l.Y+sameBaseline*l.Size
			switch {
			case beside && right[from].X0-l.X1 < gap*l.Size:
				l.Odd, right[from].Odd = true, true
			case !beside && l.X1 > r.Cells[k].X0+into*l.Size:
				l.Odd = true
			}
		}
	}
}

// underHeading reports whether a line begins where its heading does, or is centred below it.
func underHeading(c Cell, l Line) bool {
	return math.Abs(l.X0-c.head.x0) <= sameOffset || math.Abs(l.X0+l.X1-c.head.x0-c.head.x1) <= 2*sameOffset
}
