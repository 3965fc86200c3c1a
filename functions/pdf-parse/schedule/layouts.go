package schedule

import (
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// The names of columns.
const (
	colModule       = "module"
	colOffered      = "offered"
	colGroup        = "group"
	colLang         = "lang"
	colActivity     = "activity"
	colDay          = "day"
	colDate         = "date"
	colTime         = "time"
	colVenue        = "venue"
	colCampus       = "campus"
	colModuleCampus = "module campus"
	colStudyProg    = "study prog"
	colTest         = "test"
	colPaper        = "paper"
	colStatus       = "status"
	colComments     = "comments"
)

// Layouts are the tables that the university prints, named by the kind of timetable.
func Layouts() []table.Layout {
	module := table.Column{Name: colModule, Headings: []string{"module", "modules"}, Required: true, Anchor: isModule}
	day := table.Column{Name: colDay, Headings: []string{"day"}}
	date := table.Column{Name: colDate, Headings: []string{"date"}, Required: true, Rank: dateRank}
	venue := table.Column{Name: colVenue, Headings: []string{"venue", "venues"}, Required: true}
	return []table.Layout{
		{Name: string(timetable.Lecture), Columns: []table.Column{
			module,
			{Name: colOffered, Headings: []string{"offered"}},
			{Name: colGroup, Headings: []string{"group"}, Required: true, Anchor: isGroup},
			{Name: colLang, Headings: []string{"lang", "language"}, Pale: isLetter},
			{Name: colActivity, Headings: []string{"activity"}, Required: true},
			{Name: colDay, Headings: day.Headings, Required: true},
			{Name: colTime, Headings: []string{"time"}, Required: true},
			venue,
			{Name: colCampus, Headings: []string{"campus"}},
			{Name: colStudyProg, Headings: []string{"study prog", "study programme"}},
		}},
		{Name: string(timetable.Test), Columns: []table.Column{
			module,
			{Name: colTest, Headings: []string{"test"}, Required: true},
			day, date,
			{Name: colTime, Headings: []string{"time"}, Required: true},
			{Name: colCampus, Headings: []string{"campus"}},
			venue,
			{Name: colComments, Headings: []string{"comments"}},
		}},
		{Name: string(timetable.Exam), Columns: []table.Column{
			module,
			{Name: colStatus, Headings: []string{"status"}},
			{Name: colPaper, Headings: []string{"paper"}},
			{Name: colActivity, Headings: []string{"activity"}},
			day, date,
			{Name: colTime, Headings: []string{"start time", "time"}, Required: true},
			{Name: colModuleCampus, Headings: []string{"module campus"}},
			{Name: colCampus, Headings: []string{"exam campus"}, Required: true},
			venue,
			{Name: colComments, Headings: []string{"exam comments", "comments"}},
		}},
	}
}

// isLetter reports whether a text is what the university prints in white: the second half of "E L".
func isLetter(text string) bool { return len(text) == 1 && text[0] >= 'A' && text[0] <= 'Z' }

// dateRank orders dates. It is asked of all words of a sheet: most show at once that they are no date.
func dateRank(text string) (int64, bool) {
	if len(text) < len("1 May 2026") || !isDigits(text[:1]) || !isDigits(text[len(text)-1:]) {
		return 0, false
	}
	d, ok := date(text)
	return d.Unix(), ok
}

func isModule(line string) bool {
	_, ok := moduleCode(line)
	return ok
}

func isGroup(line string) bool {
	_, ok := numberedCode(line, 3)
	return ok
}
