package table

import "slices"

// addNotes adds the text of comments and form fields to a row that they lie over, as text that no column claims: it
// may stand for what is printed.
func (s section) addNotes(row *Row) {
	if row.empty() {
		return
	}
	var notes Cell
	for _, l := range lines(slices.Clone(wordsBetween(s.page.Notes, row.Y0, row.Y1)), usualText{}) {
		if l.X1 > s.columns[0].left && l.X0 < s.columns[len(s.columns)-1].right {
			notes.Lines = append(notes.Lines, l)
		}
	}
	if len(notes.Lines) > 0 {
		row.Cells = append(row.Cells, notes)
	}
}
