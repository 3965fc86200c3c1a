package table

import (
	"testing"

	"github.com/schedgen/schedgen/functions/pdf-parse/extract"
)

// TestAroundInk holds that only a clip that ends where all that is drawn ends is taken for the sheet's own: a page has a
// margin, however narrow, and what ends before all that is drawn hides nothing of the sheet as a whole.
func TestAroundInk(t *testing.T) {
	t.Parallel()
	sheet := extract.Page{
		Width: 1000, Height: 800,
		Words: []extract.Word{
			{Text: "Module", X0: 110, X1: 150, Y: 108, Size: 10}, // from 100.8 to 108
			{Text: "last", X0: 600, X1: 640, Y: 500, Size: 10},
		},
		Rulings: []extract.Ruling{{X0: 105, Y0: 120, X1: 650, Y1: 120}},
	}
	exact := extract.Box{X0: 105, Y0: 100.8, X1: 650, Y1: 502}
	for name, test := range map[string]struct {
		sides extract.Box // how far the box ends outside all that is drawn
		want  bool
	}{
		"where all ends":           {extract.Box{}, true},
		"rounded outwards":         {extract.Box{X0: 1, Y0: 1, X1: 1, Y1: 1}, true},
		"a narrow margin":          {extract.Box{X0: 8, Y0: 8, X1: 8, Y1: 8}, false},
		"a margin to the left":     {extract.Box{X0: 8}, false},
		"a margin above":           {extract.Box{Y0: 8}, false},
		"a margin to the right":    {extract.Box{X1: 8}, false},
		"a margin below":           {extract.Box{Y1: 8}, false},
		"a ruling runs out of it":  {extract.Box{X1: -8}, false},
		"a ruling begins before":   {extract.Box{X0: -4}, false},
		"the first line is beyond": {extract.Box{Y0: -10}, false},
		"the last line is beyond":  {extract.Box{Y1: -10}, false},
	} {
		b := extract.Box{X0: exact.X0 - test.sides.X0, Y0: exact.Y0 - test.sides.Y0, X1: exact.X1 + test.sides.X1, Y1: exact.Y1 + test.sides.Y1}
		if got := aroundInk(sheet, b); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}
