package extract

import (
	"context"
	"testing"
)

// TestAnnotations holds that what annotations hide is not read, and that their own text is none of the page's.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	const rect = "/Type /Annot /Rect [40 45 90 65] "
	tests := map[string]struct{ annotation, appearance, words, notes string }{
		"opaque stamp":             {"/Subtype /Stamp /AP << /N 6 0 R >>", "1 g 0 0 10 10 re f", "x@5,95", ""},
		"stamp of letters":         {"/Subtype /Stamp /AP << /N 6 0 R >>", "BT /F 5 Tf (S) Tj ET", "A@50,50 x@5,95", ""},
		"hidden":                   {"/Subtype /Stamp /F 2 /AP << /N 6 0 R >>", "1 g 0 0 10 10 re f", "A@50,50 x@5,95", ""},
		"not viewed":               {"/Subtype /Stamp /F 32 /AP << /N 6 0 R >>", "1 g 0 0 10 10 re f", "A@50,50 x@5,95", ""},
		"printed only":             {"/Subtype /Stamp /F 4 /AP << /N 6 0 R >>", "1 g 0 0 10 10 re f", "x@5,95", ""},
		"of a layer off":           {"/Subtype /Stamp /OC 5 0 R /AP << /N 6 0 R >>", "1 g 0 0 10 10 re f", "A@50,50 x@5,95", ""},
		"highlight":                {"/Subtype /Highlight /AP << /N 6 0 R >>", "1 1 0 rg 0 0 10 10 re f", "A@50,50 x@5,95", ""},
		"comment":                  {"/Subtype /FreeText /AP << /N 6 0 R >>", "BT /F 5 Tf 4 4 Td (n) Tj ET", "A@50,50 x@5,95", "n@60,47"},
		"field in a state":         {"/Subtype /Widget /AS /On /AP << /N << /On 6 0 R /Off 7 0 R >> >>", "1 g 0 0 10 10 re f", "x@5,95", ""},
		"field in another state":   {"/Subtype /Widget /AS /Off /AP << /N << /On 6 0 R >> >>", "1 g 0 0 10 10 re f", "A@50,50 x@5,95", ""},
		"filled square":            {"/Subtype /Square /IC [1 1 1]", "", "x@5,95", ""},
		"frame":                    {"/Subtype /Square /C [1 0 0]", "", "A@50,50 x@5,95", ""},
		"half clear square":        {"/Subtype /Square /IC [1 1 0] /CA .4", "", "A@50,50 x@5,95", ""},
		"appearance with an error": {"/Subtype /Stamp /AP << /N 6 0 R >>", "BT (unended", "A@50,50 x@5,95", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			form := "/Type /XObject /Subtype /Form /BBox [0 0 10 10] /Resources << " + helvetica + " >>"
			pdf := build(
				"<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [5 0 R] /D << /OFF [5 0 R] >> >> >>",
				"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
				"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << "+helvetica+" >> /Annots [<< "+rect+test.annotation+" >>] >>",
				stream("", "BT /F 10 Tf 50 50 Td (A) Tj -45 -45 Td (x) Tj ET"),
				"<< /Type /OCG /Name (off) >>",
				stream(form, test.appearance),
				stream(form, ""),
			)
			pages, err := Pages(context.Background(), pdf)
			if err != nil {
				t.Fatal(err)
			}
			if got := spell(pages[0].Words); got != test.words {
				t.Errorf("got %q, want %q", got, test.words)
			}
			if got := spell(pages[0].Notes); got != test.notes {
				t.Errorf("notes: got %q, want %q", got, test.notes)
			}
			if pages[0].Incomplete {
				t.Error("the page counts as incomplete")
			}
		})
	}
}
