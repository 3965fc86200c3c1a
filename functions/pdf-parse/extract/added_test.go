package extract

import (
	"fmt"
	"strings"
	"testing"
)

// TestMarks holds that large letters laid over a page take no others away: neither from a word that they begin in, nor
// as the same letter drawn twice, nor because all else is small beside them.
func TestMarks(t *testing.T) {
	t.Parallel()
	const little = "BT /F 10 Tf 20 60 Td (FAB) Tj ET "
	for name, test := range map[string]struct{ content, want string }{
		"the same letter": {"BT /F 60 Tf 18 58 Td (F) Tj ET " + little, "FAB"},
		"on a baseline":   {"BT /F 60 Tf 34 60 Td (RU) Tj ET " + little, "FAB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(test.content+"BT /F 10 Tf 20 20 Td (body text of some length) Tj ET", helvetica, "/MediaBox [0 0 200 100]"))
			for _, w := range page.Words {
				if w.Text == test.want {
					return
				}
			}
			t.Errorf("got %s, want %s among them", spell(page.Words), test.want)
		})
	}
	t.Run("over little", func(t *testing.T) {
		t.Parallel()
		page := read(t, onePage("BT /F 100 Tf 20 400 Td (CONFIDENTIAL) Tj ET BT /F 10 Tf 20 700 Td (HB 4-1) Tj ET", helvetica, "/MediaBox [0 0 842 842]"))
		if len(page.Words) != 3 {
			t.Errorf("got %s", spell(page.Words))
		}
	})
}

// TestCovered holds that text under something opaque is kept apart, and how its cover looks.
func TestCovered(t *testing.T) {
	t.Parallel()
	const (
		text  = "BT /F 10 Tf 50 50 Td (AB) Tj ET "
		aside = "0 g BT /F 10 Tf 150 50 Td (x) Tj ET "
	)
	for name, test := range map[string]struct{ content, want string }{
		"black bar":                              {text + "0 g 40 45 50 20 re f", "AB?"},
		"paper":                                  {text + "1 g 40 45 50 20 re f", "AB"},
		"drawn first":                            {"1 g 40 45 50 20 re f 0 g " + text, ""},
		"paper, with little drawn later":         {strings.Repeat("BT /F 10 Tf 90 60 Td (xxxx) Tj ET ", 20) + text + aside + "1 g 40 45 50 20 re f " + aside, "AB?"},
		"paper at once, with little drawn later": {strings.Repeat("BT /F 10 Tf 90 60 Td (xxxx) Tj ET ", 20) + text + "1 g 40 45 50 20 re f " + aside, "AB"},
		"paper, with more drawn later":           {text + aside + "1 g 40 45 50 20 re f " + aside, "AB"},
		"clear":                                  {"3 Tr " + text + "0 Tr 1 g 40 45 50 20 re f", ""},
		"outside":                                {"q 0 0 40 100 re W n " + text + "Q 0 g 40 45 50 20 re f", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, w := range read(t, onePage(test.content+" 0 g BT 0 Tr /F 10 Tf 5 5 Td (xxxx) Tj ET", helvetica, "/MediaBox [0 0 200 100]")).Covered {
				if got += w.Text; w.Faint {
					got += "?"
				}
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestCoveredByMany holds that so many covers as nobody lays by hand are taken for the ground of a table.
func TestCoveredByMany(t *testing.T) {
	t.Parallel()
	var text, covers strings.Builder
	for i := range 120 {
		x, y := 5+16*(i%12), 5+9*(i/12)
		fmt.Fprintf(&text, "BT /F 4 Tf %d %d Td (A) Tj ET ", x, y)
		fmt.Fprintf(&covers, "%d %d 5 5 re f ", x-1, y-1)
	}
	content := "BT /F 4 Tf 5 96 Td (xxxx) Tj ET " + text.String() + "1 g " + covers.String()
	faint := 0
	for _, w := range read(t, onePage(content, helvetica, "/MediaBox [0 0 200 100]")).Covered {
		if w.Faint {
			faint++
		}
	}
	if faint != 100 {
		t.Errorf("got %d words that a reader may know of, want 100", faint)
	}
}

// TestInk holds that words have the colour of their letters and rulings their own and their thickness, and that a word
// tells of two letters that stand apart.
func TestInk(t *testing.T) {
	t.Parallel()
	page := read(t, onePage("BT 1 0 0 rg /F 10 Tf 20 60 Td [(IT) -120 (4444)] TJ ET 0 0 1 RG 2 w 20 50 m 120 50 l S", helvetica, "/MediaBox [0 0 200 100]"))
	if w := page.Words[0]; w.Colour != 0xFF0000 || !w.Loose {
		t.Errorf("got %+v, want red and loose", w)
	}
	if r := page.Rulings[0]; r.Colour != 0x0000FF || r.Thick < 1.9 || r.Thick > 2.1 {
		t.Errorf("got %+v, want blue and 2 thick", r)
	}
}
