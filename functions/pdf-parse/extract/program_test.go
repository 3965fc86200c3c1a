package extract

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// glyphIDs are the glyphs of Go Regular for a text, as two-byte codes in hexadecimal.
func glyphIDs(t *testing.T, text string) string {
	t.Helper()
	font, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, r := range text {
		glyph, err := font.GlyphIndex(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%04x", glyph)
	}
	return out.String()
}

// TestEmbeddedPrograms holds for fonts whose glyphs only the embedded program explains.
func TestEmbeddedPrograms(t *testing.T) {
	t.Parallel()
	const (
		composite = "<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H %s /DescendantFonts [<< /Subtype /CIDFontType2 /DW 500 %s /FontDescriptor << /FontFile2 5 0 R >> >>] >>"
		simple    = "<< /Type /Font /Subtype /%s /BaseFont /X %s /FirstChar 0 /Widths [" + "%s] /FontDescriptor << /Flags 4 /%s 5 0 R >> >>"
	)
	widths := strings.Repeat("500 ", 256)
	one, two := glyphIDs(t, "1"), glyphIDs(t, "2")
	truetype := string(goregular.TTF)
	swapped := make([]byte, 4)
	for i, glyph := range []string{one, two} { // CID 0 shows 1, CID 1 shows 2
		fmt.Sscanf(glyph, "%02x%02x", &swapped[2*i], &swapped[2*i+1])
	}
	type1 := "%!PS-AdobeFont-1.0: X\n/Encoding 256 array 0 1 255 {1 index exch /.notdef put} for\ndup 1 /one put dup 2 /two put\nreadonly def currentfile eexec \x01\x02"
	tests := map[string]struct {
		font, text string
		more       []string
		want       string
	}{
		"TrueType by glyph":                {fmt.Sprintf(composite, "", ""), "<" + glyphIDs(t, "COS 214") + ">", []string{stream("", truetype)}, "COS 214"},
		"TrueType, a hole in the map":      {fmt.Sprintf(composite, "/ToUnicode 6 0 R", ""), "<" + one + two + ">", []string{stream("", truetype), toUnicode("1 beginbfchar <" + two + "> <0032> endbfchar")}, "12"},
		"TrueType, NUL in the map":         {fmt.Sprintf(composite, "/ToUnicode 6 0 R", ""), "<" + one + two + ">", []string{stream("", truetype), toUnicode("1 beginbfchar <" + one + "> <0000> endbfchar")}, "12"},
		"TrueType against the map":         {fmt.Sprintf(composite, "/ToUnicode 6 0 R", ""), "<" + one + two + ">", []string{stream("", truetype), toUnicode("1 beginbfchar <" + one + "> <0033> endbfchar")}, "32?"},
		"TrueType, a space for a digit":    {fmt.Sprintf(composite, "/ToUnicode 6 0 R", ""), "<" + one + two + ">", []string{stream("", truetype), toUnicode("1 beginbfchar <" + one + "> <0020> endbfchar")}, "12?"},
		"TrueType, glyphs of CIDs":         {fmt.Sprintf(composite, "", "/CIDToGIDMap 6 0 R"), "<00000001>", []string{stream("", truetype), stream("", string(swapped))}, "12"},
		"TrueType, a glyph that is not":    {fmt.Sprintf(composite, "", ""), "<" + one + "fff0>", []string{stream("", truetype)}, "1#?"},
		"TrueType by its own codes":        {fmt.Sprintf(simple, "TrueType", "", widths, "FontFile2"), "(COS 214)", []string{stream("", truetype)}, "COS 214"},
		"TrueType cut off":                 {fmt.Sprintf(composite, "", ""), "<" + one + ">", []string{stream("", truetype[:100])}, "#?"},
		"Type 1 by its own codes":          {fmt.Sprintf(simple, "Type1", "", widths, "FontFile"), "<0102>", []string{stream("", type1)}, "12"},
		"Type 1, StandardEncoding":         {fmt.Sprintf(simple, "Type1", "", widths, "FontFile"), "(12)", []string{stream("", "/Encoding StandardEncoding def eexec")}, "12"},
		"Type 1 without an encoding":       {fmt.Sprintf(simple, "Type1", "", widths, "FontFile"), "(12)", []string{stream("", "%!PS")}, "12?"},
		"CFF by its own codes":             {fmt.Sprintf(simple, "Type1", "", widths, "FontFile3"), "<010203>", []string{stream("", cffFont(false))}, "1 2"},
		"CFF, names for other codes":       {fmt.Sprintf(simple, "Type1", "/Encoding << /Differences [3 /one] >>", widths, "FontFile3"), "<010203>", []string{stream("", cffFont(false))}, "1 1"},
		"CFF whose glyphs are numbers":     {fmt.Sprintf(simple, "Type1", "", widths, "FontFile3"), "<3103>", []string{stream("", cffFont(true))}, "1#?"},
		"a program that is none":           {fmt.Sprintf(composite, "", ""), "<0001>", []string{stream("", "no font")}, "#?"},
		"a program that cannot be decoded": {fmt.Sprintf(composite, "", ""), "<0001>", []string{stream("/Filter /FlateDecode", "no stream")}, "#?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := read(t, onePage("BT /F 10 Tf 10 80 Td "+test.text+" Tj ET", "/Font << /F "+test.font+" >>", "", test.more...))
			if got := spellText(page.Words); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// cffFont is a CFF program whose codes 1 to 3 draw one, space (which is empty) and two.
func cffFont(numbered bool) string {
	index := func(items ...string) string {
		out := binary.BigEndian.AppendUint16(nil, uint16(len(items)))
		out = append(out, 1)
		at := 1
		for _, item := range append([]string{""}, items...) {
			at += len(item)
			out = append(out, byte(at))
		}
		return string(out) + strings.Join(items, "")
	}
	const draws, empty = "\x8b\x8b\x15\x8b\x06\x0e", "\x8c\x0e"
	integer := func(v int) string { return "\x1c" + string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
	top := func(charset, encoding, glyphs int) string {
		out := ""
		if numbered {
			out = integer(0) + integer(0) + integer(0) + "\x0c\x1e"
		}
		return out + integer(charset) + "\x0f" + integer(encoding) + "\x10" + integer(glyphs) + "\x11"
	}
	head := func(charset, encoding, glyphs int) string {
		return "\x01\x00\x04\x01" + index("X") + index(top(charset, encoding, glyphs)) + index("two") + index()
	}
	charset := len(head(0, 0, 0))
	sids := "\x00\x00\x12\x00\x01\x01\x87" // one, space, and the first string of its own
	codes := "\x00\x03\x01\x02\x03"
	return head(charset, charset+len(sids), charset+len(sids)+len(codes)) + sids + codes + index(empty, draws, empty, draws)
}

// FuzzProgram reads foreign font programs: it ends, and what it tells are names and characters.
func FuzzProgram(f *testing.F) {
	for _, seed := range []string{string(goregular.TTF), cffFont(false), cffFont(true), "/Encoding StandardEncoding def", "\x00\x01\x00\x00\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func([]byte) *program{readType1, func(b []byte) *program { return readCFF(b) }, func(b []byte) *program { return readSFNT(b) }} {
			p := read(data)
			if p == nil {
				continue
			}
			for _, glyph := range []int{-1, 0, 1, 255, 0xFFFF, 1 << 20} {
				p.isBlank(glyph)
				p.meaning(glyph, "a")
			}
			for _, characters := range p.texts {
				if slices.ContainsFunc(characters, func(r rune) bool { return r < 0 }) {
					t.Errorf("characters %v", characters)
				}
			}
		}
	})
}
