package extract

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestUnits holds that a page is the same however large it is drawn and wherever it lies: words and rulings
// are in units of its body text.
func TestUnits(t *testing.T) {
	t.Parallel()
	const content = " 1 w BT /F 20 Tf 10 84 Td (Big) Tj ET BT /F 10 Tf 10 60 Td (COS 214) Tj ET 10 50 m 110 50 l S 150 20 0.5 60 re f"
	const want = "Big@10,16 COS@10,40 214@34,40; h 10-110 50; v 150 20-80"
	for _, scale := range []float64{0.05, 0.1, 1.0 / 3, 1, 3, 20} {
		for _, attributes := range []string{"", fmt.Sprintf("/UserUnit %g", 1/scale), "/UserUnit 7"} {
			for _, at := range []point{{0, 0}, {-7000, 50}} {
				t.Run(fmt.Sprintf("%g %s %v", scale, attributes, at), func(t *testing.T) {
					t.Parallel()
					box := fmt.Sprintf("[%g %g %g %g]", at.x, at.y, at.x+200*scale, at.y+100*scale)
					cm := fmt.Sprintf("%g 0 0 %[1]g %g %g cm", scale, at.x, at.y)
					page := read(t, onePage(cm+content, helvetica, "/MediaBox "+box+attributes))
					if got := spell(page.Words) + "; " + spellRulings(page.Rulings); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				})
			}
		}
	}
}

// TestUnitsOfSeveralPages holds that a page on which there is little body text has the document's unit, and
// one of a merged file that is drawn at another scale has its own.
func TestUnitsOfSeveralPages(t *testing.T) {
	t.Parallel()
	const body = "BT /F 10 Tf 10 80 Td (body text of some length) Tj ET "
	const first = body + body + body + body + "BT /F 20 Tf 10 60 Td (Top) Tj /F 7 Tf 0 -50 Td (Page 1 of 41) Tj ET"
	for name, test := range map[string]struct{ second, want string }{
		"little but its foot":       {"BT /F 10 Tf 10 80 Td (ab) Tj /F 8 Tf 0 -70 Td (Page 2 of 2) Tj ET", "ab@10,20 Page@10,90 2@31,90 of@38,90 2@46,90"},
		"a long foot":               {"BT /F 10 Tf 10 80 Td (a) Tj /F 7 Tf 0 -70 Td (Page 21 of 41) Tj ET", "a@10,20 Page@10,90 21@28,90 of@38,90 41@46,90"},
		"nothing but a foot":        {"BT /F 7 Tf 10 10 Td (Page 21 of 41) Tj ET", "Page@10,90 21@28,90 of@38,90 41@46,90"},
		"a large mark over little":  {"BT /F 10 Tf 10 80 Td (ab) Tj /F 60 Tf 0 -70 Td (DRAFT) Tj ET", "ab@10,20 DRAFT@10,90"},
		"another scale":             {"0.5 0 0 0.5 0 0 cm " + body, "body@10,120 text@34,120 of@53,120 some@64,120 length@92,120"},
		"as large as a title":       {"2 0 0 2 0 0 cm BT /F 10 Tf 10 40 Td (body text) Tj 0 -20 Td (body text) Tj ET", "body@10,10 text@34,10 body@10,30 text@34,30"},
		"another scale and a title": {"0.5 0 0 0.5 0 0 cm BT /F 20 Tf 10 160 Td (Ab) Tj ET " + body + body + body, "Ab@10,40 body@10,120 text@34,120 of@53,120 some@64,120 length@92,120"},
		"nothing":                   {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Resources << " + helvetica + " >> "
			pages, err := Pages(context.Background(), build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
				page+"/Contents 5 0 R >>", page+"/Contents 6 0 R >>", stream("", first), stream("", test.second)))
			if err != nil {
				t.Fatal(err)
			}
			if got := spell(pages[1].Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestCropBox holds that what a crop box hides is not there, unless the box was only left as it was when the
// page was given another size.
func TestCropBox(t *testing.T) {
	t.Parallel()
	const sheet = "BT /F 10 Tf 10 80 Td (one) Tj 100 0 Td (two) Tj -100 -40 Td (three) Tj 100 0 Td (four) Tj ET "
	for name, test := range map[string]struct{ content, crop, want string }{
		"a quarter of a sheet":    {sheet, "[100 50 200 100]", "two@10,20"},
		"a margin":                {sheet, "[5 5 195 95]", "one@5,15 two@105,15 three@5,55 four@105,55"},
		"left over":               {sheet + "10 70 m 190 70 l S", "[100 50 200 100]", "one@10,20 two@110,20 three@10,60 four@110,60"},
		"left over, through text": {sheet, "[0 0 13 50]", "one@10,20 two@110,20 three@10,60 four@110,60"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(test.content, helvetica, "/CropBox "+test.crop))
			if got := spell(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestTextCutByTheEdge holds that a text of which the edge of the paper cuts off a part is in doubt, and no other.
func TestTextCutByTheEdge(t *testing.T) {
	t.Parallel()
	const (
		text  = "BT /F 10 Tf 50 80 Td (five six) Tj 20 -40 Td (three four ) Tj ET "
		left  = "BT /F 5 Tf 5 20 Td (on the left, where all of it is seen) Tj ET "
		right = "BT /F 5 Tf 100 20 Td (on the right, where all of it is seen) Tj ET "
	)
	for name, test := range map[string]struct{ content, crop, want string }{
		"nothing":           {text, "[0 0 200 100]", ""},
		"after a word":      {text + left, "[0 0 94 100]", "three"},
		"in a word":         {text + left, "[0 0 90 100]", "thre"},
		"before a word":     {text + right, "[68 0 200 100]", "six"},
		"a line as a whole": {text + left, "[0 50 200 100]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var doubtful []string
			for _, w := range read(t, onePage(test.content, helvetica, "/CropBox "+test.crop)).Words {
				if w.Faint {
					doubtful = append(doubtful, w.Text)
				}
			}
			if got := strings.Join(doubtful, " "); got != test.want {
				t.Errorf("in doubt: %q, want %q", got, test.want)
			}
		})
	}
}
