package table

import (
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// usualText is the sizes and colours of a table's own text.
type usualText struct {
	smallest, largest float64
	colours           []extract.Colour
	loose             bool // many words have letters that stand apart
}

// usualTextOf is what a fair share of the text under the headings, and these, have in common.
func usualTextOf(all []section) usualText {
	const (
		share = 0.1 // of the letters
		few   = 40  // letters say nothing about what is usual
	)
	sizes, colours, letters := map[float64]int{}, map[extract.Colour]int{}, 0
	words, loose := 0, 0
	add := func(these []extract.Word) {
		effort.Add(len(these))
		words += len(these)
		for _, w := range these {
			if w.Loose {
				loose++
			}
			sizes[w.Size] += len(w.Text)
			colours[w.Colour] += len(w.Text)
			letters += len(w.Text)
		}
	}
	for _, s := range all {
		add(s.words())
	}
	if len(all) > 0 {
		for _, c := range all[0].columns {
			add(c.words)
		}
	}
	if letters < few {
		return usualText{}
	}
	p := usualText{smallest: math.Inf(1), largest: math.Inf(-1), loose: loose > 2 && 50*loose > words}
	least := share * float64(letters)
	for size, n := range sizes {
		if float64(n) >= least {
			p.smallest, p.largest = min(p.smallest, size), max(p.largest, size)
		}
	}
	for colour, n := range colours {
		if float64(n) >= least {
			p.colours = append(p.colours, colour)
		}
	}
	slices.Sort(p.colours)
	return p
}

// colour is one of the table's own.
func (p usualText) colour() extract.Colour {
	if len(p.colours) == 0 {
		return 0
	}
	return p.colours[0]
}

// origin tells whose a word is by how it is printed.
type origin uint8

const (
	own origin = iota
	doubtful
	added
)

// origin is added for a word of another size and another colour than the table's own text, doubtful where only
// one of the two differs.
func (p *usualText) origin(w *extract.Word) origin {
	const resized = 1.25
	o := own
	if p.largest > 0 && (w.Size > resized*p.largest || resized*w.Size < p.smallest) {
		o++
	}
	if len(p.colours) > 0 && !slices.ContainsFunc(p.colours, w.Colour.Near) {
		o++
	}
	return o
}

// besideTable reports whether a word in no column does not reach into the table either.
func (s section) besideTable(w extract.Word) bool {
	const touch = 0.5
	return w.X1 < s.columns[0].left+touch || w.X0 > s.columns[len(s.columns)-1].right-touch
}

// withStrayBeside moves the stray text of rows that say nothing else to the row above or, above the first, below:
// it is no row of the table, and a row that it stands beside tells of it. Above the first row of a page that goes on
// with a table, text that was painted over may also be the rest of a row on the page before.
func (s section) withStrayBeside(rows []Row) []Row {
	var out []Row
	var above []Cell
	for _, r := range rows {
		cells := slices.DeleteFunc(slices.Clone(r.Cells), func(c Cell) bool { return len(c.Lines) == 0 })
		stray := !slices.ContainsFunc(cells, func(c Cell) bool { return c.Column != "" || c.Heading != "" })
		switch {
		case stray && len(out) > 0:
			last := &out[len(out)-1]
			last.Cells = append(slices.Clip(last.Cells), cells...)
		case stray:
			above = append(above, cells...)
		default:
			if !s.headed && !s.beforeHeader && slices.ContainsFunc(above, Cell.faint) {
				out = append(out, rows[0].with(above))
			}
			r.Cells = append(slices.Clip(r.Cells), above...)
			out, above = append(out, r), nil
		}
	}
	if len(above) > 0 {
		out = append(out, rows[0].with(above)) // it may be the rest of a row on the page before
	}
	return out
}

// with is a row in the same place with other cells.
func (r Row) with(cells []Cell) Row {
	r.Cells = cells
	return r
}

// faint reports whether some of the cell's text may not be visible.
func (c Cell) faint() bool {
	return slices.ContainsFunc(c.Lines, func(l Line) bool { return l.Faint })
}
