package schedule

import (
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// What may be wrong with a page as a whole.
const (
	pageDamaged  = "Page %d could not be read in full because the PDF is damaged: entries may be missing or wrong. Download the PDF again, or check this page."
	pageLeftOver = "Page %d shows rows beside the table that we could not place: entries may be missing. Check this page, or use the PDF that you downloaded from the university."
)

// warnOfLoss warns of a page that could not be read in full, in every entry that it may have changed: those of the
// page, of the group that goes on there, and of the group before, which may have got lines of one that was lost.
// Where no rulings part the columns, what all pages say does: then it is every entry.
func warnOfLoss(printed []entry, page int, rows []table.Row, message string) {
	before, until := -1, -1 // the last entries before the page and up to its end
	for i := range printed {
		if printed[i].Page < page {
			before = i
		}
		if printed[i].Page <= page {
			until = i
		}
	}
	all := !slices.ContainsFunc(rows, func(r table.Row) bool {
		return slices.ContainsFunc(r.Cells, func(c table.Cell) bool { return c.Ruled })
	})
	for i := range printed {
		e := &printed[i]
		if all || e.Page == page || e.inGroupOf(printed, before) || e.inGroupOf(printed, until) || until < 0 && i == 0 {
			e.warn(timetable.PageIncomplete, message, page)
		}
	}
}

func (e *entry) inGroupOf(printed []entry, i int) bool {
	return i >= 0 && e.Module == printed[i].Module && e.Group == printed[i].Group
}
