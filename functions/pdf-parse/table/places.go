package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// In a table, the text of a column begins, ends or is centred in one place. What stands elsewhere may
// belong to the column beside it.

// samePlacing is how far apart, in units, texts that stand in one place may be: programs round.
const samePlacing = 1.0

// placing is where a line stands: how far its left end, its middle and its right end are from those of its column.
type placing [3]float64

// placings are where the lines of a cell stand, in a column with rulings by these, else by its heading.
func placingOf(c Cell, l Line) placing {
	x0, x1 := c.X0, c.X1
	if math.IsInf(x0, 0) || math.IsInf(x1, 0) || !c.Ruled {
		x0, x1 = c.head.x0, c.head.x1
	}
	return placing{l.X0 - x0, (l.X0 + l.X1 - x0 - x1) / 2, l.X1 - x1}
}

// habit is where the lines of a column, or of all columns, stand.
type habit struct {
	placings []placing
	usual    [3]float64 // NaN where there is no such place
}

// learn finds the places that most lines share.
func (h *habit) learn(share float64) {
	effort.Add(3 * len(h.placings))
	values := make([]float64, len(h.placings))
	for k := range h.usual {
		for i, p := range h.placings {
			values[i] = p[k]
		}
		slices.Sort(values)
		h.usual[k] = math.NaN()
		from, most := 0, 0
		for to := range values {
			for values[to]-values[from] > samePlacing {
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

func (h *habit) known() bool {
	return slices.ContainsFunc(h.usual[:], func(v float64) bool { return !math.IsNaN(v) })
}

func (h *habit) fits(p placing) bool {
	for k, v := range h.usual {
		if math.Abs(p[k]-v) <= samePlacing {
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
	columns, all := map[string]*habit{}, &habit{}
	key := func(c Cell) string { return c.Column + "\x00" + c.Heading }
	each(rows, func(c Cell, l *Line) {
		h := columns[key(c)]
		if h == nil {
			h = &habit{}
			columns[key(c)] = h
		}
		p := placingOf(c, *l)
		h.placings, all.placings = append(h.placings, p), append(all.placings, p)
	})
	all.learn(quite)
	for _, h := range columns {
		h.learn(most)
	}
	each(rows, func(c Cell, l *Line) {
		h, p := columns[key(c)], placingOf(c, *l)
		if len(h.placings) < few {
			h = all
			if underHeading(c, *l) {
				return
			}
		}
		l.Odd = l.Odd || len(all.placings) >= few && h.known() && !h.fits(p) && !all.fits(p)
	})
}

// underHeading reports whether a line begins where its heading does, or is centred below it.
func underHeading(c Cell, l Line) bool {
	return math.Abs(l.X0-c.head.x0) <= samePlacing || math.Abs(l.X0+l.X1-c.head.x0-c.head.x1) <= 2*samePlacing
}

// each calls f for each line under a heading.
func each(rows []Row, f func(Cell, *Line)) {
	for _, r := range rows {
		for _, c := range r.Cells {
			if c.Heading == "" {
				continue
			}
			for i := range c.Lines {
				f(c, &c.Lines[i])
			}
		}
	}
}
