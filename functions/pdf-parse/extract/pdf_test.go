package extract

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

// build writes a PDF of the given objects; the first is the catalog.
func build(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return b.Bytes()
}

func stream(dict, content string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(content), content)
}

const helvetica = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >> >>"

// onePage is a PDF of one page, 200 by 100 points, whose objects from 5 on are more.
func onePage(content, resources, attributes string, more ...string) []byte {
	return build(append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << " + resources + " >> " + attributes + " >>",
		stream("", content),
	}, more...)...)
}

func read(t *testing.T, pdf []byte) Page {
	t.Helper()
	pages, err := Pages(context.Background(), pdf)
	if err != nil {
		t.Fatalf("Pages: %v", err)
	}
	return pages[0]
}

// spell writes words as "text@x,y", whole points.
func spell(words []Word) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = fmt.Sprintf("%s@%.0f,%.0f", w.Text, w.X0, w.Y)
	}
	return strings.Join(parts, " ")
}

// spellRulings writes rulings as "h x0-x1 y" and "v x y0-y1".
func spellRulings(rulings []Ruling) string {
	parts := make([]string, len(rulings))
	for i, r := range rulings {
		if r.Horizontal() {
			parts[i] = fmt.Sprintf("h %.0f-%.0f %.0f", r.X0, r.X1, r.Y0)
		} else {
			parts[i] = fmt.Sprintf("v %.0f %.0f-%.0f", r.X0, r.Y0, r.Y1)
		}
	}
	return strings.Join(parts, "; ")
}
