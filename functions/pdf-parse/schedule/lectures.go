package schedule

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// lectures reads rows in which module, group and campus are printed once for several lines of
// activity, day, time and venue.
func lectures(rows []table.Row, reader venueReader) []entry {
	var entries []entry
	var above group
	page := 0
	begins := make([]int, len(rows))
	for n, row := range rows {
		g := newGroup(row)
		rest := row.Page != page && g.module == "" && g.name == ""
		switch {
		case rest:
			for i := above.first; i < len(entries); i++ {
				entries[i].warnOf(g.doubts...)
			}
			g = above.continued(g)
			for i := above.first; i < len(entries); i++ {
				g.describe(&entries[i].Entry)
			}
		case !row.Ruled && g.module == "":
			warnAbove(entries[above.first:], g, row)
			g.doubts = append(g.doubts, above.inherited(g)...)
			g.module, g.offered = above.module, cmp.Or(g.offered, above.offered)
			g.first = len(entries)
		default:
			warnAbove(entries[above.first:], g, row)
			g.first = len(entries)
		}
		before := len(entries)
		for i, s := range slots(row, rest) {
			if len(entries) > 0 && (i > 0 || rest) && !s.begins() && !entries[len(entries)-1].full() {
				entries[len(entries)-1].extend(s)
				continue
			}
			e := entry{Entry: timetable.Entry{Page: row.Page}, y: s.y}
			e.extend(s)
			g.describe(&e.Entry)
			e.warnOf(g.doubts...)
			entries = append(entries, e)
		}
		begins[n] = min(before, len(entries)-1) // what begins no entry goes on with the last
		here := entries[begins[n]:]
		tellStray(here, row)
		warnOfShared(here)
		for _, d := range doubts(row, func(column string) bool { return !ofGroup(column) }) {
			if d.line.Odd && besideEmptyGroup(row, d.cell) { // it may be of that column
				warnAll(here, d)
				continue
			}
			here[beside(here, d.line)].warnOf(d)
		}
		above, page = g, row.Page
	}
	for i := range entries {
		entries[i].check(reader)
	}
	warnOfRaised(rows, begins, entries)
	return entries
}

// warnOfShared warns all entries of a row of words that stand before the activity or the day of one: they may be the end of
// what is printed once for all of them, in the column beside it.
func warnOfShared(of []entry) {
	for i := range of {
		for _, text := range [...]string{of[i].Activity, of[i].Day} {
			words, last, found := cutLast(text)
			if !found || !namesSlot(last) || namesSlot(text) {
				continue
			}
			for k := range of {
				of[k].warn(timetable.UnusualValue, "%q stands before %q and may belong to all classes of the group. Check this entry against the PDF.", words, last)
			}
		}
	}
}

// cutLast parts the last word of a text from those before it.
func cutLast(text string) (before, last string, found bool) {
	at := strings.LastIndexByte(text, ' ')
	if at < 0 {
		return "", text, false
	}
	return text[:at], text[at+1:], true
}

// namesSlot reports whether a text is a lecture's activity or day.
func namesSlot(text string) bool {
	_, isDay := weekday(text)
	_, isActivity := numberedCode(text, 3)
	return isDay || isActivity
}

// warnAbove warns the entries of a group of a row below it that begins none: it may be the rest of theirs.
func warnAbove(of []entry, g group, row table.Row) {
	if g.module != "" || g.name != "" || len(of) == 0 {
		return
	}
	if !slices.ContainsFunc(row.Cells, func(c table.Cell) bool { return ofGroup(c.Column) && len(c.Lines) > 0 }) {
		of = of[len(of)-1:] // it says nothing of the whole group
	}
	for i := range of {
		of[i].warn(timetable.UnusualValue, belowMayBelong)
	}
}

// group is what is printed once for several lectures.
type group struct {
	module, offered, name, lang, campus, studyProg string
	others                                         []remark // of columns that no layout knows
	first                                          int      // its first entry
	doubts                                         []doubt
}

