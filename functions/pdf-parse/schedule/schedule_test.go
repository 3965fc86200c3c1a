package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
	"github.com/schedgen/schedgen/shared/timetable"
)

// tableOf makes a table from rows written as "page | cell | cell", a line break in a cell as "/".
// A cell's line n stands at 12n points; "_" is a line without text.
func tableOf(t *testing.T, kind timetable.Kind, rows ...string) table.Table {
	t.Helper()
	layouts := schedule.Layouts()
	i := slices.IndexFunc(layouts, func(l table.Layout) bool { return l.Name == string(kind) })
	found := table.Table{Layout: &layouts[i]}
	for _, text := range rows {
		parts := strings.Split(text, "|")
		row := table.Row{Ruled: true}
		if _, err := fmt.Sscan(parts[0], &row.Page); err != nil {
			t.Fatal(err)
		}
		for k, column := range layouts[i].Columns {
			cell := table.Cell{Column: column.Name, X0: 100 * float64(k), X1: 100*float64(k) + 100, Ruled: true, RuledLeft: true}
			if k+1 < len(parts) {
				cell.Lines = linesOf(parts[k+1], cell.X0)
			}
			row.Cells = append(row.Cells, cell)
		}
		found.Rows = append(found.Rows, row)
	}
	return found
}

func linesOf(text string, x float64) []table.Line {
	var lines []table.Line
	for n, line := range strings.Split(text, "/") {
		if line = strings.TrimSpace(line); line != "" && line != "_" {
			lines = append(lines, table.Line{Text: line, X0: x, X1: x + 4*float64(len(line)), Y: 12 * float64(n), Size: 10, First: 4})
		}
	}
	return lines
}

// spell writes an entry's fields, and its warnings as CODE@page.row.
func spell(e timetable.Entry) string {
	fields := []string{
		e.Module, e.Offered, e.Group, e.Lang, e.Test, e.Paper, e.Status, e.Activity, e.Day, e.Date, e.StartTime, e.EndTime,
		strings.Join(e.Venues, "+"), e.Campus, e.ModuleCampus, e.StudyProg, e.Comments,
	}
	for _, w := range e.Warnings {
		fields = append(fields, fmt.Sprintf("%s@%d.%d", w.Code, w.Page, w.Row))
	}
	return strings.Join(slices.DeleteFunc(fields, func(s string) bool { return s == "" }), " ")
}

