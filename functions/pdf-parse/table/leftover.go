package table

import (
	"regexp"
	"slices"
	"strings"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// What stands beside a table, or above and below it, is no text of it. But where it says what a row does, another
// table was printed on the sheet, whose rows are not to be lost.

// beginsRow reports whether words say what a row begins with: beside a table they are rows of another page on its sheet.
func (l *Layout) beginsRow(words []extract.Word) bool {
	return slices.ContainsFunc(lines(slices.Clone(words), usualText{}), func(line Line) bool { return l.anchors(line.Text) })
}

var hour = regexp.MustCompile(`\b\d{1,2}[:hH.]\d\d\b`)

// holdsRow reports whether one line of words says what only a row does: what it begins with, and an hour.
func (l *Layout) holdsRow(words []extract.Word) bool {
	return slices.ContainsFunc(lines(slices.Clone(words), usualText{}), func(line Line) bool {
		return hour.MatchString(line.Text) && l.anchors(line.Text)
	})
}

// anchors reports whether one or two words of a line are an anchor of some column.
func (l *Layout) anchors(line string) bool {
	words := strings.Fields(line)
	for i := range words {
		for _, c := range l.Columns {
			if c.Anchor != nil && (c.Anchor(words[i]) || c.Anchor(strings.Join(words[i:min(i+2, len(words))], " "))) {
				return true
			}
		}
	}
	return false
}
