package extract

import (
	"context"
	"math"
	"testing"
	"unicode/utf8"
)

// FuzzContent interprets foreign content streams: it ends, and whatever it finds lies on the page.
func FuzzContent(f *testing.F) {
	for _, seed := range []string{
		"BT /F 10 Tf 10 80 Td (COS 214) Tj ET", "10 50 100 0.5 re f", "q 1 0 0 1 10 10 cm /X Do Q",
		"BT /F 10 Tf [(a) -300 <4142>] TJ T* (b) ' 1 2 (c) \" ET", "BI /W 1 ID x EI", "0 0 5 5 re W* n 1 w 0 0 m 9 0 l b*",
		"[[[<<//a[", "1e400 -.-5 1 1 1 1 cm", "/G gs /T cs 1 scn",
	} {
		f.Add([]byte(seed))
	}
	form := stream("/Subtype /Form /BBox [0 0 60 60] /Resources << "+helvetica+" /XObject << /X 5 0 R >> >>", "BT /F 10 Tf (in) Tj ET /X Do")
	doc, err := open(context.Background(), onePage("", helvetica+" /XObject << /X 5 0 R >>", "", form))
	if err != nil {
		f.Fatal(err)
	}
	leaves, err := doc.pageTree()
	if err != nil {
		f.Fatal(err)
	}
	media, crop, _ := doc.boxes(leaves[0])
	f.Fuzz(func(t *testing.T, content []byte) {
		in := newInterpreter(doc, &budget{glyphs: 10_000, ops: 10_000, bytes: 1 << 20, sights: 1 << 20}, media)
		if err := in.run(content, leaves[0].resources); err != nil {
			return
		}
		if err := in.classifyGlyphs(); err != nil {
			return
		}
		k := in.ink(in.paper(media, crop), 0)
		page := k.page(k.sizes.median())
		for _, w := range page.Words {
			if w.Text == "" || !utf8.ValidString(w.Text) || math.IsNaN(w.X0+w.X1+w.Y+w.Size) {
				t.Errorf("word %+v", w)
			}
		}
		for _, r := range page.Rulings {
			if !(r.X0 <= r.X1 && r.Y0 <= r.Y1) {
				t.Errorf("ruling %+v", r)
			}
		}
	})
}

// FuzzCMap reads foreign CMaps: it ends, and a string is always used up.
func FuzzCMap(f *testing.F) {
	f.Add([]byte("1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <00> <ff> <0041> endbfrange"), "abc")
	f.Add([]byte("1 beginbfchar <0001> <d83dde00> endbfchar 1 begincidrange <0000> <ffff> 0 endcidrange"), "\x00\x01")
	f.Fuzz(func(t *testing.T, program []byte, s string) {
		c := parseCMap(program)
		for steps := 0; len(s) > 0; steps++ {
			k, rest := c.next(s, 2)
			if len(rest) >= len(s) {
				t.Fatalf("no progress at %q", s)
			}
			c.cid(k)
			s = rest
		}
	})
}
