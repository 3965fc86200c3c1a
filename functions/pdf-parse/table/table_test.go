package table_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// drawn is a page of a test, 600 by 300 points, from lines "y: text@x text@x"; a text may hold spaces
// as underscores. "h y" and "v x y0-y1" are rulings; a level one runs from 15 to 560, or as far as "h y to x" or "h y from x to x" says.
func drawn(t *testing.T, number int, lines ...string) extract.Page {
	t.Helper()
	p := extract.Page{Number: number, Width: 600, Height: 300}
	for _, line := range lines {
		var x, y0, y1 float64
		x1 := 560.0
		if n, _ := fmt.Sscanf(line, "h %g from %g to %g", &y0, &x, &x1); n == 3 {
			p.Rulings = append(p.Rulings, extract.Ruling{X0: x, X1: x1, Y0: y0, Y1: y0})
			continue
		}
		if n, _ := fmt.Sscanf(line, "h %g to %g", &y0, &x1); n > 0 {
			p.Rulings = append(p.Rulings, extract.Ruling{X0: 15, X1: x1, Y0: y0, Y1: y0})
			continue
		}
		if n, _ := fmt.Sscanf(line, "v %g %g-%g", &x, &y0, &y1); n == 3 {
			p.Rulings = append(p.Rulings, extract.Ruling{X0: x, X1: x, Y0: y0, Y1: y1})
			continue
		}
		height, texts, _ := strings.Cut(line, ": ")
		if _, err := fmt.Sscan(height, &y0); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		for text := range strings.FieldsSeq(texts) {
			text, at, _ := strings.Cut(text, "@")
			if _, err := fmt.Sscan(at, &x); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for word := range strings.SplitSeq(text, "_") {
				width := 5 * float64(len(word))
				p.Words = append(p.Words, extract.Word{Text: word, X0: x, X1: x + width, Y: y0, Size: 10})
				x += width + 2.8
			}
		}
	}
	return p
}

// heads are the headings of a semester test at a height.
func heads(y int) string {
	return fmt.Sprintf("%d: Module@20 Test@100 Day@160 Date@220 Time@300 Campus@400 Venue@480", y)
}

// grid are the upright rulings of such a table.
func grid(y0, y1 int) []string {
	var lines []string
	for _, x := range []int{15, 95, 155, 215, 295, 395, 475, 560} {
		lines = append(lines, fmt.Sprintf("v %d %d-%d", x, y0, y1))
	}
	return lines
}

// spell writes rows as "page: cell|cell", the lines of a cell joined by "/".
func spell(found table.Table) string {
	var out []string
	for _, r := range found.Rows {
		var cells []string
		for _, c := range r.Cells {
			var lines []string
			for _, l := range c.Lines {
				lines = append(lines, l.Text)
			}
			cells = append(cells, strings.Join(lines, "/"))
		}
		out = append(out, fmt.Sprintf("%d: %s", r.Page, strings.Join(cells, "|")))
	}
	return strings.Join(out, "\n")
}