func newGroup(row table.Row) group {
	text := func(column string) string { return row.Cell(column).Text() }
	return group{
		module: text(colModule), offered: text(colOffered), name: text(colGroup), lang: text(colLang),
		campus: text(colCampus), studyProg: text(colStudyProg),
		others: remarks(row), doubts: doubts(row, ofGroup),
	}
}

func warnAll(entries []entry, d doubt) {
	for i := range entries {
		entries[i].warnOf(d)
	}
}

// besideEmptyGroup reports whether nothing stands in a column beside a cell that is printed once for several lectures.
func besideEmptyGroup(row table.Row, cell table.Cell) bool {
	at := slices.IndexFunc(row.Cells, func(c table.Cell) bool { return c.Column == cell.Column })
	for _, k := range [...]int{at - 1, at + 1} {
		if k >= 0 && k < len(row.Cells) && row.Cells[k].Column != "" && ofGroup(row.Cells[k].Column) && len(row.Cells[k].Lines) == 0 {
			return true
		}
	}
	return false
}

// inEmptyGroup reports whether a line reaches into a cell that is printed once for several lectures and says nothing, as
// high as another such cell says something.
func inEmptyGroup(row table.Row, l table.Line) bool {
	reached, beside := false, false
	for _, c := range row.Cells {
		switch {
		case c.Column == "" || !ofGroup(c.Column):
		case len(c.Lines) == 0:
			reached = reached || l.X0 < c.X1 && l.X1 > c.X0
		default:
			beside = beside || slices.ContainsFunc(c.Lines, func(o table.Line) bool { return math.Abs(o.Y-l.Y) < sameHeight*l.Size })
		}
	}
	return reached && beside
}

// ofGroup reports whether a column is printed once for several lectures.
func ofGroup(column string) bool {
	switch column {
	case colActivity, colDay, colTime, colVenue:
		return false
	}
	return true
}

// continued is the group after the rest of its cells, printed on the next page.
func (g group) continued(rest group) group {
	g.doubts = slices.Concat(g.doubts, rest.doubts)
	g.offered = table.Join(g.offered, rest.offered)
	g.lang = table.Join(g.lang, rest.lang)
	g.campus = table.Join(g.campus, rest.campus)
	g.studyProg = table.Join(g.studyProg, rest.studyProg)
	g.others = continued(g.others, rest.others)
	return g
}

// inherited are the doubts about what a group below takes over from this one.
func (g group) inherited(below group) []doubt {
	var out []doubt
	for _, d := range g.doubts {
		if d.cell.Column == colModule || d.cell.Column == colOffered && below.offered == "" {
			out = append(out, d)
		}
	}
	return out
}

func (g group) describe(e *timetable.Entry) {
	e.Module, e.Offered, e.Group, e.Lang = g.module, g.offered, g.name, g.lang
	e.Campus, e.StudyProg, e.Comments = g.campus, g.studyProg, comments(g.others)
}

// slot is what stands on one baseline of the columns that each lecture has.
type slot struct {
	y                   float64
	activity, day, time string
	venues              []table.Line
}

// slots are the baselines of a row, from top to bottom. A row that says no more than one lecture is
// one slot: some producers centre each cell between the rulings, so that its baselines are its own.
// Not so the rest of a row from the page before, which may begin with the rest of a lecture.
func slots(row table.Row, rest bool) []slot {
	if s, ok := onlySlot(row); ok && !rest {
		return []slot{s}
	}
	cells := [...]table.Cell{row.Cell(colActivity), row.Cell(colDay), row.Cell(colTime), row.Cell(colVenue)}
	var heights []float64
	for _, cell := range cells {
		heights = withHeights(heights, cell.Lines)
	}
	out := make([]slot, len(heights))
	for i, y := range heights {
		out[i].y = y
	}
	for i, cell := range cells {
		for _, l := range cell.Lines {
			k, _ := heightOf(heights, l)
			out[k].put(i, l)
		}
	}
	if len(out) == 0 {
		return []slot{{}} // a group without any lecture is still a printed row
	}
	return out
}

