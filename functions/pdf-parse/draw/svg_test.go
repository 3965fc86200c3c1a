package draw_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/draw"
	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

func sample(text string) ([]extract.Page, table.Table) {
	pages := []extract.Page{
		{Number: 1, Width: 200, Height: 100, Words: []extract.Word{{Text: text, X0: 10, X1: 40, Y: 20, Size: 10}}, Rulings: []extract.Ruling{{X0: 5, Y0: 25, X1: 90, Y1: 25}}},
		{Number: 2, Width: 100, Height: 200},
	}
	cell := table.Cell{Column: "module", Heading: "Module", X0: 5, X1: 50, Lines: []table.Line{{Text: text}}}
	return pages, table.Table{Rows: []table.Row{{Page: 1, Y0: 10, Y1: 25, Cells: []table.Cell{cell}}}}
}

// TestDrawing holds that each page, word, ruling, cell and row is drawn once, in well-formed XML.
func TestDrawing(t *testing.T) {
	t.Parallel()
	var svg bytes.Buffer
	pages, found := sample(`COS "214" <&>`)
	draw.SVG(&svg, pages, found)
	counts := elements(t, svg.Bytes())
	for class, want := range map[string]int{"page": 2, "word": 1, "ruling": 1, "cell": 1, "row": 1, "note": 1} {
		if counts[class] != want {
			t.Errorf("%s: drawn %d times, want %d", class, counts[class], want)
		}
	}
	if !strings.Contains(svg.String(), "<title>Module: COS &#34;214&#34; &lt;&amp;&gt;</title>") {
		t.Errorf("the cell does not tell its column and text:\n%s", &svg)
	}
}

// elements counts the elements of an SVG by their class, and fails where it is not well-formed.
func elements(t *testing.T, svg []byte) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return counts
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		for _, attr := range start.Attr {
			if ok && attr.Name.Local == "class" {
				counts[attr.Value]++
			}
		}
	}
}

// FuzzSVG draws foreign text: the drawing stays XML.
func FuzzSVG(f *testing.F) {
	f.Add("a]]><!--\x00\ufffe&\xff", 1e300)
	f.Fuzz(func(t *testing.T, text string, x float64) {
		pages, found := sample(text)
		pages[0].Words[0].X1, found.Rows[0].Cells[0].X1 = x, x
		var svg bytes.Buffer
		draw.SVG(&svg, pages, found)
		elements(t, svg.Bytes())
	})
}
