package schedule

import (
	"math"
	"regexp"
	"strings"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// rooms knows how a document's venue column breaks lines. A venue is one line unless it was too
// long for the column; nothing printed tells the two apart but where the ink ends.
type rooms struct {
	limit  float64         // a line surely could have run this far, in points
	starts map[string]bool // first words of what surely is a venue
}

func newRooms(t table.Table) rooms {
	r := rooms{limit: math.Inf(-1), starts: map[string]bool{}}
	for _, row := range t.Rows {
		cell := row.Cell(colVenue)
		for _, l := range cell.Lines {
			r.limit = max(r.limit, l.X1)
			if cell.Ruled && !math.IsInf(cell.X0, 0) {
				padding := l.X0 - cell.X0
				r.limit = max(r.limit, cell.X1-padding-0.3*l.Size)
			}
		}
		if len(cell.Lines) > 0 && row.Cell(colModule).Text() != "" {
			r.starts[firstWord(cell.Lines[0])] = true
		}
	}
	return r
}

var (
	endsOpen    = regexp.MustCompile(`(?i)([,&/(-]|\b(of|and|du|de|the|en|van))$`)
	startsLater = regexp.MustCompile(`^[^A-Z]`)
)

// venues parts the lines of one cell. Where nothing decides, several says whether a line is a venue,
// and the first such line is given as doubt.
func (r rooms) venues(lines []table.Line, several bool) (venues []string, doubt string) {
	venues = []string{}
	for i, l := range lines {
		if i == 0 {
			venues = append(venues, l.Text)
			continue
		}
		begins, sure := r.begins(lines[i-1], l, several)
		if !sure && doubt == "" {
			doubt = l.Text
		}
		if begins {
			venues = append(venues, l.Text)
		} else {
			venues[len(venues)-1] = table.Join(venues[len(venues)-1], l.Text)
		}
	}
	return venues, doubt
}

// begins reports whether l, printed below above, is a venue of its own.
func (r rooms) begins(above, l table.Line, several bool) (begins, sure bool) {
	const space = 0.28 // of an em, as in Helvetica
	switch {
	case startsLater.MatchString(l.Text):
		return false, true
	case above.X1+space*l.Size+l.First < r.limit:
		return true, true // its first word had room above: the break is meant
	case endsOpen.MatchString(above.Text):
		return false, true
	case r.starts[firstWord(l)]:
		return true, true
	}
	return several, !several
}

func firstWord(l table.Line) string {
	word, _, _ := strings.Cut(l.Text, " ")
	return word
}
