package schedule

import (
	"slices"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// TestRoomsOfATable holds for what the venue column of a whole document tells of one of its cells.
func TestRoomsOfATable(t *testing.T) {
	t.Parallel()
	cell := func(lines ...string) table.Row {
		c := table.Cell{Column: colVenue, X0: 100, X1: 203, Ruled: true}
		for i, text := range lines {
			width := 5 * float64(len(text))
			c.Lines = append(c.Lines, table.Line{Text: text, X0: 104, X1: 104 + width, Y: 12 * float64(i), Size: 10, First: 5 * float64(len(firstWord(table.Line{Text: text})))})
		}
		return table.Row{Cells: []table.Cell{c}}
	}
	for name, test := range map[string]struct {
		rows []table.Row // the last one is read
		want []string
	}{
		// Both break where a word would have ended 2.2 points, under a third of an em, before a line that was as long as any.
		"a name that goes on elsewhere": {[]table.Row{cell("Informatorium Grey1"), cell("Informatorium", "Blue1 Laboratory")}, []string{"Informatorium Blue1 Laboratory"}},
		"a word wider than the column":  {[]table.Row{cell("Informatorium-of-all-sciences"), cell("Informatorium Big", "Lab"), cell("Informatorium Big", "Lab")}, []string{"Informatorium Big Lab"}},
	} {
		last := test.rows[len(test.rows)-1].Cell(colVenue).Lines
		got, doubt := newVenueReader(table.Table{Rows: test.rows}).venues(last, false)
		if !slices.Equal(got, test.want) || doubt != "" {
			t.Errorf("%s: got %q in doubt of %q, want %q without doubt", name, got, doubt, test.want)
		}
		// What other lines say is not certain where a page could not be read in full.
		got, doubt = newVenueReader(table.Table{Rows: test.rows, Incomplete: []int{1}}).venues(last, false)
		if !slices.Equal(got, test.want) || doubt != last[1].Text {
			t.Errorf("%s, after a damaged page: got %q in doubt of %q, want %q in doubt of %q", name, got, doubt, test.want, last[1].Text)
		}
	}
}