func TestRead(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		kind timetable.Kind
		rows []string
		want []string
	}{
		"lectures of a group": {timetable.Lecture,
			[]string{"1|COS 214|S1|G01|E L|L1/L2|Monday/Friday|07:30 - 08:20/9:30 - 10:20|IT 4-4/EMS 2-150|HATFIELD|BSc"},
			[]string{"COS 214 S1 G01 E L L1 Monday 07:30 08:20 IT 4-4 HATFIELD BSc", "COS 214 S1 G01 E L L2 Friday 09:30 10:20 EMS 2-150 HATFIELD BSc"}},
		"every term": {timetable.Lecture,
			[]string{"1|COS 1|S2|G01||L1|Monday|07:30 - 08:20|A", "1|COS 214|Q4|G01||L1|Monday|07:30 - 08:20|A", "1|COS 214|Y|G01||L1|Monday|07:30 - 08:20|A", "1|COS 214|Q5|G01||L1|Monday|07:30 - 08:20|A"},
			[]string{"COS 1 S2 G01 L1 Monday 07:30 08:20 A NO_MODULE@1.1", "COS 214 Q4 G01 L1 Monday 07:30 08:20 A", "COS 214 Y G01 L1 Monday 07:30 08:20 A", "COS 214 Q5 G01 L1 Monday 07:30 08:20 A UNKNOWN_TERM@1.4"}},
		"a wrapped venue is no lecture": {timetable.Lecture,
			[]string{"1|COS 214|S1|G01||L1/_/L2|Monday/_/Friday|07:30 - 08:20/_/07:30 - 08:20|Building/4 and 5/IT 4-4"},
			[]string{"COS 214 S1 G01 L1 Monday 07:30 08:20 Building 4 and 5", "COS 214 S1 G01 L2 Friday 07:30 08:20 IT 4-4"}},
		"the rest of a group on the next page": {timetable.Lecture,
			[]string{"1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|BSc (Computer", "2|||||L2|Friday|07:30 - 08:20|IT 4-1||Science)", "2|COS 215|S1|G01||L1|Monday|07:30 - 08:20|IT 4-4"},
			[]string{"COS 214 S1 G01 E L L1 Monday 07:30 08:20 IT 4-4 HATFIELD BSc (Computer Science)", "COS 214 S1 G01 E L L2 Friday 07:30 08:20 IT 4-1 HATFIELD BSc (Computer Science)", "COS 215 S1 G01 L1 Monday 07:30 08:20 IT 4-4"}},
		"only a venue's rest on the next page": {timetable.Lecture,
			[]string{"1|COS 214|S1|G01||L1|Monday|07:30 - 08:20|Theatre of the natural", "2|||||||| sciences"},
			[]string{"COS 214 S1 G01 L1 Monday 07:30 08:20 Theatre of the natural sciences"}},
		"a venue's rest and a lecture on the next page": {timetable.Lecture,
			[]string{"1|COS 214|S1|G01||L1|Monday|07:30 - 08:20|Roos Hall 2 (ground floor,", "2|||||_/L2|_/Friday|_/07:30 - 08:20|entrance 3)/IT 4-4"},
			[]string{"COS 214 S1 G01 L1 Monday 07:30 08:20 Roos Hall 2 (ground floor, entrance 3)", "COS 214 S1 G01 L2 Friday 07:30 08:20 IT 4-4"}},
		"each cell centred by itself": {timetable.Lecture,
			[]string{"1|_/COS 214|_/S1|_/G01||_/L1|_/Monday|07:30 -/_/08:20|Theatre of/the natural/sciences"},
			[]string{"COS 214 S1 G01 L1 Monday 07:30 08:20 Theatre of the natural sciences"}},
		"lectures that make no sense": {timetable.Lecture,
			[]string{"2|COS 214|S1|G01||L1/L2/L3|Monday/_/Funday|_/08:20 - 07:30/TBA|IT 4-4/IT 4-4/IT 4-4"},
			[]string{"COS 214 S1 G01 L1 Monday IT 4-4 NO_TIME@2.1", "COS 214 S1 G01 L2 08:20 07:30 IT 4-4 NO_DAY@2.2 END_BEFORE_START@2.2", "COS 214 S1 G01 L3 IT 4-4 NO_DAY@2.3 NO_TIME@2.3"}},
		"a test in many rooms, over a page break": {timetable.Test,
			[]string{"1|COS 214|PTest/1|Saturday|23 Aug 2025|07:30 - 09:00|HATFIELD|IT 4-4/EMS 2-150", "2|||||||Thuto 1-1"},
			[]string{"COS 214 PTest 1 Saturday 2025-08-23 07:30 09:00 IT 4-4+EMS 2-150+Thuto 1-1 HATFIELD"}},
		"tests that make no sense": {timetable.Test,
			[]string{"1|COS 214|Test1|Monday|23 Aug 2025|09:00 - 07:30|HATFIELD|IT", "1||Test1|Saturday|23 Aug 2025|07:30|HATFIELD|IT", "1|COS 214|Test1||31 Nov 2025|07:30 - 09:00|HATFIELD|IT"},
			[]string{
				"COS 214 Test1 Monday 2025-08-23 09:00 07:30 IT HATFIELD DAY_MISMATCH@1.1 END_BEFORE_START@1.1",
				"Test1 Saturday 2025-08-23 IT HATFIELD NO_MODULE@1.2 NO_TIME@1.2",
				"COS 214 Test1 07:30 09:00 IT HATFIELD NO_DATE@1.3",
			}},
		"exams": {timetable.Exam,
			[]string{"1|COS 214|FINAL|1|Exam/Written||06 NOV 2025|07:30|HATF|HATFIELD|IT 4-4|Open/book", "1|COS 214|FINAL|2|Exam Oral||06 NOV 2025|07:30 - 09:00||HATFIELD|IT 4-4", "1|COS 214|FINAL|2|Exam Oral||||||"},
			[]string{"COS 214 1 FINAL Exam Written 2025-11-06 07:30 10:30 IT 4-4 HATFIELD HATF Open book", "COS 214 2 FINAL Exam Oral 2025-11-06 07:30 09:00 IT 4-4 HATFIELD", "COS 214 2 FINAL Exam Oral NO_DATE@1.3 NO_TIME@1.3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := schedule.Read(tableOf(t, test.kind, test.rows...))
			if doc.Kind != test.kind {
				t.Errorf("got kind %q, want %q", doc.Kind, test.kind)
			}
			var got []string
			for _, e := range doc.Entries {
				got = append(got, spell(e))
			}
			if strings.Join(got, "\n") != strings.Join(test.want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestModulePrintedOnce holds that without rulings a group without a module is of the module above;
// between rulings it is a row without one.
func TestModulePrintedOnce(t *testing.T) {
	t.Parallel()
	for ruled, want := range map[bool]string{
		false: "COS 214 S1 P02 P1 Friday 07:30 08:20 IT 4-1",
		true:  "P02 P1 Friday 07:30 08:20 IT 4-1 NO_MODULE@1.2",
	} {
		found := tableOf(t, timetable.Lecture, "1|COS 214|S1|P01||P1|Monday|07:30 - 08:20|IT 4-4", "1|||P02||P1|Friday|07:30 - 08:20|IT 4-1")
		for i := range found.Rows {
			found.Rows[i].Ruled = ruled
		}
		if got := spell(schedule.Read(found).Entries[1]); got != want {
			t.Errorf("ruled %v: got %q, want %q", ruled, got, want)
		}
	}
}

// TestUnknownColumnIsKept holds that a column that no layout knows stays readable.
func TestUnknownColumnIsKept(t *testing.T) {
	t.Parallel()
	for _, kind := range []timetable.Kind{timetable.Lecture, timetable.Exam} {
		found := tableOf(t, kind, "1|COS 214")
		found.Rows[0].Cells = append(found.Rows[0].Cells, table.Cell{Heading: "Seats", Lines: []table.Line{{Text: "120"}}})
		doc := schedule.Read(found)
		if got, want := doc.Entries[0].Comments, "Seats: 120"; got != want {
			t.Errorf("%s: got comments %q, want %q", kind, got, want)
		}
	}
}

// TestStrayTextIsTold holds that text in no column is told where it stands: in a group's lectures beside
// one of them, and in what goes on with a row.
func TestStrayTextIsTold(t *testing.T) {
	t.Parallel()
	for kind, rows := range map[timetable.Kind][]string{
		timetable.Lecture: {"1|COS 214|S1|G01||L1/L2|Monday/Friday|07:30 - 08:20/07:30 - 08:20|IT 4-4/IT 4-4"},
		timetable.Test:    {"1|COS 214|Test1|Saturday|23 Aug 2025|07:30 - 09:00|HATFIELD|IT", "1|COS 215|Test1|Saturday|23 Aug 2025|07:30 - 09:00|HATFIELD|IT"},
	} {
		found := tableOf(t, kind, rows...)
		last := &found.Rows[len(found.Rows)-1]
		last.Cells = append(last.Cells, table.Cell{Lines: linesOf("_/late", 900)})
		doc := schedule.Read(found)
		if len(doc.Entries) != 2 || len(doc.Entries[0].Warnings) != 0 || !strings.HasSuffix(spell(doc.Entries[1]), timetable.StrayText+"@1.2") {
			t.Errorf("%s: got %+v, want the second of two entries with a %s", kind, doc.Entries, timetable.StrayText)
		}
	}
}

// TestLeftOverIsTold holds that every entry of a page, and the one before it, tells of rows there that belong to no
// table.
func TestLeftOverIsTold(t *testing.T) {
	t.Parallel()
	const row = "|Test1|Saturday|23 Aug 2025|07:30 - 09:00|HATFIELD|IT"
	found := tableOf(t, timetable.Test, "1|COS 214"+row, "1|COS 215"+row, "2|COS 216"+row)
	found.LeftOver = []int{2}
	for i, e := range schedule.Read(found).Entries {
		if warns := strings.Contains(spell(e), timetable.PageIncomplete); warns != (i > 0) {
			t.Errorf("entry %d: got %+v", i, e)
		}
	}
}

// TestColumnOfItsOwn holds that a column which no layout knows is told whole, where its row goes on on the next page too.
func TestColumnOfItsOwn(t *testing.T) {
	t.Parallel()
	found := tableOf(t, timetable.Lecture, "1|COS 214|S1|G01|E L|L1|Monday|07:30 - 08:20|IT 4-4|HATFIELD|", "2|||||L2|Friday|07:30 - 08:20|IT 4-4||")
	for i, text := range []string{"Ms", "Naidoo"} {
		row := &found.Rows[i]
		row.Cells = append(row.Cells, table.Cell{Heading: "Lecturer", X0: 1000, X1: 1100, Ruled: true, RuledLeft: true, Lines: linesOf(text, 1000)})
	}
	for _, e := range schedule.Read(found).Entries {
		if want := "Lecturer: Ms Naidoo"; e.Comments != want {
			t.Errorf("got %q, want %q", e.Comments, want)
		}
	}
}
