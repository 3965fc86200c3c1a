// Package schedule reads the rows of a table as timetable entries: it knows what the columns of the
// university's lectures, semester tests and exams mean, and what no row of theirs can say.
package schedule

import (
	"fmt"
	"slices"
	"sort"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// Read gives the document that a table of Layouts prints. Every printed row becomes an entry; what
// makes no sense in it is told in its warnings.
func Read(t table.Table) timetable.Document {
	doc := timetable.Document{Kind: timetable.Kind(t.Layout.Name), Entries: []timetable.Entry{}}
	reader := newVenueReader(t)
	var printed []entry
	if doc.Kind == timetable.Lecture {
		printed = lectures(t.Rows, reader)
	} else {
		printed = sittings(doc.Kind, t.Rows, reader)
	}
	warnOfUnusual(doc.Kind, printed)
	for i := range printed {
		printed[i].warnOfUnreadable()
	}
	for _, page := range t.Incomplete {
		warnOfLoss(printed, page, t.Rows, pageDamaged)
	}
	for _, page := range t.LeftOver {
		warnOfLoss(printed, page, t.Rows, pageLeftOver)
	}
	if t.Unordered {
		for i := range printed {
			printed[i].warn(timetable.UnusualValue, "It is not certain in which order the pages on the sheets follow each other. Check this entry against the PDF.")
		}
	}
	page, row := 0, 0
	for _, e := range printed {
		if e.Page != page {
			page, row = e.Page, 0
		}
		row++
		for i := range e.Warnings {
			e.Warnings[i].Page, e.Warnings[i].Row = e.Page, row
		}
		doc.Entries = append(doc.Entries, e.Entry)
	}
	return doc
}

// entry is a timetable entry in the making.
type entry struct {
	timetable.Entry
	venueLines []table.Line // the lines of its venue cell
	y          float64      // where in its row it begins
}

// maxWarnings bounds what one entry warns of: who is told so much looks at the PDF.
const maxWarnings = 50

func (e *entry) warn(code, format string, args ...any) {
	if len(e.Warnings) == maxWarnings {
		return
	}
	e.Warnings = append(e.Warnings, timetable.Warning{Code: code, Message: fmt.Sprintf(format, args...)})
}

// setVenues reads the collected venue lines. Where a line that follows might as well be a venue as
// the rest of one, several says what it is taken for, with a warning.
func (e *entry) setVenues(r venueReader, several bool) {
	var doubt string
	e.Venues, doubt = r.venues(e.venueLines, several)
	if doubt != "" {
		e.warn(timetable.VenueWrap, "It is not certain whether %q is a venue of its own or the end of the line above it. Check this entry against the PDF.", doubt)
	}
}

// setModule keeps what is printed even where it is no module code: nothing is worked out from a module,
// and it is how a person finds the row.
func (e *entry) setModule(text string) {
	module, ok := moduleCode(text)
	e.Module = module
	switch {
	case text == "":
		e.warn(timetable.NoModule, "The row names no module. Look it up in the PDF.")
	case !ok:
		e.warn(timetable.NoModule, "%q is not a module code. Check this entry against the PDF.", text)
	}
}

func (e *entry) setTimes(text string) {
	start, end, ok := timeRange(text)
	switch {
	case text == "":
		e.warn(timetable.NoTime, "The row has no time. Look it up in the PDF, or ask your lecturer.")
	case !ok:
		e.warn(timetable.NoTime, "%q is not a time such as 07:30 - 08:20. Check this entry against the PDF.", text)
	default:
		e.StartTime, e.EndTime = start, end
		if end <= start {
			e.warn(timetable.EndBeforeStart, "The end, %s, is not after the start, %s. Check this entry against the PDF.", end, start)
		}
	}
}

func (e *entry) setDay(text string) {
	day, ok := weekday(text)
	switch {
	case ok:
		e.Day = day
	case text != "":
		e.Day = ""
		e.warn(timetable.NoDay, "%q is not a day of the week. Check this entry against the PDF.", text)
	}
}

// remark is what a column says that no layout knows.
type remark struct{ heading, text string }

func remarks(row table.Row) []remark {
	var out []remark
	for _, c := range row.Cells {
		if c.Column == "" && c.Heading != "" && len(c.Lines) > 0 {
			out = append(out, remark{c.Heading, c.Text()})
		}
	}
	return out
}

// continued are remarks with the rest of them, printed on the next page.
func continued(remarks, rest []remark) []remark {
	out := slices.Clone(remarks)
	for _, r := range rest {
		if i := slices.IndexFunc(out, func(o remark) bool { return o.heading == r.heading }); i >= 0 {
			out[i].text = table.Join(out[i].text, r.text)
		} else {
			out = append(out, r)
		}
	}
	return out
}

// comments are remarks as an entry tells them.
func comments(remarks []remark) string {
	all := ""
	for _, r := range remarks {
		all = table.Join(all, r.heading+": "+r.text)
	}
	return all
}

// beside is the index of the entry, of those of a row, that a line stands beside.
func beside(entries []entry, l table.Line) int {
	after := sort.Search(len(entries), func(i int) bool { return entries[i].y > l.Y+sameHeight*l.Size })
	return max(0, after-1)
}

// tellStray warns of a row's text that no column claims, in the entry of the row that it stands beside or, where it may
// hold what is printed once for all of them, in each.
func tellStray(entries []entry, row table.Row) {
	for _, l := range row.Stray() {
		if l.Faint {
			continue // it is warned of as that
		}
		k := beside(entries, l)
		told := entries[k : k+1]
		if inEmptyGroup(row, l) {
			told = entries
		}
		for i := range told {
			told[i].warn(timetable.StrayText, "%q stands beside the row, in no column. Check in the PDF whether it belongs to this entry.", l.Text)
		}
	}
}
