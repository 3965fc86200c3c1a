package extract

import (
	"fmt"
	"strings"
	"testing"
)

// dots are n squares of a point, each so far from the one before.
func dots(n int, dx, dy float64) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%g %g 1 1 re ", 10+float64(i)*dx, 49.5+float64(i)*dy)
	}
	return b.String()
}

// TestRulings holds for every way to draw a line: it is where the ink is.
func TestRulings(t *testing.T) {
	t.Parallel()
	const text = "BT /F 10 Tf 10 80 Td (x) Tj ET "
	tests := map[string]struct{ content, want string }{
		"thin rectangle":       {"10 50 100 0.5 re f", "h 10-110 50"},
		"upright rectangle":    {"10 10 0.5 60 re f*", "v 10 30-90"},
		"negative sides":       {"110 50 -100 -0.5 re f", "h 10-110 50"},
		"stroked line":         {"10 50 m 110 50 l S", "h 10-110 50"},
		"stroked rectangle":    {"10 20 100 60 re S", "h 10-110 20; h 10-110 80; v 10 20-80; v 110 20-80"},
		"closed by s":          {"10 20 m 110 20 l 110 80 l 10 80 l s", "h 10-110 20; h 10-110 80; v 10 20-80; v 110 20-80"},
		"thin polygon":         {"10 50 m 110 50 l 110 50.5 l 10 50.5 l h f", "h 10-110 50"},
		"frame of two boxes":   {"10 20 100 60 re 11 21 98 58 re f*", "h 10-110 20; h 10-110 80; v 10 20-80; v 110 20-80"},
		"frame and a point":    {"10 20 100 60 re 11 21 98 58 re 50 50 m f*", "h 10-110 20; h 10-110 80; v 10 20-80; v 110 20-80"},
		"fill and stroke":      {"10 50 100 0.5 re B", "h 10-110 50"},
		"scaled":               {"q 10 0 0 10 0 0 cm 0.05 w 1 5 m 11 5 l S Q", "h 10-110 50"},
		"pieces meet":          {"10 50 50 0.5 re f 60 50.2 50 0.5 re f", "h 10-110 50"},
		"dashes":               {"10 50 m 14 50 l 16 50 m 20 50 l 22 50 m 30 50 l S", "h 10-30 50"},
		"dots":                 {dots(40, 2, 0) + "f", "h 10-89 50"},
		"dots, each painted":   {strings.ReplaceAll(dots(40, 2, 0), "re", "re f"), "h 10-89 50"},
		"dots one below":       {dots(20, 0, 2) + "f", "v 10 12-50"},
		"dots wide apart":      {dots(20, 5, 0) + "f", ""},
		"a few dots":           {dots(3, 2, 0) + "f", ""},
		"dashes of two points": {"10 49 4.5 2 re 18 49 4.5 2 re 26 49 4.5 2 re 34 49 4.5 2 re f", "h 10-38 50"},
		"short pieces apart":   {"10 50 4.5 0.5 re f 20 50 4.5 0.5 re f", "h 10-14 50; h 20-24 50"},
		"pieces apart":         {"10 50 40 0.5 re f 60 50 50 0.5 re f", "h 10-50 50; h 60-110 50"},
		"clip cuts":            {"q 0 0 60 100 re W n 10 50 100 0.5 re f Q", "h 10-60 50"},
		"clip hides":           {"q 0 0 5 100 re W n 10 50 100 0.5 re f Q", ""},
		"background":           {"10 20 100 60 re f", ""},
		"white":                {"1 g 10 50 100 0.5 re f 0 g", ""},
		"white in CMYK":        {"0 0 0 0 k 10 50 100 0.5 re f 0 g", ""},
		"white stroke":         {"1 1 1 RG 10 50 m 110 50 l S", ""},
		"transparent":          {"/G gs 10 50 100 0.5 re f", ""},
		"separation of no ink": {"/T cs 0 scn 10 50 100 0.5 re f", ""},
		"separation":           {"/T cs 1 scn 10 50 100 0.5 re f", "h 10-110 50"},
		"pattern":              {"/Pattern cs /P scn 10 50 100 0.5 re f", "h 10-110 50"},
		"never painted":        {"10 50 m 110 50 l n", ""},
		"aslant":               {"10 50 m 110 60 l S", ""},
		"a corner":             {"10 50 2 0.5 re f", ""},
		"thick stroke":         {"20 w 10 50 m 110 50 l S", ""},
	}
	resources := helvetica + " /ExtGState << /G << /ca 0 >> >> /ColorSpace << /T [/Separation /Black /DeviceGray 5 0 R] >>"
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(text+test.content, resources, "", "<< /FunctionType 2 /Domain [0 1] /C0 [1] /C1 [0] /N 1 >>"))
			if got := spellRulings(page.Rulings); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
