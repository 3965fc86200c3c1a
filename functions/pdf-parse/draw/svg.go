// Package draw shows what was seen in a PDF: words, rulings, cells and rows as an SVG, so that a
// doubtful document can be looked at.
package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
	"github.com/schedgen/schedgen/functions/pdf-parse/table"
)

const style = `
text { font-family: Helvetica, Arial, sans-serif; }
.page { fill: white; stroke: #999; }
.word { fill: none; stroke: #2a7; stroke-width: .3; }
.ruling { stroke: #d22; stroke-width: .7; }
.cell { fill: #27c; fill-opacity: .06; stroke: #27c; stroke-width: .4; stroke-dasharray: 2 1; }
.row { fill: none; stroke: #b0b; stroke-width: .8; }
.note { fill: #b0b; font-size: 5px; }
`

const margin = 12.0

// SVG writes the pages one below the other. Hovering over a row or a cell tells its column and text.
func SVG(out *bytes.Buffer, pages []extract.Page, t table.Table) {
	width, height := 0.0, margin
	for _, p := range pages {
		width = math.Max(width, p.Width)
		height += p.Height + margin
	}
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %[1]f %[2]f">`, width+2*margin, height)
	fmt.Fprintf(out, "<style>%s</style>\n", style)
	y := margin
	for _, p := range pages {
		fmt.Fprintf(out, "<g transform=\"translate(%g %.2f)\">\n", margin, y)
		page(out, p, t)
		out.WriteString("</g>\n")
		y += p.Height + margin
	}
	out.WriteString("</svg>\n")
}

func page(out *bytes.Buffer, p extract.Page, t table.Table) {
	rect(out, "page", 0, 0, p.Width, p.Height, fmt.Sprintf("page %d", p.Number))
	n := 0
	for _, r := range t.Rows {
		if r.Page == p.Number {
			n++
			row(out, r, p, n)
		}
	}
	for _, r := range p.Rulings {
		fmt.Fprintf(out, `<line class="ruling" x1="%.2f" y1="%.2f" x2="%.2f" y2="%.2f"/>`+"\n", r.X0, r.Y0, r.X1, r.Y1)
	}
	for _, w := range p.Words {
		rect(out, "word", w.X0, w.Y-0.75*w.Size, w.X1, w.Y+0.2*w.Size, "")
		fmt.Fprintf(out, `<text x="%.2f" y="%.2f" font-size="%.2f" textLength="%.2f">%s</text>`+"\n",
			w.X0, w.Y, w.Size, math.Max(w.X1-w.X0, 0.1), escape(w.Text))
	}
}

func row(out *bytes.Buffer, r table.Row, p extract.Page, n int) {
	x0, x1 := p.Width, 0.0
	for _, c := range r.Cells {
		left, right := math.Max(c.X0, 0), math.Min(c.X1, p.Width)
		x0, x1 = math.Min(x0, left), math.Max(x1, right)
		rect(out, "cell", left, r.Y0, right, r.Y1, fmt.Sprintf("%s: %s", c.Heading, c.Text()))
	}
	rect(out, "row", x0, r.Y0, x1, r.Y1, "")
	fmt.Fprintf(out, `<text class="note" x="%.2f" y="%.2f">row %d</text>`+"\n", x1+2, (r.Y0+r.Y1)/2, n)
}

func rect(out *bytes.Buffer, class string, x0, y0, x1, y1 float64, title string) {
	fmt.Fprintf(out, `<rect class="%s" x="%.2f" y="%.2f" width="%.2f" height="%.2f">`, class, x0, y0, math.Max(x1-x0, 0), math.Max(y1-y0, 0))
	if title != "" {
		fmt.Fprintf(out, "<title>%s</title>", escape(title))
	}
	out.WriteString("</rect>\n")
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer cannot fail
	return b.String()
}
