package schedule

import (
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// sittings reads tests and exams: a row is one of them, however many lines its cells take.
func sittings(kind timetable.Kind, rows []table.Row, reader venueReader) []entry {
	var whole []table.Row
	page := 0
	for _, row := range rows {
		if n := len(whole); n > 0 && isRest(row, row.Page != page) {
			whole[n-1] = merged(whole[n-1], row)
		} else {
			whole = append(whole, row)
		}
		page = row.Page
	}
	entries := make([]entry, len(whole))
	for i, row := range whole {
		entries[i] = sitting(kind, row, reader)
		tellStray(entries[i:i+1], row)
		entries[i].warnOf(doubts(row, anyColumn)...)
	}
	begins := make([]int, len(whole))
	for i := range begins {
		begins[i] = i
	}
	warnOfRaised(whole, begins, entries)
	for i := 1; i < len(whole); i++ {
		hidden := slices.ContainsFunc(whole[i].Stray(), func(l table.Line) bool { return l.Faint })
		nameless := whole[i].Page != whole[i-1].Page && whole[i].Cell(colModule).Text() == ""
		if cut(whole[i]) || nameless && hidden { // the rest of a row may be in it, above a module that is not seen
			entries[i-1].warn(timetable.UnusualValue, belowMayBelong)
		}
	}
	return entries
}

// isRest reports whether a row is the rest of the one above: it says neither what nor when.
// Within a page only a row of nothing but venues is one.
func isRest(row table.Row, pageBreak bool) bool {
	if row.Cell(colModule).Text() != "" {
		return false
	}
	if !pageBreak && row.Ruled {
		return !slices.ContainsFunc(row.Cells, func(c table.Cell) bool { return c.Column != colVenue && len(c.Lines) > 0 })
	}
	_, hasDate := date(row.Cell(colDate).Text())
	_, _, hasRange := timeRange(row.Cell(colTime).Text())
	return !hasDate && !hasRange
}

// merged is a row with the rest of its cells below, which may be on the next page.
func merged(row, rest table.Row) table.Row {
	row.Cells = slices.Clone(row.Cells)
	for i, c := range row.Cells {
		same := func(r table.Cell) bool { return r.Column == c.Column && r.Heading == c.Heading }
		if k := slices.IndexFunc(rest.Cells, same); k >= 0 {
			row.Cells[i].Lines = append(c.Lines, rest.Cells[k].Lines...) // which no other row shares
			row.Cells[i].Unsure = c.Unsure || rest.Cells[k].Unsure
		}
	}
	for _, c := range rest.Cells {
		if !slices.ContainsFunc(row.Cells, func(r table.Cell) bool { return r.Column == c.Column && r.Heading == c.Heading }) {
			row.Cells = append(row.Cells, c) // what no column claims is still told
		}
	}
	return row
}

func sitting(kind timetable.Kind, row table.Row, reader venueReader) entry {
	text := func(column string) string { return row.Cell(column).Text() }
	e := entry{Entry: timetable.Entry{
		Page: row.Page, Activity: text(colActivity), Campus: text(colCampus), ModuleCampus: text(colModuleCampus),
		Test: text(colTest), Paper: text(colPaper), Status: text(colStatus), Comments: text(colComments),
	}}
	e.venueLines = row.Cell(colVenue).Lines
	e.setModule(text(colModule))
	e.setDay(text(colDay))
	e.setDate(text(colDate))
	if kind == timetable.Exam {
		e.setStart(text(colTime))
	} else {
		e.setTimes(text(colTime))
	}
	e.setVenues(reader, kind == timetable.Test)
	e.Comments = table.Join(e.Comments, comments(remarks(row)))
	return e
}

func (e *entry) setDate(text string) {
	d, ok := date(text)
	switch {
	case text == "":
		e.warn(timetable.NoDate, "The row has no date. Look it up in the PDF, or ask your lecturer.")
	case !ok:
		e.warn(timetable.NoDate, "%q is not a date such as 23 Aug 2025. Check this entry against the PDF.", text)
	default:
		e.Date = d.Format("2006-01-02")
		if day := d.Weekday().String(); e.Day != "" && e.Day != day {
			e.warn(timetable.DayMismatch, "%s is a %s, but the row says %s. Ask your lecturer which is right.", e.Date, day, e.Day)
		}
	}
}

// setStart reads an exam's time. Exams print no end: three hours are assumed.
func (e *entry) setStart(text string) {
	start, ok := clock(text)
	if !ok {
		e.setTimes(text)
		return
	}
	e.StartTime, e.EndTime, e.EndTimeEstimated = start, threeHoursAfter(start), true
}
