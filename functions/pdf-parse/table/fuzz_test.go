package table_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

// FuzzFind puts foreign words and rulings below a row of headings: no word is printed twice, and
// none is made up.
func FuzzFind(f *testing.F) {
	f.Add("COS 214|04 Aug 2025|Test1|08:30 - 09:20|HATFIELD", []byte{0, 0, 20, 60, 30, 20, 80, 90}, []byte{10, 25, 200, 25, 50, 10, 50, 90})
	f.Add("Module|Test|Date|Time|Venue|Page 1 of 2", []byte{0, 60, 1, 60, 255, 255, 0, 0}, []byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, text string, places, lines []byte) {
		words := strings.Split(text, "|")
		if len(words) > 60 || len(lines) > 400 {
			return
		}
		pages := []extract.Page{headed(0), {Number: 2, Width: 600, Height: 300}}
		for i, w := range words {
			if strings.TrimSpace(w) == "" || strings.ContainsAny(w, "\n ") {
				continue
			}
			x, y := float64(at(places, 2*i))*2, float64(at(places, 2*i+1))+30
			p := &pages[i%2]
			p.Words = append(p.Words, extract.Word{Text: w, X0: x, X1: x + 5*float64(len(w)), Y: y, Size: 10})
		}
		for i := 0; i+3 < len(lines); i += 4 {
			r := extract.Ruling{X0: float64(lines[i]), Y0: float64(lines[i+1]), X1: float64(lines[i+2]) * 2, Y1: float64(lines[i+1])}
			if lines[i+3]%2 == 1 {
				r = extract.Ruling{X0: r.X0, Y0: r.Y0, X1: r.X0, Y1: r.Y0 + float64(lines[i+3])}
			}
			if r.X0 <= r.X1 {
				pages[0].Rulings = append(pages[0].Rulings, r)
			}
		}
		found, err := table.Find(pages, schedule.Layouts())
		if err != nil {
			return
		}
		printed := map[string]int{}
		for _, p := range pages {
			for _, w := range p.Words {
				printed[w.Text]++
			}
		}
		for _, row := range found.Rows {
			if math.IsNaN(row.Y0+row.Y1) || row.Y0 > row.Y1 {
				t.Errorf("row from %g to %g", row.Y0, row.Y1)
			}
			for _, cell := range row.Cells {
				for w := range strings.SplitSeq(cell.Text(), " ") {
					if printed[w]--; w != "" && printed[w] < 0 {
						t.Errorf("%q is read more often than it is printed", w)
					}
				}
			}
		}
	})
}

func at(b []byte, i int) byte {
	if len(b) == 0 {
		return byte(i)
	}
	return b[i%len(b)]
}

// headed is a page with the headings of a test at a height.
func headed(y float64) extract.Page {
	p := extract.Page{Number: 1, Width: 600, Height: 300}
	for i, heading := range []string{"Module", "Test", "Date", "Time", "Campus", "Venue"} {
		x := 20 + 90*float64(i)
		p.Words = append(p.Words, extract.Word{Text: heading, X0: x, X1: x + 35, Y: y + 20, Size: 10})
	}
	return p
}

// FuzzFindTwice holds that the order of drawing does not matter.
func FuzzFindTwice(f *testing.F) {
	f.Add(uint16(0x1234), "COS 214 Test1")
	f.Fuzz(func(t *testing.T, seed uint16, text string) {
		page := headed(0)
		for i, w := range strings.Fields(text) {
			x := 20 + 90*float64((int(seed)+i)%6)
			page.Words = append(page.Words, extract.Word{Text: w, X0: x, X1: x + 30, Y: 40 + 15*float64(i/6), Size: 10})
		}
		turned := page
		turned.Words = slices.Clone(page.Words)
		slices.Reverse(turned.Words)
		a, errA := table.Find([]extract.Page{page}, schedule.Layouts())
		b, errB := table.Find([]extract.Page{turned}, schedule.Layouts())
		if (errA == nil) != (errB == nil) || len(a.Rows) != len(b.Rows) {
			t.Fatalf("%d rows (%v) in one order, %d (%v) in the other", len(a.Rows), errA, len(b.Rows), errB)
		}
	})
}
