package schedule

import (
	"math"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// venueReader knows how a document's venue column breaks lines and how its venues begin. A venue is one
// line unless it was too long for the column; nothing printed tells the two apart but where the ink
// ends and what other lines say.
type venueReader struct {
	limit  float64         // how far a line can run
	starts map[string]bool // first words of what surely is a venue
	lost   bool            // how far lines can run, or what some venues begin with, may not be known
	opens  map[string]bool // what other words follow on some line: a venue's name that goes on
	shaky  bool            // lines may be missing that would say more, or be wrong
}

// unsure is how near to the limit, in ems, a word may not have had room after all: the program that
// broke the lines measures and rounds in its own way.
const unsure = 0.3

func newVenueReader(t table.Table) venueReader {
	r := venueReader{limit: math.Inf(-1), starts: map[string]bool{}, opens: map[string]bool{}, shaky: len(t.Incomplete) > 0}
	for _, row := range t.Rows {
		cell := row.Cell(colVenue)
		for _, l := range cell.Lines {
			if l.Odd {
				r.lost = true
				continue // what was moved tells nothing of the others
			}
			r.limit = max(r.limit, couldReach(row, cell, l))
			r.open(l.Text)
		}
		r.lost = r.lost || len(cell.Lines) > 0 && lacksRuling(row, cell)
		r.lost = r.lost || slices.ContainsFunc(row.Stray(), func(l table.Line) bool { return l.Faint }) // it may be a venue's beginning
		if len(cell.Lines) > 0 && row.Cell(colModule).Text() != "" {
			r.starts[firstWord(cell.Lines[0])] = true
		}
		r.learnBeside(row)
	}
	return r
}

// lacksRuling reports whether rulings bound other columns but not the right side of this one: one is missing.
func lacksRuling(row table.Row, cell table.Cell) bool {
	return !cell.Ruled && slices.ContainsFunc(row.Cells, func(c table.Cell) bool { return c.Ruled })
}

// learnBeside learns the beginnings of venues that stand beside a date, where several rows could not be parted.
func (r venueReader) learnBeside(row table.Row) {
	dates := row.Cell(colDate).Lines
	if len(dates) < 2 {
		return
	}
	for _, l := range row.Cell(colVenue).Lines {
		if slices.ContainsFunc(dates, func(d table.Line) bool { return math.Abs(d.Y-l.Y) < sameHeight*l.Size }) {
			r.starts[firstWord(l)] = true
		}
	}
}

// couldReach is how far to the right the line shows that its column can be filled. A word that is
// wider than its column runs over the ruling, and no other would have had room there.
func couldReach(row table.Row, cell table.Cell, l table.Line) float64 {
	if !cell.Ruled || math.IsInf(cell.X0, 0) {
		return l.X1
	}
	padding := l.X0 - cell.X0
	if !cell.RuledLeft {
		padding = paddingOf(row, padding)
	}
	inner := cell.X1 - padding
	if l.X1 > cell.X1 {
		return inner
	}
	return max(l.X1, inner)
}

// paddingOf is the least distance of text from a ruling on its left, at most most.
func paddingOf(row table.Row, most float64) float64 {
	for _, c := range row.Cells {
		if c.RuledLeft && len(c.Lines) > 0 {
			most = min(most, max(0, c.Lines[0].X0-c.X0))
		}
	}
	return most
}

// open remembers how the line begins, short of its whole text.
func (r venueReader) open(text string) {
	const words = 6 // no name of a building is longer
	for n, i := 0, 0; n < words; n++ {
		k := strings.IndexByte(text[i:], ' ')
		if k < 0 {
			return
		}
		r.opens[text[:i+k]] = true
		i += k + 1
	}
}

// endsOpen reports whether a line ends where no name does, so that the next line goes on with it.
func endsOpen(line string) bool {
	if endsWithMark(line) {
		return true
	}
	switch strings.ToLower(lastWord(line)) {
	case "of", "and", "du", "de", "the", "en", "van":
		return true
	}
	return false
}

// endsWithMark reports whether a text ends with a mark after which something follows.
func endsWithMark(text string) bool {
	return text != "" && strings.Contains(",&/(-", text[len(text)-1:])
}

// lastWord is the letters and digits that a text ends with, "" where it ends otherwise.
func lastWord(text string) string {
	isWord := func(c byte) bool {
		return c == '_' || c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	}
	from := len(text)
	for from > 0 && isWord(text[from-1]) {
		from--
	}
	return text[from:]
}

// startsLater reports whether a line begins as no venue does.
func startsLater(line string) bool { return line != "" && !isCapitals(line[:1]) }

// venues parts the lines of one cell. Where nothing decides, several says whether a line is a venue,
// and the first line that is in doubt is given as doubt.
func (r venueReader) venues(lines []table.Line, several bool) (venues []string, doubt string) {
	const longest = 1000 // bytes; to join lines to a venue for ever takes ever longer
	venues = []string{}
	for i, l := range lines {
		if i == 0 {
			venues = append(venues, l.Text)
			continue
		}
		begins, sure := r.begins(venues[len(venues)-1], lines[i-1], l, several)
		if !sure && doubt == "" {
			doubt = l.Text
		}
		if begins || len(venues[len(venues)-1]) > longest {
			venues = append(venues, l.Text)
		} else {
			venues[len(venues)-1] = table.Join(venues[len(venues)-1], l.Text)
		}
	}
	return venues, doubt
}

// begins reports whether l is a venue of its own, printed below the line above that ends venue.
func (r venueReader) begins(venue string, above, l table.Line, several bool) (begins, sure bool) {
	const space = 0.28 // of an em, as in Helvetica
	room := r.limit - (above.X1 + space*l.Size + l.First)
	switch {
	case startsLater(l.Text):
		return false, true
	case room > unsure*l.Size:
		return true, true // its first word had room above: the break is meant
	case endsOpen(above.Text):
		return false, true
	case r.starts[firstWord(l)]:
		return true, !r.shaky
	case r.opens[venue]:
		return false, !r.shaky
	}
	return several, !several && room <= 0 && !r.shaky && !r.lost
}

func firstWord(l table.Line) string {
	word, _, _ := strings.Cut(l.Text, " ")
	return word
}