func TestFind(t *testing.T) {
	t.Parallel()
	const first, second = "40: COS_214@20 Test1@100 Monday@160 04_Aug_2025@220 07:30_-_08:20@300 HATFIELD@400 IT_4-4@480",
		"60: COS_215@20 Test1@100 Tuesday@160 05_Aug_2025@220 09:30_-_11:20@300 HATFIELD@400 HB_4-1@480"
	const firstRow, secondRow = "COS 214|Test1|Monday|04 Aug 2025|07:30 - 08:20|HATFIELD|IT 4-4",
		"COS 215|Test1|Tuesday|05 Aug 2025|09:30 - 11:20|HATFIELD|HB 4-1"
	ruled := func(lines ...string) []string {
		return append(append(lines, grid(10, 70)...), "h 10", "h 27", "h 48", "h 70")
	}
	for name, test := range map[string]struct {
		pages [][]string
		want  string
	}{
		"no rulings":              {[][]string{{heads(20), first, second}}, "1: " + firstRow + "\n1: " + secondRow},
		"ruled":                   {[][]string{ruled(heads(20), first, second)}, "1: " + firstRow + "\n1: " + secondRow},
		"level only":              {[][]string{{heads(20), first, second, "h 10", "h 27", "h 48", "h 70"}}, "1: " + firstRow + "\n1: " + secondRow},
		"upright only":            {[][]string{append(grid(10, 70), heads(20), first, second)}, "1: " + firstRow + "\n1: " + secondRow},
		"under the headings only": {[][]string{{heads(20), first, second, "h 27"}}, "1: " + firstRow + "\n1: " + secondRow},
		"a page without headings": {[][]string{ruled(heads(20), first, second), {first, "h 27", "h 48"}},
			"1: " + firstRow + "\n1: " + secondRow + "\n2: " + firstRow},
		"its first row under the paper's edge": {[][]string{ruled(heads(20), first, second), append(grid(5, 48), first, "h 5", "h 48")},
			"1: " + firstRow + "\n1: " + secondRow + "\n2: " + firstRow},
		"headings on every page": {[][]string{ruled(heads(20), first), ruled(heads(20), second)}, "1: " + firstRow + "\n2: " + secondRow},
		"headings again on a page": {[][]string{{heads(20), first, heads(100), "120: COS_300@20 Test1@100"}},
			"1: " + firstRow + "\n1: COS 300|Test1|||||"},
		"wrapped cells": {[][]string{{heads(20), "40: COS_214@20 PTest@100 Monday@160 Roos_Hall@480", "52: 1@100 2@480", "70: COS_215@20"}},
			"1: COS 214|PTest/1|Monday||||Roos Hall/2\n1: COS 215||||||"},
		"cells centred between rulings": {[][]string{{"20: Module@20 Group@100 Activity@160 Day@220 Time@300 Venue@400", "h 27", "h 70",
			"40: Theatre@400", "44: COS@20", "50: of_the@400 G01@100", "56: 214@20", "60: natural@400"}}, "1: COS/214|G01||||Theatre/of the/natural"},
		"wrapped modules": {[][]string{{heads(20), "40: COS@20 Test1@100", "52: 214@20", "70: COS@20 Test2@100", "82: 215@20"}}, "1: COS/214|Test1|||||\n1: COS/215|Test2|||||"},
		"a title, a foot": {[][]string{{"8: My_semester_tests@20", heads(20), first, "290: Page_1_of_1@260"}}, "1: " + firstRow},
		"headings twice in a line": {[][]string{{heads(20), first, "20: Module@700", "40: COS_999@700"}},
			"1: " + firstRow + "|COS 999"},
		"lines far apart": {[][]string{{"20: Module@20 Group@100 Activity@160 Day@220 Time@300 Venue@400",
			"40: COS_214@20 G01@100 L1@160 Monday@220 07:30_-_08:20@300 IT_4-4@400", "80: L2@160 Friday@220 09:30_-_10:20@300 HB_4-1@400"}},
			"1: COS 214|G01|L1/L2|Monday/Friday|07:30 - 08:20/09:30 - 10:20|IT 4-4/HB 4-1"},
		"a text far below that begins as a column": {[][]string{{heads(20), first, "120: HB_4-1@480"}}, "1: " + firstRow + "|HB 4-1"},
		"feet": {[][]string{{heads(20), first, "290: Printed_on_Monday@20"}, {"40: COS_300@20", "290: Printed_on_Monday@20"}},
			"1: " + firstRow + "\n2: COS 300||||||"},
		"a row goes on, on the next page": {[][]string{ruled(heads(20), first), append(grid(10, 70), "h 10", "h 48", "h 70", "40: EMS_2-150@480", second)},
			"1: " + firstRow + "\n2: ||||||EMS 2-150\n2: " + secondRow},
		"a column without a heading": {[][]string{append(grid(10, 70), heads(20), first, second+" late@565", "v 595 10-70", "h 10 to 595", "h 27 to 595", "h 48 to 595", "h 70 to 595")},
			"1: " + firstRow + "|\n1: " + secondRow + "|late"},
		"beside the frame": {[][]string{ruled(heads(20), first, second+" late@565")}, "1: " + firstRow + "\n1: " + secondRow},
		"beside the frame, a border around the page": {[][]string{append(ruled(heads(20), first, second+" late@565"), "v 5 2-290", "v 595 2-290", "h 2 to 595", "h 290 to 595")},
			"1: " + firstRow + "\n1: " + secondRow},
		"a module underlined": {[][]string{ruled(heads(20), first, second, "h 41.5 from 20 to 92")}, "1: " + firstRow + "\n1: " + secondRow},
		"a word in a frame": {[][]string{ruled(heads(20), first, second, "h 30 from 478 to 515", "h 43 from 478 to 515", "v 478 30-43", "v 515 30-43")},
			"1: " + firstRow + "\n1: " + secondRow},
		"an upright line through a column": {[][]string{ruled(heads(20), first, second, "v 520 30-68")}, "1: " + firstRow + "\n1: " + secondRow},
		"a row struck through":             {[][]string{ruled(heads(20), first, second, "h 37")}, "1: " + firstRow + "\n1: " + secondRow},
		"headings struck through": {[][]string{ruled(heads(20), first, second, "h 17.5", "h 21")},
			"1: " + firstRow + "\n1: " + secondRow},
		"a line close above a ruling": {[][]string{{heads(20), first, "47: IT_4-5@480", second, "h 10", "h 27", "h 46", "h 49", "h 70"}},
			"1: COS 214|Test1|Monday|04 Aug 2025|07:30 - 08:20|HATFIELD|IT 4-4/IT 4-5\n1: " + secondRow},
		"narrow headings over wide values": {[][]string{{"20: Module@20 Test@100 Date@160 Time@240 Venue@400", "40: COS_214@20 Test1@100 04_Aug_2025@160 07:30_-_08:20@240 A_very_long_venue@400"}},
			"1: COS 214|Test1|04 Aug 2025|07:30 - 08:20|A very long venue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var pages []extract.Page
			for i, lines := range test.pages {
				pages = append(pages, drawn(t, i+1, lines...))
			}
			found, err := table.Find(pages, schedule.Layouts())
			if err != nil {
				t.Fatal(err)
			}
			if got := spell(found); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestHeadings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines []string
		want  string // the layout
		err   error
	}{
		"test":          {[]string{heads(20)}, "test", nil},
		"lecture":       {[]string{"20: Module@20 Offered@80 Group@130 Lang@170 Activity@210 Day@270 Time@320 Venue@390 Campus@480"}, "lecture", nil},
		"exam, wrapped": {[]string{"20: Status@20 Module@80 Paper@140 Activity@190 Date@250 Start@310 Module@370 Exam@430 Venue@500", "32: Time@310 Campus@370 Campus@430"}, "exam", nil},
		"exam, centred": {[]string{
			"20: Start@310 Module@370 Exam@430", "27: Status@20 Module@80 Paper@140 Activity@190 Date@250 Venue@500", "34: Time@310 Campus@370 Campus@430", "60: COS_214@80",
		}, "exam", nil},
		"letter case":       {[]string{"20: MODULE@20 TEST@100 DATE@220 TIME@300 VENUE@480"}, "test", nil},
		"headings in prose": {[]string{"20: The_module,_test_and_date,_time_and_venue@20"}, "", table.ErrNoTable},
		"one is missing":    {[]string{"20: Module@20 Test@100 Date@220 Venue@480"}, "", table.ErrNoTable},
		"two kinds":         {[]string{heads(20), "100: Module@20 Group@130 Activity@210 Day@270 Time@320 Venue@390"}, "", table.ErrMixed},
		"nothing":           {nil, "", table.ErrNoTable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, err := table.Find([]extract.Page{drawn(t, 1, test.lines...)}, schedule.Layouts())
			if !errors.Is(err, test.err) {
				t.Fatalf("got error %v, want %v", err, test.err)
			}
			if got := found.Layout; err == nil && got.Name != test.want {
				t.Errorf("got %q, want %q", got.Name, test.want)
			}
		})
	}
}

// TestWordOnTheLastRulingIsTold holds that a word whose foot hangs below the table's last ruling is told of with the row
// above it, and a footer there is not.
func TestWordOnTheLastRulingIsTold(t *testing.T) {
	t.Parallel()
	lines := append(grid(10, 65), heads(20), "h 10", "h 25", "h 45", "h 65",
		"40: COS_214@20 Test1@100 04_Aug_2025@220 IT_2-24@480", "63: COS_215@20 Test1@100 05_Aug_2025@220 Orange@480",
		"67: Lab@520", "75: printed_today@20")
	found, err := table.Find([]extract.Page{drawn(t, 1, lines...)}, schedule.Layouts())
	if err != nil {
		t.Fatal(err)
	}
	last := found.Rows[len(found.Rows)-1]
	if stray := last.Stray(); last.Cell("module").Text() != "COS 215" || len(stray) != 1 || stray[0].Text != "Lab" {
		t.Errorf("got the row of %q with %+v beside it, want COS 215 with Lab", last.Cell("module").Text(), stray)
	}
}
