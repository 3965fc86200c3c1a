package extract

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"strings"
	"testing"
)

// TestTextOperators holds for every way to place and show text: the page is 100 points high, so a
// baseline at 80 is 20 from the top.
func TestTextOperators(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ content, want string }{
		"Td Tj":                 {"BT /F 10 Tf 10 80 Td (COS 214) Tj ET", "COS@10,20 214@34,20"},
		"Tm":                    {"BT /F 1 Tf 10 0 0 10 10 80 Tm (COS) Tj ET", "COS@10,20"},
		"cm instead of Td":      {"q 1 0 0 1 10 80 cm BT /F 10 Tf (COS) Tj ET Q", "COS@10,20"},
		"a flipped page":        {"q 1 0 0 -1 0 100 cm BT /F 10 Tf 1 0 0 -1 10 20 Tm (COS) Tj ET Q", "COS@10,20"},
		"TL T*":                 {"BT /F 10 Tf 12 TL 10 80 Td (a) Tj T* (b) Tj ET", "a@10,20 b@10,32"},
		"TD sets the leading":   {"BT /F 10 Tf 10 92 Td 0 -12 TD (a) Tj T* (b) Tj ET", "a@10,20 b@10,32"},
		"quote":                 {"BT /F 10 Tf 12 TL 10 92 Td (a) ' (b) ' ET", "a@10,20 b@10,32"},
		"double quote":          {"BT /F 10 Tf 12 TL 10 92 Td 5 0 (a b) \" ET", "a@10,20 b@23,20"},
		"TJ kerning":            {"BT /F 10 Tf 10 80 Td [(C) 80 (O) -60 (S)] TJ ET", "COS@10,20"},
		"TJ space":              {"BT /F 10 Tf 10 80 Td [(COS) -278 (214)] TJ ET", "COS@10,20 214@34,20"},
		"word spacing":          {"BT /F 10 Tf 20 Tw 10 80 Td (a b) Tj ET", "a@10,20 b@38,20"},
		"letter spacing":        {"BT /F 10 Tf 3 Tc 10 80 Td (COS) Tj ET", "COS@10,20"},
		"horizontal scaling":    {"BT /F 10 Tf 200 Tz 10 80 Td (a b) Tj ET", "a@10,20 b@27,20"},
		"exponents":             {"q 1 0 0 1 0 -1.5e-14 cm BT /F 1e1 Tf 1E+1 80 Td (COS) Tj ET Q", "COS@10,20"},
		"rise":                  {"BT /F 10 Tf 5 Ts 10 80 Td (a) Tj ET", "a@10,15"},
		"two strings, one word": {"BT /F 10 Tf 10 80 Td (CO) Tj (S) Tj ET", "COS@10,20"},
		"glyphs in any order":   {"BT /F 10 Tf 1 0 0 1 17.22 80 Tm (O) Tj 1 0 0 1 10 80 Tm (C) Tj 1 0 0 1 25 80 Tm (S) Tj ET", "COS@10,20"},
		"drawn twice for bold":  {"BT /F 10 Tf 10 80 Td (COS) Tj ET BT /F 10 Tf 10.3 80 Td (COS) Tj ET", "COS@10,20"},
		"white is none":         {"BT /F 10 Tf 10 80 Td (E ) Tj 1 g (L) Tj ET", "E@10,20"},
		"mode 3 is not":         {"BT 3 Tr /F 10 Tf 10 80 Td (scan) Tj 0 Tr 0 -20 Td (ink) Tj ET", "ink@10,40"},
		"clipped away":          {"q 0 0 50 100 re W n BT /F 10 Tf 10 80 Td (in) Tj 100 0 Td (out) Tj ET Q", "in@10,20"},
		"off the page":          {"BT /F 10 Tf 10 80 Td (in) Tj 400 0 Td (out) Tj ET", "in@10,20"},
		"stamp across":          {"BT /F 10 Tf 0.7 0.7 -0.7 0.7 10 10 Tm (DRAFT) Tj 1 0 0 1 10 80 Tm (in and in) Tj ET", "in@10,20 and@21,20 in@40,20"},
		"q keeps the font":      {"BT /F 10 Tf ET q BT /F 20 Tf ET Q BT 10 80 Td (ab) Tj ET", "ab@10,20"},
		"escapes":               {`BT /F 10 Tf 10 80 Td (\(a\051\\) Tj ET`, `(a)\@10,20`},
		"hex":                   {"BT /F 10 Tf 10 80 Td <43 4F5> Tj ET", "COP@10,20"},
		"inline image":          {"BI /W 1 /H 1 ID \x00(Tj\x01 EI BT /F 10 Tf 10 80 Td (a) Tj ET", "a@10,20"},
		"Windows code page":     {"BT /F 10 Tf 10 80 Td (caf\\351 \\226) Tj ET", "café@10,20 -@32,20"},
		"no-break space":        {"BT /F 10 Tf 10 80 Td (a\\240b) Tj ET", "a@10,20 b@18,20"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(test.content, helvetica, ""))
			if got := spell(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFonts(t *testing.T) {
	t.Parallel()
	const show = "BT /F 10 Tf 10 80 Td "
	tests := map[string]struct {
		content, font string
		more          []string
		want          string
	}{
		"widths": {
			show + "(AB) Tj 0 0 Td ( ) Tj (C) Tj ET",
			"<< /Type /Font /Subtype /TrueType /BaseFont /X /FirstChar 65 /Widths [500 500] /FontDescriptor << /MissingWidth 1000 >> /Encoding /WinAnsiEncoding >>", nil,
			"AB@10,20 C@20,20",
		},
		"differences": {
			show + "(\\001\\002\\003) Tj ET",
			"<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [1 /C /uni004F /fi.alt] >> /FirstChar 1 /Widths [600 600 600] >>", nil,
			"COfi@10,20",
		},
		"differences at the ends of lines": {
			show + "(\\\r\n\n\r\\r\r\n\\n) Tj ET",
			"<< /Type /Font /Subtype /Type1 /BaseFont /X /Encoding << /Differences [10 /L 13 /R] >> /FirstChar 10 /Widths [600 0 0 600] >>", nil,
			"LLRLL@10,20",
		},
		"composite with ToUnicode": {
			show + "<0001000200030001> Tj ET",
			"<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H /ToUnicode 5 0 R /DescendantFonts [<< /Subtype /CIDFontType2 /DW 1000 /W [1 [500] 2 3 250] >>] >>",
			[]string{stream("", "1 begincodespacerange <0000> <ffff> endcodespacerange 1 beginbfchar <0001> <0041> endbfchar 1 beginbfrange <0002> <0003> <0062> endbfrange")},
			"AbcA@10,20",
		},
		"Type 3": {
			show + "(ab) Tj ET",
			"<< /Type /Font /Subtype /Type3 /FontMatrix [0.01 0 0 0.01 0 0] /FirstChar 97 /LastChar 98 /Widths [50 50] /Encoding << /Differences [97 /a /b] >> /CharProcs << >> /FontBBox [0 0 1 1] >>", nil,
			"ab@10,20",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(test.content, "/Font << /F "+test.font+" >>", "", test.more...))
			if got := spell(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestPageIsTurnedTheWayItIsRead(t *testing.T) {
	t.Parallel()
	const upright = "BT /F 10 Tf 10 80 Td (COS 214) Tj ET"
	tests := map[string]struct{ content, attributes, want string }{
		"as it is":            {upright, "", "COS@10,20 214@34,20"},
		"/Rotate 90":          {"BT /F 10 Tf 0 1 -1 0 20 10 Tm (COS 214) Tj ET", "/Rotate 90", "COS@10,20 214@34,20"},
		"/Rotate 180":         {"BT /F 10 Tf -1 0 0 -1 190 20 Tm (COS 214) Tj ET", "/Rotate 180", "COS@10,20 214@34,20"},
		"/Rotate -90":         {"BT /F 10 Tf 0 -1 1 0 180 90 Tm (COS 214) Tj ET", "/Rotate -90", "COS@10,20 214@34,20"},
		"text turned instead": {"BT /F 10 Tf 0 1 -1 0 20 10 Tm (COS 214) Tj ET", "", "COS@10,20 214@34,20"},
		"/Rotate, text not":   {upright, "/Rotate 90", "COS@10,20 214@34,20"},
		"crop box":            {upright, "/CropBox [5 10 200 90]", "COS@5,10 214@29,10"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage(test.content, helvetica, test.attributes))
			if got := spell(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	form := stream("/Subtype /Form /BBox [0 0 60 60] /Matrix [1 0 0 1 5 0] /Resources << "+helvetica+" >>",
		"BT /F 10 Tf 0 50 Td (in) Tj 70 0 Td (out) Tj ET")
	page := read(t, onePage("1 0 0 1 10 10 cm /X Do", "/XObject << /X 5 0 R >>", "", form))
	if got, want := spell(page.Words), "in@15,40"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	loop := stream("/Subtype /Form /BBox [0 0 60 60] /Resources << /XObject << /X 5 0 R >> >>", "/X Do /X Do")
	tests := map[string][]byte{
		"a form in itself": onePage("/X Do", "/XObject << /X 5 0 R >>", "", loop),
		"endless q":        onePage(strings.Repeat("q ", 10_000), helvetica, ""),
	}
	for name, pdf := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Pages(context.Background(), pdf); !errors.Is(err, ErrTooComplex) {
				t.Errorf("got %v, want %v", err, ErrTooComplex)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	manyKids := "<< /Type /Pages /Kids [" + strings.Repeat("3 0 R ", 3) + "] /Count 3 >>"
	tests := map[string]struct {
		pdf  []byte
		want error
	}{
		"empty":        {nil, ErrNotPDF},
		"HTML":         {[]byte("<!doctype html><title>%PDF"), ErrNotPDF},
		"a stub":       {[]byte("%PDF-1.7\n"), ErrDamaged},
		"too large":    {make([]byte, MaxBytes+1), ErrTooLarge},
		"no pages":     {build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>"), ErrNoPages},
		"page loop":    {build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>"), ErrDamaged},
		"a page twice": {build("<< /Type /Catalog /Pages 2 0 R >>", manyKids, "<< /Type /Page >>"), ErrDamaged},
		"a lost page":  {build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>", "<< /Type /Page >>"), ErrDamaged},
		"lost content": {onePage("", "", "/Contents 9 0 R"), ErrDamaged},
		"no size":      {onePage("", "", "/MediaBox [0 0 200]"), ErrDamaged},
		"no text":      {onePage("0 0 10 10 re f", "", ""), ErrNoText},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := Pages(context.Background(), test.pdf); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

// TestIncomplete holds that a page is blank only where the file gives it nothing to draw: what cannot
// be found or read is no blank page, though other pages can be read.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	const text = "BT /F 10 Tf 10 50 Td (text) Tj ET"
	for entries, want := range map[string]bool{
		"/Contents 5 0 R":                         false,
		"/Contents null":                          false,
		"/Contents []":                            false,
		"/Contents [5 0 R null]":                  false,
		"/Contents 9 0 R":                         true, // no such object
		"/Contents 2 0 R":                         true, // not a stream
		"/Contents 5":                             true,
		"/Contents [5 0 R 9 0 R]":                 true,
		"/Contents [5 0 R (text)]":                true,
		"/Contentz 5 0 R":                         true,
		"/Contents 5 0 R /MediaBox [0 0]":         true,
		"/Contents [5 0 R 5 0 R]":                 false,
		"/Contents 6 0 R":                         true, // no end of a string
		"/Contents 7 0 R":                         true, // no such operator
		"/Contents 8 0 R":                         true, // no such font
		"/Contents 5 0 R /Resources << >>":        true,
		"/Contents 10 0 R":                        false, // unknown, but between BX and EX
		"/Contents 11 0 R":                        true,  // no such XObject
		"/Contents 12 0 R":                        true,  // its checksum is wrong
		"/Contents 13 0 R":                        true,  // its end is missing
		"/Contents 14 0 R":                        true,  // no such filter
		"/Contents 15 0 R":                        true,  // too few operands
		"/Contents 16 0 R":                        true,  // an array of operators
		"/Contents [5 0 R 17 0 R]":                true,  // operands alone
		"/Contents [5 0 R 18 0 R]":                false, // nothing
		"/Contents 5 0 R /Private (of a program)": false,
	} {
		t.Run(entries, func(t *testing.T) {
			t.Parallel()
			const page = "<< /Type /Page /Parent 2 0 R "
			size, own := " /MediaBox [0 0 200 100]", " /Resources << "+helvetica+" >>"
			second := page + entries
			if !strings.Contains(entries, "/MediaBox") {
				second += size
			}
			if !strings.Contains(entries, "/Resources") && strings.Contains(entries, "0 R") {
				second += own
			}
			packed := deflate(text)
			pdf := build("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
				page+"/Contents 5 0 R "+size+own+" >>", second+" >>", stream("", text), stream("", text+" (text"), stream("", text+" 1 Tq"),
				stream("", "BT /G 10 Tf 10 50 Td (text) Tj ET"), "null", stream("", text+" BX 1 Tq EX"), stream("", text+" /X Do"),
				stream("/Filter /FlateDecode", packed[:len(packed)-1]+"!"), stream("/Filter /FlateDecode", packed[:len(packed)-8]),
				stream("/Filter /Nonsense", text), stream("", text+" 1 2 3 re"), stream("", text+" [1 m] TJ"), stream("", "1 2"), stream("/Filter /FlateDecode", ""))
			pages, err := Pages(context.Background(), pdf)
			if err != nil {
				t.Fatal(err)
			}
			if pages[0].Incomplete || pages[1].Incomplete != want {
				t.Errorf("got %v, %v, want false, %v", pages[0].Incomplete, pages[1].Incomplete, want)
			}
		})
	}
}

func deflate(s string) string {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return out.String()
}
