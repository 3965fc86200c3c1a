package schedule

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

var hhmm = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

// FuzzRead reads foreign cells: typed fields hold what they may or nothing, and what is missing or
// makes no sense has a warning.
func FuzzRead(f *testing.F) {
	f.Add(uint8(0), "COS 214|S1|G01|E L|L1|Monday|08:30 - 09:20|IT 4-4|HATFIELD|BSc")
	f.Add(uint8(1), "COS 214|Test1|Monday|04 Aug 2025|17:30 - 19:00|HATFIELD|IT 4-4\nEMS 2-150|")
	f.Add(uint8(2), "FINAL||1|Exam|Monday|06-NOV-2025|07:30|HATF|HATFIELD|Roos Hall 2 (ground floor,\nentrance 3)|")
	f.Add(uint8(7), "|||||||24:00 - 7|,")
	f.Fuzz(func(t *testing.T, kind uint8, text string) {
		layouts := Layouts()
		layout := &layouts[int(kind)%len(layouts)]
		row := table.Row{Page: 1, Ruled: kind%2 == 0}
		texts := strings.Split(text, "|")
		for i, c := range layout.Columns {
			cell := table.Cell{Column: c.Name, X0: float64(50 * i), X1: float64(50*i + 50), Ruled: kind%4 < 2}
			if i < len(texts) {
				for n, line := range strings.Split(texts[i], "\n") {
					if line != "" {
						cell.Lines = append(cell.Lines, table.Line{Text: line, X0: cell.X0, X1: cell.X0 + float64(4*len(line)), Y: float64(12 * n), Size: 10, First: 10})
					}
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		rows := []table.Row{row, row}
		rows[1].Page = 1 + int(kind>>4)%2
		for _, e := range Read(table.Table{Layout: layout, Rows: rows}).Entries {
			checkFields(t, timetable.Kind(layout.Name), e)
		}
	})
}

func checkFields(t *testing.T, kind timetable.Kind, e timetable.Entry) {
	t.Helper()
	warned := func(code string) bool {
		return slices.ContainsFunc(e.Warnings, func(w timetable.Warning) bool { return w.Code == code && w.Message != "" && w.Page > 0 && w.Row > 0 })
	}
	want := func(holds bool, what string) {
		if !holds {
			t.Errorf("%s: %+v", what, e)
		}
	}
	want(isModule(e.Module) || warned(timetable.NoModule), "module")
	want(hhmm.MatchString(e.StartTime) && hhmm.MatchString(e.EndTime) || e.StartTime == "" && e.EndTime == "" && warned(timetable.NoTime), "times")
	want(e.StartTime < e.EndTime || warned(timetable.EndBeforeStart) || warned(timetable.NoTime), "order of times")
	want(e.Venues != nil, "venues")
	if kind == timetable.Lecture {
		want(isWeekday(e.Day) || e.Day == "" && warned(timetable.NoDay), "day")
		return
	}
	d, err := time.Parse(time.DateOnly, e.Date)
	want(err == nil || e.Date == "" && warned(timetable.NoDate), "date")
	want(e.Day == "" || isWeekday(e.Day), "day")
	want(e.Day == "" || e.Date == "" || e.Day == d.Weekday().String() || warned(timetable.DayMismatch), "weekday")
}

func isWeekday(day string) bool {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if day == d.String() {
			return true
		}
	}
	return false
}

// FuzzValues reads foreign times, dates and days: none gives what it should not.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"07:30", "7h30 - 8h20", "17:30–19:00", "06 NOV 2025", "Sept 1, 2025", "2025-02-30", "Mo", "COS214", "9.15 to 10.05"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := clock(s); ok != hhmm.MatchString(c) {
			t.Errorf("clock(%q) = %q, %v", s, c, ok)
		}
		if from, to, ok := timeRange(s); ok != (hhmm.MatchString(from) && hhmm.MatchString(to)) {
			t.Errorf("timeRange(%q) = %q, %q, %v", s, from, to, ok)
		}
		if d, ok := date(s); ok && (d.Year() < 1900 || d.Year() > 2200) {
			t.Errorf("date(%q) = %v", s, d)
		}
		if d, ok := weekday(s); ok != isWeekday(d) {
			t.Errorf("weekday(%q) = %q, %v", s, d, ok)
		}
		if m, ok := moduleCode(s); ok != isModule(m) {
			t.Errorf("moduleCode(%q) = %q, %v", s, m, ok)
		}
	})
}

// FuzzVenues reads foreign lines of venues: all letters stay, in their order.
func FuzzVenues(f *testing.F) {
	f.Add("Roos Hall 2 (ground floor,\nentrance 3)\nIT 4-4\nCentre for\nteaching", true)
	f.Fuzz(func(t *testing.T, text string, several bool) {
		var lines []table.Line
		for s := range strings.SplitSeq(text, "\n") {
			if s = strings.Join(strings.Fields(s), " "); s != "" {
				lines = append(lines, table.Line{Text: s, X1: float64(5 * len(s)), Size: 10, First: 20})
			}
		}
		venues, _ := venueReader{limit: 100, starts: map[string]bool{"IT": true}}.venues(lines, several)
		if got, want := strings.Join(strings.Fields(strings.Join(venues, " ")), ""), strings.Join(strings.Fields(text), ""); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
