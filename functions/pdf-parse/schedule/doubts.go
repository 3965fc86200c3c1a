package schedule

import (
	"slices"
	"strings"
	"unicode"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// doubt is a printed line of which the file does not say for sure what it shows, or what its heading does,
// whether a reader sees it, or whether it belongs there.
type doubt struct {
	cell table.Cell
	line table.Line
}

// doubts are those of a row, in the columns for which in holds.
func doubts(row table.Row, in func(column string) bool) []doubt {
	var out []doubt
	for _, c := range row.Cells {
		if !in(c.Column) {
			continue
		}
		for _, l := range c.Lines {
			if l.Unsure || l.Faint || l.Odd || c.Unsure {
				out = append(out, doubt{c, l})
			}
		}
	}
	return out
}

// warnOf warns of doubts.
func (e *entry) warnOf(found ...doubt) {
	for _, d := range found {
		if d.line.Faint {
			e.warn(timetable.UncertainVisibility, "%q may not be visible in the PDF, or only in part. Check this entry against the PDF.", d.line.Text)
		}
		if d.line.Odd {
			e.warn(timetable.UnusualValue, "%q looks or stands unlike the rest of the timetable: it may have been added or moved. Check this entry against the PDF.", d.line.Text)
		}
		switch {
		case !d.line.Unsure && !d.cell.Unsure:
		case strings.ContainsRune(d.line.Text, unicode.ReplacementChar):
			e.warn(timetable.UnreadableText, partUnreadable, d.line.Text)
		case d.line.Unsure:
			e.warn(timetable.UnreadableText, "%q may be misread: the PDF contradicts itself about which characters it shows. Check this entry against the PDF.", d.line.Text)
		default:
			e.warn(timetable.UnreadableText, "%q stands under %q, a heading that may be misread. Check this entry against the PDF.", d.line.Text, d.cell.Heading)
		}
	}
}

// warnOfUnreadable warns of a value with U+FFFD in it, whatever row its doubt was noted in: what a character stands for
// that nothing in the file names is never certain.
func (e *entry) warnOfUnreadable() {
	if slices.ContainsFunc(e.Warnings, func(w timetable.Warning) bool { return w.Code == timetable.UnreadableText }) {
		return
	}
	for _, value := range e.Printed() {
		if strings.ContainsRune(value, unicode.ReplacementChar) {
			e.warn(timetable.UnreadableText, partUnreadable, value)
		}
	}
}

// partUnreadable warns of a text with U+FFFD in it.
const partUnreadable = "Part of %q cannot be read: the PDF does not say which characters it shows. Check this entry against the PDF."

func anyColumn(string) bool { return true }
