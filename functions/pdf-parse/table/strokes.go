package table

import (
	"cmp"
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/internal/effort"
)

// stroke is how a line looks.
type stroke struct {
	thick  float64
	colour extract.Colour
}

func strokeOf(r extract.Ruling) stroke {
	const fine = 20 // parts of a unit: thinner differences come from rounding
	return stroke{math.Round(r.Thick*fine) / fine, r.Colour}
}

// like reports whether a reader takes two lines for lines of one kind.
func (s stroke) like(other stroke) bool {
	const rounding, share = 0.15, 0.2
	return s.colour.Near(other.colour) && math.Abs(s.thick-other.thick) <= rounding+share*max(s.thick, other.thick)
}

// strokes are how many lines of each kind there are.
type strokes map[stroke]int

func strokesOf(bars ...bar) strokes {
	all := strokes{}
	for _, b := range bars {
		all[b.stroke]++
	}
	return all
}

// like is how many lines look like one.
func (all strokes) like(s stroke) int {
	effort.Add(len(all))
	n := 0
	for other, count := range all {
		if s.like(other) {
			n += count
		}
	}
	return n
}

// mostFrequent is the kind of which there are most.
func (all strokes) mostFrequent() (s stroke, most int) {
	for candidate := range all {
		if n := all.like(candidate); n > most || n == most && before(candidate, s) {
			s, most = candidate, n
		}
	}
	return s, most
}

func before(a, b stroke) bool {
	return cmp.Or(cmp.Compare(a.thick, b.thick), cmp.Compare(a.colour, b.colour)) < 0
}

// ofTable drops lines that somebody drew on a table: they look unlike its other lines, they are few, and no upright
// lines of the table end at them.
func ofTable(levels, uprights []bar) (own, ownUprights []bar) {
	const (
		few     = 3  // lines do not say how a table's are drawn
		various = 50 // kinds of lines neither
	)
	all := strokesOf(slices.Concat(levels, uprights)...)
	if len(all) > various {
		return levels, uprights
	}
	usual, most := all.mostFrequent()
	if most < few {
		return levels, uprights
	}
	foreign := func(b bar) bool { return !b.stroke.like(usual) && 2*all.like(b.stroke) < most }
	ownUprights = slices.DeleteFunc(slices.Clone(uprights), foreign)
	var ends []float64
	for _, u := range ownUprights {
		ends = append(ends, u.from, u.to)
	}
	slices.Sort(ends)
	own = slices.DeleteFunc(slices.Clone(levels), func(b bar) bool {
		return foreign(b) && count(ends, b.at-border, b.at+border) < few
	})
	return own, ownUprights
}
