package table_test

import (
	"fmt"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// TestSheetsWithRoomLeft holds that pages are found on a sheet that has room for more of them.
func TestSheetsWithRoomLeft(t *testing.T) {
	t.Parallel()
	sheet := extract.Page{Number: 1, Width: 2400, Height: 300}
	for i, line := range []string{"40: COS_214@20 Test1@100 04_Aug_2025@220", "40: COS_215@20 Test1@100 05_Aug_2025@220"} {
		for _, w := range drawn(t, 1, heads(20), line).Words {
			w.X0, w.X1 = w.X0+600*float64(i), w.X1+600*float64(i)
			sheet.Words = append(sheet.Words, w)
		}
	}
	if got := len(table.Pages([]extract.Page{sheet}, schedule.Layouts())); got != 2 {
		t.Errorf("got %d pages, want 2", got)
	}
}

// TestDamagedSheetKeepsItsPlaces holds that a sheet of which a page was lost counts all its pages: those after it keep
// their numbers.
func TestDamagedSheetKeepsItsPlaces(t *testing.T) {
	t.Parallel()
	sheet := func(number int, lines ...string) extract.Page {
		s := extract.Page{Number: number, Width: 1200, Height: 300, Incomplete: len(lines) < 2}
		for i, line := range lines {
			frame := extract.Box{X0: 600 * float64(i), X1: 600 * float64(i+1), Y1: 300}
			s.Frames = append(s.Frames, frame)
			for _, w := range drawn(t, number, heads(20), line).Words {
				w.X0, w.X1 = w.X0+frame.X0, w.X1+frame.X0
				s.Words = append(s.Words, w)
			}
		}
		return s
	}
	first, second := "40: COS_214@20 Test1@100 04_Aug_2025@220", "40: COS_215@20 Test1@100 05_Aug_2025@220"
	pages := table.Pages([]extract.Page{sheet(1, first, second), sheet(2, first), sheet(3, first, second)}, schedule.Layouts())
	var got []int
	for _, p := range pages {
		got = append(got, p.Number)
	}
	if want := "[1 2 3 5 6]"; fmt.Sprint(got) != want {
		t.Errorf("got pages %v, want %s", got, want)
	}
}

// TestPaintedOverPageIsAPage holds that a page of a sheet is found that says nothing but what was painted over, whether
// it was clipped or lies in a grid.
func TestPaintedOverPageIsAPage(t *testing.T) {
	t.Parallel()
	left, right := extract.Box{X1: 600, Y1: 300}, extract.Box{X0: 600, X1: 1200, Y1: 300}
	for name, frames := range map[string][]extract.Box{"clipped": {left, right}, "grid": nil} {
		sheet := drawn(t, 1, heads(20), "40: COS_214@20 Test1@100 04_Aug_2025@220")
		sheet.Width, sheet.Height, sheet.Frames = 1200, 300, frames
		hidden := sheet.Words[len(sheet.Words)-3] // where a heading begins
		hidden.X0, hidden.X1, hidden.Y, hidden.Faint = hidden.X0+600, hidden.X1+600, 20, true
		sheet.Covered = []extract.Word{hidden}
		pages := table.Pages([]extract.Page{sheet}, schedule.Layouts())
		if len(pages) != 2 || len(pages[1].Covered) != 1 {
			t.Errorf("%s: got %d pages, want 2, the second with what was painted over", name, len(pages))
		}
	}
}