// put adds a line of one of the four columns.
func (s *slot) put(column int, l table.Line) {
	switch column {
	case 0:
		s.activity = table.Join(s.activity, l.Text)
	case 1:
		s.day = table.Join(s.day, l.Text)
	case 2:
		s.time = table.Join(s.time, l.Text)
	default:
		s.venues = append(s.venues, l)
	}
}

// withHeights adds the baselines of lines to sorted ones, where none is near.
func withHeights(heights []float64, lines []table.Line) []float64 {
	var fresh []float64
	for _, l := range lines {
		if _, ok := heightOf(heights, l); ok {
			continue
		}
		if n := len(fresh); n == 0 || math.Abs(fresh[n-1]-l.Y) > sameHeight*l.Size {
			fresh = append(fresh, l.Y)
		}
	}
	if len(fresh) > 0 {
		heights = append(heights, fresh...)
		slices.Sort(heights)
	}
	return heights
}

// sameHeight is how far apart, in ems, the baselines of one slot may be.
const sameHeight = 0.4

// heightOf is the index of the baseline nearest to a line's, and whether it is near enough.
func heightOf(heights []float64, l table.Line) (int, bool) {
	i := sort.SearchFloat64s(heights, l.Y)
	if i == len(heights) || i > 0 && l.Y-heights[i-1] <= heights[i]-l.Y {
		i--
	}
	return max(i, 0), i >= 0 && math.Abs(heights[i]-l.Y) <= sameHeight*l.Size
}

// onlySlot is the whole row as one slot, where its cells say one activity, one day and one time.
func onlySlot(row table.Row) (slot, bool) {
	activity, day, hours := row.Cell(colActivity), row.Cell(colDay), row.Cell(colTime)
	s := slot{activity: activity.Text(), day: day.Text(), time: hours.Text(), venues: row.Cell(colVenue).Lines}
	_, _, isRange := timeRange(s.time)
	return s, isRange && len(activity.Lines) <= 1 && len(day.Lines) <= 1
}

// begins reports whether the slot is a lecture of its own rather than wrapped text of the one above.
func (s slot) begins() bool {
	_, _, isRange := timeRange(s.time)
	_, isDay := weekday(s.day)
	_, isActivity := numberedCode(s.activity, 3)
	if isRange || isDay || isActivity {
		return true
	}
	filled := 0
	for _, text := range []string{s.activity, s.day, s.time} {
		if text != "" {
			filled++
		}
	}
	return filled > 1
}

// extend adds a slot's text. Time and day are kept as printed until check reads them.
func (e *entry) extend(s slot) {
	e.Activity = table.Join(e.Activity, s.activity)
	e.Day = table.Join(e.Day, s.day)
	e.StartTime = table.Join(e.StartTime, s.time)
	e.venueLines = append(e.venueLines, s.venues...)
}

// setCodes reads the group and the activity where they can be read in one way only, and warns where in two.
func (e *entry) setCodes() {
	for _, field := range []*string{&e.Group, &e.Activity} {
		*field, _ = numberedCode(*field, 3)
		if twoReadings(*field) {
			e.warn(timetable.UnreadableText, "%q may have a letter where a digit is meant, or a digit where a letter is. Check this entry against the PDF.", *field)
		}
	}
}

// full reports whether an entry holds more than any printed one: to add to it for ever takes ever longer.
func (e *entry) full() bool {
	const most = 1000
	return len(e.venueLines) > most || len(e.Activity)+len(e.Day)+len(e.StartTime) > most
}

// check reads what a lecture's fields say and warns of what makes no sense.
func (e *entry) check(reader venueReader) {
	printed := e.StartTime
	e.StartTime = ""
	e.setModule(e.Module)
	e.setCodes()
	offered, ok := term(e.Offered)
	e.Offered = offered
	if offered != "" && !ok {
		e.warn(timetable.UnknownTerm, "%q is not a term: these are S1, S2, Q1 to Q4 and Y. Check in the PDF when this class is held.", e.Offered)
	}
	if e.Day == "" {
		e.warn(timetable.NoDay, "The row has no day. Look it up in the PDF, or ask your lecturer.")
	}
	e.setDay(e.Day)
	e.setTimes(printed)
	e.setVenues(reader, false)
}
