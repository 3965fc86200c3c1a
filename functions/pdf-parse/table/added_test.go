package table_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/schedule"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

const blue = extract.Colour(0x0000FF)

// testRows are the headings and five rows of a semester test, from 20 down, without rulings.
func testRows() []string {
	lines := []string{heads(20)}
	for i := range 5 {
		lines = append(lines, fmt.Sprintf("%d: COS_21%d@20 Test1@100 Monday@160 04_Aug_2025@220 07:30_-_08:20@300 HATFIELD@400 IT_4-%d@480", 40+20*i, i, i))
	}
	return lines
}

// asRuled draws the grid around testRows.
func asRuled(p *extract.Page, t *testing.T) {
	t.Helper()
	lines := append(grid(10, 128), "h 10", "h 27")
	for i := range 5 {
		lines = append(lines, fmt.Sprintf("h %d", 48+20*i))
	}
	p.Rulings = append(p.Rulings, drawn(t, 1, lines...).Rulings...)
}

// TestAdded holds that what somebody drew or wrote on a table changes none of its rows unless their lines tell so:
// "!" marks a line that is unlike the others, and stray text stands in brackets.
func TestAdded(t *testing.T) {
	t.Parallel()
	word := func(text string, x, y float64) extract.Word {
		return extract.Word{Text: text, X0: x, X1: x + 5*float64(len(text)), Y: y, Size: 10}
	}
	for name, test := range map[string]struct {
		change func(t *testing.T, p *extract.Page)
		want   string // how the third row differs
	}{
		"nothing":       {func(*testing.T, *extract.Page) {}, ""},
		"nothing, grid": {func(t *testing.T, p *extract.Page) { asRuled(p, t) }, ""},
		"a note in other ink and size": {func(_ *testing.T, p *extract.Page) {
			w := word("Lab?", 430, 80)
			w.Size, w.Colour = 15, blue
			p.Words = append(p.Words, w)
		}, "[Lab?]"},
		"a note in other ink": {func(_ *testing.T, p *extract.Page) {
			w := word("Lab?", 445, 80)
			w.Colour = blue
			p.Words = append(p.Words, w)
		}, "HATFIELD Lab?!"},
		"a watermark": {func(_ *testing.T, p *extract.Page) {
			w := word("DRAFT", 200, 80)
			w.Size = 60
			p.Words = append(p.Words, w)
		}, ""},
		"a watermark over the headings": {func(_ *testing.T, p *extract.Page) {
			w := word("DRAFT", 140, 24)
			w.Size = 24
			p.Words = append(p.Words, w)
		}, ""},
		"a pale word over the headings": {func(_ *testing.T, p *extract.Page) {
			w := word("DRAFT", 132, 20)
			w.Size, w.Colour = 14, 0xD0D0D0
			p.Words = append(p.Words, w)
		}, ""},
		"a row of another page beside the table": {func(t *testing.T, p *extract.Page) {
			asRuled(p, t)
			p.Words = append(p.Words, drawn(t, 1, "80: COS_999@570 Test2@640").Words...)
		}, "[COS 999 Test2]"},
		"a word beside the table": {func(t *testing.T, p *extract.Page) {
			asRuled(p, t)
			p.Words = append(p.Words, word("ask", 570, 80))
		}, ""},
		"a value over the next column": {func(t *testing.T, p *extract.Page) {
			asRuled(p, t)
			for i := range p.Words {
				if w := &p.Words[i]; w.Text == "Monday" && w.Y == 80 {
					w.Text, w.X1 = "Mondayyyyyyyyyyy", 290
				} else if w.X0 >= 220 && w.X0 < 300 && w.Y == 80 {
					w.X0, w.X1, w.Y = 605, 606, 80
				}
			}
		}, "Mondayyyyyyyyyyy!"},
		"a value moved": {func(_ *testing.T, p *extract.Page) { moveLine(p, "HATFIELD", 80, -3) }, "HATFIELD!"},
		"letters apart": {func(_ *testing.T, p *extract.Page) {
			for i := range p.Words {
				p.Words[i].Loose = p.Words[i].Text == "Monday" && p.Words[i].Y == 80
			}
		}, "Monday!"},
		"a word half outside": {func(t *testing.T, p *extract.Page) {
			asRuled(p, t)
			w := word("Lab?", 6, 80)
			p.Words = append(p.Words, w)
		}, "[Lab?]"},
		"blacked out": {func(_ *testing.T, p *extract.Page) {
			w := word("secret", 333, 80)
			w.Faint = true
			p.Covered = append(p.Covered, w)
		}, "[secret]"},
		"paper over a value": {func(_ *testing.T, p *extract.Page) { p.Covered = append(p.Covered, word("PRINSHOF", 400, 80)) }, ""},
		"paper over the same": {func(_ *testing.T, p *extract.Page) {
			p.Covered = append(p.Covered, word("HATFIELD", 400, 80))
		}, ""},
		"paper over something else": {func(_ *testing.T, p *extract.Page) { p.Covered = append(p.Covered, word("secret", 333, 80)) }, ""},
		"an upright line": {func(_ *testing.T, p *extract.Page) {
			p.Rulings = append(p.Rulings, extract.Ruling{X0: 493, X1: 493, Y0: 30, Y1: 130})
		}, ""},
		"a frame around a row": {func(_ *testing.T, p *extract.Page) {
			p.Rulings = append(p.Rulings, extract.Ruling{X0: 12, X1: 570, Y0: 68, Y1: 68}, extract.Ruling{X0: 12, X1: 570, Y0: 84, Y1: 84})
		}, ""},
		"a frame in other ink": {func(t *testing.T, p *extract.Page) {
			asRuled(p, t)
			for _, y := range []float64{74, 85} {
				p.Rulings = append(p.Rulings, extract.Ruling{X0: 14, X1: 561, Y0: y, Y1: y, Thick: 1.5, Colour: 0xFF0000})
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := drawn(t, 1, testRows()...)
			test.change(t, &p)
			found, err := table.Find([]extract.Page{p}, schedule.Layouts())
			if err != nil {
				t.Fatal(err)
			}
			if got := changed(found); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestLeftOver holds that rows which no table claims are told of: those of another page on the sheet.
func TestLeftOver(t *testing.T) {
	t.Parallel()
	const row = "COS_999@%d Test2@%d 05_Aug_2025@%d 09:30_-_10:20@%d"
	for name, test := range map[string]struct {
		line string
		want int // pages
	}{
		"beside":                      {fmt.Sprintf("80: "+row, 610, 680, 800, 880), 1},
		"below, in other columns":     {fmt.Sprintf("240: "+row, -5, 55, 125, 170), 1},
		"a title that names a module": {"5: Tests_of_COS_214@20", 0},
		"a foot that gives the time":  {"240: Printed_at_07:30@20", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := drawn(t, 1, append(testRows(), test.line)...)
			asRuled(&p, t)
			found, err := table.Find([]extract.Page{p}, schedule.Layouts())
			if err != nil {
				t.Fatal(err)
			}
			if len(found.LeftOver) != test.want {
				t.Errorf("got %v, want %d", found.LeftOver, test.want)
			}
		})
	}
}

func moveLine(p *extract.Page, text string, y, by float64) {
	for i := range p.Words {
		if w := &p.Words[i]; w.Text == text && w.Y == y {
			w.X0, w.X1 = w.X0+by, w.X1+by
		}
	}
}

// changed tells how the rows differ from testRows.
func changed(found table.Table) string {
	var out []string
	for i, r := range found.Rows {
		want := map[string]string{
			"module": fmt.Sprintf("COS 21%d", i), "test": "Test1", "day": "Monday", "date": "04 Aug 2025", "time": "07:30 - 08:20",
			"campus": "HATFIELD", "venue": fmt.Sprintf("IT 4-%d", i),
		}
		for _, c := range r.Cells {
			for _, l := range c.Lines {
				text := l.Text
				if l.Odd {
					text += "!"
				}
				switch {
				case c.Heading == "":
					out = append(out, "["+text+"]")
				case text != want[c.Column]:
					out = append(out, text)
				}
			}
		}
	}
	if len(found.Rows) != 5 {
		out = append(out, fmt.Sprintf("%d rows", len(found.Rows)))
	}
	return strings.Join(out, " ")
}
