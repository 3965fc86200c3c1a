package schedule

import (
	"cmp"
	"math"
	"slices"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// lectures reads rows in which module, group and campus are printed once for several lines of
// activity, day, time and venue.
func lectures(rows []table.Row, rooms rooms) []entry {
	var entries []entry
	var above group
	page := 0
	for _, row := range rows {
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
			g.module, g.offered = above.module, cmp.Or(g.offered, above.offered)
			g.doubts = append(g.doubts, above.doubts...)
			g.first = len(entries)
		default:
			g.first = len(entries)
		}
		before := len(entries)
		for i, s := range slots(row, rest) {
			if len(entries) > 0 && (i > 0 || rest) && !s.begins() {
				entries[len(entries)-1].extend(s)
				continue
			}
			e := entry{Entry: timetable.Entry{Page: row.Page}, y: s.y}
			e.extend(s)
			g.describe(&e.Entry)
			e.comment(row)
			e.warnOf(g.doubts...)
			entries = append(entries, e)
		}
		here := entries[min(before, len(entries)-1):] // what begins no entry goes on with the last
		tellStray(here, row)
		for _, d := range doubts(row, func(column string) bool { return !ofGroup(column) }) {
			here[beside(here, d.line)].warnOf(d)
		}
		above, page = g, row.Page
	}
	for i := range entries {
		entries[i].check(rooms)
	}
	return entries
}

// group is what is printed once for several lectures.
type group struct {
	module, offered, name, lang, campus, studyProg string
	first                                          int // its first entry
	doubts                                         []doubt
}

func newGroup(row table.Row) group {
	text := func(column string) string { return row.Cell(column).Text() }
	return group{
		module: text(colModule), offered: text(colOffered), name: text(colGroup), lang: text(colLang),
		campus: text(colCampus), studyProg: text(colStudyProg),
		doubts: doubts(row, ofGroup),
	}
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
	return g
}

func (g group) describe(e *timetable.Entry) {
	e.Module, e.Offered, e.Group, e.Lang = g.module, g.offered, g.name, g.lang
	e.Campus, e.StudyProg = g.campus, g.studyProg
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
	var out []slot
	at := func(l table.Line) *slot {
		i := slices.IndexFunc(out, func(s slot) bool { return math.Abs(s.y-l.Y) <= 0.4*l.Size })
		if i < 0 {
			out = append(out, slot{y: l.Y})
			i = len(out) - 1
		}
		return &out[i]
	}
	for _, l := range row.Cell(colActivity).Lines {
		at(l).activity = l.Text
	}
	for _, l := range row.Cell(colDay).Lines {
		at(l).day = l.Text
	}
	for _, l := range row.Cell(colTime).Lines {
		at(l).time = l.Text
	}
	for _, l := range row.Cell(colVenue).Lines {
		s := at(l)
		s.venues = append(s.venues, l)
	}
	slices.SortFunc(out, func(a, b slot) int { return cmp.Compare(a.y, b.y) })
	if len(out) == 0 {
		return []slot{{}} // a group without any lecture is still a printed row
	}
	return out
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
	e.rooms = append(e.rooms, s.venues...)
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

// check reads what a lecture's fields say and warns of what makes no sense.
func (e *entry) check(rooms rooms) {
	printed := e.StartTime
	e.StartTime = ""
	e.setModule(e.Module)
	e.setCodes()
	offered, ok := term(e.Offered)
	e.Offered = offered
	if offered != "" && !ok {
		e.warn(timetable.UnknownTerm, "%q is no term: S1, S2, Q1 to Q4 or Y.", e.Offered)
	}
	if e.Day == "" {
		e.warn(timetable.NoDay, "The row has no day.")
	}
	e.setDay(e.Day)
	e.setTimes(printed)
	e.setVenues(rooms, false)
}
